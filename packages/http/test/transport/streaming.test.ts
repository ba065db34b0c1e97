import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Scheduler from "effect/Scheduler"
import * as Stream from "effect/Stream"
import { HttpServerResponse } from "../../src/internal/effectHttp.ts"
import { get, insidesOf, post, read, type Response, serve, text, turns } from "./harness.ts"

const bytes = (...pieces: ReadonlyArray<string>) => Stream.fromIterable(pieces.map((piece) => Buffer.from(piece)))

const sized = (contentLength: number, ...pieces: ReadonlyArray<string>) =>
  HttpServerResponse.stream(bytes(...pieces), { contentLength })

/** Serves the same response to every request; asks twice on one connection where it is kept. */
const twice = Effect.fnUntraced(function*(response: () => Response) {
  const served = yield* serve(() => Effect.sync(response))
  const client = yield* served.connect
  client.send(get("/a") + get("/b"))
  const messages = yield* client.responses(2)
  return { messages, client, record: served.record }
})

describe("streamed responses", () => {
  it.effect("of unknown length are chunked, and the connection is kept", () =>
    Effect.gen(function*() {
      const { messages, record } = yield* twice(() => HttpServerResponse.stream(bytes("one", "two", "", "three")))
      assert.deepStrictEqual(messages.map(({ body, complete }) => [body, complete]), [
        ["onetwothree", true],
        ["onetwothree", true]
      ])
      assert.strictEqual(messages[0]!.headers["transfer-encoding"], "chunked")
      assert.strictEqual(record.fibers.size, 0)
      assert.strictEqual(insidesOf(record).port.live, 0)
    }))

  it.effect("of known length carry it, and the connection is kept", () =>
    Effect.gen(function*() {
      const { messages } = yield* twice(() => sized(6, "one", "two"))
      assert.deepStrictEqual(messages.map(({ body }) => body), ["onetwo", "onetwo"])
      assert.strictEqual(messages[0]!.headers["content-length"], "6")
    }))

  it.effect("that are empty end well", () =>
    Effect.gen(function*() {
      const chunked = yield* twice(() => HttpServerResponse.stream(Stream.empty))
      assert.deepStrictEqual(chunked.messages.map(({ body, complete }) => [body, complete]), [["", true], ["", true]])
      const known = yield* twice(() => sized(0))
      assert.deepStrictEqual(known.messages.map(({ body, complete }) => [body, complete]), [["", true], ["", true]])
    }))

  it.effect("that take their time are sent piece by piece", () =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<void>()
      const { connect } = yield* serve(() =>
        Effect.succeed(
          HttpServerResponse.stream(Stream.concat(bytes("early"), Stream.drain(Stream.fromEffect(Deferred.await(gate)))
            .pipe(Stream.concat(bytes("late")))))
        )
      )
      const client = yield* connect
      client.send(get("/"))
      yield* client.until(({ received }) => received.includes("early"))
      assert.notInclude(client.received, "late")
      yield* Deferred.succeed(gate, undefined)
      assert.strictEqual((yield* client.responses(1))[0]!.body, "earlylate")
    }))

  it.effect("that are too short break the connection, and are reported once", () =>
    Effect.gen(function*() {
      const { client, messages, record } = yield* twice(() => sized(7, "one", "two"))
      yield* client.until(({ ended }) => ended)
      assert.deepStrictEqual(messages.map(({ body, complete }) => [body, complete]), [["onetwo", false]])
      assert.deepStrictEqual(record.reported, ["a response of 7 bytes ended after 6"])
      assert.deepStrictEqual(record.started, ["GET /a"])
    }))

  it.effect("that are too long break the connection before the byte too many, and are reported once", () =>
    Effect.gen(function*() {
      const { client, record } = yield* twice(() => sized(5, "one", "two"))
      yield* client.until(({ ended }) => ended)
      assert.notInclude(client.received, "two")
      assert.deepStrictEqual(record.reported, ["a response of 5 bytes was given more than that"])
    }))

  it.effect("that fail half-way break the connection instead of ending it well, and are reported once", () =>
    Effect.gen(function*() {
      const failing = Stream.concat(bytes("half"), Stream.fail(new Error("the source broke")))
      const { client, messages, record } = yield* twice(() => HttpServerResponse.stream(failing))
      yield* client.until(({ ended }) => ended)
      assert.deepStrictEqual(messages.map(({ body, complete }) => [body, complete]), [["half", false]])
      assert.deepStrictEqual(record.reported, ["the source broke"])
      assert.strictEqual(insidesOf(record).port.live, 0)
      assert.strictEqual(record.fibers.size, 0)
    }))

  it.effect("that fail half-way reset the connection where its end would be the end of the body (HTTP/1.0)", () =>
    Effect.gen(function*() {
      const failing = Stream.concat(bytes("half"), Stream.drain(Stream.fromEffect(turns(20))).pipe(
        Stream.concat(Stream.fail(new Error("the source broke")))
      ))
      const { connect } = yield* serve(() => Effect.succeed(HttpServerResponse.stream(failing)))
      const client = yield* connect
      client.send("GET / HTTP/1.0\r\n\r\n")
      yield* client.until(({ closed, ended }) => ended || closed)
      assert.strictEqual(client.error, "ECONNRESET")
    }))

  it.effect("that die half-way do so too", () =>
    Effect.gen(function*() {
      const dying = Stream.concat(bytes("half"), Stream.die(new Error("a bug")))
      const { client, record } = yield* twice(() => HttpServerResponse.stream(dying))
      yield* client.until(({ ended }) => ended)
      assert.isFalse(read(client.received).messages[0]!.complete)
      assert.deepStrictEqual(record.reported, ["a bug"])
    }))

  it.effect("that fail at once take no complete response before them along", () =>
    Effect.gen(function*() {
      const { connect } = yield* serve((request) =>
        Effect.succeed(
          request.url === "/fine" ? text("fine") : HttpServerResponse.stream(Stream.fail(new Error("the source broke")))
        )
      )
      const client = yield* connect
      client.send(get("/fine") + get("/broken"))
      yield* client.until(({ ended }) => ended)
      assert.deepStrictEqual(read(client.received).messages.map(({ body, complete }) => [body, complete]), [
        ["fine", true],
        ["", false]
      ])
    }))

  it.effect("that give something else than bytes break the connection: their length would be a lie", () =>
    Effect.gen(function*() {
      const untyped = Stream.make("é") as unknown as Stream.Stream<Uint8Array>
      const { client, record } = yield* twice(() => HttpServerResponse.stream(untyped))
      yield* client.until(({ ended }) => ended)
      assert.deepStrictEqual(record.reported, ["a streamed response gave something else than bytes"])
    }))

  it.effect("with an impossible length are 500, and reported once", () =>
    Effect.gen(function*() {
      const { messages, record } = yield* twice(() => sized(-1))
      assert.deepStrictEqual(messages.map(({ status }) => status), [500, 500])
      assert.strictEqual(record.reports.length, 2)
    }))

  it.effect("may be raw: text, bytes, a Blob, an async iterable, with its content type", () =>
    Effect.gen(function*() {
      async function* iterable() {
        yield "one"
        yield Buffer.from("two")
      }
      const bodies: ReadonlyArray<() => unknown> = [
        () => "héllo",
        () => Buffer.from("bytes"),
        () => new Blob(["blob"], { type: "text/x" }),
        () => iterable(),
        () => 42
      ]
      const { connect, record } = yield* serve((request) =>
        Effect.sync(() => HttpServerResponse.raw(bodies[Number(request.url.slice(1))]!()))
      )
      const client = yield* connect
      client.send(bodies.map((_, i) => get(`/${i}`)).join(""))
      const messages = yield* client.responses(bodies.length)
      assert.deepStrictEqual(messages.slice(0, 4).map(({ body }) => Buffer.from(body, "latin1").toString()), [
        "héllo",
        "bytes",
        "blob",
        "onetwo"
      ])
      assert.strictEqual(messages[2]!.headers["content-type"], "text/x")
      assert.strictEqual(messages[4]!.status, 500)
      assert.strictEqual(record.reports.length, 1)
    }))

  it.effect("do not hold up requests behind them longer than they last", () =>
    Effect.gen(function*() {
      const { connect } = yield* serve((request) =>
        Effect.succeed(request.url === "/s"
          ? HttpServerResponse.stream(
            Stream.fromEffectRepeat(Effect.as(turns(1), Buffer.from("x"))).pipe(Stream.take(20))
          )
          : text("behind"))
      )
      const client = yield* connect
      client.send(get("/s") + get("/b"))
      assert.deepStrictEqual((yield* client.responses(2)).map(({ body }) => body), ["x".repeat(20), "behind"])
    }))
})

