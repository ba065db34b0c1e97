import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as TestClock from "effect/testing/TestClock"
import * as Gather from "../src/Gather.ts"
import * as WaitList from "../src/internal/WaitList.ts"
import * as Task from "../src/Task.ts"
import * as Tracer from "../src/Tracer.ts"

const start = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.forkChild(effect, { startImmediately: true })
const isDone = (fiber: Fiber.Fiber<unknown, unknown>) => fiber.pollUnsafe() !== undefined

// The first sleep by a TestClock can be interrupted where no other one can, in a finalizer.
const clockInUse = TestClock.adjust(0)

/** Children that end when they are let go, in whatever order. */
const gated = (count: number) => {
  const begun: Array<number> = []
  const ended: Array<number> = []
  const gates = Array.from({ length: count }, () => Deferred.makeUnsafe<number, string>())
  const children = gates.map((gate, n) =>
    Effect.onExit(
      Effect.suspend(() => {
        begun.push(n)
        return Deferred.await(gate)
      }),
      () => Effect.sync(() => ended.push(n))
    )
  )
  const end = (n: number, exit: Exit.Exit<number, string> = Exit.succeed(n)) => Deferred.done(gates[n]!, exit)
  return { begun, children, end, ended }
}

describe("gather", () => {
  it.effect("kore §7: gives results in the order of the effects, not in that of their ends", () =>
    Effect.gen(function*() {
      const { children, end } = gated(3)
      const fiber = yield* start(Gather.gather(children))
      for (const n of [2, 0, 1]) yield* end(n)
      assert.deepStrictEqual(yield* Fiber.join(fiber), [0, 1, 2].map(Exit.succeed))
    }))

  it.effect("a failure and a defect are values in their place, and the others go on", () =>
    Effect.gen(function*() {
      const exits = yield* Gather.gather([
        Effect.fail("no"),
        Effect.succeed(1),
        Effect.die("oops"),
        Effect.delay(Effect.succeed(2), 0)
      ])
      assert.deepStrictEqual<unknown>(exits, [Exit.fail("no"), Exit.succeed(1), Exit.die("oops"), Exit.succeed(2)])
    }))

  it.effect("an effect that throws is a defect in its place", () =>
    Effect.gen(function*() {
      const error = new Error("thrown")
      const throwing = Effect.suspend((): Effect.Effect<void> => {
        throw error
      })
      assert.deepStrictEqual<unknown>(yield* Gather.gather([throwing, Effect.void]), [Exit.die(error), Exit.void])
    }))

  // There the gather never completes, or the worker dies.
  it.effect("kore §2.5: the interruption of a child by somebody else is a value in its place", () =>
    Effect.gen(function*() {
      const children: Array<Fiber.Fiber<unknown, unknown>> = []
      const child = Effect.withFiber((fiber) => {
        children.push(fiber)
        return Effect.never
      })
      const fiber = yield* start(Gather.gather([child, Effect.succeed(1), child]))
      yield* Effect.forEach(children, Fiber.interrupt)
      const exits = yield* Fiber.join(fiber)
      assert.deepStrictEqual(exits.map(Exit.hasInterrupts), [true, false, true])
    }))

  it.effect("of nothing gives nothing, without suspending", () =>
    Effect.gen(function*() {
      const fiber = yield* start(Gather.gather([]))
      assert.deepStrictEqual<unknown>(fiber.pollUnsafe(), Exit.succeed([]))
    }))

  it.effect("does not suspend for effects that do not", () =>
    Effect.gen(function*() {
      const fiber = yield* start(Gather.gather([1, 2, 3].map(Effect.succeed), { concurrency: 1 }))
      assert.deepStrictEqual(fiber.pollUnsafe(), Exit.succeed([1, 2, 3].map(Exit.succeed)))
    }))

  it.effect("takes any Iterable", () =>
    Effect.gen(function*() {
      const exits = yield* Gather.gather(new Set([Effect.succeed(1), Effect.succeed(2)]))
      assert.deepStrictEqual(exits, [Exit.succeed(1), Exit.succeed(2)])
    }))

  it.effect("kore §7: the same effect twice runs twice", () =>
    Effect.gen(function*() {
      let count = 0
      const effect = Effect.sync(() => ++count)
      assert.deepStrictEqual(yield* Gather.gather([effect, effect]), [Exit.succeed(1), Exit.succeed(2)])
    }))

  it.effect("nests", () =>
    Effect.gen(function*() {
      const inner = Gather.gather([Effect.delay(Effect.succeed(1), "1 second"), Effect.fail("no")])
      const fiber = yield* start(Gather.gather([inner, inner], { concurrency: 1 }))
      yield* TestClock.adjust("2 seconds")
      const expected = Exit.succeed([Exit.succeed(1), Exit.fail("no")])
      assert.deepStrictEqual<unknown>(yield* Fiber.join(fiber), [expected, expected])
    }))

  it.effect("children have the services of the caller", () => {
    class User extends Context.Service<User, string>()("test/Gather/User") {}
    return Effect.gen(function*() {
      assert.deepStrictEqual(yield* Gather.gather([Effect.asSome(User)]), [Exit.succeed(Option.some("ada"))])
    }).pipe(Effect.provideService(User, "ada"))
  })

  it.effect("children have the task of the caller", () =>
    Effect.gen(function*() {
      const waiting = Effect.andThen(Effect.yieldNow, Task.currentId)
      const task = yield* Task.create(Gather.gather([Task.currentId, waiting, waiting], { concurrency: 1 }))
      const own = Exit.succeed(Option.some(task.id))
      assert.deepStrictEqual(yield* task.await, Exit.succeed<any>([own, own, own]))
    }).pipe(Effect.provide(Layer.provide(Task.Tasks.layer, Tracer.layerDefault))))

  it.effect("in a region that cannot be interrupted the children cannot be either, as with Effect.all", () =>
    Effect.gen(function*() {
      const events: Array<string> = []
      const slow = Effect.andThen(Effect.sleep("1 second"), Effect.sync(() => events.push("committed")))
      const commit = Effect.uninterruptible(Gather.gather([slow, Effect.fail("no")], { mode: "failFast" }))
      const fiber = yield* Effect.forkChild(Effect.exit(commit), { startImmediately: true })
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* Fiber.join(fiber), Exit.fail("no"))
      assert.deepStrictEqual(events, ["committed"])
    }))

  it.effect("a child that cannot be interrupted by somebody else still ends", () =>
    Effect.gen(function*() {
      const fiber = yield* start(Gather.gather([Effect.uninterruptible(Effect.sleep("1 second")), Effect.void]))
      fiber.interruptUnsafe()
      assert.isFalse(isDone(fiber))
      yield* TestClock.adjust("1 second")
      assert.isTrue(Exit.hasInterrupts(yield* Fiber.await(fiber)))
    }))

  it.effect("10,000 children that do not wait leave others their turn", () =>
    Effect.gen(function*() {
      let ended = 0
      const seen: Array<number> = []
      const child = Effect.sync(() => {
        ended++
      })
      const fiber = yield* start(Gather.gather(Array.from({ length: 10_000 }, () => child), { concurrency: 3 }))
      while (!isDone(fiber)) {
        yield* Effect.callback<void>((resume) => {
          setImmediate(() => resume(Effect.void))
        })
        seen.push(ended)
      }
      assert.strictEqual(ended, 10_000)
      assert.isAbove(seen.length, 3)
      assert.strictEqual((yield* Fiber.join(fiber)).length, 10_000)
    }))

  it.effect("10,000 children one after the other do not nest", () =>
    Effect.gen(function*() {
      const children = Array.from({ length: 10_000 }, (_, n) => n % 2 === 0 ? Effect.yieldNow : Effect.void)
      assert.strictEqual((yield* Gather.gather(children, { concurrency: 1 })).length, 10_000)
    }))

  it.effect("tells what it waits for, and nothing when it is over", () =>
    Effect.gen(function*() {
      const { children, end } = gated(10)
      const waits = (fiber: Fiber.Fiber<unknown, unknown>) =>
        WaitList.values().filter((wait) => wait.fiber === fiber).map((wait) => wait.describe())
      const fiber = yield* start(Gather.gather(children))
      for (const n of [0, 1, 2]) yield* end(n)
      assert.deepStrictEqual(waits(fiber), [{ kind: "gather", what: "gather, 3 of 10 ended" }])
      yield* Fiber.interrupt(fiber)
      assert.deepStrictEqual(waits(fiber), [])
    }))
})

