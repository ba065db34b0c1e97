/**
 * The load: something that sends a scenario's request as fast as it is answered, and counts the answers.
 *
 * When to reach for it: `choose` gives `wrk` where it is installed, and the built-in generator elsewhere.
 * What it is not: the same everywhere. Each result says which one was used; they are not comparable with each other.
 */
import type { Scenario } from "../scenarios/Scenario.ts"
import * as Builtin from "./builtin.ts"
import * as Wrk from "./wrk.ts"

/** What a load measured. */
export interface Measured {
  /** Complete answers. */
  readonly requests: number
  readonly seconds: number
  /** Answers with another status than 200, and broken connections. */
  readonly errors: number
  /** Microseconds within which half and 99 % of the answers came, where the generator tells. */
  readonly latency?: { readonly p50: number; readonly p99: number }
}

/** A load generator. */
export interface Load {
  readonly name: string
  readonly version: string
  /** Sends to 127.0.0.1 from a process of its own. */
  readonly run: (port: number, scenario: Scenario, seconds: number) => Promise<Measured>
}

/** The generator of this name, or the best there is. Throws when `wrk` was asked for and is not there. */
export const choose = (name: string | undefined): Load => {
  if (name !== undefined && name !== "wrk" && name !== "builtin") {
    throw new Error(`there is no load generator "${name}": expected wrk, builtin`)
  }
  const wrk = name === "builtin" ? undefined : Wrk.find()
  if (wrk === undefined && name === "wrk") throw new Error("wrk is not on PATH: install it, or say --load builtin")
  return wrk ?? Builtin.load
}
