/**
 * `node benchmarks/profile.ts --peer kore-fx --scenario typed`: where the CPU of one peer goes.
 *
 * When to reach for it: a figure of `pnpm benchmark` is too high and the question is why.
 * What it is not: a measurement. The profiler costs a tenth to a third of the time that it looks at.
 */
import { mkdirSync, readdirSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import * as CpuProfile from "./harness/CpuProfile.ts"
import * as Load from "./harness/Load.ts"
import { cpuOf } from "./harness/Process.ts"
import * as Server from "./harness/Server.ts"
import { markdown } from "./harness/Table.ts"
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

const peer = peers.find(({ name }) => name === values.peer)
if (peer === undefined) throw new Error(`there is no peer "${values.peer}"`)
const scenario = byName(values.scenario)
const folder = fileURLToPath(new URL(".profiles", import.meta.url))
mkdirSync(folder, { recursive: true })

const load = Load.choose(undefined)
const server = await Server.start(peer, scenario, [
  "--cpu-prof",
  `--cpu-prof-dir=${folder}`,
  "--cpu-prof-interval=250"
])
await load.run(server.port, scenario, 2)
const before = cpuOf(server.pid)
const { requests } = await load.run(server.port, scenario, Number(values.duration))
const cpu = (cpuOf(server.pid) - before) / requests
await server.stop()

const file = readdirSync(folder).find((name) => name.includes(`.${server.pid}.`))
if (file === undefined) throw new Error("the server left no profile")
const entries = CpuProfile.read(`${folder}/${file}`)

const micros = (part: number): string => (part * cpu).toFixed(2)
const percent = (part: number): string => `${(part * 100).toFixed(1)} %`

const owners = new Map<string, number>()
for (const { owner, self } of entries) owners.set(owner, (owners.get(owner) ?? 0) + self)

console.log(`${peer.title}, ${scenario.name}: ${cpu.toFixed(2)} µs a request while profiled; ${folder}/${file}\n`)
console.log(markdown(
  ["owner", "self µs", ""],
  [...owners].toSorted(([, a], [, b]) => b - a).map(([owner, self]) => [owner, micros(self), percent(self)])
))

const top = (key: "self" | "total", entries: ReadonlyArray<CpuProfile.Entry>): string =>
  markdown(
    ["function", `${key} µs`, ""],
    entries.toSorted((a, b) => b[key] - a[key])
      .slice(0, Number(values.top))
      .map((entry) => [entry.name, micros(entry[key]), percent(entry[key])])
  )

console.log(`\nMost time in themselves:\n\n${top("self", entries)}`)
console.log(
  `\nOurs, with what they call:\n\n${top("total", entries.filter(({ owner }) => owner.startsWith("packages/")))}`
)
