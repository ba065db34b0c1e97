/** Middleware that says no, and fields that ask browsers to: rate limits, CSRF, CORS, security headers. */
import { assert, describe, it } from "@effect/vitest"
import * as Cors from "@kore-fx/http/Cors"
import * as Csrf from "@kore-fx/http/Csrf"
import * as RateLimit from "@kore-fx/http/RateLimit"
import * as SecurityHeaders from "@kore-fx/http/SecurityHeaders"
import * as TrustedProxy from "@kore-fx/http/TrustedProxy"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Layer from "effect/Layer"
import * as RateLimiter from "effect/persistence/RateLimiter"
import * as TestClock from "effect/testing/TestClock"
import { Domain, HttpError, Kore, type Middleware, Response, Route, Server } from "kore-fx"

class Conflict extends HttpError.TaggedError<Conflict>()("Conflict", {}, { httpStatus: 409 }) {}

const routes = [
  Route.on("GET", "POST")("/", ({ request }) => Effect.succeed(Response.text(String(request.protocol)))),
  Route.on("GET", "POST")("/conflict", () => new Conflict()),
  Route.get("/own", () =>
    Effect.succeed(Response.text("own", {
      headers: { "content-security-policy": "default-src 'self'", "x-frame-options": "DENY" }
    })))
]

const serve = (
  middleware: Middleware.List,
  limiter: Layer.Layer<RateLimiter.RateLimiter> = RateLimit.layerMemory()
) =>
  Kore.test(Kore.app({
    servers: { main: Server.tcp({ host: "127.0.0.1", port: 0, tls: false }) },
    // What they fail with and need is known: HTTP errors, and a limiter.
    worker: Domain.layer("*", { attach: "main", middleware: middleware as readonly [] }, routes).pipe(
      Layer.provide(limiter)
    )
  }))

const ask = Effect.fnUntraced(function*(
  method: "GET" | "POST" | "OPTIONS",
  path: string,
  headers: Record<string, string> = {}
) {
  const response = yield* HttpClient.execute(HttpClientRequest.make(method)(path, { headers }))
  return { status: response.status, headers: response.headers, body: yield* response.text }
})

// The peers of these tests have no address: they are as on a UNIX socket.
const proxy = TrustedProxy.middleware({ trust: ["unix"] })