describe("large responses", () => {
  it.effect("text and bytes of any size arrive unchanged, pipelined too", () =>
    Effect.gen(function*() {
      const sizes = [0, 1, 1_000, 16_383, 16_384, 16_385, 65_536, 1_000_000]
      const { connect } = yield* serve((request) => {
        const [, kind, size] = request.url.split("/")
        const value = (kind === "umlaut" ? "ü" : "x").repeat(Number(size))
        return Effect.succeed(kind === "bytes" ? HttpServerResponse.uint8Array(Buffer.from(value)) : text(value))
      })
      const client = yield* connect
      const paths = sizes.flatMap((size) => [`/text/${size}`, `/umlaut/${size}`, `/bytes/${size}`])
      client.send(paths.map((path) => get(path)).join(""))
      const messages = yield* client.responses(paths.length)
      for (const [i, path] of paths.entries()) {
        const [, kind, size] = path.split("/")
        const body = Buffer.from(messages[i]!.body, "latin1").toString()
        assert.isTrue(body === (kind === "umlaut" ? "ü" : "x").repeat(Number(size)), path)
      }
    }))
})

describe("back-pressure", () => {
  it.effect("a client that does not read stops the stream that makes the response", () =>
    Effect.gen(function*() {
      let made = 0
      const piece = Buffer.alloc(10_000)
      const endless = Stream.fromEffectRepeat(Effect.sync(() => {
        made++
        return piece
      }))
      const { connect, record } = yield* serve(() => Effect.succeed(HttpServerResponse.stream(endless)))
      const client = yield* connect
      client.socket.pause()
      client.send(get("/"))
      yield* record.until(({ started }) => started.length === 1)
      let before = -1
      while (made !== before) {
        before = made
        yield* turns(50)
      }
      const { socket } = insidesOf(record).wire
      assert.isBelow(socket.writableLength, socket.writableHighWaterMark + 20_000)
      client.socket.resume()
      yield* client.until(({ received }) => received.length > before * 10_000 + 1_000_000)
      assert.isAbove(made, before)
    }))

  it.effect("a client that does not read stops requests from being taken", () =>
    Effect.gen(function*() {
      const large = text("x".repeat(15_000))
      const { connect, record } = yield* serve(() => Effect.succeed(large))
      const client = yield* connect
      client.socket.pause()
      for (let i = 0; i < 2_000; i++) client.send(get("/", `x: ${"y".repeat(1_000)}`))
      let before = -1
      while (record.started.length !== before) {
        before = record.started.length
        yield* turns(50)
      }
      assert.isBelow(before, 2_000)
      const { socket } = insidesOf(record).wire
      assert.isBelow(socket.writableLength, 200_000)
      // What Node's stream buffers by itself.
      assert.isBelow(socket.readableLength, 2 * 65_536)
      client.socket.resume()
      yield* client.until(({ received }) => received.length > 2_000 * 15_000)
      assert.strictEqual(record.started.length, 2_000)
    }))

  it.effect("a handler that does not read its body stops the client", () =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<void>()
      const { connect, record } = yield* serve((request) =>
        Deferred.await(gate).pipe(
          Effect.andThen(Stream.runFold(request.stream, () => 0, (size, chunk) => size + chunk.length)),
          Effect.map((size) => text(String(size)))
        ), { bodyMax: 100_000_000 })
      const client = yield* connect
      const size = 20_000_000
      client.send(`POST / HTTP/1.1\r\nhost: a\r\ncontent-length: ${size}\r\n\r\n`)
      client.send(Buffer.alloc(size))
      yield* record.until(({ started }) => started.length === 1)
      const insides = insidesOf(record)
      let before = -1
      while (insides.body!.size !== before) {
        before = insides.body!.size
        yield* turns(50)
      }
      // One read beyond the mark, and what Node's stream buffers by itself.
      assert.isBelow(insides.body!.buffered, 3 * 65_536)
      assert.isBelow(insides.wire.socket.readableLength, 2 * 65_536)
      yield* Deferred.succeed(gate, undefined)
      assert.strictEqual((yield* client.responses(1))[0]!.body, String(size))
      client.send(post("/", "abc"))
      assert.strictEqual((yield* client.responses(2))[1]!.body, "3")
    }))

  it.effect("a body that ends while the client is stopped does not leave it stopped", () =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<void>()
      const { connect, record } = yield* serve((request) => Effect.as(Deferred.await(gate), text(request.url)))
      const client = yield* connect
      client.send(post("/a", "x".repeat(70_000)))
      yield* record.until(({ started }) => started.length === 1)
      yield* turns(50)
      yield* Deferred.succeed(gate, undefined)
      yield* client.responses(1)
      client.send(get("/b"))
      assert.strictEqual((yield* client.responses(2))[1]!.body, "/b")
    }))

  it.effect("an echo of 10 MB through the handler holds no more than its buffers", () =>
    Effect.gen(function*() {
      let most = 0
      const { connect, record } = yield* serve((request) =>
        Effect.succeed(HttpServerResponse.stream(request.stream.pipe(
          Stream.tap(() =>
            Effect.sync(() => {
              const { body, wire: { socket } } = insidesOf(record)
              most = Math.max(most, socket.writableLength + socket.readableLength + (body?.buffered ?? 0))
            })
          )
        ))), { bodyMax: 100_000_000 })
      const client = yield* connect
      const size = 10_000_000
      client.send(`POST / HTTP/1.1\r\nhost: a\r\ncontent-length: ${size}\r\n\r\n`)
      client.send(Buffer.alloc(size, "z"))
      yield* client.until(({ received }) => received.endsWith("\r\n0\r\n\r\n"))
      assert.strictEqual(read(client.received).messages[0]!.body.length, size)
      assert.isBelow(most, 500_000)
    }))

  it.effect("a body of tiny chunks costs its bytes, not a buffer for each", () =>
    Effect.gen(function*() {
      const { connect, record } = yield* serve((request) =>
        Effect.map(request.text, (body) => text(String(body.length)))
      )
      const client = yield* connect
      client.send("POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n")
      for (let i = 0; i < 100; i++) client.send("1\r\na\r\n".repeat(1_000))
      yield* record.until(({ started }) => started.length === 1)
      const { body } = insidesOf(record)
      while (body!.size < 100_000) yield* turns(1)
      assert.isBelow(body!.chunks.length, 20)
      client.send("0\r\n\r\n")
      assert.strictEqual((yield* client.responses(1))[0]!.body, "100000")
    }))
})

