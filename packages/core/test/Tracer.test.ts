import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as References from "effect/References"
import * as TestClock from "effect/testing/TestClock"
import * as Tracer from "../src/Tracer.ts"

interface Line {
  readonly level: string
  readonly message: string
  readonly annotations: Readonly<Record<string, unknown>>
  readonly cause: string
}

/** Runs with loggers that collect lines. */
const logged = <A, E, R>(f: (lines: Array<Line>) => Effect.Effect<A, E, R>) =>
  Effect.suspend(() => {
    const lines: Array<Line> = []
    const logger = Logger.make<unknown, void>(({ cause, fiber, logLevel, message }) => {
      const annotations = fiber.getRef(References.CurrentLogAnnotations)
      lines.push({ level: logLevel, message: String(message), annotations, cause: Cause.pretty(cause) })
    })
    return Effect.provide(f(lines), Logger.layer([logger]))
  })

const origin: Tracer.Origin = { kind: "task", name: "welcome", id: 7, details: { user: "ada" } }
const boom = Cause.die(new Error("boom"))

describe("the default tracer", () => {
  it.effect("logs one line at level Error with the cause, the origin and its details", () =>
    logged((lines) =>
      Effect.gen(function*() {
        yield* Tracer.report(boom, origin)
        assert.strictEqual(lines.length, 1)
        const line = lines[0]!
        assert.strictEqual(line.level, "Error")
        assert.strictEqual(line.message, "task welcome (7) failed")
        assert.deepStrictEqual(line.annotations, { user: "ada" })
        assert.include(line.cause, "boom")
      }).pipe(Effect.provide(Tracer.layerDefault))
    ))

  it.effect("has written the line when reportUnsafe returns", () =>
    logged((lines) =>
      Effect.gen(function*() {
        const tracer = yield* Tracer.Tracer
        const fiber = yield* Effect.forkChild(Effect.die("from a fiber"), { startImmediately: true })
        fiber.addObserver((exit) => {
          if (exit._tag === "Failure") tracer.reportUnsafe(exit.cause, origin)
        })
        assert.strictEqual(lines.length, 1)
      }).pipe(Effect.provide(Tracer.layerDefault))
    ))

  it.effect("says nothing about interruptions, but reports a failure among them", () =>
    logged((lines) =>
      Effect.gen(function*() {
        yield* Tracer.report(Cause.interrupt(1), origin)
        yield* Tracer.report(Cause.combine(Cause.interrupt(1), Cause.interrupt(2)), origin)
        assert.strictEqual(lines.length, 0)
        yield* Tracer.report(Cause.combine(Cause.interrupt(1), Cause.fail("finalizer")), origin)
        assert.strictEqual(lines.length, 1)
      }).pipe(Effect.provide(Tracer.layerDefault))
    ))

  it.effect("a Logger that throws does not reach the caller", () =>
    Effect.gen(function*() {
      const tracer = yield* Tracer.Tracer
      const before = console.error
      const printed: Array<string> = []
      console.error = (...args: Array<unknown>) => printed.push(args.join(" "))
      tracer.reportUnsafe(boom, origin)
      console.error = before
      assert.strictEqual(printed.length, 1)
      assert.include(printed[0], "boom")
    }).pipe(
      Effect.provide(Layer.provide(
        Tracer.layerDefault,
        Logger.layer([Logger.make(() => {
          throw new Error("full disk")
        })])
      ))
    ))
})

describe("a tracer of one's own", () => {
  it.effect("gets each cause and origin once, with its own services, and nothing is logged", () =>
    logged((lines) => {
      const seen: Array<readonly [Cause.Cause<unknown>, Tracer.Origin, string]> = []
      const Name = Context.Reference<string>("test/Name", { defaultValue: () => "nobody" })
      const tracer = Tracer.layer((cause, from) =>
        Effect.flatMap(Name, (name) => Effect.sync(() => seen.push([cause, from, name])))
      ).pipe(Layer.provide(Layer.succeed(Name, "ada")))
      return Effect.gen(function*() {
        yield* Tracer.report(boom, origin)
        yield* Tracer.report(Cause.interrupt(1), origin)
        assert.deepStrictEqual(seen, [[boom, origin, "ada"]])
        assert.deepStrictEqual(lines, [])
      }).pipe(Effect.provide(tracer))
    }))

  const failures: Record<string, Tracer.Report> = {
    fails: () => Effect.fail("tracer down"),
    dies: () => Effect.die("tracer down"),
    throws: () => {
      throw new Error("tracer down")
    },
    "fails late": () => Effect.andThen(Effect.yieldNow, Effect.fail("tracer down"))
  }
  for (const [how, report] of Object.entries(failures)) {
    it.effect(`that ${how} leaves the original in the log, and its own failure behind it`, () =>
      logged((lines) =>
        Effect.gen(function*() {
          yield* Tracer.report(boom, origin)
          assert.strictEqual(lines.length, 2)
          assert.include(lines[0]!.cause, "boom")
          assert.strictEqual(lines[0]!.message, "task welcome (7) failed")
          assert.include(lines[1]!.cause, "tracer down")
          assert.match(lines[1]!.message, /^tracer task welcome \(7\) \(\d+\) failed$/)
        }).pipe(Effect.provide(Tracer.layer(report)))
      ))
  }

  it.effect("is waited for by report, and goes on when the caller does not wait", () =>
    logged((lines) =>
      Effect.gen(function*() {
        const gate = yield* Deferred.make<void>()
        const done: Array<Tracer.Origin> = []
        const slow: Tracer.Report = (_, from) =>
          Effect.andThen(Deferred.await(gate), Effect.sync(() => done.push(from)))
        yield* Effect.gen(function*() {
          const caller = yield* Effect.forkChild(Tracer.report(boom, origin), { startImmediately: true })
          yield* Fiber.interrupt(caller)
          const waiting = yield* Effect.forkChild(Tracer.report(boom, origin), { startImmediately: true })
          yield* Deferred.succeed(gate, undefined)
          yield* Fiber.join(waiting)
          assert.strictEqual(done.length, 2)
        }).pipe(Effect.provide(Tracer.layer(slow)))
        assert.deepStrictEqual(lines, [])
      })
    ))

  it.effect("has a second at the end; then its report is cut short and the original goes to the log", () =>
    logged((lines) =>
      Effect.gen(function*() {
        const end = yield* Effect.forkChild(
          Effect.gen(function*() {
            const tracer = yield* Tracer.Tracer
            tracer.reportUnsafe(boom, origin)
          }).pipe(Effect.provide(Tracer.layer(() => Effect.never)))
        )
        yield* TestClock.adjust("999 millis")
        assert.strictEqual(lines.length, 0)
        yield* TestClock.adjust("1 millis")
        yield* Fiber.join(end)
        assert.strictEqual(lines.length, 2)
        assert.include(lines[0]!.cause, "boom")
      })
    ))
})
