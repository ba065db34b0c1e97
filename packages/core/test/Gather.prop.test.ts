import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as Gather from "../src/Gather.ts"
import * as Scheduler from "../src/Scheduler.ts"
import { Budget, onScheduler, SchedulerName, turns, Which, withBudget } from "./Interleaving.ts"
import { runs } from "./laws.ts"

const Few = Schema.Literals([0, 1, 2, 3])

/** A child waits for some turns, ends in some way, and takes some turns to clean up. */
const Child = Schema.Struct({
  turns: Few,
  ending: Schema.Literals(["succeed", "succeed", "fail", "die", "interrupt"]),
  cleanUp: Few
})

const Children = Schema.Array(Child).check(Schema.isMaxLength(16))

const Concurrency = Schema.Literals([1, 2, 3, 5, 100, "all"])

const options = (concurrency: typeof Concurrency.Type) => concurrency === "all" ? {} : { concurrency }

const expected = (ending: (typeof Child.Type)["ending"], n: number): Exit.Exit<number, string> => {
  switch (ending) {
    case "succeed":
      return Exit.succeed(n)
    case "fail":
      return Exit.fail(`${n}`)
    case "die":
      return Exit.die(n)
    case "interrupt":
      return Exit.interrupt()
  }
}

/** Children that tell what they do. */
const observed = (children: ReadonlyArray<typeof Child.Type>) => {
  const begun: Array<number> = []
  const ended: Array<number> = []
  const running = { now: 0, most: 0 }
  const effects = children.map(({ cleanUp, ending, turns: count }, n) =>
    Effect.suspend(() => {
      begun.push(n)
      running.most = Math.max(running.most, ++running.now)
      return Effect.onExit(
        Effect.andThen(turns(count), expected(ending, n)),
        () =>
          Effect.andThen(
            turns(cleanUp),
            Effect.sync(() => {
              running.now--
              ended.push(n)
            })
          )
      )
    })
  )
  return { begun, effects, ended, running }
}

const ascending = (values: ReadonlyArray<number>) => [...values].sort((a, b) => a - b)

/** As two Exits are the same for people: who interrupted does not matter. */
const summary = (exit: Exit.Exit<unknown, unknown>): string =>
  Exit.isSuccess(exit) ? `${String(exit.value)}` : exit.cause.reasons.map((reason) =>
    Cause.isInterruptReason(reason) ? "interrupt" : String(Cause.isFailReason(reason) ? reason.error : reason.defect)
  ).join()

describe("laws of gather", () => {
  it.effect.prop(
    "results stand where their effects stood, all begin in order, and never more run than allowed",
    { children: Children, concurrency: Concurrency, budget: Budget, scheduler: SchedulerName },
    ({ budget, children, concurrency, scheduler }) =>
      onScheduler(scheduler)(withBudget(budget)(Effect.gen(function*() {
        const { begun, effects, ended, running } = observed(children)
        const exits = yield* Gather.gather(effects, options(concurrency))
        const expectedExits = children.map(({ ending }, n) => summary(expected(ending, n)))
        assert.deepStrictEqual(exits.map(summary), expectedExits)
        assert.deepStrictEqual(begun, children.map((_, n) => n))
        assert.deepStrictEqual(ascending(ended), begun)
        assert.strictEqual(running.now, 0)
        assert.isAtMost(running.most, concurrency === "all" ? Infinity : concurrency)
      }))),
    { arbitrary: { runs, size: 60 } }
  )

  it.effect.prop(
    "the slots are never empty while there are children that have not begun",
    { children: Children, concurrency: Schema.Literals([1, 2, 3, 5]) },
    ({ children, concurrency }) =>
      onScheduler("worker")(Effect.gen(function*() {
        const { begun, effects, ended, running } = observed(children.map((child) => ({ ...child, turns: 3 as const })))
        const fiber = yield* Effect.forkChild(Gather.gather(effects, { concurrency }), { startImmediately: true })
        while (fiber.pollUnsafe() === undefined) {
          assert.strictEqual(running.now, Math.min(concurrency, children.length - ended.length))
          assert.strictEqual(begun.length, Math.min(children.length, ended.length + concurrency))
          yield* Scheduler.turn
        }
      })),
    { arbitrary: { runs, size: 60 } }
  )

  it.effect.prop(
    "interrupted at any moment it leaves nothing that runs, and begins nothing any more",
    {
      children: Children,
      concurrency: Concurrency,
      mode: Schema.Literals(["collect", "failFast"]),
      wait: Which,
      budget: Budget,
      scheduler: SchedulerName
    },
    ({ budget, children, concurrency, mode, scheduler, wait }) =>
      onScheduler(scheduler)(Effect.gen(function*() {
        const { begun, effects, ended, running } = observed(children)
        const gather: Effect.Effect<unknown, unknown> = mode === "collect"
          ? Gather.gather(effects, options(concurrency))
          : Gather.gather(effects, { ...options(concurrency), mode: "failFast" })
        const fiber: Fiber.Fiber<unknown, unknown> = yield* Effect.forkChild(withBudget(budget)(gather))
        yield* turns(wait)
        const hadEnded = fiber.pollUnsafe() !== undefined
        const before = begun.length
        fiber.interruptUnsafe()
        for (let n = 0; n < 200 && fiber.pollUnsafe() === undefined; n++) yield* Scheduler.turn
        assert.isDefined(fiber.pollUnsafe())
        assert.strictEqual(running.now, 0)
        assert.deepStrictEqual(ascending(ended), ascending(begun))
        if (!hadEnded) assert.strictEqual(begun.length, before)
        const count = begun.length
        yield* turns(4)
        assert.strictEqual(begun.length, count)
      })),
    { arbitrary: { runs, size: 60 } }
  )

  it.effect.prop(
    "failing fast it gives all values, or the failure of one of them when nothing runs any more",
    { children: Children, concurrency: Concurrency, budget: Budget, scheduler: SchedulerName },
    ({ budget, children, concurrency, scheduler }) =>
      onScheduler(scheduler)(withBudget(budget)(Effect.gen(function*() {
        const { begun, effects, ended, running } = observed(children)
        const exit = yield* Effect.exit(Gather.gather(effects, { ...options(concurrency), mode: "failFast" }))
        assert.strictEqual(running.now, 0)
        assert.deepStrictEqual(ascending(ended), begun)
        const failing = children.flatMap(({ ending }, n) => ending === "succeed" ? [] : [summary(expected(ending, n))])
        if (Exit.isSuccess(exit)) assert.deepStrictEqual([failing, exit.value], [[], children.map((_, n) => n)])
        else assert.include(failing, summary(Exit.failCause(Cause.fromReasons(exit.cause.reasons.slice(0, 1)))))
      }))),
    { arbitrary: { runs, size: 60 } }
  )
})
