/**
 * Waiting for time to pass.
 *
 * When to reach for it: a fiber has to pause, or to let everything else go first.
 * What it is not: a timer that repeats (`Timer`), or a limit on something that takes time (`Effect.timeout`).
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
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
  return Clock.clockWith((clock) => sleepUntil(clock, now(clock) + millis, millis))
}

// --- private ---------------------------------------------------------------------------------------------------------

/** Milliseconds that only ever go forward. */
const now = (clock: Clock.Clock): number => Number(clock.monotonicTimeNanosUnsafe()) / 1_000_000

// What a Clock of floating-point milliseconds may be off by.
const precision = 0.001

// Node's timers count from the start of a millisecond: 1 in 60 fires up to a millisecond early.
const sleepUntil = (clock: Clock.Clock, due: number, millis: number): Effect.Effect<void> =>
  Effect.flatMap(clock.sleep(Duration.millis(millis)), () => {
    const left = due - now(clock)
    return left <= precision ? Effect.void : sleepUntil(clock, due, Math.ceil(left))
  })
