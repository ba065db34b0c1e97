import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as KeyedLock from "../src/KeyedLock.ts"
import * as Scheduler from "../src/Scheduler.ts"
import { Budget, onScheduler, SchedulerName, turns, Which, withBudget } from "./Interleaving.ts"
import { runs } from "./laws.ts"

const Key = Schema.Literals(["a", "b", "c"])

const Step = Schema.Union([
  Schema.Struct({ do: Schema.Literal("ask"), key: Key }),
  // The fiber that holds the key ends its work.
  Schema.Struct({ do: Schema.Literal("letGo"), key: Key }),
  // One of those that asked for the key and have not ended, which may be about to run; from the oldest.
  Schema.Struct({ do: Schema.Literal("interrupt"), key: Key, which: Which })
])

interface Asker {
  readonly fiber: Fiber.Fiber<unknown, unknown>
  readonly gate: Deferred.Deferred<void>
  readonly state: { isInside: boolean }
}

describe("laws of a keyed lock", () => {
  it.effect.prop(
    "each key is held by the one that asked first of those that have not ended, whatever the other keys do, and a key " +
      "that nobody asks for is not kept",
    { steps: Schema.Array(Step).check(Schema.isMaxLength(40)), scheduler: SchedulerName },
    ({ scheduler, steps }) =>
      onScheduler(scheduler)(Effect.gen(function*() {
        const keyed = yield* KeyedLock.make<string>()
        const lines = new Map<string, Array<Asker>>([["a", []], ["b", []], ["c", []]])
        const agrees = Effect.gen(function*() {
          yield* turns(3)
          const busy = [...lines.values()].filter((line) => line.length > 0)
          assert.strictEqual(yield* KeyedLock.size(keyed), busy.length)
          for (const line of lines.values()) {
            for (const [place, { state }] of line.entries()) assert.strictEqual(state.isInside, place === 0)
          }
        })
        const ask = Effect.fnUntraced(function*(key: string) {
          const gate = yield* Deferred.make<void>()
          const state = { isInside: false }
          const enter = Effect.suspend(() => {
            state.isInside = true
            return Deferred.await(gate)
          })
          const fiber = yield* Effect.forkChild(KeyedLock.withLock(keyed, key, enter), { startImmediately: true })
          lines.get(key)!.push({ fiber, gate, state })
        })
        for (const step of steps) {
          const line = lines.get(step.key)!
          if (step.do === "ask") yield* ask(step.key)
          else if (step.do === "letGo") {
            const holder = line.shift()
            if (holder !== undefined) yield* Deferred.succeed(holder.gate, undefined)
          } else {
            const [victim] = line.splice(step.which % Math.max(1, line.length), 1)
            victim?.fiber.interruptUnsafe()
          }
          yield* agrees
        }
        for (const line of lines.values()) for (const { fiber } of line.splice(0)) fiber.interruptUnsafe()
        yield* agrees
      })),
    { arbitrary: { runs, size: 60 } }
  )

  it.effect.prop(
    "one fiber at a time is inside of a key, and nothing is left, wherever a fiber yields or is interrupted",
    {
      workers: Schema.Array(Schema.Struct({ budget: Budget, key: Key })).check(Schema.isMaxLength(8)),
      interrupts: Schema.Array(Schema.Tuple([Which, Which])).check(Schema.isMaxLength(20)),
      scheduler: SchedulerName
    },
    ({ interrupts, scheduler, workers }) =>
      onScheduler(scheduler)(Effect.gen(function*() {
        const keyed = yield* KeyedLock.make<string>()
        const inside = new Map<string, number>()
        let most = 0
        const work = (key: string) =>
          Effect.suspend(() => {
            let here = 0
            const count = (change: number) => {
              const now = (inside.get(key) ?? 0) + change
              inside.set(key, now)
              most = Math.max(most, now)
            }
            const enter = Effect.suspend(() => {
              count(here = 1)
              return Effect.yieldNow
            })
            return Effect.ensuring(enter, Effect.sync(() => count(-here)))
          })
        const fibers: Array<Fiber.Fiber<unknown, unknown>> = []
        for (const { budget, key } of workers) {
          const how = KeyedLock.withLock(keyed, key, work(key))
          fibers.push(yield* Effect.forkChild(withBudget(budget)(Effect.replicateEffect(how, 12))))
        }
        for (const [which, wait] of interrupts) {
          yield* turns(wait)
          fibers[which % Math.max(1, fibers.length)]?.interruptUnsafe()
        }
        for (let turn = 0; turn < 5000 && fibers.some((fiber) => fiber.pollUnsafe() === undefined); turn++) {
          yield* Scheduler.turn
        }
        for (const fiber of fibers) assert.isDefined(fiber.pollUnsafe())
        assert.isAtMost(most, 1)
        assert.strictEqual(yield* KeyedLock.size(keyed), 0)
      })),
    { arbitrary: { runs, size: 60 } }
  )
})
