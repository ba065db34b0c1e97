import { assert, beforeEach, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import { Kore } from "kore-fx"
import { kore, reset, toApp } from "kore-fx/legacy"
import { inWorker, notes, reported, routes, Said, start, turn, until, untyped } from "./TestApp.ts"

beforeEach(reset)

/** Lets time pass, in steps of a millisecond. */
const pass = (millis: number) =>
  Effect.repeat(Effect.andThen(TestClock.adjust("1 millis"), Effect.yieldNow), { times: millis - 1 })

describe("kore.timer", () => {
  it.effect("kore.timer calls its method every delay milliseconds, or once with TIMER_ONESHOT", () =>
    Effect.gen(function*() {
      const { note, seen } = notes()
      kore.timer(() => note("interval"), 10, 0)
      kore.timer(() => note("once"), 15, kore.TIMER_ONESHOT)
      yield* pass(9)
      assert.deepStrictEqual(seen, [])
      yield* pass(1)
      assert.deepStrictEqual(seen, ["interval"])
      yield* pass(30)
      assert.deepStrictEqual(seen, ["interval", "once", "interval", "interval", "interval"])
    }).pipe(inWorker))

  it.effect("the method gets data, and nothing without it", () =>
    Effect.gen(function*() {
      const { seen, note } = notes()
      kore.timer((...args) => note(args), 1, kore.TIMER_ONESHOT)
      kore.timer((data) => note(data), 2, kore.TIMER_ONESHOT, { data: { some: "thing" } })
      kore.timer((...args) => note(args), 3, kore.TIMER_ONESHOT, { data: undefined })
      yield* pass(3)
      assert.deepStrictEqual(seen, [[], { some: "thing" }, [undefined]])
    }).pipe(inWorker))

  it.effect("close returns true, also again, inside the own method and after the last run", () =>
    Effect.gen(function*() {
      const { note, seen } = notes()
      const own = kore.timer(() => {
        note(own.close())
        note("goes on")
      }, 10, 0)
      const other = kore.timer(() => note("other"), 10, 0)
      const once = kore.timer(() => note("once"), 10, kore.TIMER_ONESHOT)
      yield* pass(10)
      assert.deepStrictEqual(seen, [true, "goes on", "other", "once"])
      assert.deepStrictEqual([other.close(), other.close(), own.close(), once.close()], [true, true, true, true])
      yield* pass(100)
      assert.strictEqual(seen.length, 4)
    }).pipe(inWorker))

  it.effect("kore §9: one that is closed by another one in the same turn does not run", () =>
    Effect.gen(function*() {
      const { note, seen } = notes()
      kore.timer(() => {
        note("first")
        second.close()
      }, 10, kore.TIMER_ONESHOT)
      const second = kore.timer(() => note("second"), 10, kore.TIMER_ONESHOT)
      yield* pass(20)
      assert.deepStrictEqual(seen, ["first"])
    }).pipe(inWorker))

  it.effect("kore §2.2: the method of a timer may be async, and suspend, take locks and pop queues", () =>
    Effect.gen(function*() {
      const { note, seen } = notes()
      const lock = kore.lock()
      const queue = kore.queue<string>()
      queue.push("item")
      kore.timer(async () => {
        await using _ = await lock.acquire()
        await kore.suspend(5)
        note(await queue.pop())
      }, 10, kore.TIMER_ONESHOT)
      kore.timer(function*() {
        yield lock.acquire()
        yield kore.suspend(1)
        note("generator")
      }, 11, kore.TIMER_ONESHOT)
      yield* pass(15)
      yield* until(() => seen.length === 1)
      yield* pass(1)
      yield* until(() => seen.length === 2)
      assert.deepStrictEqual(seen, ["item", "generator"])
      // What a run takes comes back at its end.
      yield* until(() => lock.trylock())
    }).pipe(inWorker))

  it.effect("kore §9: calls do not overlap, and the interval does not drift", () =>
    Effect.gen(function*() {
      const { note, seen } = notes()
      let now = 0
      kore.timer(async () => {
        const begun = now
        note(`at ${begun}`)
        if (begun === 10) await kore.suspend(25)
      }, 10, 0)
      for (now = 1; now <= 50; now++) {
        yield* pass(1)
        yield* turn
      }
      assert.deepStrictEqual(seen, ["at 10", "at 40", "at 50"])
    }).pipe(inWorker))

  it("kore §9: a negative delay is an exception", () => {
    for (const delay of [-1, NaN, Infinity, "5", null, undefined]) {
      for (const flags of [0, kore.TIMER_ONESHOT]) {
        assert.throws(() => untyped.timer(() => {}, delay, flags), kore.RuntimeError, "kore.timer got the delay")
      }
    }
  })

  it.effect("kore §9: an interval of 0 is an exception, and a oneshot timer of 0 runs on the next turn", () =>
    Effect.gen(function*() {
      const { note, seen } = notes()
      assert.throws(() => kore.timer(() => {}, 0, 0), kore.RuntimeError, "expected a number of milliseconds above 0")
      kore.timer(() => note("ran"), 0, kore.TIMER_ONESHOT)
      assert.deepStrictEqual(seen, [])
      yield* until(() => seen.length === 1)
    }).pipe(inWorker))

  it("kore §9: a method that is no function is an exception at the call", () => {
    for (const method of [undefined, null, "tick", {}, Promise.resolve()]) {
      assert.throws(() => untyped.timer(method, 1, 0), kore.RuntimeError, /kore.timer got .+, expected a function/)
    }
  })

  it("kore §9: other flags are exceptions, and unknown keywords too", () => {
    for (const flags of [2, 3, -1, true, "0", null, undefined]) {
      assert.throws(() => untyped.timer(() => {}, 1, flags), kore.RuntimeError, "expected 0 or kore.TIMER_ONESHOT")
    }
    assert.throws(() => untyped.timer(() => {}, 1, 0, { date: 1 }), kore.RuntimeError, "did you mean \"data\"?")
  })

  it.effect("reports what its method throws, and goes on", () =>
    Effect.gen(function*() {
      const { reports } = yield* Said
      kore.timer(function sweep() {
        throw new Error("no broom")
      }, 10, 0)
      yield* pass(20)
      yield* until(() => reports.length === 2)
      assert.deepStrictEqual(yield* reported, ["Error: no broom", "Error: no broom"])
      assert.deepStrictEqual([reports[0]!.origin.kind, reports[0]!.origin.name], ["timer", "sweep"])
    }).pipe(inWorker))

  it.effect("kore §9: is no task: there is no task_id, and task_create works", () =>
    Effect.gen(function*() {
      const { note, seen } = notes()
      kore.timer(() => {
        try {
          kore.task_id()
        } catch (error) {
          note((error as Error).name)
        }
        kore.task_create(() => note("task"))
      }, 1, kore.TIMER_ONESHOT)
      yield* pass(1)
      yield* until(() => seen.length === 2)
      assert.deepStrictEqual(seen, ["RuntimeError", "task"])
    }).pipe(inWorker))

  it.effect("created at import or in configure runs in the worker, with the app as this, unless it was closed", () => {
    const { note, seen } = notes()
    const app = {
      name: "Ada",
      configure() {
        routes(() => {}).configure()
        kore.timer(this.tick, 10, kore.TIMER_ONESHOT)
        kore.timer(() => note("never"), 10, kore.TIMER_ONESHOT).close()
      },
      tick() {
        note(this.name)
      }
    }
    kore.timer(() => note("import"), 10, kore.TIMER_ONESHOT)
    return Effect.gen(function*() {
      yield* pass(10)
      assert.deepStrictEqual(seen, ["import", "Ada"])
    }).pipe(Effect.provide(Layer.unwrap(Effect.map(toApp(app), (app) => Kore.test(app)))))
  })

  it.effect("ends with the worker, which interrupts a call and waits for its finally block", () =>
    Effect.gen(function*() {
      const { note, seen } = notes()
      yield* Effect.scoped(Effect.gen(function*() {
        kore.timer(() => note("tick"), 10, 0)
        kore.timer(async () => {
          try {
            await kore.suspend(1e9)
          } finally {
            await kore.suspend(0)
            note("clean")
          }
        }, 10, kore.TIMER_ONESHOT)
        yield* pass(10)
        yield* turn
      }).pipe(Effect.provide(start({ ...routes(() => {}), workerstop: () => note("workerstop") }))))
      assert.deepStrictEqual(seen, ["tick", "clean", "workerstop"])
      yield* TestClock.adjust("1 second")
      assert.strictEqual(seen.length, 3)
    }))

  it.effect("needs a worker once the app has started", () =>
    Effect.gen(function*() {
      reset()
      yield* toApp({ configure: routes(() => {}).configure })
      assert.throws(() => kore.timer(() => {}, 1, 0), kore.RuntimeError,
        "kore.timer needs a worker, and none runs here")
    }))
})
