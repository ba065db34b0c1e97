import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpMiddleware from "effect/http/HttpMiddleware"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { Domain, HttpError, Kore, Middleware, Problem, Response, Route, Server } from "kore-fx"

class Forbidden extends HttpError.TaggedError<Forbidden>()("Forbidden", {}, { httpStatus: 403 }) {}
class User extends Context.Service<User, string>()("test/User") {}
class Language extends Context.Service<Language, string>()("test/Language") {}

const main = Server.tcp({ host: "127.0.0.1", port: 0, tls: false })

const serve = <E>(worker: Layer.Layer<never, E, Kore.Provided | Domain.Attached<"main">>) =>
  Kore.test(Kore.app({ servers: { main }, worker }))

const ask = Effect.fnUntraced(function*(request: HttpClientRequest.HttpClientRequest) {
  const response = yield* HttpClient.execute(request)
  return { status: response.status, headers: response.headers, body: yield* response.text }
})

const get = (path: string, headers: Record<string, string> = {}) => ask(HttpClientRequest.get(path, { headers }))

const hello = Route.get("/hello", () => Effect.succeed(Response.text("hello")))

/** Notes when it is passed on the way in, and on the way out. */
const passing = (name: string, passed: Array<string>) =>
  Middleware.make((next) =>
    Effect.suspend(() => {
      passed.push(`${name} in`)
      return Effect.tap(next, () => Effect.sync(() => passed.push(`${name} out`)))
    })
  )

const authenticate = Middleware.provide(User, (request) => {
  const name = request.headers["x-user"]
  return name === undefined ? new Forbidden() : Effect.succeed(name)
})

