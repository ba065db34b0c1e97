import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import * as WaitList from "../src/internal/WaitList.ts"
import * as Scheduler from "../src/Scheduler.ts"
import * as Timer from "../src/Timer.ts"
import * as Tracer from "../src/Tracer.ts"

interface Report {
  readonly cause: string
  readonly origin: Tracer.Origin
}

/** Runs with a scope, and a tracer that collects what it is given. */
const withTracer = <A, E, R>(f: (reports: Array<Report>) => Effect.Effect<A, E, R>) =>
  Effect.suspend(() => {
    const reports: Array<Report> = []
    const tracer = Tracer.layer((cause, origin) =>
      Effect.sync(() => reports.push({ cause: String(Cause.squash(cause)), origin }))
    )
    return Effect.scoped(Effect.provide(f(reports), tracer))
  })

/** Writes down the time. */
const timeTo = (times: Array<number>) =>
  Effect.clockWith((clock) => Effect.sync(() => times.push(clock.currentTimeMillisUnsafe())))

/** A Clock that jumps, as time does for a worker that computes. `wake` wakes all sleepers, due or not. */
const jumpingClock = () => {
  const state = { now: 0 }
  const sleepers = new Map<() => void, number>()
  const nanos = () => BigInt(Math.round(state.now * 1_000_000))
  const clock: Clock.Clock = {
    currentTimeMillisUnsafe: () => state.now,
    currentTimeMillis: Effect.sync(() => state.now),
    currentTimeNanosUnsafe: nanos,
    currentTimeNanos: Effect.sync(nanos),
    monotonicTimeNanosUnsafe: nanos,
    monotonicTimeNanos: Effect.sync(nanos),
    sleep: (duration) =>
      Effect.callback<void>((resume) => {
        const wake = () => {
          sleepers.delete(wake)
          resume(Effect.void)
        }
        sleepers.set(wake, state.now + Duration.toMillis(duration))
        return Effect.sync(() => sleepers.delete(wake))
      })
  }
  const wakeUntil = (time: number) =>
    Effect.andThen(
      Effect.sync(() => {
        for (const [wake, due] of [...sleepers]) if (due <= time) wake()
      }),
      Scheduler.turn
    )
  const jump = (to: number) => Effect.suspend(() => wakeUntil(state.now = to))
  return { clock, jump, wake: wakeUntil(Infinity) }
}

const isDone = (fiber: Fiber.Fiber<unknown, unknown>) => fiber.pollUnsafe() !== undefined

