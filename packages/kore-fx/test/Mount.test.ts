import { assert, describe, it } from "@effect/vitest"
import * as Mount from "@kore-fx/http/Mount"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as HttpApi from "effect/http-api/HttpApi"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpEffect from "effect/http/HttpEffect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { Domain, HttpError, Kore, Middleware, Request, Response, Route, Server } from "kore-fx"

class Sold extends HttpError.TaggedError<Sold>()("Sold", {}, { httpStatus: 410 }) {}
class Stock extends Context.Service<Stock, { readonly name: string }>()("test/Stock") {}

const serve = <E>(worker: Layer.Layer<never, E, Kore.Provided | Domain.Attached<"main">>) =>
  Kore.test(Kore.app({ servers: { main: Server.tcp({ host: "127.0.0.1", port: 0, tls: false }) }, worker }))

const ask = Effect.fnUntraced(function*(request: HttpClientRequest.HttpClientRequest) {
  const { headers, status, text } = yield* HttpClient.execute(request)
  return { status, headers, body: yield* text }
})
const get = (path: string) => ask(HttpClientRequest.get(path))
const bodyOf = (path: string) => Effect.map(get(path), ({ body }) => body)

const echo = Effect.map(Request.Request, (request) => Response.text(`${request.method} ${request.url}`))

describe("a mounted app", () => {
  it.effect("sees all methods, the path below its prefix as sent, and the query; longer paths of the domain go first", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* bodyOf("/echo"), "GET /")
      assert.strictEqual(yield* bodyOf("/echo?q=%20"), "GET /?q=%20")
      assert.strictEqual(yield* bodyOf("/echo/"), "GET /")
      assert.strictEqual(yield* bodyOf("/echo/a%2Fb/?q"), "GET /a%2Fb/?q")
      assert.strictEqual(yield* bodyOf("/ech%6f/a"), "GET /a")
      assert.strictEqual(yield* bodyOf("/echo//evil.test/a"), "GET /evil.test/a")
      assert.strictEqual(yield* bodyOf("/echo/own"), "own")
      assert.strictEqual(yield* bodyOf("/echoes"), "root GET /echoes")
      for (const method of ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"] as const) {
        assert.strictEqual((yield* ask(HttpClientRequest.make(method)("/echo/x"))).body, `${method} /x`)
      }
      assert.strictEqual((yield* ask(HttpClientRequest.head("/echo/x"))).headers["content-length"], "7")
    }).pipe(Effect.provide(serve(Domain.layer("*", { attach: "main" }, [
      ...Mount.httpApp("/echo", echo),
      ...Mount.httpApp("/", Effect.map(echo, (response) =>
        response.body._tag === "Uint8Array" ? Response.text(`root ${response.body.text}`) : response)),
      Route.get("/echo/own", () =>
        Effect.succeed(Response.text("own")))
    ])))))

  it.effect("stands below the domain's middleware, which sees the request and its services as they were", () =>
    Effect.gen(function*() {
      const marked = Middleware.make(Effect.fnUntraced(function*(next, request) {
        const response = yield* next
        const after = yield* Request.Request
        return Response.setHeader(response, "x-outside", `${after === request} ${after.url}`)
      }))
      const router = HttpRouter.add("GET", "/a", Effect.succeed(Response.text("a")))
      const worker = Mount.layer("*", { attach: "main", middleware: [marked] }, "/api", router)
      const { body, headers } = yield* get("/api/a").pipe(Effect.provide(serve(worker)))
      assert.deepStrictEqual([body, headers["x-outside"]], ["a", "true /api/a"])
    }))

  it.effect("has its own failures, and what it leaves to be done before a response is done for them too", () =>
    Effect.gen(function*() {
      const marked = HttpEffect.withPreResponseHandler(
        Effect.flatMap(Request.Request, (request) =>
          request.url === "/sold" ? Effect.fail(new Sold()) : Effect.succeed(Response.text("ok"))),
        (_, response) => Effect.succeed(Response.setHeader(response, "x-pre", "1"))
      )
      yield* Effect.gen(function*() {
        const [ok, sold] = yield* Effect.all([get("/app"), get("/app/sold")])
        assert.deepStrictEqual([ok.status, ok.headers["x-pre"]], [200, "1"])
        assert.deepStrictEqual([sold.status, sold.headers["x-pre"]], [410, "1"])
      }).pipe(Effect.provide(serve(Domain.layer("*", { attach: "main" }, Mount.httpApp("/app", marked)))))
    }))

  it.effect("has the scope of its request: what it acquires is released behind the answer", () =>
    Effect.gen(function*() {
      const released = yield* Deferred.make<void>()
      const app = Effect.as(
        Effect.acquireRelease(Effect.void, () => Deferred.succeed(released, undefined)),
        Response.text("ok")
      )
      yield* Effect.gen(function*() {
        assert.strictEqual(yield* bodyOf("/app"), "ok")
        yield* Deferred.await(released)
      }).pipe(Effect.provide(serve(Domain.layer("*", { attach: "main" }, Mount.httpApp("/app", app)))))
    }))

  it("stands at a path without parameters, and nowhere else", () => {
    for (const prefix of ["/:a", "/a/*rest", "/a/", "//a", "/a?b", "a" as "/"] as const) {
      assert.throws(() => Mount.httpApp(prefix, echo), TypeError, /the prefix is/)
    }
  })
})

