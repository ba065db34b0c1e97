import { assert, describe, it } from "@effect/vitest"
import * as Redirect from "@kore-fx/http/Redirect"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import { Domain, Kore, Middleware, Response, Route, Server } from "kore-fx"

const app = Kore.app({
  servers: { main: Server.tcp({ host: "127.0.0.1", port: 0, tls: false }) },
  worker: Domain.layer("*", {
    attach: "main",
    middleware: [Middleware.mapResponse((response) => Response.setHeader(response, "x-domain", "1"))]
  }, [
    Redirect.route("/users/:id/:name", 308, "/people/$1-$<name>?$qs"),
    Redirect.route("/files/*rest", 301, "https://files.test/$<rest>?from=here&$qs"),
    Redirect.route(/^\/(\d{4})\/(?<month>\d\d)?(.*)$/g, 302, "/archive/$1/$<month>$3?$qs&x=1"),
    Redirect.route(/^\/ten\/(.)$/, 302, "/$10"),
    Redirect.route(/^\/open\/(.*)$/, 307, "/$1"),
    Route.post("/taken", () => Effect.succeed(Response.text("taken")))
  ])
})

const ask = Effect.fnUntraced(function*(request: HttpClientRequest.HttpClientRequest) {
  const { headers, status, text } = yield* HttpClient.execute(request)
  return { status, headers, body: yield* text }
})
const locationOf = (path: string) => Effect.map(ask(HttpClientRequest.get(path)), ({ headers }) => headers["location"])

describe("a redirect", () => {
  it.effect("puts captures, by number and by name, and the query into the target", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* locationOf("/users/7/ad%20a?x=1&y=%20"), "/people/7-ad%20a?x=1&y=%20")
      assert.strictEqual(yield* locationOf("/users/a%2Fb/%26"), "/people/a%2Fb-%26")
      assert.strictEqual(yield* locationOf("/files/a/b%20c?d"), "https://files.test/a/b%20c?from=here&d")
      assert.strictEqual(yield* locationOf("/2026/12/news?q"), "/archive/2026/12/news?q&x=1")
      assert.strictEqual(yield* locationOf("/2026/news"), "/archive/2026/news?x=1")
      assert.strictEqual(yield* locationOf("/open//evil.test"), "/evil.test")
    }).pipe(Effect.provide(Kore.test(app))))

  it.effect("B30: $10 is the first capture and a nought: captures beyond nine have names", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* locationOf("/ten/x"), "/x0")
    }).pipe(Effect.provide(Kore.test(app))))

  it.effect("B30: leaves no $qs behind, and no ? or & for a query that is none", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* locationOf("/users/7/ada"), "/people/7-ada")
      assert.strictEqual(yield* locationOf("/users/7/ada?"), "/people/7-ada")
      assert.strictEqual(yield* locationOf("/files/a"), "https://files.test/a?from=here")
    }).pipe(Effect.provide(Kore.test(app))))

  it.effect("B30: is an ordinary answer: middleware, connection: close, and a body that is not the next request", () =>
    Effect.gen(function*() {
      const post = yield* ask(
        HttpClientRequest.bodyText(HttpClientRequest.post("/users/7/ada"), "POST /taken HTTP/1.1\r\n\r\n")
      )
      assert.deepStrictEqual([post.status, post.headers["x-domain"], post.body], [308, "1", ""])
      assert.strictEqual(post.headers["content-length"], "0")
      assert.strictEqual((yield* ask(HttpClientRequest.post("/taken"))).body, "taken")
      const close = yield* ask(HttpClientRequest.get("/users/7/ada", { headers: { connection: "close" } }))
      assert.strictEqual(close.headers["connection"], "close")
    }).pipe(Effect.provide(Kore.test(app))))
})