describe("a timer", () => {
  it.effect("runs after the delay and then at intervals of it, by the Clock", () =>
    withTracer(() =>
      Effect.gen(function*() {
        const times: Array<number> = []
        yield* Timer.make(timeTo(times), "10 millis")
        yield* TestClock.adjust("9 millis")
        assert.deepStrictEqual(times, [])
        yield* TestClock.adjust("31 millis")
        assert.deepStrictEqual(times, [10, 20, 30, 40])
      })
    ))

  it.effect("that is oneshot runs once, and leaves nothing behind in its scope", () =>
    withTracer(() =>
      Effect.gen(function*() {
        const times: Array<number> = []
        const scope = yield* Scope.make()
        yield* Scope.provide(Timer.make(timeTo(times), "10 millis", { oneshot: true }), scope)
        assert.strictEqual(scope.state._tag, "Open")
        yield* TestClock.adjust("1 hour")
        assert.deepStrictEqual(times, [10])
        assert.strictEqual(scope.state._tag, "Empty")
      })
    ))

  // Kore counts an interval from the start of the run before it: 10, 65, 76, 87 after one run of 55 ms.
  it.effect("kore §9: does not drift, and leaves out what falls into a run", () =>
    withTracer(() =>
      Effect.gen(function*() {
        const times: Array<number> = []
        const slowOnce = Effect.andThen(
          timeTo(times),
          Effect.suspend(() => times.length === 1 ? Effect.sleep("55 millis") : Effect.void)
        )
        yield* Timer.make(slowOnce, "10 millis")
        yield* TestClock.adjust("100 millis")
        assert.deepStrictEqual(times, [10, 70, 80, 90, 100])
      })
    ))

  it.effect("runs at once when a run ends at the very time of the next", () =>
    withTracer(() =>
      Effect.gen(function*() {
        const times: Array<number> = []
        yield* Timer.make(Effect.andThen(timeTo(times), Effect.sleep("10 millis")), "10 millis")
        yield* TestClock.adjust("40 millis")
        assert.deepStrictEqual(times, [10, 20, 30, 40])
      })
    ))

  it.effect("runs once for all the times that passed while the worker was busy, and is on time again then", () =>
    withTracer(() =>
      Effect.gen(function*() {
        const { clock, jump } = jumpingClock()
        const times: Array<number> = []
        yield* Effect.provideService(Timer.make(timeTo(times), "10 millis"), Clock.Clock, clock)
        for (const time of [37, 39, 40, 65, 70]) yield* jump(time)
        assert.deepStrictEqual(times, [37, 40, 65, 70])
      })
    ))

  it.effect("runs no earlier than it is due when the Clock wakes it early", () =>
    withTracer(() =>
      Effect.gen(function*() {
        const { clock, jump, wake } = jumpingClock()
        const times: Array<number> = []
        yield* Effect.provideService(Timer.make(timeTo(times), "10 millis"), Clock.Clock, clock)
        yield* jump(9.6)
        yield* wake
        assert.deepStrictEqual(times, [])
        yield* jump(11)
        assert.deepStrictEqual(times, [11])
      })
    ))

  it.effect("does not run twice at once, even when its effect waits", () =>
    withTracer(() =>
      Effect.gen(function*() {
        const inside = { count: 0, most: 0, runs: 0 }
        const run = Effect.acquireUseRelease(
          Effect.sync(() => {
            inside.runs++
            inside.most = Math.max(inside.most, ++inside.count)
          }),
          () => Effect.sleep("25 millis"),
          () => Effect.sync(() => inside.count--)
        )
        yield* Timer.make(run, "10 millis")
        yield* TestClock.adjust("1 second")
        assert.strictEqual(inside.most, 1)
        assert.strictEqual(inside.runs, 34)
      })
    ))

  it.effect("kore §9: rounds a fraction of a millisecond up, and runs no earlier", () =>
    withTracer(() =>
      Effect.gen(function*() {
        const times: Array<number> = []
        yield* Timer.make(timeTo(times), "1500 micros")
        yield* TestClock.adjust("6 millis")
        assert.deepStrictEqual(times, [2, 4, 6])
      })
    ))

  it.effect("kore §9: timers that are due at the same time run in the order of their making", () =>
    withTracer(() =>
      Effect.gen(function*() {
        const order: Array<string> = []
        const slow = Effect.andThen(Effect.sync(() => order.push("a")), Effect.sleep("4 millis"))
        yield* Timer.make(slow, "10 millis")
        yield* Timer.make(Effect.sync(() => order.push("b")), "5 millis")
        yield* Timer.make(Effect.sync(() => order.push("c")), "10 millis")
        yield* TestClock.adjust("20 millis")
        assert.deepStrictEqual(order, ["b", "a", "b", "c", "b", "a", "b", "c"])
      })
    ))

  it.effect("a timer made later that is due earlier is not kept waiting by the others", () =>
    withTracer(() =>
      Effect.gen(function*() {
        const times: Array<number> = []
        yield* Timer.make(Effect.void, "1 hour")
        yield* Timer.make(timeTo(times), "5 millis", { oneshot: true })
        yield* TestClock.adjust("5 millis")
        assert.deepStrictEqual(times, [5])
      })
    ))

  it.effect("kore §9: two timers without an interval run once per turn each, and everybody else gets their turn", () =>
    withTracer(() =>
      Effect.gen(function*() {
        const runs: Array<string> = []
        const turns = { count: 0 }
        const first = yield* Timer.make(Effect.sync(() => runs.push("a")), 0)
        const second = yield* Timer.make(Effect.sync(() => runs.push("b")), "0 millis")
        const turn = Effect.callback<void>((resume) => {
          setImmediate(() => {
            turns.count++
            resume(Effect.void)
          })
        })
        while (runs.length < 20) yield* turn
        yield* Timer.close(first)
        yield* Timer.close(second)
        assert.deepStrictEqual(runs.slice(0, 6), ["a", "b", "a", "b", "a", "b"])
        assert.isAtLeast(turns.count, 9)
      })
    ))

  it.effect("a oneshot without delay waits for a turn and not for the Clock", () =>
    withTracer(() =>
      Effect.gen(function*() {
        const done = yield* Deferred.make<void>()
        yield* Timer.make(Deferred.succeed(done, undefined), 0, { oneshot: true })
        assert.isFalse(yield* Deferred.isDone(done))
        yield* Deferred.await(done)
      })
    ))

  for (const delay of [-1, "-1 hour", Number.NaN, Infinity, "-0.5 millis"] as const) {
    it.effect(`kore §9: a delay of ${delay} is refused`, () =>
      withTracer(() =>
        Effect.gen(function*() {
          const exit = yield* Effect.exit(Timer.make(Effect.void, delay, { name: "tick" }))
          const error = Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined
          assert.isTrue(error instanceof RangeError && error.message.includes("The timer tick got the delay"))
        })
      ))
  }

  it.effect("kore §9: a failure is reported with the timer's name, and the next run comes all the same", () =>
    withTracer((reports) =>
      Effect.gen(function*() {
        const times: Array<number> = []
        const run = Effect.andThen(
          timeTo(times),
          Effect.suspend(() => times.length === 1 ? Effect.fail("oops") : Effect.die("crash"))
        )
        const timer = yield* Timer.make(run, "10 millis", { name: "sweep" })
        const nameless = yield* Timer.make(Effect.fail("no name"), "25 millis")
        yield* TestClock.adjust("30 millis")
        assert.deepStrictEqual(times, [10, 20, 30])
        const origin = { kind: "timer", name: "sweep", id: timer.id }
        assert.deepStrictEqual(reports, [
          { cause: "oops", origin },
          { cause: "crash", origin },
          { cause: "no name", origin: { kind: "timer", name: `timer-${nameless.id}`, id: nameless.id } },
          { cause: "crash", origin }
        ])
      })
    ))

  it.effect("an effect that interrupts itself is not reported, and the next run comes all the same", () =>
    withTracer((reports) =>
      Effect.gen(function*() {
        const times: Array<number> = []
        yield* Timer.make(Effect.andThen(timeTo(times), Effect.interrupt), "10 millis")
        yield* TestClock.adjust("20 millis")
        assert.deepStrictEqual(times, [10, 20])
        assert.deepStrictEqual(reports, [])
      })
    ))

  it.effect("each run has the services of the maker, and a scope of its own", () =>
    withTracer(() => {
      class User extends Context.Service<User, string>()("test/Timer/User") {}
      return Effect.gen(function*() {
        const events: Array<string> = []
        const run = Effect.gen(function*() {
          const user = yield* User
          yield* Effect.addFinalizer(() => Effect.sync(() => events.push(`${user} left`)))
          events.push(`${user} came`)
        })
        yield* Timer.make(run, "10 millis")
        yield* TestClock.adjust("20 millis")
        assert.deepStrictEqual(events, ["ada came", "ada left", "ada came", "ada left"])
      }).pipe(Effect.provideService(User, "ada"))
    }))

  it.effect("says what it waits for, and nothing once it is closed", () =>
    withTracer(() =>
      Effect.gen(function*() {
        const waits = () =>
          WaitList.values().filter((wait) => wait.describe().kind === "timer").map((wait) => wait.describe().what)
        const timer = yield* Timer.make(Effect.void, "10 millis", { name: "sweep" })
        assert.deepStrictEqual(waits(), ["the next run of timer sweep"])
        yield* Timer.close(timer)
        assert.deepStrictEqual(waits(), [])
      })
    ))
})

