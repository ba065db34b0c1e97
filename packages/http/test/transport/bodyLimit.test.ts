import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Problem from "../../src/Problem.ts"
import { get, post, serve, text, type Work } from "./harness.ts"

// As `Exchange` does it: before the handler runs.
const upTo = (limit: number): Work => (request) => {
  if (request.body !== undefined && !request.body.restrict(limit)) {
    return Effect.succeed(Problem.response({ status: 413, detail: "at once" }))
  }
  if (request.path === "/stream") return Effect.map(Stream.runCount(request.stream), (count) => text(`${count}`))
  return Effect.map(request.text, text)
}

const chunked = (path: string, ...chunks: ReadonlyArray<string>): string =>
  [
    `POST ${path} HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n`,
    ...chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`)
  ].join("")

describe("the body limit of a route below that of its server", () => {
  it.effect("admits a body of exactly that length, of known length and chunked", () =>
    Effect.gen(function*() {
      const { connect } = yield* serve(upTo(5))
      const client = yield* connect
      client.send(post("/", "12345") + chunked("/", "123", "45", "") + post("/", "") + get("/"))
      const messages = yield* client.responses(4)
      assert.deepStrictEqual(messages.map(({ body, status }) => [status, body]), [
        [200, "12345"],
        [200, "12345"],
        [200, ""],
        [200, ""]
      ])
    }))

  it.effect("A2: refuses what is declared larger before it is read, and the next request is the next request", () =>
    Effect.gen(function*() {
      const { connect } = yield* serve(upTo(5))
      const client = yield* connect
      client.send(post("/", "123456") + get("/"))
      const messages = yield* client.responses(2)
      assert.deepStrictEqual(messages.map(({ status }) => status), [413, 200])
      assert.include(messages[0]!.body, "at once")
    }))

  it.effect("refuses a chunked body that is larger by what came with its head", () =>
    Effect.gen(function*() {
      const { connect } = yield* serve(upTo(5))
      const client = yield* connect
      client.send(chunked("/", "123456", "") + get("/"))
      const messages = yield* client.responses(2)
      assert.deepStrictEqual(messages.map(({ status }) => status), [413, 200])
      assert.include(messages[0]!.body, "at once")
    }))

  it.effect.each(["/", "/stream"])("A2: cuts a chunked body at the limit while it arrives, with 413 (%s)",
    (path) =>
      Effect.gen(function*() {
        const { connect, record } = yield* serve(upTo(5))
        const client = yield* connect
        client.send(chunked(path, "1234"))
        yield* record.until(({ started }) => started.length === 1)
        client.send("2\r\n56\r\n")
        const [answer] = yield* client.responses(1)
        assert.strictEqual(answer!.status, 413)
        assert.include(answer!.body, "larger than the 5 bytes that are allowed here")
        yield* client.until(({ ended }) => ended)
      }))

  it.effect("cannot be raised above the server's", () =>
    Effect.gen(function*() {
      const { exchange } = yield* serve(upTo(1_000), { bodyMax: 3 })
      assert.include(yield* exchange(post("/", "1234")), "HTTP/1.1 413 ")
      assert.include(yield* exchange(chunked("/", "1234")), "httpBodyMax")
    }))
})
