import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Queue from "../src/Queue.ts"
import * as Scheduler from "../src/Scheduler.ts"
import { Budget, onScheduler, SchedulerName, turns, Which, withBudget } from "./Interleaving.ts"
import { runs } from "./laws.ts"
import { type Outcome, QueueModel, type Strategy } from "./QueueModel.ts"

/** So many that it stands for no bound. */
const many = 1000
const bound = (count: number): number => count === many ? Infinity : count

const Shape = Schema.Union([
  Schema.Struct({ strategy: Schema.Literal("suspend"), capacity: Schema.Literals([1, 2, 3, many]) }),
  Schema.Struct({ strategy: Schema.Literals(["dropping", "sliding"]), capacity: Schema.Literals([1, 2, 3]) })
])

const make = ({ capacity, strategy }: typeof Shape.Type) =>
  Queue.make<number, Queue.QueueClosed>(strategy === "suspend" ? { capacity: bound(capacity) } : { capacity, strategy })

// Each as likely as the others, and push twice as likely.
const Step = Schema.Union([
  Schema.Struct({ do: Schema.Literal("push") }),
  Schema.Struct({ do: Schema.Literals(["push"]) }),
  Schema.Struct({ do: Schema.Literal("pop") }),
  Schema.Struct({ do: Schema.Literals(["popNow", "settle"]) }),
  Schema.Struct({ do: Schema.Literal("popUpTo"), max: Schema.Literals([1, 2, 3, many]) }),
  // One of those that have not ended, which may have been handed an item or a place already; from the oldest.
  Schema.Struct({ do: Schema.Literal("interrupt"), which: Which })
])

const Steps = Schema.Array(Step).check(Schema.isMaxLength(60))

/** What an operation came to, in the terms of the model. */
const outcome = (exit: Exit.Exit<Exclude<Outcome, string>, unknown> | undefined): Outcome | undefined => {
  if (exit === undefined) return undefined
  if (exit._tag === "Success") return exit.value
  return exit.cause.reasons.some((reason) => reason._tag === "Fail") ? "closed" : "interrupted"
}

const ascending = (values: ReadonlyArray<number>) => [...values].sort((a, b) => a - b)

