import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as fs from "node:fs"
import * as TestApp from "../fixtures/TestApp.ts"

describe("stopping", () => {
  for (const signal of ["SIGTERM", "SIGINT", "SIGQUIT"] as const) {
    it.live(`${signal} lets running requests finish and exits with status 0`, () =>
      Effect.gen(function*() {
        const app = yield* TestApp.start()
        const { pids, port } = yield* TestApp.ready(app)
        const slow = yield* Effect.forkChild(
          Effect.forEach(Array.from({ length: 8 }), () => TestApp.ask(port, "slow 400"), { concurrency: "unbounded" }),
          { startImmediately: true }
        )
        yield* Effect.sleep(100)
        yield* app.kill(signal)
        yield* app.expect(/draining/)
        yield* Effect.sleep(50)
        assert.strictEqual(yield* TestApp.ask(port, "pid"), "ECONNREFUSED")
        assert.isTrue((yield* Fiber.join(slow)).every((answer) => pids.includes(Number(answer))))
        assert.deepStrictEqual(yield* app.ended, { code: 0, signal: null })
        for (const pid of pids) yield* TestApp.gone(pid)
      }))
  }

  it.live("loses no connection that was made, in a flood of them (fastify#7044, nodejs/node#60617)", () =>
    Effect.gen(function*() {
      const app = yield* TestApp.start()
      const { port } = yield* TestApp.ready(app)
      const client = (answers: ReadonlyArray<string>): Effect.Effect<ReadonlyArray<string>> =>
        Effect.flatMap(TestApp.ask(port, "pid"), (answer) =>
          answer === "ECONNREFUSED" ? Effect.succeed(answers) : client([...answers, answer]))
      const flood = yield* Effect.forkChild(
        Effect.forEach(Array.from({ length: 48 }), () => client([]), { concurrency: "unbounded" }),
        { startImmediately: true }
      )
      yield* Effect.sleep(300)
      yield* app.kill("SIGTERM")
      const answers = (yield* Fiber.join(flood)).flat()
      assert.isAbove(answers.length, 100)
      assert.deepStrictEqual(answers.filter((answer) => !/^\d+$/.test(answer)), [])
      assert.deepStrictEqual(yield* app.ended, { code: 0, signal: null })
    }))

  it.live("before the workers are ready ends them too", () =>
    Effect.gen(function*() {
      const app = yield* TestApp.start({ second: "hang" })
      yield* app.expect(/listens on/)
      yield* Effect.sleep(600)
      yield* app.kill("SIGTERM")
      assert.deepStrictEqual(yield* app.ended, { code: 0, signal: null })
      assert.notMatch(app.output(), /killing it/)
    }))

  it.live("does not wait for a timer that the app has forgotten", () =>
    Effect.gen(function*() {
      const app = yield* TestApp.start({ forgetful: true })
      yield* TestApp.ready(app)
      yield* app.kill("SIGTERM")
      const ended = yield* Effect.timeoutOption(app.ended, "3 seconds")
      assert.deepStrictEqual(Option.getOrThrow(ended), { code: 0, signal: null })
      assert.notMatch(app.output(), /killing it/)
    }))

  it.live("a second signal does not wait any longer", () =>
    Effect.gen(function*() {
      const app = yield* TestApp.start({ stuck: true, config: { shutdownTimeout: "1 minute" } })
      const { pids } = yield* TestApp.ready(app)
      yield* app.kill("SIGINT")
      yield* app.kill("SIGINT")
      yield* Effect.sleep(700)
      assert.isTrue(TestApp.isRunning(app.pid), "the same Ctrl-C delivered twice is one signal")
      yield* app.kill("SIGTERM")
      assert.deepStrictEqual(yield* app.ended, { code: 0, signal: null })
      for (const pid of pids) yield* TestApp.gone(pid)
    }))

  it.live("a worker that is blocked is killed when its time is over", () =>
    Effect.gen(function*() {
      const app = yield* TestApp.start({ config: { shutdownTimeout: "0 seconds" } })
      const { pids, port } = yield* TestApp.ready(app)
      yield* TestApp.ask(port, "block")
      yield* app.kill("SIGTERM")
      yield* app.expect(/has not ended: killing it/)
      assert.deepStrictEqual(yield* app.ended, { code: 0, signal: null })
      for (const pid of pids) yield* TestApp.gone(pid)
    }))

  it.live("signals for later are noted and change nothing", () =>
    Effect.gen(function*() {
      const app = yield* TestApp.start({ config: { workers: 1 } })
      const { pids: [pid], port } = yield* TestApp.ready(app)
      for (const signal of ["SIGHUP", "SIGUSR2", "SIGPIPE"] as const) yield* app.kill(signal)
      for (const signal of ["SIGHUP", "SIGUSR2"]) {
        yield* app.expect(new RegExp(`${signal} ignored: what it stands for is not available yet`))
      }
      assert.strictEqual(yield* TestApp.ask(port, "pid"), String(pid))
    }))
})

describe("a parent that is killed", () => {
  it.live("leaves no process (kore: http §14.5)", () =>
    Effect.gen(function*() {
      const app = yield* TestApp.start()
      const { pids, port } = yield* TestApp.ready(app)
      yield* app.kill("SIGKILL")
      for (const pid of pids) yield* TestApp.gone(pid)
      yield* TestApp.refused(port)
    }))

  it.live("leaves no worker whose event loop is blocked", () =>
    Effect.gen(function*() {
      const app = yield* TestApp.start()
      const { pids, port } = yield* TestApp.ready(app)
      assert.strictEqual(yield* TestApp.ask(port, "block"), "blocking")
      yield* app.kill("SIGKILL")
      for (const pid of pids) yield* TestApp.gone(pid)
    }))

  it.live("leaves no worker that is not ready yet", () =>
    Effect.gen(function*() {
      const app = yield* TestApp.start({ second: "hang" })
      yield* app.expect(/listens on/)
      yield* Effect.sleep(500)
      const list = fs.readFileSync(`/proc/${app.pid}/task/${app.pid}/children`, "utf8")
      const children = list.trim().split(" ").map(Number)
      assert.strictEqual(children.length, 2)
      yield* app.kill("SIGKILL")
      for (const pid of children) yield* TestApp.gone(pid)
    }))
})
