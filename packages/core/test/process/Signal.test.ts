import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import * as Scope from "effect/Scope"
import * as os from "node:os"
import * as Signal from "../../src/process/Signal.ts"
import * as TestApp from "../fixtures/TestApp.ts"

const raise = (signal: NodeJS.Signals) => Effect.sync(() => void process.kill(process.pid, signal))

describe("a subscription", () => {
  it.live("gets signals in the order in which they come, and every subscription gets each", () =>
    Effect.gen(function*() {
      const one = yield* Signal.subscribe(["SIGUSR2", "SIGWINCH"])
      const other = yield* Signal.subscribe(["SIGUSR2"])
      yield* raise("SIGUSR2")
      assert.strictEqual(yield* Queue.take(other), "SIGUSR2")
      yield* raise("SIGWINCH")
      assert.deepStrictEqual([yield* Queue.take(one), yield* Queue.take(one)], ["SIGUSR2", "SIGWINCH"])
    }))

  it.live("ends with its scope, and takes nobody else's away", () =>
    Effect.gen(function*() {
      const before = process.listenerCount("SIGUSR2")
      const scope = yield* Scope.make()
      yield* Scope.provide(Signal.subscribe(["SIGUSR2"]), scope)
      const other = yield* Signal.subscribe(["SIGUSR2"])
      assert.strictEqual(process.listenerCount("SIGUSR2"), before + 2)
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(process.listenerCount("SIGUSR2"), before + 1)
      yield* raise("SIGUSR2")
      assert.strictEqual(yield* Queue.take(other), "SIGUSR2")
    }))

  it.live("that waits for one signal leaves nothing behind, also when it is interrupted", () =>
    Effect.gen(function*() {
      const before = process.listenerCount("SIGUSR2")
      const waiting = yield* Effect.forkChild(Signal.wait(["SIGUSR2"]), { startImmediately: true })
      yield* Fiber.interrupt(waiting)
      assert.strictEqual(process.listenerCount("SIGUSR2"), before)
    }))
})

describe("a signal that cannot be had (kore §5: sigtrap exits the process)", () => {
  const cases: ReadonlyArray<readonly [signal: string | number, reason: RegExp]> = [
    ["SIGFOO", /Signal SIGFOO cannot be subscribed to: this system has no such signal/],
    ["", /no such signal/],
    ["constructor", /no such signal/],
    [0, /Signal 0 .* no such signal/],
    [-1, /no such signal/],
    [1.5, /no such signal/],
    [NaN, /no such signal/],
    [1_000, /no such signal/],
    ["SIGKILL", /no process can catch it/],
    [os.constants.signals.SIGSTOP, /no process can catch it/],
    ["SIGSEGV", /can run no JavaScript/]
  ]
  for (const [signal, reason] of cases) {
    it.effect(`${JSON.stringify(signal)} is an error, and nothing was subscribed to`, () =>
      Effect.gen(function*() {
        const before = process.listenerCount("SIGUSR2")
        for (const effect of [Signal.subscribe, Signal.ignore]) {
          const error = yield* Effect.flip(effect(["SIGUSR2", signal]))
          assert.strictEqual(error._tag, "SignalError")
          assert.match(error.message, reason)
        }
        assert.match((yield* Effect.flip(Signal.wait([signal]))).message, reason)
        assert.strictEqual(process.listenerCount("SIGUSR2"), before)
      }))
  }
})

describe("an app in a worker", () => {
  it.live("that subscribes to SIGTERM is told, and the worker drains all the same; a second one does not kill it", () =>
    Effect.gen(function*() {
      const app = yield* TestApp.start({ config: { workers: 1 }, trap: "SIGTERM" })
      const { pids: [pid], port } = yield* TestApp.ready(app)
      const slow = yield* Effect.forkChild(TestApp.ask(port, "slow 600"), { startImmediately: true })
      yield* TestApp.ask(port, "pid")
      yield* app.kill("SIGTERM", pid)
      yield* app.expect(/proc=\[wrk 1\] log=\[the app got SIGTERM\]/)
      yield* app.kill("SIGTERM", pid)
      yield* app.expect(/the app got SIGTERM[^]*the app got SIGTERM/)
      assert.strictEqual(yield* Fiber.join(slow), String(pid))
      yield* app.expect(/exited with status 0; restarting at once/)
    }))

  it.live("that subscribes to SIGUSR2 is told what is sent to its worker", () =>
    Effect.gen(function*() {
      const app = yield* TestApp.start({ config: { workers: 1 }, trap: "SIGUSR2" })
      const { pids: [pid] } = yield* TestApp.ready(app)
      yield* app.kill("SIGUSR2", pid)
      yield* app.expect(/proc=\[wrk 1\] log=\[the app got SIGUSR2\]/)
    }))

  it.live("B39: SIGUSR1 to the parent is passed on to the apps of all workers, and ends nobody (kore: http §16)", () =>
    Effect.gen(function*() {
      const app = yield* TestApp.start({ config: { workers: 2 }, trap: "SIGUSR1" })
      const { pids, port } = yield* TestApp.ready(app)
      yield* app.kill("SIGUSR1")
      yield* app.expect(/proc=\[parent\] log=\[SIGUSR1 passed on to 2 workers\]/)
      for (const worker of [1, 2]) {
        yield* app.expect(new RegExp(`proc=\\[wrk ${worker}\\] log=\\[the app got SIGUSR1\\]`))
      }
      assert.include(pids.map(String), yield* TestApp.ask(port, "pid"))
      assert.notMatch(app.output(), /Debugger|is no message/)
    }))

  it.live("SIGUSR1 to the parent does not end a worker that is still starting", () =>
    Effect.gen(function*() {
      const app = yield* TestApp.start({ config: { workers: 2 } })
      yield* app.expect(/starting, pid/)
      // Workers come up at about this time; wherever they are, they live.
      for (let i = 0; i < 10; i++) {
        yield* app.kill("SIGUSR1")
        yield* Effect.sleep(20)
      }
      yield* TestApp.ready(app)
      assert.notMatch(app.output(), /ended: |Debugger/)
    }))
})

describe("names and numbers", () => {
  it.effect("lead to the signal", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* Signal.parse("SIGUSR2"), "SIGUSR2")
      assert.strictEqual(yield* Signal.parse(os.constants.signals.SIGUSR2), "SIGUSR2")
    }))

  it.live("of the list can all be subscribed to", () => Effect.asVoid(Signal.subscribe(Signal.names)))
})
