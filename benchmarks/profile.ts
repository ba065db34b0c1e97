/**
 * `node benchmarks/profile.ts --peer kore-fx --scenario typed`: where the CPU of one peer goes.
 *
 * When to reach for it: a figure of `pnpm benchmark` is too high and the question is why.
 * What it is not: a measurement. The profiler costs a tenth to a third of the time that it looks at.
 */
import { parseArgs } from "node:util"
import * as Arguments from "./harness/Arguments.ts"
import * as CpuProfile from "./harness/CpuProfile.ts"
import * as Load from "./harness/Load.ts"
import { cpuOf } from "./harness/Process.ts"
import * as Server from "./harness/Server.ts"
import { peers } from "./peers/peers.ts"
import { byName } from "./scenarios/byName.ts"

const { values } = parseArgs({
  options: {
    peer: { type: "string", default: "kore-fx" },
    scenario: { type: "string", default: "hello" },
    duration: { type: "string", default: "10" },
    top: { type: "string", default: "40" }
  }
})

const peer = Arguments.named("peer", peers, values.peer)
const scenario = byName(values.scenario)
const load = Load.choose(undefined)
const server = await Server.start(peer, scenario, CpuProfile.nodeArgs())
await load.run(server.port, scenario, 2)
const before = cpuOf(server.pid)
const { requests } = await load.run(server.port, scenario, Number(values.duration))
const cpu = (cpuOf(server.pid) - before) / requests
await server.stop()

const file = CpuProfile.fileOf(server.pid)
const entries = CpuProfile.read(file)

console.log(`${peer.title}, ${scenario.name}: ${cpu.toFixed(2)} µs a request while profiled; ${file}\n`)
console.log(CpuProfile.report(entries, { cost: cpu, unit: "µs", digits: 2, top: Number(values.top) }))
