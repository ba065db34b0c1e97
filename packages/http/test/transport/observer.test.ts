import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { HttpServerResponse } from "../../src/internal/effectHttp.ts"
import type * as Transport from "../../src/transport/Transport.ts"
import { get, insidesOf, post, serve, settings, text, turns, type Work } from "./harness.ts"

/** What an observer was told, copied while it was told. */
const observed = Effect.fnUntraced(function*(work: Work, overrides: Partial<Transport.Settings> = {}) {
  const told: Array<Transport.Ended> = []
  const served = yield* serve(work, overrides, (ended) => {
    const { address, bytes, duration, ending, host, isEncrypted, method, port, referer, status, target, time } = ended
    const { userAgent, version } = ended
    const copy = { address, bytes, duration, ending, host, isEncrypted, method, port, referer, status, target, time }
    if (target !== "/__sync") told.push({ ...copy, userAgent, version })
  })
  return { ...served, told }
})

const summary = (told: ReadonlyArray<Transport.Ended>) =>
  told.map(({ bytes, ending, method, status, target }) => [method, target, status, bytes, ending])

const every: Work = (request) => {
  switch (request.path) {
    case "/stream":
      return Effect.succeed(HttpServerResponse.stream(Stream.make(Buffer.from("abc"), Buffer.from("de"))))
    case "/later":
      return Effect.as(Effect.yieldNow, text("later"))
    case "/none":
      return Effect.succeed(HttpServerResponse.empty({ status: 204 }))
    case "/same":
      return Effect.succeed(HttpServerResponse.setStatus(text("not sent"), 304))
    case "/body":
      return Effect.map(request.text, text)
    case "/invalid":
      return Effect.succeed(HttpServerResponse.setHeader(text("x"), "x", "a\nb"))
    case "/long":
      return Effect.succeed(text("ä".repeat(20_000)))
    case "/broken":
      return Effect.succeed(HttpServerResponse.stream(Stream.concat(Stream.make(Buffer.from("abc")), Stream.die("x"))))
    case "/never":
      return Effect.never
    default:
      return Effect.succeed(text("hello"))
  }
}

describe("an observer is told of", () => {
  it.effect("B32: every request once, in order, with the bytes of its body", () =>
    Effect.gen(function*() {
      const { connect, told } = yield* observed(every)
      const client = yield* connect
      const head = get("/").replace("GET", "HEAD")
      client.send(
        get("/") + head + get("/stream") + get("/later") + get("/none") + get("/same") + post("/body", "12") +
          get("/invalid") + get("/long") + get("/").replace("GET /", "OPTIONS *")
      )
      yield* client.responses(10, ["GET", "HEAD"])
      assert.deepStrictEqual(summary(told), [
        ["GET", "/", 200, 5, "complete"],
        ["HEAD", "/", 200, 0, "complete"],
        ["GET", "/stream", 200, 5, "complete"],
        ["GET", "/later", 200, 5, "complete"],
        ["GET", "/none", 204, 0, "complete"],
        ["GET", "/same", 304, 0, "complete"],
        ["POST", "/body", 200, 2, "complete"],
        ["GET", "/invalid", 500, told[7]!.bytes, "complete"],
        ["GET", "/long", 200, 40_000, "complete"],
        ["OPTIONS", "*", 200, 5, "complete"]
      ])
    }))

  it.effect("who asked, for what, and how long it took", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(1_000_000)
      const { connect, sync, told } = yield* observed(() => Effect.as(Effect.sleep("3 seconds"), text("hello")))
      const client = yield* connect
      client.send("GET /a?b=c HTTP/1.0\r\nHost: Example.com:80\r\nUser-Agent: one\r\nReferer: two\r\n\r\n")
      yield* sync
      // Another head has been parsed meanwhile.
      yield* TestClock.adjust("3 seconds")
      yield* client.responses(1)
      assert.deepStrictEqual(told, [{
        time: 1_003_000,
        duration: 3000,
        address: "127.0.0.1",
        port: client.socket.localPort,
        isEncrypted: false,
        method: "GET",
        target: "/a?b=c",
        version: "1.0",
        host: "Example.com:80",
        status: 200,
        bytes: 5,
        referer: "two",
        userAgent: "one",
        ending: "complete"
      }])
    }))

  it.effect("a client that leaves before its answer, by the address that it had", () =>
    Effect.gen(function*() {
      const { connect, record, told } = yield* observed(every)
      const client = yield* connect
      client.send(get("/never"))
      yield* record.until(({ started }) => started.length === 1)
      client.reset()
      yield* record.until(({ ended }) => ended.length === 1)
      assert.deepStrictEqual(summary(told), [["GET", "/never", undefined, 0, "cut"]])
      assert.strictEqual(told[0]!.address, "127.0.0.1")
    }))

  it.effect("a client that leaves in the middle of its answer, with what was sent of it", () =>
    Effect.gen(function*() {
      const { connect, record, told } = yield* observed(() =>
        Effect.succeed(HttpServerResponse.stream(Stream.concat(Stream.make(Buffer.from("abc")), Stream.never)))
      )
      const client = yield* connect
      client.send(get("/"))
      yield* client.until(({ received }) => received.includes("abc"))
      client.reset()
      yield* record.until(({ fibers }) => fibers.size === 0)
      assert.deepStrictEqual(summary(told), [["GET", "/", 200, 3, "cut"]])
    }))

  it.effect("a stream that breaks, and one that gives too much, once each", () =>
    Effect.gen(function*() {
      const { exchange, told } = yield* observed((request) =>
        request.path === "/broken" ? every(request, undefined as never) : Effect.succeed(
          HttpServerResponse.stream(Stream.make(Buffer.from("abc"), Buffer.from("de")), { contentLength: 4 })
        )
      )
      yield* exchange(get("/broken"))
      yield* exchange(get("/much"))
      yield* turns(5)
      assert.deepStrictEqual(summary(told).map((row) => row.filter((_, index) => index !== 3)), [
        ["GET", "/broken", 200, "broken"],
        ["GET", "/much", 200, "broken"]
      ])
      assert.isAtMost(told[1]!.bytes, 4)
    }))
})