describe("a rate limit", () => {
  it.effect("lets so many through, then says 429 and when to come back; and lets through again then", () =>
    Effect.gen(function*() {
      const first = yield* ask("GET", "/")
      assert.strictEqual(first.status, 200)
      assert.strictEqual(first.headers["ratelimit-policy"], "\"default\";q=2;w=60")
      assert.strictEqual(first.headers["ratelimit"], "\"default\";r=1;t=30")
      assert.strictEqual((yield* ask("GET", "/conflict")).headers["ratelimit"], "\"default\";r=0;t=60")
      yield* TestClock.adjust("10500 millis")
      const refused = yield* ask("GET", "/")
      assert.strictEqual(refused.status, 429)
      assert.strictEqual(refused.headers["retry-after"], "50")
      assert.strictEqual(refused.headers["ratelimit"], "\"default\";r=0;t=50")
      assert.strictEqual(refused.headers["content-type"], "application/problem+json")
      assert.include(refused.body, "more than 2 requests in 1m")
      yield* TestClock.adjust("49499 millis")
      assert.strictEqual((yield* ask("GET", "/")).status, 429)
      yield* TestClock.adjust("1 millis")
      assert.strictEqual((yield* ask("GET", "/")).status, 200)
    }).pipe(Effect.provide(serve([RateLimit.middleware({ limit: 2, window: "1 minute" })]))))

  it.effect("of a token bucket gives one request back at a time", () =>
    Effect.gen(function*() {
      const statuses = Effect.map(Effect.all([ask("GET", "/"), ask("GET", "/"), ask("GET", "/")]),
        (all) => all.map(({ status }) => status))
      assert.deepStrictEqual(yield* statuses, [200, 200, 429])
      yield* TestClock.adjust("30 seconds")
      assert.deepStrictEqual(yield* statuses, [200, 429, 429])
    }).pipe(
      Effect.provide(serve([RateLimit.middleware({ limit: 2, window: "1 minute", algorithm: "token-bucket" })]))
    ))

  it.effect("counts addresses that a trusted proxy names, IPv6 by its network, or whatever it is told to", () =>
    Effect.gen(function*() {
      const from = (address: string, key = "") =>
        Effect.map(ask("GET", "/", { "x-forwarded-for": address, "x-key": key }),
          ({ headers, status }) => [status, headers["ratelimit"]?.replaceAll(/;t=\d+/g, "")])
      const left = (address: number, key: number) => `"key";r=${key}, "default";r=${address}`
      assert.deepStrictEqual(yield* from("192.0.2.1", "a"), [200, left(0, 2)])
      assert.deepStrictEqual(yield* from("192.0.2.2", "a"), [200, left(0, 1)])
      assert.strictEqual((yield* from("192.0.2.1"))[0], 429)
      assert.deepStrictEqual(yield* from("2001:db8::1"), [200, "\"default\";r=0"])
      assert.strictEqual((yield* from("2001:db8::2"))[0], 429)
      assert.strictEqual((yield* from("2001:db8:0:1::2"))[0], 200)
    }).pipe(Effect.provide(serve([
      proxy,
      RateLimit.middleware({ limit: 1, window: "1 minute" }),
      RateLimit.middleware({
        name: "key",
        limit: 3,
        window: "1 minute",
        key: (request) => Effect.succeed(request.headers["x-key"] || undefined)
      })
    ]))))

  it.effect("forgets the quietest of its keys for a new one: clients with many addresses do not fill the memory", () =>
    Effect.gen(function*() {
      const statusFrom = (address: string) =>
        Effect.map(ask("GET", "/", { "x-forwarded-for": address }), ({ status }) => status)
      assert.strictEqual(yield* statusFrom("192.0.2.1"), 200)
      assert.strictEqual(yield* statusFrom("192.0.2.2"), 200)
      assert.strictEqual(yield* statusFrom("192.0.2.1"), 429)
      assert.strictEqual(yield* statusFrom("192.0.2.3"), 200)
      assert.strictEqual(yield* statusFrom("192.0.2.1"), 429)
      assert.strictEqual(yield* statusFrom("192.0.2.2"), 200)
    }).pipe(
      Effect.provide(
        serve([proxy, RateLimit.middleware({ limit: 1, window: "1 minute" })], RateLimit.layerMemory({ maxKeys: 2 }))
      )
    ))

  const failing = Layer.provide(
    RateLimiter.layer,
    Layer.effect(RateLimiter.RateLimiterStore)(Effect.map(RateLimiter.RateLimiterStore, (store) => ({
      ...store,
      fixedWindow: () =>
        Effect.fail(
          new RateLimiter.RateLimiterError({ reason: new RateLimiter.RateLimitStoreError({ message: "secret" }) })
        )
    }))).pipe(Layer.provide(RateLimiter.layerStoreMemory))
  )

  for (const [onStoreError, status] of [[undefined, 200], ["refuse", 503]] as const) {
    it.effect(`whose store fails answers ${status} when it is told ${onStoreError ?? "nothing"}`, () =>
      Effect.gen(function*() {
        const answer = yield* ask("GET", "/")
        assert.strictEqual(answer.status, status)
        assert.notInclude(answer.body, "secret")
      }).pipe(
        Effect.provide(serve([RateLimit.middleware({ limit: 1, window: "1 minute", onStoreError })], failing))
      ))
  }

  it("refuses options that are none, and names them", () => {
    const make = (options: object) => () => RateLimit.middleware({ limit: 1, window: "1 minute", ...options })
    assert.throws(make({ limit: 0 }), RangeError, /limit is 0, expected an integer from 1/)
    assert.throws(make({ window: "0 seconds" }), RangeError, /window is/)
    assert.throws(make({ algorithm: "leaky" }), RangeError, /algorithm is "leaky"/)
    assert.throws(make({ name: "a\"b" }), RangeError, /name is/)
    assert.throws(() => RateLimit.layerMemory({ maxKeys: 0 }), RangeError, /maxKeys is 0/)
  })
})

