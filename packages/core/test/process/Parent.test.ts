import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as fs from "node:fs"
import * as path from "node:path"
import type * as Listener from "../../src/Listener.ts"
import * as TestApp from "../fixtures/TestApp.ts"

const ascending = (a: number, b: number) => a - b

describe("workers", () => {
  it.live("share one socket and say so at start", () =>
    Effect.gen(function*() {
      const app = yield* TestApp.start()
      const { pids, port } = yield* TestApp.ready(app)
      assert.strictEqual(pids.length, 2)
      const answers = new Set(yield* TestApp.askTimes(port, 200))
      assert.deepStrictEqual([...answers].map(Number).sort(ascending), [...pids].sort(ascending))
      assert.match(app.output(), new RegExp(`kore-fx \\S+ starting, pid ${app.pid}`))
    }))

  it.live("a killed one is replaced while the other serves", () =>
    Effect.gen(function*() {
      const app = yield* TestApp.start()
      const { pids: [first, second], port } = yield* TestApp.ready(app)
      yield* app.kill("SIGKILL", first)
      yield* TestApp.gone(first!)
      const meanwhile = yield* TestApp.askTimes(port, 20)
      assert.isTrue(meanwhile.every((answer) => /^\d+$/.test(answer)), String(meanwhile))
      const [, replacement] = yield* app.expect(/worker 1 ready again \(pid (\d+)\)/)
      assert.match(app.output(), /worker 1 \(pid \d+\) ended: it was killed by SIGKILL; restarting at once/)
      const answers = new Set(yield* TestApp.askTimes(port, 200))
      assert.deepStrictEqual([...answers].map(Number).sort(ascending), [second!, Number(replacement)].sort(ascending))
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

describe("a UNIX socket", () => {
  it.live("serves, and its file is gone when the server is", () =>
    Effect.gen(function*() {
      const file = path.join(yield* TestApp.directory, "app.sock")
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

  it.live("beside a port: each server has its own descriptor in the workers", () =>
    Effect.gen(function*() {
      const file = path.join(yield* TestApp.directory, "admin.sock")
      const app = yield* TestApp.start({
        servers: {
          admin: { _tag: "Unix", path: file, tls: false },
          main: { _tag: "Tcp", host: "127.0.0.1", port: 0, tls: false }
        }
      })
      const { pids, port } = yield* TestApp.ready(app)
      assert.include(pids, Number(yield* TestApp.ask(port, "pid")))
      assert.include(pids, Number(yield* TestApp.ask(file, "pid")))
    }))

  it.live("that a killed server left behind is replaced", () =>
    Effect.gen(function*() {
      const file = path.join(yield* TestApp.directory, "app.sock")
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
      const pidfile = path.join(yield* TestApp.directory, "kore.pid")
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
