import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestApp from "../fixtures/TestApp.ts"

describe("a worker that does not start", () => {
  it.live("is retried, and then the parent says which one, how often and why", () =>
    Effect.gen(function*() {
      const app = yield* TestApp.start({ second: "fail", config: { workerRestartLimit: 2 } })
      assert.deepStrictEqual(yield* app.ended, { code: 1, signal: null })
      assert.match(app.output(), /worker 2 \(pid \d+\) ended: the database\\nsaid no; restarting at once\]/)
      assert.match(app.output(),
        /Worker 2 did not stay up \(3 attempts\): the database\.[^\n]*\[KORE_WORKER_START\]\nsaid no/)
    }))

  it.live("is not retried when another try would end the same way", () =>
    Effect.gen(function*() {
      const app = yield* TestApp.start({ second: "fail finally" })
      assert.deepStrictEqual(yield* app.ended, { code: 2, signal: null })
      assert.match(app.output(), /The app cannot run as it is: no such option\./)
      assert.notMatch(app.output(), /restarting/)
    }))

  it.live("is noticed at once when it exits", () =>
    Effect.gen(function*() {
      const app = yield* TestApp.start({ second: "exit", config: { workerRestartLimit: 0 } })
      assert.deepStrictEqual(yield* app.ended, { code: 1, signal: null })
      assert.match(app.output(), /Worker 2 did not stay up \(1 attempt\): it exited with status 7\./)
    }))

  it.live("is killed when it is not ready in time", () =>
    Effect.gen(function*() {
      const config = { workerRestartLimit: 0, workerStartTimeout: "1500 millis" } as const
      const app = yield* TestApp.start({ second: "hang", config })
      assert.deepStrictEqual(yield* app.ended, { code: 1, signal: null })
      assert.match(app.output(), /Worker 2 did not stay up \(1 attempt\): it was not ready within 1s 500ms\./)
    }))

  it.live("under terminate, a death ends the server with status 1", () =>
    Effect.gen(function*() {
      const app = yield* TestApp.start({ config: { workerDeathPolicy: "terminate" } })
      const { pids: [first, second] } = yield* TestApp.ready(app)
      yield* app.kill("SIGKILL", first)
      assert.deepStrictEqual(yield* app.ended, { code: 1, signal: null })
      assert.match(app.output(), new RegExp(`Worker 1 \\(pid ${first}\\) died: it was killed by SIGKILL`))
      yield* TestApp.gone(second!)
    }))
})

describe("what a worker sends", () => {
  const lines: ReadonlyArray<readonly [name: string, hex: string]> = [
    ["bytes that are no text", "deadbeef0a"],
    ["text that is no JSON", Buffer.from("hello\n").toString("hex")],
    ["an unknown kind", Buffer.from("{\"_tag\":\"Obey\"}\n").toString("hex")],
    ["a wrong field", Buffer.from("{\"_tag\":\"Failed\",\"reason\":1}\n").toString("hex")],
    ["an empty line", "0a"]
  ]
  for (const [name, hex] of lines) {
    it.live(`${name}: reported and dropped`, () =>
      Effect.gen(function*() {
        const app = yield* TestApp.start({ config: { workers: 1 } })
        const { pids: [pid], port } = yield* TestApp.ready(app)
        yield* TestApp.ask(port, `write ${hex}`)
        yield* app.expect(/warn: dropped from worker 1 what is no message/)
        assert.strictEqual(yield* TestApp.ask(port, "pid"), String(pid))
        yield* app.kill("SIGTERM")
        assert.deepStrictEqual(yield* app.ended, { code: 0, signal: null })
      }))
  }
})
