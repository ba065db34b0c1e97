import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as Schema from "effect/Schema"
import * as net from "node:net"
import * as path from "node:path"
import * as Channel from "../../src/process/Channel.ts"
import * as Protocol from "../../src/process/Protocol.ts"
import * as TestApp from "../fixtures/TestApp.ts"

/** A package's own kind of message, with something that JSON has no form for. */
const Broadcast = Schema.TaggedStruct("Broadcast", { id: Schema.Int, bytes: Schema.Uint8Array })

/** Two connected sockets. */
const pair = Effect.gen(function*() {
  const file = path.join(yield* TestApp.directory, "pair.sock")
  const server = net.createServer()
  yield* Effect.addFinalizer(() => Effect.sync(() => server.close()))
  return yield* Effect.callback<readonly [net.Socket, net.Socket]>((resume) => {
    server.listen(file, () => {
      const left = net.connect(file)
      server.once("connection", (right) => resume(Effect.succeed([left, right])))
    })
  })
})

const channels = Effect.gen(function*() {
  const [left, right] = yield* pair
  const parent = yield* Channel.make(left, {
    sends: [...Protocol.toWorker, Broadcast],
    receives: [...Protocol.fromWorker, Broadcast],
    peer: "worker 1"
  })
  const worker = yield* Channel.make(right, {
    sends: [...Protocol.fromWorker, Broadcast],
    receives: [...Protocol.toWorker, Broadcast],
    peer: "the parent"
  })
  return { parent, worker, left, right }
})

const logged = () => {
  const lines: Array<string> = []
  return { lines, layer: Logger.layer([Logger.make(({ message }) => lines.push(String(message)))]) }
}

describe("a channel", () => {
  it.live("carries messages both ways in order, kinds of other packages too", () =>
    Effect.gen(function*() {
      const { parent, worker } = yield* channels
      const bytes = Uint8Array.from({ length: 256 }, (_, index) => index)
      assert.isTrue(yield* worker.send({ _tag: "Failed", reason: "no\ndatabase \u2028 é", final: true }))
      yield* worker.send({ _tag: "Broadcast", id: 1, bytes })
      yield* parent.send({ _tag: "Drain" })
      assert.deepStrictEqual(yield* parent.receive, { _tag: "Failed", reason: "no\ndatabase \u2028 é", final: true })
      assert.deepStrictEqual(yield* parent.receive, { _tag: "Broadcast", id: 1, bytes })
      assert.deepStrictEqual(yield* worker.receive, { _tag: "Drain" })
    }))

  it.live("reports and drops what is no message, and goes on", () =>
    Effect.gen(function*() {
      const { layer, lines } = logged()
      const { parent, right } = yield* channels
      right.write(Buffer.concat([
        Buffer.from([0xde, 0xad, 0xbe, 0xef, 0x0a]),
        Buffer.from("{\"_tag\":\"Obey\"}\nnull\n{\"_tag\":\"Drain\"}\n{\"_tag\":\"Failed\"}\n\n"),
        Buffer.from("{\"_tag\":\"Ready\",\"__proto__\":{\"x\":1}}\n")
      ]))
      assert.deepStrictEqual(yield* Effect.provide(parent.receive, layer), { _tag: "Ready" })
      assert.strictEqual(lines.length, 6)
      assert.strictEqual(lines[1], "dropped from worker 1 what is no message: {\"_tag\":\"Obey\"}")
    }))

  it.live("drops a message that is too long without keeping it", () =>
    Effect.gen(function*() {
      const { layer, lines } = logged()
      const { parent, right } = yield* channels
      const receiving = yield* Effect.forkChild(Effect.provide(parent.receive, layer))
      const megabyte = Buffer.alloc(1024 * 1024, "x")
      for (let i = 0; i < 17; i++) right.write(megabyte)
      right.write("\n{\"_tag\":\"Ready\"}\n")
      assert.deepStrictEqual(yield* Fiber.join(receiving), { _tag: "Ready" })
      assert.deepStrictEqual(lines, ["dropped from worker 1 what is no message: longer than 16777216 bytes"])
    }))

  it.live("makes the sender wait when nobody receives, and loses nothing", () =>
    Effect.gen(function*() {
      const { parent, worker } = yield* channels
      const message = { _tag: "Failed", reason: "x".repeat(10_000) } as const
      let sent = 0
      const sending = yield* Effect.forkChild(
        Effect.forEach(Array.from({ length: 2_000 }), () => Effect.map(worker.send(message), () => sent++))
      )
      yield* Effect.sleep(300)
      assert.isBelow(sent, 1_000)
      for (let i = 0; i < 2_000; i++) yield* parent.receive
      yield* Fiber.join(sending)
      assert.strictEqual(sent, 2_000)
    }))

  it.live("flushed, has given to the system what was posted before, and goes on", () =>
    Effect.gen(function*() {
      const { left, parent, worker } = yield* channels
      yield* parent.send({ _tag: "Drain" }) // connected
      // In one step of the event loop, as by a process that exits in the next line.
      const waits = yield* Effect.all([parent.post({ _tag: "Settled", id: 0 }),
        parent.post({ _tag: "Settled", id: 1 })])
      assert.isAbove(left.writableLength, 0)
      yield* parent.flush
      assert.strictEqual(left.writableLength, 0)
      yield* parent.flush
      const later = yield* parent.post({ _tag: "Settled", id: 2 })
      assert.isAbove(left.writableLength, 0)
      assert.deepStrictEqual(yield* Effect.all([...waits, later]), [true, true, true])
      assert.deepStrictEqual(yield* worker.receive, { _tag: "Drain" })
      for (const id of [0, 1, 2]) assert.deepStrictEqual(yield* worker.receive, { _tag: "Settled", id })
    }))

  it.live("ends when the other end closes, after what was sent", () =>
    Effect.gen(function*() {
      const { parent, right, worker } = yield* channels
      yield* worker.send({ _tag: "Ready" })
      right.destroy()
      assert.deepStrictEqual(yield* parent.receive, { _tag: "Ready" })
      assert.strictEqual((yield* Effect.flip(parent.receive))._tag, "Done")
      assert.isFalse(yield* parent.send({ _tag: "Drain" }))
      assert.isFalse(yield* worker.send({ _tag: "Ready" }))
    }))
})

describe("splitter", () => {
  const Line = Schema.Array(Schema.Literals(["a", "é", "x".repeat(7), " ", "\u2028"]))

  it.prop(
    "gives the same lines however the bytes are cut, and undefined for those that are too long",
    { lines: Schema.Array(Line), cuts: Schema.Array(Schema.Int) },
    ({ cuts, lines }) => {
      const limit = 16
      const texts = lines.map((line) => line.join(""))
      const bytes = Buffer.from(texts.map((text) => `${text}\n`).join(""))
      const seen: Array<string | undefined> = []
      const write = Channel.splitter((line) => seen.push(line), limit)
      let start = 0
      const ends = cuts.map((cut) => Math.abs(cut) % (bytes.length + 1)).sort((a, b) => a - b)
      for (const cut of [...ends, bytes.length]) {
        write(bytes.subarray(start, cut))
        start = cut
      }
      assert.deepStrictEqual(seen, texts.map((text) => Buffer.byteLength(text) <= limit ? text : undefined))
    }
  )
})
