/**
 * What the runtime benchmark measures, as types; `scenarios.ts` has the data.
 *
 * When to reach for it: to add a scenario or a goal.
 * What it is not: the work itself. Each peer has that in its file in `peers/`.
 */

/** What is measured of one peer: nanoseconds or bytes of one operation. */
export type Quantity = "cpu" | "wall" | "bytes"

/** One operation that is measured. */
export interface Case {
  readonly name: string
  readonly title: string
  /** It is measured by a multiple of so many operations. */
  readonly operations: number
  /** What Kore took for something alike, elsewhere and another time: nanoseconds of wall time, or bytes. */
  readonly recorded?: number
  /** What it was in Kore. */
  readonly recordedAs?: string
}

/** What a figure of kore-fx should be: absolute, or beside another peer's. */
export interface Goal {
  readonly case: string
  readonly quantity: Quantity
  /** Without one the goal is absolute. */
  readonly beside?: string
  readonly atMost: number
  readonly text: string
}

/** A peer in a scenario. */
export interface Peer {
  /** Also the name of its file. */
  readonly name: string
  readonly title: string
  /** The npm package whose version belongs to its results; without one, Node's own. */
  readonly package?: string
}

/** Cases that are measured and shown together. */
export interface Scenario {
  readonly name: string
  readonly title: string
  /** The first is what the others are compared to; they are compared to Effect's defaults too. */
  readonly peers: ReadonlyArray<Peer>
  readonly cases: ReadonlyArray<Case>
  readonly goals: ReadonlyArray<Goal>
  /** How many tasks are parked. All cases are then taken from one process, which parks them and ends them again. */
  readonly parked?: number
  /** False for one that only runs when it is asked for by name. */
  readonly standard: boolean
  /** Rounds when nobody says how many. */
  readonly rounds: number
  /** Further arguments of Node for the processes of all peers. */
  readonly nodeArgs: ReadonlyArray<string>
}
