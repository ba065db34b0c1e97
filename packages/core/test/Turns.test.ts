import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as EffectScheduler from "effect/Scheduler"
import * as TestClock from "effect/testing/TestClock"
import * as WaitList from "../src/internal/WaitList.ts"
import * as Turns from "../src/Turns.ts"

class Refused extends Data.TaggedError("Refused") {}

const describeWait = () => ({ kind: "test", what: "a letter" })

const waiting = () => [...WaitList.values()].map((wait) => wait.describe()).filter(({ kind }) => kind === "test")

const start = <A, E>(effect: Effect.Effect<A, E>) => Effect.forkChild(effect, { startImmediately: true })

/** Letters that come by themselves. */
const box = (options: Partial<Turns.Options<Refused>> = {}) => {
  const letters: Array<string> = []
  const turns = Turns.makeUnsafe<Refused>({ isReady: () => letters.length > 0, ...options })
  return {
    letters,
    turns,
    add: (letter: string) => {
      letters.push(letter)
      Turns.signal(turns)
    },
    take: Turns.take(turns, () => letters.shift() ?? Turns.miss(), { describe: describeWait })
  }
}

describe("take", () => {
  it.effect("takes at once what is there, and does not wait", () =>
    Effect.gen(function*() {
      let waits = 0
      const { add, take } = box({ onWait: () => waits++ })
      add("a")
      assert.deepStrictEqual((yield* start(take)).pollUnsafe(), Exit.succeed("a"))
      assert.strictEqual(waits, 0)
    }))

  it.effect("waits for what is not there, listed, and tells that it begins to wait", () =>
    Effect.gen(function*() {
      let waits = 0
      const { add, take } = box({ onWait: () => waits++ })
      const fiber = yield* start(take)
      assert.deepStrictEqual(waiting(), [{ kind: "test", what: "a letter" }])
      assert.strictEqual(waits, 1)
      add("a")
      assert.strictEqual(yield* Fiber.join(fiber), "a")
      assert.deepStrictEqual(waiting(), [])
    }))

  it.effect("a step that misses waits on, and who asked later is served first then", () =>
    Effect.gen(function*() {
      const { add, letters, turns, take } = box()
      const picky = Turns.take(turns, () => letters[0] === "b" ? letters.shift()! : Turns.miss(), {
        describe: describeWait
      })
      const first = yield* start(picky)
      const second = yield* start(take)
      add("a")
      assert.strictEqual(yield* Fiber.join(second), "a")
      assert.isUndefined(first.pollUnsafe())
      add("b")
      assert.strictEqual(yield* Fiber.join(first), "b")
    }))

  it.effect("fails with what a step throws and isError knows; anything else is a defect; neither holds the next one up", () =>
    Effect.gen(function*() {
      const { add, take, turns } = box({ isError: (thrown) => thrown instanceof Refused })
      const throwing = (thrown: unknown) =>
        start(Turns.take(turns, () => {
          throw thrown
        }, { describe: describeWait }))
      const refused = yield* throwing(new Refused())
      const broken = yield* throwing("broken")
      const next = yield* start(take)
      add("a")
      assert.deepStrictEqual(yield* Fiber.await(refused), Exit.fail(new Refused()))
      assert.deepStrictEqual(yield* Fiber.await(broken), Exit.die("broken"))
      assert.strictEqual(yield* Fiber.join(next), "a")
      add("b")
      assert.deepStrictEqual((yield* throwing("at once")).pollUnsafe(), Exit.die("at once"))
    }))

  it.effect("is late after its deadline by the Clock, and has taken nothing", () =>
    Effect.gen(function*() {
      const { add, letters, take, turns } = box()
      const late = yield* start(Turns.take(turns, () => letters.shift() ?? Turns.miss(), {
        describe: describeWait,
        deadline: { after: "1 second", error: () => new Cause.TimeoutError("no letter") }
      }))
      yield* TestClock.adjust("999 millis")
      assert.isUndefined(late.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      assert.deepStrictEqual(yield* Fiber.await(late), Exit.fail(new Cause.TimeoutError("no letter")))
      add("a")
      assert.strictEqual(yield* take, "a")
    }))

  it.effect("a deadline counts from asking, however often a step misses", () =>
    Effect.gen(function*() {
      const { turns, letters, add } = box()
      const late = yield* start(Turns.take(turns, () => Turns.miss(), {
        describe: describeWait,
        deadline: { after: "1 second", error: () => new Cause.TimeoutError("no letter") }
      }))
      yield* TestClock.adjust("600 millis")
      add("a")
      letters.length = 0
      yield* TestClock.adjust("400 millis")
      assert.isTrue(Exit.isFailure(yield* Fiber.await(late)))
    }))

  it.effect("interrupted after it was called, it has taken nothing, and the next one is called", () =>
    Effect.gen(function*() {
      const { add, take } = box()
      const first = yield* start(take)
      const second = yield* start(take)
      add("a")
      first.interruptUnsafe()
      assert.strictEqual(yield* Fiber.join(second), "a")
      assert.isTrue(Exit.hasInterrupts(yield* Fiber.await(first)))
    }))

  it.effect("a step that throws keeps no turn, wherever its fiber is interrupted on the way to whoever catches that", () =>
    Effect.gen(function*() {
      for (let operations = 3; operations <= 12; operations++) {
        for (let turns = 0; turns < 4; turns++) {
          const { add, take, turns: own } = box({ isError: (thrown) => thrown instanceof Refused })
          const refused = Turns.take(own, () => {
            throw new Refused()
          }, { describe: describeWait })
          const first = yield* start(Effect.provideService(refused, EffectScheduler.MaxOpsBeforeYield, operations))
          while (waiting().length < 1) yield* Effect.yieldNow
          const second = yield* start(take)
          add("a")
          for (let turn = 0; turn < turns; turn++) yield* Effect.yieldNow
          first.interruptUnsafe()
          assert.strictEqual(yield* Fiber.join(second), "a", `${operations} operations, ${turns} turns`)
        }
      }
    }))

  it.effect("a fiber that looked, yielded and came back overtakes nobody who stood in line meanwhile", () =>
    Effect.gen(function*() {
      let between = 0
      const operations = 12
      for (let before = 0; before < operations; before++) {
        const { add, letters, take } = box()
        letters.push("gone")
        const late = Effect.andThen(Effect.forEach(Array.from({ length: before }), () => Effect.void), take)
        const slow = yield* start(Effect.provideService(late, EffectScheduler.MaxOpsBeforeYield, operations))
        if (slow.pollUnsafe() !== undefined) continue
        between++
        letters.length = 0
        const next = yield* start(take)
        add("a")
        assert.strictEqual(yield* Fiber.join(next), "a", `after ${before} operations`)
        add("b")
        assert.strictEqual(yield* Fiber.join(slow), "b")
      }
      assert.isAbove(between, 1)
    }))

  it.effect("a fiber that was called before its deadline is not late when it comes after it", () =>
    Effect.gen(function*() {
      const { add, letters, turns } = box()
      const timers: Array<() => void> = []
      const clock: Clock.Clock = {
        ...yield* Clock.Clock,
        sleep: () => Effect.callback((resume) => void timers.push(() => resume(Effect.void)))
      }
      const fiber = yield* start(Effect.provideService(
        Turns.take(turns, () => letters.shift() ?? Turns.miss(), {
          describe: describeWait,
          deadline: { after: "1 second", error: () => new Cause.TimeoutError("no letter") }
        }),
        Clock.Clock,
        clock
      ))
      add("a")
      for (const fire of timers) fire()
      assert.strictEqual(yield* Fiber.join(fiber), "a")
    }))
})
