/**
 * Fibers that stand in line for something that is taken by one at a time, such as the output of a process.
 *
 * When to reach for it: only through `Output`.
 * What it is not: a lock, whose frame could lose what was taken. A fiber can be made to yield, and be interrupted,
 * between any two of its steps; here what is taken goes to the caller in the very step that takes it, and until then
 * it is in its place. Whoever is interrupted before that step leaves the line, and the next one is served.
 */
import * as Wait from "@kore-fx/core/Wait"
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"

/** Whether something can be taken now: true, an error for whoever wants to, or undefined for "wait". */
export type State<E> = true | E | undefined

/** Fails with Effect's TimeoutError when it takes longer; `advice` says what to do then. */
export const within = <A, E>(
  effect: Effect.Effect<A, E>,
  describe: () => Wait.Description,
  timeout: Duration.Input | undefined,
  advice = "Nothing is lost: ask again, give it more time, or kill the process."
): Effect.Effect<A, E | Cause.TimeoutError> =>
  timeout === undefined ? effect : Effect.timeoutOrElse(effect, {
    duration: timeout,
    orElse: () => {
      const limit = Duration.format(Duration.fromInputUnsafe(timeout))
      return Effect.fail(new Cause.TimeoutError(`${describe().what} timed out after ${limit}. ${advice}`))
    }
  })

/** How a fiber takes. */
export interface Taking<A> {
  /** Takes; called only when the state is true. */
  readonly take: () => A
  readonly describe: () => Wait.Description
  /** How long it may wait. */
  readonly timeout?: Duration.Input | undefined
}

interface Place<E> {
  readonly fiber: Fiber.Fiber<unknown, unknown>
  wake: ((state: true | E) => void) | undefined
}

/** Thrown in one step and caught in the next when a fiber yielded in between and it is another one's turn. */
const missed = new Error("missed")

const isMissed = (cause: Cause.Cause<never>): boolean => {
  const [reason] = cause.reasons
  return reason !== undefined && Cause.isDieReason(reason) && reason.defect === missed
}

/** A line before something. Whoever changes its state calls `advance`. */
export class Line<E> {
  private readonly places = new Set<Place<E>>()
  private readonly state: () => State<E>

  constructor(state: () => State<E>) {
    this.state = state
  }

  /** Takes when it is this fiber's turn and something can be taken. */
  take<A>(taking: Taking<A>): Effect.Effect<A, E | Cause.TimeoutError> {
    const isFree = () => this.places.size === 0 && this.state() === true
    const slow = this.wait(taking)
    const fast = Effect.catchCauseIf(
      Effect.sync(() => {
        if (!isFree()) throw missed
        return taking.take()
      }),
      isMissed,
      () => slow
    )
    return Effect.suspend(() => isFree() ? fast : slow)
  }

  /** Wakes whoever is first, if it has something to take or to be told. */
  advance(): void {
    const [first] = this.places
    const state = first?.wake && this.state()
    if (first?.wake === undefined || state === undefined) return
    const { fiber, wake } = first
    first.wake = undefined
    fiber.currentDispatcher.scheduleTask(() => wake(state), 0)
  }

  private leave(place: Place<E>): void {
    this.places.delete(place)
    this.advance()
  }

  private wait<A>({ describe, take, timeout }: Taking<A>): Effect.Effect<A, E | Cause.TimeoutError> {
    return Effect.callback<A, E | Cause.TimeoutError>((resume) => {
      const place: Place<E> = { fiber: Fiber.getCurrent()!, wake: undefined }
      this.places.add(place)
      const turn = within(this.turn(place), describe, timeout)
      const taken = Effect.matchEffect(Wait.on(turn, describe), {
        onFailure: (error) => {
          this.leave(place)
          return Effect.fail(error)
        },
        onSuccess: () =>
          Effect.sync(() => {
            const value = take()
            this.leave(place)
            return value
          })
      })
      // Resumed later, the finalizer below stays in place while `taken` runs, and adds no step to its success.
      place.fiber.currentDispatcher.scheduleTask(() => resume(taken), 0)
      return Effect.sync(() => this.leave(place))
    })
  }

  private turn(place: Place<E>): Effect.Effect<void, E> {
    return Effect.callback((resume) => {
      place.wake = (state) => resume(state === true ? Effect.void : Effect.fail(state))
      this.advance()
      return Effect.sync(() => {
        place.wake = undefined
      })
    })
  }
}