describe("the scope of a timer", () => {
  it.effect("ends it", () =>
    withTracer(() =>
      Effect.gen(function*() {
        const times: Array<number> = []
        yield* Effect.scoped(Effect.andThen(Timer.make(timeTo(times), "10 millis"), TestClock.adjust("10 millis")))
        yield* TestClock.adjust("1 hour")
        assert.deepStrictEqual(times, [10])
      })
    ))

  it.effect("interrupts a run, and waits for its finalizers", () =>
    withTracer((reports) =>
      Effect.gen(function*() {
        const events: Array<string> = []
        const run = Effect.ensuring(
          Effect.never,
          Effect.andThen(Effect.sleep("1 second"), Effect.sync(() => events.push("cleaned up")))
        )
        const scope = yield* Scope.make()
        yield* Scope.provide(Timer.make(run, "10 millis"), scope)
        yield* TestClock.adjust("10 millis")
        const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void), { startImmediately: true })
        assert.isFalse(isDone(closing))
        yield* TestClock.adjust("1 second")
        yield* Fiber.join(closing)
        assert.deepStrictEqual(events, ["cleaned up"])
        assert.deepStrictEqual(reports, [])
      })
    ))

  it.effect("a finalizer of a run that fails when the scope ends is reported", () =>
    withTracer((reports) =>
      Effect.gen(function*() {
        const scope = yield* Scope.make()
        const run = Effect.ensuring(Effect.never, Effect.die("finalizer"))
        const timer = yield* Scope.provide(Timer.make(run, "10 millis", { name: "sweep" }), scope)
        yield* TestClock.adjust("10 millis")
        yield* Scope.close(scope, Exit.void)
        assert.deepStrictEqual(reports, [
          { cause: "finalizer", origin: { kind: "timer", name: "sweep", id: timer.id } }
        ])
      })
    ))

  it.effect("that is closed already lets nothing run", () =>
    withTracer(() =>
      Effect.gen(function*() {
        const times: Array<number> = []
        const scope = yield* Scope.make()
        yield* Scope.close(scope, Exit.void)
        yield* Scope.provide(Timer.make(timeTo(times), "10 millis"), scope)
        yield* TestClock.adjust("1 hour")
        assert.deepStrictEqual(times, [])
      })
    ))

  it.effect("can be closed by a run", () =>
    withTracer(() =>
      Effect.gen(function*() {
        const times: Array<number> = []
        const scope = yield* Scope.make()
        yield* Scope.provide(Timer.make(Effect.andThen(timeTo(times), Scope.close(scope, Exit.void)), "10 millis"),
          scope)
        yield* TestClock.adjust("1 hour")
        assert.deepStrictEqual(times, [10])
      })
    ))

  it.effect("nothing is left of a fiber that was interrupted while it made timers", () =>
    withTracer(() =>
      Effect.gen(function*() {
        const times: Array<number> = []
        const maker = yield* Effect.forkChild(
          Effect.scoped(Effect.forever(Effect.andThen(Timer.make(timeTo(times), "10 millis"), Effect.yieldNow)))
        )
        for (let n = 0; n < 10; n++) yield* Effect.yieldNow
        yield* Fiber.interrupt(maker)
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(times, [])
      })
    ))
})

