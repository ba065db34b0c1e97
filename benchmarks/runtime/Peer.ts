/**
 * What a peer of the runtime benchmark brings.
 *
 * When to reach for it: to add a peer, write `peers/<name>.ts` with these exports and list it in `scenarios.ts`.
 * What it is not: the measurement, which is in `sample.ts`. A peer only does the work and counts it.
 */

/**
 * Does so many operations and resolves, once all of them are done, with how many it saw to have been done right.
 *
 * The loop around them is what a user would write: `yield*` in an `Effect.gen`, `await` in an async function.
 */
export type Work = (operations: number) => Promise<number>

/** Tasks that all wait for an hour. */
export interface Parking {
  /** Starts so many; resolves when every one of them is suspended. */
  readonly park: (tasks: number) => Promise<void>
  /** Ends the newest of those that are left, so many times, and each time waits for its end. */
  readonly killNewest: (times: number) => Promise<void>
  /** Ends all that are left and waits for their end. */
  readonly cancelAll: () => Promise<void>
  /** How many have been suspended and have ended. Asked when nothing is measured. */
  readonly counts: () => Promise<{ readonly suspended: number; readonly ended: number }>
}

/** The file of a peer. */
export interface Peer {
  /** By `scenario/case`. */
  readonly works: Readonly<Record<string, Work>>
  readonly parking?: () => Parking
}
