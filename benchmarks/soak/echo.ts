/**
 * Ten thousand connections at once to a server of `Socket.serve`.
 *
 * When to reach for it: `soak.ts echo`.
 * What it is not: a load test. The connections are there at the same time, and each is echoed once.
 */
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import * as Child from "./Child.ts"
import { mebibytes, problemsOf, seconds, type Soak } from "./Soak.ts"

const server = fileURLToPath(new URL("echoServer.ts", import.meta.url))
const client = fileURLToPath(new URL("echoClient.ts", import.meta.url))

/** What the server says about itself, after a garbage collection. */
export interface Measures {
  readonly heap: number
  readonly connections: number
  /** Failures of connections. */
  readonly reports: number
}

/** What the client has seen. */
export interface Echoes {
  readonly right: number
  /** In milliseconds. */
  readonly connecting: number
  readonly echoing: number
}

// Connections to one address differ in the client's port.
const checkPorts = (count: number): void => {
  const [first, last] = readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "latin1").split(/\s+/).map(Number)
  const ports = last! - first! + 1
  if (count + rehearsal <= ports) return
  throw new Error(
    `${count} connections need as many ports of the client, and the system has ${ports}: ask for fewer ` +
      "(--connections), or widen net.ipv4.ip_local_port_range"
  )
}

// Connections of before, so that what is made once, code say, is not counted.
const rehearsal = 500

/** Opens connections, measures while they are open, and closes them. */
const connections = async (port: number, count: number, atPeak: () => Promise<void>): Promise<Echoes> => {
  const child = Child.start(client, [String(port), String(count)], count)
  const echoes = await child.next<Echoes>()
  await atPeak()
  await child.end()
  return echoes
}

export const soak: Soak = async (count) => {
  checkPorts(count)
  const child = Child.start(server, [], count)
  const port = await child.next<number>()
  const measure = async () => ({
    ...await child.ask<Measures>("measure"),
    descriptors: Child.descriptorsOf(child.pid)
  })
  const idle = await measure()
  await connections(port, Math.min(count, rehearsal), () => Promise.resolve())
  await Child.settles(async () => (await child.ask<Measures>("measure")).connections === 0)
  const before = await measure()
  let peak = before
  const echoes = await connections(port, count, async () => {
    peak = await measure()
  })
  await Child.settles(async () => Child.descriptorsOf(child.pid) === before.descriptors)
  const after = await measure()
  const code = await child.end()
  const row = (name: string, { connections, descriptors, heap }: typeof before) => [
    name,
    String(connections),
    String(descriptors),
    mebibytes(heap)
  ]
  const each = (peak.heap - before.heap) / count / 1024
  return {
    title: `echo: ${count} connections at once`,
    header: ["", "connections", "descriptors", "heap"],
    rows: [row("before", before), row("peak", peak), row("after", after)],
    notes: [
      `Connected in ${seconds(echoes.connecting)}, all echoed in ${seconds(echoes.echoing)}; ` +
      `${each.toFixed(1)} KiB of heap for each connection.`
    ],
    problems: problemsOf({
      [`${echoes.right} of ${count} connections were echoed`]: echoes.right === count,
      [`the server had ${peak.connections} of ${count} connections at once`]: peak.connections === count,
      [`${after.connections} connections are left`]: after.connections === 0,
      [`${after.descriptors} descriptors are left of ${before.descriptors}`]: after.descriptors === before.descriptors,
      [`the first ${rehearsal} connections left descriptors: ${before.descriptors} of ${idle.descriptors}`]:
        before.descriptors === idle.descriptors,
      [`a third of the heap of the peak is left`]: after.heap - before.heap < (peak.heap - before.heap) / 3,
      [`${after.reports} failures were reported`]: after.reports === 0,
      [`the server ended with ${code}`]: code === 0
    })
  }
}
