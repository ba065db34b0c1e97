/**
 * The load by `wrk`, one thread of it.
 *
 * When to reach for it: through `Load.choose`.
 * What it is not: wrk's own idea of a request. A script makes it send the bytes of the scenario, and print numbers.
 */
import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Scenario } from "../scenarios/Scenario.ts"
import type { Load, Measured } from "./Load.ts"
import * as Process from "./Process.ts"

const WRK = "wrk"

// `wrk.format` makes the request once, at the start: the script costs nothing while it runs.
const script = (requestFile: string): string => `
local file = assert(io.open(${JSON.stringify(requestFile)}, "rb"))
local request = file:read("*a")
file:close()
wrk.format = function() return request end
done = function(summary, latency)
  local errors = summary.errors
  print(string.format('RESULT {"requests":%d,"micros":%d,"errors":%d,"p50":%d,"p99":%d}',
    summary.requests, summary.duration,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end
`

const run = async (port: number, scenario: Scenario, seconds: number): Promise<Measured> => {
  const folder = mkdtempSync(join(tmpdir(), "kore-fx-benchmark-"))
  try {
    const requestFile = join(folder, "request")
    const scriptFile = join(folder, "script.lua")
    writeFileSync(requestFile, scenario.request.repeat(scenario.pipeline), "latin1")
    writeFileSync(scriptFile, script(requestFile))
    const options = ["-t1", `-c${scenario.connections}`, `-d${seconds}s`, "-s", scriptFile]
    const output = await Process.run(WRK, [...options, `http://127.0.0.1:${port}/`])
    const line = /^RESULT (.*)$/m.exec(output)
    if (line === null) throw new Error(`wrk printed no result:\n${output}`)
    const { errors, micros, p50, p99, requests } = JSON.parse(line[1]!)
    return { requests, seconds: micros / 1e6, errors, latency: { p50, p99 } }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** `wrk`, when it is on PATH. */
export const find = (): Load | undefined => {
  const { error, stdout } = spawnSync(WRK, ["-v"], { encoding: "utf8" })
  if (error !== undefined) return undefined
  return { name: WRK, version: /^wrk (\S+)/.exec(stdout)?.[1] ?? "unknown", run }
}
