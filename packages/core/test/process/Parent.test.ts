import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import type * as Listener from "../../src/Listener.ts"
import * as TestApp from "../fixtures/TestApp.ts"

const directory = Effect.acquireRelease(
  Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "kore-fx-"))),
  (path) => Effect.sync(() => fs.rmSync(path, { recursive: true }))
)

const askTimes = (port: number, times: number) =>
  Effect.forEach(Array.from({ length: times }), () => TestApp.ask(port, "pid"), { concurrency: 16 })

describe("workers", () => {
  it.live("share one socket and say so at start", () =>
    Effect.gen(function*() {
      const app = yield* TestApp.start()
      const { pids, port } = yield* TestApp.ready(app)
      assert.strictEqual(pids.length, 2)
      const answers = new Set(yield* askTimes(port, 200))
      assert.deepStrictEqual([...answers].map(Number).sort(), [...pids].sort())
      assert.match(app.output(), new RegExp(`kore-fx \\S+ starting, pid ${app.pid}`))
    }))

  it.live("a killed one is replaced while the other serves", () =>
    Effect.gen(function*() {
      const app = yield* TestApp.start()
      const { pids: [first, second], port } = yield* TestApp.ready(app)
      yield* app.kill("SIGKILL", first)
      yield* TestApp.gone(first!)
      const meanwhile = yield* askTimes(port, 20)
      assert.isTrue(meanwhile.every((answer) => /^\d+$/.test(answer)), String(meanwhile))
      const [, replacement] = yield* app.expect(/worker 1 ready again \(pid (\d+)\)/)
      assert.match(app.output(), /worker 1 \(pid \d+\) ended: it was killed by SIGKILL; restarting at once/)
      const answers = new Set(yield* askTimes(port, 200))
      assert.deepStrictEqual([...answers].map(Number).sort(), [second, Number(replacement)].sort())
    }))

  it.live("one that exits with status 0 is replaced", () =>
    Effect.gen(function*() {
      const app = yield* TestApp.start()
      const { port } = yield* TestApp.ready(app)
      yield* TestApp.ask(port, "exit 0")
      yield* app.expect(/ended: it exited with status 0; restarting at once/)
      yield* app.expect(/ready again/)
    }))

  it.live("one that somebody stops drains and is replaced", () =>
    Effect.gen(function*() {
      const app = yield* TestApp.start({ config: { workers: 1 } })
      const { pids: [pid], port } = yield* TestApp.ready(app)
      const slow = yield* Effect.forkChild(TestApp.ask(port, "slow 300"), { startImmediately: true })
      yield* Effect.sleep(50)
      yield* app.kill("SIGTERM", pid)
      assert.strictEqual(yield* Fiber.join(slow), String(pid))
      yield* app.expect(/exited with status 0; restarting at once/)
      yield* app.expect(/ready again/)
    }))

  it.live("signals that a terminal sends to the group do not end them", () =>
    Effect.gen(function*() {
      const app = yield* TestApp.start({ config: { workers: 1 } })
      const { pids: [pid], port } = yield* TestApp.ready(app)
      for (const signal of ["SIGINT", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGPIPE"] as const) yield* app.kill(signal, pid)
      yield* Effect.sleep(100)
      assert.strictEqual(yield* TestApp.ask(port, "pid"), String(pid))
      assert.notMatch(app.output(), /Debugger/)
    }))

  it.live("their children hold neither the sockets nor the channel, and believe in no parent", () =>
    Effect.gen(function*() {
      const app = yield* TestApp.start({ config: { workers: 1 } })
      const { pids: [pid], port } = yield* TestApp.ready(app)
      const child = yield* TestApp.ask(port, "child")
      const descriptors = fs.readdirSync(`/proc/${child}/fd`).map((fd) => fs.readlinkSync(`/proc/${child}/fd/${fd}`))
      assert.deepStrictEqual(descriptors.filter((target) => target.startsWith("socket:")), [])
      assert.notMatch(fs.readFileSync(`/proc/${child}/environ`, "utf8"), /KORE_FX_/)
      yield* app.kill("SIGKILL", pid)
      yield* app.expect(/ready again/)
      yield* app.kill("SIGKILL", Number(child))
    }))
})

describe("a worker that does not start", () => {
  it.live("is retried, and then the parent says which one, how often and why", () =>
    Effect.gen(function*() {
      const app = yield* TestApp.start({ second: "fail", config: { workerRestartLimit: 2 } })
      assert.deepStrictEqual(yield* app.ended, { code: 1, signal: null })
      assert.match(app.output(), /worker 2 \(pid \d+\) ended: the database\\nsaid no; restarting at once\]/)
      assert.match(app.output(), /Worker 2 did not stay up \(3 attempts\): the database\nsaid no\./)
    }))

  it.live("is not retried when another try would end the same way", () =>
    Effect.gen(function*() {
      const app = yield* TestApp.start({ second: "fail finally" })
      assert.deepStrictEqual(yield* app.ended, { code: 1, signal: null })
      assert.match(app.output(), /Worker 2 did not stay up \(1 attempt\): no such option\./)
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
      const config = { workerRestartLimit: 0, workerStartTimeout: 1500 }
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

  it.live("a second signal does not wait any longer", () =>
    Effect.gen(function*() {
      const app = yield* TestApp.start({ stuck: true, config: { shutdownTimeout: 60_000 } })
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
      const app = yield* TestApp.start({ config: { shutdownTimeout: 0 } })
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
      for (const signal of ["SIGHUP", "SIGUSR1", "SIGUSR2", "SIGPIPE"] as const) yield* app.kill(signal)
      for (const signal of ["SIGHUP", "SIGUSR1", "SIGUSR2"]) {
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
      assert.strictEqual(yield* TestApp.ask(port, "pid"), "ECONNREFUSED")
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
      const children = fs.readFileSync(`/proc/${app.pid}/task/${app.pid}/children`, "utf8").trim().split(" ").map(Number)
      assert.strictEqual(children.length, 2)
      yield* app.kill("SIGKILL")
      for (const pid of children) yield* TestApp.gone(pid)
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

describe("what cannot be started", () => {
  it.live("a port in use: says who has it, and exits with status 2", () =>
    Effect.gen(function*() {
      const first = yield* TestApp.start()
      const { port } = yield* TestApp.ready(first)
      const main: Listener.Address = { _tag: "Tcp", host: "127.0.0.1", port, tls: false }
      const app = yield* TestApp.start({ servers: { main } })
      assert.deepStrictEqual(yield* app.ended, { code: 2, signal: null })
      assert.match(app.output(), new RegExp(`Server "main" cannot listen on http://127.0.0.1:${port}: EADDRINUSE`))
      assert.match(app.output(), /\(pid \d+\) listens there: stop it, or choose another port\./)
      assert.match(yield* TestApp.ask(port, "pid"), /^\d+$/)
    }))

  it.live("a pid file that a running server holds", () =>
    Effect.gen(function*() {
      const pidfile = path.join(yield* directory, "kore.pid")
      const first = yield* TestApp.start({ config: { workers: 1, pidfile } })
      yield* TestApp.ready(first)
      assert.strictEqual(fs.readFileSync(pidfile, "utf8"), `${first.pid}\n`)
      const second = yield* TestApp.start({ config: { workers: 1, pidfile } })
      assert.deepStrictEqual(yield* second.ended, { code: 2, signal: null })
      assert.match(second.output(), new RegExp(`process ${first.pid} runs`))
      yield* first.kill("SIGTERM")
      yield* first.ended
      assert.isFalse(fs.existsSync(pidfile))
    }))
})

describe("a UNIX socket", () => {
  it.live("serves, and its file is gone when the server is", () =>
    Effect.gen(function*() {
      const file = path.join(yield* directory, "app.sock")
      const app = yield* TestApp.start({ servers: { main: { _tag: "Unix", path: file, tls: false } } })
      const { pids } = yield* TestApp.ready(app)
      assert.include(pids, Number(yield* TestApp.ask(file, "pid")))
      const slow = yield* Effect.forkChild(TestApp.ask(file, "slow 300"), { startImmediately: true })
      yield* Effect.sleep(50)
      yield* app.kill("SIGTERM")
      yield* app.expect(/draining/)
      yield* Effect.sleep(50)
      assert.isFalse(fs.existsSync(file))
      assert.include(pids, Number(yield* Fiber.join(slow)))
      assert.deepStrictEqual(yield* app.ended, { code: 0, signal: null })
    }))

  it.live("that a killed server left behind is replaced", () =>
    Effect.gen(function*() {
      const file = path.join(yield* directory, "app.sock")
      const servers = { main: { _tag: "Unix", path: file, tls: false } } as const
      const first = yield* TestApp.start({ servers })
      yield* TestApp.ready(first)
      yield* first.kill("SIGKILL")
      yield* first.ended
      const second = yield* TestApp.start({ servers })
      const { pids } = yield* TestApp.ready(second)
      assert.include(pids, Number(yield* TestApp.ask(file, "pid")))
    }))

  it.live("with an abstract name serves too", () =>
    Effect.gen(function*() {
      const name = `kore-fx-test-${process.pid}`
      const app = yield* TestApp.start({ servers: { main: { _tag: "Unix", path: `@${name}`, tls: false } } })
      const { pids } = yield* TestApp.ready(app)
      assert.include(pids, Number(yield* TestApp.ask(`\0${name}`, "pid")))
    }))
})
