/**
 * Waiting for time to pass.
 *
 * When to reach for it: a fiber has to pause, or to let everything else go first.
 * What it is not: a timer that repeats (`Timer`), or a limit on something that takes time (`Effect.timeout`).
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Deadlines from "./internal/Deadlines.ts"
import * as Millis from "./internal/Millis.ts"
import * as Scheduler from "./Scheduler.ts"

/**
 * Suspends the fiber for at least the duration, by the Clock.
 *
 * Whole milliseconds: a fraction is rounded up. 0 or less waits for one turn of the event loop (`Scheduler.turn`), an
 * infinite duration for ever. Interruptible; never fails. Equal durations end in the order in which they began.
 * Source: Kore, runtime §8.
 *
 * @example
 * ```ts
 * const pause = Suspend.suspend("50 millis")
 * const letOthersGo = Suspend.suspend(0)
 * ```
 */
export const suspend = (duration: Duration.Input): Effect.Effect<void> => {
  const millis = Math.ceil(Duration.toMillis(Duration.fromInputUnsafe(duration)))
  if (millis <= 0) return Scheduler.turn
  if (millis === Infinity) return Effect.never
  return Effect.callback((resume) => {
    const fiber = Fiber.getCurrent()!
    const clock = fiber.getRef(Clock.Clock)
    if (clock !== systemClock) return resume(sleepBy(clock, millis))
    // By the system's Clock: half the memory of `Clock.sleep`, and less of the time.
    const wait = new Deadlines.Wait(fiber, millis, resume)
    Deadlines.join(wait)
    return wait
  })
}

// --- private ---------------------------------------------------------------------------------------------------------

const systemClock = Context.get(Context.empty(), Clock.Clock)

/** By a Clock of somebody's own, that of a test say, which may be early as well. */
const sleepBy = (clock: Clock.Clock, millis: number): Effect.Effect<void> => {
  const due = Millis.now(clock) + millis
  const sleepOn = (left: number): Effect.Effect<void> =>
    left <= Millis.precision
      ? Effect.void
      : Effect.flatMap(clock.sleep(Duration.millis(Math.ceil(left - Millis.precision))),
        () => sleepOn(due - Millis.now(clock)))
  return sleepOn(millis)
}
