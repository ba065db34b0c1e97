import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as EffectScheduler from "effect/Scheduler"
import * as Spawner from "../../src/process/Spawner.ts"
import { budgets, withBudget } from "../Interleaving.ts"

/** After a yield a fiber goes on so much later that a process has ended meanwhile. */
const slowly = Effect.provideService(
  EffectScheduler.Scheduler,
  new EffectScheduler.MixedScheduler("async", (f) => {
    const timer = setTimeout(f, 100)
    return () => clearTimeout(timer)
  })
)

const spawn = (file: string, budget: number) =>
  Spawner.make({ file, execArgv: [], args: [], env: {} }, []).spawn(1).pipe(withBudget(budget), slowly)

describe("a worker process", () => {
  it.live("that ends at once is missed at no step of its start: neither its end nor that of its channel", () =>
    Effect.forEach(budgets, (budget) =>
      Effect.gen(function*() {
        const child = yield* spawn("/bin/true", budget)
        const ended = { _tag: "Ended" as const, code: 0, signal: null }
        assert.deepStrictEqual(yield* child.ended, ended)
        assert.deepStrictEqual(yield* Effect.flip(child.receive), ended)
      }), { concurrency: 8, discard: true }))

  it.live("that cannot be started is an error at every step of its start, and nothing else", () =>
    Effect.forEach(budgets, (budget) =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(spawn("/no/such/program", budget))
        assert.include(error.message, "its process could not be started: spawn /no/such/program ENOENT")
      }), { concurrency: 8, discard: true }))
})
