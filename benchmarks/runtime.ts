/**
 * `pnpm benchmark:runtime`: tasks, suspension, locks, queues and gather of kore-fx beside Promises and Effect.
 *
 * When to reach for it: to know what a primitive costs, before and after a change.
 * What it is not: a test. It fails when a peer does not do its work, never because a goal is missed.
 *
 * Every round takes one sample of every peer, each in a fresh process that runs nothing but one case of that peer.
 */
import * as CpuProfile from "./harness/CpuProfile.ts"
import * as Machine from "./harness/Machine.ts"
import * as Results from "./harness/Results.ts"
import * as Rounds from "./harness/Rounds.ts"
import * as Options from "./runtime/Options.ts"
import * as Sample from "./runtime/Sample.ts"
import type { Scenario } from "./runtime/Scenario.ts"
import * as Summary from "./runtime/Summary.ts"

/** What a process measures: one case, or all where they belong together. */
const parts = (scenario: Scenario): ReadonlyArray<string | undefined> =>
  scenario.parked === undefined ? scenario.cases.map(({ name }) => name) : [undefined]

const measure = async (scenario: Scenario, { isQuick, rounds = scenario.rounds, times }: Options.Options) => {
  const loadBefore = Machine.loadAverage()
  const samples: Array<Sample.Sample> = []
  for (const part of parts(scenario)) {
    const taken = await Rounds.take(
      `${scenario.name} ${part ?? ""}`,
      scenario.peers,
      rounds,
      async ({ name }, round): Promise<ReadonlyArray<Sample.Sample>> => {
        const { costs } = await Sample.costs(scenario, { scenario: scenario.name, case: part, peer: name, ...times })
        return costs.map((cost) => ({ peer: name, round, ...cost }))
      }
    )
    samples.push(...taken.flat())
  }
  const summaries = Summary.summarize(scenario, samples)
  const goals = Summary.judge(scenario, samples)
  const file = Results.store(`runtime-${scenario.name}`, isQuick, {
    scenario: scenario.name,
    title: scenario.title,
    date: new Date().toISOString(),
    machine: Machine.machine(),
    versions: Machine.versions(scenario.peers),
    commit: Machine.commit(),
    loadAverage: { before: loadBefore, after: Machine.loadAverage() },
    settings: { rounds, ...times },
    cases: scenario.cases,
    goals,
    summaries,
    samples
  })
  console.log(
    `\n## ${scenario.name}: ${scenario.title}\n\n${Summary.asText(scenario, summaries, goals)}\n\nStored in ${file}.`
  )
}

const profile = async ({ scenarios, times }: Options.Options): Promise<void> => {
  for (const scenario of scenarios) {
    for (const part of parts(scenario)) {
      for (const peer of scenario.peers) {
        const job = { scenario: scenario.name, case: part, peer: peer.name, ...times }
        const { costs, pid } = await Sample.costs(scenario, job, CpuProfile.nodeArgs())
        const cost = costs[0]?.cpu ?? 0
        const file = CpuProfile.fileOf(pid)
        console.log(`${peer.title}, ${scenario.name} ${part ?? ""}: ${cost.toFixed(0)} ns while profiled; ${file}\n`)
        console.log(`${CpuProfile.report(CpuProfile.read(file), { cost, unit: "ns", digits: 0, top: 40 })}\n`)
      }
    }
  }
}

const main = async (args: ReadonlyArray<string>): Promise<void> => {
  const options = Options.read(args)
  if (options === undefined) return console.log(Options.help)
  if (options.isProfile) return profile(options)
  const { cores, cpu, kernel, node } = Machine.machine()
  const { duration, warmup } = options.times
  console.log(`${cpu}, ${cores} cores, ${kernel}, Node ${node}; samples of ${duration} s after ${warmup} s`)
  for (const scenario of options.scenarios) await measure(scenario, options)
}

try {
  await main(process.argv.slice(2))
} catch (error) {
  console.error((error as Error).message)
  process.exitCode = 1
}
