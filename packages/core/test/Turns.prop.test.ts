import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as EffectScheduler from "effect/Scheduler"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import * as Turns from "../src/Turns.ts"

const small = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

const describeWait = () => ({ kind: "test", what: "an item" })
const deadline = { after: "3 millis", error: () => new Cause.TimeoutError("late") } as const

class Refused extends Data.TaggedError("Refused") {}

/** Items that come by themselves, and their turns; a refusal is what the next one who asks is told. */
class Source {
  next = 0
  readonly items: Array<number> = []
  refusals = 0
  readonly turns = Turns.makeUnsafe<Refused>({
    isReady: () => this.items.length > 0 || this.refusals > 0,
    isError: (thrown) => thrown instanceof Refused
  })

  add(): void {
    this.items.push(this.next++)
    Turns.signal(this.turns)
  }

  refuse(): void {
    this.refusals++
    Turns.signal(this.turns)
  }

  readonly step = (): number => {
    if (this.refusals > 0) {
      this.refusals--
      throw new Refused()
    }
    return this.items.shift() ?? Turns.miss()
  }
}

describe("Turns", () => {
  it.effect.prop(
    "everything that is taken arrives, in order, wherever a fiber yields, fails, is late or is interrupted",
    {
      budgets: Schema.Array(Schema.Tuple([small(2, 30), Schema.Boolean])).check(
        Schema.isMinLength(1),
        Schema.isMaxLength(8)
      ),
      steps: Schema.Array(
        Schema.Tuple([Schema.Literals(["add", "refuse", "interrupt", "turn", "time"]), small(0, 7)])
      ).check(Schema.isMaxLength(40))
    },
    ({ budgets, steps }) =>
      Effect.gen(function*() {
        const source = new Source()
        const arrived: Array<number> = []
        const taking = (hasDeadline: boolean) =>
          Effect.map(
            Turns.take(source.turns, source.step, {
              describe: describeWait,
              deadline: hasDeadline ? deadline : undefined
            }),
            (item) => arrived.push(item)
          )
        const fibers = yield* Effect.forEach(budgets, ([budget, hasDeadline]) =>
          Effect.forkChild(
            Effect.provideService(
              Effect.forever(Effect.ignore(taking(hasDeadline))),
              EffectScheduler.MaxOpsBeforeYield,
              budget
            )
          ))
        for (const [what, n] of steps) {
          if (what === "add") { for (let i = 0; i < n; i++) source.add() }
          else if (what === "refuse") source.refuse()
          else if (what === "interrupt") fibers[n % fibers.length]!.interruptUnsafe()
          else if (what === "time") yield* TestClock.adjust(n)
          else for (let i = 0; i < n; i++) yield* Effect.yieldNow
        }
        for (const fiber of fibers) yield* Fiber.interrupt(fiber)
        // Whoever comes now is served with the rest: nobody who left holds the line up.
        source.add()
        while (source.items.length > 0) yield* Effect.ignore(taking(false))
        assert.deepStrictEqual(arrived, Array.from({ length: source.next }, (_, n) => n))
        assert.strictEqual(source.refusals, 0)
      }),
    { arbitrary: { runs: 1000 } }
  )

  it.effect.prop(
    "fibers take in the order of asking, whoever leaves or is late",
    { askers: Schema.Array(Schema.Literals(["stays", "leaves", "late"])).check(Schema.isMaxLength(12)) },
    ({ askers }) =>
      Effect.gen(function*() {
        const source = new Source()
        const served: Array<number> = []
        const ask = (n: number, how: string) =>
          Effect.map(
            Turns.take(source.turns, source.step, {
              describe: describeWait,
              deadline: how === "late" ? deadline : undefined
            }),
            () => served.push(n)
          )
        const fibers = yield* Effect.forEach(askers,
          (how, n) => Effect.forkChild(ask(n, how), { startImmediately: true }))
        for (const [n, how] of askers.entries()) if (how === "leaves") yield* Fiber.interrupt(fibers[n]!)
        yield* TestClock.adjust(deadline.after)
        for (const [n, how] of askers.entries()) {
          if (how !== "late") continue
          const exit = yield* Fiber.await(fibers[n]!)
          assert.isTrue(Exit.isFailure(exit) && Cause.isTimeoutError(Cause.squash(exit.cause)))
        }
        const staying = [...askers.keys()].filter((n) => askers[n] === "stays")
        for (const _ of staying) source.add()
        for (const n of staying) yield* Fiber.join(fibers[n]!)
        assert.deepStrictEqual(served, staying)
      }),
    { arbitrary: { runs: 1000 } }
  )
})
