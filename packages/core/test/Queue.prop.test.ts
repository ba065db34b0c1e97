import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as EffectScheduler from "effect/Scheduler"
import * as Schema from "effect/Schema"
import * as Queue from "../src/Queue.ts"
import * as Scheduler from "../src/Scheduler.ts"

const Which = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 9 }))
const Capacity = Schema.Literals([1, 2, 3, "unbounded"])

// Fewer operations than any step of a lock or queue takes: the fiber yields in the middle of it.
const Budget = Schema.Int.check(Schema.isBetween({ minimum: 3, maximum: 14 }))

const Step = Schema.Union([
  Schema.Struct({ do: Schema.Literals(["push", "pop", "popNow", "settle"]) }),
  // One of those that have not ended, which may have been handed an item or a place already; from the oldest.
  Schema.Struct({ do: Schema.Literal("interrupt"), which: Which })
])

const Steps = Schema.Array(Step).check(Schema.isMaxLength(60))

const schedulers = { default: new EffectScheduler.MixedScheduler(), worker: Scheduler.make() }
const SchedulerName = Schema.Literals(["default", "worker"])

const onScheduler = (name: "default" | "worker") => <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.provideService(effect, EffectScheduler.Scheduler, schedulers[name])

const turns = (count: number) => Effect.forEach(Array.from({ length: count }), () => Scheduler.turn, { discard: true })

/** What a queue should do, in plain arrays. */
class Model {
  items: Array<{ readonly value: number; readonly number: number }> = []
  takers: Array<number> = []
  handed = new Map<number, { readonly value: number; readonly number: number }>()
  pushers: Array<{ readonly id: number; readonly value: number }> = []
  entering: { readonly id: number; readonly value: number } | undefined = undefined
  number = 0
  /** By operation: what it came to. */
  readonly ended = new Map<number, number | "pushed" | "interrupted">()
  readonly capacity: number

  constructor(capacity: number) {
    this.capacity = capacity
  }

  push(id: number, value: number): void {
    if (this.items.length < this.capacity && this.entering === undefined && this.pushers.length === 0) {
      this.add(value)
      this.ended.set(id, "pushed")
    } else this.pushers.push({ id, value })
  }

  pop(id: number): void {
    if (this.items.length > 0) this.ended.set(id, this.take())
    else this.takers.push(id)
  }

  take(): number {
    const { value } = this.items.shift()!
    this.letIn()
    return value
  }

  private add(value: number): void {
    const item = { value, number: this.number++ }
    if (this.takers.length > 0) this.handed.set(this.takers.shift()!, item)
    else this.items.push(item)
  }

  private letIn(): void {
    if (this.entering === undefined && this.items.length < this.capacity) this.entering = this.pushers.shift()
  }

  interrupt(id: number): void {
    const item = this.handed.get(id)
    this.ended.set(id, "interrupted")
    this.takers = this.takers.filter((other) => other !== id)
    this.pushers = this.pushers.filter((other) => other.id !== id)
    if (this.entering?.id === id) {
      this.entering = undefined
      this.letIn()
    }
    if (item === undefined) return
    this.handed.delete(id)
    if (this.takers.length > 0) this.handed.set(this.takers.shift()!, item)
    else this.items = [...this.items, item].sort((a, b) => a.number - b.number)
  }

  settle(): void {
    while (this.entering !== undefined) {
      const { id, value } = this.entering
      this.entering = undefined
      this.add(value)
      this.ended.set(id, "pushed")
      this.letIn()
    }
    for (const [id, { value }] of this.handed) this.ended.set(id, value)
    this.handed.clear()
  }

  get pending(): ReadonlyArray<number> {
    const entering = this.entering === undefined ? [] : [this.entering]
    const pushers = [...entering, ...this.pushers].map((pusher) => pusher.id)
    return [...this.handed.keys(), ...this.takers, ...pushers].sort((a, b) => a - b)
  }
}

