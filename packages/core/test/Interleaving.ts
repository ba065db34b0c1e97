/**
 * How laws make fibers meet at every point: they choose the scheduler, how soon a fiber must yield, and whom to interrupt.
 */
import * as Effect from "effect/Effect"
import * as EffectScheduler from "effect/Scheduler"
import * as Schema from "effect/Schema"
import * as Scheduler from "../src/Scheduler.ts"

/** One of several, counted from the oldest. */
export const Which = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 9 }))

/** Fewer operations than any step of a primitive takes: the fiber yields in the middle of it. */
export const Budget = Schema.Int.check(Schema.isBetween({ minimum: 3, maximum: 14 }))

/** Every budget that makes a fiber yield within the first steps of what it does. */
export const budgets = Array.from({ length: 30 }, (_, index) => index + 3)

const schedulers = { default: new EffectScheduler.MixedScheduler(), worker: Scheduler.make() }

export const SchedulerName = Schema.Literals(["default", "worker"])

export const onScheduler =
  (name: "default" | "worker") => <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.provideService(effect, EffectScheduler.Scheduler, schedulers[name])

export const withBudget = (budget: number) => <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.provideService(effect, EffectScheduler.MaxOpsBeforeYield, budget)

export const turns = (count: number) =>
  Effect.forEach(Array.from({ length: count }), () => Scheduler.turn, { discard: true })
