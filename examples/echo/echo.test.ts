import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import { Socket } from "kore-fx"
import * as crypto from "node:crypto"
import * as RunningApp from "../../tools/RunningApp.ts"

const MiB = 1024 * 1024

const connect = (app: RunningApp.RunningApp) => Socket.connect({ host: "127.0.0.1", port: app.port })

/** Receives so many bytes, fewer only at the end of the stream. */
const receive = Effect.fnUntraced(function*(socket: Socket.Stream, size: number) {
  const chunks: Array<Buffer> = []
  for (let left = size; left > 0;) {
    const chunk = yield* Socket.recv(socket, left)
    if (Option.isNone(chunk)) break
    chunks.push(chunk.value)
    left -= chunk.value.length
  }
  return Buffer.concat(chunks)
})

const echoed = Effect.fnUntraced(function*(socket: Socket.Stream, data: Uint8Array) {
  const sending = yield* Effect.forkChild(Socket.send(socket, data))
  const received = yield* receive(socket, data.length)
  yield* Fiber.join(sending)
  return received.equals(data)
})

const chunk = crypto.randomBytes(64 * 1024)

/** Sends and does not receive until the system takes no more; tells how much it was. */
const fill = Effect.fnUntraced(function*(socket: Socket.Stream) {
  for (let sent = chunk.length; sent <= 64 * MiB; sent += chunk.length) {
    const timedOut = yield* Socket.send(socket, chunk, { timeout: "1 second" }).pipe(
      Effect.as(false),
      Effect.catchTag("TimeoutError", () => Effect.succeed(true))
    )
    // What timed out is sent all the same, before what is sent next.
    if (timedOut) return sent
  }
  return yield* Effect.die(new Error("the server keeps whatever it is sent"))
})

for (const style of ["main", "legacy"]) {
  describe(`${style}.ts`, () => {
    const start = RunningApp.start([new URL(`${style}.ts`, import.meta.url).pathname])

    it.live("sends back what it receives, to the end of the stream", () =>
      Effect.gen(function*() {
        const socket = yield* connect(yield* start)
        yield* Socket.send(socket, "hello\n")
        assert.strictEqual((yield* receive(socket, 6)).toString(), "hello\n")
        yield* Socket.end(socket)
        assert.deepStrictEqual(yield* Socket.recv(socket, 1), Option.none())
      }))

    it.live("sends back 1 MiB, to each of ten clients at once", () =>
      Effect.gen(function*() {
        const app = yield* start
        const client = Effect.scoped(Effect.flatMap(connect(app), (socket) => echoed(socket, crypto.randomBytes(MiB))))
        const results = yield* Effect.replicateEffect(client, 10, { concurrency: "unbounded" })
        assert.deepStrictEqual(results, Array(10).fill(true))
      }))

    it.live("a client that does not read blocks only itself, and loses nothing", () =>
      Effect.gen(function*() {
        const app = yield* start
        const slow = yield* connect(app)
        const sent = yield* fill(slow)
        assert.isTrue(yield* echoed(yield* connect(app), crypto.randomBytes(MiB)))
        const ending = yield* Effect.forkChild(Socket.end(slow))
        const received = yield* receive(slow, sent)
        yield* Fiber.join(ending)
        assert.strictEqual(received.length, sent)
        for (let at = 0; at < sent; at += chunk.length) {
          assert.isTrue(received.subarray(at, at + chunk.length).equals(chunk))
        }
      }))

    it.live("a client that breaks off harms nobody", () =>
      Effect.gen(function*() {
        const app = yield* start
        const other = yield* connect(app)
        for (let n = 0; n < 10; n++) {
          // Closed with bytes that nobody received: the server gets a reset.
          yield* Effect.scoped(Effect.flatMap(connect(app), (socket) => Socket.send(socket, crypto.randomBytes(MiB))))
        }
        assert.isTrue(yield* echoed(other, crypto.randomBytes(MiB)))
        assert.isTrue(yield* echoed(yield* connect(app), crypto.randomBytes(MiB)))
      }))

    it.live("SIGTERM ends every stream in order, and the server with status 0", () =>
      Effect.gen(function*() {
        const app = yield* start
        const clients = yield* Effect.replicateEffect(connect(app), 20)
        for (const client of clients) assert.isTrue(yield* echoed(client, Buffer.from("hello")))
        yield* app.signal("SIGTERM")
        for (const client of clients) assert.deepStrictEqual(yield* Socket.recv(client, 1), Option.none())
        assert.deepStrictEqual(yield* app.ended, { code: 0, signal: null })
        const refused = yield* Effect.flip(connect(app))
        assert.strictEqual(refused.code, "ECONNREFUSED")
      }))

    it.live("SIGTERM does not wait for a client that never reads", () =>
      Effect.gen(function*() {
        const app = yield* start
        yield* fill(yield* connect(app))
        yield* app.signal("SIGTERM")
        assert.deepStrictEqual(yield* app.ended, { code: 0, signal: null })
      }))
  })
}

describe("main.ts on Linux", () => {
  it.live("two workers listen on one port", () =>
    Effect.gen(function*() {
      // One that is free: the workers cannot choose it together.
      const { port } = (yield* Effect.scoped(Socket.listen({ host: "127.0.0.1", port: 0 }))).address as Socket.Inet
      const app = yield* RunningApp.start([new URL("main.ts", import.meta.url).pathname], {
        env: { KORE_WORKERS: "2", PORT: String(port) }
      })
      const workers = yield* app.workers
      assert.strictEqual(workers.size, 2)
      assert.strictEqual((yield* app.log).split(`echo listens on 127.0.0.1:${port}`).length - 1, 2)
      const clients = yield* Effect.replicateEffect(connect(app), 20)
      for (const client of clients) assert.isTrue(yield* echoed(client, Buffer.from("hello")))
      yield* app.signal("SIGTERM")
      for (const client of clients) assert.deepStrictEqual(yield* Socket.recv(client, 1), Option.none())
      assert.deepStrictEqual(yield* app.ended, { code: 0, signal: null })
    }))
})
