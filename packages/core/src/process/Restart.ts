/**
 * When to start a worker again after it died: the policy of `Supervisor`, as a function over its deaths.
 *
 * When to reach for it: through `Supervisor` only; it is apart so that it can be read and tested without processes.
 * What it is not: about a worker that was told to stop. Kore: http §14.5 and §22 A19.
 */
import * as Duration from "effect/Duration"
import type * as Config from "../Config.ts"

/** The wait before the second restart in a row, in milliseconds; it doubles with every one that follows. */
export const firstDelay = 100

/** The longest wait before a restart, in milliseconds. */
export const longestDelay = 5_000

/** A worker that was ready for so long, in milliseconds, has recovered: the next restart is at once again. */
export const recovery = 10_000

/** What is remembered of one worker's deaths. */
export interface History {
  /** When they happened, in milliseconds; only those that still count. */
  readonly deaths: ReadonlyArray<number>
  /** Deaths in a row, without a recovery in between. */
  readonly streak: number
}

/** No deaths yet. */
export const none: History = { deaths: [], streak: 0 }

/** Adds a death at `now` of a worker that was ready for `uptime`, both in milliseconds. */
export const add = (history: History, now: number, uptime: number, config: Config.Config): History => {
  const period = Duration.toMillis(config.workerRestartPeriod)
  return {
    deaths: [...history.deaths.filter((death) => now - death < period), now],
    streak: uptime >= recovery ? 1 : history.streak + 1
  }
}

/** Tells whether the worker died too often: more than `workerRestartLimit` times within `workerRestartPeriod`. */
export const isExhausted = (history: History, config: Config.Config): boolean =>
  history.deaths.length > config.workerRestartLimit

/** How long to wait before the next start: not at all, then from 100 ms doubling to 5 seconds. */
export const delay = (history: History): Duration.Duration =>
  Duration.millis(history.streak <= 1 ? 0 : Math.min(firstDelay * 2 ** (history.streak - 2), longestDelay))
