/**
 * One run of a compiler over a generated app.
 *
 * When to reach for it: `types.ts` takes one for each compiler and app in every round.
 * What it is not: a build. Nothing is emitted, nothing is remembered.
 */
import { execFileSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import * as Process from "../harness/Process.ts"

/** A program that checks types. */
export interface Compiler {
  readonly name: string
  readonly file: string
  readonly version: string
}

/** What one run measured. */
export interface Sample {
  readonly compiler: string
  readonly routes: number
  readonly round: number
  /** Wall-clock seconds of the whole command. */
  readonly seconds: number
  /** What the compiler tells about itself; the counts do not depend on the machine. */
  readonly checkSeconds: number
  readonly types: number
  readonly instantiations: number
  readonly memoryMiB: number
}

const bin = (name: string): string => fileURLToPath(new URL(`../../node_modules/.bin/${name}`, import.meta.url))

const output = (file: string, argument: string): string => execFileSync(file, [argument], { encoding: "utf8" }).trim()

const compiler = (name: string, file: string): Compiler => ({ name, file, version: output(file, "--version") })

/** TypeScript with Effect's language service, as this repository uses it, and TypeScript alone. */
export const compilers = (): ReadonlyArray<Compiler> => [
  compiler("effect-tsgo", output(bin("effect-tsgo"), "get-exe-path")),
  compiler("tsc", bin("tsc"))
]

const diagnostic = (text: string, name: string): number =>
  Number(new RegExp(`^${name}:\\s+([\\d.]+)`, "m").exec(text)?.[1])

/** Checks an app. Throws when it has errors of its own; errors elsewhere are somebody's work in progress. */
export const check = async (
  { file, name }: Compiler,
  routes: number,
  folder: string,
  round: number
): Promise<Sample> => {
  const start = performance.now()
  const process = Process.start(file, ["--noEmit", "--extendedDiagnostics", "-p", folder])
  await process.ended
  const seconds = (performance.now() - start) / 1000
  const text = process.output()
  const types = diagnostic(text, "Types")
  if (Number.isNaN(types) || /\.types\/\d+\/.*error TS/.test(text)) {
    throw new Error(`${name} does not compile ${folder}:\n${text}`)
  }
  return {
    compiler: name,
    routes,
    round,
    seconds,
    checkSeconds: diagnostic(text, "Check time"),
    types,
    instantiations: diagnostic(text, "Instantiations"),
    memoryMiB: diagnostic(text, "Memory used") / 1024
  }
}
