/**
 * An effect that runs at intervals, or once, after a delay.
 *
 * When to reach for it: something has to be done every minute for as long as the worker lives.
 * What it is not: a pause (`Suspend`), a limit on something that takes time (`Effect.timeout`), or a calendar (Effect's
 * `Cron`).
 *
 * Promises: no drift, every run is due a whole number of intervals after the timer was made; no overlap; a failure is
 * reported and the next run comes all the same; no run begins after `close`; timers that are due at the same time run
 * in the order of their making.
 *
 * The rate is fixed, and nothing is caught up: a time that falls into a run of the timer is left out, and of those that
 * passed while the worker was busy one is run, late. Kore counts each interval from the start of the run before it, and
 * drifts by what that was late.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Formatter from "effect/Formatter"
import * as Scope from "effect/Scope"
import * as Impl from "./internal/TimerImpl.ts"
import * as Tracer from "./Tracer.ts"

/** What marks a timer. */
export const TypeId: typeof Impl.TypeId = Impl.TypeId

/**
 * A timer. Made by `make`.
 *
 * Source: Kore, runtime §9.
 *
 * @example
 * ```ts
 * const program = Effect.gen(function*() {
 *   const timer: Timer.Timer = yield* Timer.make(Effect.log("tick"), "1 second")
 *   yield* Timer.close(timer)
 * })
 * ```
 */
export interface Timer {
  readonly [TypeId]: typeof TypeId
  /** From 1, ascending. */
  readonly id: number
  /** As given, or `timer-` and the id. */
  readonly name: string
}

/**
 * What `make` may be told.
 *
 * @example
 * ```ts
 * const options: Timer.Options = { oneshot: true, name: "reminder" }
 * ```
 */
export interface Options {
  /** Runs once instead of at intervals (default: false). */
  readonly oneshot?: boolean | undefined
  /** For people, in reports and lists. Need not be unique. */
  readonly name?: string | undefined
}

/**
 * Starts a timer that runs an effect after the delay, and then at intervals of it.
 *
 * It ends with the scope, which interrupts a run and waits for it, or with `close`. Time is the Clock's, in whole
 * milliseconds; a fraction is rounded up. 0 is a run in every turn of the event loop. A delay that is below 0, infinite
 * or no number dies with a RangeError. The effect has the services of whoever makes the timer, and in each run a scope
 * of its own; it may wait. What it fails with is reported by the Tracer, as `timer` and with the name.
 * Source: Kore, runtime §9.
 *
 * @example
 * ```ts
 * const ticking = Timer.make(Effect.log("tick"), "1 second", { name: "clock" })
 * const once = Timer.make(Effect.log("breakfast"), "1 hour", { oneshot: true })
 * ```
 */
export const make = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  delay: Duration.Input,
  options?: Options
): Effect.Effect<Timer, never, Exclude<R, Scope.Scope> | Scope.Scope | Tracer.Tracer> =>
  // One step of the maker: interrupted between starting and giving it to the scope, it would leave a timer of nobody.
  Effect.withFiberSucceed((fiber) =>
    makeUnsafe(
      fiber.context as Context.Context<Exclude<R, Scope.Scope> | Scope.Scope | Tracer.Tracer>,
      effect,
      delay,
      options
    )
  )

/**
 * Starts a timer from plain code, with these services; see `make`. Throws a RangeError as `make` dies with one.
 *
 * @example
 * ```ts
 * const program = Effect.map(Effect.context<Scope.Scope | Tracer.Tracer>(), (context) => {
 *   const timer = Timer.makeUnsafe(context, Effect.log("tick"), "1 second")
 *   process.once("SIGUSR2", () => Timer.closeUnsafe(timer))
 * })
 * ```
 */
export const makeUnsafe = <A, E, R>(
  context: Context.Context<Exclude<R, Scope.Scope> | Scope.Scope | Tracer.Tracer>,
  effect: Effect.Effect<A, E, R>,
  delay: Duration.Input,
  options?: Options
): Timer => {
  const services = context as Context.Context<Scope.Scope | Tracer.Tracer>
  const scope = Context.get(services, Scope.Scope)
  const timer = new Impl.TimerImpl({
    effect,
    delay: millisOf(delay, options?.name),
    isOneshot: options?.oneshot === true,
    name: options?.name,
    clock: Context.get(services, Clock.Clock),
    tracer: Context.get(services, Tracer.Tracer),
    scope
  })
  Fiber.runIn(timer.start(services), scope)
  return timer
}

/**
 * Ends a timer: no run begins any more, and one that has begun is waited for.
 *
 * Closed from inside, by its own effect or a fiber that this started, it is not waited for, and the run goes on to its
 * end. A timer that has ended already is no error. Interrupting the wait leaves the run alone.
 * Source: Kore, runtime §9.
 *
 * @example
 * ```ts
 * const program = Effect.gen(function*() {
 *   const timer = yield* Timer.make(Effect.log("tick"), "1 second")
 *   yield* Effect.sleep("10 seconds")
 *   yield* Timer.close(timer)
 * })
 * ```
 */
export const close = (timer: Timer): Effect.Effect<void> => (timer as Impl.TimerImpl).close

/**
 * Ends a timer from plain code, without waiting for a run that has begun; see `close`.
 *
 * @example
 * ```ts
 * const stop = (timers: ReadonlyArray<Timer.Timer>) => timers.forEach(Timer.closeUnsafe)
 * ```
 */
export const closeUnsafe = (timer: Timer): void => (timer as Impl.TimerImpl).stop()

// --- private ---------------------------------------------------------------------------------------------------------

const millisOf = (delay: Duration.Input, name: string | undefined): number => {
  const millis = Duration.toMillis(Duration.fromInputUnsafe(delay))
  // For Duration, no number at all is 0.
  if (Number.isFinite(millis) && millis >= 0 && !Number.isNaN(delay)) return Math.ceil(millis)
  throw new RangeError(
    `${name === undefined ? "A timer" : `The timer ${name}`} got the delay ${Formatter.format(delay)}. ` +
      "Expected a finite duration, 0 or more."
  )
}
