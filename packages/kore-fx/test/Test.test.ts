import { assert, describe, it, layer } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as TestClock from "effect/testing/TestClock"
import { Domain, Kore, Response, Route, Server } from "kore-fx"
import { app } from "./App.ts"

const get = (url: string, headers: Record<string, string> = {}) =>
  Effect.gen(function*() {
    const client = yield* HttpClient.HttpClient
    const response = yield* client.execute(HttpClientRequest.setHeaders(HttpClientRequest.get(url), headers))
    return { status: response.status, headers: response.headers, text: yield* response.text }
  })

const send = (method: "POST" | "PUT" | "DELETE" | "OPTIONS" | "HEAD", url: string, body?: unknown, type?: string) =>
  Effect.gen(function*() {
    const client = yield* HttpClient.HttpClient
    const request = HttpClientRequest.make(method)(url)
    const response = yield* client.execute(
      body === undefined ? request
        : HttpClientRequest.bodyText(
          request,
          typeof body === "string" ? body : JSON.stringify(body),
          type ?? "application/json"
        )
    )
    return { status: response.status, headers: response.headers, text: yield* response.text }
  })

layer(Kore.test(app))("an app in the test's process", (it) => {
  it.effect("answers with the services of its Layer", () =>
    Effect.gen(function*() {
      const { headers, status, text } = yield* get("/")
      assert.deepStrictEqual([status, text], [200, "hello"])
      assert.strictEqual(headers["content-type"], "text/plain; charset=utf-8")
      assert.strictEqual(headers["server"], "kore-fx")
      assert.isString(headers["date"])
    }))

  it.effect("decodes path parameters and encodes the value of a handler", () =>
    Effect.gen(function*() {
      const { headers, text } = yield* get("/users/1")
      assert.deepStrictEqual(JSON.parse(text), { id: 1, name: "ada" })
      assert.strictEqual(headers["content-type"], "application/json")
    }))

  it.effect("answers 404 problem+json with the fields of an error that says so", () =>
    Effect.gen(function*() {
      const { headers, status, text } = yield* get("/users/7")
      assert.strictEqual(status, 404)
      assert.strictEqual(headers["content-type"], "application/problem+json")
      assert.deepInclude(JSON.parse(text), { status: 404, title: "Not Found", _tag: "UserNotFound", id: 7 })
    }))

  it.effect("names the invalid path parameter in a 400 problem+json", () =>
    Effect.gen(function*() {
      const { headers, status, text } = yield* get("/users/abc")
      assert.strictEqual(status, 400)
      assert.strictEqual(headers["content-type"], "application/problem+json")
      assert.deepInclude(JSON.parse(text).errors[0], { in: "path", name: "id" })
    }))

  it.effect("names every invalid query parameter at once", () =>
    Effect.gen(function*() {
      const { status, text } = yield* get("/search?page=x")
      assert.strictEqual(status, 400)
      assert.deepStrictEqual(JSON.parse(text).errors.map((e: { name: string }) => e.name), ["q", "page"])
    }))

  it.effect("reads a repeated query parameter as a list, and a single one as a list of one", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(JSON.parse((yield* get("/search?q=a+b%26c&tag=x&tag=y&other=1")).text), {
        q: "a b&c",
        tag: ["x", "y"]
      })
      assert.deepStrictEqual(JSON.parse((yield* get("/search?q=&tag=x&page=2")).text), { q: "", tag: ["x"], page: 2 })
    }))

  it.effect("decodes declared headers and names the one that is wrong", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* get("/token", { "x-token": "42" })).text, "42")
      const { status, text } = yield* get("/token", { "x-token": "x" })
      assert.strictEqual(status, 400)
      assert.deepInclude(JSON.parse(text).errors[0], { in: "headers", name: "x-token" })
    }))

  it.effect("passes captures to the handler, undefined for a group that took no part", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* get("/beef")).text, "beef none")
      assert.strictEqual((yield* get("/beef-x")).text, "beef -x")
    }))

  it.effect("validates a JSON body, naming the field", () =>
    Effect.gen(function*() {
      const created = yield* send("POST", "/users", { name: "bob", tags: [] })
      assert.deepStrictEqual([created.status, JSON.parse(created.text)], [201, { id: 2, name: "bob" }])
      const invalid = yield* send("POST", "/users", { name: "", tags: ["a", 1] })
      assert.strictEqual(invalid.status, 400)
      assert.deepStrictEqual(
        JSON.parse(invalid.text).errors.map((e: { in: string; name: string }) => `${e.in} ${e.name}`),
        ["body name", "body tags[1]"]
      )
    }))

  it.effect("refuses a body that is not JSON: 400 for its text, 415 for its type, 413 for its size", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* send("POST", "/users", "{")).status, 400)
      assert.strictEqual((yield* send("POST", "/users", "")).status, 400)
      const other = yield* send("POST", "/users", "name=bob", "application/x-www-form-urlencoded")
      assert.deepStrictEqual([other.status, other.headers["accept"]], [415, "application/json"])
      assert.strictEqual((yield* send("POST", "/users", { name: "x".repeat(1024), tags: [] })).status, 413)
    }))

  it.effect("answers 404, 405 with allow, and OPTIONS by itself", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* get("/nothing")).status, 404)
      const wrong = yield* send("DELETE", "/users/1")
      assert.deepStrictEqual([wrong.status, wrong.headers["allow"]], [405, "GET, HEAD, OPTIONS"])
      const options = yield* send("OPTIONS", "/users")
      assert.deepStrictEqual([options.status, options.headers["allow"], options.text], [204, "OPTIONS, POST", ""])
    }))

  it.effect("answers HEAD like GET without the body", () =>
    Effect.gen(function*() {
      const { headers, status, text } = yield* send("HEAD", "/")
      assert.deepStrictEqual([status, headers["content-length"], text], [200, "5", ""])
    }))

  it.effect("tells nothing of a defect or of a handler that throws", () =>
    Effect.gen(function*() {
      for (const url of ["/broken", "/thrown"]) {
        const { status, text } = yield* get(url)
        assert.strictEqual(status, 500)
        assert.notInclude(text, "secret")
      }
    }))

  it.effect("streams a body", () => Effect.map(get("/countdown"), ({ text }) => assert.strictEqual(text, "1\n2\n3\n")))

  it.effect("chooses the domain by the host of the URL", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* get("http://a.b.example.com/")).text, "wildcard")
      assert.strictEqual((yield* get("http://A.Example.COM.:80/")).text, "wildcard")
      assert.strictEqual((yield* get("http://example.com/")).text, "hello")
    }))

  it.effect("knows the worker it runs in", () =>
    Effect.map(get("/worker"), ({ text }) => assert.strictEqual(text, "1")))
})

