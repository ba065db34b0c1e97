/**
 * Our parser against Node's. Where the two disagree, docs/decisions/http-strictness.md must list the class and justify
 * it; being laxer than Node is listed nowhere but for three things that are not HTTP.
 *
 * `KORE_FX_FUZZ_RUNS` runs more cases, `KORE_FX_FUZZ_SEED` repeats a run.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import * as path from "node:path"
import * as Fuzz from "./fuzz.ts"
import { turns } from "./harness.ts"

const runs = Number(process.env["KORE_FX_FUZZ_RUNS"] ?? 4_000)
const seed = Number(process.env["KORE_FX_FUZZ_SEED"] ?? Date.now() % 1_000_000_000)
const root = path.resolve(import.meta.dirname, "../../../..")

// The classes of the decision's tables: the first cell of a row, in back quotes. One that ends in "…" stands for all
// that begin like it.
const listed: ReadonlyArray<string> = Array.from(
  fs.readFileSync(path.join(root, "docs/decisions/http-strictness.md"), "utf8").matchAll(/^\| `([^`]+)` \|/gm),
  (match) => match[1]!
)

const isListed = (name: string): boolean =>
  listed.some((one) => one.endsWith("…") ? name.startsWith(one.slice(0, -1)) : one === name)

// More to start from, where the conformance data lies beside the repository.
const corpusFile = path.join(root, "../shared/conformance/http1-llhttp.json")
const corpus: ReadonlyArray<string> = fs.existsSync(corpusFile)
  ? (JSON.parse(fs.readFileSync(corpusFile, "utf8")) as ReadonlyArray<{ readonly input: string }>).flatMap((
    { input }
  ) => [
    input,
    input.replaceAll("HTTP/1.1\r\n", "HTTP/1.1\r\nHost: a.example\r\n")
  ])
  : []

describe(`any bytes (${runs} cases, KORE_FX_FUZZ_SEED=${seed})`, () => {
  it.effect("mean the same to us and to node:http, or we refuse; whole or in pieces they mean the same to us",
    () =>
      Effect.gen(function*() {
        const random = new Fuzz.Random(seed)
        const own = yield* Fuzz.ours
        const node = Fuzz.nodes()
        const classes = new Map<string, { cases: number; readonly example: string }>()
        const note = (name: string, bytes: Buffer, ...outcomes: ReadonlyArray<Fuzz.Outcome>) => {
          const seen = classes.get(name)
          if (seen !== undefined) seen.cases++
          else {classes.set(name, {
              cases: 1,
              example: [bytes.toString("latin1"), ...outcomes].map((x) => JSON.stringify(x)).join("\n  ")
            })}
        }
        let accepted = 0
        for (let done = 0; done < runs;) {
          const batch: Array<readonly [bytes: Buffer, node: Fuzz.Outcome, own: Fuzz.Outcome]> = []
          for (; batch.length < 200 && done < runs; done++) {
            const bytes = Fuzz.input(random, corpus)
            const whole = own([bytes])
            const pieces = own(Fuzz.split(random, bytes))
            if (JSON.stringify(whole) !== JSON.stringify(pieces)) {
              note("pieces mean something else", bytes, whole, pieces)
            }
            if (whole.requests.length > 0) accepted++
            batch.push([bytes, node.run(bytes), whole])
          }
          yield* turns(5)
          for (const [bytes, theirs, whole] of batch) {
            const name = Fuzz.classify(bytes, theirs, whole, own)
            if (name !== undefined) note(name, bytes, theirs, whole)
          }
          node.close()
        }
        if (process.env["KORE_FX_FUZZ_RUNS"] !== undefined) {
          const table = [...classes].sort((a, b) => b[1].cases - a[1].cases).map(([name, { cases }]) =>
            `${cases}\t${name}`
          )
          process.stdout.write(
            `${runs} cases, seed ${seed}, ${accepted} with a request that was accepted\n${table.join("\n")}\n`
          )
        }
        // A generator that makes nothing acceptable proves nothing.
        assert.isAbove(accepted, runs / 10)
        const unlisted = [...classes].filter(([name]) => !isListed(name)).map(([name, { example }]) =>
          `${name}\n  ${example}`
        )
        assert.deepStrictEqual(unlisted, [], `repeat with KORE_FX_FUZZ_SEED=${seed}`)
      }), 30_000 + runs * 2)

  it.effect("proves itself: a server that takes any line end for CR LF is found out", () =>
    Effect.gen(function*() {
      const own = yield* Fuzz.ours
      const lax = (pieces: ReadonlyArray<Buffer>) =>
        own([Buffer.from(Buffer.concat([...pieces]).toString("latin1").replace(/\r?\n/g, "\r\n"), "latin1")])
      const random = new Fuzz.Random(1)
      const node = Fuzz.nodes()
      const found = new Set<string>()
      for (let i = 0; i < 10; i++) {
        const batch = Array.from({ length: 200 }, () => {
          const bytes = Fuzz.input(random, [])
          return [bytes, node.run(bytes), lax([bytes])] as const
        })
        yield* turns(5)
        for (const [bytes, theirs, ours] of batch) found.add(Fuzz.classify(bytes, theirs, ours, lax) ?? "")
        node.close()
      }
      assert.isTrue([...found].some((name) => name.startsWith("laxer: ") && !isListed(name)))
    }))
})