describe("close", () => {
  it.effect("ends the timer; closing it again, or after it has run, is no error", () =>
    withTracer(() =>
      Effect.gen(function*() {
        const times: Array<number> = []
        const timer = yield* Timer.make(timeTo(times), "10 millis")
        const once = yield* Timer.make(timeTo(times), "10 millis", { oneshot: true })
        yield* TestClock.adjust("10 millis")
        yield* Timer.close(timer)
        yield* Timer.close(timer)
        yield* Timer.close(once)
        yield* TestClock.adjust("1 hour")
        assert.deepStrictEqual(times, [10, 10])
      })
    ))

  it.effect("waits for a run, which it leaves alone, and so does a second one", () =>
    withTracer(() =>
      Effect.gen(function*() {
        const events: Array<string> = []
        const run = Effect.andThen(Effect.sleep("1 second"), Effect.sync(() => events.push("done")))
        const timer = yield* Timer.make(run, "10 millis")
        yield* TestClock.adjust("10 millis")
        const closing = yield* Effect.forkChild(Timer.close(timer), { startImmediately: true })
        const again = yield* Effect.forkChild(Timer.close(timer), { startImmediately: true })
        assert.isFalse(isDone(closing) || isDone(again))
        yield* TestClock.adjust("1 second")
        yield* Fiber.joinAll([closing, again])
        yield* TestClock.adjust("1 hour")
        assert.deepStrictEqual(events, ["done"])
      })
    ))

  it.effect("interrupted while it waits leaves the run alone", () =>
    withTracer(() =>
      Effect.gen(function*() {
        const events: Array<string> = []
        const run = Effect.andThen(Effect.sleep("1 second"), Effect.sync(() => events.push("done")))
        const timer = yield* Timer.make(run, "10 millis")
        yield* TestClock.adjust("10 millis")
        yield* Fiber.interrupt(yield* Effect.forkChild(Timer.close(timer), { startImmediately: true }))
        yield* TestClock.adjust("1 hour")
        assert.deepStrictEqual(events, ["done"])
      })
    ))

  it.effect("kore §9: works inside of the timer's own effect, which goes on to its end", () =>
    withTracer(() =>
      Effect.gen(function*() {
        const events: Array<string> = []
        const own = yield* Deferred.make<Timer.Timer>()
        const run = Effect.gen(function*() {
          yield* Timer.close(yield* Deferred.await(own))
          yield* Effect.sleep("1 second")
          events.push("done")
        })
        yield* Deferred.succeed(own, yield* Timer.make(run, "10 millis"))
        yield* TestClock.adjust("1 hour")
        assert.deepStrictEqual(events, ["done"])
      })
    ))

  it.effect("works in a fiber that the timer's effect waits for", () =>
    withTracer(() =>
      Effect.gen(function*() {
        const events: Array<string> = []
        const own = yield* Deferred.make<Timer.Timer>()
        const close = Effect.flatMap(Deferred.await(own), Timer.close)
        const run = Effect.andThen(
          Effect.flatMap(Effect.forkChild(close), Fiber.join),
          Effect.sync(() => events.push("done"))
        )
        yield* Deferred.succeed(own, yield* Timer.make(run, "10 millis"))
        yield* TestClock.adjust("1 hour")
        assert.deepStrictEqual(events, ["done"])
      })
    ))

  it.effect("kore §9: a timer closed by another one that is due at the same time does not run", () =>
    withTracer(() =>
      Effect.gen(function*() {
        const ran: Array<string> = []
        const victim = yield* Deferred.make<Timer.Timer>()
        const close = Effect.flatMap(Deferred.await(victim), Timer.close)
        yield* Timer.make(Effect.andThen(Effect.sync(() => ran.push("first")), close), "10 millis", { oneshot: true })
        const second = yield* Timer.make(Effect.sync(() => ran.push("second")), "10 millis")
        yield* Deferred.succeed(victim, second)
        yield* TestClock.adjust("1 hour")
        assert.deepStrictEqual(ran, ["first"])
      })
    ))
})

