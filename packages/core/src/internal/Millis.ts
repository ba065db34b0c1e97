/**
 * Times in milliseconds, as Node's timers and Effect's Clock have them.
 *
 * When to reach for it: inside core, for whoever waits for a moment.
 * What it is not: public, or a clock.
 */
import type * as Clock from "effect/Clock"

/** The longest that Node's timers can do: 24 days. */
export const longest = 2 ** 31 - 1

/** What a time in floating-point milliseconds may be off by. */
export const precision = 0.001

/** The time of a Clock, from any start. */
export const now = (clock: Clock.Clock): number => Number(clock.monotonicTimeNanosUnsafe()) / 1_000_000

let coarseNow = 0
let isCurrent = false

const expire = (): void => {
  isCurrent = false
}

/**
 * Whole milliseconds of `performance.now()`, looked up once for all that runs before the next microtask: for people
 * who look at lists, where a look at the clock each time would be a tenth of a hand-over.
 */
export const coarse = (): number => {
  if (isCurrent) return coarseNow
  isCurrent = true
  queueMicrotask(expire)
  return coarseNow = Math.trunc(performance.now())
}
