import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as EffectScheduler from "effect/Scheduler"
import * as Schema from "effect/Schema"
import * as Proc from "../src/Proc.ts"

const sizes = (maximum: number) =>
  Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum }))).check(Schema.isMaxLength(20))

const bytesOf = (length: number) => Buffer.from(Uint8Array.from({ length }, (_, n) => n * 31 + (n >> 8)))

describe("bytes through cat", () => {
  it.effect.prop(
    "arrive as they were sent, in whatever pieces they were sent and are received",
    { sent: sizes(100_000), received: sizes(100_000) },
    ({ received, sent }) =>
      Effect.scoped(Effect.gen(function*() {
        const proc = yield* Proc.spawn(["cat"])
        const all = bytesOf(sent.reduce((sum, size) => sum + size, 0))
        const sendAll = Effect.gen(function*() {
          let from = 0
          for (const size of sent) yield* Proc.send(proc, all.subarray(from, from += size))
          yield* Proc.closeStdin(proc)
        })
        const chunks: Array<Buffer> = []
        const receiveAll = Effect.gen(function*() {
          for (let n = 0;; n++) {
            const maximum = received[n % Math.max(1, received.length)] ?? 1000
            const bytes = yield* Proc.recv(proc, maximum)
            if (Option.isNone(bytes)) return
            assert.isAtMost(bytes.value.length, maximum)
            assert.isAbove(bytes.value.length, 0)
            chunks.push(bytes.value)
          }
        })
        yield* Effect.all([sendAll, receiveAll], { concurrency: 2 })
        assert.isTrue(Buffer.concat(chunks).equals(all))
        assert.deepStrictEqual(yield* Proc.reap(proc), { _tag: "Exited", code: 0 })
      })),
    { arbitrary: { runs: 60 } }
  )

  it.effect.prop(
    "are not lost when whoever receives is interrupted, wherever it yields",
    {
      budgets: Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 2, maximum: 40 }))).check(
        Schema.isMinLength(1),
        Schema.isMaxLength(20)
      )
    },
    ({ budgets }) =>
      Effect.scoped(Effect.gen(function*() {
        const proc = yield* Proc.spawn(["cat"])
        const all = bytesOf(5000)
        const chunks: Array<Buffer> = []
        const receive = Effect.map(Proc.recv(proc, 7), Option.map((bytes) => chunks.push(bytes)))
        const sending = yield* Effect.forkChild(Effect.andThen(
          Effect.forEach(Array.from({ length: 50 }, (_, n) => n * 100),
            (from) => Proc.send(proc, all.subarray(from, from + 100))),
          Proc.closeStdin(proc)
        ))
        for (const budget of budgets) {
          const receiving = yield* Effect.forkChild(
            Effect.provideService(Effect.forever(receive), EffectScheduler.MaxOpsBeforeYield, budget)
          )
          for (let turn = 0; turn < budget; turn++) yield* Effect.yieldNow
          yield* Fiber.interrupt(receiving)
        }
        while (Option.isSome(yield* receive));
        yield* Fiber.join(sending)
        assert.isTrue(Buffer.concat(chunks).equals(all))
      })),
    { arbitrary: { runs: 60 } }
  )
})
