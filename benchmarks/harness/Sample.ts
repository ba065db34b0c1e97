/**
 * One sample: a fresh server, warmed up, under load for a while.
 *
 * When to reach for it: `main.ts` takes one of every peer in every round.
 * What it is not: a statement. One sample says little; see `Statistics`.
 */
import type { Peer } from "../peers/peers.ts"
import type { Scenario } from "../scenarios/Scenario.ts"
import type { Load } from "./Load.ts"
import { cpuOf } from "./Process.ts"
import * as Server from "./Server.ts"

/** What one sample measured. */
export interface Sample {
  readonly peer: string
  readonly round: number
  /** Complete answers and the time they took in seconds. */
  readonly requests: number
  readonly seconds: number
  readonly errors: number
  /** CPU microseconds of the process that serves, user and system of all its threads, for one request. */
  readonly cpu: number
  /** The same of its parent process, where there is one. */
  readonly parentCpu: number | undefined
  /** Requests per second. */
  readonly throughput: number
  readonly latency: { readonly p50: number; readonly p99: number } | undefined
  /** Bytes of one answer. */
  readonly bytes: number
}

/** How long to load, in whole seconds. */
export interface Times {
  readonly warmup: number
  readonly duration: number
}

/** Takes a sample. Throws when the peer does not answer as it should. */
export const take = async (
  peer: Peer,
  scenario: Scenario,
  load: Load,
  times: Times,
  round: number
): Promise<Sample> => {
  const server = await Server.start(peer, scenario)
  try {
    await load.run(server.port, scenario, times.warmup)
    const before = cpuOf(server.pid)
    const parentBefore = server.parent === undefined ? undefined : cpuOf(server.parent)
    const { errors, latency, requests, seconds } = await load.run(server.port, scenario, times.duration)
    const used = cpuOf(server.pid) - before
    const parentUsed = parentBefore === undefined ? undefined : cpuOf(server.parent!) - parentBefore
    if (requests === 0) throw new Error(`${peer.name} answered nothing in scenario ${scenario.name}`)
    return {
      peer: peer.name,
      round,
      requests,
      seconds,
      errors,
      cpu: used / requests,
      parentCpu: parentUsed === undefined ? undefined : parentUsed / requests,
      throughput: requests / seconds,
      latency,
      bytes: server.answer.bytes
    }
  } finally {
    await server.stop()
  }
}
