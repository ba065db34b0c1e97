import { assert, describe, it } from "@effect/vitest"
import * as Compression from "@kore-fx/http/Compression"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { Domain, HttpError, Kore, Problem, Response, Route, Server } from "kore-fx"
import * as zlib from "node:zlib"

const TEXT = "compress me ".repeat(200)
const LARGE = "compress me somewhere else ".repeat(5000)

class Invalid extends HttpError.TaggedError<Invalid>()("Invalid", { text: Schema.String }, { httpStatus: 422 }) {}

const answer = (path: Route.Path, response: Response.Response) => Route.get(path, () => Effect.succeed(response))

const routes = [
  answer("/text", Response.text(TEXT, { headers: { etag: "\"a\"", vary: "accept", "accept-ranges": "bytes" } })),
  answer("/large", Response.text(LARGE)),
  answer("/small", Response.text("small")),
  answer("/noise", Response.uint8Array(crypto.getRandomValues(new Uint8Array(4096)), { contentType: "text/plain" })),
  answer("/image", Response.text(TEXT, { contentType: "image/png" })),
  answer("/coded", Response.text(TEXT, { headers: { "content-encoding": "br" } })),
  answer("/fixed", Response.text(TEXT, { headers: { "cache-control": "max-age=5, no-transform" } })),
  answer("/part", Response.text(TEXT, { status: 206, headers: { "content-range": "bytes 0-2399/5000" } })),
  answer("/empty", Response.empty({ headers: { "content-type": "text/plain" } })),
  answer("/weak", Response.text(TEXT, { headers: { etag: "W/\"a\"" } })),
  answer("/raw", Response.raw(TEXT, { contentType: "text/plain" })),
  answer("/file", Response.text(TEXT, { contentType: "text/css", headers: { etag: "\"a\"" } })),
  Route.head("/file", () =>
    Effect.succeed(Response.empty({
      status: 200,
      headers: { "content-type": "text/css", "content-length": String(TEXT.length), etag: "\"a\"" }
    }))),
  Route.get("/invalid", () => new Invalid({ text: TEXT })),
  answer("/stream", Response.stream(Stream.encodeText(Stream.make(TEXT, TEXT)), { contentType: "text/plain" }))
]

const serve = (middleware: ReturnType<typeof Compression.middleware>, more: ReadonlyArray<Route.Route> = []) =>
  Kore.test(Kore.app({
    config: { httpPrettyError: true },
    servers: { main: Server.tcp({ host: "127.0.0.1", port: 0, tls: false }) },
    worker: Domain.layer("*", { attach: "main", middleware: [middleware] }, [...routes, ...more])
  }))

const ask = Effect.fnUntraced(function*(request: HttpClientRequest.HttpClientRequest) {
  const { arrayBuffer, headers, status } = yield* HttpClient.execute(request)
  return { status, headers, bytes: Buffer.from(yield* arrayBuffer) }
})
const get = (path: string, encoding?: string, headers: Record<string, string> = {}) =>
  ask(HttpClientRequest.get(path, {
    headers: encoding === undefined ? headers : { ...headers, "accept-encoding": encoding }
  }))

const encodingOf = (path: string, encoding?: string) =>
  Effect.map(get(path, encoding), ({ headers }) => headers["content-encoding"])

