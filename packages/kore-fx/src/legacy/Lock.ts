/**
 * `kore.lock`: one coroutine at a time.
 *
 * When to reach for it: two coroutines must not be in the same piece of work at once, and that work waits in between.
 * What it is not: re-entrant, or shared between workers. Source: Kore, runtime §10.
 */
import * as CoreLock from "@kore-fx/core/Lock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import { Awaitable } from "./Awaitable.ts"
import { check, type Coroutine } from "./Coroutine.ts"
import { RuntimeError } from "./errors.ts"
import { services } from "./internal/Registry.ts"
import * as Run from "./internal/Run.ts"

/** A lock that is held; leaving an `await using` block releases it. */
export interface Held extends Disposable, AsyncDisposable {}

/** A lock. Made by `kore.lock`. */
export interface Lock {
  /**
   * Takes the lock, waiting for it in the order of asking.
   *
   * Held until `release`, until an `await using` block ends, or at the latest until the coroutine ends. Fails with
   * RuntimeError in the coroutine that holds it already.
   */
  readonly acquire: () => Awaitable<Held>
  /**
   * Lets the next waiter in.
   *
   * @throws RuntimeError when the lock is free or another coroutine holds it.
   */
  readonly release: () => void
  /** Takes the lock if it is free right now, and tells whether it did. */
  readonly trylock: () => boolean
  /** Runs a coroutine while holding the lock, and releases it however that ends. */
  readonly with: <A>(coroutine: Coroutine<A>) => Awaitable<A>
}

/**
 * Makes a lock. It starts free.
 *
 * @example
 * ```ts
 * import { kore } from "kore-fx/legacy"
 *
 * const lock = kore.lock()
 *
 * const one_at_a_time = async (req: kore.Request) => {
 *   await using _ = await lock.acquire()
 *   await kore.suspend(100)
 *   req.response(200, "ok")
 * }
 * ```
 */
export const lock = (): Lock => new LockImpl()

// Who holds it, and the scope whose end releases it.
interface Holder {
  readonly run: Run.Run | undefined
  readonly scope: Scope.Closeable
}

class LockImpl implements Lock {
  private readonly core = CoreLock.makeUnsafe()
  private holder: Holder | undefined = undefined

  // The lock is held by a scope of its own, which is part of the coroutine's: should that end without a word, it comes
  // back.
  private readonly taken: Effect.Effect<Held, RuntimeError> = Effect.withFiber((fiber) => {
    const run = Run.ofFiber(fiber)
    // An `async` function awaits each step in a fiber of its own, so who asks twice is told here and not by core.
    if (run !== undefined && this.holder?.run === run) return Effect.fail(reentered())
    return Effect.uninterruptibleMask((restore) =>
      Effect.gen({ self: this }, function*() {
        const scope = yield* Scope.fork(scopeOf(fiber.context))
        yield* Effect.onError(
          restore(Scope.provide(CoreLock.acquire(this.core), scope)),
          () => Scope.close(scope, Exit.void)
        )
        return yield* this.hold({ run, scope })
      })
    )
  })

  private hold(holder: Holder): Effect.Effect<Held> {
    this.holder = holder
    const dispose = () => Effect.runSync(Scope.close(holder.scope, Exit.void))
    const forget = Effect.sync(() => {
      if (this.holder === holder) this.holder = undefined
    })
    return Effect.as(Scope.addFinalizer(holder.scope, forget), {
      [Symbol.dispose]: dispose,
      [Symbol.asyncDispose]: async () => dispose()
    })
  }

  readonly acquire = (): Awaitable<Held> => new Awaitable(this.taken)

  readonly release = (): void => {
    const { holder } = this
    if (holder === undefined) throw new RuntimeError("lock.release of a lock that is free")
    if (holder.run !== Run.current()?.root) {
      throw new RuntimeError("lock.release of a lock that another coroutine holds")
    }
    Effect.runSync(Scope.close(holder.scope, Exit.void))
  }

  readonly trylock = (): boolean => {
    const run = Run.current()?.root
    return Run.now(Effect.gen({ self: this }, function*() {
      const scope = yield* Scope.fork(scopeOf(Run.context()))
      const isTaken = yield* Scope.provide(CoreLock.acquireIfAvailable(this.core), scope)
      yield* isTaken ? this.hold({ run, scope }) : Scope.close(scope, Exit.void)
      return isTaken
    }))
  }

  readonly with = <A>(coroutine: Coroutine<A>): Awaitable<A> => {
    check("lock.with", coroutine)
    return new Awaitable(
      Effect.scoped(Effect.andThen(this.taken, Run.startWithin(coroutine))) as Effect.Effect<A, RuntimeError>
    )
  }
}

const scopeOf = (context: Context.Context<never>): Scope.Scope =>
  Option.getOrElse(Context.getOption(context, Scope.Scope), () => Context.get(services(), Scope.Scope))

const reentered = (): RuntimeError =>
  new RuntimeError("a coroutine asked for a lock that it holds already, and would wait for itself for ever")
