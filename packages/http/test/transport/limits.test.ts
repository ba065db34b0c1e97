import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as Net from "node:net"
import { Client, get, insidesOf, post, read, serve, text, turns, type Work } from "./harness.ts"

const byPath: Work = (request) =>
  request.path === "/wait" ? Effect.as(Effect.sleep("1 second"), text("waited")) : Effect.succeed(text(request.path))

const untilOpen = (connections: Effect.Effect<number>, count: number): Effect.Effect<void> =>
  Effect.flatMap(connections, (open) =>
    open === count ? Effect.void : Effect.andThen(turns(1), untilOpen(connections, count)))

describe("A15: an address that has as many connections as it may", () => {
  it.effect("gets 429 with retry-after on the next one, and has room again when one is closed", () =>
    Effect.gen(function*() {
      const { connect, connections, exchange } = yield* serve(byPath, {
        addressLimits: { connections: 2, requests: 0 }
      })
      const one = yield* connect
      const two = yield* connect
      one.send(get("/1"))
      two.send(get("/2"))
      yield* one.responses(1)
      yield* two.responses(1)
      const [refused] = read(yield* exchange("")).messages
      assert.strictEqual(refused!.status, 429)
      assert.strictEqual(refused!.headers["retry-after"], "1")
      assert.strictEqual(refused!.headers["connection"], "close")
      assert.include(refused!.body, "httpAddressLimit")
      one.leave()
      yield* untilOpen(connections, 1)
      const three = yield* connect
      three.send(get("/3"))
      assert.strictEqual((yield* three.responses(1))[0]!.body, "/3")
    }))

  it.effect("is cut without a word when as many again wait for their end", () =>
    Effect.gen(function*() {
      const { connect, connections, tcpPort } = yield* serve(byPath, {
        addressLimits: { connections: 1, requests: 0 }
      })
      const served = yield* connect
      served.send(get("/"))
      yield* served.responses(1)
      const refused = yield* connect
      yield* refused.until(({ ended }) => ended)
      // It may be over before it is there.
      const cut = yield* Effect.acquireRelease(
        Effect.sync(() => new Client(Net.connect(tcpPort, "127.0.0.1"))),
        ({ socket }) => Effect.sync(() => socket.destroy())
      )
      yield* cut.until(({ closed }) => closed)
      assert.deepStrictEqual([cut.received, cut.error], ["", "ECONNRESET"])
      yield* untilOpen(connections, 2)
      // Who does not close is not waited for.
      yield* TestClock.adjust("3 seconds")
      yield* untilOpen(connections, 1)
      served.send(get("/still"))
      assert.strictEqual((yield* served.responses(2))[1]!.body, "/still")
    }))

  it.effect("which sent its request already reads the answer all the same", () =>
    Effect.gen(function*() {
      const { connect, record } = yield* serve(byPath, { addressLimits: { connections: 1, requests: 0 } })
      const served = yield* connect
      served.send(get("/"))
      yield* served.responses(1)
      const refused = yield* connect
      refused.send(post("/x", "y".repeat(100_000)))
      yield* refused.until(({ ended }) => ended)
      assert.strictEqual(read(refused.received).messages[0]!.status, 429)
      assert.isUndefined(refused.error)
      assert.deepStrictEqual(record.started, ["GET /"])
    }))
})

describe("A15: an address with as many requests as it may have at once", () => {
  it.effect("gets 429 with retry-after, keeps its connection, and is served when one is answered", () =>
    Effect.gen(function*() {
      const { connect, record } = yield* serve(byPath, { addressLimits: { connections: 0, requests: 1 } })
      const one = yield* connect
      one.send(get("/wait"))
      yield* record.until(({ started }) => started.length === 1)
      const two = yield* connect
      two.send(post("/2", "body") + get("/3"))
      const refused = yield* two.responses(2)
      assert.deepStrictEqual(refused.map(({ status }) => status), [429, 429])
      assert.strictEqual(refused[0]!.headers["retry-after"], "1")
      assert.strictEqual(refused[0]!.headers["connection"], "keep-alive")
      yield* TestClock.adjust("1 second")
      yield* one.responses(1)
      two.send(get("/4"))
      assert.strictEqual((yield* two.responses(3))[2]!.body, "/4")
    }))

  it.effect("is free of what it had when it is gone, whether that was answered or not", () =>
    Effect.gen(function*() {
      const { connect, connections, record } = yield* serve(byPath, { addressLimits: { connections: 5, requests: 2 } })
      for (let i = 0; i < 6; i++) {
        const client = yield* connect
        client.send(get(i % 2 === 0 ? "/wait" : "/"))
        yield* record.until(({ started }) => started.length === i + 1)
        client.leave()
        yield* untilOpen(connections, 0)
      }
      assert.strictEqual(insidesOf(record).port.addresses!.size, 0)
    }))
})

describe("A15: a worker with as many requests as it may have at once", () => {
  it.effect("answers 503 and says when to come back", () =>
    Effect.gen(function*() {
      const { connect } = yield* serve(byPath, { requestLimit: 0 })
      const client = yield* connect
      client.send(get("/"))
      const [answer] = yield* client.responses(1)
      assert.strictEqual(answer!.status, 503)
      assert.strictEqual(answer!.headers["retry-after"], "1")
    }))
})
