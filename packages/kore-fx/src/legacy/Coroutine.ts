/**
 * What the old API takes for a coroutine.
 *
 * When to reach for it: to type what is passed to `kore.task_create` or `lock.with`.
 * What it is not: a running task; and never a Promise, which runs already and cannot be killed.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Provided } from "../Kore.ts"
import { RuntimeError } from "./errors.ts"

/**
 * Work that has not begun: a generator object, a function (plain, `async` or a generator function), or an Effect.
 *
 * Source: Kore, runtime §6; in Python only what an `async def` returns.
 *
 * @example
 * ```ts
 * import { kore } from "kore-fx/legacy"
 *
 * function* blink(times: number) {
 *   for (let i = 0; i < times; i++) yield kore.suspend(500)
 * }
 *
 * const generator: kore.Coroutine<void> = blink(3)
 * const thunk: kore.Coroutine<void> = async () => {
 *   await kore.suspend(500)
 * }
 * ```
 */
export type Coroutine<A> =
  | Generator<unknown, A, any>
  | (() => Generator<unknown, A, any> | PromiseLike<A> | A)
  | Effect.Effect<A, unknown, Provided | Scope.Scope>

/** What a coroutine comes to. */
export type Result<C> = C extends Effect.Effect<infer A, any, any> ? A
  : C extends Generator<any, infer A, any> ? A
  : C extends () => infer R ? R extends Effect.Effect<infer A, any, any> ? A
    : R extends Generator<any, infer A, any> ? A
    : Awaited<R>
  : never

type AnyGenerator = Generator<unknown, unknown, unknown>

/** Tells whether a value is a generator object. */
export const isGenerator = (u: unknown): u is AnyGenerator =>
  typeof u === "object" && u !== null && Symbol.iterator in u &&
  "next" in u && typeof u.next === "function" && "throw" in u && typeof u.throw === "function"

/** Tells whether a value can be awaited. */
export const isThenable = (u: unknown): u is PromiseLike<unknown> =>
  ((typeof u === "object" && u !== null) || typeof u === "function") && "then" in u && typeof u.then === "function"

/** Tells whether what a function returned still has to be run or awaited. */
export const isPending = (u: unknown): boolean => Effect.isEffect(u) || isGenerator(u) || isThenable(u)

/** Tells whether a function returns a coroutine whenever it is called. */
export const isCoroutineFunction = (f: Function): boolean =>
  f.constructor.name === "AsyncFunction" || f.constructor.name === "GeneratorFunction"

/** The name of a coroutine, for people, where it has one. */
export const nameOf = (coroutine: Coroutine<unknown>): string | undefined =>
  typeof coroutine === "function" && coroutine.name !== "" ? coroutine.name : undefined

/**
 * Returns the coroutine, or says what is wrong with it.
 *
 * @throws RuntimeError for a Promise, and for what is no coroutine at all.
 */
export const check = <A>(call: string, input: Coroutine<A>): Coroutine<A> => {
  if (Effect.isEffect(input) || isGenerator(input) || typeof input === "function") return input
  if (isThenable(input)) {
    throw new RuntimeError(
      `${call} got a Promise: it has already started and cannot be killed. ` +
        "Pass a function, () => coro(1), a generator object or an Effect"
    )
  }
  throw new RuntimeError(`${call} got ${describe(input)}, expected a function, a generator object or an Effect`)
}

/** A value in a sentence. */
export const describe = (u: unknown): string =>
  u === null || u === undefined ? String(u)
    : typeof u === "string" ? JSON.stringify(u.length > 60 ? `${u.slice(0, 60)}…` : u)
    : typeof u === "number" || typeof u === "boolean" || typeof u === "bigint" ? String(u)
    : typeof u === "function" ? `the function ${u.name || "(anonymous)"}`
    : typeof u === "symbol" ? "a symbol"
    : `a value of ${(u.constructor as Function | undefined)?.name ?? "Object"}`
