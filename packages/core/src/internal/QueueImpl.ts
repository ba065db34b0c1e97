/**
 * The state of a queue: items, the fibers that wait for one, and the fibers that wait for room.
 *
 * When to reach for it: only through `Queue`, which says what is promised.
 * What it is not: public.
 *
 * A fiber can be made to yield, and be interrupted, between any two of its steps. So an item is taken, or put in, in
 * the very step that carries the result on (`Effect.sync`), never in a step before it.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { identity } from "effect/Function"
import * as Option from "effect/Option"
import type * as Types from "effect/Types"
import * as Ring from "./Ring.ts"
import * as WaitLine from "./WaitLine.ts"

export const TypeId = "~@kore-fx/core/Queue"

const invariant: Types.Invariant<any> = identity

/** An item on its way back from a fiber that was interrupted, with the number under which it had been handed out. */
interface Returned<A> {
  readonly value: A
  readonly number: number
}

class Taker<A> extends WaitLine.Waiter {
  state: "waiting" | "handed" | "done" = "waiting"
  value: A | undefined = undefined
  number = 0
  readonly wake: () => void

  constructor(fiber: Fiber.Fiber<unknown, unknown>, resume: WaitLine.Resume<A>) {
    super(fiber)
    // Taking the item and going on are one step of the fiber: there is no moment in which it could be lost between.
    const take = Effect.sync(() => {
      this.state = "done"
      return this.value as A
    })
    this.wake = () => resume(take)
  }
}

class Pusher extends WaitLine.Waiter {
  readonly wake: () => void

  constructor(fiber: Fiber.Fiber<unknown, unknown>, wake: () => void) {
    super(fiber)
    this.wake = wake
  }
}

/** Thrown in one step and caught in the next when a fiber yielded in between and the item or the room is gone. */
const missed = new Error("missed")

const isMissed = (cause: Cause.Cause<never>): boolean => {
  const reason = cause.reasons[0]
  return cause.reasons.length === 1 && reason !== undefined && Cause.isDieReason(reason) && reason.defect === missed
}

export class QueueImpl<A> {
  readonly [TypeId]: Types.Invariant<A> = invariant
  readonly capacity: number
  private readonly items = new Ring.Ring<A>()
  /** Handed out and given back, oldest first. Nearly always empty. While somebody waits to pop, all is empty. */
  private readonly returned: Array<Returned<A>> = []
  private readonly takers = new WaitLine.WaitLine<Taker<A>>()
  private readonly pushers = new WaitLine.WaitLine<Pusher>()
  /** The pusher that was let in and has not pushed yet. One at a time, so that they come in as they stood in line. */
  private entering: Pusher | undefined = undefined
  private handedOut = 0

  constructor(capacity: number) {
    this.capacity = capacity
  }

  get size(): number {
    return this.items.length + this.returned.length
  }

  /** The item that is next. Throws `missed` if there is none. */
  private readonly take = (): A => {
    if (this.size === 0) throw missed
    const value = this.returned.length > 0 ? this.returned.shift()!.value : this.items.shift()
    this.letIn()
    return value
  }

  takeOption(): Option.Option<A> {
    return this.size === 0 ? Option.none() : Option.some(this.take())
  }

  private readonly takeOrWait: Effect.Effect<A> = Effect.catchCauseIf(
    Effect.sync(this.take),
    isMissed,
    () => this.pop
  )

  private readonly waitForItem: Effect.Effect<A> = Effect.callback<A>((resume) => {
    if (this.size > 0) return resume(this.takeOrWait)
    const taker = new Taker<A>(Fiber.getCurrent()!, resume)
    this.takers.join(taker)
    return Effect.sync(() => this.leaveTakers(taker))
  })

  readonly pop: Effect.Effect<A> = Effect.suspend(() => this.size > 0 ? this.takeOrWait : this.waitForItem)

  private leaveTakers(taker: Taker<A>): void {
    if (taker.state === "waiting") this.takers.leave(taker)
    else if (taker.state === "handed") this.giveBack(taker.value as A, taker.number)
    taker.state = "done"
  }

  private hand(taker: Taker<A>, value: A, number: number): void {
    taker.value = value
    taker.number = number
    taker.state = "handed"
    taker.fiber.currentDispatcher.scheduleTask(taker.wake, 0)
  }

  private giveBack(value: A, number: number): void {
    const taker = this.takers.call()
    if (taker !== undefined) return this.hand(taker, value, number)
    let i = this.returned.length
    while (i > 0 && this.returned[i - 1]!.number > number) i--
    this.returned.splice(i, 0, { value, number })
  }

  get hasRoom(): boolean {
    return this.size < this.capacity && this.entering === undefined && this.pushers.length === 0
  }

  readonly add = (value: A): void => {
    const taker = this.takers.call()
    if (taker === undefined) this.items.push(value)
    else this.hand(taker, value, this.handedOut++)
  }

  push(value: A): Effect.Effect<void> {
    if (this.capacity === Infinity) return Effect.sync(() => this.add(value))
    const addOrWait: Effect.Effect<void> = Effect.catchCauseIf(
      Effect.sync(() => {
        if (!this.hasRoom) throw missed
        this.add(value)
      }),
      isMissed,
      () => wait
    )
    const wait: Effect.Effect<void> = Effect.callback<void>((resume) => {
      if (this.hasRoom) return resume(addOrWait)
      const pusher = new Pusher(Fiber.getCurrent()!, () =>
        resume(Effect.sync(() => {
          this.entering = undefined
          this.add(value)
          this.letIn()
        })))
      this.pushers.join(pusher)
      return Effect.sync(() => {
        if (pusher.waits) return this.pushers.leave(pusher)
        if (this.entering !== pusher) return
        this.entering = undefined
        this.letIn()
      })
    })
    return Effect.suspend(() => this.hasRoom ? addOrWait : wait)
  }

  private letIn(): void {
    if (this.pushers.length === 0 || this.entering !== undefined || this.size >= this.capacity) return
    const pusher = this.pushers.call()!
    this.entering = pusher
    pusher.fiber.currentDispatcher.scheduleTask(pusher.wake, 0)
  }
}
