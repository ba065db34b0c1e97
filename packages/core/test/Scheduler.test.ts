import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as EffectScheduler from "effect/Scheduler"
import * as Queue from "../src/Queue.ts"
import * as Scheduler from "../src/Scheduler.ts"

const onWorker = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.provideService(effect, EffectScheduler.Scheduler, Scheduler.make())

/** Ends in the check phase of the event loop, without going through any scheduler. */
const checkPhase = Effect.callback<void>((resume) => {
  setImmediate(() => resume(Effect.void))
})

const timer = Effect.callback<void>((resume) => {
  setTimeout(() => resume(Effect.void), 0)
})

/** Two fibers that wake each other for ever; tells how often that happened. */
const pingPong = Effect.gen(function*() {
  const count = { wakes: 0 }
  const there = yield* Queue.make<number>()
  const back = yield* Queue.make<number>()
  const bounce = (from: Queue.Queue<number>, to: Queue.Queue<number>) =>
    Effect.forever(Effect.flatMap(Queue.pop(from), (n) => {
      count.wakes++
      return Queue.push(to, n)
    }))
  yield* Effect.forkScoped(bounce(there, back), { startImmediately: true })
  yield* Effect.forkScoped(bounce(back, there), { startImmediately: true })
  yield* Queue.push(there, 0)
  return count
})

describe("the worker's scheduler", () => {
  it.effect("wakes at most wakesPerTurn fibers before the event loop makes a turn", () =>
    onWorker(Effect.gen(function*() {
      const count = yield* pingPong
      for (let turn = 0; turn < 20; turn++) {
        const before = count.wakes
        yield* checkPhase
        assert.isAtLeast(count.wakes - before, 1)
        assert.isAtMost(count.wakes - before, Scheduler.wakesPerTurn)
      }
    })))

  it.effect("lets timers fire while two fibers wake each other for ever", () =>
    onWorker(Effect.gen(function*() {
      const count = yield* pingPong
      yield* timer
      assert.isAbove(count.wakes, 0)
    })))

  it.effect("wakes a fiber without a turn of the event loop", () =>
    onWorker(Effect.gen(function*() {
      const turns = { count: 0 }
      setImmediate(() => turns.count++)
      for (let i = 0; i < Scheduler.wakesPerTurn / 2; i++) yield* Effect.yieldNow
      assert.strictEqual(turns.count, 0)
    })))

  it.effect("turn lets the event loop go round even while two fibers wake each other for ever", () =>
    onWorker(Effect.gen(function*() {
      yield* pingPong
      for (let i = 0; i < 5; i++) {
        const turns = { count: 0 }
        setImmediate(() => turns.count++)
        yield* Scheduler.turn
        assert.strictEqual(turns.count, 1)
      }
    })))

  it.effect("all fibers that wait for a turn share it, in the order in which they asked", () =>
    onWorker(Effect.gen(function*() {
      const order: Array<number> = []
      const wait = (n: number) => Effect.andThen(Scheduler.turn, Effect.sync(() => order.push(n)))
      const names = Array.from({ length: 1000 }, (_, n) => n)
      for (const n of names) yield* Effect.forkChild(wait(n), { startImmediately: true })
      yield* checkPhase
      assert.deepStrictEqual(order, names)
    })))

  it.effect("a fiber that has used up its operations ends the turn", () =>
    onWorker(Effect.gen(function*() {
      const steps = { count: 0 }
      const step = Effect.sync(() => {
        steps.count++
      })
      yield* Effect.forkScoped(Effect.forever(step, { disableYield: true }))
      yield* Effect.yieldNow
      for (let turn = 0; turn < 10; turn++) {
        const before = steps.count
        yield* checkPhase
        assert.isAtMost(steps.count - before, 200)
      }
    }).pipe(Effect.provideService(EffectScheduler.MaxOpsBeforeYield, 100))))

  it.effect("wakes fibers in the order in which they became ready", () =>
    onWorker(Effect.gen(function*() {
      const order: Array<number> = []
      const fibers = []
      for (let n = 0; n < 200; n++) fibers.push(yield* Effect.forkChild(Effect.sync(() => order.push(n))))
      yield* Fiber.awaitAll(fibers)
      assert.deepStrictEqual(order, Array.from({ length: 200 }, (_, n) => n))
    })))

  it.effect("a task that throws does not take the tasks behind it along", () =>
    Effect.gen(function*() {
      const ran: Array<string> = []
      const dispatcher = Scheduler.make().makeDispatcher()
      for (const priority of [0, 1]) {
        dispatcher.scheduleTask(() => {
          throw new Error("thrown")
        }, priority)
        dispatcher.scheduleTask(() => ran.push(`behind, priority ${priority}`), priority)
      }
      assert.throws(() => dispatcher.flush(), "thrown")
      assert.throws(() => dispatcher.flush(), "thrown")
      yield* checkPhase
      assert.sameMembers(ran, ["behind, priority 0", "behind, priority 1"])
    }))

  it("flush runs everything at once, also what the tasks schedule", () => {
    const ran: Array<number> = []
    const dispatcher = Scheduler.make({ wakesPerTurn: 1 }).makeDispatcher()
    dispatcher.scheduleTask(() => dispatcher.scheduleTask(() => ran.push(3), 1), 0)
    dispatcher.scheduleTask(() => ran.push(1), 0)
    dispatcher.scheduleTask(() => ran.push(2), 0)
    dispatcher.flush()
    assert.deepStrictEqual(ran, [1, 2, 3])
  })

  it("refuses a wakesPerTurn that would starve its fibers", () => {
    for (const wakesPerTurn of [0, -1, 1.5, Number.NaN]) {
      assert.throws(() => Scheduler.make({ wakesPerTurn }), RangeError)
    }
  })
})
