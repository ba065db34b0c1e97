import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestApp from "../fixtures/TestApp.ts"

const startDirect = Effect.fnUntraced(function*(setup: Parameters<typeof TestApp.start>[0] = {}) {
  const direct = yield* TestApp.directory
  const app = yield* TestApp.start({ ...setup, direct })
  return { app, direct, ...yield* TestApp.ready(app) }
})

describe("Worker.shutdown", () => {
  it.live("stops the whole server in order, with status 0", () =>
    Effect.gen(function*() {
      const { app, direct, pids, port } = yield* startDirect()
      const slow = yield* Effect.forkChild(TestApp.ask(port, "slow 300"), { startImmediately: true })
      assert.strictEqual(yield* TestApp.ask(TestApp.socketOf(direct, 2), "shutdown"), String(pids[1]))
      assert.deepStrictEqual(yield* app.ended, { code: 0, signal: null })
      assert.include(pids, Number(yield* Fiber.join(slow)))
      assert.match(app.output(), /told to stop by worker 2\][^]*draining[^]*stopped/)
      for (const pid of pids) yield* TestApp.gone(pid)
    }))

  it.live("asked for twice, by two workers, is one stop", () =>
    Effect.gen(function*() {
      const { app, direct } = yield* startDirect()
      yield* Effect.forEach([1, 2, 1], (worker) => TestApp.ask(TestApp.socketOf(direct, worker), "shutdown"), {
        concurrency: "unbounded"
      })
      assert.deepStrictEqual(yield* app.ended, { code: 0, signal: null })
      assert.lengthOf(app.output().match(/told to stop/g) ?? [], 1)
    }))

  it.live("of a worker whose channel is full stops the server when the parent reads on", () =>
    Effect.gen(function*() {
      const { app, direct } = yield* startDirect()
      yield* app.kill("SIGSTOP")
      yield* TestApp.ask(TestApp.socketOf(direct, 1), "flood 4000000")
      assert.match(yield* TestApp.ask(TestApp.socketOf(direct, 1), "shutdown"), /^\d+$/)
      yield* app.kill("SIGCONT")
      assert.deepStrictEqual(yield* app.ended, { code: 0, signal: null })
      assert.match(app.output(), /told to stop by worker 1/)
    }))
})

describe("Worker.fatal", () => {
  it.live("writes a line at level Fatal and ends the worker with status 1, which is replaced (kore §1.4)", () =>
    Effect.gen(function*() {
      const { app, direct, pids: [first, second] } = yield* startDirect()
      yield* TestApp.ask(TestApp.socketOf(direct, 1), "fatal the disk is full")
      yield* app.expect(/proc=\[wrk 1\] log=\[fatal: the disk is full\]/)
      yield* app.expect(new RegExp(`worker 1 \\(pid ${first}\\) ended: the disk is full; restarting at once`))
      yield* app.expect(/worker 1 ready again/)
      yield* TestApp.gone(first!)
      assert.strictEqual(yield* TestApp.ask(TestApp.socketOf(direct, 2), "pid"), String(second))
    }))

  it.live("under terminate stops the server with status 1", () =>
    Effect.gen(function*() {
      const { app, direct, pids } = yield* startDirect({ config: { workerDeathPolicy: "terminate" } })
      yield* TestApp.ask(TestApp.socketOf(direct, 1), "fatal enough")
      assert.deepStrictEqual(yield* app.ended, { code: 1, signal: null })
      assert.match(app.output(), /Worker 1 \(pid \d+\) died: it exited with status 1/)
      for (const pid of pids) yield* TestApp.gone(pid)
    }))

  it.live("of a worker whose channel is full ends it all the same", () =>
    Effect.gen(function*() {
      const { app, direct, pids: [pid] } = yield* startDirect({ config: { workers: 1 } })
      yield* app.kill("SIGSTOP")
      yield* TestApp.ask(TestApp.socketOf(direct, 1), "flood 4000000")
      yield* TestApp.ask(TestApp.socketOf(direct, 1), "fatal congested")
      yield* app.expect(/fatal: congested/)
      yield* TestApp.gone(pid!)
      yield* app.kill("SIGCONT")
      yield* app.expect(/ended: it exited with status 1; restarting at once/)
      yield* app.expect(/ready again/)
    }))
})

describe("Worker.fatalx", () => {
  it.live("ends the server with status 1, and the error names worker and reason (kore §1.4)", () =>
    Effect.gen(function*() {
      const { app, direct, pids } = yield* startDirect()
      yield* TestApp.ask(TestApp.socketOf(direct, 2), "fatalx no licence")
      assert.deepStrictEqual(yield* app.ended, { code: 1, signal: null })
      assert.match(app.output(), /proc=\[wrk 2\] log=\[fatal: no licence\]/)
      assert.match(app.output(), /Worker 2 ended the server: no licence\.[^\n]*\[KORE_WORKER_FATAL\]/)
      assert.notMatch(app.output(), /restarting/)
      for (const pid of pids) yield* TestApp.gone(pid)
    }))

  it.live("lets what runs in other workers finish", () =>
    Effect.gen(function*() {
      const { app, direct, pids } = yield* startDirect()
      const slow = yield* Effect.forkChild(TestApp.ask(TestApp.socketOf(direct, 1), "slow 300"), {
        startImmediately: true
      })
      yield* TestApp.ask(TestApp.socketOf(direct, 2), "fatalx no licence")
      assert.strictEqual(yield* Fiber.join(slow), String(pids[0]))
      assert.deepStrictEqual(yield* app.ended, { code: 1, signal: null })
    }))

  it.live("of a worker whose channel is full is told by its exit status", () =>
    Effect.gen(function*() {
      const { app, direct, pids: [pid] } = yield* startDirect()
      yield* app.kill("SIGSTOP")
      yield* TestApp.ask(TestApp.socketOf(direct, 1), "flood 4000000")
      yield* TestApp.ask(TestApp.socketOf(direct, 1), "fatalx congested")
      yield* app.expect(/fatal: congested/)
      yield* TestApp.gone(pid!)
      yield* app.kill("SIGCONT")
      assert.deepStrictEqual(yield* app.ended, { code: 1, signal: null })
      assert.match(app.output(), /Worker 1 ended the server: its own log line tells why/)
    }))

  it.live("in a finalizer, while the server stops, ends it with status 1", () =>
    Effect.gen(function*() {
      const { app } = yield* startDirect({ atEnd: "fatalx" })
      yield* app.kill("SIGTERM")
      assert.deepStrictEqual(yield* app.ended, { code: 1, signal: null })
      assert.match(app.output(), /stopped[^]*Worker \d ended the server: at the end\./)
    }))
})

describe("the name of an app", () => {
  it.live("is in the titles of its processes (kore §5, setname)", () =>
    Effect.gen(function*() {
      const { direct } = yield* startDirect({ name: "shop\u0007" })
      assert.strictEqual(yield* TestApp.ask(TestApp.socketOf(direct, 2), "title"), "shop\\x07 [wrk 2]")
    }))

  it.live("is kore without one", () =>
    Effect.gen(function*() {
      const { direct } = yield* startDirect()
      assert.strictEqual(yield* TestApp.ask(TestApp.socketOf(direct, 1), "title"), "kore [wrk 1]")
    }))
})
