/** What is released when: requests before tasks, tasks before the app's services. */
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as References from "effect/References"
import * as Schema from "effect/Schema"
import * as SchemaGetter from "effect/SchemaGetter"
import * as Scope from "effect/Scope"
import { Domain, HttpError, Kore, Response, Route, Server, Task } from "kore-fx"

const servers = { main: Server.tcp({ host: "127.0.0.1", port: 0, tls: false }) }

const get = (url: string) =>
  Effect.flatMap(HttpClient.get(url), (response) =>
    Effect.map(response.text, (text) => ({ status: response.status, text })))

describe("the end of an app", () => {
  it.live("waits for finalizers of requests, then for tasks, and releases the services last", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const say = (text: string) => Effect.sync(() => void log.push(text))
      class Db extends Context.Service<Db, true>()("test/Db") {
        static readonly layer = Layer.effect(Db, Effect.acquireRelease(Effect.succeed(true as const), () => say("db")))
      }
      const app = Kore.app({
        servers,
        worker: Domain.layer("*", { attach: "main" }, [
          Route.get("/", function*() {
            yield* Db
            yield* Effect.addFinalizer(() => Effect.delay(say("request"), "50 millis"))
            yield* Task.create(Effect.onInterrupt(Effect.never, () => Effect.delay(say("task"), "20 millis")))
            return Response.text("ok")
          })
        ]).pipe(Layer.provide(Db.layer))
      })
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(Kore.test(app), scope)
      assert.strictEqual((yield* Effect.provideContext(get("/"), context)).text, "ok")
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual(log, ["request", "task", "db"])
    }))
})

describe("an app", () => {
  const reports: Array<string> = []
  const Failing = Schema.String.pipe(Schema.decodeTo(Schema.String, {
    decode: SchemaGetter.transform((): string => {
      throw new Error("the original defect")
    }),
    encode: SchemaGetter.transform((text: string) => text)
  }))
  class Sold
    extends HttpError.TaggedError<Sold>()("Sold", { by: Schema.String }, { httpStatus: 503, detail: "sold out" })
  {}
  const app = Kore.app({
    servers,
    tracer: (cause) => Effect.sync(() => void reports.push(String(cause))),
    worker: Layer.mergeAll(
      Domain.layer("Example.com", { attach: "main" }, [Route.get("/one", () => Effect.succeed(Response.text("1")))]),
      Domain.layer("example.com.", { attach: "main" }, [Route.get("/two", () => Effect.succeed(Response.text("2")))]),
      Domain.layer("*", { attach: "main" }, [
        Route.get("/decoder", { query: { q: Failing } }, () => Effect.succeed(Response.empty())),
        Route.get("/tracing", () => Effect.map(References.TracerEnabled, (on) => Response.text(String(on)))),
        Route.get("/sold", () => Effect.fail(new Sold({ by: "an internal name" })))
      ])
    ).pipe(Layer.provide(Layer.succeed(References.TracerEnabled, true)))
  })

  it.effect("adds up domains whose hosts are spelled differently", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* get("http://example.com/one")).text, "1")
      assert.strictEqual((yield* get("http://EXAMPLE.com/two")).text, "2")
    }).pipe(Effect.provide(Kore.test(app))))

  it.effect("reports what a Schema dies of as it is", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* get("/decoder?q=x")).status, 500)
      assert.include(reports.join(), "the original defect")
    }).pipe(Effect.provide(Kore.test(app))))

  it.effect("can switch tracing on", () =>
    Effect.map(get("/tracing"), ({ text }) => assert.strictEqual(text, "true")).pipe(Effect.provide(Kore.test(app))))

  it.effect("tells nothing of the fields of an error that is a fault", () =>
    Effect.gen(function*() {
      const { status, text } = yield* get("/sold")
      assert.strictEqual(status, 503)
      assert.deepStrictEqual(JSON.parse(text), {
        type: "about:blank",
        title: "Service Unavailable",
        status: 503,
        detail: "sold out"
      })
    }).pipe(Effect.provide(Kore.test(app))))

  it("refuses an error whose field would hide a member of the problem", () => {
    assert.throws(
      () => HttpError.TaggedError()("Bad", { status: Schema.String }, { httpStatus: 409 }),
      /the fields status are members of every problem/
    )
  })

  it.effect("refuses hosts that nothing can match", () =>
    Effect.gen(function*() {
      for (const host of ["exa*.org", "example.com:80", ""]) {
        const one = Kore.app({ servers, worker: Domain.layer(host, { attach: "main" }, []) })
        const error = yield* Effect.flip(Effect.scoped(Layer.build(Kore.test(one))))
        assert.include(error.message, "a host is a name")
      }
    }))
})
