/**
 * The options of `pnpm benchmark`.
 *
 * When to reach for it: `main.ts` reads them once.
 * What it is not: a framework for command lines; `node:util` has what it takes.
 */
import { parseArgs } from "node:util"
import { type Peer, peers } from "../peers/peers.ts"
import { byName } from "../scenarios/byName.ts"
import type { Scenario } from "../scenarios/Scenario.ts"
import { scenarios } from "../scenarios/scenarios.ts"
import * as Arguments from "./Arguments.ts"
import * as Load from "./Load.ts"
import type { Times } from "./Sample.ts"

/** What to measure, and how long. */
export interface Options {
  readonly scenarios: ReadonlyArray<Scenario>
  readonly peers: ReadonlyArray<Peer>
  readonly rounds: number
  readonly times: Times
  readonly load: Load.Load
  readonly isQuick: boolean
}

export const help = `pnpm benchmark [options]

  --scenario <names>   ${Arguments.namesOf(scenarios)}; default: all but pipelined
  --peer <names>       ${Arguments.namesOf(peers)}; default: all
  --rounds <n>         samples of every peer, default 7
  --duration <s>       whole seconds of each sample, default 3
  --warmup <s>         whole seconds before each sample, default 2
  --load <name>        wrk or builtin; default: wrk where it is installed
  --quick              two rounds of one second, stored under a name that git ignores
`

/** Reads options; undefined when help was asked for. Throws when one of them cannot be understood. */
export const read = (args: ReadonlyArray<string>): Options | undefined => {
  const { values } = parseArgs({
    // pnpm hands a `--` on to the script.
    args: args.filter((arg) => arg !== "--"),
    options: {
      scenario: { type: "string" },
      peer: { type: "string" },
      rounds: { type: "string" },
      duration: { type: "string" },
      warmup: { type: "string" },
      load: { type: "string" },
      quick: { type: "boolean", default: false },
      help: { type: "boolean", default: false }
    }
  })
  if (values.help) return undefined
  return {
    scenarios: values.scenario?.split(",").map(byName) ?? scenarios.filter((scenario) => scenario.standard),
    peers: values.peer?.split(",").map((name) => Arguments.named("peer", peers, name)) ?? peers,
    rounds: Arguments.count("rounds", values.rounds ?? (values.quick ? "2" : "7")),
    times: {
      warmup: Arguments.count("warmup", values.warmup ?? (values.quick ? "1" : "2")),
      duration: Arguments.count("duration", values.duration ?? (values.quick ? "1" : "3"))
    },
    load: Load.choose(values.load),
    isQuick: values.quick
  }
}
