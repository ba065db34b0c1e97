import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import * as Suspend from "../src/Suspend.ts"

const isDone = (fiber: Fiber.Fiber<unknown, unknown>) => fiber.pollUnsafe() !== undefined

/** Node's timers, replaced for one effect: what they are asked for, and when they fire, is up to `start`. */
const withTimers = <A, E, R>(start: (fire: () => void, millis: number) => void, effect: Effect.Effect<A, E, R>) =>
  Effect.acquireUseRelease(
    Effect.sync(() => {
      const before = globalThis.setTimeout
      globalThis.setTimeout = ((fire: () => void, millis: number) => start(fire, millis)) as typeof setTimeout
      return before
    }),
    () => Effect.provideService(effect, Clock.Clock, systemClock),
    (before) =>
      Effect.sync(() => {
        globalThis.setTimeout = before
      })
  )

const systemClock = Context.get(Context.empty(), Clock.Clock)

describe("suspend", () => {
  it.effect("suspends for the duration and not a millisecond less", () =>
    Effect.gen(function*() {
      const fiber = yield* Effect.forkChild(Suspend.suspend("50 millis"))
      yield* TestClock.adjust("49 millis")
      assert.isFalse(isDone(fiber))
      yield* TestClock.adjust("1 millis")
      assert.isTrue(isDone(fiber))
    }))

  it.effect("goes on suspending when the Clock wakes it early", () =>
    Effect.gen(function*() {
      const slept: Array<number> = []
      let nanos = 7_900_000_000_000n
      const hasty: Clock.Clock = {
        currentTimeMillisUnsafe: () => 0,
        currentTimeMillis: Effect.succeed(0),
        currentTimeNanosUnsafe: () => 0n,
        currentTimeNanos: Effect.succeed(0n),
        monotonicTimeNanosUnsafe: () => nanos,
        monotonicTimeNanos: Effect.sync(() => nanos),
        sleep: (duration) =>
          Effect.sync(() => {
            slept.push(Duration.toMillis(duration))
            nanos += Duration.toNanosUnsafe(duration) - (slept.length === 1 ? 970_000n : 0n)
          })
      }
      const start = nanos
      yield* Effect.provideService(Suspend.suspend("5 millis"), Clock.Clock, hasty)
      assert.deepStrictEqual(slept, [5, 1])
      assert.isAtLeast(Number(nanos - start), 5_000_000)
    }))

  it.effect("goes on suspending when Node's timer fires early", () =>
    Effect.gen(function*() {
      const asked: Array<number> = []
      const start = performance.now()
      yield* withTimers((fire, millis) => {
        asked.push(millis)
        setImmediate(fire)
      }, Suspend.suspend("2 millis"))
      assert.isAtLeast(performance.now() - start, 2)
      assert.strictEqual(asked[0], 2)
    }))

  it.effect("never asks Node for a timer that is longer than it can do", () =>
    Effect.gen(function*() {
      const asked: Array<number> = []
      yield* withTimers((_, millis) => asked.push(millis), Effect.gen(function*() {
        const fiber = yield* Effect.forkChild(Suspend.suspend("100 days"), { startImmediately: true })
        yield* Fiber.interrupt(fiber)
      }))
      assert.deepStrictEqual(asked, [2 ** 31 - 1])
    }))

  it.effect("rounds a fraction of a millisecond up", () =>
    Effect.gen(function*() {
      const fiber = yield* Effect.forkChild(Suspend.suspend("1500 micros"))
      yield* TestClock.adjust("1999 micros")
      assert.isFalse(isDone(fiber))
      yield* TestClock.adjust("1 micros")
      assert.isTrue(isDone(fiber))
    }))

  it.effect("ends equal durations in the order in which they began", () =>
    Effect.gen(function*() {
      const order: Array<number> = []
      for (let n = 0; n < 20; n++) {
        yield* Effect.forkChild(Effect.andThen(Suspend.suspend("5 millis"), Effect.sync(() => order.push(n))))
      }
      yield* TestClock.adjust("5 millis")
      assert.deepStrictEqual(order, Array.from({ length: 20 }, (_, n) => n))
    }))

  for (const duration of [0, -1, "0 millis", "-1 hour"] as const) {
    it.effect(`suspend(${duration}) waits for one turn of the event loop and not for the Clock`, () =>
      Effect.gen(function*() {
        const turns = { count: 0 }
        setImmediate(() => turns.count++)
        yield* Suspend.suspend(duration)
        assert.strictEqual(turns.count, 1)
      }))
  }

  it.effect("is interruptible, also in suspend(0), and leaves nothing behind", () =>
    Effect.gen(function*() {
      const late = yield* Effect.forkChild(Suspend.suspend("1 hour"), { startImmediately: true })
      const soon = yield* Effect.forkChild(Suspend.suspend(0), { startImmediately: true })
      yield* Fiber.interruptAll([late, soon])
      assert.isTrue(isDone(late) && isDone(soon))
      yield* TestClock.adjust("2 hours")
    }))

  it.effect("an infinite duration never ends by itself", () =>
    Effect.gen(function*() {
      const fiber = yield* Effect.forkChild(Suspend.suspend(Duration.infinity))
      yield* TestClock.adjust("10000 days")
      assert.isFalse(isDone(fiber))
      yield* Fiber.interrupt(fiber)
    }))
})
