/**
 * The fibers that stand in line for something, and whose turn it is.
 *
 * When to reach for it: only through `Turns`, which says what is promised, and in `Socket`.
 * What it is not: public. A turn is one step of a fiber (`Missed`), so nobody can be interrupted in the middle of it.
 */
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import { identity } from "effect/Function"
import * as Scheduler from "effect/Scheduler"
import type * as Types from "effect/Types"
import { missed, thrownBy } from "./Missed.ts"
import * as WaitLine from "./WaitLine.ts"
import type * as WaitList from "./WaitList.ts"

export const TypeId = "~@kore-fx/core/Turns"

const variance = { _E: identity }

/** When a wait is given up, and what it fails with then. */
export interface Deadline {
  readonly after: Duration.Input
  readonly error: () => Cause.TimeoutError
}

/** What timed out, after how long, and what to do then. */
export const timeoutError = (what: string, after: Duration.Input, advice: string): Cause.TimeoutError =>
  new Cause.TimeoutError(`${what} timed out after ${Duration.format(Duration.fromInputUnsafe(after))}. ${advice}`)

/** What an operation takes, and how it waits for that. */
export interface Taking<A> {
  readonly step: () => A
  readonly describe: () => WaitList.Description
  readonly deadline: Deadline | undefined
}

export interface Options<E> {
  readonly isReady: () => boolean
  readonly onWait: () => void
  readonly isError: (thrown: unknown) => thrown is E
}

export class TurnsImpl<E> {
  readonly [TypeId]: { readonly _E: Types.Covariant<E> } = variance
  private readonly line = new WaitLine.WaitLine<Waiter>()
  /** Whose turn it is. It was woken and has not run yet. */
  private called: Waiter | undefined = undefined
  private readonly isReady: () => boolean
  private readonly onWait: () => void
  readonly isError: (thrown: unknown) => thrown is E

  constructor({ isError, isReady, onWait }: Options<E>) {
    this.isReady = isReady
    this.onWait = onWait
    this.isError = isError
  }

  /** A step could run right now, and nobody came before. */
  private get isFree(): boolean {
    return this.called === undefined && this.line.length === 0 && this.isReady()
  }

  signal(): void {
    if (this.called !== undefined || this.line.length === 0 || !this.isReady()) return
    this.called = this.line.call()!
    WaitLine.schedule(this.called)
  }

  taking<A>(taking: Taking<A>): Effect.Effect<A, E | Cause.TimeoutError> {
    return Effect.withFiber((fiber) => {
      const turn = new Turn(this, fiber, taking)
      return Effect.catchCause(this.isFree ? turn.attempt : turn.wait, turn.onFailure)
    })
  }

  /** Puts a fiber into the line. */
  join(waiter: Waiter): void {
    this.line.join(waiter)
    this.onWait()
  }

  /** Takes a fiber out, whether it stands in the line or has been called. */
  leave(waiter: Waiter): void {
    if (waiter.waits) return this.line.leave(waiter)
    if (this.called !== waiter) return
    this.called = undefined
    this.signal()
  }

  isTurnOf(waiter: Waiter | undefined): boolean {
    return waiter === undefined ? this.isFree : this.called === waiter
  }
}

/** One operation of one fiber, from asking to taking. */
class Turn<A, E> {
  /** Its place in the line, or its call; undefined before it had to wait. */
  private waiter: Waiter | undefined = undefined
  private timer: Fiber.Fiber<void> | undefined = undefined
  private readonly turns: TurnsImpl<E>
  private readonly fiber: Fiber.Fiber<unknown, unknown>
  private readonly taking: Taking<A>

  constructor(turns: TurnsImpl<E>, fiber: Fiber.Fiber<unknown, unknown>, taking: Taking<A>) {
    this.turns = turns
    this.fiber = fiber
    this.taking = taking
  }

  /**
   * The last step: nothing comes after it that could be interrupted, not even a frame. Nor is the turn kept after a step
   * that throws, because the fiber can be interrupted on its way to whoever catches that.
   */
  readonly attempt: Effect.Effect<A> = Effect.sync(() => {
    if (!this.turns.isTurnOf(this.waiter)) throw missed
    try {
      const taken = this.taking.step()
      this.timer?.interruptUnsafe()
      return taken
    } finally {
      this.leave()
    }
  })

  get wait(): Effect.Effect<A, Cause.TimeoutError> {
    const { deadline } = this.taking
    if (deadline === undefined || this.timer !== undefined) return Effect.callback(this.join)
    // A fiber, because only an Effect can wait by the Clock. It does not race: what wins a race has one more step to
    // make, in which it can be interrupted and what it took be lost. And it does not yield: a fiber that ends waits for
    // its children, which would be such a step too; so this one ends on the spot when it is interrupted.
    const sleep = Effect.forkChild(Effect.sleep(deadline.after), { startImmediately: true })
    return Effect.flatMap(
      Effect.provideService(sleep, Scheduler.PreventSchedulerYield, true),
      (timer) => {
        this.timer = timer
        return Effect.callback(this.join)
      }
    )
  }

  private readonly join = (resume: WaitLine.Resume<A, Cause.TimeoutError>): Effect.Effect<void> | void => {
    if (this.turns.isTurnOf(undefined)) return resume(this.attempt)
    const late = () => resume(Effect.fail(this.taking.deadline!.error()))
    if (this.timer?.pollUnsafe() !== undefined) return late()
    const waiter = new Waiter(this.fiber, () => resume(this.attempt), this.taking.describe)
    this.waiter = waiter
    this.timer?.addObserver(() => {
      // Too late for one that has been called: it is about to take.
      if (!waiter.waits) return
      this.turns.leave(waiter)
      late()
    })
    this.turns.join(waiter)
    return Effect.sync(() => {
      this.leave()
      this.timer?.interruptUnsafe()
    })
  }

  /** Not for interruptions, which no handler sees. */
  readonly onFailure = (cause: Cause.Cause<Cause.TimeoutError>): Effect.Effect<A, E | Cause.TimeoutError> => {
    const thrown = thrownBy(cause)
    if (thrown === missed) return Effect.catchCause(this.wait, this.onFailure)
    this.timer?.interruptUnsafe()
    return this.turns.isError(thrown) ? Effect.fail(thrown) : Effect.failCause(cause)
  }

  private leave(): void {
    const { waiter } = this
    this.waiter = undefined
    if (waiter !== undefined) this.turns.leave(waiter)
  }
}

class Waiter extends WaitLine.Waiter {
  readonly wake: () => void
  readonly describe: () => WaitList.Description

  constructor(fiber: Fiber.Fiber<unknown, unknown>, wake: () => void, describe: () => WaitList.Description) {
    super(fiber)
    this.wake = wake
    this.describe = describe
  }
}