describe("concurrency", () => {
  // Two at a time there are two and then two more: one of 100 ms and four of 10 ms took 120 ms.
  it.effect("kore §7: a child begins as soon as another one has ended", () =>
    Effect.gen(function*() {
      const ended: Array<readonly [number, number]> = []
      const child = (millis: number, n: number) =>
        Effect.andThen(
          Effect.sleep(millis),
          Effect.clockWith((clock) => Effect.sync(() => ended.push([n, clock.currentTimeMillisUnsafe()])))
        )
      const fiber = yield* start(Gather.gather([100, 10, 10, 10, 10].map(child), { concurrency: 2 }))
      yield* TestClock.adjust("100 millis")
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(ended, [[1, 10], [2, 20], [3, 30], [4, 40], [0, 100]])
    }))

  it.effect("children begin in order, and never more than allowed run", () =>
    Effect.gen(function*() {
      const { begun, children, end } = gated(5)
      const fiber = yield* start(Gather.gather(children, { concurrency: 2 }))
      assert.deepStrictEqual(begun, [0, 1])
      yield* end(1)
      assert.deepStrictEqual(begun, [0, 1, 2])
      yield* end(0)
      yield* end(2)
      assert.deepStrictEqual(begun, [0, 1, 2, 3, 4])
      yield* end(3)
      yield* end(4)
      yield* Fiber.join(fiber)
    }))

  it.effect("without it, or when it is more than there are, all begin at once", () =>
    Effect.gen(function*() {
      for (const options of [undefined, {}, { concurrency: 100 }, { concurrency: Infinity }]) {
        const { begun, children } = gated(3)
        const fiber = yield* start(Gather.gather(children, options))
        assert.deepStrictEqual(begun, [0, 1, 2])
        yield* Fiber.interrupt(fiber)
      }
    }))

  it.effect("kore §7: one that is not a whole number from 1 is refused, and nothing begins", () =>
    Effect.gen(function*() {
      for (const concurrency of [0, -1, 1.5, Number.NaN]) {
        const { begun, children } = gated(2)
        const exit = yield* Effect.exit(Gather.gather(children, { concurrency }))
        assert.isTrue(Exit.isFailure(exit) && Cause.squash(exit.cause) instanceof RangeError)
        assert.deepStrictEqual(begun, [])
      }
    }))
})

