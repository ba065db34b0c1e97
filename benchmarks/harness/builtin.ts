/**
 * The load by `generator.ts`, for machines without `wrk`.
 *
 * When to reach for it: through `Load.choose`, or `--load builtin`.
 * What it is not: as light as wrk. It takes as much CPU as a fast server, so on two cores it is what limits throughput.
 */
import { fileURLToPath } from "node:url"
import type { Scenario } from "../scenarios/Scenario.ts"
import type { Load, Measured } from "./Load.ts"
import * as Process from "./Process.ts"

const file = fileURLToPath(new URL("generator.ts", import.meta.url))

const run = async (port: number, scenario: Scenario, seconds: number): Promise<Measured> =>
  JSON.parse(await Process.run(process.execPath, [file, String(port), scenario.name, String(seconds)])) as Measured

/** The built-in generator. */
export const load: Load = { name: "builtin", version: process.version, run }