describe("a body read as a stream", () => {
  it.effect("arrives whole when the handler pulls piece by piece", () =>
    Effect.gen(function*() {
      const { connect } = yield* serve((request) =>
        Effect.map(
          Stream.runFold(
            Stream.mapEffect(request.stream, (chunk) => Effect.as(turns(1), chunk.toString())),
            () => "",
            (all, chunk) => all + chunk
          ),
          text
        )
      )
      const client = yield* connect
      client.send("POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n")
      for (const word of ["one", "two", "three"]) {
        client.send(`${word.length}\r\n${word}\r\n`)
        yield* turns(5)
      }
      client.send("0\r\n\r\n")
      assert.strictEqual((yield* client.responses(1))[0]!.body, "onetwothree")
    }))

  it.effect("waits without work between two pieces", () =>
    Effect.gen(function*() {
      let pieces = 0
      const { connect } = yield* serve((request) =>
        Effect.as(Stream.runForEach(request.stream, () => Effect.sync(() => void pieces++)), text("done"))
      )
      const client = yield* connect
      client.send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 6\r\n\r\nabc")
      while (pieces === 0) yield* turns(1)
      yield* turns(10)
      client.send("def")
      assert.strictEqual((yield* client.responses(1))[0]!.body, "done")
      assert.strictEqual(pieces, 2)
    }))

  it.effect("can be read once; bytes can be read again", () =>
    Effect.gen(function*() {
      const { connect } = yield* serve((request) =>
        Effect.gen(function*() {
          if (request.url === "/bytes") {
            const first = yield* request.text
            return text(
              `${first} ${yield* request.text} ${yield* Effect.map(Stream.runCollect(request.stream), String)}`
            )
          }
          yield* Stream.runDrain(request.stream)
          return text(yield* Effect.catch(request.text, (error) => Effect.succeed(error.message)))
        })
      )
      const client = yield* connect
      client.send(post("/bytes", "abc") + post("/stream", "abc"))
      const messages = yield* client.responses(2)
      assert.strictEqual(messages[0]!.body, "abc abc abc")
      assert.include(messages[1]!.body, "already been consumed")
    }))
})