describe("CSRF protection", () => {
  const csrf = Csrf.middleware({ allowedOrigins: ["https://admin.test", "http://admin.test:8080"] })
  const host = "shop.test"

  it.effect("refuses what pages of other origins send, in old browsers and new, and nothing else", () =>
    Effect.gen(function*() {
      const cases: ReadonlyArray<readonly [headers: Record<string, string>, status: number]> = [
        [{ "sec-fetch-site": "same-origin" }, 200],
        [{ "sec-fetch-site": "none" }, 200],
        [{ "sec-fetch-site": "same-site" }, 403],
        [{ "sec-fetch-site": "cross-site" }, 403],
        [{ "sec-fetch-site": "same-origin, cross-site" }, 403],
        [{ "sec-fetch-site": "nonsense" }, 403],
        [{ "sec-fetch-site": "cross-site", origin: "https://shop.test" }, 403],
        [{ "sec-fetch-site": "cross-site", origin: "https://admin.test" }, 200],
        [{ "sec-fetch-site": "same-site", origin: "http://admin.test:8080" }, 200],
        [{ origin: "https://shop.test" }, 200],
        [{ origin: "http://shop.test:80" }, 200],
        [{ origin: "https://shop.test", host: "shop.test:443" }, 200],
        [{ origin: "https://shop.test:8443" }, 403],
        [{ origin: "https://SHOP.test" }, 200],
        [{ origin: "https://shop.test.evil.test" }, 403],
        [{ origin: "https://evil.test" }, 403],
        [{ origin: "https://admin.test" }, 200],
        [{ origin: "http://admin.test" }, 403],
        [{ origin: "null" }, 403],
        [{ origin: "" }, 403],
        [{}, 200]
      ]
      for (const [headers, status] of cases) {
        assert.strictEqual((yield* ask("POST", "/", { host, ...headers })).status, status, JSON.stringify(headers))
      }
      assert.strictEqual((yield* ask("GET", "/", { host, "sec-fetch-site": "cross-site" })).status, 200)
      assert.strictEqual((yield* ask("OPTIONS", "/", { host, origin: "https://evil.test" })).status, 204)
    }).pipe(Effect.provide(serve([csrf]))))

  it("refuses an origin that is none, and says what it should be", () => {
    const make = (origin: string) => () => Csrf.middleware({ allowedOrigins: [origin] })
    assert.throws(make("https://admin.test/"), TypeError, /expected "https:\/\/admin\.test"/)
    assert.throws(make("https://admin.test:443"), TypeError, /expected "https:\/\/admin\.test"/)
    assert.throws(make("admin.test"), TypeError, /scheme:\/\/host/)
    assert.throws(make("null"), TypeError, /scheme:\/\/host/)
  })
})

