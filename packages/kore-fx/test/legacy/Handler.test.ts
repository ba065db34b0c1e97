import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { kore } from "kore-fx/legacy"
import { ask, reported, routes, Said, start, text, turn, until, withStoppedTime } from "./TestApp.ts"

describe("a handler", () => {
  it.effect("may be plain, async, a generator function, or return an Effect", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* text("/plain"), "200 plain")
      assert.strictEqual(yield* text("/async"), "200 async")
      assert.strictEqual(yield* text("/generator"), "200 generator")
      assert.strictEqual(yield* text("/effect"), "200 effect")
      assert.strictEqual(yield* text("/promise"), "200 promise")
    }).pipe(Effect.provide(start(routes((domain) => {
      domain.route("/plain", (req) => req.response(200, "plain"))
      domain.route("/async", async (req) => {
        await kore.suspend(0)
        req.response(200, "async")
      })
      domain.route("/generator", function*(req) {
        yield kore.suspend(0)
        yield* kore.suspend(0)
        req.response(200, "generator")
      })
      domain.route("/effect", (req) => Effect.sync(() => req.response(200, "effect")))
      domain.route("/promise", (req) => Promise.resolve().then(() => req.response(200, "promise")))
    })))))

  it.effect("is called with the app as this, also when it is a method's name", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* text("/"), "200 Ada")
      assert.strictEqual(yield* text("/named"), "200 Ada")
    }).pipe(Effect.provide(start({
      name: "Ada",
      configure() {
        kore.server("main", { ip: "127.0.0.1", port: 0, tls: false })
        const domain = kore.domain("*", { attach: "main" })
        domain.route("/", this.index)
        domain.route("/named", "index")
      },
      index(req: kore.Request) {
        req.response(200, this.name)
      }
    }))))

  it.effect("waits by the Clock in suspend", () => {
    let hasBegun = false
    return Effect.gen(function*() {
      let isDone = false
      const fiber = yield* Effect.forkChild(Effect.tap(text("/"), () => Effect.sync(() => isDone = true)))
      yield* until(() => hasBegun)
      yield* turn
      yield* TestClock.adjust("999 millis")
      yield* turn
      assert.isFalse(isDone)
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(yield* Fiber.join(fiber), "200 rested")
    }).pipe(Effect.provide(start(routes((domain) =>
      domain.route("/", async (req) => {
        hasBegun = true
        await kore.suspend(1000)
        req.response(200, "rested")
      })
    ))))
  })

  it.effect("A10: that throws nothing at all gets 500, and a Promise that rejects early harms nobody", () =>
    Effect.gen(function*() {
      for (const url of ["/null", "/undefined", "/generator", "/rejected"]) {
        assert.strictEqual((yield* ask(url)).status, 500)
      }
      // Tasks in a line: the handler's own begins turns after it was called.
      for (let i = 0; i < 50; i++) kore.task_create(() => kore.suspend(0))
      assert.strictEqual((yield* ask("/early")).status, 500)
      assert.include((yield* reported).join(), "early")
    }).pipe(Effect.provide(start(routes((domain) => {
      domain.route("/null", async () => {
        throw null
      })
      domain.route("/undefined", () => {
        throw undefined
      })
      domain.route("/generator", function*() {
        yield kore.suspend(0)
        throw null
      })
      domain.route("/rejected", () => Promise.reject())
      domain.route("/early", () => Promise.reject(new Error("early")))
    })))))

  it.effect("that ends without a response gets 500 and a report that names it", () =>
    Effect.gen(function*() {
      for (const url of ["/plain", "/async", "/generator"]) assert.strictEqual((yield* ask(url)).status, 500)
      assert.deepStrictEqual(yield* reported, [
        "RuntimeError: the handler silent of \"/plain\" ended without calling req.response",
        "RuntimeError: the handler of \"/async\" ended without calling req.response",
        "RuntimeError: the handler of \"/generator\" ended without calling req.response"
      ])
    }).pipe(Effect.provide(start(routes((domain) => {
      domain.route("/plain", function silent() {})
      domain.route("/async", async () => {})
      domain.route("/generator", function*() {
        yield kore.suspend(0)
      })
    })))))

  it.effect("that throws gets 500, tells the client nothing, and is reported once", () =>
    Effect.gen(function*() {
      for (const url of ["/plain", "/async", "/generator"]) {
        const { status, text } = yield* ask(url)
        assert.strictEqual(status, 500)
        assert.notInclude(text, "secret")
      }
      assert.deepStrictEqual(yield* reported, ["Error: secret plain", "Error: secret async", "Error: secret generator"])
      const { reports } = yield* Said
      assert.deepStrictEqual(reports.map(({ origin }) => [origin.kind, origin.name]), [
        ["request", "GET /plain"],
        ["request", "GET /async"],
        ["request", "GET /generator"]
      ])
    }).pipe(Effect.provide(start(routes((domain) => {
      domain.route("/plain", () => {
        throw new Error("secret plain")
      })
      domain.route("/async", async () => {
        await kore.suspend(0)
        throw new Error("secret async")
      })
      domain.route("/generator", function*() {
        yield kore.suspend(0)
        throw new Error("secret generator")
      })
    })))))

  it.effect("that throws after its response is reported once and changes nothing on the wire", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* text("/plain"), "200 fine")
      assert.strictEqual(yield* text("/async"), "200 fine")
      const { reports } = yield* Said
      yield* until(() => reports.length === 2)
      assert.deepStrictEqual(yield* reported, ["Error: late plain", "Error: late async"])
    }).pipe(Effect.provide(start(routes((domain) => {
      domain.route("/plain", (req) => {
        req.response(200, "fine")
        throw new Error("late plain")
      })
      domain.route("/async", async (req) => {
        req.response(200, "fine")
        await kore.suspend(0)
        throw new Error("late async")
      })
    })))))

  it.effect("that responds twice sends the first and logs the second", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* text("/"), "200 first")
      const { lines } = yield* Said
      assert.deepStrictEqual(lines, [
        "error: GET /: the handler twice of \"/\" called req.response(404, …) after req.response(200, …); " +
        "only the first answer was sent"
      ])
    }).pipe(Effect.provide(start(routes((domain) =>
      domain.route("/", function twice(req) {
        req.response(200, "first")
        req.response(404, "second")
      })
    )))))

  it.effect("may go on after its response", () => {
    const done: Array<string> = []
    return Effect.gen(function*() {
      assert.strictEqual(yield* text("/"), "202 accepted")
      assert.deepStrictEqual(done, [])
      yield* TestClock.adjust("1 minute")
      yield* until(() => done.length === 1)
    }).pipe(Effect.provide(start(routes((domain) =>
      domain.route("/", async (req) => {
        req.response(202, "accepted")
        await kore.suspend(60_000)
        done.push("work")
      })
    ))))
  })

  it.effect("may return anything", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* text("/"), "200 ok")
      assert.deepStrictEqual(yield* reported, [])
    }).pipe(Effect.provide(start(routes((domain) =>
      domain.route("/", (req) => {
        req.response(200, "ok")
        return { any: "thing" }
      })
    )))))
})

