/**
 * One sample: a fresh process that does the work of one peer and says what it cost.
 *
 * When to reach for it: `runtime.ts` takes one of every peer in every round.
 * What it is not: a statement. One sample says little; see `Statistics`.
 */
import { fileURLToPath } from "node:url"
import * as Process from "../harness/Process.ts"
import type { Quantity, Scenario } from "./Scenario.ts"

/** What one operation of a case cost: nanoseconds of CPU (user and system, of all threads) and of wall time, or bytes. */
export type Cost = { readonly [Q in Quantity]?: number } & {
  readonly case: string
  /** How many were measured. */
  readonly operations: number
}

/** What one sample measured. */
export type Sample = Cost & {
  readonly peer: string
  readonly round: number
}

/** How long to work, in seconds. */
export interface Times {
  readonly warmup: number
  readonly duration: number
}

const file = fileURLToPath(new URL("worker.ts", import.meta.url))

/** What `worker.ts` is told. */
export interface Job extends Times {
  readonly scenario: string
  /** None where all cases come from one process. */
  readonly case: string | undefined
  readonly peer: string
}

/** Measures a case of a scenario, or all that belong together, in a fresh process. Throws when the work is not done right. */
export const costs = async (
  scenario: Scenario,
  job: Job,
  nodeArgs: ReadonlyArray<string> = []
): Promise<{ readonly costs: ReadonlyArray<Cost>; readonly pid: number }> => {
  const args = ["--expose-gc", ...scenario.nodeArgs, ...nodeArgs, file, JSON.stringify(job)]
  const child = Process.start(process.execPath, args, { NODE_ENV: "production" })
  const code = await child.ended
  const line = /^COSTS (.*)$/m.exec(child.output())
  if (code !== 0 || line === null) {
    throw new Error(`${job.peer} in ${job.scenario} ${job.case ?? ""} ended with ${code}:\n${child.output()}`)
  }
  return { costs: JSON.parse(line[1]!) as ReadonlyArray<Cost>, pid: child.pid }
}