describe("interrupting the caller", () => {
  it.effect("kore §7: interrupts all children, waits for their finalizers, and begins no other", () =>
    Effect.gen(function*() {
      const events: Array<string> = []
      const child = (name: string) =>
        Effect.ensuring(
          Effect.suspend(() => {
            events.push(`${name} begins`)
            return Effect.never
          }),
          Effect.andThen(Effect.sleep("1 second"), Effect.sync(() => events.push(`${name} cleaned up`)))
        )
      yield* clockInUse
      const fiber = yield* start(Gather.gather(["a", "b", "c"].map(child), { concurrency: 2 }))
      fiber.interruptUnsafe()
      yield* TestClock.adjust("999 millis")
      assert.isFalse(isDone(fiber))
      yield* TestClock.adjust("1 millis")
      assert.isTrue(Exit.hasInterrupts(yield* Fiber.await(fiber)))
      assert.deepStrictEqual(events, ["a begins", "b begins", "a cleaned up", "b cleaned up"])
    }))

  it.effect("keeps what a finalizer of a child dies of", () =>
    Effect.gen(function*() {
      const child = Effect.ensuring(Effect.never, Effect.die("finalizer"))
      const fiber = yield* start(Gather.gather([child, Effect.never]))
      yield* Fiber.interrupt(fiber)
      const exit = yield* Fiber.await(fiber)
      const reasons = Exit.isFailure(exit) ? exit.cause.reasons : []
      assert.deepStrictEqual(
        reasons.filter(Cause.isDieReason).map((reason) => reason.defect),
        ["finalizer"]
      )
      assert.isTrue(Exit.hasInterrupts(exit))
    }))

  it.effect("works from inside of a child", () =>
    Effect.gen(function*() {
      const ended: Array<string> = []
      const caller = yield* Deferred.make<Fiber.Fiber<unknown>>()
      const killer = Effect.flatMap(Deferred.await(caller), (fiber) => Effect.sync(() => fiber.interruptUnsafe()))
      const other = Effect.onExit(Effect.never, () => Effect.sync(() => ended.push("other")))
      const fiber = yield* start(Gather.gather([other, killer, other], { concurrency: 2 }))
      yield* Deferred.succeed(caller, fiber)
      assert.isTrue(Exit.hasInterrupts(yield* Fiber.await(fiber)))
      assert.deepStrictEqual(ended, ["other"])
    }))

  it.effect("a gather in an uninterruptible region runs to its end", () =>
    Effect.gen(function*() {
      const { children, end } = gated(2)
      const fiber = yield* start(Effect.uninterruptible(Effect.exit(Gather.gather(children))))
      fiber.interruptUnsafe()
      yield* end(0)
      assert.isFalse(isDone(fiber))
      yield* end(1)
      assert.isDefined(fiber.pollUnsafe())
    }))
})