describe("laws of a queue", () => {
  it.effect.prop(
    "items and fibers are served in order, and an interruption changes nothing but who is served",
    { steps: Steps, closing: Schema.Array(Steps).check(Schema.isMaxLength(1)), shape: Shape, scheduler: SchedulerName },
    ({ closing, scheduler, shape, steps }) =>
      onScheduler(scheduler)(Effect.gen(function*() {
        const queue = yield* make(shape)
        const model = new QueueModel(bound(shape.capacity), shape.strategy as Strategy)
        const fibers: Array<Fiber.Fiber<Exclude<Outcome, string>, unknown>> = []
        const begin = Effect.fnUntraced(function*(effect: Effect.Effect<Exclude<Outcome, string>, unknown>) {
          fibers.push(yield* Effect.forkChild(effect, { startImmediately: true }))
        })
        const settle = Effect.gen(function*() {
          yield* turns(4 + 2 * fibers.length)
          model.settle()
          for (const [id, fiber] of fibers.entries()) {
            assert.deepStrictEqual(outcome(fiber.pollUnsafe()), model.ended.get(id))
          }
        })
        const take = Effect.fnUntraced(function*(step: typeof Step.Type) {
          const id = fibers.length
          switch (step.do) {
            case "push":
              model.push(id, id)
              yield* begin(Queue.push(queue, id))
              break
            case "pop":
              model.pop(id)
              yield* begin(Queue.pop(queue))
              break
            case "popUpTo":
              model.pop(id, step.max)
              yield* begin(Queue.popUpTo(queue, bound(step.max)))
              break
            case "popNow": {
              const expected = model.items.length > 0 ? Option.some(model.take()) : Option.none()
              assert.deepStrictEqual(yield* Queue.popNow(queue), expected)
              break
            }
            case "interrupt": {
              const pending = model.pending(fibers.length)
              const victim = pending[step.which % Math.max(1, pending.length)]
              if (victim === undefined) break
              model.interrupt(victim)
              fibers[victim]!.interruptUnsafe()
              break
            }
            case "settle":
              yield* settle
          }
          assert.strictEqual(yield* Queue.size(queue), model.items.length)
        })
        yield* Effect.forEach(steps, take)
        for (const steps of closing) {
          model.close()
          assert.isTrue(yield* Queue.close(queue))
          yield* Effect.forEach(steps, take)
        }
        yield* settle
        yield* Effect.forEach(fibers, (fiber) => Effect.sync(() => fiber.interruptUnsafe()))
      })),
    { arbitrary: { runs, size: 60 } }
  )

  it.effect.prop(
    "every item that a push reported comes out once or was dropped for a younger one, no other does, and nobody is " +
      "left waiting, wherever a fiber yields or is interrupted, and whenever the queue is closed",
    {
      budgets: Schema.Array(Budget).check(Schema.isMaxLength(8)),
      interrupts: Schema.Array(Schema.Tuple([Which, Which])).check(Schema.isMaxLength(12)),
      closesAfter: Schema.Literals([0, 1, 3, 6, many]),
      shape: Shape,
      scheduler: SchedulerName
    },
    ({ budgets, closesAfter, interrupts, scheduler, shape }) =>
      onScheduler(scheduler)(Effect.gen(function*() {
        const queue = yield* make(shape)
        const pushed: Array<number> = []
        const popped: Array<number> = []
        let next = 0
        let givenBack = 0
        // What is to be known of an item is written down in the step that carries it on, as the queue itself does.
        const push = Effect.suspend(() => {
          const value = next++
          return Effect.map(Queue.push(queue, value), (isIn) => isIn && pushed.push(value))
        })
        const pop = Effect.map(Queue.pop(queue), (value) => popped.push(value))
        const popSome = Effect.map(Queue.popUpTo(queue, 3), (values) => popped.push(...values))
        const fibers: Array<Fiber.Fiber<unknown, unknown>> = []
        for (const [index, budget] of budgets.entries()) {
          const work = Effect.replicateEffect([push, pop, push, popSome][index % 4]!, 12)
          fibers.push(yield* Effect.forkChild(withBudget(budget)(Effect.exit(work))))
        }
        const drained = yield* Effect.forkChild(Queue.awaitDrained(queue))
        const turn = Effect.gen(function*() {
          yield* Scheduler.turn
          assert.isAtMost(yield* Queue.size(queue), shape.capacity + givenBack)
        })
        for (const [index, [which, wait]] of interrupts.entries()) {
          if (index === closesAfter) yield* Queue.close(queue)
          for (let n = 0; n < wait; n++) yield* turn
          givenBack++
          fibers[which % Math.max(1, fibers.length)]?.interruptUnsafe()
        }
        // Whoever is left gets what it waits for: items while there are too few, room while there are too many.
        const waits = (parity: number) =>
          fibers.some((fiber, n) => n % 2 === parity && fiber.pollUnsafe() === undefined)
        for (let round = 0; round < 200 && (waits(0) || waits(1)); round++) {
          for (let n = 0; n < 20; n++) yield* turn
          const item = waits(0) ? yield* Queue.popNow(queue) : Option.none()
          if (Option.isSome(item)) popped.push(item.value)
          else if (waits(1) && Queue.pushUnsafe(queue, next)) pushed.push(next++)
        }
        assert.isFalse(waits(0) || waits(1))
        for (let item = yield* Queue.popNow(queue); Option.isSome(item); item = yield* Queue.popNow(queue)) {
          popped.push(item.value)
        }
        assert.strictEqual(new Set(popped).size, popped.length)
        if (shape.strategy !== "sliding") assert.deepStrictEqual(ascending(popped), ascending(pushed))
        else assert.isTrue(popped.every((value) => pushed.includes(value)))
        yield* turns(2)
        assert.strictEqual(drained.pollUnsafe() !== undefined, yield* Queue.isClosed(queue))
      })),
    { arbitrary: { runs, size: 60 } }
  )
})
