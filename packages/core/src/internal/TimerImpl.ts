/**
 * A timer, and the fiber that lives as long as it.
 *
 * When to reach for it: only through `Timer`, which says what is promised.
 * What it is not: public.
 */
import type * as Cause from "effect/Cause"
import type * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import type * as Tracer from "../Tracer.ts"
import * as Millis from "./Millis.ts"
import * as Roots from "./Roots.ts"
import * as Ticks from "./Ticks.ts"

export const TypeId = "~@kore-fx/core/Timer"

/** The timer that a fiber is part of a run of. */
const Current = Context.Reference<TimerImpl | undefined>("@kore-fx/core/Timer/Current", {
  defaultValue: () => undefined
})

export interface Options {
  readonly effect: Effect.Effect<unknown, unknown, any>
  /** In milliseconds. */
  readonly delay: number
  readonly isOneshot: boolean
  readonly name: string | undefined
  readonly clock: Clock.Clock
  readonly tracer: Tracer.Tracer["Service"]
  /** Whose end is that of the timer. */
  readonly scope: Scope.Scope
}

let lastId = 0

export class TimerImpl implements Roots.Root, Roots.Source {
  readonly [TypeId]: typeof TypeId = TypeId
  readonly kind = "timer"
  readonly id = ++lastId
  readonly name: string
  readonly created = performance.now()
  fiber: Fiber.Fiber<void> | undefined = undefined
  private isClosed = false
  private isRunning = false
  private readonly options: Options

  constructor(options: Options) {
    this.options = options
    this.name = options.name ?? `timer-${this.id}`
  }

  readonly roots = (): Iterable<Roots.Root> => [this]

  /** Runs until the timer ends. */
  start(context: Context.Context<any>): Fiber.Fiber<void> {
    const fiber = Effect.runForkWith(context)(Effect.scoped(Effect.andThen(Roots.addSource(this), this.life)))
    this.fiber = fiber
    // Only what a run failed with while it was being interrupted is left to come here.
    fiber.addObserver((exit) => {
      if (exit._tag === "Failure") this.report(exit.cause, context)
    })
    return fiber
  }

  private get life(): Effect.Effect<void, never, any> {
    const { clock, delay, isOneshot, scope } = this.options
    const start = Millis.now(clock)
    let count = 1
    const turn = Effect.suspend(() => {
      const at = delay === 0 ? Millis.now(clock) : start + count * delay
      return Effect.andThen(Ticks.wait(clock, { at, order: this.id, what: `the next run of ${this.label}` }), this.run)
    })
    return Effect.whileLoop({
      // A run that closes the scope is not interrupted by that.
      while: () => !this.isClosed && scope.state._tag !== "Closed",
      body: () => turn,
      step: () => {
        // Times that a run has taken are left out, and those that it was too late for.
        if (delay > 0) count = Math.max(count + 1, Math.ceil((Millis.now(clock) - start - Millis.precision) / delay))
        if (isOneshot) this.isClosed = true
      }
    })
  }

  private get run(): Effect.Effect<void, never, any> {
    return Effect.suspend(() => {
      this.isRunning = true
      return Effect.onExitPrimitive(this.caught, () => {
        this.isRunning = false
        return undefined
      })
    })
  }

  private get caught(): Effect.Effect<void, never, any> {
    return Effect.catchCause(
      Effect.asVoid(Effect.provideService(Effect.scoped(this.options.effect), Current, this)),
      (cause) => Effect.withFiberSucceed((fiber) => this.report(cause, fiber.context))
    )
  }

  private report(cause: Cause.Cause<unknown>, context: Context.Context<never>): void {
    this.options.tracer.reportUnsafe(cause, Roots.originOf(this, context))
  }

  private get label(): string {
    return `timer ${this.name}`
  }

  /** Lets no run begin any more. */
  stop(by?: number): void {
    this.isClosed = true
    if (!this.isRunning) this.fiber?.interruptUnsafe(by)
  }

  readonly close: Effect.Effect<void> = Effect.withFiber((fiber) => {
    this.stop(fiber.id)
    // From inside, waiting for the end would be part of what has to end first.
    if (this.fiber === undefined || fiber.getRef(Current) === this) return Effect.void
    return Effect.asVoid(Fiber.await(this.fiber))
  })
}
