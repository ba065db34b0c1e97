import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as EffectScheduler from "effect/Scheduler"
import * as Schema from "effect/Schema"
import * as Line from "../../src/internal/Line.ts"

const small = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

describe("a line", () => {
  it.effect.prop(
    "everything that is taken arrives, in order, wherever a fiber yields or is interrupted",
    {
      budgets: Schema.Array(small(2, 30)).check(Schema.isMinLength(1), Schema.isMaxLength(8)),
      steps: Schema.Array(Schema.Tuple([Schema.Literals(["add", "interrupt", "turn"]), small(0, 7)])).check(
        Schema.isMaxLength(40)
      )
    },
    ({ budgets, steps }) =>
      Effect.gen(function*() {
        const items: Array<number> = []
        const arrived: Array<number> = []
        let next = 0
        const line = new Line.Line<never>(() => items.length > 0 ? true : undefined)
        const add = () => {
          items.push(next++)
          line.advance()
        }
        const take = Effect.map(
          line.take({ take: () => items.shift()!, describe: () => ({ kind: "test", what: "an item" }) }),
          (item) => arrived.push(item)
        )
        const fibers = yield* Effect.forEach(budgets, (budget) =>
          Effect.forkChild(Effect.provideService(Effect.forever(take), EffectScheduler.MaxOpsBeforeYield, budget)))
        for (const [what, n] of steps) {
          if (what === "add") { for (let i = 0; i < n; i++) add() }
          else if (what === "interrupt") fibers[n % fibers.length]!.interruptUnsafe()
          else for (let i = 0; i < n; i++) yield* Effect.yieldNow
        }
        for (const fiber of fibers) yield* Fiber.interrupt(fiber)
        // Whoever comes now is served with the rest: nobody who left holds the line up.
        add()
        while (items.length > 0) yield* take
        assert.deepStrictEqual(arrived, Array.from({ length: next }, (_, n) => n))
      }),
    { arbitrary: { runs: 1000 } }
  )

  it.effect.prop(
    "fibers take in the order of asking, whoever leaves",
    { askers: Schema.Array(Schema.Boolean).check(Schema.isMaxLength(12)) },
    ({ askers }) =>
      Effect.gen(function*() {
        let items = 0
        const served: Array<number> = []
        const line = new Line.Line<never>(() => items > 0 ? true : undefined)
        const ask = (n: number) =>
          Effect.map(line.take({ take: () => items--, describe: () => ({ kind: "test", what: "" }) }),
            () => served.push(n))
        const fibers = yield* Effect.forEach(askers, (_, n) => Effect.forkChild(ask(n), { startImmediately: true }))
        for (const [n, stays] of askers.entries()) if (!stays) yield* Fiber.interrupt(fibers[n]!)
        const staying = [...askers.keys()].filter((n) => askers[n])
        items = staying.length
        line.advance()
        for (const n of staying) yield* Fiber.join(fibers[n]!)
        assert.deepStrictEqual(served, staying)
      }),
    { arbitrary: { runs: 1000 } }
  )
})
