import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Queue from "../src/Queue.ts"

const start = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.forkChild(effect, { startImmediately: true })
const isDone = (fiber: Fiber.Fiber<unknown, unknown>) => fiber.pollUnsafe() !== undefined

/** Lets every woken fiber run. */
const settle = Effect.forEach([1, 2, 3, 4], () => Effect.yieldNow, { discard: true })

const drain = <A>(queue: Queue.Queue<A>): Effect.Effect<ReadonlyArray<A>> =>
  Effect.gen(function*() {
    const items: Array<A> = []
    for (let next = yield* Queue.popNow(queue); Option.isSome(next); next = yield* Queue.popNow(queue)) {
      items.push(next.value)
    }
    return items
  })

describe("a queue without a bound", () => {
  it.effect("gives items in the order in which they went in, without suspending", () =>
    Effect.gen(function*() {
      const queue = yield* Queue.make<number>()
      const fiber = yield* start(Effect.gen(function*() {
        for (let n = 0; n < 100; n++) yield* Queue.push(queue, n)
        yield* Queue.push(queue, 100)
        const items = []
        for (let n = 0; n <= 100; n++) items.push(yield* Queue.pop(queue))
        return items
      }))
      assert.deepStrictEqual(fiber.pollUnsafe(), Exit.succeed(Array.from({ length: 101 }, (_, n) => n)))
      assert.strictEqual(yield* Queue.size(queue), 0)
    }))

  it.effect("serves waiting fibers in the order in which they asked", () =>
    Effect.gen(function*() {
      const queue = yield* Queue.make<number>()
      const fibers = [yield* start(Queue.pop(queue)), yield* start(Queue.pop(queue)), yield* start(Queue.pop(queue))]
      for (const n of [1, 2, 3]) yield* Queue.push(queue, n)
      assert.strictEqual(yield* Queue.size(queue), 0)
      assert.deepStrictEqual(yield* Fiber.joinAll(fibers), [1, 2, 3])
    }))

  // Kore, runtime §11: seven pushes in a row gave all seven to the first of three consumers and killed the others.
  it.effect("a burst of pushes keeps every one of three consumers alive", () =>
    Effect.gen(function*() {
      const queue = yield* Queue.make<number>()
      const served: Array<string> = []
      for (const name of ["a", "b", "c"]) {
        yield* start(Effect.forever(Effect.tap(Queue.pop(queue), () => Effect.sync(() => served.push(name)))))
      }
      for (let burst = 0; burst < 3; burst++) {
        for (let n = 0; n < 7; n++) yield* Queue.push(queue, n)
        yield* settle
      }
      assert.strictEqual(served.length, 21)
      for (const name of ["a", "b", "c"]) assert.isAtLeast(served.filter((other) => other === name).length, 3)
    }))

  it.effect("an item that a waiting fiber was handed is not to be had by others", () =>
    Effect.gen(function*() {
      const queue = yield* Queue.make<number>()
      const fiber = yield* start(Queue.pop(queue))
      yield* Queue.push(queue, 1)
      assert.deepStrictEqual(yield* Queue.popNow(queue), Option.none())
      yield* Queue.push(queue, 2)
      assert.deepStrictEqual(yield* Queue.popNow(queue), Option.some(2))
      assert.strictEqual(yield* Fiber.join(fiber), 1)
    }))

  it.effect("an item handed to a fiber that is interrupted at that moment goes back to the front", () =>
    Effect.gen(function*() {
      const queue = yield* Queue.make<number>()
      const fiber = yield* start(Queue.pop(queue))
      for (const n of [1, 2, 3]) yield* Queue.push(queue, n)
      fiber.interruptUnsafe()
      assert.strictEqual(yield* Queue.size(queue), 3)
      assert.deepStrictEqual(yield* drain(queue), [1, 2, 3])
    }))

  it.effect("items go back in their old order, in whatever order their fibers are interrupted", () =>
    Effect.gen(function*() {
      for (const order of [[0, 1, 2], [2, 1, 0], [1, 2, 0]]) {
        const queue = yield* Queue.make<number>()
        const fibers = [yield* start(Queue.pop(queue)), yield* start(Queue.pop(queue)), yield* start(Queue.pop(queue))]
        for (const n of [1, 2, 3, 4]) yield* Queue.push(queue, n)
        for (const index of order) fibers[index]!.interruptUnsafe()
        assert.deepStrictEqual(yield* drain(queue), [1, 2, 3, 4])
      }
    }))

  it.effect("or goes to the next fiber that waits", () =>
    Effect.gen(function*() {
      const queue = yield* Queue.make<number>()
      const first = yield* start(Queue.pop(queue))
      const second = yield* start(Queue.pop(queue))
      yield* Queue.push(queue, 1)
      first.interruptUnsafe()
      assert.strictEqual(yield* Fiber.join(second), 1)
    }))

  it.effect("a waiting fiber that is interrupted leaves no trace", () =>
    Effect.gen(function*() {
      const queue = yield* Queue.make<number>()
      yield* Fiber.interrupt(yield* start(Queue.pop(queue)))
      yield* Queue.push(queue, 1)
      assert.strictEqual(yield* Queue.size(queue), 1)
      assert.strictEqual(yield* Queue.pop(queue), 1)
    }))

  it.effect("holds any value, undefined too", () =>
    Effect.gen(function*() {
      const queue = yield* Queue.make<undefined | null>()
      const fiber = yield* start(Queue.pop(queue))
      yield* Queue.push(queue, undefined)
      assert.isUndefined(yield* Fiber.join(fiber))
      yield* Queue.push(queue, null)
      yield* Queue.push(queue, undefined)
      assert.deepStrictEqual(yield* drain(queue), [null, undefined])
    }))

  it.effect("takes 100,000 items and gives the room back", () =>
    Effect.gen(function*() {
      const queue = yield* Queue.make<number>()
      for (let round = 0; round < 2; round++) {
        for (let n = 0; n < 100_000; n++) Queue.pushUnsafe(queue, n)
        const items = yield* drain(queue)
        assert.strictEqual(items.length, 100_000)
        assert.isTrue(items.every((item, n) => item === n))
      }
    }))
})