describe("Kore.test", () => {
  it.effect("lets a test move its Clock by a year, with a connection that is idle", () =>
    Effect.gen(function*() {
      yield* get("/")
      yield* TestClock.adjust("365 days")
      const { headers, text } = yield* get("/")
      assert.strictEqual(text, "hello")
      assert.strictEqual(headers["date"], "Fri, 01 Jan 1971 00:00:00 GMT")
    }).pipe(Effect.provide(Kore.test(app))))

  it.effect("lets a test move its Clock by a year, with a request that takes that long", () =>
    Effect.gen(function*() {
      const begun = yield* Deferred.make<void>()
      const slow = Kore.app({
        servers: { main: Server.tcp({ host: "127.0.0.1", port: 0, tls: false }) },
        worker: Domain.layer("*", { attach: "main" }, [
          Route.get("/", function*() {
            yield* Deferred.succeed(begun, undefined)
            yield* Effect.sleep("365 days")
            return Response.text("at last")
          })
        ])
      })
      yield* Effect.gen(function*() {
        const asking = yield* Effect.forkChild(get("/"), { startImmediately: true })
        yield* Deferred.await(begun)
        yield* TestClock.adjust("365 days")
        assert.strictEqual((yield* Fiber.join(asking)).text, "at last")
      }).pipe(Effect.provide(Kore.test(slow)))
    }))

  it.effect("serves another server of the app when asked to", () =>
    Effect.map(get("/"), ({ text }) => assert.strictEqual(text, "admin")).pipe(
      Effect.provide(Kore.test(app, { server: "admin" }))
    ))
})