/** What an operation came to, in the terms of the model. */
const outcome = (fiber: Fiber.Fiber<number | void>): number | "pushed" | "interrupted" | undefined => {
  const exit = fiber.pollUnsafe()
  if (exit === undefined) return undefined
  return exit._tag === "Failure" ? "interrupted" : exit.value ?? "pushed"
}

describe("laws of a queue", () => {
  it.effect.prop(
    "items and fibers are served in order, and an interruption changes nothing but who is served",
    { steps: Steps, capacity: Capacity, scheduler: SchedulerName },
    ({ capacity, scheduler, steps }) =>
      onScheduler(scheduler)(Effect.gen(function*() {
        const queue = yield* Queue.make<number>({ capacity: capacity === "unbounded" ? undefined : capacity })
        const model = new Model(capacity === "unbounded" ? Infinity : capacity)
        const fibers: Array<Fiber.Fiber<number | void>> = []
        const settle = Effect.gen(function*() {
          yield* turns(4 + 2 * fibers.length)
          model.settle()
          for (const [id, fiber] of fibers.entries()) assert.strictEqual(outcome(fiber), model.ended.get(id))
        })
        for (const step of [...steps, { do: "settle" } as const]) {
          const id = fibers.length
          switch (step.do) {
            case "push":
              fibers.push(yield* Effect.forkChild(Queue.push(queue, id), { startImmediately: true }))
              model.push(id, id)
              break
            case "pop":
              fibers.push(yield* Effect.forkChild(Queue.pop(queue), { startImmediately: true }))
              model.pop(id)
              break
            case "popNow": {
              const expected = model.items.length > 0 ? Option.some(model.take()) : Option.none()
              assert.deepStrictEqual(yield* Queue.popNow(queue), expected)
              break
            }
            case "interrupt": {
              const pending = model.pending
              const victim = pending[step.which % Math.max(1, pending.length)]
              if (victim === undefined) break
              fibers[victim]!.interruptUnsafe()
              model.interrupt(victim)
              break
            }
            case "settle":
              yield* settle
          }
          assert.strictEqual(yield* Queue.size(queue), model.items.length)
        }
      })),
    { arbitrary: { runs: 400, size: 60 } }
  )

  it.effect.prop(
    "every item that a push reported comes out once, no other does, and nobody is left waiting, wherever a fiber " +
      "yields or is interrupted",
    {
      budgets: Schema.Array(Budget).check(Schema.isMaxLength(8)),
      interrupts: Schema.Array(Schema.Tuple([Which, Which])).check(Schema.isMaxLength(12)),
      capacity: Capacity,
      scheduler: SchedulerName
    },
    ({ budgets, capacity, interrupts, scheduler }) =>
      onScheduler(scheduler)(Effect.gen(function*() {
        const bound = capacity === "unbounded" ? Infinity : capacity
        const queue = yield* Queue.make<number>({ capacity: bound })
        const pushed: Array<number> = []
        const popped: Array<number> = []
        let next = 0
        let givenBack = 0
        // What is to be known of an item is written down in the step that carries it on, as the queue itself does.
        const push = Effect.suspend(() => {
          const value = next++
          return Effect.map(Queue.push(queue, value), () => pushed.push(value))
        })
        const pop = Effect.map(Queue.pop(queue), (value) => popped.push(value))
        const fibers: Array<Fiber.Fiber<unknown, unknown>> = []
        for (const [index, budget] of budgets.entries()) {
          const work = Effect.replicateEffect(index % 2 === 0 ? push : pop, 12)
          fibers.push(yield* Effect.forkChild(
            Effect.provideService(work, EffectScheduler.MaxOpsBeforeYield, budget)
          ))
        }
        const turn = Effect.gen(function*() {
          yield* Scheduler.turn
          assert.isAtMost(yield* Queue.size(queue), bound + givenBack)
        })
        for (const [which, wait] of interrupts) {
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
        const ascending = (values: ReadonlyArray<number>) => [...values].sort((a, b) => a - b)
        assert.deepStrictEqual(ascending(popped), ascending(pushed))
      })),
    { arbitrary: { runs: 400, size: 60 } }
  )
})
