/**
 * `pnpm benchmark`: CPU and throughput of kore-fx beside its peers.
 *
 * When to reach for it: to know what a request costs, before and after a change.
 * What it is not: a test. It fails when a peer answers wrongly, never because something is slow.
 *
 * Every round takes one sample of every peer, each in a fresh process, in an order that is rotated from round to round,
 * so that a slow minute of the machine meets all of them alike.
 */
import * as Machine from "./harness/Machine.ts"
import * as Options from "./harness/Options.ts"
import * as Results from "./harness/Results.ts"
import * as Rounds from "./harness/Rounds.ts"
import * as Sample from "./harness/Sample.ts"
import * as Table from "./harness/Table.ts"
import { answering } from "./peers/peers.ts"
import { write } from "./scenarios/files.ts"
import type { Scenario } from "./scenarios/Scenario.ts"

const measure = async (scenario: Scenario, options: Options.Options): Promise<void> => {
  const { isQuick, load, rounds, times } = options
  const peers = answering(options.peers, scenario.peers)
  if (peers.length === 0) return console.log(`\n## ${scenario.name}: none of the peers answers it`)
  const loadBefore = Machine.loadAverage()
  const samples = await Rounds.take(
    scenario.name,
    peers,
    rounds,
    (peer, round) => Sample.take(peer, scenario, load, times, round)
  )
  const summaries = Table.summarize(peers, samples)
  const file = Results.store(scenario.name, isQuick, {
    scenario: scenario.name,
    title: scenario.title,
    date: new Date().toISOString(),
    machine: Machine.machine(),
    versions: Machine.versions(peers),
    commit: Machine.commit(),
    loadAverage: { before: loadBefore, after: Machine.loadAverage() },
    load: { name: load.name, version: load.version },
    settings: { rounds, ...times, connections: scenario.connections, pipeline: scenario.pipeline },
    summaries,
    samples
  })
  console.log(
    `\n## ${scenario.name}: ${scenario.title}\n\n${Table.ofSummaries(peers, summaries)}\n\nStored in ${file}.`
  )
}

const main = async (args: ReadonlyArray<string>): Promise<void> => {
  const options = Options.read(args)
  if (options === undefined) return console.log(Options.help)
  const { load, rounds, scenarios, times } = options
  const { cores, cpu, kernel, node } = Machine.machine()
  console.log(
    `${cpu}, ${cores} cores, ${kernel}, Node ${node}; load by ${load.name} ${load.version}, ` +
      `${scenarios[0]?.connections} connections; ${rounds} rounds of ${times.duration} s after ${times.warmup} s`
  )
  write()
  for (const scenario of scenarios) await measure(scenario, options)
}

try {
  await main(process.argv.slice(2))
} catch (error) {
  console.error((error as Error).message)
  process.exitCode = 1
}