describe("the client's leaving", () => {
  const leave = Effect.gen(function*() {
    const fiber = yield* Effect.forkChild(text("/"))
    yield* until(() => seen.length > 0)
    yield* Fiber.interrupt(fiber)
    yield* until(() => seen.includes("end"))
    return seen
  })
  const seen: Array<string> = []
  const note = (what: unknown) => void seen.push(String(what))
  const app = (install: (domain: kore.Domain) => void) => {
    seen.length = 0
    return start(routes(install))
  }

  it.effect("rejects the pending await of an async handler with Killed, once; what it awaits to clean up works", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* leave, ["begin", "true", "Killed", "waited", "end"])
      const { lines } = yield* Said
      assert.deepStrictEqual([yield* reported, lines], [[], []])
    }).pipe(Effect.provide(app((domain) =>
      domain.route("/", async (req) => {
        note("begin")
        try {
          await kore.suspend(1e9)
        } catch (error) {
          note(error instanceof kore.Killed)
          note((error as Error).name)
          await kore.suspend(0).then(() => note("waited"), (error) => note(error.name))
          req.response(200, "nobody reads this")
        } finally {
          note("end")
        }
      })
    ))))

  it.effect("returns a generator, whose finally blocks run", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* leave, ["begin", "inner", "null", "end"])
      assert.deepStrictEqual(yield* reported, [])
    }).pipe(Effect.provide(app((domain) =>
      domain.route("/", function*(req) {
        note("begin")
        try {
          yield (function*() {
            try {
              yield kore.suspend(1e9)
            } finally {
              note("inner")
            }
          })()
        } finally {
          note(req.connection)
          note("end")
        }
      })
    ))))

  it.effect("does not touch what a handler does after its response", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* text("/"), "200 ok")
      yield* TestClock.adjust("1 second")
      yield* until(() => seen.includes("end"))
      assert.deepStrictEqual(seen, ["begin", "end"])
    }).pipe(Effect.provide(app((domain) =>
      domain.route("/", async (req) => {
        note("begin")
        req.response_header("connection", "close")
        req.response(200, "ok")
        await kore.suspend(1000)
        note("end")
      })
    ))))

  it.effect("kore §2.5: req.connection is null once the client has left", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* leave, ["begin", "false", "true", "end"])
    }).pipe(Effect.provide(app((domain) =>
      domain.route("/", async (req) => {
        note("begin")
        note(req.connection === null)
        try {
          await kore.suspend(1e9)
        } finally {
          note(req.connection === null)
          note("end")
        }
      })
    ))))

  it.effect("kore §2.5: a request whose client has left can be read, and answered in vain", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* leave, ["begin", "http / localhost 1", "end"])
      const { lines } = yield* Said
      assert.deepStrictEqual([yield* reported, lines], [[], []])
    }).pipe(Effect.provide(app((domain) =>
      domain.route("/", async (req) => {
        note("begin")
        try {
          await kore.suspend(1e9)
        } finally {
          note(`${req.protocol} ${req.path} ${req.host} ${req.method}`)
          req.response_header("x-late", "yes")
          req.response(200, ["an", "iterable"])
          await kore.suspend(0)
          req.response(200, "again")
          note("end")
        }
      })
    ))))

  it.effect("abandons a coroutine that catches Killed for ever, and says so", () =>
    withStoppedTime((pass) =>
      Effect.gen(function*() {
        const fiber = yield* Effect.forkChild(text("/"))
        yield* until(() => seen.length > 0)
        fiber.interruptUnsafe()
        yield* turn
        pass(2000)
        const { reports } = yield* Said
        yield* until(() => reports.length > 0)
        assert.match((yield* reported)[0]!,
          /GET \/ was killed, but caught kore.Killed 100 times and went on: it was abandoned/)
      })
    ).pipe(Effect.provide(app((domain) =>
      domain.route("/", async () => {
        note("begin")
        while (true) await kore.suspend(1000).then(undefined, () => {})
      })
    ))))
})
