import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import * as Timer from "../src/Timer.ts"
import * as Tracer from "../src/Tracer.ts"
import { runs } from "./laws.ts"

const Millis = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 40 }))

/** When and how a timer ends that the scope does not end first: in one of its runs, from outside, or not. */
const End = Schema.Union([
  Schema.Struct({ by: Schema.Literal("itself"), run: Schema.Literals([1, 2, 3]) }),
  Schema.Struct({ by: Schema.Literals(["close", "closeUnsafe"]), at: Millis }),
  Schema.Struct({ by: Schema.Literal("nobody") })
])

const Plan = Schema.Struct({
  made: Schema.Literals([0, 0, 3, 10]),
  delay: Schema.Literals([1, 2, 3, 5, 7, 10]),
  oneshot: Schema.Literals([false, false, false, true]),
  /** How long its runs take, over and over. */
  lengths: Schema.Array(Schema.Literals([0, 0, 1, 4, 5, 12])).check(Schema.isMinLength(1), Schema.isMaxLength(4)),
  fails: Schema.Boolean,
  end: End
})

type Plan = typeof Plan.Type

/** From when to when the runs of a timer should last, up to a time. */
const model = ({ delay, end, lengths, made, oneshot }: Plan, last: number): Array<readonly [number, number]> => {
  const expected: Array<readonly [number, number]> = []
  for (let n = 1, at = made + delay; at <= last; at = made + n * delay) {
    if ("at" in end && at > Math.max(end.at, made)) break
    const ended = at + lengths[expected.length % lengths.length]!
    expected.push([at, ended])
    if (oneshot || ("run" in end && end.run === expected.length)) break
    n = Math.max(n + 1, Math.ceil((ended - made) / delay))
  }
  return expected
}

/** What a timer has done. */
class Record {
  readonly began: Array<number> = []
  inside = 0
  most = 0
  timer: Timer.Timer | undefined = undefined
  closing: Fiber.Fiber<void> | undefined = undefined
}

const now = Effect.clockWith((clock) => Effect.sync(() => clock.currentTimeMillisUnsafe()))

describe("laws of a timer", () => {
  it.effect.prop(
    "each run begins a whole number of intervals after the timer was made, none that a run covers and none twice, in " +
      "the order of making when several are due; and none after the end",
    { plans: Schema.Array(Plan).check(Schema.isMaxLength(5)), last: Millis },
    ({ last, plans }) =>
      Effect.gen(function*() {
        let reports = 0
        const tracer = Tracer.layer(() => Effect.sync(() => reports++))
        const scope = yield* Scope.make()
        const order: Array<{ readonly at: number; readonly which: number }> = []
        const records = plans.map(() => new Record())

        const run = ({ end, fails, lengths }: Plan, which: number) =>
          Effect.gen(function*() {
            const record = records[which]!
            const at = yield* now
            const length = lengths[record.began.length % lengths.length]!
            record.began.push(at)
            order.push({ at, which })
            record.most = Math.max(record.most, ++record.inside)
            if ("run" in end && end.run === record.began.length) yield* Timer.close(record.timer!)
            if (length > 0) yield* Effect.sleep(length)
            if (fails) return yield* Effect.die("failed")
          }).pipe(Effect.ensuring(Effect.sync(() => records[which]!.inside--)))

        const close = (record: Record, by: string) =>
          Effect.gen(function*() {
            if (by === "closeUnsafe") return Timer.closeUnsafe(record.timer!)
            record.closing = yield* Effect.forkChild(Timer.close(record.timer!), { startImmediately: true })
          })

        const play = Effect.gen(function*() {
          for (let time = 0; time <= last; time++) {
            if (time > 0) yield* TestClock.adjust(1)
            for (const [which, plan] of plans.entries()) {
              const record = records[which]!
              if (plan.made === time) {
                const { delay, oneshot } = plan
                record.timer = yield* Scope.provide(Timer.make(run(plan, which), delay, { oneshot }), scope)
              }
              if ("at" in plan.end && Math.max(plan.end.at, plan.made) === time) yield* close(record, plan.end.by)
            }
          }
        })

        yield* Effect.provide(play, tracer)
        const expected = plans.map((plan) => model(plan, last))
        assert.deepStrictEqual(records.map((record) => record.began), expected.map((runs) => runs.map(([at]) => at)))
        // At one time, those that waited for it begin in the order of making; one whose run ends then comes behind them.
        const idOf = (which: number) => records[which]!.timer!.id
        const onTime = order.filter(({ at, which }) => !expected[which]!.some(([from, to]) => from < at && to === at))
        assert.deepStrictEqual(onTime, [...onTime].sort((a, b) => a.at - b.at || idOf(a.which) - idOf(b.which)))
        for (const [which, record] of records.entries()) {
          assert.isAtMost(record.most, 1)
          const isRunning = expected[which]!.some(([from, to]) => from <= last && last < to)
          assert.strictEqual(record.inside, isRunning ? 1 : 0)
          if (record.closing !== undefined) assert.strictEqual(record.closing.pollUnsafe() === undefined, isRunning)
        }
        const failed = plans.map(({ fails }, which) =>
          fails ? expected[which]!.filter(([, to]) => to <= last).length : 0
        )
        assert.strictEqual(reports, failed.reduce((a, b) => a + b, 0))

        const count = order.length
        yield* Scope.close(scope, Exit.void)
        yield* TestClock.adjust("1 hour")
        assert.strictEqual(order.length, count)
        assert.isTrue(records.every((record) => record.inside === 0))
        for (const { closing } of records) if (closing !== undefined) assert.isDefined(closing.pollUnsafe())
      }),
    { arbitrary: { runs, size: 60 } }
  )
})
