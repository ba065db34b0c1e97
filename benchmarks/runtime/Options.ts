/**
 * The options of `pnpm benchmark:runtime`.
 *
 * When to reach for it: `runtime.ts` reads them once.
 * What it is not: those of `pnpm benchmark`, which has peers for all scenarios and a load.
 */
import { parseArgs } from "node:util"
import * as Arguments from "../harness/Arguments.ts"
import type { Times } from "./Sample.ts"
import type { Peer, Scenario } from "./Scenario.ts"
import { scenarios } from "./scenarios.ts"

/** What to measure, and how long. */
export interface Options {
  readonly scenarios: ReadonlyArray<Scenario>
  /** Samples of every peer; that of the scenario without one. */
  readonly rounds: number | undefined
  readonly times: Times
  readonly isQuick: boolean
  /** Profiles instead of measuring. */
  readonly isProfile: boolean
}

const peers: ReadonlyArray<Peer> = [
  ...new Map(scenarios.flatMap((scenario) => scenario.peers.map((peer) => [peer.name, peer]))).values()
]

export const help = `pnpm benchmark:runtime [options]

  --scenario <names>   ${Arguments.namesOf(scenarios)}; default: all but parked-million
  --case <names>       cases of the scenarios; default: all
  --peer <names>       ${Arguments.namesOf(peers)}; default: all
  --rounds <n>         samples of every peer, default 7, of parked-million 3
  --duration <s>       whole seconds of each sample, default 1
  --warmup <s>         whole seconds before each sample, default 1
  --quick              two rounds, stored under a name that git ignores
  --profile            instead of a table, where the CPU of one case and one peer goes
`

const restrict = <A extends { readonly name: string }>(
  all: ReadonlyArray<A>,
  names: ReadonlyArray<string> | undefined
): ReadonlyArray<A> => names === undefined ? all : all.filter(({ name }) => names.includes(name))

/** Reads options; undefined when help was asked for. Throws when one of them cannot be understood. */
export const read = (args: ReadonlyArray<string>): Options | undefined => {
  const { values } = parseArgs({
    // pnpm hands a `--` on to the script.
    args: args.filter((arg) => arg !== "--"),
    options: {
      scenario: { type: "string" },
      case: { type: "string" },
      peer: { type: "string" },
      rounds: { type: "string" },
      duration: { type: "string", default: "1" },
      warmup: { type: "string", default: "1" },
      quick: { type: "boolean", default: false },
      profile: { type: "boolean", default: false },
      help: { type: "boolean", default: false }
    }
  })
  if (values.help) return undefined
  const asked = values.scenario?.split(",").map((name) => Arguments.named("scenario", scenarios, name)) ??
    scenarios.filter((scenario) => scenario.standard)
  const peerNames = values.peer?.split(",").map((name) => Arguments.named("peer", peers, name).name)
  const cases = asked.flatMap((scenario) => scenario.cases)
  const caseNames = values.case?.split(",").map((name) => Arguments.named("case", cases, name).name)
  const rounds = values.rounds ?? (values.quick ? "2" : undefined)
  return {
    scenarios: asked.map((scenario) => ({
      ...scenario,
      peers: restrict(scenario.peers, peerNames),
      // Those that belong together are measured together.
      cases: scenario.parked === undefined ? restrict(scenario.cases, caseNames) : scenario.cases
    })).filter(({ cases, peers }) => cases.length > 0 && peers.length > 0),
    rounds: rounds === undefined ? undefined : Arguments.count("rounds", rounds),
    times: {
      warmup: Arguments.count("warmup", values.warmup),
      duration: Arguments.count("duration", values.duration)
    },
    isQuick: values.quick,
    isProfile: values.profile
  }
}