describe("CORS", () => {
  const origin = "https://app.test"
  const preflight = { origin, "access-control-request-method": "PUT" }

  it.effect("marks answers for allowed origins, those of failures and of no route too, and for no other", () =>
    Effect.gen(function*() {
      for (const [path, status] of [["/", 200], ["/conflict", 409], ["/nowhere", 404]] as const) {
        const { headers, status: actual } = yield* ask("GET", path, { origin })
        assert.deepStrictEqual([actual, headers["access-control-allow-origin"]], [status, origin])
        assert.strictEqual(headers["access-control-allow-credentials"], "true")
        assert.strictEqual(headers["access-control-expose-headers"], "x-total")
        assert.include(headers["vary"]?.toLowerCase(), "origin")
      }
      for (const other of [{ origin: "https://evil.test" }, { origin: "null" }, {}]) {
        const { headers } = yield* ask("GET", "/", other)
        assert.isUndefined(headers["access-control-allow-origin"])
        assert.include(headers["vary"]?.toLowerCase(), "origin")
      }
    }).pipe(Effect.provide(serve([
      Cors.middleware({ origins: [origin], credentials: true, exposedHeaders: ["x-total"] })
    ]))))

  it.effect("answers preflights, and leaves other OPTIONS to what is below", () =>
    Effect.gen(function*() {
      const answer = yield* ask("OPTIONS", "/", preflight)
      assert.strictEqual(answer.status, 204)
      assert.strictEqual(answer.headers["access-control-allow-origin"], "*")
      assert.strictEqual(answer.headers["access-control-allow-methods"], "PUT")
      assert.strictEqual(answer.headers["access-control-allow-headers"], "x-token")
      assert.strictEqual(answer.headers["access-control-max-age"], "3600")
      const options = yield* ask("OPTIONS", "/", { origin })
      assert.strictEqual(options.headers["allow"], "GET, HEAD, OPTIONS, POST")
      assert.strictEqual(options.headers["access-control-allow-origin"], "*")
      assert.isUndefined(options.headers["access-control-allow-methods"])
    }).pipe(Effect.provide(serve([
      Cors.middleware({ origins: "*", methods: ["PUT"], headers: ["x-token"], maxAge: "1 hour" })
    ]))))

  it.effect("asks a function for each origin", () =>
    Effect.gen(function*() {
      const allowed = (origin: string) =>
        Effect.map(ask("GET", "/", { origin }), ({ headers }) => headers["access-control-allow-origin"])
      assert.strictEqual(yield* allowed("https://a.app.test"), "https://a.app.test")
      assert.isUndefined(yield* allowed("https://app.test.evil.test"))
      assert.strictEqual((yield* ask("GET", "/")).status, 200)
    }).pipe(Effect.provide(serve([Cors.middleware({ origins: (origin) => origin.endsWith(".app.test") })]))))

  it("refuses credentials for everybody, and origins that are none", () => {
    assert.throws(() => Cors.middleware({ origins: "*", credentials: true }), TypeError, /credentials/)
    assert.throws(() => Cors.middleware({ origins: [] }), TypeError, /empty/)
    assert.throws(() => Cors.middleware({ origins: ["*"] }), TypeError, /"\*" alone/)
    assert.throws(() => Cors.middleware({ origins: ["https://app.test/"] }), TypeError, /"https:\/\/app\.test"/)
    assert.throws(() => Cors.middleware({ origins: "*", headers: ["x y"] }), TypeError, /headers has "x y"/)
  })
})

describe("security headers", () => {
  const names = [
    "x-content-type-options",
    "x-frame-options",
    "content-security-policy",
    "referrer-policy",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
    "strict-transport-security",
    "permissions-policy"
  ]
  const of = (path: string, headers?: Record<string, string>) =>
    Effect.map(ask("GET", path, headers), ({ headers }) => names.map((name) => headers[name]))
  const policy = "strict-origin-when-cross-origin"
  const so = "same-origin"
  const csp = "frame-ancestors 'self'"

  it.effect("stand on every answer, but for what it says itself; HSTS over https only", () =>
    Effect.gen(function*() {
      const plain = ["nosniff", "SAMEORIGIN", csp, policy, so, so, undefined, undefined]
      assert.deepStrictEqual(yield* of("/"), plain)
      assert.deepStrictEqual(yield* of("/conflict"), plain)
      assert.deepStrictEqual(yield* of("/nowhere"), plain)
      assert.deepStrictEqual(yield* of("/own"), plain.with(1, "DENY").with(2, "default-src 'self'"))
      const hsts = "max-age=31536000; includeSubDomains"
      assert.deepStrictEqual(yield* of("/", { "x-forwarded-proto": "https" }), plain.with(6, hsts))
    }).pipe(Effect.provide(serve([proxy, SecurityHeaders.middleware()]))))

  it.effect("are what the program says, or not there", () =>
    Effect.gen(function*() {
      const expected = [undefined, undefined, csp, policy, so, so, "max-age=60; preload", "camera=()"]
      assert.deepStrictEqual(yield* of("/", { "x-forwarded-proto": "https" }), expected)
    }).pipe(Effect.provide(serve([
      proxy,
      SecurityHeaders.middleware({
        contentTypeOptions: false,
        frameOptions: false,
        permissionsPolicy: "camera=()",
        hsts: { maxAge: "1 minute", includeSubDomains: false, preload: true }
      })
    ]))))

  it("cannot be what no header can carry", () => {
    assert.throws(() => SecurityHeaders.middleware({ permissionsPolicy: "a\r\nb" }), TypeError, /permissionsPolicy/)
  })
})
