/**
 * `kore.timer`: calls a function at intervals, or once, after a delay.
 *
 * When to reach for it: something has to be done every so often for as long as the worker lives.
 * What it is not: a pause in a coroutine, which is `kore.suspend`. Source: Kore, runtime §9.
 */
import * as CoreTimer from "@kore-fx/core/Timer"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import { TIMER_ONESHOT } from "./constants.ts"
import { describe, isCoroutineFunction } from "./Coroutine.ts"
import { RuntimeError } from "./errors.ts"
import * as keywords from "./internal/keywords.ts"
import { inWorker, registry } from "./internal/Registry.ts"
import * as Run from "./internal/Run.ts"

/** A timer. Made by `kore.timer`. */
export interface Timer {
  /** Ends it: no call begins any more, and one that goes on ends by itself. Closing twice is no error. Always true. */
  readonly close: () => true
}

/** What a timer calls: plain, `async` or a generator function. */
export type TimerMethod<Args extends ReadonlyArray<unknown>> = (this: any, ...args: Args) => unknown

/** The keywords of `kore.timer`. */
export interface TimerOptions<D> {
  /** What the method gets as its argument; without it, it gets none. */
  readonly data: D
}

/**
 * Calls a method every `delay` milliseconds, or once with the flag `kore.TIMER_ONESHOT`.
 *
 * The interval does not drift, and calls do not overlap: those that fall into the time of one that takes longer are left
 * out. The method is called with the app as `this`; it may be `async` or a generator function. What it throws is
 * reported, and the timer goes on. It is not part of a task. The timer belongs to the worker and ends with it; created
 * at import or in `configure`, it runs in every worker.
 *
 * @throws RuntimeError for a method that is no function, for another flag, and for a delay that is no number, is
 * negative, or is 0 with an interval.
 *
 * @example
 * ```ts
 * import { kore } from "kore-fx/legacy"
 *
 * const mytimer = kore.timer(() => kore.log(kore.LOG_INFO, "called"), 100, kore.TIMER_ONESHOT)
 * const sweeper = kore.timer(async (path: string) => kore.log(kore.LOG_INFO, path), 60_000, 0, { data: "/tmp" })
 *
 * // Stop the timer.
 * mytimer.close()
 * ```
 */
export const timer: {
  (method: TimerMethod<[]>, delay: number, flags: 0 | typeof TIMER_ONESHOT): Timer
  <D>(method: TimerMethod<[data: D]>, delay: number, flags: 0 | typeof TIMER_ONESHOT, options: TimerOptions<D>): Timer
} = (method: TimerMethod<Array<any>>, delay: number, flags: number, options: object = {}): Timer => {
  keywords.check("kore.timer", options, ["data"])
  if (typeof method !== "function") throw new RuntimeError(`kore.timer got ${describe(method)}, expected a function`)
  if (flags !== 0 && flags !== TIMER_ONESHOT) {
    throw new RuntimeError(`kore.timer got the flags ${describe(flags)}, expected 0 or kore.TIMER_ONESHOT`)
  }
  const oneshot = flags === TIMER_ONESHOT
  if (!Number.isFinite(delay) || delay < 0 || (delay === 0 && !oneshot)) {
    const from = oneshot ? "from 0" : "above 0"
    throw new RuntimeError(`kore.timer got the delay ${describe(delay)}, expected a number of milliseconds ${from}`)
  }
  const made = new TimerImpl(method, delay, oneshot, "data" in options ? [options.data] : [])
  if (registry.running === undefined && !registry.closed) registry.declaration.timers.push(made)
  else made.start()
  return made
}

class TimerImpl implements Timer {
  private core: CoreTimer.Timer | undefined = undefined
  private isClosed = false
  private readonly method: TimerMethod<Array<any>>
  private readonly delay: number
  private readonly oneshot: boolean
  private readonly args: ReadonlyArray<unknown>

  constructor(method: TimerMethod<Array<any>>, delay: number, oneshot: boolean, args: ReadonlyArray<unknown>) {
    this.method = method
    this.delay = delay
    this.oneshot = oneshot
    this.args = args
  }

  readonly start = (): void => {
    if (this.isClosed) return
    const { args, delay, method, oneshot } = this
    const name = method.name === "" ? undefined : method.name
    const call = Run.start(name ?? "timer", () => method.call(registry.app, ...args), isCoroutineFunction(method))
    const context = Context.add(inWorker("kore.timer"), Scope.Scope, registry.work!)
    this.core = Run.atOnce(CoreTimer.make(call, delay, { oneshot, name }), context)
  }

  readonly close = (): true => {
    this.isClosed = true
    // From inside of a call it is not waited for, and here neither.
    if (this.core !== undefined) Effect.runForkWith(Run.context())(CoreTimer.close(this.core))
    return true
  }
}