describe("a fiber that yields at any point", () => {
  // Whatever it has seen may have changed before it begins to wait. 3 operations is the least that makes progress.
  const budgets = Array.from({ length: 9 }, (_, i) => i + 3)
  const yielding = (operations: number) => Effect.provideService(Scheduler.MaxOpsBeforeYield, operations)

  it.effect.each(budgets)("misses no piece and no end of a body (every %i operations)",
    (operations) =>
      Effect.gen(function*() {
        const { connect } = yield* serve((request) =>
          yielding(operations)(
            request.url === "/stream"
              ? Effect.map(
                Stream.runFold(request.stream, () => 0, (size, piece) => size + piece.length),
                (size) => text(String(size))
              )
              : Effect.map(request.bytes, ({ length }) => text(String(length)))
          )
        )
        for (const path of ["/stream", "/bytes"]) {
          const client = yield* connect
          for (let i = 1; i <= 100; i++) {
            client.send(`POST ${path} HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\n`)
            for (let piece = 0; piece < 3; piece++) {
              yield* turns((i + piece) % 4)
              client.send("x")
            }
            assert.strictEqual((yield* client.responses(i)).at(-1)!.body, "3")
          }
        }
      }))

  it.effect.each(budgets)("misses no moment in which a client has read on (every %i operations)",
    (operations) =>
      Effect.gen(function*() {
        const piece = Buffer.alloc(100_000)
        const { connect } = yield* serve(() =>
          Effect.succeed(HttpServerResponse.stream(Stream.take(Stream.fromEffectRepeat(Effect.succeed(piece)), 30)))
        ).pipe(yielding(operations))
        for (let i = 0; i < 2; i++) {
          const client = yield* connect
          client.send(get("/"))
          yield* client.until(({ received }) => received.endsWith("\r\n0\r\n\r\n"))
        }
      }))
})

