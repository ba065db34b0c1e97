import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { isLegacy, kore, reset } from "kore-fx/legacy"
import { koreapp } from "./fixtures/seed.ts"
import { ask, reported, routes, Said, start, text, until } from "./TestApp.ts"
import * as TestProcess from "./TestProcess.ts"

describe("the first example of Kore's documentation", () => {
  it.effect("runs in the test's process", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* text("/"), "200 hello")
      assert.strictEqual(yield* text("/7"), "200 7")
      assert.strictEqual((yield* ask("/77")).status, 404)
      assert.strictEqual((yield* ask("/", { method: "POST" })).status, 405)
      assert.strictEqual((yield* ask("/", { method: "HEAD" })).status, 200)
    }).pipe(Effect.provide(start(koreapp))))

  it.live("runs as a program, over HTTP", () =>
    Effect.gen(function*() {
      const app = yield* TestProcess.start("seed", "0")
      assert.strictEqual(yield* app.get("/"), "200 hello")
      assert.strictEqual(yield* app.get("/7"), "200 7")
      assert.match(yield* app.get("/77"), /^404 /)
      process.kill(app.pid, "SIGTERM")
      assert.deepStrictEqual(yield* app.ended, { code: 0, signal: null })
      assert.match(app.output(), /not applied: deployment/)
    }))
})

