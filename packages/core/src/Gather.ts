/**
 * Running several effects at once and waiting for all of them.
 *
 * When to reach for it: what each of them comes to is wanted, failures too; or they are many, and only some may run at
 * a time.
 * What it is not: work that goes on by itself (`Task`), or a race. `Effect.all` and `Effect.forEach` do the same for
 * effects whose failure is the caller's; they run one at a time unless told otherwise.
 *
 * Promises: results stand where their effects stood; no more than `concurrency` run at any moment, and the next one
 * begins as soon as one has ended; they begin in order; interrupting the caller interrupts those that run, waits for
 * their finalizers, and begins no other.
 */
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import { Gathering } from "./internal/GatherImpl.ts"

type AnyEffect = Effect.Effect<any, any, any>

type Element<T> = T extends Iterable<infer F> ? F : never

type ExitOf<F> = F extends Effect.Effect<infer A, infer E, infer _R> ? Exit.Exit<A, E> : never

/**
 * How each of the effects ended, in their order.
 *
 * @example
 * ```ts
 * const exits: Gather.Exits<[Effect.Effect<number, string>]> = [Exit.fail("no")]
 * ```
 */
export type Exits<T> = T extends ReadonlyArray<AnyEffect> ? { -readonly [K in keyof T]: ExitOf<T[K]> }
  : Array<ExitOf<Element<T>>>

/**
 * What each of the effects came to, in their order.
 *
 * @example
 * ```ts
 * const values: Gather.Values<[Effect.Effect<number>, Effect.Effect<string>]> = [1, "one"]
 * ```
 */
export type Values<T> = T extends ReadonlyArray<AnyEffect> ? { -readonly [K in keyof T]: Effect.Success<T[K]> }
  : Array<Effect.Success<Element<T>>>

/**
 * What `gather` may be told.
 *
 * @example
 * ```ts
 * const options: Gather.Options = { concurrency: 10, mode: "collect" }
 * ```
 */
export interface Options {
  /** How many run at a time: a whole number, 1 or more (default: all). */
  readonly concurrency?: number | undefined
  /**
   * `collect` (the default): a failure is a value in its place. `failFast`: the first failure is that of `gather`, and
   * interrupts the others.
   */
  readonly mode?: "collect" | "failFast" | undefined
}

/**
 * Runs effects at once, or a few at a time, and waits until all have ended.
 *
 * Gives an Exit for each, in the order of the effects: a failure, a defect and the interruption of a child by somebody
 * else are values in their place. With `mode: "failFast"` it gives plain values, and fails with the first failure once
 * the others have been interrupted and have ended.
 *
 * Children have the services and the task of the caller. Those that do not wait are done without a turn of the
 * scheduler, but after 2,048 of them in a row everybody else gets one; for nothing it does not suspend. A concurrency
 * that is not a whole number from 1 dies with a RangeError. Interruptible.
 * Source: Kore, runtime §7.
 *
 * @example
 * ```ts
 * const program = Effect.gen(function*() {
 *   const pages = ["/a", "/b", "/c"].map((path) => Effect.delay(Effect.succeed(path), "1 second"))
 *   const exits = yield* Gather.gather(pages, { concurrency: 2 })
 *   const [user, cart] = yield* Gather.gather([Effect.succeed("ada"), Effect.succeed(3)], { mode: "failFast" })
 *   return [exits.filter(Exit.isSuccess).length, user, cart]
 * })
 * ```
 */
export const gather: {
  <const T extends Iterable<AnyEffect>>(
    effects: T,
    options?: { readonly concurrency?: number | undefined; readonly mode?: "collect" | undefined }
  ): Effect.Effect<Exits<T>, never, Effect.Services<Element<T>>>
  <const T extends Iterable<AnyEffect>>(
    effects: T,
    options: { readonly concurrency?: number | undefined; readonly mode: "failFast" }
  ): Effect.Effect<Values<T>, Effect.Error<Element<T>>, Effect.Services<Element<T>>>
} = (effects: Iterable<AnyEffect>, options?: Options): any =>
  Effect.suspend(() => {
    const limit = options?.concurrency ?? Infinity
    if (limit !== Infinity && !(Number.isSafeInteger(limit) && limit >= 1)) {
      throw new RangeError(
        `Gather.gather got the concurrency ${limit}. Expected a whole number, 1 or more, or none to run all at once.`
      )
    }
    const list = Array.from(effects)
    if (list.length === 0) return Effect.succeed([])
    return Effect.withFiber((fiber) => new Gathering(fiber, list, limit, options?.mode === "failFast").run)
  })
