import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as RunningApp from "../tools/RunningApp.ts"
import * as Transcript from "../tools/Transcript.ts"

/** The two styles that an example may be written in, by the file that runs it. */
const STYLES = ["main", "legacy"]

const here = new URL(".", import.meta.url).pathname

const withTranscripts = Fs.readdirSync(here).filter((name) => {
  const readme = Path.join(here, name, "README.md")
  return Fs.existsSync(readme) && /^\$ curl /m.test(Fs.readFileSync(readme, "utf8"))
})

it.live.each(withTranscripts)("the README of examples/%s shows what curl gets, in each style",
  (name) =>
    Effect.gen(function*() {
      const folder = Path.join(here, name)
      const readme = Fs.readFileSync(Path.join(folder, "README.md"), "utf8")
      const styles = STYLES.filter((style) => Fs.existsSync(Path.join(folder, `${style}.ts`)))
      const differences = yield* Effect.forEach(styles, (style) =>
        Effect.gen(function*() {
          const steps = Transcript.parse(readme, style)
          assert.isAbove(steps.length, 0)
          const app = yield* RunningApp.start([Path.join(folder, `${style}.ts`)], {
            cwd: folder,
            env: { KORE_WORKERS: "1" }
          })
          return (yield* Transcript.differences(steps, app.url)).map((difference) => `${style}.ts, ${difference}`)
        }), { concurrency: 2 })
      assert.strictEqual(differences.flat().join("\n\n"), "")
    }))
