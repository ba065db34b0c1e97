import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as TestClock from "effect/testing/TestClock"
import * as WaitList from "../src/internal/WaitList.ts"
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

  // There seven pushes in a row gave all seven to the first of three consumers, and the others slept for ever.
  it.effect("kore §11: a burst of pushes keeps every one of three consumers alive", () =>
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

  // There a faster fiber takes the item, and the woken one goes back to sleep where no push finds it.
  it.effect("kore §11: an item that a waiting fiber was handed is not to be had by others", () =>
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

  // There the item stays, and nobody is woken for it until the next push.
  it.effect("kore §11: or goes to the next fiber that waits", () =>
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

  it.effect("kore §11: holds any value, undefined and null too, and none of them looks like an empty queue", () =>
    Effect.gen(function*() {
      const queue = yield* Queue.make<undefined | null>()
      const fiber = yield* start(Queue.pop(queue))
      yield* Queue.push(queue, undefined)
      assert.isUndefined(yield* Fiber.join(fiber))
      yield* Queue.push(queue, null)
      yield* Queue.push(queue, undefined)
      assert.deepStrictEqual(yield* drain(queue), [null, undefined])
    }))

  it.effect("kore §11: a pop that is never run takes no place in the line", () =>
    Effect.gen(function*() {
      const queue = yield* Queue.make<number>()
      const unused = Queue.pop(queue)
      const fiber = yield* start(Queue.pop(queue))
      yield* Queue.push(queue, 1)
      assert.strictEqual(yield* Fiber.join(fiber), 1)
      assert.isTrue(Effect.isEffect(unused))
    }))

  // There it wakes the fiber that made it, and the one that waits sleeps on.
  it.effect("kore §2.1: a pop belongs to the fiber that runs it, not to the one that made it", () =>
    Effect.gen(function*() {
      const queue = yield* Queue.make<number>()
      const pop = yield* Effect.flatMap(start(Effect.sync(() => Queue.pop(queue))), Fiber.join)
      const fibers = [yield* start(pop), yield* start(pop)]
      for (const n of [1, 2]) yield* Queue.push(queue, n)
      assert.deepStrictEqual(yield* Fiber.joinAll(fibers), [1, 2])
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

describe("the strategy", () => {
  it.effect("dropping drops what is pushed when the queue is full, and says so", () =>
    Effect.gen(function*() {
      const queue = yield* Queue.make<number>({ capacity: 2, strategy: "dropping" })
      const results = []
      for (const n of [1, 2, 3]) results.push(yield* Queue.push(queue, n))
      assert.deepStrictEqual(results, [true, true, false])
      assert.isFalse(Queue.pushUnsafe(queue, 4))
      assert.strictEqual(yield* Queue.pop(queue), 1)
      assert.isTrue(yield* Queue.push(queue, 5))
      assert.deepStrictEqual(yield* drain(queue), [2, 5])
    }))

  it.effect("sliding drops the oldest item for what is pushed", () =>
    Effect.gen(function*() {
      const queue = yield* Queue.make<number>({ capacity: 2, strategy: "sliding" })
      for (const n of [1, 2, 3]) assert.isTrue(yield* Queue.push(queue, n))
      assert.isTrue(Queue.pushUnsafe(queue, 4))
      assert.deepStrictEqual(yield* drain(queue), [3, 4])
    }))

  it.effect("never waits, and never drops while a fiber waits to pop", () =>
    Effect.gen(function*() {
      for (const strategy of ["dropping", "sliding"] as const) {
        const queue = yield* Queue.make<number>({ capacity: 1, strategy })
        const first = yield* start(Queue.pop(queue))
        const second = yield* start(Queue.pop(queue))
        for (const n of [1, 2, 3]) assert.isTrue(isDone(yield* start(Queue.push(queue, n))))
        assert.deepStrictEqual([yield* Fiber.join(first), yield* Fiber.join(second)], [1, 2])
        assert.deepStrictEqual(yield* drain(queue), [3])
      }
    }))

  it.effect("sliding makes room for what came back from interrupted fibers too", () =>
    Effect.gen(function*() {
      const queue = yield* Queue.make<number>({ capacity: 2, strategy: "sliding" })
      const fibers = [yield* start(Queue.pop(queue)), yield* start(Queue.pop(queue))]
      for (const n of [1, 2, 3, 4]) yield* Queue.push(queue, n)
      for (const fiber of fibers) fiber.interruptUnsafe()
      assert.strictEqual(yield* Queue.size(queue), 4)
      yield* Queue.push(queue, 5)
      assert.deepStrictEqual(yield* drain(queue), [4, 5])
    }))

  it.effect("that drops needs a capacity", () =>
    Effect.gen(function*() {
      const options = { strategy: "dropping" } as unknown as Queue.Options
      const exit = yield* Effect.exit(Queue.make(options))
      assert.isTrue(Exit.isFailure(exit) && Cause.squash(exit.cause) instanceof RangeError)
    }))
})

describe("close", () => {
  const closable = (options?: Queue.Options) => Queue.make<number, Queue.QueueClosed>(options)

  const isClosedExit = (exit: Exit.Exit<unknown, unknown> | undefined): boolean =>
    exit !== undefined && Exit.isFailure(exit) && Cause.squash(exit.cause) instanceof Queue.QueueClosed

  it.effect("lets out what is in the queue, and then tells whoever pops", () =>
    Effect.gen(function*() {
      const queue = yield* closable({ name: "jobs" })
      for (const n of [1, 2]) yield* Queue.push(queue, n)
      assert.isTrue(yield* Queue.close(queue))
      assert.isFalse(yield* Queue.close(queue))
      assert.isTrue(yield* Queue.isClosed(queue))
      assert.deepStrictEqual([yield* Queue.pop(queue), yield* Queue.pop(queue)], [1, 2])
      const error = yield* Effect.flip(Queue.pop(queue))
      assert.deepStrictEqual([error._tag, error.queue], ["QueueClosed", "jobs"])
      assert.include(error.message, "The queue jobs is closed and empty")
      assert.isTrue(isClosedExit(yield* Effect.exit(Queue.popUpTo(queue, 3))))
      assert.deepStrictEqual(yield* Queue.popNow(queue), Option.none())
    }))

  it.effect("lets nothing in any more", () =>
    Effect.gen(function*() {
      for (const options of [{}, { capacity: 2 }, { capacity: 2, strategy: "sliding" } as const]) {
        const queue = yield* closable(options)
        yield* Queue.close(queue)
        assert.isFalse(yield* Queue.push(queue, 1))
        assert.isFalse(Queue.pushUnsafe(queue, 1))
        assert.strictEqual(yield* Queue.size(queue), 0)
      }
    }))

  it.effect("ends fibers that wait for an item", () =>
    Effect.gen(function*() {
      const queue = yield* closable()
      const fibers: Array<Fiber.Fiber<unknown, unknown>> = [
        yield* start(Queue.pop(queue)),
        yield* start(Queue.popUpTo(queue, 2))
      ]
      yield* Queue.close(queue)
      for (const fiber of fibers) assert.isTrue(isClosedExit(yield* Fiber.await(fiber)))
    }))

  it.effect("tells pushes that wait for room that they are not in, also the one that was let in", () =>
    Effect.gen(function*() {
      const queue = yield* closable({ capacity: 1 })
      yield* Queue.push(queue, 1)
      const pushes = [yield* start(Queue.push(queue, 2)), yield* start(Queue.push(queue, 3))]
      assert.strictEqual(yield* Queue.pop(queue), 1)
      yield* Queue.close(queue)
      for (const push of pushes) assert.isFalse(yield* Fiber.join(push))
      assert.strictEqual(yield* Queue.size(queue), 0)
    }))

  it.effect("an item handed to a fiber that is interrupted then is not lost: another one that waits gets it", () =>
    Effect.gen(function*() {
      const queue = yield* closable()
      const first = yield* start(Queue.pop(queue))
      const second = yield* start(Queue.pop(queue))
      const third = yield* start(Queue.pop(queue))
      yield* Queue.push(queue, 1)
      yield* Queue.close(queue)
      first.interruptUnsafe()
      assert.strictEqual(yield* Fiber.join(second), 1)
      assert.isTrue(isClosedExit(yield* Fiber.await(third)))
    }))

  it.effect("an item that came back when nobody waited is still to be popped", () =>
    Effect.gen(function*() {
      const queue = yield* closable()
      const fiber = yield* start(Queue.pop(queue))
      yield* Queue.push(queue, 1)
      yield* Queue.close(queue)
      fiber.interruptUnsafe()
      assert.strictEqual(yield* Queue.pop(queue), 1)
      assert.isTrue(isClosedExit(yield* Effect.exit(Queue.pop(queue))))
    }))

  it.effect("closeUnsafe does the same from plain code", () =>
    Effect.gen(function*() {
      const queue = yield* closable()
      const fiber = yield* start(Queue.pop(queue))
      assert.isTrue(Queue.closeUnsafe(queue))
      assert.isFalse(Queue.closeUnsafe(queue))
      assert.isTrue(isClosedExit(yield* Fiber.await(fiber)))
    }))

  it.effect("awaitDrained waits until the queue is closed and its last item has been taken", () =>
    Effect.gen(function*() {
      const queue = yield* closable()
      const waiting = yield* start(Queue.awaitDrained(queue))
      const gaveUp = yield* start(Queue.awaitDrained(queue))
      yield* Fiber.interrupt(gaveUp)
      for (const n of [1, 2]) yield* Queue.push(queue, n)
      yield* Queue.popNow(queue)
      yield* Queue.close(queue)
      yield* settle
      assert.isFalse(isDone(waiting))
      assert.strictEqual(yield* Queue.pop(queue), 2)
      yield* Fiber.join(waiting)
      assert.isTrue(isDone(yield* start(Queue.awaitDrained(queue))))
    }))

  it.effect("awaitDrained waits for an item that has been handed to a fiber", () =>
    Effect.gen(function*() {
      const queue = yield* closable()
      const fiber = yield* start(Queue.pop(queue))
      yield* Queue.push(queue, 1)
      yield* Queue.close(queue)
      const waiting = yield* start(Queue.awaitDrained(queue))
      assert.isFalse(isDone(waiting))
      assert.strictEqual(yield* Fiber.join(fiber), 1)
      yield* Fiber.join(waiting)
    }))

  it.effect("awaitDrained ends for an empty queue when that is closed", () =>
    Effect.gen(function*() {
      const queue = yield* closable()
      const waiting = yield* start(Queue.awaitDrained(queue))
      yield* Queue.close(queue)
      yield* Fiber.join(waiting)
    }))
})

describe("popUpTo", () => {
  it.effect("takes what is there, up to as many, in order", () =>
    Effect.gen(function*() {
      const queue = yield* Queue.make<number>()
      for (const n of [1, 2, 3, 4, 5]) yield* Queue.push(queue, n)
      assert.deepStrictEqual(yield* Queue.popUpTo(queue, 2), [1, 2])
      assert.deepStrictEqual(yield* Queue.popUpTo(queue, Infinity), [3, 4, 5])
    }))

  it.effect("waits in line for the first item, and takes what has come behind it", () =>
    Effect.gen(function*() {
      const queue = yield* Queue.make<number>()
      const first = yield* start(Queue.popUpTo(queue, 2))
      const second = yield* start(Queue.pop(queue))
      for (const n of [1, 2, 3, 4]) yield* Queue.push(queue, n)
      assert.deepStrictEqual(yield* Fiber.join(first), [1, 3])
      assert.strictEqual(yield* Fiber.join(second), 2)
      assert.deepStrictEqual(yield* drain(queue), [4])
    }))

  it.effect("makes room for pushes that wait", () =>
    Effect.gen(function*() {
      const queue = yield* Queue.make<number>({ capacity: 2 })
      const pushes = []
      for (const n of [1, 2, 3, 4]) pushes.push(yield* start(Queue.push(queue, n)))
      assert.deepStrictEqual(yield* Queue.popUpTo(queue, 10), [1, 2])
      yield* Fiber.joinAll(pushes)
      assert.deepStrictEqual(yield* drain(queue), [3, 4])
    }))

  it.effect("refuses a number of items that is none", () =>
    Effect.gen(function*() {
      const queue = yield* Queue.make<number>()
      for (const max of [0, -1, 1.5, Number.NaN]) {
        const exit = yield* Effect.exit(Queue.popUpTo(queue, max))
        assert.isTrue(Exit.isFailure(exit) && Cause.squash(exit.cause) instanceof RangeError)
      }
    }))
})

describe("a timeout", () => {
  it.effect("kore §11: around a pop takes nothing, and leaves no trace", () =>
    Effect.gen(function*() {
      const queue = yield* Queue.make<number>()
      for (const pop of [Effect.asVoid(Queue.pop(queue)), Effect.asVoid(Queue.popUpTo(queue, 2))]) {
        const patient = yield* start(Effect.timeoutOption(pop, "1 second"))
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual<unknown>(yield* Fiber.join(patient), Option.none())
        yield* Queue.push(queue, 1)
        assert.deepStrictEqual(yield* drain(queue), [1])
      }
    }))

  it.effect("that comes at the moment the item does loses nothing", () =>
    Effect.gen(function*() {
      for (const pushFirst of [true, false]) {
        const queue = yield* Queue.make<number>()
        const push = Effect.andThen(Effect.sleep("1 second"), Queue.push(queue, 1))
        if (pushFirst) yield* start(push)
        const patient = yield* start(Effect.timeoutOption(Queue.pop(queue), "1 second"))
        if (!pushFirst) yield* start(push)
        yield* TestClock.adjust("1 second")
        const item = yield* Fiber.join(patient)
        assert.deepStrictEqual(yield* drain(queue), Option.isSome(item) ? [] : [1])
      }
    }))

  it.effect("around a push that waits puts nothing in, and lets the next one in", () =>
    Effect.gen(function*() {
      const queue = yield* Queue.make<number>({ capacity: 1 })
      yield* Queue.push(queue, 1)
      const patient = yield* start(Effect.timeoutOption(Queue.push(queue, 2), "1 second"))
      const next = yield* start(Queue.push(queue, 3))
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* Fiber.join(patient), Option.none())
      assert.strictEqual(yield* Queue.pop(queue), 1)
      assert.isTrue(yield* Fiber.join(next))
      assert.deepStrictEqual(yield* drain(queue), [3])
    }))
})

describe("what people see of a queue", () => {
  const waits = (fiber: Fiber.Fiber<unknown, unknown>) =>
    WaitList.values().filter((wait) => wait.fiber === fiber).map((wait) => wait.describe())

  it.effect("fibers that pop, with how many of them wait", () =>
    Effect.gen(function*() {
      const queue = yield* Queue.make<number>({ name: "jobs" })
      const first = yield* start(Queue.pop(queue))
      const second = yield* start(Queue.popUpTo(queue, 2))
      const described = [{ kind: "queue", what: "pop from queue jobs (2 waiting)" }]
      assert.deepStrictEqual([waits(first), waits(second)], [described, described])
      yield* Queue.push(queue, 1)
      assert.deepStrictEqual(waits(first), [])
      yield* Fiber.interrupt(second)
      assert.deepStrictEqual(waits(second), [])
    }))

  it.effect("fibers that push, with the capacity, and those that wait for the end", () =>
    Effect.gen(function*() {
      const queue = yield* Queue.make<number, Queue.QueueClosed>({ capacity: 1 })
      yield* Queue.push(queue, 1)
      const pusher = yield* start(Queue.push(queue, 2))
      const drainer = yield* start(Queue.awaitDrained(queue))
      assert.deepStrictEqual(waits(pusher), [{ kind: "queue", what: "push to queue (capacity 1)" }])
      assert.deepStrictEqual(waits(drainer), [{ kind: "queue", what: "the end of queue (1 items in it)" }])
      yield* Fiber.interruptAll([pusher, drainer])
      assert.deepStrictEqual([waits(pusher), waits(drainer)], [[], []])
    }))
})
