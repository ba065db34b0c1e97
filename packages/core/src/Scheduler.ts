/**
 * The worker's scheduler: a fiber that is woken runs at once, as long as timers and I/O still get their turn.
 *
 * When to reach for it: `Kore.main` provides `layer` to every worker; a test or a benchmark that
 * wants a worker's timing does the same. Handlers only ever need `turn`.
 * What it is not: a way to give fibers priorities, or to run work in parallel.
 *
 * Effect's default scheduler wakes every fiber in a turn of the event loop of its own: 2 to 4 µs, and a latency that
 * grows with the load. This one keeps a single line of woken fibers and runs it in a microtask, `wakesPerTurn` of them;
 * whatever is left goes on after the event loop has made a turn. A fiber that has used up its operations
 * (`MaxOpsBeforeYield`) ends the turn for all, or computing fibers would hold the loop 64 times longer than before.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as EffectScheduler from "effect/Scheduler"
import * as RunQueue from "./internal/RunQueue.ts"

/** How many fibers the worker's scheduler wakes between two turns of the event loop: 64. */
export const wakesPerTurn = 64

/**
 * Waits for one turn of the event loop, so that I/O, timers and all other woken fibers get theirs.
 *
 * Fibers that wait for a turn share it, in the order in which they asked. Interruptible; never fails.
 * Source: Kore, runtime §8 (`suspend(0)`).
 *
 * @example
 * ```ts
 * const polite = Effect.forEach(["a", "b"], (item) => Effect.andThen(Scheduler.turn, Effect.log(item)))
 * ```
 */
export const turn: Effect.Effect<void> = Effect.yieldNowWith(1)

/**
 * Makes a scheduler as workers use it.
 *
 * Tasks with a priority of 0 or less run in the order in which they came; a priority above 0 means "after the next turn
 * of the event loop". `wakesPerTurn` is a whole number, 1 or more (default 64); anything else throws a RangeError.
 *
 * @example
 * ```ts
 * const scheduler = Scheduler.make({ wakesPerTurn: 16 })
 * ```
 */
export const make = (options?: { readonly wakesPerTurn?: number }): EffectScheduler.Scheduler => {
  const perTurn = options?.wakesPerTurn ?? wakesPerTurn
  if (!(Number.isSafeInteger(perTurn) && perTurn >= 1)) {
    throw new RangeError(`A scheduler got wakesPerTurn ${perTurn}. Expected a whole number, 1 or more.`)
  }
  const queue = new RunQueue.RunQueue(perTurn)
  return {
    executionMode: "async",
    shouldYield(fiber: Fiber.Fiber<unknown, unknown>) {
      if (fiber.currentOpCount < fiber.cache.maxOpsBeforeYield) return false
      queue.endTurn()
      return true
    },
    // One queue for all fibers, where the default makes one per fiber: waking costs an entry, not a microtask.
    makeDispatcher: () => queue
  }
}

/**
 * The scheduler of this process, as a Context to merge into that of a worker.
 *
 * @example
 * ```ts
 * const program = Effect.provideContext(Effect.yieldNow, Scheduler.context)
 * ```
 */
export const context: Context.Context<never> = Context.make(EffectScheduler.Scheduler, make())

/**
 * The scheduler of this process, as a Layer.
 *
 * @example
 * ```ts
 * const program = Effect.provide(Effect.yieldNow, Scheduler.layer)
 * ```
 */
export const layer: Layer.Layer<never> = Layer.succeedContext(context)