describe("heads of responses", () => {
  const withHeader = (name: string, value: string) => () =>
    HttpServerResponse.setHeader(HttpServerResponse.text("secret"), name, value)

  const faults: ReadonlyArray<readonly [name: string, response: () => Response]> = [
    ["CR LF in a value", withHeader("x", "a\r\nset-cookie: b=c")],
    ["LF in a value", withHeader("x", "a\nb")],
    ["NUL in a value", withHeader("x", "a\0b")],
    ["text beyond Latin-1 in a value", withHeader("x", "\u010d\u010a")],
    ["CR LF in a name", withHeader("x\r\ny", "a")],
    ["a blank in a name", withHeader("x y", "a")],
    ["an empty name", withHeader("", "a")],
    ["CR LF in the content type", () => HttpServerResponse.text("secret", { contentType: "text/plain\r\nx: y" })],
    ["CR LF in the status text", () => HttpServerResponse.text("secret", { statusText: "fine\r\nx: y" })],
    ["transfer-encoding", withHeader("transfer-encoding", "chunked")],
    ["trailer", withHeader("trailer", "x")],
    ["upgrade", withHeader("upgrade", "x")],
    ["keep-alive", withHeader("keep-alive", "timeout=5")],
    ["text in the place of bytes", () => HttpServerResponse.uint8Array("sécret" as unknown as Uint8Array)],
    ["a status below 200", () => HttpServerResponse.text("secret", { status: 100 })],
    ["a status above 599", () => HttpServerResponse.text("secret", { status: 600 })],
    ["a status that is no integer", () => HttpServerResponse.text("secret", { status: 200.5 })],
    ["a name in capitals that would pass for another", () =>
      Object.assign(HttpServerResponse.text("secret"), {
        headers: Object.setPrototypeOf({ "Content-Length": "3" }, Object.getPrototypeOf(text("").headers))
      })]
  ]

  it.effect.each(faults)("%s: 500 with nothing of the inside, reported once, and the connection goes on",
    ([, response]) =>
      Effect.gen(function*() {
        const { connect, record } = yield* serve((request) =>
          Effect.sync(request.url === "/bad" ? response : () => text("fine"))
        )
        const client = yield* connect
        client.send(get("/bad") + get("/good"))
        const messages = yield* client.responses(2)
        assert.deepStrictEqual(messages.map(({ status }) => status), [500, 200])
        assert.notInclude(client.received, "secret")
        assert.strictEqual(record.reports.length, 1)
      }))

  it.effect("a content-length of the application is replaced by the true one", () =>
    Effect.gen(function*() {
      const { messages } = yield* twice(withHeader("content-length", "3"))
      assert.deepStrictEqual(messages.map(({ body, headers }) => [body, headers["content-length"]]), [
        ["secret", "6"],
        ["secret", "6"]
      ])
    }))

  it.effect("every response has a date; date and server of the application win", () =>
    Effect.gen(function*() {
      const { messages } = yield* twice(() =>
        HttpServerResponse.text("", { headers: { date: "Thu, 01 Jan 2026 00:00:00 GMT", server: "mine" } })
      )
      assert.strictEqual(messages[0]!.headers["date"], "Thu, 01 Jan 2026 00:00:00 GMT")
      assert.strictEqual(messages[0]!.headers["server"], "mine")
      const plain = yield* twice(() => text(""))
      assert.strictEqual(plain.messages[0]!.headers["date"], "Thu, 01 Jan 1970 00:00:00 GMT")
      assert.strictEqual(plain.messages[0]!.headers["server"], "kore-fx")
    }))

  it.effect("cookies are fields of their own", () =>
    Effect.gen(function*() {
      const { connect } = yield* serve(() =>
        Effect.succeed(HttpServerResponse.setCookiesUnsafe(text(""), [["a", "1", {}], ["b", "2", { httpOnly: true }]]))
      )
      const client = yield* connect
      client.send(get("/"))
      yield* client.responses(1)
      assert.match(client.received, /set-cookie: a=1\r\nset-cookie: b=2; HttpOnly\r\n/)
    }))
})