describe("B32: an observer is told of a request that no handler sees:", () => {
  const long = "x".repeat(settings.headMax)
  const agent = "user-agent: probe"
  it.effect.each([
    ["a broken field", get("/a", agent, "bad field"), ["GET", "/a", 400], "probe"],
    ["no host", `GET /a HTTP/1.1\r\n${agent}\r\n\r\n`, ["GET", "/a", 400], "probe"],
    ["a head that is too large", get("/a", agent, `x: ${long}`), ["GET", "/a", 431], "probe"],
    ["too many fields", get("/a", agent, ...new Array(101).fill("x: y")), ["GET", "/a", 431], "probe"],
    ["a method nobody knows", get("/a", agent).replace("GET", "BREW"), ["BREW", "/a", 501], "probe"],
    ["another version", get("/a", agent).replace("1.1", "2.0"), ["GET", "/a", 505], "probe"],
    ["a body too large", post("/a", "", agent).replace("length: 0", "length: 9999999"), ["POST", "/a", 413], "probe"],
    ["what is no request", "\x16\x03\x01\x02\x00", [undefined, undefined, 400], undefined]
  ] as const)("%s", ([, bytes, expected, userAgent]) =>
    Effect.gen(function*() {
      const { exchange, told } = yield* observed(every)
      yield* exchange(bytes)
      assert.deepStrictEqual(told.map(({ ending, method, status, target }) => [method, target, status, ending]), [[
        ...expected,
        "refused"
      ]])
      assert.strictEqual(told[0]!.userAgent, userAgent)
      assert.isAbove(told[0]!.bytes, 0)
    }))

  it.effect("a target that is too long, whole up to the limit", () =>
    Effect.gen(function*() {
      const { exchange, told } = yield* observed(every)
      yield* exchange(get(`/${long}`))
      assert.deepStrictEqual(told.map(({ method, status }) => [method, status]), [["GET", 414]])
      assert.strictEqual(told[0]!.target, `/${long}`.slice(0, settings.headMax - "GET ".length))
    }))

  it.effect("a head that never ends, after complete requests; HEAD has no bytes", () =>
    Effect.gen(function*() {
      const { connect, sync, told } = yield* observed(every)
      const client = yield* connect
      client.send(get("/") + "HEAD /slow HTTP/1.1\r\nhost: a.example\r\nuser-ag")
      yield* sync
      yield* TestClock.adjust("11 seconds")
      yield* client.until(({ ended }) => ended)
      assert.deepStrictEqual(summary(told), [["GET", "/", 200, 5, "complete"], ["HEAD", "/slow", 408, 0, "refused"]])
      assert.strictEqual(told[1]!.host, "a.example")
    }))

  it.effect("a body that breaks while its handler reads is one answer", () =>
    Effect.gen(function*() {
      const { exchange, told } = yield* observed(every)
      yield* exchange("POST /body HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n")
      assert.deepStrictEqual(told.map(({ ending, status }) => [status, ending]), [[400, "complete"]])
    }))

  it.effect("one beyond httpRequestLimit", () =>
    Effect.gen(function*() {
      const { connect, told } = yield* observed(every, { requestLimit: 0 })
      const client = yield* connect
      client.send(get("/"))
      yield* client.responses(1)
      assert.deepStrictEqual(told.map(({ ending, status }) => [status, ending]), [[503, "complete"]])
    }))
})

describe("without an observer", () => {
  it.effect("nothing is noted down", () =>
    Effect.gen(function*() {
      const { connect, record } = yield* serve(every)
      const client = yield* connect
      client.send(get("/"))
      yield* client.responses(1)
      assert.isUndefined((insidesOf(record) as unknown as { readonly observation: unknown }).observation)
      assert.isUndefined((insidesOf(record) as unknown as { readonly share: unknown }).share)
    }))
})
