import { assert, beforeEach, describe, it } from "@effect/vitest"
import { WorkerFatal } from "@kore-fx/core/KoreError"
import { SignalError } from "@kore-fx/core/process/Signal"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { kore, reset, toApp } from "kore-fx/legacy"
import * as fs from "node:fs"
import * as os from "node:os"
import { ask, inWorker, notes, reported, routes, start, text, turn, until, untyped } from "./TestApp.ts"
import * as TestProcess from "./TestProcess.ts"

beforeEach(reset)

const { SIGKILL, SIGSEGV, SIGTERM, SIGUSR2, SIGWINCH } = os.constants.signals

/** What a list of processes shows. */
const titleOf = (pid: number): string => fs.readFileSync(`/proc/${pid}/cmdline`, "utf8").replace(/\0.*$/s, "")

describe("kore.setname", () => {
  it.live("setname is in the titles of the parent and of its workers", () =>
    Effect.gen(function*() {
      const app = yield* TestProcess.start("processes", "named")
      const worker = Number((yield* app.get("/")).split(" ")[2])
      assert.strictEqual(titleOf(app.pid), "shop [parent]")
      assert.strictEqual(titleOf(worker), "shop [wrk 1]")
    }))

  it.effect("is the name of the app, and kore without it", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* toApp({ configure() {} })).name, "kore")
      reset()
      assert.strictEqual((yield* toApp({ configure: () => kore.setname("shop") })).name, "shop")
      assert.throws(() => kore.setname("late"), kore.RuntimeError, "kore.setname comes too late")
    }))

  it("refuses what is no name", () => {
    for (const name of ["", 7, null, undefined]) {
      assert.throws(() => untyped.setname(name), kore.RuntimeError, /kore.setname got .+, expected a string/)
    }
  })
})

describe("a connection", () => {
  it.live("runtime §15.5: connection.fd is the descriptor of the socket, null where there is none", () =>
    Effect.gen(function*() {
      const app = yield* TestProcess.start("processes")
      assert.strictEqual(yield* app.get("/fd"), "200 true")
      const inTest = start(
        routes((domain) => domain.route("/", (req) => req.response(200, String(req.connection!.fd))))
      )
      assert.strictEqual(yield* Effect.provide(text("/"), inTest), "200 null")
    }))
})

describe("kore.fatalx", () => {
  it.live("kore.fatalx ends the worker and the whole server, with status 1", () =>
    Effect.gen(function*() {
      const app = yield* TestProcess.start("processes")
      yield* app.get("/fatalx")
      assert.deepStrictEqual(yield* app.ended, { code: 1, signal: null })
      assert.match(app.output(), /proc=\[wrk 1\] log=\[fatal: no licence\]/)
      assert.match(app.output(), /proc=\[parent\] log=\[error: Worker 1 ended the server: no licence\./)
      // Nothing runs any more in the worker that gave up.
      assert.notMatch(app.output(), /workerstop/)
    }))

  it.effect("and kore.fatal are core's WorkerFatal in a test, and the app goes on", () =>
    Effect.gen(function*() {
      for (const call of [kore.fatal, kore.fatalx]) assert.throws(() => call("no licence"), WorkerFatal, "no licence")
      assert.strictEqual(yield* text("/"), "200 ok")
    }).pipe(Effect.provide(start(routes((domain) => domain.route("/", (req) => req.response(200, "ok")))))))
})

describe("kore.shutdown", () => {
  it.live("kore.shutdown returns true at once, and the server ends in order with status 0", () =>
    Effect.gen(function*() {
      const app = yield* TestProcess.start("processes", "three")
      yield* app.expect(/workers ready/)
      const slow = yield* Effect.forkChild(app.get("/slow"), { startImmediately: true })
      yield* app.expect(/slow begins/)
      assert.strictEqual(yield* app.get("/shutdown"), "200 true")
      assert.strictEqual(yield* Fiber.join(slow), "200 slow")
      assert.deepStrictEqual(yield* app.ended, { code: 0, signal: null })
      assert.strictEqual([...app.output().matchAll(/log=\[workerstop\]/g)].length, 3)
    }))

  it.effect("in a test drains the app", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* text("/"), "200 true")
      yield* Effect.repeat(Effect.andThen(turn, Effect.exit(ask("/"))), {
        until: (exit) => exit._tag === "Failure"
      })
    }).pipe(
      Effect.provide(start(routes((domain) => domain.route("/", (req) => req.response(200, `${kore.shutdown()}`)))))
    ))

  it("kore §5: kore.shutdown where no worker runs is an exception", () => {
    assert.throws(() => kore.shutdown(), kore.RuntimeError, "kore.shutdown needs a worker, and none runs here")
  })
})

