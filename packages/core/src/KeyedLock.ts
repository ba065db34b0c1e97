/**
 * A lock for each key: fibers that work on the same thing do so one after the other, all others at once.
 *
 * When to reach for it: work on one user, one file, one order must not overlap, and there are more of them than one
 * would make locks for.
 * What it is not: a lock over several keys at once (take them in one order, or two fibers wait for each other for ever),
 * or shared between workers.
 *
 * Promises for each key what `Lock` promises: mutual exclusion; first come, first served; a waiter that is interrupted
 * leaves no trace; a holder that fails or is interrupted releases. A key that nobody holds or waits for takes no memory.
 *
 * Keys are equal as in a `Map`: text and numbers by their value, objects when they are the same object. For a key of
 * several parts, make a text of them.
 */
import * as Effect from "effect/Effect"
import type * as Types from "effect/Types"
import * as Impl from "./internal/KeyedLockImpl.ts"
import * as Lock from "./Lock.ts"

/** What marks a keyed lock. */
export const TypeId: typeof Impl.TypeId = Impl.TypeId

/**
 * A lock for each key of `K`. Made by `make`.
 *
 * @example
 * ```ts
 * const program = Effect.gen(function*() {
 *   const accounts: KeyedLock.KeyedLock<number> = yield* KeyedLock.make<number>({ name: "account" })
 *   yield* KeyedLock.withLock(accounts, 7, Effect.log("alone with account 7"))
 * })
 * ```
 */
export interface KeyedLock<in K> {
  readonly [TypeId]: Types.Contravariant<K>
}

/**
 * What `make` may be told.
 *
 * @example
 * ```ts
 * const options: KeyedLock.Options = { name: "account" }
 * ```
 */
export interface Options {
  /** For people: who waits for the key 7 is said to wait for `lock account 7`. */
  readonly name?: string | undefined
}

/**
 * Makes a keyed lock. All keys start free.
 *
 * @example
 * ```ts
 * const program = Effect.flatMap(KeyedLock.make<string>(), (users) =>
 *   KeyedLock.withLock(users, "ada", Effect.log("alone with ada")))
 * ```
 */
export const make = <K>(options?: Options): Effect.Effect<KeyedLock<K>> => Effect.sync(() => makeUnsafe(options))

/**
 * Makes a keyed lock outside of Effect, for a constant of a module.
 *
 * @example
 * ```ts
 * const users = KeyedLock.makeUnsafe<string>({ name: "user" })
 * const rename = (user: string, name: string) => KeyedLock.withLock(users, user, Effect.log("renaming to", name))
 * ```
 */
export const makeUnsafe = <K>(options?: Options): KeyedLock<K> => new Impl.KeyedLockImpl<K>(options?.name)

const impl = <K>(keyed: KeyedLock<K>): Impl.KeyedLockImpl<K> => keyed as Impl.KeyedLockImpl<K>

/**
 * Runs an effect while holding the lock of a key, waiting for it first in the order of asking, and releases it however
 * the effect ends.
 *
 * Does not suspend when the key is free. Waiting is interruptible. A fiber may hold several keys; it dies with
 * `LockReentered` when it asks for one that it holds.
 *
 * @example
 * ```ts
 * const users = KeyedLock.makeUnsafe<string>()
 * const dataFirst = KeyedLock.withLock(users, "ada", Effect.log("alone with ada"))
 * const dataLast = Effect.log("alone with ada").pipe(KeyedLock.withLock(users, "ada"))
 * ```
 */
export const withLock: {
  <K>(keyed: KeyedLock<K>, key: K): <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  <K, A, E, R>(keyed: KeyedLock<K>, key: K, effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R>
} = <K>(
  keyed: KeyedLock<K>,
  key: K,
  effect?: Effect.Effect<any, any, any>
): any =>
  effect === undefined
    ? (late: Effect.Effect<any, any, any>) => holding(impl(keyed), key, late)
    : holding(impl(keyed), key, effect)

/**
 * How many keys are held or waited for, for logs and dashboards.
 *
 * @example
 * ```ts
 * const busy = KeyedLock.size(KeyedLock.makeUnsafe<string>())
 * ```
 */
export const size = <K>(keyed: KeyedLock<K>): Effect.Effect<number> => Effect.sync(() => impl(keyed).size)

// --- private ---------------------------------------------------------------------------------------------------------

const holding = <K, A, E, R>(
  self: Impl.KeyedLockImpl<K>,
  key: K,
  effect: Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> =>
  Effect.suspend(() => {
    let lock: Impl.LockOfKey<K> | undefined
    // The frame goes first: a fiber can be interrupted between any two steps.
    return Effect.onExitPrimitive(
      Effect.suspend(() => {
        lock = self.enter(key)
        return Lock.withLock(lock, effect)
      }),
      () => {
        if (lock !== undefined) self.leave(lock)
        return undefined
      }
    )
  })
