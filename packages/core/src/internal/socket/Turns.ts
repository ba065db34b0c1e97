/**
 * The fibers that want something of one direction of a socket, in the order in which they came, one at a time.
 *
 * When to reach for it: inside of `Socket`, wherever fibers take from something that Node's events fill, or that is busy.
 * What it is not: public, or a lock. A turn is one step of a fiber, so nobody can be interrupted in the middle of it.
 *
 * A fiber can be made to yield, and be interrupted, between any two of its steps. So what is taken is taken in the very
 * last step of the operation, which hands it to whoever asked: an operation that did not return has taken nothing.
 */
import * as Cause from "effect/Cause"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Scheduler from "effect/Scheduler"
import { describe, type Operation, SocketError } from "../../SocketError.ts"
import * as WaitLine from "../WaitLine.ts"
import type * as WaitList from "../WaitList.ts"

/** Thrown by a step that found nothing to take; the fiber goes back to the line. */
export const missed = new Error("missed")

/** When a wait is given up, and what it fails with then. */
export interface Deadline {
  readonly after: Duration.Input
  readonly error: () => Cause.TimeoutError
}

export class Turns {
  private readonly line = new WaitLine.WaitLine<Waiter>()
  /** Whose turn it is. It was woken and has not run yet. */
  private called: Waiter | undefined = undefined
  private readonly isReady: () => boolean
  private readonly onWait: () => void
  readonly where: () => string

  /**
   * `isReady` tells whether a step would find something; `onWait` runs whenever a fiber begins to wait; `where` is the
   * address for people who look at what fibers wait for.
   */
  constructor(isReady: () => boolean, onWait: () => void, where: () => string) {
    this.isReady = isReady
    this.onWait = onWait
    this.where = where
  }

  /** A step could run right now, and nobody came before. */
  private get isFree(): boolean {
    return this.called === undefined && this.line.length === 0 && this.isReady()
  }

  /** To be called whenever `isReady` may have become true. */
  signal(): void {
    if (this.called !== undefined || this.line.length === 0 || !this.isReady()) return
    this.called = this.line.call()!
    WaitLine.schedule(this.called)
  }

  /**
   * Runs a step when it is the fiber's turn. The step returns what it took, or throws: `missed` to go on waiting, or a
   * `SocketError` to fail with.
   */
  take<A>(step: () => A, operation: Operation): Effect.Effect<A, SocketError>
  take<A>(
    step: () => A,
    operation: Operation,
    deadline: Deadline | undefined
  ): Effect.Effect<A, SocketError | Cause.TimeoutError>
  take<A>(step: () => A, operation: Operation, deadline?: Deadline): Effect.Effect<A, any> {
    return Effect.withFiber((fiber) => {
      const turn = new Turn(this, fiber, step, operation, deadline)
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
class Turn<A> {
  /** Its place in the line, or its call; undefined before it had to wait. */
  private waiter: Waiter | undefined = undefined
  private timer: Fiber.Fiber<void> | undefined = undefined
  private readonly turns: Turns
  private readonly fiber: Fiber.Fiber<unknown, unknown>
  private readonly step: () => A
  private readonly operation: Operation
  private readonly deadline: Deadline | undefined

  constructor(
    turns: Turns,
    fiber: Fiber.Fiber<unknown, unknown>,
    step: () => A,
    operation: Operation,
    deadline: Deadline | undefined
  ) {
    this.turns = turns
    this.fiber = fiber
    this.step = step
    this.operation = operation
    this.deadline = deadline
  }

  /** The last step: nothing comes after it that could be interrupted, not even a frame. */
  readonly attempt: Effect.Effect<A> = Effect.sync(() => {
    if (!this.turns.isTurnOf(this.waiter)) throw missed
    const taken = this.step()
    this.leave()
    return taken
  })

  get wait(): Effect.Effect<A, Cause.TimeoutError> {
    if (this.deadline === undefined || this.timer !== undefined) return Effect.callback(this.join)
    // A fiber, because only an Effect can wait by the Clock. It does not race: what wins a race has one more step to
    // make, in which it can be interrupted and what it took be lost. And it does not yield: a fiber that ends waits for
    // its children, which would be such a step too; so this one ends on the spot when it is interrupted.
    const sleep = Effect.forkChild(Effect.sleep(this.deadline.after), { startImmediately: true })
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
    if (this.timer?.pollUnsafe() !== undefined) return resume(Effect.fail(this.deadline!.error()))
    const waiter = new Waiter(this.fiber, () => resume(this.attempt), this.operation, this.turns.where)
    this.waiter = waiter
    this.timer?.addObserver(() => {
      // Too late for one that has been called: it is about to take.
      if (!waiter.waits) return
      this.turns.leave(waiter)
      resume(Effect.fail(this.deadline!.error()))
    })
    this.turns.join(waiter)
    return Effect.sync(() => this.leave())
  }

  /** Not for interruptions, which no handler sees. */
  readonly onFailure = (cause: Cause.Cause<Cause.TimeoutError>): Effect.Effect<A, SocketError | Cause.TimeoutError> => {
    const thrown = defectOf(cause)
    if (thrown === missed) {
      if (this.waiter !== undefined) this.turns.leave(this.waiter)
      this.waiter = undefined
      return Effect.catchCause(this.wait, this.onFailure)
    }
    this.leave()
    return thrown instanceof SocketError ? Effect.fail(thrown) : Effect.failCause(cause)
  }

  private leave(): void {
    if (this.waiter !== undefined) this.turns.leave(this.waiter)
    this.timer?.interruptUnsafe()
  }
}

class Waiter extends WaitLine.Waiter {
  readonly wake: () => void
  private readonly operation: Operation
  private readonly where: () => string

  constructor(fiber: Fiber.Fiber<unknown, unknown>, wake: () => void, operation: Operation, where: () => string) {
    super(fiber)
    this.wake = wake
    this.operation = operation
    this.where = where
  }

  describe(): WaitList.Description {
    return { kind: "socket", what: describe(this.operation, this.where()) }
  }
}

const defectOf = (cause: Cause.Cause<unknown>): unknown => {
  const reason = cause.reasons[0]
  return cause.reasons.length === 1 && reason !== undefined && Cause.isDieReason(reason) ? reason.defect : undefined
}
