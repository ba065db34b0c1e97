/** The defects of Kore that its specification lists (http §22), each on the wire. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { get, post, read, serve, text, turns } from "./harness.ts"

const echo = serve((request) =>
  Effect.map(request.text, (body) => text(`${request.method} ${request.url} ${body}`)).pipe(Effect.orDie)
)

const statuses = (bytes: string) => read(bytes).messages.map(({ status }) => status)

describe("A2: bytes beyond the content length", () => {
  it.effect("are the next request, not more body", () =>
    Effect.gen(function*() {
      const { connect } = yield* echo
      const client = yield* connect
      client.send(post("/a", "abc") + get("/b"))
      const [first, second] = yield* client.responses(2)
      assert.strictEqual(first!.body, "POST /a abc")
      assert.strictEqual(second!.body, "GET /b ")
    }))

  it.effect("a chunked body is cut at the limit while it arrives, not after it", () =>
    Effect.gen(function*() {
      const { exchange } = yield* serve((request) => Effect.as(request.text, text("never")), { bodyMax: 1_000 })
      const bytes = yield* exchange(
        `POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n${`100\r\n${"x".repeat(256)}\r\n`.repeat(100)}`
      )
      assert.deepStrictEqual(statuses(bytes), [413])
    }))
})

describe("A3: framing", () => {
  const both = "content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"
  const cases: ReadonlyArray<readonly [name: string, bytes: string]> = [
    ["both framing fields", `POST / HTTP/1.1\r\nhost: a\r\n${both}`],
    ["two equal lengths", "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\ncontent-length: 3\r\n\r\nabc"],
    ["two different lengths", "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabc"],
    ["a list of lengths", "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3, 3\r\n\r\nabc"],
    ["a signed length", "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: +3\r\n\r\nabc"],
    ["a hexadecimal length", "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 0x3\r\n\r\nabc"],
    ["chunked twice",
      "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"],
    ["chunked not last", "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked, gzip\r\n\r\n0\r\n\r\n"],
    ["chunked behind a tab", "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: \tchunked\r\n\r\n0\r\n\r\n"],
    ["chunked before a blank and a tab",
      "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked \t\r\n\r\n0\r\n\r\n"],
    ["chunked in HTTP/1.0", "POST / HTTP/1.0\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"],
    ["white space before the colon", "POST / HTTP/1.1\r\nhost: a\r\ncontent-length : 3\r\n\r\nabc"],
    ["a folded line", "POST / HTTP/1.1\r\nhost: a\r\nx: y\r\n content-length: 3\r\n\r\nabc"],
    ["a length in a trailer",
      "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n0\r\ncontent-length: 3\r\n\r\n"]
  ]

  it.effect.each(cases)("%s: 400, and nothing behind it is served", ([, bytes]) =>
    Effect.gen(function*() {
      const { exchange, record } = yield* serve((request) =>
        Effect.match(request.text, { onSuccess: text, onFailure: () => text("the body is broken") })
      )
      const answer = yield* exchange(bytes + get("/smuggled"))
      assert.notInclude(record.started.join(), "smuggled")
      assert.match(answer, /^HTTP\/1\.1 (400|200)/)
      assert.match(answer, /connection: close/)
    }))

  it.effect("the body of a GET is its body, and the next request is the next request", () =>
    Effect.gen(function*() {
      const { connect } = yield* echo
      const client = yield* connect
      const body = get("/smuggled")
      client.send(`GET /a HTTP/1.1\r\nhost: a\r\ncontent-length: ${body.length}\r\n\r\n${body}${get("/b")}`)
      const messages = yield* client.responses(2)
      assert.deepStrictEqual(messages.map(({ body }) => body), [`GET /a ${body}`, "GET /b "])
    }))

  it.effect("a body that nobody reads is thrown away, and the next request is the next request", () =>
    Effect.gen(function*() {
      const { connect } = yield* serve((request) => Effect.succeed(text(request.url)))
      const client = yield* connect
      client.send(post("/a", get("/smuggled")) + get("/b"))
      const messages = yield* client.responses(2)
      assert.deepStrictEqual(messages.map(({ body }) => body), ["/a", "/b"])
    }))
})

describe("A4: Host", () => {
  it.effect("a field that only begins like it is not it", () =>
    Effect.gen(function*() {
      const { exchange } = yield* serve((request) => Effect.succeed(text(request.host)))
      const bytes = yield* exchange("GET / HTTP/1.1\r\nHostile: evil\r\nHost: good\r\nconnection: close\r\n\r\n")
      assert.strictEqual(read(bytes).messages[0]!.body, "good")
    }))

  it.effect.each([
    ["none", ""],
    ["two", "host: a\r\nhost: b\r\n"],
    ["two equal ones", "host: a\r\nHost: a\r\n"],
    ["an empty one", "host:\r\n"],
    ["one with a path", "host: a/b\r\n"],
    ["one with a user", "host: a@b\r\n"]
  ])("%s: 400, and no handler runs", ([, fields]) =>
    Effect.gen(function*() {
      const { exchange, record } = yield* echo
      assert.deepStrictEqual(statuses(yield* exchange(`GET / HTTP/1.1\r\n${fields}\r\n`)), [400])
      assert.deepStrictEqual(record.started, [])
    }))

  it.effect("an absolute target decides, not the field beside it", () =>
    Effect.gen(function*() {
      const { exchange } = yield* serve((request) =>
        Effect.succeed(text([request.host, request.headers["host"], request.field("host"), request.url].join()))
      )
      const bytes = yield* exchange("GET http://good:80/p?q HTTP/1.1\r\nHost: evil\r\nconnection: close\r\n\r\n")
      assert.strictEqual(read(bytes).messages[0]!.body, "good:80,good:80,good:80,/p?q")
    }))
})

describe("A5: many fields", () => {
  const fields = (count: number) => Array.from({ length: count }, (_, i) => `x-${i}: ${i}`)

  it.effect("all fields up to the limit are seen", () =>
    Effect.gen(function*() {
      const { exchange } = yield* serve((request) => Effect.succeed(text(request.headers["x-97"] ?? "lost")))
      const bytes = yield* exchange(get("/", ...fields(98), "connection: close"))
      assert.strictEqual(read(bytes).messages[0]!.body, "97")
    }))

  it.effect("one more is 431, and the request is not served without it", () =>
    Effect.gen(function*() {
      const { exchange, record } = yield* echo
      assert.deepStrictEqual(statuses(yield* exchange(get("/", ...fields(100)))), [431])
      assert.deepStrictEqual(record.started, [])
    }))
})

describe("A22: NUL", () => {
  it.effect.each([
    ["in a value", "x: a\0b"],
    ["in a name", "x\0: a"],
    ["at the end of a value", "x: a\0"]
  ])("%s is 400 and hides nothing", ([, field]) =>
    Effect.gen(function*() {
      const { exchange, record } = yield* echo
      assert.deepStrictEqual(statuses(yield* exchange(get("/", field!, "content-length: 3") + "abc")), [400])
      assert.deepStrictEqual(record.started, [])
    }))

  it.effect("in the target is 400", () =>
    Effect.gen(function*() {
      const { exchange } = yield* echo
      assert.deepStrictEqual(statuses(yield* exchange(get("/a\0b"))), [400])
    }))
})

describe("B1: pipelining", () => {
  it.effect("two requests in one segment are both answered", () =>
    Effect.gen(function*() {
      const { connect } = yield* echo
      const client = yield* connect
      client.send(get("/a") + get("/b"))
      assert.deepStrictEqual((yield* client.responses(2)).map(({ body }) => body), ["GET /a ", "GET /b "])
    }))

  it.effect("a request that arrives while another is handled does not wait for more bytes", () =>
    Effect.gen(function*() {
      const { connect, record, sync } = yield* serve((request) =>
        request.url === "/slow" ? Effect.delay(Effect.succeed(text("slow")), "1 second") : Effect.succeed(text("quick"))
      )
      const client = yield* connect
      client.send(get("/slow"))
      yield* record.until(({ started }) => started.length === 1)
      client.send(get("/quick"))
      yield* sync
      assert.strictEqual(client.received, "")
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual((yield* client.responses(2)).map(({ body }) => body), ["slow", "quick"])
    }))
})

describe("B2: half-close", () => {
  it.effect("a client that shuts its sending side gets its answer, then the end", () =>
    Effect.gen(function*() {
      const { connect, record } = yield* serve(() => Effect.delay(Effect.succeed(text("late")), "1 second"))
      const client = yield* connect
      client.send(get("/"))
      client.halfClose()
      yield* record.until(({ started }) => started.length === 1)
      yield* turns(10)
      yield* TestClock.adjust("1 second")
      yield* client.until(({ ended }) => ended)
      const [answer] = read(client.received).messages
      assert.strictEqual(answer!.body, "late")
      assert.strictEqual(answer!.headers["connection"], "close")
      assert.deepStrictEqual(record.outcomes, ["GET / answered"])
    }))
})

describe("B3: an idle connection", () => {
  it.effect("lives as long as was announced, and is closed without a word", () =>
    Effect.gen(function*() {
      const { connect } = yield* echo
      const client = yield* connect
      client.send(get("/"))
      const [answer] = yield* client.responses(1)
      assert.strictEqual(answer!.headers["keep-alive"], "timeout=20")
      const before = client.received
      yield* TestClock.adjust("20 seconds")
      yield* turns(10)
      assert.isFalse(client.ended)
      yield* TestClock.adjust("1 second")
      yield* client.until(({ ended }) => ended)
      assert.strictEqual(client.received, before)
    }))

  it.effect("the clock of a request starts with its first byte, not with the response before it", () =>
    Effect.gen(function*() {
      const { connect, sync } = yield* echo
      const client = yield* connect
      client.send(get("/a"))
      yield* client.responses(1)
      yield* TestClock.adjust("19 seconds")
      client.send("GET /b HTTP/1.1\r\n")
      yield* sync
      yield* TestClock.adjust("9 seconds")
      client.send("host: a\r\n\r\n")
      assert.deepStrictEqual((yield* client.responses(2)).map(({ body }) => body), ["GET /a ", "GET /b "])
    }))

  it.effect("empty lines after a request are not the beginning of the next one", () =>
    Effect.gen(function*() {
      const { connect, sync } = yield* echo
      const client = yield* connect
      client.send(`${get("/a")}\r\n\r`)
      yield* client.responses(1)
      client.send("\n")
      yield* sync
      yield* TestClock.adjust("15 seconds")
      client.send(get("/b"))
      assert.deepStrictEqual((yield* client.responses(2)).map(({ body }) => body), ["GET /a ", "GET /b "])
    }))
})

describe("B4: errors", () => {
  it.effect("an error of the application keeps the connection", () =>
    Effect.gen(function*() {
      const { connect } = yield* serve((request) =>
        request.url === "/" ? Effect.succeed(text("fine")) : Effect.die(new Error("broken"))
      )
      const client = yield* connect
      client.send(get("/x") + get("/y") + get("/"))
      const messages = yield* client.responses(3)
      assert.deepStrictEqual(messages.map(({ status }) => status), [500, 500, 200])
      assert.deepStrictEqual(messages.map(({ headers }) => headers["connection"]), ["keep-alive", "keep-alive",
        "keep-alive"])
    }))

  it.effect("a request beyond httpRequestLimit gets 503 and keeps the connection", () =>
    Effect.gen(function*() {
      const { connect } = yield* serve(() => Effect.succeed(text("fine")), { requestLimit: 0 })
      const client = yield* connect
      client.send(get("/") + post("/", "abc") + get("/"))
      const messages = yield* client.responses(3)
      assert.deepStrictEqual(messages.map(({ status }) => status), [503, 503, 503])
      assert.isFalse(client.ended)
    }))
})
