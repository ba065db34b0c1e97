/**
 * The options of `pnpm soak`.
 *
 * When to reach for it: `soak.ts` reads them once.
 * What it is not: those of `pnpm benchmark`, which has peers and rounds.
 */
import { parseArgs } from "node:util"
import * as Arguments from "../harness/Arguments.ts"
import * as echo from "./echo.ts"
import * as processes from "./processes.ts"
import * as slow from "./slow.ts"
import type { Soak } from "./Soak.ts"
import * as transfer from "./transfer.ts"

/** What to do, and how many at once. */
export interface Options {
  readonly soaks: ReadonlyArray<{ readonly soak: Soak; readonly count: number }>
}

export const help = `pnpm soak [echo] [processes] [transfer] [slow] [options]

  echo                 connections at once to a server of Socket.serve, each echoed
  processes            processes at once by Proc.spawn, each answered and reaped
  transfer             bodies of some size up and down: memory, digests, files that are left
  slow                 slow clients at once, by slowhttptest, which must be installed
                       default: all but slow
  --connections <n>    default 10000
  --processes <n>      default 1000
  --mebibytes <n>      default 2048
  --slow <n>           default 1000

Ends with status 1 when something was not done, or is left.
`

/** Reads options; undefined when help was asked for. Throws when one of them cannot be understood. */
export const read = (args: ReadonlyArray<string>): Options | undefined => {
  const { positionals, values } = parseArgs({
    // pnpm hands a `--` on to the script.
    args: args.filter((arg) => arg !== "--"),
    allowPositionals: true,
    options: {
      connections: { type: "string", default: "10000" },
      processes: { type: "string", default: "1000" },
      mebibytes: { type: "string", default: "2048" },
      slow: { type: "string", default: "1000" },
      help: { type: "boolean", default: false }
    }
  })
  if (values.help) return undefined
  const all = [
    { name: "echo", soak: echo.soak, count: Arguments.count("connections", values.connections) },
    { name: "processes", soak: processes.soak, count: Arguments.count("processes", values.processes) },
    { name: "transfer", soak: transfer.soak, count: Arguments.count("mebibytes", values.mebibytes) },
    { name: "slow", soak: slow.soak, count: Arguments.count("slow", values.slow) }
  ]
  return {
    soaks: positionals.length === 0 ? all.slice(0, -1) : positionals.map((name) => Arguments.named("soak", all, name))
  }
}