describe("hooks", () => {
  it.live("run in their order in parent and workers, with the words of the command line", () =>
    Effect.gen(function*() {
      const app = yield* TestProcess.start("program", "two", "words")
      assert.match(yield* app.get("/"), /^200 \d+$/)
      yield* app.expect(/proc=\[wrk 2\] log=\[task of import in worker 2\]/)
      process.kill(app.pid, "SIGTERM")
      assert.deepStrictEqual(yield* app.ended, { code: 0, signal: null })
      const output = app.output()
      assert.match(output, /proc=\[parent\] log=\[configure two words in worker null\]/)
      assert.strictEqual([...output.matchAll(/proc=\[wrk\] log=\[configure two words in worker null\]/g)].length, 2)
      for (const worker of [1, 2]) {
        const lines = output.split("\n").filter((line) => line.includes(`proc=[wrk ${worker}]`))
        assert.deepStrictEqual(lines.map((line) => /log=\[(.*)\]/.exec(line)![1]), [
          `workerstart ${worker}`,
          `task of import in worker ${worker}`,
          `error: workerstop ${worker}`
        ])
      }
      const last = output.trim().split("\n").at(-1)!
      assert.match(last, /proc=\[parent\] log=\[cleanup in worker null\]/)
    }))

  it.live("may be exports of a module without a class", () =>
    Effect.gen(function*() {
      const app = yield* TestProcess.start("module", "a", "b")
      assert.strictEqual(yield* app.get("/"), "200 stored this")
      process.kill(app.pid, "SIGTERM")
      assert.deepStrictEqual(yield* app.ended, { code: 0, signal: null })
      assert.match(app.output(),
        /proc=\[parent\] log=\[configure a,b\][^]*proc=\[wrk 1\] log=\[teardown\][^]*log=\[parent teardown\]/)
    }))

  it.live("workerstop comes after the requests, and what it throws is reported", () =>
    Effect.gen(function*() {
      const app = yield* TestProcess.start("program", "workerstop")
      yield* app.expect(/worker ready/)
      const slow = yield* Effect.forkChild(app.get("/slow"), { startImmediately: true })
      yield* Effect.sleep(100)
      process.kill(app.pid, "SIGTERM")
      assert.strictEqual(yield* Fiber.join(slow), "200 slow")
      assert.deepStrictEqual(yield* app.ended, { code: 0, signal: null })
      assert.match(app.output(), /error: worker workerstop \(\d+\) failed Error: late trouble/)
    }))

  it.live("configure fails: nothing starts, status 2, and the reason with its place", () =>
    Effect.gen(function*() {
      const app = yield* TestProcess.start("program", "configure")
      assert.deepStrictEqual(yield* app.ended, { code: 2, signal: null })
      assert.match(
        app.output(),
        /proc=\[parent\] log=\[error: configure\(\) failed: no configuration today \(\S+program.ts:\d+:\d+\) \[KORE_\w+\]\]/
      )
      assert.notMatch(app.output(), /cleanup|listens/)
    }))

  it.live("configure fails in a worker only: the parent says why and makes no second try", () =>
    Effect.gen(function*() {
      const app = yield* TestProcess.start("program", "configure in workers")
      assert.deepStrictEqual(yield* app.ended, { code: 2, signal: null })
      assert.match(app.output(),
        /configure\(\) failed: kore.config.workers = 0: expected an integer between 1 and 1024/)
      assert.notMatch(app.output(), /restarting/)
    }))

  it.live("workerstart fails: the start fails with the reason", () =>
    Effect.gen(function*() {
      const app = yield* TestProcess.start("program", "workerstart")
      assert.deepStrictEqual(yield* app.ended, { code: 1, signal: null })
      assert.match(app.output(),
        /Worker 1 did not stay up \(2 attempts\): workerstart\(\) failed: TypeError: no database today \(\/\S+/)
    }))

  it.live("cleanup fails: status 1", () =>
    Effect.gen(function*() {
      const app = yield* TestProcess.start("program", "cleanup")
      yield* app.expect(/worker ready/)
      process.kill(app.pid, "SIGTERM")
      assert.deepStrictEqual(yield* app.ended, { code: 1, signal: null })
      assert.match(app.output(), /error: cleanup\(\) failed: nothing to clean/)
    }))

  it.live("signal gets what the worker gets, and a second SIGTERM still ends it", () =>
    Effect.gen(function*() {
      const app = yield* TestProcess.start("program", "signal")
      const pid = Number((yield* app.get("/")).slice(4))
      process.kill(pid, "SIGUSR1")
      yield* app.expect(/log=\[signal 10\]/)
      process.kill(pid, "SIGHUP")
      yield* app.expect(/log=\[signal 1\]/)
      const slow = yield* Effect.forkChild(app.get("/slow"), { startImmediately: true })
      yield* Effect.sleep(100)
      process.kill(pid, "SIGTERM")
      yield* app.expect(/log=\[signal 15\]/)
      yield* Effect.sleep(100)
      process.kill(pid, "SIGTERM")
      yield* app.expect(/it was killed by SIGTERM/)
      yield* Fiber.interrupt(slow)
    }))

  it.live("a client that leaves kills its handler at once", () =>
    Effect.gen(function*() {
      const app = yield* TestProcess.start("program", "leave")
      yield* app.expect(/worker ready/)
      const waiting = yield* Effect.forkChild(app.get("/wait"), { startImmediately: true })
      yield* Effect.sleep(300)
      yield* Fiber.interrupt(waiting)
      yield* app.expect(/log=\[wait ends with Killed: this coroutine was killed\]/)
      // Nothing is left to drain.
      process.kill(app.pid, "SIGTERM")
      assert.deepStrictEqual(yield* app.ended, { code: 0, signal: null })
    }))

  it.live("TLS is refused with the sentence of Kore.main", () =>
    Effect.gen(function*() {
      const app = yield* TestProcess.start("program", "tls")
      assert.deepStrictEqual(yield* app.ended, { code: 2, signal: null })
      assert.match(app.output(),
        /Server "main" cannot listen on https:\/\/127.0.0.1:0: TLS is not available in this version/)
      assert.notMatch(app.output(), /cleanup/)
    }))

  it.live("kore.fatal ends the worker with its reason, and another one follows", () =>
    Effect.gen(function*() {
      const app = yield* TestProcess.start("program", "fatal")
      yield* app.get("/fatal")
      yield* app.expect(/proc=\[wrk 1\] log=\[fatal: worker going dead\]/)
      yield* app.expect(/worker 1 \(pid \d+\) ended: worker going dead; restarting/)
      yield* app.expect(/worker 1 ready again/)
    }))
})

describe("kore.tracer", () => {
  it.effect("gets class, value and stack of what nobody caught, once", () => {
    const seen: Array<ReadonlyArray<unknown>> = []
    return Effect.gen(function*() {
      assert.strictEqual((yield* ask("/")).status, 500)
      yield* ask("/task")
      yield* until(() => seen.length === 2)
      assert.deepStrictEqual(seen.map(([etype, value]) => [etype, String(value)]), [
        [TypeError, "TypeError: in a handler"],
        [Error, "in a task"]
      ])
      assert.match(String(seen[0]![2]), /^TypeError: in a handler\n\s+at .*Program.test.ts/)
      assert.isString(seen[1]![2])
    }).pipe(Effect.provide(start({
      configure() {
        kore.tracer((...args) => void seen.push(args))
        assert.throws(() => kore.tracer(() => {}), kore.RuntimeError, "there is one tracer")
        routes((domain) => {
          domain.route("/", () => {
            throw new TypeError("in a handler")
          })
          domain.route("/task", (req) => {
            kore.task_create(() => {
              throw "in a task"
            })
            req.response(200, "")
          })
        }).configure()
      }
    })))
  })

  it.effect("that fails itself loses nothing: both go to the log", () =>
    Effect.gen(function*() {
      yield* ask("/")
      const { lines } = yield* Said
      yield* until(() => lines.length === 2)
      assert.match(lines.join("\n"), /error: request GET \/.*the original[^]*error: tracer .*of the tracer/)
    }).pipe(Effect.provide(start({
      configure() {
        kore.tracer(async () => {
          throw new Error("of the tracer")
        })
        routes((domain) =>
          domain.route("/", () => {
            throw new Error("the original")
          })
        ).configure()
      }
    }))))
})

describe("small functions", () => {
  it.effect("log writes one line with the level of the priority, and filters nothing", () =>
    Effect.gen(function*() {
      const { lines } = yield* Said
      assert.deepStrictEqual(lines, ["error: a\\nb", "warn: c", "d", "e", "f"])
      assert.throws(() => kore.log("6" as never, "x"), kore.RuntimeError, "priority \"6\"")
      assert.throws(() => kore.log(6, 7 as never), kore.RuntimeError, "got 7, expected a string")
      assert.deepStrictEqual(yield* reported, [])
    }).pipe(Effect.provide(start({
      ...routes(() => {}),
      workerstart() {
        kore.log(kore.LOG_ERR, "a\nb")
        kore.log(4, "c")
        kore.log(kore.LOG_NOTICE, "d")
        kore.log(kore.LOG_INFO, "e")
        kore.log(7, "f")
      }
    }))))

  it.effect("worker, time and app tell where, when and what", () =>
    Effect.sync(() => {
      assert.isNull(kore.app())
      assert.isTrue(kore.app({ some: "thing" }))
      assert.deepStrictEqual(kore.app(), { some: "thing" })
      assert.strictEqual(kore.worker(), 1)
      assert.strictEqual(kore.time(), 0)
    }).pipe(Effect.provide(start(routes(() => {})))))

  it("worker is null where no worker runs, and time goes forward", () => {
    assert.isNull(kore.worker())
    const before = kore.time()
    assert.isTrue(Number.isInteger(before) && kore.time() >= before)
  })

  it("isLegacy knows programs of the old API by their exports or by what they declared", () => {
    reset()
    assert.isTrue(isLegacy({ koreapp }))
    assert.isTrue(isLegacy({ default: koreapp }))
    assert.isTrue(isLegacy({ kore_worker_configure: () => {} }))
    assert.isFalse(isLegacy({ app: {}, default: {} }))
    kore.server("main", { ip: "127.0.0.1", port: 0, tls: false })
    assert.isTrue(isLegacy({}))
  })
})
