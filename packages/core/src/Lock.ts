/**
 * A lock that one fiber holds at a time, and that always comes back.
 *
 * When to reach for it: two fibers must not be in the same piece of work at once, and that work suspends in between.
 * What it is not: re-entrant, shared between workers, or needed around code that does not suspend.
 *
 * Promises: mutual exclusion; first come, first served; a waiter that is interrupted leaves no trace; a holder that
 * fails or is interrupted releases; a release wakes exactly the next waiter and nobody else.
 *
 * Written for speed, as handlers take locks on every request. The free lock costs one frame and no allocation beyond
 * the effect itself. A release makes the next waiter the holder on the spot, so that nobody can slip in between, and
 * puts its wake-up into the scheduler's line; it is not run inside the release, where a long line would nest as deep as
 * it is long. Before changing this file, measure a hand-over under the worker's scheduler beside Effect's Semaphore under
 * the default one: with 100 waiters it costs a sixth (0.49 of 3.1 µs), with one waiter less than a third (0.46 of 1.6).
 *
 * To limit the wait and not the work, take the lock with a timeout of its own and keep it for a scope:
 * `Effect.scoped(Effect.andThen(Lock.acquire(lock, { timeout: "1 second" }), work))`.
 */
import type * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Impl from "./internal/LockImpl.ts"

/** What marks a lock. */
export const TypeId: typeof Impl.TypeId = Impl.TypeId

/**
 * A lock, free or held by one fiber. Made by `make`.
 *
 * Source: Kore, runtime §10.
 *
 * @example
 * ```ts
 * const program = Effect.gen(function*() {
 *   const lock = yield* Lock.make
 *   yield* Lock.withLock(lock, Effect.log("alone in here"))
 * })
 * ```
 */
export interface Lock {
  readonly [TypeId]: typeof TypeId
}

/**
 * The defect of a fiber that asks for a lock it already holds: it would wait for itself for ever.
 *
 * Only the fiber itself is recognised; a child that waits for its parent's lock while the parent waits for the child
 * does hang.
 */
export class LockReentered extends Data.TaggedError("LockReentered")<{
  /** `lock` and its name, if it has one. */
  readonly lock: string
}> {
  override get message(): string {
    return `A fiber asked for a lock that it holds already (${this.lock}), and would wait for itself for ever. ` +
      "A lock is taken once: pass the locked work on, or take the lock in the outer function only."
  }
}

const reentered = (self: Impl.LockImpl): Effect.Effect<never> =>
  Effect.suspend(() => Effect.die(new LockReentered({ lock: self.label })))

/** `f(lock, effect)` and `f(lock)(effect)`. */
const either =
  (f: (self: Impl.LockImpl, effect: Effect.Effect<any, any, any>) => Effect.Effect<any, any, any>): any =>
  (lock: Lock, effect?: Effect.Effect<unknown, unknown, unknown>) =>
    effect === undefined
      ? (late: Effect.Effect<unknown, unknown, unknown>) => f(lock as Impl.LockImpl, late)
      : f(lock as Impl.LockImpl, effect)

/**
 * Makes a lock. It starts free.
 *
 * @example
 * ```ts
 * const program = Effect.flatMap(Lock.make, (lock) => Lock.withLock(lock, Effect.log("alone in here")))
 * ```
 */
export const make: Effect.Effect<Lock> = Effect.sync(() => new Impl.LockImpl(undefined))

/**
 * Makes a lock with a name, which is for people: `kore-fx ps` shows who waits for `lock ledger`, and who holds it.
 *
 * @example
 * ```ts
 * const program = Effect.flatMap(Lock.makeNamed("ledger"), (lock) => Lock.withLock(lock, Effect.log("alone in here")))
 * ```
 */
export const makeNamed = (name: string): Effect.Effect<Lock> => Effect.sync(() => makeUnsafe({ name }))

/**
 * Makes a lock outside of Effect, for a constant of a module.
 *
 * @example
 * ```ts
 * const ledger = Lock.makeUnsafe({ name: "ledger" })
 * const book = (entry: string) => Lock.withLock(ledger, Effect.log(entry))
 * ```
 */
export const makeUnsafe = (options?: { readonly name?: string | undefined }): Lock => new Impl.LockImpl(options?.name)

/**
 * Runs an effect while holding the lock, waiting for it first in the order of asking, and releases it however the
 * effect ends.
 *
 * Does not suspend when the lock is free. Waiting is interruptible; `Effect.timeout` limits the wait and the work
 * together. Dies with `LockReentered` in the holder itself.
 * Source: Kore, runtime §10 (`async with lock`).
 *
 * @example
 * ```ts
 * const lock = Lock.makeUnsafe()
 * const dataFirst = Lock.withLock(lock, Effect.log("alone in here"))
 * const dataLast = Effect.log("alone in here").pipe(Lock.withLock(lock))
 * ```
 */
