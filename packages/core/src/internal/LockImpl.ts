/**
 * The state of a lock and the three ways to leave it.
 *
 * When to reach for it: only through `Lock`, which says what is promised.
 * What it is not: public. Nothing here protects itself from being interrupted; `Lock` puts it into frames that do.
 */
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type * as Option from "effect/Option"
import * as WaitLine from "./WaitLine.ts"

type AnyFiber = Fiber.Fiber<unknown, unknown>

export const TypeId = "~@kore-fx/core/Lock"

class Waiter extends WaitLine.Waiter {
  readonly wake: () => void
  constructor(fiber: AnyFiber, wake: () => void) {
    super(fiber)
    this.wake = wake
  }
}

export class LockImpl {
  readonly [TypeId]: typeof TypeId = TypeId
  readonly line = new WaitLine.WaitLine<Waiter>()
  /** Whose turn it is. A waiter becomes the holder when it is called, before it runs again. */
  holder: AnyFiber | undefined = undefined

  readonly release = (): void => {
    const next = this.line.call()
    this.holder = next?.fiber
    next?.fiber.currentDispatcher.scheduleTask(next.wake, 0)
  }

  /** Joins the line; `granted` runs in the waiting fiber once it holds the lock. */
  wait<A, E, R>(fiber: AnyFiber, granted: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> {
    return Effect.callback<A, E, R>((resume) => {
      // Between asking and waiting the fiber may have used up its operations and yielded.
      if (this.holder === undefined) {
        this.holder = fiber
        return resume(granted)
      }
      const waiter = new Waiter(fiber, () => resume(granted))
      this.line.join(waiter)
      return Effect.sync(() => {
        if (waiter.waits) this.line.leave(waiter)
      })
    })
  }

  /** As `wait`, for a fiber that is uninterruptible and puts the release into a scope next. */
  waitToKeep(fiber: AnyFiber, restore: <A>(effect: Effect.Effect<A>) => Effect.Effect<A>): Effect.Effect<void> {
    return Effect.onExitPrimitive(restore(this.wait(fiber, Effect.void)), this.giveUp)
  }

  private readonly giveUp = (exit: Exit.Exit<void>): undefined => {
    if (exit._tag === "Failure" && this.holder === Fiber.getCurrent()) this.release()
    return undefined
  }

  /** The exit of a frame that surrounds both taking the lock and the work. */
  readonly leave = (exit: Exit.Exit<unknown, unknown>): undefined => {
    // Work that succeeded held the lock. Otherwise the fiber may have been interrupted before its turn came, or after
    // it was made the holder and before it ran.
    if (exit._tag === "Success" || this.holder === Fiber.getCurrent()) this.release()
    return undefined
  }

  readonly leaveOptional = (exit: Exit.Exit<Option.Option<unknown>, unknown>): undefined => {
    if (exit._tag === "Success" ? exit.value._tag === "Some" : this.holder === Fiber.getCurrent()) this.release()
    return undefined
  }
}
