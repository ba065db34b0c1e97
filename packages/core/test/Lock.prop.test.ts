import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as WaitList from "../src/internal/WaitList.ts"
import * as Lock from "../src/Lock.ts"
import * as Scheduler from "../src/Scheduler.ts"
import { Budget, onScheduler, SchedulerName, turns, Which, withBudget } from "./Interleaving.ts"
import { runs } from "./laws.ts"

const Step = Schema.Union([
  Schema.Struct({ do: Schema.Literal("ask"), how: Schema.Literals(["withLock", "acquire", "ifAvailable"]) }),
  // The fiber inside ends its work.
  Schema.Struct({ do: Schema.Literal("letGo"), ending: Schema.Literals(["succeed", "die"]) }),
  // One of those that asked and have not ended, which may be about to run; counted from the oldest.
  Schema.Struct({ do: Schema.Literal("interrupt"), which: Which }),
  Schema.Struct({ do: Schema.Literal("settle") })
])

const Steps = Schema.Array(Step).check(Schema.isMaxLength(40))

/** A fiber that asked for the lock. */
class Asker {
  inside = false
  fiber!: Fiber.Fiber<unknown, unknown>
  readonly gate = Deferred.makeUnsafe<void>()
}

const ask = (asker: Asker, lock: Lock.Lock, how: "withLock" | "acquire" | "ifAvailable") => {
  const work = Effect.suspend(() => {
    asker.inside = true
    return Effect.ensuring(
      Deferred.await(asker.gate),
      Effect.sync(() => {
        asker.inside = false
      })
    )
  })
  if (how === "acquire") return Effect.scoped(Effect.andThen(Lock.acquire(lock), work))
  return how === "withLock" ? Lock.withLock(lock, work) : Lock.withLockIfAvailable(lock, work)
}

describe("laws of a lock", () => {
  it.effect.prop(
    "it is held by the one that asked first of those that have neither ended nor been interrupted",
    { steps: Steps, scheduler: SchedulerName },
    ({ scheduler, steps }) =>
      onScheduler(scheduler)(Effect.gen(function*() {
        const lock = yield* Lock.make
        // The first of the line holds the lock, the others wait. `open` have been let go, and end once inside.
        let line: Array<Asker> = []
        const open = new Set<Asker>()
        const agrees = Effect.gen(function*() {
          assert.strictEqual(yield* Lock.waiting(lock), Math.max(0, line.length - 1))
          assert.deepStrictEqual(yield* Lock.holder(lock), Option.fromUndefinedOr(line[0]?.fiber.id))
          const listed = new Set(WaitList.values().map((wait) => wait.fiber))
          for (const [place, { fiber }] of line.entries()) assert.strictEqual(listed.has(fiber), place > 0)
        })
        const everyone: Array<Asker> = []
        const settle = Effect.gen(function*() {
          yield* turns(4)
          while (line.length > 0 && open.has(line[0]!)) line.shift()
          yield* turns(2)
          yield* agrees
          assert.deepStrictEqual(everyone.filter((asker) => asker.inside), line.slice(0, 1))
          for (const asker of everyone) assert.strictEqual(asker.fiber.pollUnsafe() === undefined, line.includes(asker))
        })
        for (const step of steps) {
          switch (step.do) {
            case "ask": {
              const asker = new Asker()
              const available = line.length === 0
              asker.fiber = yield* Effect.forkChild(ask(asker, lock, step.how), { startImmediately: true })
              everyone.push(asker)
              if (available || step.how !== "ifAvailable") line.push(asker)
              yield* agrees
              break
            }
            case "interrupt": {
              const asker = line[step.which % Math.max(1, line.length)]
              if (asker === undefined || open.has(asker)) break
              asker.fiber.interruptUnsafe()
              line = line.filter((other) => other !== asker)
              yield* agrees
              break
            }
            case "letGo": {
              const asker = line[0]
              if (asker === undefined || open.has(asker)) break
              open.add(asker)
              yield* step.ending === "die" ? Deferred.die(asker.gate, "no") : Deferred.succeed(asker.gate, undefined)
              // The holder ends somewhere in the turns that follow; what comes next must not depend on where.
              yield* settle
              break
            }
            case "settle":
              yield* settle
          }
        }
        for (const asker of everyone) {
          open.add(asker)
          yield* Deferred.succeed(asker.gate, undefined)
        }
        yield* turns(2 * everyone.length)
        yield* settle
        assert.deepStrictEqual(line, [])
      })),
    { arbitrary: { runs, size: 60 } }
  )

  it.effect.prop(
    "one fiber at a time is inside, and the lock comes back, wherever a fiber yields or is interrupted",
    {
      budgets: Schema.Array(Budget).check(Schema.isMaxLength(6)),
      interrupts: Schema.Array(Schema.Tuple([Which, Which])).check(Schema.isMaxLength(20)),
      scheduler: SchedulerName
    },
    ({ budgets, interrupts, scheduler }) =>
      onScheduler(scheduler)(Effect.gen(function*() {
        const lock = yield* Lock.make
        const inside = { count: 0, most: 0 }
        // Counting, too, needs its frame first: see `withLock`.
        const work = Effect.suspend(() => {
          let here = 0
          const enter = Effect.suspend(() => {
            inside.count += here = 1
            inside.most = Math.max(inside.most, inside.count)
            return Effect.yieldNow
          })
          return Effect.ensuring(enter, Effect.sync(() => inside.count -= here))
        })
        const fibers: Array<Fiber.Fiber<unknown, unknown>> = []
        for (const [index, budget] of budgets.entries()) {
          const how = [
            Lock.withLock(lock, work),
            Lock.withLockIfAvailable(lock, work),
            Effect.scoped(Effect.andThen(Lock.acquire(lock), work))
          ][index % 3]!
          fibers.push(yield* Effect.forkChild(withBudget(budget)(Effect.replicateEffect(how, 12))))
        }
        for (const [which, wait] of interrupts) {
          yield* turns(wait)
          fibers[which % Math.max(1, fibers.length)]?.interruptUnsafe()
        }
        // Those that were not interrupted come to their end: nobody sleeps beside a free lock.
        for (let turn = 0; turn < 3000 && fibers.some((fiber) => fiber.pollUnsafe() === undefined); turn++) {
          yield* Scheduler.turn
        }
        for (const fiber of fibers) assert.isDefined(fiber.pollUnsafe())
        assert.isAtMost(inside.most, 1)
        assert.strictEqual(inside.count, 0)
        assert.strictEqual(yield* Lock.waiting(lock), 0)
        assert.deepStrictEqual(yield* Lock.holder(lock), Option.none())
      })),
    { arbitrary: { runs, size: 60 } }
  )
})
