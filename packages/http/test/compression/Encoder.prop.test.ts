/** What is compressed while it is made: nothing lost, nothing held back, nothing left open. */
import { assert, describe, it, vi } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as zlib from "node:zlib"
import * as Encoder from "../../src/compression/Encoder.ts"

const LEVELS = { br: 4, zstd: 3, gzip: 6 }

const decode = {
  br: (bytes: Uint8Array) =>
    zlib.brotliDecompressSync(bytes, { finishFlush: zlib.constants.BROTLI_OPERATION_FLUSH }).toString(),
  zstd: (bytes: Uint8Array) => zlib.zstdDecompressSync(bytes, { finishFlush: zlib.constants.ZSTD_e_flush }).toString(),
  gzip: (bytes: Uint8Array) => zlib.gunzipSync(bytes, { finishFlush: zlib.constants.Z_SYNC_FLUSH }).toString()
}

const Coding = Schema.Literals(["br", "zstd", "gzip"])
const Batches = Schema.Array(Schema.Array(Schema.String)).check(Schema.isMaxLength(6))

const collect = <E>(stream: Stream.Stream<Uint8Array, E>) =>
  Effect.map(Stream.runCollect(stream), (pieces) => Buffer.concat(pieces))

describe("a compressed stream", () => {
  it.effect.prop(
    "is what was put in, however it was cut, and each batch can be read before the next one is made",
    { coding: Coding, batches: Batches, repeats: Schema.Literals([1, 5000]) },
    ({ batches, coding, repeats }) =>
      Effect.gen(function*() {
        let made = ""
        const received: Array<Uint8Array> = []
        const unread: Array<string> = []
        const source = Stream.flatMap(Stream.fromIterable(batches), (batch) =>
          Stream.suspend(() => {
            if (received.length > 0 && decode[coding](Buffer.concat(received)) !== made) unread.push(made)
            const pieces = batch.map((text) => text.toWellFormed().repeat(repeats))
            made += pieces.join("")
            return Stream.encodeText(Stream.fromIterable(pieces))
          }))
        yield* Stream.runForEach(Encoder.stream(source, coding, LEVELS),
          (piece) => Effect.sync(() => received.push(piece)))
        assert.strictEqual(decode[coding](Buffer.concat(received)), made)
        assert.deepStrictEqual(unread, [])
      }),
    { arbitrary: { runs: 60 } }
  )

  it.effect.prop("bytes in memory come out as they were, those that another thread compresses too", {
    coding: Coding,
    text: Schema.String,
    repeats: Schema.Literals([1, 20_000])
  }, ({ coding, repeats, text }) =>
    Effect.gen(function*() {
      const bytes = Buffer.from(text.toWellFormed().repeat(repeats))
      assert.strictEqual(decode[coding](yield* Encoder.encode(bytes, coding, LEVELS)), bytes.toString())
    }), { arbitrary: { runs: 40 } })

  it.effect("fails as its source does", () =>
    Effect.gen(function*() {
      const source = Stream.concat(Stream.make(Buffer.from("one")), Stream.fail("broken"))
      assert.strictEqual(yield* Effect.flip(collect(Encoder.stream(source, "br", LEVELS))), "broken")
    }))

  for (const end of ["ends", "fails", "is left"] as const) {
    it.effect(`closes its handle of zlib when it ${end}`, () =>
      Effect.gen(function*() {
        const handles = yield* used
        const started = yield* Deferred.make<void>()
        const first = Stream.concat(
          Stream.make(Buffer.from("one")),
          Stream.fromEffectDrain(Deferred.succeed(started, undefined))
        )
        const rest = end === "ends" ? Stream.empty : end === "fails" ? Stream.fail("broken") : Stream.never
        const fiber = yield* Effect.forkChild(
          Effect.exit(collect(Encoder.stream(Stream.concat(first, rest), "gzip", LEVELS)))
        )
        yield* Deferred.await(started)
        yield* end === "is left" ? Fiber.interrupt(fiber) : Fiber.await(fiber)
        assert.deepStrictEqual(handles().map((handle) => handle.destroyed), [true])
      }))
  }
})

// The handles that something was written to until the scope closes.
const used = Effect.map(
  Effect.acquireRelease(
    Effect.sync(() => vi.spyOn(zlib.Gzip.prototype, "_transform")),
    (spy) => Effect.sync(() => spy.mockRestore())
  ),
  ({ mock }) => () => Array.from(new Set(mock.contexts as ReadonlyArray<zlib.Gzip>))
)
