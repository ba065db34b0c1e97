/**
 * `kore.gather`: runs several coroutines at once and waits for all of them.
 *
 * When to reach for it: what each of them comes to is wanted, exceptions too.
 * What it is not: a way to start work that goes on by itself, which is `kore.task_create`. Source: Kore, runtime §7.
 */
import * as CoreGather from "@kore-fx/core/Gather"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import { Awaitable } from "./Awaitable.ts"
import { check, type Coroutine, describe, isGenerator, isThenable, nameOf, type Result } from "./Coroutine.ts"
import { Killed, RuntimeError } from "./errors.ts"
import * as keywords from "./internal/keywords.ts"
import * as Run from "./internal/Run.ts"

/** The keywords of `kore.gather`. */
export interface GatherOptions {
  /** How many run at a time: a whole number from 1. Default: all. */
  readonly concurrency?: number | undefined
}

/** What coroutines come to, each in its place. */
export type Gathered<T extends ReadonlyArray<Coroutine<any>>> = { -readonly [K in keyof T]: Result<T[K]> | Error }

/**
 * Runs coroutines and gives their results, in the order of the arguments.
 *
 * What one of them throws is the value in its place, `Killed` if it was killed; what is thrown and no Error is the
 * `cause` of one. Nothing begins before the `await`; then they begin in order, and with `concurrency` the next one as
 * soon as one has ended. Killing the coroutine that awaits kills them first, and waits for their `finally` blocks. Each
 * has locks and processes of its own, and the id of the task that awaits.
 *
 * @throws RuntimeError, and no coroutine begins, for an argument that is no coroutine, a generator that is there twice,
 * an unknown keyword, and a concurrency that is no whole number from 1.
 *
 * @example
 * ```ts
 * import { kore } from "kore-fx/legacy"
 *
 * function* coro(id: number) {
 *   yield kore.suspend(100)
 *   return `i am coro ${id}`
 * }
 *
 * const request = async (req: kore.Request) => {
 *   const results = await kore.gather(coro(1), coro(2), async () => 3, { concurrency: 2 })
 *   for (const result of results) if (result instanceof Error) throw result
 *   req.response(200, results.join())
 * }
 * ```
 */
export const gather: {
  <T extends ReadonlyArray<Coroutine<any>>>(...coroutines: T): Awaitable<Gathered<T>>
  <T extends ReadonlyArray<Coroutine<any>>>(
    ...args: [...coroutines: T, options: GatherOptions]
  ): Awaitable<Gathered<T>>
} = (...args: ReadonlyArray<unknown>): Awaitable<any> => {
  const last = args.at(-1)
  const options = isOptions(last) ? last : {}
  const coroutines = isOptions(last) ? args.slice(0, -1) : args
  keywords.check("kore.gather", options, ["concurrency"])
  const { concurrency } = options
  if (concurrency !== undefined && !(Number.isSafeInteger(concurrency) && concurrency >= 1)) {
    throw new RuntimeError(
      `kore.gather got the concurrency ${
        describe(concurrency)
      }, expected a whole number from 1, or none for all at once`
    )
  }
  const children = coroutines.map((coroutine, index) => {
    const place = `kore.gather (argument ${index + 1})`
    const checked = check(place, coroutine as Coroutine<unknown>)
    if (isGenerator(checked) && coroutines.indexOf(checked) < index) {
      throw new RuntimeError(`${place} got a generator for the second time: each runs once, so make another one`)
    }
    return Effect.scoped(Run.start(nameOf(checked) ?? "a coroutine of kore.gather", checked))
  })
  return new Awaitable(Effect.map(CoreGather.gather(children, { concurrency }), (exits) => exits.map(valueOf)))
}

// What is neither a coroutine nor what somebody may have taken for one.
const isOptions = (u: unknown): u is GatherOptions =>
  typeof u === "object" && u !== null && !Array.isArray(u) && !Effect.isEffect(u) && !isGenerator(u) && !isThenable(u)

const valueOf = (exit: Exit.Exit<unknown, unknown>): unknown => {
  if (exit._tag === "Success") return exit.value
  if (Cause.hasInterruptsOnly(exit.cause)) return new Killed()
  const thrown = Cause.squash(exit.cause)
  return thrown instanceof Error ? thrown : new RuntimeError(`a coroutine threw ${describe(thrown)}`, { cause: thrown })
}