describe("kore.sigtrap", () => {
  for (const [how, mode, path] of [["in configure", "trapping", "/"], ["in a worker", "one", "/trap"]] as const) {
    it.live(`${how}: after kore.sigtrap the hook gets the signal once, and the worker lives on`, () =>
      Effect.gen(function*() {
        const app = yield* TestProcess.start("processes", mode)
        const pid = Number((yield* app.get(path)).split(" ").at(-1))
        process.kill(pid, "SIGWINCH")
        yield* app.expect(new RegExp(`log=\\[signal ${SIGWINCH}\\]`))
        process.kill(pid, "SIGUSR2")
        yield* app.expect(new RegExp(`log=\\[signal ${SIGUSR2}\\]`))
        assert.strictEqual((yield* app.get("/")).split(" ").at(-1), String(pid))
        assert.strictEqual(app.output().split(`signal ${SIGWINCH}]`).length, 2)
      }))
  }

  it.effect("after kore.sigtrap the hook gets the signal, and the worker lives on", () => {
    const { note, seen } = notes()
    return Effect.gen(function*() {
      process.kill(process.pid, "SIGWINCH")
      yield* until(() => seen.length === 1)
      assert.deepStrictEqual(seen, [SIGWINCH])
    }).pipe(Effect.provide(start({
      ...routes(() => {}),
      workerstart: () => kore.sigtrap(SIGWINCH),
      async signal(signo: number) {
        await kore.suspend(0)
        note(signo)
      }
    })))
  })

  it.effect("without a hook keeps the signal from ending the worker", () =>
    Effect.gen(function*() {
      kore.sigtrap(SIGUSR2)
      process.kill(process.pid, "SIGUSR2")
      yield* turn
      assert.deepStrictEqual(yield* reported, [])
    }).pipe(inWorker))

  it.live("kore §2.3: what the signal hook throws is reported, and the worker lives on", () =>
    Effect.gen(function*() {
      const app = yield* TestProcess.start("processes")
      const pid = Number((yield* app.get("/")).split(" ").at(-1))
      process.kill(pid, "SIGUSR1")
      yield* app.expect(/proc=\[wrk 1\] log=\[error: signal SIGUSR1 \(\d+\) failed Error: no thanks/)
      assert.strictEqual((yield* app.get("/")).split(" ").at(-1), String(pid))
    }))

  it("kore §1.5: kore.sigtrap refuses what is no signal, and names it", () => {
    for (const signo of [0, -1, 65, 1.5, NaN]) {
      try {
        kore.sigtrap(signo)
        throw new Error("nothing was thrown")
      } catch (error) {
        assert.instanceOf(error, kore.RuntimeError)
        assert.instanceOf((error as Error).cause, SignalError)
        assert.match((error as Error).message, new RegExp(`^Signal ${signo} cannot be subscribed to`))
      }
    }
    for (const signo of [SIGKILL, SIGSEGV]) {
      assert.throws(() => kore.sigtrap(signo), kore.RuntimeError, `Signal ${signo}`)
    }
    for (const signo of ["SIGUSR2", null, undefined]) {
      assert.throws(() => untyped.sigtrap(signo), kore.RuntimeError, /kore.sigtrap got .+, expected a number/)
    }
  })

  it.effect("comes too late once the app has started, where no worker runs", () =>
    Effect.gen(function*() {
      kore.sigtrap(SIGTERM)
      yield* toApp({ configure() {} })
      assert.throws(() => kore.sigtrap(SIGTERM), kore.RuntimeError, "kore.sigtrap comes too late")
    }))
})
