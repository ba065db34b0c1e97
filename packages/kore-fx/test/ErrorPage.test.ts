import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Schema from "effect/Schema"
import { Domain, HttpError, Kore, Response, Route, Server } from "kore-fx"

class NoUser extends HttpError.TaggedError<NoUser>()("NoUser", { name: Schema.String }, { httpStatus: 404 }) {
  override get message() {
    return `there is no user ${this.name}`
  }
}

const routes = [
  Route.get("/users/:name", ({ path }) => new NoUser({ name: decodeURIComponent(path.name) })),
  Route.get("/broken", () => Effect.die(new Error("inside"))),
  Route.get("/own", () => Effect.succeed(Response.text("gone fishing", { status: 404 }))),
  Route.get("/empty", () => Effect.succeed(Response.empty({ status: 410, headers: { vary: "cookie" } }))),
  Route.get("/fine", () => Effect.succeed(Response.text("fine")))
]

const serve = (httpPrettyError: boolean) =>
  Kore.test(Kore.app({
    config: { httpPrettyError },
    servers: { main: Server.tcp({ host: "127.0.0.1", port: 0, tls: false }) },
    worker: Domain.layer("*", { attach: "main" }, routes)
  }))

const browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"

const ask = Effect.fnUntraced(function*(path: string, accept: string | undefined, method: "GET" | "HEAD" = "GET") {
  const response = yield* HttpClient.execute(
    HttpClientRequest.make(method)(path, accept === undefined ? {} : { headers: { accept } })
  )
  return { status: response.status, headers: response.headers, body: yield* response.text }
})

const typeOf = (path: string, accept: string | undefined) =>
  Effect.map(ask(path, accept), ({ headers }) => headers["content-type"])

describe("error pages", () => {
  it.effect("a browser gets a page with the status and the sentence, escaped (kore B12: no type, behind the body)", () =>
    Effect.gen(function*() {
      const { body, headers, status } = yield* ask("/users/%3Cscript%3E%22&", browser)
      assert.strictEqual(status, 404)
      assert.match(headers["content-type"]!, /^text\/html/)
      assert.strictEqual(Number(headers["content-length"]), Buffer.byteLength(body))
      assert.include(body, "<h1>404 Not Found</h1>")
      assert.include(body, "there is no user &lt;script&gt;&quot;&amp;")
      assert.notInclude(body, "<script>")
    }).pipe(Effect.provide(serve(true))))

  it.effect("whoever prefers JSON, or says nothing, gets problem details, and caches are told that it depends", () =>
    Effect.gen(function*() {
      const json = "application/problem+json"
      for (
        const accept of [undefined, "*/*", "application/json", "text/html;q=0.5, application/json", "text/html;q=0",
          "text/html;q=x", "\u00ff,;=,q="]
      ) {
        assert.strictEqual(yield* typeOf("/users/ada", accept), json, accept)
      }
      for (const accept of ["text/html", "TEXT/HTML", "text/*", "application/json;q=0.1, text/html;q=0.2"]) {
        assert.match((yield* typeOf("/users/ada", accept))!, /^text\/html/, accept)
      }
      assert.strictEqual((yield* ask("/users/ada", undefined)).headers["vary"], "accept")
      assert.strictEqual((yield* ask("/empty", browser)).headers["vary"], "cookie, accept")
    }).pipe(Effect.provide(serve(true))))

  it.effect("what no route answers, faults and empty errors have pages; a fault tells nothing", () =>
    Effect.gen(function*() {
      assert.include((yield* ask("/nowhere", browser)).body, "<h1>404 Not Found</h1>")
      assert.include((yield* ask("/empty", browser)).body, "<h1>410 Gone</h1>")
      const { body, status } = yield* ask("/broken", browser)
      assert.strictEqual(status, 500)
      assert.include(body, "<h1>500 Internal Server Error</h1>")
      assert.notInclude(body, "inside")
    }).pipe(Effect.provide(serve(true))))

  it.effect("a body of the app stays, and so does what is no error (kore B12)", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* ask("/own", browser)).body, "gone fishing")
      const fine = yield* ask("/fine", browser)
      assert.strictEqual(fine.body, "fine")
      assert.isUndefined(fine.headers["vary"])
    }).pipe(Effect.provide(serve(true))))

  it.effect("HEAD has the length of the page and no body", () =>
    Effect.gen(function*() {
      const get = yield* ask("/nowhere", browser)
      const head = yield* ask("/nowhere", browser, "HEAD")
      assert.strictEqual(head.headers["content-length"], get.headers["content-length"])
      assert.strictEqual(head.body, "")
    }).pipe(Effect.provide(serve(true))))

  it.effect("without httpPrettyError a browser gets problem details too", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* typeOf("/users/ada", browser), "application/problem+json")
    }).pipe(Effect.provide(serve(false))))
})
