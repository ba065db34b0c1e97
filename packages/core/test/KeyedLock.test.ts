import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import * as WaitList from "../src/internal/WaitList.ts"
import * as KeyedLock from "../src/KeyedLock.ts"
import * as Lock from "../src/Lock.ts"

const start = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.forkChild(effect, { startImmediately: true })
const isDone = (fiber: Fiber.Fiber<unknown, unknown>) => fiber.pollUnsafe() !== undefined

/** A keyed lock, and fibers that hold the lock of a key until they are let go. */
const setUp = Effect.gen(function*() {
  const keyed = yield* KeyedLock.make<string>()
  const order: Array<string> = []
  const hold = Effect.fnUntraced(function*(key: string, name: string) {
    const gate = yield* Deferred.make<void>()
    const work = Effect.andThen(Effect.sync(() => order.push(name)), Deferred.await(gate))
    const fiber = yield* start(KeyedLock.withLock(keyed, key, work))
    return { fiber, letGo: Effect.andThen(Deferred.succeed(gate, undefined), Fiber.join(fiber)) }
  })
  return { hold, keyed, order }
})

describe("withLock", () => {
  it.effect("gives the result of the effect, in both notations, and does not suspend for a free key", () =>
    Effect.gen(function*() {
      const keyed = KeyedLock.makeUnsafe<string>()
      const first = yield* start(KeyedLock.withLock(keyed, "ada", Effect.succeed(1)))
      const second = yield* start(Effect.succeed(2).pipe(KeyedLock.withLock(keyed, "ada")))
      assert.deepStrictEqual([first.pollUnsafe(), second.pollUnsafe()], [Exit.succeed(1), Exit.succeed(2)])
    }))

  it.effect("different keys do not wait for each other", () =>
    Effect.gen(function*() {
      const { hold, order } = yield* setUp
      const ada = yield* hold("ada", "ada")
      const bob = yield* hold("bob", "bob")
      assert.deepStrictEqual(order, ["ada", "bob"])
      yield* bob.letGo
      yield* ada.letGo
    }))

  it.effect("fibers with one key are served in the order in which they asked", () =>
    Effect.gen(function*() {
      const { hold, order } = yield* setUp
      const holders = []
      for (const name of ["a", "b", "c"]) holders.push(yield* hold("key", name))
      assert.deepStrictEqual(order, ["a"])
      for (const holder of holders) yield* holder.letGo
      assert.deepStrictEqual(order, ["a", "b", "c"])
    }))

  it.effect("keys are equal as in a Map", () =>
    Effect.gen(function*() {
      const keyed = yield* KeyedLock.make<unknown>()
      for (
        const [one, other, isSame] of [[7, 7, true], [Number.NaN, Number.NaN, true], [7, "7", false], [{}, {}, false]]
      ) {
        const holder = yield* start(KeyedLock.withLock(keyed, one, Effect.never))
        const asker = yield* start(KeyedLock.withLock(keyed, other, Effect.void))
        assert.strictEqual(isDone(asker), !isSame)
        yield* Fiber.interruptAll([asker, holder])
      }
    }))

  for (const [how, failure] of [["fails", Effect.fail("no")], ["dies", Effect.die("no")]] as const) {
    it.effect(`releases when the work ${how}, and passes the failure on`, () =>
      Effect.gen(function*() {
        const keyed = yield* KeyedLock.make<string>()
        const exit = yield* Effect.exit(KeyedLock.withLock(keyed, "key", failure))
        assert.deepStrictEqual<unknown>(exit, yield* Effect.exit(failure))
        assert.strictEqual(yield* KeyedLock.size(keyed), 0)
      }))
  }

  it.effect("a holder that is interrupted hands over, and a waiter that is interrupted leaves no trace", () =>
    Effect.gen(function*() {
      const { hold, keyed, order } = yield* setUp
      const first = yield* hold("key", "first")
      const second = yield* hold("key", "second")
      const third = yield* hold("key", "third")
      yield* Fiber.interrupt(second.fiber)
      yield* Fiber.interrupt(first.fiber)
      yield* third.letGo
      assert.deepStrictEqual(order, ["first", "third"])
      assert.strictEqual(yield* KeyedLock.size(keyed), 0)
    }))

  it.effect("a wait that is given up in time leaves no trace", () =>
    Effect.gen(function*() {
      const { hold, keyed } = yield* setUp
      const holder = yield* hold("key", "holder")
      const patient = yield* start(
        Effect.exit(Effect.timeout(KeyedLock.withLock(keyed, "key", Effect.void), "1 second"))
      )
      yield* TestClock.adjust("1 second")
      assert.isTrue(Exit.isFailure(yield* Fiber.join(patient)))
      yield* holder.letGo
      assert.strictEqual(yield* KeyedLock.size(keyed), 0)
    }))

  it.effect("a fiber may hold several keys, and dies when it asks for one that it holds", () =>
    Effect.gen(function*() {
      const keyed = yield* KeyedLock.make<string>({ name: "user" })
      const twice = KeyedLock.withLock(keyed, "ada", Effect.void)
      const nested = KeyedLock.withLock(keyed, "ada", KeyedLock.withLock(keyed, "bob", twice))
      const exit = yield* Effect.exit(nested)
      const error = Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined
      assert.isTrue(error instanceof Lock.LockReentered && error.message.includes(`lock user "ada"`))
      assert.strictEqual(yield* KeyedLock.size(keyed), 0)
    }))
})

describe("size", () => {
  it.effect("counts the keys that are held or waited for, and no others are kept", () =>
    Effect.gen(function*() {
      const { hold, keyed } = yield* setUp
      for (let n = 0; n < 10_000; n++) yield* KeyedLock.withLock(keyed, `key ${n}`, Effect.void)
      assert.strictEqual(yield* KeyedLock.size(keyed), 0)
      const holder = yield* hold("ada", "holder")
      const waiter = yield* hold("ada", "waiter")
      const other = yield* hold("bob", "other")
      assert.strictEqual(yield* KeyedLock.size(keyed), 2)
      yield* holder.letGo
      assert.strictEqual(yield* KeyedLock.size(keyed), 2)
      yield* waiter.letGo
      yield* other.letGo
      assert.strictEqual(yield* KeyedLock.size(keyed), 0)
    }))
})

describe("what people see of a keyed lock", () => {
  it.effect("a waiter is listed with the name and the key", () =>
    Effect.gen(function*() {
      const keyed = yield* KeyedLock.make<string | number | object>({ name: "account" })
      for (const [key, what] of [[7, "7"], ["ada", `"ada"`], [{ id: 7 }, `{"id":7}`]] as const) {
        const holder = yield* start(KeyedLock.withLock(keyed, key, Effect.never))
        const waiter = yield* start(KeyedLock.withLock(keyed, key, Effect.void))
        const waits = WaitList.values().filter((wait) => wait.fiber === waiter).map((wait) => wait.describe().what)
        assert.deepStrictEqual(waits, [`lock account ${what}, held by fiber ${holder.id}`])
        yield* Fiber.interruptAll([waiter, holder])
      }
    }))
})