describe("middleware", () => {
  it.effect("runs in the order in which it is written: the domain's, then those of groups, then the handler", () => {
    const passed: Array<string> = []
    const [one, two, three] = [passing("one", passed), passing("two", passed), passing("three", passed)]
    const routes = Route.use([two, three], [
      Route.get("/", () => Effect.sync(() => (passed.push("handler"), Response.text("ok"))))
    ])
    return Effect.gen(function*() {
      yield* get("/")
      assert.deepStrictEqual(passed, ["one in", "two in", "three in", "handler", "three out", "two out", "one out"])
    }).pipe(Effect.provide(serve(Domain.layer("*", { attach: "main", middleware: [one] }, routes))))
  })

  it.effect("gives a service to the handlers below, made of each request, and a later one may use it", () => {
    const language = Middleware.provide(Language, () => Effect.map(User, (name) => name === "ada" ? "en" : "de"))
    const route = Route.get("/", () =>
      Effect.gen(function*() {
        return Response.text(`${yield* User} ${yield* Language}`)
      }))
    return Effect.gen(function*() {
      assert.strictEqual((yield* get("/", { "x-user": "ada" })).body, "ada en")
      assert.strictEqual((yield* get("/", { "x-user": "kurt" })).body, "kurt de")
    }).pipe(Effect.provide(serve(Domain.layer("*", { attach: "main" }, Route.use([authenticate, language], [route])))))
  })

  it.effect("that fails with an error that knows its answer answers, before handler and body", () => {
    let bodies = 0
    const body = Schema.Struct({ n: Schema.Int })
    const route = Route.post("/", { body }, () => Effect.sync(() => (bodies++, Response.text("taken"))))
    return Effect.gen(function*() {
      const invalid = HttpClientRequest.bodyText(HttpClientRequest.post("/"), "{", "application/json")
      assert.strictEqual((yield* ask(invalid)).status, 403)
      assert.strictEqual(
        (yield* ask(HttpClientRequest.setHeader(invalid, "x-user", "ada"))).status,
        400
      )
      assert.strictEqual(bodies, 0)
    }).pipe(Effect.provide(serve(Domain.layer("*", { attach: "main" }, Route.use([authenticate], [route])))))
  })

  it.effect("guard answers in place of the handler, or lets it", () => {
    const closed = Middleware.guard((request) =>
      Effect.succeed(request.headers["x-closed"] === undefined ? undefined : Problem.response({ status: 503 }))
    )
    return Effect.gen(function*() {
      assert.strictEqual((yield* get("/hello")).body, "hello")
      assert.strictEqual((yield* get("/hello", { "x-closed": "1" })).status, 503)
    }).pipe(Effect.provide(serve(Domain.layer("*", { attach: "main" }, Route.use([closed], [hello])))))
  })

  it.effect("of a domain stands around 404, 405 and OPTIONS too, and that of a group does not", () => {
    const marked = (name: string) => Middleware.mapResponse((response) => Response.setHeader(response, name, "1"))
    const worker = Domain.layer("*", { attach: "main", middleware: [marked("x-domain")] },
      Route.use([marked("x-group")], [hello]))
    return Effect.gen(function*() {
      const marks = ({ headers, status }: Effect.Success<ReturnType<typeof get>>) =>
        [status, headers["x-domain"], headers["x-group"]] as const
      assert.deepStrictEqual(marks(yield* get("/hello")), [200, "1", "1"])
      assert.deepStrictEqual(marks(yield* get("/nowhere")), [404, "1", undefined])
      assert.deepStrictEqual(marks(yield* get("/%ff")), [400, "1", undefined])
      assert.deepStrictEqual(marks(yield* ask(HttpClientRequest.post("/hello"))), [405, "1", undefined])
      const options = yield* ask(HttpClientRequest.options("/hello"))
      assert.deepStrictEqual(marks(options), [204, "1", undefined])
      assert.strictEqual(options.headers["allow"], "GET, HEAD, OPTIONS")
    }).pipe(Effect.provide(serve(worker)))
  })

  it.effect("does not run for domains and routes without it", () => {
    const passed: Array<string> = []
    const worker = Layer.merge(
      Domain.layer("a.test", { attach: "main", middleware: [passing("a", passed)] }, [hello]),
      Domain.layer("b.test", { attach: "main" }, [hello])
    )
    return Effect.gen(function*() {
      assert.strictEqual((yield* get("http://b.test/hello")).body, "hello")
      assert.strictEqual((yield* get("http://b.test/nowhere")).status, 404)
      assert.deepStrictEqual(passed, [])
      yield* get("http://a.test/hello")
      assert.deepStrictEqual(passed, ["a in", "a out"])
    }).pipe(Effect.provide(serve(worker)))
  })

  it.effect("of Effect works as it is: HttpMiddleware.cors answers preflights and marks answers, those of failures too", () => {
    const cors = Middleware.fromHttpMiddleware(
      HttpMiddleware.cors({ allowedOrigins: ["https://example.com", "https://b.test"] })
    )
    const worker = Domain.layer("*", { attach: "main", middleware: [cors] }, [
      hello,
      Route.get("/forbidden", () => new Forbidden()),
      Route.get("/broken", () => Effect.die(new Error("inside")))
    ])
    return Effect.gen(function*() {
      const origin = { origin: "https://example.com" }
      const allowed = Effect.fnUntraced(function*(path: string) {
        const { headers, status } = yield* get(path, origin)
        return [status, headers["access-control-allow-origin"]] as const
      })
      assert.deepStrictEqual(yield* allowed("/hello"), [200, origin.origin])
      assert.deepStrictEqual(yield* allowed("/nowhere"), [404, origin.origin])
      assert.deepStrictEqual(yield* allowed("/forbidden"), [403, origin.origin])
      assert.deepStrictEqual(yield* allowed("/broken"), [500, undefined])
      const preflight = yield* ask(HttpClientRequest.options("/hello", {
        headers: { ...origin, "access-control-request-method": "PUT" }
      }))
      assert.strictEqual(preflight.status, 204)
      assert.include(preflight.headers["access-control-allow-methods"], "PUT")
      assert.strictEqual(preflight.headers["access-control-allow-origin"], origin.origin)
    }).pipe(Effect.provide(serve(worker)))
  })

  it.effect("that throws is a 500 that tells nothing, and the next request is answered", () => {
    const broken = Middleware.guard((request) => {
      if (request.headers["x-break"] !== undefined) throw new Error("inside")
      return Effect.void
    })
    return Effect.gen(function*() {
      const { body, status } = yield* get("/hello", { "x-break": "1" })
      assert.strictEqual(status, 500)
      assert.notInclude(body, "inside")
      assert.strictEqual((yield* get("/hello")).body, "hello")
    }).pipe(Effect.provide(serve(Domain.layer("*", { attach: "main", middleware: [broken] }, [hello]))))
  })
})
