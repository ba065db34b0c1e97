/**
 * `pnpm benchmark:types`: what the types of a hundred routes cost the compiler.
 *
 * When to reach for it: after a change to the types of `Route`, `Domain` or `Kore`.
 * What it is not: the time that a user's build takes. Here the sources of kore-fx are checked as well, in both apps;
 * what counts is the difference between them.
 */
import { parseArgs } from "node:util"
import * as Machine from "./harness/Machine.ts"
import * as Results from "./harness/Results.ts"
import * as Statistics from "./harness/Statistics.ts"
import { markdown, withSpread } from "./harness/Table.ts"
import * as Compile from "./typesuite/Compile.ts"
import { generate } from "./typesuite/generate.ts"

const SMALL = 1
const LARGE = 100

type Figure = "seconds" | "checkSeconds" | "types" | "instantiations" | "memoryMiB"

const figures = (samples: ReadonlyArray<Compile.Sample>, compiler: string, routes: number, figure: Figure) =>
  samples.filter((sample) => sample.compiler === compiler && sample.routes === routes).map((sample) => sample[figure])

const row = (samples: ReadonlyArray<Compile.Sample>, compiler: string, routes: number): ReadonlyArray<string> => {
  const spread = (figure: Figure) => Statistics.spread(figures(samples, compiler, routes, figure))
  return [
    `${compiler}, ${routes} route${routes === 1 ? "" : "s"}`,
    withSpread(spread("seconds"), 2),
    withSpread(spread("checkSeconds"), 2),
    String(spread("types").median),
    String(spread("instantiations").median),
    spread("memoryMiB").median.toFixed(0)
  ]
}

const perRoute = (samples: ReadonlyArray<Compile.Sample>, compiler: string) => {
  const median = (routes: number, figure: Figure) => Statistics.median(figures(samples, compiler, routes, figure))
  const growth = (figure: Figure) => (median(LARGE, figure) - median(SMALL, figure)) / (LARGE - SMALL)
  return {
    compiler,
    milliseconds: growth("seconds") * 1000,
    types: growth("types"),
    instantiations: growth("instantiations")
  }
}

const main = async (args: ReadonlyArray<string>): Promise<void> => {
  const { values } = parseArgs({
    args: args.filter((arg) => arg !== "--"),
    options: { rounds: { type: "string", default: "5" }, quick: { type: "boolean", default: false } }
  })
  const rounds = values.quick ? 1 : Number(values.rounds)
  const compilers = Compile.compilers()
  const apps = [SMALL, LARGE].map((routes) => ({ routes, folder: generate(routes) }))
  const samples: Array<Compile.Sample> = []
  const loadBefore = Machine.loadAverage()
  for (let round = 0; round < rounds; round++) {
    for (const compiler of compilers) {
      for (const { folder, routes } of apps) samples.push(await Compile.check(compiler, routes, folder, round))
    }
  }
  const growth = compilers.map(({ name }) => perRoute(samples, name))
  const file = Results.store("types", values.quick, {
    scenario: "types",
    title: `type-checking an app of ${LARGE} routes beside one of ${SMALL}`,
    date: new Date().toISOString(),
    machine: Machine.machine(),
    versions: Object.fromEntries(compilers.map(({ name, version }) => [name, version])),
    commit: Machine.commit(),
    loadAverage: { before: loadBefore, after: Machine.loadAverage() },
    settings: { rounds },
    perRoute: growth,
    samples
  })
  const rows = compilers.flatMap(({ name }) => [SMALL, LARGE].map((routes) => row(samples, name, routes)))
  console.log(markdown(["app", "seconds", "check seconds", "types", "instantiations", "MiB"], rows))
  for (const { compiler, instantiations, milliseconds, types } of growth) {
    console.log(
      `\nA route costs ${compiler} ${milliseconds.toFixed(1)} ms, ${types.toFixed(0)} types and ` +
        `${instantiations.toFixed(0)} instantiations.`
    )
  }
  console.log(`\nStored in ${file}.`)
}

try {
  await main(process.argv.slice(2))
} catch (error) {
  console.error((error as Error).message)
  process.exitCode = 1
}
