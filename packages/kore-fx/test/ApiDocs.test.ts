import { assert, describe, it } from "@effect/vitest"
import * as ApiDocs from "@kore-fx/http/ApiDocs"
import * as OpenApi from "@kore-fx/http/OpenApi"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Schema from "effect/Schema"
import { Domain, Kore, Response, Route, Server } from "kore-fx"
import * as crypto from "node:crypto"

const api = Route.prefix("/api", [
  Route.get("/square/:n", { path: { n: Schema.Int } }, ({ path }) => Effect.succeed(Response.text(String(path.n ** 2))))
])

const info = { title: "</title><script>alert(1)</script>", version: "1", description: "</script><!--<script>" }

const serve = (routes: ReadonlyArray<Route.Route>) =>
  Kore.test(Kore.app({
    servers: { main: Server.tcp({ host: "127.0.0.1", port: 0, tls: false }) },
    worker: Domain.layer("*", { attach: "main" }, routes)
  }))

const get = Effect.fnUntraced(function*(url: string, headers: Record<string, string> = {}) {
  const response = yield* HttpClient.get(url, { headers })
  return { status: response.status, headers: response.headers, body: yield* response.text }
})

/** What is between the tags of each script of a page. */
const scriptsOf = (html: string): ReadonlyArray<string> =>
  Array.from(html.matchAll(/<script>(.*?)<\/script>\n/gs), ([, script]) => script!)

describe("ApiDocs.routes", () => {
  it.effect("serves a page that runs its own scripts and no other, whatever texts the document has", () =>
    Effect.gen(function*() {
      const { body, headers, status } = yield* get("/docs")
      assert.strictEqual(status, 200)
      assert.strictEqual(headers["content-type"], "text/html; charset=utf-8")
      const scripts = scriptsOf(body)
      assert.strictEqual(scripts.length, 3)
      const allowed = scripts.map((script) => `'sha256-${crypto.hash("sha256", script, "base64")}'`)
      const policy = headers["content-security-policy"]!.split("; ")
      assert.include(policy, `script-src ${allowed.join(" ")}`)
      assert.include(policy, "default-src 'none'")
      assert.include(policy, "connect-src 'self'")
      assert.include(body, "<title>&lt;/title&gt;&lt;script&gt;alert(1)&lt;/script&gt;</title>")
      assert.notInclude(scripts[2]!, "<")
      assert.include(scripts[2]!, "/api/square/{n}")
    }).pipe(Effect.provide(serve([...api, ...ApiDocs.routes("/docs", api, info)]))))

  it.effect("serves the document below it, as JSON that has the paths of the domain", () =>
    Effect.gen(function*() {
      const { body, headers } = yield* get("/docs/openapi.json")
      assert.strictEqual(headers["content-type"], "application/json")
      assert.deepStrictEqual(JSON.parse(body), OpenApi.make(api, info))
      assert.deepStrictEqual(Object.keys(JSON.parse(body).paths), ["/api/square/{n}"])
    }).pipe(Effect.provide(serve([...api, ...ApiDocs.routes("/docs", api, info)]))))

  it.effect("lets clients keep both, as long as they ask whether they have changed", () =>
    Effect.gen(function*() {
      for (const url of ["/docs", "/docs/openapi.json"]) {
        const first = yield* get(url)
        assert.strictEqual(first.headers["cache-control"], "no-cache")
        const again = yield* get(url, { "if-none-match": first.headers["etag"]! })
        assert.deepStrictEqual([again.status, again.body], [304, ""])
        assert.strictEqual(again.headers["etag"], first.headers["etag"])
        assert.strictEqual((yield* get(url, { "if-none-match": "\"other\"" })).status, 200)
      }
    }).pipe(Effect.provide(serve(ApiDocs.routes("/docs", api, info)))))

  it.effect("may stand below a prefix, and at the root", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* get("/in/docs")).status, 200)
      assert.strictEqual((yield* get("/in/docs/openapi.json")).status, 200)
      assert.strictEqual((yield* get("/")).status, 200)
      assert.strictEqual((yield* get("/openapi.json")).status, 200)
    }).pipe(Effect.provide(serve([
      ...Route.prefix("/in", ApiDocs.routes("/docs", api, info)),
      ...ApiDocs.routes("/", api, info)
    ]))))
})

describe("ApiDocs.route", () => {
  it.effect("lets the browser get the document from a URL, and talk to the servers that a document names", () =>
    Effect.gen(function*() {
      const byUrl = yield* get("/url")
      assert.include(scriptsOf(byUrl.body)[2]!, "\"url\":\"/openapi.json\"")
      assert.include(byUrl.body, "<title>Mine</title>")
      const { headers } = yield* get("/document")
      assert.include(headers["content-security-policy"]!, "; connect-src 'self' https://api.example.com;")
    }).pipe(Effect.provide(serve([
      ApiDocs.route("/url", { spec: "/openapi.json", title: "Mine" }),
      ApiDocs.route("/document", {
        spec: OpenApi.make(api, { ...info, servers: [{ url: "https://api.example.com/v1" }, { url: "/v2" }] })
      })
    ]))))
})