describe("failFast", () => {
  it.effect("gives plain values when nothing fails", () =>
    Effect.gen(function*() {
      const values = yield* Gather.gather([Effect.succeed("ada"), Effect.succeed(3)], { mode: "failFast" })
      const [name, count] = values
      assert.strictEqual(`${name.toUpperCase()} ${count.toFixed(1)}`, "ADA 3.0")
      assert.deepStrictEqual<unknown>(yield* Gather.gather([], { mode: "failFast" }), [])
    }))

  it.effect("fails with the first failure once the others have ended, and begins no other", () =>
    Effect.gen(function*() {
      const { begun, children, end, ended } = gated(4)
      const fiber = yield* start(Gather.gather(children, { mode: "failFast", concurrency: 3 }))
      yield* end(1, Exit.fail("no"))
      assert.deepStrictEqual(yield* Fiber.await(fiber), Exit.fail("no"))
      assert.deepStrictEqual(begun, [0, 1, 2])
      assert.deepStrictEqual(ended, [1, 0, 2])
    }))

  it.effect("waits for the finalizers of those that it interrupts, and keeps what they die of", () =>
    Effect.gen(function*() {
      yield* clockInUse
      const slow = Effect.ensuring(Effect.never, Effect.andThen(Effect.sleep("1 second"), Effect.die("finalizer")))
      const fiber = yield* start(Gather.gather([slow, Effect.fail("no")], { mode: "failFast" }))
      assert.isFalse(isDone(fiber))
      yield* TestClock.adjust("1 second")
      const exit = yield* Fiber.await(fiber)
      assert.deepStrictEqual<unknown>(exit, Exit.failCause(Cause.combine(Cause.fail("no"), Cause.die("finalizer"))))
    }))

  it.effect("a defect, and the interruption of a child by somebody else, are failures too", () =>
    Effect.gen(function*() {
      const died = yield* Effect.exit(Gather.gather([Effect.die("oops"), Effect.never], { mode: "failFast" }))
      assert.deepStrictEqual(died, Exit.die("oops"))
      const children: Array<Fiber.Fiber<unknown, unknown>> = []
      const child = Effect.withFiber((fiber) => {
        children.push(fiber)
        return Effect.never
      })
      const fiber = yield* start(Gather.gather([child, child], { mode: "failFast" }))
      children[1]!.interruptUnsafe()
      assert.isTrue(Exit.hasInterrupts(yield* Fiber.await(fiber)))
      assert.isTrue(children.every(isDone))
    }))

  it.effect("a child that begins inside of one that fails is interrupted as well", () =>
    Effect.gen(function*() {
      const { children, end } = gated(2)
      const failing = Effect.andThen(end(0, Exit.fail("no")), Effect.never)
      const fiber = yield* start(Gather.gather([children[0]!, failing, children[1]!], { mode: "failFast" }))
      assert.deepStrictEqual(yield* Fiber.await(fiber), Exit.fail("no"))
    }))
})