export const withLock: {
  (lock: Lock): <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  <A, E, R>(lock: Lock, effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R>
} = either(<A, E, R>(self: Impl.LockImpl, effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> => {
  // The frame goes first and the lock is taken inside of it: a fiber can be made to yield, and be interrupted, between
  // any two steps, and a lock taken before its frame is there would never come back.
  const frame = Effect.onExitPrimitive(
    Effect.withFiber((fiber): Effect.Effect<A, E, R> => {
      if (self.holder !== undefined) return self.wait(fiber, effect)
      self.holder = fiber
      return effect
    }),
    self.leave
  )
  return Effect.withFiber((fiber) => {
    if (self.holder === undefined) return frame
    return self.holder === fiber ? reentered(self) : self.wait(fiber, effect)
  })
})

/**
 * Runs an effect while holding the lock if the lock is free right now, and does nothing if it is not.
 *
 * `Option.none()` says that the lock was held, by this fiber or another. Never suspends for the lock.
 * Source: Kore, runtime §10 (`trylock`).
 *
 * @example
 * ```ts
 * const lock = Lock.makeUnsafe()
 * const program = Effect.map(Lock.withLockIfAvailable(lock, Effect.succeed(1)), Option.getOrElse(() => 0))
 * ```
 */
export const withLockIfAvailable: {
  (lock: Lock): <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<Option.Option<A>, E, R>
  <A, E, R>(lock: Lock, effect: Effect.Effect<A, E, R>): Effect.Effect<Option.Option<A>, E, R>
} = either(<A, E, R>(self: Impl.LockImpl, effect: Effect.Effect<A, E, R>): Effect.Effect<Option.Option<A>, E, R> => {
  const frame = Effect.onExitPrimitive(
    Effect.withFiber((fiber): Effect.Effect<Option.Option<A>, E, R> => {
      if (self.holder !== undefined) return Effect.succeedNone
      self.holder = fiber
      return Effect.asSome(effect)
    }),
    self.leave
  )
  return Effect.suspend(() => self.holder === undefined ? frame : Effect.succeedNone)
})

/**
 * Takes the lock, waiting for it in the order of asking, and keeps it until the scope closes.
 *
 * Waiting is interruptible. `timeout` limits the wait, by the Clock, and fails with Effect's TimeoutError; without it a
 * fiber waits for as long as it takes. Dies with `LockReentered` in the holder itself. `Effect.timeout` limits the wait
 * too, but waits in a fiber of its own, which is the holder then: a second `acquire` would not be recognised.
 * Prefer `withLock`, which ends sooner.
 * Source: Kore, runtime §10 (`acquire` and `release`).
 *
 * @example
 * ```ts
 * const lock = Lock.makeUnsafe()
 * const program = Effect.scoped(Effect.andThen(
 *   Lock.acquire(lock, { timeout: "1 second" }),
 *   Effect.log("alone until the scope closes")
 * ))
 * ```
 */
export const acquire: {
  (lock: Lock): Effect.Effect<void, never, Scope.Scope>
  (lock: Lock, options: { readonly timeout: Duration.Input }): Effect.Effect<void, Cause.TimeoutError, Scope.Scope>
} = (lock: Lock, options?: { readonly timeout: Duration.Input }): any => {
  const self = lock as Impl.LockImpl
  return Effect.uninterruptibleMask((restore) =>
    Effect.flatMap(Effect.scope, (scope) =>
      Effect.withFiber((fiber) => {
        const keep = Scope.addFinalizer(scope, Effect.sync(self.release))
        if (self.holder === fiber) return reentered(self)
        if (self.holder !== undefined) {
          const taken = self.waitToKeep(fiber, restore, options?.timeout)
          return Effect.flatMap(taken, () => keep)
        }
        self.holder = fiber
        return keep
      }))
  )
}

/**
 * Takes the lock until the scope closes if it is free right now; tells whether it did.
 *
 * Never suspends for the lock. Source: Kore, runtime §10 (`trylock`).
 *
 * @example
 * ```ts
 * const lock = Lock.makeUnsafe()
 * const program = Effect.scoped(Effect.gen(function*() {
 *   if (yield* Lock.acquireIfAvailable(lock)) yield* Effect.log("alone until the scope closes")
 * }))
 * ```
 */
export const acquireIfAvailable = (lock: Lock): Effect.Effect<boolean, never, Scope.Scope> => {
  const self = lock as Impl.LockImpl
  return Effect.uninterruptible(Effect.flatMap(Effect.scope, (scope) =>
    Effect.withFiber((fiber) => {
      if (self.holder !== undefined) return Effect.succeed(false)
      self.holder = fiber
      return Effect.as(Scope.addFinalizer(scope, Effect.sync(self.release)), true)
    })))
}

/**
 * The id of the fiber that holds the lock, for logs and dashboards. It may have changed before you look at it.
 *
 * @example
 * ```ts
 * const isFree = Effect.map(Lock.holder(Lock.makeUnsafe()), Option.isNone)
 * ```
 */
export const holder = (lock: Lock): Effect.Effect<Option.Option<number>> =>
  Effect.sync(() => Option.map(Option.fromUndefinedOr((lock as Impl.LockImpl).holder), (fiber) => fiber.id))

/**
 * How many fibers wait for the lock, for logs and dashboards.
 *
 * @example
 * ```ts
 * const program = Effect.flatMap(Lock.waiting(Lock.makeUnsafe()), (count) => Effect.log("waiting", count))
 * ```
 */
export const waiting = (lock: Lock): Effect.Effect<number> => Effect.sync(() => (lock as Impl.LockImpl).line.length)
