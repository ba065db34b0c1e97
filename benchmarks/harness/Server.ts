/**
 * A peer as a running server: started, ready, proven to answer correctly.
 *
 * When to reach for it: every sample has its own.
 * What it is not: the measurement, which is in `Sample`.
 */
import * as Net from "node:net"
import { fileURLToPath } from "node:url"
import type { Peer } from "../peers/peers.ts"
import type { Scenario } from "../scenarios/Scenario.ts"
import { type Answer, contentOf, exchange } from "./Exchange.ts"
import * as Process from "./Process.ts"

/** A server that answers. */
export interface Server {
  readonly port: number
  /** The process whose CPU is measured: the one that serves. */
  readonly pid: number
  /** Its parent, where there is one. */
  readonly parent: number | undefined
  /** Its first answer. */
  readonly answer: Answer
  readonly stop: () => Promise<void>
}

const STARTUP = 15_000

/** A port that nobody listens on now. */
export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const probe = Net.createServer()
    probe.on("error", reject)
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address() as Net.AddressInfo
      probe.close(() => resolve(port))
    })
  })

const sleep = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))

const mediaType = (contentType: string | undefined): string => (contentType ?? "").split(";", 1)[0]!

const complaint = (scenario: Scenario, answer: Answer): string | undefined => {
  const { body, fields, status } = answer
  if (status !== 200) return `status ${status}, body ${body}`
  const coding = fields.get("content-encoding")
  if (coding !== scenario.coding) return `the content encoding ${coding}`
  // What is encoded while it is sent has no length before; the load must be one that can do without.
  if (coding === undefined && !fields.has("content-length")) return "no content-length"
  if (contentOf(answer) !== scenario.body) return `another body: ${body.slice(0, 1000)}`
  const type = fields.get("content-type")
  return mediaType(type) === mediaType(scenario.contentType) ? undefined : `another content type: ${type}`
}

const firstAnswer = async (port: number, scenario: Scenario, process: Process.Process): Promise<Answer> => {
  const deadline = Date.now() + STARTUP
  while (true) {
    try {
      return await exchange(port, scenario.request)
    } catch (error) {
      if (process.hasEnded() || Date.now() > deadline) throw error
      await sleep(25)
    }
  }
}

/**
 * Starts a peer in a fresh process and checks its answers.
 *
 * Throws when it does not start, answers something else than the scenario says, or takes an invalid request for valid.
 */
export const start = async (peer: Peer, scenario: Scenario, nodeArgs: ReadonlyArray<string> = []): Promise<Server> => {
  const port = await freePort()
  const file = fileURLToPath(new URL(`../peers/${peer.name}.ts`, import.meta.url))
  const child = Process.start(process.execPath, [...nodeArgs, file], {
    NODE_ENV: "production",
    PORT: String(port),
    SCENARIO: scenario.name
  })
  try {
    const answer = await firstAnswer(port, scenario, child)
    const wrong = complaint(scenario, answer)
    if (wrong !== undefined) throw new Error(wrong)
    if (peer.validates && scenario.invalid !== undefined) {
      const { status } = await exchange(port, scenario.invalid)
      if (status < 400 || status > 499) throw new Error(`status ${status} for an invalid request`)
    }
    const worker = peer.hasWorker ? Process.childrenOf(child.pid)[0] : undefined
    if (peer.hasWorker && worker === undefined) throw new Error("it has no worker process")
    return {
      port,
      pid: worker ?? child.pid,
      parent: worker === undefined ? undefined : child.pid,
      answer,
      stop: child.stop
    }
  } catch (error) {
    await child.stop()
    throw new Error(`${peer.name} in scenario ${scenario.name}: ${(error as Error).message}\n${child.output()}`)
  }
}