describe("compression", () => {
  it.effect("is what the client weighs highest, br, zstd and gzip in this order among equals, and none unasked", () =>
    Effect.gen(function*() {
      const cases: ReadonlyArray<readonly [string | undefined, string | undefined]> = [
        ["gzip, br, zstd", "br"],
        ["gzip, deflate", "gzip"],
        ["gzip;q=1, br;q=0.5", "gzip"],
        ["zstd, gzip;q=0.9", "zstd"],
        ["*", "br"],
        ["*;q=0.5, br;q=0", "zstd"],
        ["identity;q=0, gzip;q=0.1", "gzip"],
        ["identity, gzip;q=0.5", undefined],
        ["br;q=0, gzip;q=0", undefined],
        ["deflate", undefined],
        ["gzip;q=nonsense", undefined],
        ["", undefined],
        [undefined, undefined]
      ]
      for (const [accepts, expected] of cases) {
        assert.strictEqual(yield* encodingOf("/text", accepts), expected, accepts)
      }
      const { bytes, headers } = yield* get("/text", "zstd")
      assert.strictEqual(zlib.zstdDecompressSync(bytes).toString(), TEXT)
      assert.strictEqual(headers["content-length"], String(bytes.length))
      assert.strictEqual(headers["content-type"], "text/plain; charset=utf-8")
    }).pipe(Effect.provide(serve(Compression.middleware()))))

  it.effect("keeps to the encodings and the threshold that it is told", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* encodingOf("/text", "br, zstd"), undefined)
      assert.strictEqual(yield* encodingOf("/text", "br, gzip"), undefined)
      assert.strictEqual(yield* encodingOf("/large", "br, gzip"), "gzip")
      assert.strictEqual(zlib.gunzipSync((yield* get("/large", "gzip")).bytes).toString(), LARGE)
    }).pipe(Effect.provide(serve(Compression.middleware({ encodings: ["gzip"], threshold: "4 KiB" })))))

  it.effect("weakens a strong tag, adds to vary, takes ranges back: caches know one answer from the other", () =>
    Effect.gen(function*() {
      const { headers } = yield* get("/text", "br")
      assert.strictEqual(headers["etag"], "W/\"a\"")
      assert.strictEqual(headers["vary"], "accept, accept-encoding")
      assert.isUndefined(headers["accept-ranges"])
      assert.strictEqual((yield* get("/weak", "br")).headers["etag"], "W/\"a\"")
      const plain = yield* get("/text")
      assert.strictEqual(plain.headers["etag"], "\"a\"")
      assert.strictEqual(plain.headers["vary"], "accept, accept-encoding")
      assert.strictEqual(plain.headers["accept-ranges"], "bytes")
    }).pipe(Effect.provide(serve(Compression.middleware()))))

  it.effect("leaves alone what is small, coded, a part, fixed, empty, no text, or would not become smaller", () =>
    Effect.gen(function*() {
      for (const path of ["/small", "/image", "/fixed", "/part", "/empty", "/noise"]) {
        assert.strictEqual(yield* encodingOf(path, "br, gzip"), undefined, path)
      }
      const coded = yield* get("/coded", "gzip")
      assert.strictEqual(coded.headers["content-encoding"], "br")
      assert.strictEqual(coded.bytes.toString(), TEXT)
      assert.isUndefined((yield* get("/image", "gzip")).headers["vary"])
      assert.strictEqual((yield* get("/small", "gzip")).headers["vary"], "accept-encoding")
    }).pipe(Effect.provide(serve(Compression.middleware()))))

  it.effect("HEAD has the fields of GET, no body, and no length that GET would not have", () =>
    Effect.gen(function*() {
      for (const path of ["/text", "/stream", "/raw", "/file"]) {
        const whole = yield* get(path, "gzip")
        const head = yield* ask(HttpClientRequest.head(path, { headers: { "accept-encoding": "gzip" } }))
        assert.strictEqual(head.bytes.length, 0)
        for (const name of ["content-encoding", "vary", "etag", "content-type"]) {
          assert.strictEqual(head.headers[name], whole.headers[name], `${path} ${name}`)
        }
        assert.isUndefined(head.headers["content-length"])
      }
    }).pipe(Effect.provide(serve(Compression.middleware()))))

  it.effect("takes bodies of every kind", () =>
    Effect.gen(function*() {
      assert.strictEqual(zlib.gunzipSync((yield* get("/stream", "gzip")).bytes).toString(), TEXT + TEXT)
      assert.strictEqual(zlib.gunzipSync((yield* get("/raw", "gzip")).bytes).toString(), TEXT)
    }).pipe(Effect.provide(serve(Compression.middleware()))))

  it.effect("holds nothing back: a client reads what a stream gave before the stream gives more, and leaves it", () =>
    Effect.gen(function*() {
      const left = yield* Deferred.make<void>()
      const endless = Stream.concat(Stream.encodeText(Stream.make("first")), Stream.never).pipe(
        Stream.ensuring(Deferred.succeed(left, undefined))
      )
      const route = answer("/endless", Response.stream(endless, { contentType: "text/event-stream" }))
      yield* Effect.gen(function*() {
        const { stream } = yield* HttpClient.execute(
          HttpClientRequest.get("/endless", { headers: { "accept-encoding": "gzip" } })
        )
        let received: Buffer = Buffer.alloc(0)
        yield* Stream.runForEachWhile(stream, (bytes) =>
          Effect.sync(() => {
            received = Buffer.concat([received, bytes])
            const text = zlib.gunzipSync(received, { finishFlush: zlib.constants.Z_SYNC_FLUSH }).toString()
            return text !== "first"
          }))
        yield* Deferred.await(left)
      }).pipe(Effect.provide(serve(Compression.middleware(), [route])))
    }))

  it.effect("stands around error pages: problem details stay readable for whoever makes a page of them", () =>
    Effect.gen(function*() {
      const page = yield* get("/invalid", "gzip", { accept: "text/html" })
      assert.strictEqual(page.status, 422)
      assert.include(page.bytes.toString(), "<h1>422")
      const problem = yield* get("/invalid", "gzip")
      assert.strictEqual(problem.headers["content-type"], Problem.MEDIA_TYPE)
      assert.strictEqual(JSON.parse(problem.bytes.toString()).text, TEXT)
    }).pipe(Effect.provide(serve(Compression.middleware()))))

  it("refuses options that are none, and names them", () => {
    assert.throws(() => Compression.middleware({ encodings: ["deflate" as never] }), TypeError, /encodings.*"deflate"/)
    assert.throws(() => Compression.middleware({ levels: { br: 12 } }), RangeError, /levels\.br is 12.*0 to 11/)
    assert.throws(() => Compression.middleware({ levels: { lzma: 1 } as never }), TypeError, /lzma/)
  })
})