describe("makeUnsafe and closeUnsafe", () => {
  it.effect("start and end a timer from plain code", () =>
    withTracer(() =>
      Effect.gen(function*() {
        const times: Array<number> = []
        const context = yield* Effect.context<Scope.Scope | Tracer.Tracer>()
        const timer = Timer.makeUnsafe(context, timeTo(times), "10 millis", { name: "plain" })
        assert.strictEqual(timer.name, "plain")
        yield* TestClock.adjust("20 millis")
        Timer.closeUnsafe(timer)
        Timer.closeUnsafe(timer)
        yield* TestClock.adjust("1 hour")
        assert.deepStrictEqual(times, [10, 20])
        assert.throws(() => Timer.makeUnsafe(context, Effect.void, -1), RangeError)
      })
    ))

  it.effect("closeUnsafe does not wait for a run, and lets it go on", () =>
    withTracer(() =>
      Effect.gen(function*() {
        const events: Array<string> = []
        const run = Effect.andThen(Effect.sleep("1 second"), Effect.sync(() => events.push("done")))
        const timer = yield* Timer.make(run, "10 millis")
        yield* TestClock.adjust("10 millis")
        Timer.closeUnsafe(timer)
        yield* TestClock.adjust("1 hour")
        assert.deepStrictEqual(events, ["done"])
      })
    ))

  it.live("a closed timer keeps no timer of Node", () =>
    withTracer(() =>
      Effect.gen(function*() {
        const timers = () => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length
        const before = timers()
        const timer = yield* Timer.make(Effect.void, "1 hour")
        assert.strictEqual(timers(), before + 1)
        yield* Timer.close(timer)
        assert.strictEqual(timers(), before)
      })
    ))
})
