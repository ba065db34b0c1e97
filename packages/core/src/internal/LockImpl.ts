/**
 * The state of a lock, and a fiber that waits for it.
 *
 * When to reach for it: only through `Lock` and `KeyedLock`, which say what is promised.
 * What it is not: public. Nothing here protects itself from being interrupted; `Lock` puts it into frames that do.
 */
import type * as Cause from "effect/Cause"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as TurnsImpl from "./TurnsImpl.ts"
import * as WaitLine from "./WaitLine.ts"
import type * as WaitList from "./WaitList.ts"

type AnyFiber = Fiber.Fiber<unknown, unknown>

export const TypeId = "~@kore-fx/core/Lock"

/** One fiber on its way to the lock. What it does once it holds the lock is the effect `granted`. */
class Waiter<A, E, R> extends WaitLine.Waiter {
  private readonly lock: LockImpl
  private readonly granted: Effect.Effect<A, E, R>
  private resume: WaitLine.Resume<A, E, R> | undefined = undefined

  constructor(fiber: AnyFiber, lock: LockImpl, granted: Effect.Effect<A, E, R>) {
    super(fiber)
    this.lock = lock
    this.granted = granted
  }

  /** Registers with `Effect.callback`. */
  readonly ask = (resume: WaitLine.Resume<A, E, R>): undefined => {
    // Between seeing that the lock is held and waiting for it, the fiber may have used up its operations and yielded.
    if (this.lock.holder === undefined) {
      this.lock.holder = this.fiber
      resume(this.granted)
      return undefined
    }
    this.resume = resume
    this.lock.line.join(this)
    return undefined
  }

  readonly wake = (): void => this.resume!(this.granted)

  /** Gives up the place in the line, or the lock. */
  readonly leave = (): undefined => {
    if (this.waits) this.lock.line.leave(this)
    else this.lock.leave()
    return undefined
  }

  /** Ends the wait after so long, unless it has ended before. */
  timeOut(after: Duration.Input): Effect.Effect<void> {
    return Effect.andThen(
      Effect.sleep(after),
      Effect.sync(() => {
        if (!this.waits) return
        this.lock.line.leave(this)
        this.resume!(Effect.fail(this.lock.timeoutError(after)) as Effect.Effect<any, any>)
      })
    )
  }

  readonly leaveOnFailure = (exit: Exit.Exit<A, E>): undefined => {
    if (exit._tag === "Failure") this.leave()
    return undefined
  }

  describe(): WaitList.Description {
    return { kind: "lock", what: `${this.lock.label}, held by fiber ${this.lock.holder?.id}` }
  }
}

export class LockImpl {
  readonly [TypeId]: typeof TypeId = TypeId
  readonly line = new WaitLine.WaitLine<Waiter<any, any, any>>()
  /** Whose turn it is. A waiter becomes the holder when it is called, before it runs again. */
  holder: AnyFiber | undefined = undefined
  private readonly name: string | undefined

  constructor(name: string | undefined) {
    this.name = name
  }

  /** For people. */
  get label(): string {
    return this.name === undefined ? "lock" : `lock ${this.name}`
  }

  readonly release = (): void => {
    const next = this.line.call()
    this.holder = next?.fiber
    if (next !== undefined) WaitLine.schedule(next)
  }

  /** Releases if this fiber holds the lock. It may have been interrupted before its turn came. */
  readonly leave = (): undefined => {
    if (this.holder === Fiber.getCurrent()) this.release()
    return undefined
  }

  /** Waits for the lock, runs an effect while holding it, and releases it. */
  wait<A, E, R>(fiber: AnyFiber, granted: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> {
    const waiter = new Waiter(fiber, this, granted)
    return Effect.onExitPrimitive(Effect.callback(waiter.ask), waiter.leave)
  }

  /** Waits for the lock and keeps it, in a fiber that is uninterruptible and puts the release into a scope next. */
  waitToKeep(
    fiber: AnyFiber,
    restore: <A, E>(effect: Effect.Effect<A, E>) => Effect.Effect<A, E>,
    timeout: Duration.Input | undefined
  ): Effect.Effect<void, Cause.TimeoutError> {
    const waiter = new Waiter<void, Cause.TimeoutError, never>(fiber, this, Effect.void)
    const wait = Effect.onExitPrimitive(restore(Effect.callback(waiter.ask)), waiter.leaveOnFailure)
    if (timeout === undefined) return wait
    // Only the timer runs in another fiber: whoever asks has to be the holder.
    return Effect.acquireUseRelease(
      Effect.forkChild(waiter.timeOut(timeout), { startImmediately: true }),
      () => wait,
      (timer) => Fiber.interrupt(timer)
    )
  }

  timeoutError(after: Duration.Input): Cause.TimeoutError {
    const advice = "Nothing is lost: ask again, give it more time, or hold it for less."
    const held = `It is held by fiber ${this.holder?.id}.`
    return TurnsImpl.timeoutError(`The wait for ${this.label}`, after, `${held} ${advice}`)
  }
}
