import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { kore } from "kore-fx/legacy"
import { inWorker, notes, reported, run, turn, untilWaiting, untyped } from "./TestApp.ts"

/** Waits for the milliseconds and gives their number. */
function* after(millis: number) {
  yield kore.suspend(millis)
  return millis
}

describe("kore.gather", () => {
  it.effect("gives results in the order of the arguments, with an exception in the place of the one that threw it", () =>
    Effect.gen(function*() {
      const gathering = yield* Effect.forkChild(run(async () =>
        await kore.gather(
          after(30),
          async () => {
            await kore.suspend(10)
            throw new TypeError("no")
          },
          async () => "async",
          () => "plain",
          Effect.succeed("effect"),
          () => {
            throw "no Error"
          },
          Effect.interrupt
        )
      ))
      yield* untilWaiting("gather")
      yield* TestClock.adjust("30 millis")
      const [first, error, asynchronous, plain, effect, noError, killed] = yield* Fiber.join(gathering)
      assert.deepStrictEqual([first, asynchronous, plain, effect], [30, "async", "plain", "effect"])
      assert.instanceOf(error, TypeError)
      assert.instanceOf(noError, kore.RuntimeError)
      assert.strictEqual((noError as Error).cause, "no Error")
      assert.instanceOf(killed, kore.Killed)
      assert.deepStrictEqual(yield* reported, [])
    }).pipe(inWorker))

  it.effect("kore §7: of nothing it is nothing, without waiting", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* run(async () => await kore.gather()), [])
      assert.deepStrictEqual(yield* kore.gather({ concurrency: 3 }), [])
    }).pipe(inWorker))

  it.effect("concurrency is how many run at a time, in a sliding window", () =>
    Effect.gen(function*() {
      const { note, seen } = notes()
      let running = 0
      const child = (name: string, millis: number) => async () => {
        note(name)
        running++
        assert.isAtMost(running, 2)
        await kore.suspend(millis)
        running--
        return name
      }
      const gathering = yield* Effect.forkChild(run(async () =>
        await kore.gather(child("a", 100), child("b", 10), child("c", 10), child("d", 10), { concurrency: 2 })
      ))
      yield* untilWaiting("gather")
      for (let i = 0; i < 3; i++) {
        yield* TestClock.adjust("10 millis")
        yield* turn
      }
      // kore §7: there the third would begin after the first has ended.
      assert.deepStrictEqual(seen, ["a", "b", "c", "d"])
      yield* TestClock.adjust("70 millis")
      assert.deepStrictEqual(yield* Fiber.join(gathering), ["a", "b", "c", "d"])
    }).pipe(inWorker))

  it("kore §7: a concurrency below one is an exception, and nothing starts", () => {
    const { note, seen } = notes()
    for (const concurrency of [0, -1, 1.5, NaN, "2", true, null]) {
      assert.throws(
        () => untyped.gather(() => note("begun"), { concurrency }),
        kore.RuntimeError,
        /kore.gather got the concurrency .+, expected a whole number from 1/
      )
    }
    assert.deepStrictEqual(seen, [])
  })

  it("kore §7: an unknown keyword is an exception that names those there are", () => {
    assert.throws(
      () => untyped.gather(() => {}, { concurency: 2 }),
      kore.RuntimeError,
      "kore.gather has no keyword \"concurency\": did you mean \"concurrency\"? It has concurrency"
    )
  })

  it.effect("kore §7: takes awaitables and Effects beside coroutines", () =>
    Effect.gen(function*() {
      const queue = kore.queue<string>()
      queue.push("item")
      const results = yield* run(async () => await kore.gather(queue.pop(), kore.suspend(0), Effect.succeed(1)))
      assert.deepStrictEqual(results, ["item", undefined, 1])
    }).pipe(inWorker))

  it.effect("kore §7: a bad argument is an exception that names its place, and nothing starts", () =>
    Effect.gen(function*() {
      const { note, seen } = notes()
      const refused = (...args: Array<unknown>) => {
        try {
          untyped.gather(() => note("begun"), ...args)
        } catch (error) {
          assert.instanceOf(error, kore.RuntimeError)
          return (error as Error).message
        }
        throw new Error("nothing was thrown")
      }
      assert.match(refused(7),
        /^kore.gather \(argument 2\) got 7, expected a function, a generator object or an Effect$/)
      assert.match(refused(null, () => {}), /^kore.gather \(argument 2\) got null/)
      assert.match(refused({ concurrency: 1 }, () => {}), /^kore.gather \(argument 2\) got a value of Object/)
      assert.match(refused([() => {}]), /^kore.gather \(argument 2\) got a value of Array/)
      assert.match(refused(Promise.resolve(1)), /^kore.gather \(argument 2\) got a Promise: it has already started/)
      yield* turn
      assert.deepStrictEqual(seen, [])
    }).pipe(inWorker))

  it.effect("kore §7: nothing starts before it is awaited", () =>
    Effect.gen(function*() {
      const { note, seen } = notes()
      const gathering = kore.gather(() => note("begun"))
      yield* turn
      assert.deepStrictEqual(seen, [])
      yield* run(async () => await gathering)
      assert.deepStrictEqual(seen, ["begun"])
    }).pipe(inWorker))

  it.effect("kore §7: awaited twice it runs twice, but for generators, which are spent", () =>
    Effect.gen(function*() {
      let count = 0
      const gathering = kore.gather(() => ++count, after(0))
      assert.deepStrictEqual(yield* run(async () => await gathering), [1, 0])
      const [second, spent] = yield* run(async () => await gathering)
      assert.strictEqual(second, 2)
      assert.instanceOf(spent, kore.RuntimeError)
      assert.match(String(spent), /: a coroutine of kore.gather got a generator that has run already/)
    }).pipe(inWorker))

  it("kore §7: the same generator twice is refused", () => {
    const generator = after(1)
    assert.throws(
      () => kore.gather(generator, () => 1, generator),
      kore.RuntimeError,
      "kore.gather (argument 3) got a generator for the second time: each runs once, so make another one"
    )
  })

  it.effect("kore §7: works within itself", () =>
    Effect.gen(function*() {
      const results = yield* run(async () => await kore.gather(kore.gather(() => 1, () => 2), () => 3))
      assert.deepStrictEqual(results, [[1, 2], 3])
    }).pipe(inWorker))

  it.effect("its coroutines exclude each other from a lock, and give back what they took", () =>
    Effect.gen(function*() {
      const { note, seen } = notes()
      const lock = kore.lock()
      const child = (name: string) => async () => {
        await lock.acquire()
        note(`${name} in`)
        await kore.suspend(0)
        note(`${name} out`)
      }
      yield* run(async () => await kore.gather(child("a"), child("b"), child("c")))
      assert.deepStrictEqual(seen, ["a in", "a out", "b in", "b out", "c in", "c out"])
      assert.isTrue(lock.trylock())
    }).pipe(inWorker))

  it.effect("its coroutines have the id of the task that awaits", () =>
    Effect.gen(function*() {
      const [own, id] = yield* run(async () => {
        const [id] = await kore.gather(() => kore.task_id())
        return [kore.task_id(), id] as const
      })
      assert.strictEqual(id, own)
    }).pipe(inWorker))
})