describe("a bounded queue", () => {
  it.effect("lets a push wait for room, and serves pushes in the order in which they asked", () =>
    Effect.gen(function*() {
      const queue = yield* Queue.make<number>({ capacity: 2 })
      const pushes = []
      for (const n of [1, 2, 3, 4, 5]) pushes.push(yield* start(Queue.push(queue, n)))
      assert.deepStrictEqual(pushes.map(isDone), [true, true, false, false, false])
      assert.strictEqual(yield* Queue.size(queue), 2)
      const items = []
      for (let n = 0; n < 5; n++) items.push(yield* Queue.pop(queue))
      assert.deepStrictEqual(items, [1, 2, 3, 4, 5])
      yield* settle
      assert.deepStrictEqual(pushes.map(isDone), [true, true, true, true, true])
    }))

  it.effect("a push that comes while another is let in goes behind it", () =>
    Effect.gen(function*() {
      const queue = yield* Queue.make<number>({ capacity: 2 })
      for (const n of [1, 2, 3]) yield* start(Queue.push(queue, n))
      yield* Queue.pop(queue)
      yield* Queue.pop(queue)
      yield* start(Queue.push(queue, 4))
      yield* settle
      assert.deepStrictEqual(yield* drain(queue), [3, 4])
    }))

  it.effect("an interrupted push is not in the queue, and lets the next one in", () =>
    Effect.gen(function*() {
      const queue = yield* Queue.make<number>({ capacity: 1 })
      yield* Queue.push(queue, 1)
      const waiting = yield* start(Queue.push(queue, 2))
      const entering = yield* start(Queue.push(queue, 3))
      const last = yield* start(Queue.push(queue, 4))
      waiting.interruptUnsafe()
      assert.strictEqual(yield* Queue.pop(queue), 1)
      entering.interruptUnsafe()
      yield* Fiber.join(last)
      assert.deepStrictEqual(yield* drain(queue), [4])
    }))

  it.effect("pushUnsafe says whether there was room, and does not overtake", () =>
    Effect.gen(function*() {
      const queue = yield* Queue.make<number>({ capacity: 1 })
      assert.isTrue(Queue.pushUnsafe(queue, 1))
      assert.isFalse(Queue.pushUnsafe(queue, 2))
      yield* start(Queue.push(queue, 3))
      yield* Queue.pop(queue)
      assert.isFalse(Queue.pushUnsafe(queue, 4))
      assert.strictEqual(yield* Queue.pop(queue), 3)
    }))

  it.effect("refuses a capacity that could hold nothing", () =>
    Effect.gen(function*() {
      for (const capacity of [0, -1, 1.5, Number.NaN]) {
        const exit = yield* Effect.exit(Queue.make({ capacity }))
        assert.isTrue(Exit.isFailure(exit) && Cause.squash(exit.cause) instanceof RangeError)
      }
    }))
})