describe("a mounted HttpRouter", () => {
  const routes = HttpRouter.use(Effect.fnUntraced(function*(router) {
    const { name } = yield* Stock
    yield* router.add("GET", "/items/:id", Effect.map(HttpRouter.params, ({ id }) => Response.text(`${name} ${id}`)))
    yield* router.add("POST", "/items", (request) => Effect.map(request.text, (text) => Response.text(`made ${text}`)))
    yield* router.add("GET", "/broken", Effect.die(new Error("secret")))
  }))
  const sold = HttpRouter.add("GET", "/sold", Effect.fail(new Sold()))

  it.effect("answers as it would alone: parameters, bodies, middleware, failures, its own 404", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const stock = Layer.effect(Stock, Effect.acquireRelease(
        Effect.sync(() => (log.push("built"), { name: "item" })),
        () => Effect.sync(() => log.push("released"))
      ))
      const marked = HttpRouter.middleware(
        (app) => Effect.map(app, (response) => Response.setHeader(response, "x-router", "1")),
        { global: true }
      )
      const app = Layer.mergeAll(routes, sold, marked)
      yield* Effect.gen(function*() {
        const item = yield* get("/shop/items/7")
        assert.deepStrictEqual([item.body, item.headers["x-router"]], ["item 7", "1"])
        const post = HttpClientRequest.bodyText(HttpClientRequest.post("/shop/items"), "one")
        assert.strictEqual((yield* ask(post)).body, "made one")
        assert.strictEqual((yield* ask(HttpClientRequest.head("/shop/items/7"))).status, 200)
        assert.strictEqual((yield* get("/shop/sold")).status, 410)
        assert.strictEqual((yield* get("/shop/nowhere")).status, 404)
        const broken = yield* get("/shop/broken")
        assert.strictEqual(broken.status, 500)
        assert.notInclude(broken.body, "secret")
        assert.strictEqual(yield* bodyOf("/"), "home")
        assert.deepStrictEqual(log, ["built"])
      }).pipe(Effect.provide(serve(
        Layer.unwrap(Effect.map(Mount.router("/shop", app), (routes) =>
          Domain.layer("*", { attach: "main" }, [
            Route.get("/", () => Effect.succeed(Response.text("home"))),
            ...routes
          ]))).pipe(Layer.provide(stock))
      )))
      assert.deepStrictEqual(log, ["built", "released"])
    }))

  it.effect("is interrupted when the client leaves, like any handler", () =>
    Effect.gen(function*() {
      const [started, left] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      const hangs = Effect.andThen(Deferred.succeed(started, undefined), Effect.never).pipe(
        Effect.onInterrupt(() => Deferred.succeed(left, undefined))
      )
      yield* Effect.gen(function*() {
        yield* Effect.raceFirst(get("/api/hangs"), Deferred.await(started))
        yield* Deferred.await(left)
      }).pipe(
        Effect.provide(serve(Mount.layer("*", { attach: "main" }, "/api", HttpRouter.add("GET", "/hangs", hangs))))
      )
    }))

  it("says by its type which failures have no answer, and which services are missing", () => {
    const unanswered = HttpRouter.add("GET", "/a", Effect.fail("no answer" as const))
    // @ts-expect-error -- a string is no answer
    void (() => Mount.layer("*", { attach: "main" }, "/a", unanswered))
    const needy = Mount.layer("*", { attach: "main" }, "/a", routes)
    const isMissing: Stock extends Layer.Services<typeof needy> ? true : false = true
    assert.isTrue(isMissing)
  })
})

describe("a mounted HttpApi", () => {
  const Api = HttpApi.make("shop").add(
    HttpApiGroup.make("items").add(
      HttpApiEndpoint.get("item", "/items/:id", {
        params: { id: Schema.Int },
        success: Schema.Struct({ id: Schema.Int })
      }),
      HttpApiEndpoint.post("make", "/items", {
        payload: Schema.Struct({ name: Schema.NonEmptyString }),
        success: Schema.String
      })
    )
  )
  const items = HttpApiBuilder.group(Api, "items", (handlers) =>
    handlers
      .handle("item", ({ params }) => Effect.succeed({ id: params.id }))
      .handle("make", ({ payload }) => Effect.succeed(payload.name)))
  const app = Mount.api(HttpApiBuilder.layer(Api, { openapiPath: "/openapi.json" }).pipe(Layer.provide(items)))

  it.effect("decodes, encodes, refuses and describes itself as it would alone", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* bodyOf("/api/v1/items/7"), "{\"id\":7}")
      assert.strictEqual((yield* get("/api/v1/items/seven")).status, 400)
      const post = (body: unknown) =>
        ask(HttpClientRequest.bodyJsonUnsafe(HttpClientRequest.post("/api/v1/items"), body))
      assert.strictEqual((yield* post({ name: "one" })).body, "\"one\"")
      assert.strictEqual((yield* post({ name: "" })).status, 400)
      assert.strictEqual((yield* get("/api/v1/nothing")).status, 404)
      assert.property(JSON.parse(yield* bodyOf("/api/v1/openapi.json")).paths, "/items/{id}")
    }).pipe(Effect.provide(serve(Mount.layer("*", { attach: "main" }, "/api/v1", app)))))
})
