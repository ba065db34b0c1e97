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
import * as Ring from "./internal/Ring.ts"

/** How many fibers the worker's scheduler wakes between two turns of the event loop: 64. */
export const wakesPerTurn = 64

type Task = () => void

const none: ReadonlyArray<Task> = []

/** The one line of woken fibers, and the tasks that wait for the next turn of the event loop. */
class Line implements EffectScheduler.SchedulerDispatcher {
  private readonly ready = new Ring.Ring<Task>()
  private later: Array<Task> = []
  private microtaskArmed = false
  private turnArmed = false
  private running = false
  private left: number
  private readonly perTurn: number

  constructor(perTurn: number) {
    this.perTurn = perTurn
    this.left = perTurn
  }

  scheduleTask(task: Task, priority: number): void {
    if (priority > 0) this.later.push(task)
    else this.ready.push(task)
    if (!this.running) this.arm()
  }

  endTurn(): void {
    this.left = 0
  }

  flush(): void {
    this.left = Infinity
    try {
      while (this.ready.length > 0 || this.later.length > 0) this.run(this.takeLater())
    } finally {
      this.left = this.perTurn
    }
  }

  private readonly onMicrotask = (): void => {
    this.microtaskArmed = false
    this.run(none)
  }

  private readonly onTurn = (): void => {
    this.turnArmed = false
    this.left = this.perTurn
    this.run(this.takeLater())
  }

  private takeLater(): ReadonlyArray<Task> {
    if (this.later.length === 0) return none
    const due = this.later
    this.later = []
    return due
  }

  private run(due: ReadonlyArray<Task>): void {
    const outer = this.running
    let i = 0
    this.running = true
    try {
      while (i < due.length) due[i++]!()
      while (this.left > 0 && this.ready.length > 0) {
        this.left--
        this.ready.shift()()
      }
    } finally {
      this.running = outer
      // A task that throws is the process's uncaught exception; the tasks behind it must not be lost with it.
      if (i < due.length) this.later = due.slice(i).concat(this.later)
      this.arm()
    }
  }

  private arm(): void {
    if (this.ready.length > 0 && this.left > 0) {
      if (this.microtaskArmed) return
      this.microtaskArmed = true
      queueMicrotask(this.onMicrotask)
    } else if (!this.turnArmed && (this.ready.length > 0 || this.later.length > 0)) {
      this.turnArmed = true
      setImmediate(this.onTurn)
    }
  }
}

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
  const line = new Line(perTurn)
  return {
    executionMode: "async",
    shouldYield(fiber: Fiber.Fiber<unknown, unknown>) {
      if (fiber.currentOpCount < fiber.cache.maxOpsBeforeYield) return false
      line.endTurn()
      return true
    },
    // One line for all fibers, where the default makes one per fiber: waking costs an entry, not a microtask.
    makeDispatcher: () => line
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
