import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as Heap from "../src/internal/Heap.ts"
import * as WaitList from "../src/internal/WaitList.ts"
import * as Suspend from "../src/Suspend.ts"
import * as laws from "./laws.ts"

const systemClock = Context.get(Context.empty(), Clock.Clock)

/** A clock and a timer of the test's own in the place of Node's, for one effect. */
class Timers {
  now = 1000.25
  private alarm: { readonly at: number; readonly ring: () => void } | undefined = undefined

  readonly replace = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.acquireUseRelease(
      Effect.sync(() => {
        const { clearTimeout, setTimeout } = globalThis
        const now = performance.now.bind(performance)
        performance.now = () => this.now
        globalThis.setTimeout =
          ((ring: () => void, millis: number) => this.alarm = { at: this.now + millis, ring }) as never
        globalThis.clearTimeout = (() => this.alarm = undefined) as never
        return () => {
          Object.assign(globalThis, { setTimeout, clearTimeout })
          performance.now = now
        }
      }),
      () => effect,
      (restore) => Effect.sync(restore)
    )

  get isArmed(): boolean {
    return this.alarm !== undefined
  }

  /** Lets time pass, in steps as long as the timer asks for. */
  readonly pass = (millis: number): Effect.Effect<void> =>
    Effect.gen({ self: this }, function*() {
      const end = this.now + millis
      while (this.alarm !== undefined && this.alarm.at <= end) {
        const { at, ring } = this.alarm
        this.now = at
        this.alarm = undefined
        ring()
      }
      this.now = end
      yield* Effect.yieldNow
    })
}

const Step = Schema.Union([
  Schema.Struct({
    do: Schema.Literal("suspend"),
    micros: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 9000 }))
  }),
  Schema.Struct({
    do: Schema.Literal("interrupt"),
    which: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 99 }))
  }),
  Schema.Struct({
    do: Schema.Literal("pass"),
    micros: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 4000 }))
  })
])

interface Sleeper {
  readonly id: number
  readonly due: number
  readonly fiber: Fiber.Fiber<unknown>
}

describe("laws of suspend", () => {
  it.effect.prop(
    "wakes everybody in the millisecond in which it is due and not before, in order, but for those interrupted",
    { steps: Schema.Array(Step).check(Schema.isMaxLength(40)) },
    ({ steps }) => {
      const timers = new Timers()
      const woken: Array<Sleeper> = []
      const asleep = new Set<Sleeper>()
      let lastId = 0
      const advance = (micros: number) =>
        Effect.andThen(
          timers.pass(micros / 1000),
          Effect.sync(() => {
            for (const sleeper of woken.splice(0)) {
              assert.isTrue(asleep.delete(sleeper))
              assert.isAtLeast(timers.now, sleeper.due)
            }
            // Timers are of whole milliseconds: nobody oversleeps by one.
            for (const sleeper of asleep) assert.isAbove(sleeper.due + 1, timers.now)
          })
        )
      return timers.replace(Effect.gen(function*() {
        for (const step of steps) {
          if (step.do === "suspend") {
            const millis = Math.ceil(step.micros / 1000)
            const id = ++lastId
            const due = timers.now + millis
            const sleep = Effect.provideService(Suspend.suspend(millis), Clock.Clock, systemClock)
            const wake = Effect.sync(() => void woken.push(sleeper))
            const fiber = yield* Effect.forkChild(Effect.andThen(sleep, wake), { startImmediately: true })
            const sleeper: Sleeper = { id, due, fiber }
            asleep.add(sleeper)
          } else if (step.do === "interrupt") {
            const sleeper = [...asleep][step.which % asleep.size]
            if (sleeper === undefined) continue
            asleep.delete(sleeper)
            yield* Fiber.interrupt(sleeper.fiber)
          } else {
            yield* advance(step.micros)
          }
          const listed = WaitList.values().filter((wait) => [...asleep].some(({ fiber }) => fiber === wait.fiber))
          assert.strictEqual(listed.length, asleep.size)
        }
        yield* advance(20_000)
        assert.strictEqual(asleep.size, 0)
        assert.isFalse(timers.isArmed)
      }))
    },
    { arbitrary: { runs: laws.runs } }
  )

  it.effect.prop(
    "the heap under it always gives the earliest of what is in it",
    {
      steps: Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: -50, maximum: 50 }))).check(
        Schema.isMaxLength(60)
      )
    },
    ({ steps }) =>
      Effect.sync(() => {
        const heap = new Heap.Heap<{ readonly at: number; index: number }>()
        const model: Array<{ readonly at: number; index: number }> = []
        for (const step of steps) {
          if (step >= 0) {
            const item = { at: step, index: 0 }
            heap.add(item)
            model.push(item)
          } else if (model.length > 0) {
            heap.remove(model.splice(-step % model.length, 1)[0]!)
          }
          const earliest = model.length === 0 ? undefined : Math.min(...model.map((item) => item.at))
          assert.strictEqual(heap.first?.at, earliest)
        }
      }),
    { arbitrary: { runs: laws.runs } }
  )
})
