/**
 * The state of a queue: items, the fibers that wait for one, and the fibers that wait for room.
 *
 * When to reach for it: only through `Queue`, which says what is promised.
 * What it is not: public.
 *
 * An item is taken, or put in, in the very step that carries the result on, never in a step before it (`Missed`).
 */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { identity } from "effect/Function"
import * as Option from "effect/Option"
import type * as Types from "effect/Types"
import { missed, trying } from "./Missed.ts"
import { Drainer, Pusher, Taker } from "./QueueWaiter.ts"
import * as Ring from "./Ring.ts"
import * as WaitLine from "./WaitLine.ts"

export const TypeId = "~@kore-fx/core/Queue"

const variance = { _A: identity, _E: identity }

/** An item on its way back from a fiber that was interrupted, with the number under which it had been handed out. */
interface Returned<A> {
  readonly value: A
  readonly number: number
}

export interface Options {
  readonly capacity: number
  readonly strategy: "suspend" | "dropping" | "sliding"
  readonly name: string | undefined
  /** What a pop fails with when the queue is closed and empty. */
  readonly closedError: Effect.Effect<never, any>
}

export class QueueImpl<A> {
  readonly [TypeId]: { readonly _A: Types.Invariant<A>; readonly _E: Types.Invariant<any> } = variance
  readonly capacity: number
  readonly takers = new WaitLine.WaitLine<Taker<A>>()
  readonly drainers = new WaitLine.WaitLine<Drainer>()
  readonly closedError: Effect.Effect<never, any>
  isClosed = false
  private readonly waitsForRoom: boolean
  private readonly isSliding: boolean
  private readonly name: string | undefined
  private readonly items = new Ring.Ring<A>()
  /** Handed out and given back, oldest first. Nearly always empty. While somebody waits to pop, all is empty. */
  private readonly returned: Array<Returned<A>> = []
  private readonly pushers = new WaitLine.WaitLine<Pusher>()
  /** The pusher that was let in and has not pushed yet. One at a time, so that they come in as they stood in line. */
  private entering: Pusher | undefined = undefined
  private handedOut = 0
  /** Handed to fibers that have not taken them yet, and may still give them back. */
  private inHands = 0

  constructor(options: Options) {
    this.capacity = options.capacity
    this.waitsForRoom = options.strategy === "suspend" && options.capacity !== Infinity
    this.isSliding = options.strategy === "sliding"
    this.name = options.name
    this.closedError = options.closedError
  }

  /** For people. */
  get label(): string {
    return this.name === undefined ? "queue" : `queue ${this.name}`
  }

  get size(): number {
    return this.items.length + this.returned.length
  }

  // --- items out -----------------------------------------------------------------------------------------------------

  private shift(): A {
    return this.returned.length > 0 ? this.returned.shift()!.value : this.items.shift()
  }

  /** The item that is next. Throws `missed` if there is none. */
  private readonly take = (): A => {
    if (this.size === 0) throw missed
    const value = this.shift()
    this.makesRoom()
    return value
  }

  takeOption(): Option.Option<A> {
    return this.size === 0 ? Option.none() : Option.some(this.take())
  }

  private popping<B>(take: () => B, finish?: (first: A) => B): Effect.Effect<B, any> {
    const again = (): Effect.Effect<B, any> => this.size > 0 ? takeOrWait : wait
    const takeOrWait = trying(take, again)
    const wait = Effect.callback<B, any>((resume) => {
      if (this.size > 0) return resume(takeOrWait)
      if (this.isDrained) return resume(this.closedError)
      const taker = new Taker<A>(Fiber.getCurrent()!, this, finish, resume)
      this.takers.join(taker)
      return Effect.sync(taker.leave)
    })
    return Effect.suspend(again)
  }

  readonly pop: Effect.Effect<A, any> = this.popping(this.take)

  popUpTo(max: number): Effect.Effect<[A, ...Array<A>], any> {
    const finish = (first: A): [A, ...Array<A>] => {
      const batch: [A, ...Array<A>] = [first]
      while (batch.length < max && this.size > 0) batch.push(this.take())
      return batch
    }
    return this.popping(() => finish(this.take()), finish)
  }

  private hand(taker: Taker<A>, value: A, number: number): void {
    taker.value = value
    taker.number = number
    taker.state = "handed"
    this.inHands++
    WaitLine.schedule(taker)
  }

  /** A fiber has taken the item that was handed to it. */
  taken(): void {
    this.inHands--
    if (this.isClosed) this.endIfDrained()
  }

  leaveTakers(taker: Taker<A>): void {
    if (taker.state === "waiting") this.takers.leave(taker)
    else if (taker.state === "handed") this.giveBack(taker.value as A, taker.number)
    taker.state = "done"
  }

  private giveBack(value: A, number: number): void {
    this.inHands--
    const taker = this.takers.call()
    if (taker !== undefined) return this.hand(taker, value, number)
    let i = this.returned.length
    while (i > 0 && this.returned[i - 1]!.number > number) i--
    this.returned.splice(i, 0, { value, number })
  }

  // --- items in ------------------------------------------------------------------------------------------------------

  private add(value: A): void {
    const taker = this.takers.call()
    if (taker === undefined) this.items.push(value)
    else this.hand(taker, value, this.handedOut++)
  }

  private get hasRoom(): boolean {
    return this.size < this.capacity && this.entering === undefined && this.pushers.length === 0
  }

  /** Puts an item in if that can be done without waiting; tells whether it is in the queue. */
  offer(value: A): boolean {
    if (this.isClosed || (this.waitsForRoom && !this.hasRoom)) return false
    if (this.size >= this.capacity) {
      if (!this.isSliding) return false
      while (this.size >= this.capacity) this.shift()
    }
    this.add(value)
    return true
  }

  push(value: A): Effect.Effect<boolean> {
    if (!this.waitsForRoom) return Effect.sync(() => this.offer(value))
    const again = (): Effect.Effect<boolean> =>
      this.isClosed || this.hasRoom ? offerOrWait : this.pushLater(value, again)
    const offerOrWait = trying(() => {
      if (!this.offer(value) && !this.isClosed) throw missed
      return !this.isClosed
    }, again)
    return Effect.suspend(again)
  }

  private pushLater(value: A, again: () => Effect.Effect<boolean>): Effect.Effect<boolean> {
    return Effect.callback<boolean>((resume) => {
      if (this.isClosed || this.hasRoom) return resume(again())
      const enter = Effect.sync(() => {
        this.entering = undefined
        if (this.isClosed) return false
        this.add(value)
        this.letIn()
        return true
      })
      const pusher = new Pusher(Fiber.getCurrent()!, this, enter, resume)
      this.pushers.join(pusher)
      return Effect.sync(pusher.leave)
    })
  }

  leavePushers(pusher: Pusher): void {
    if (pusher.waits) return this.pushers.leave(pusher)
    if (this.entering !== pusher) return
    this.entering = undefined
    this.letIn()
  }

  private makesRoom(): void {
    if (this.isClosed) this.endIfDrained()
    else this.letIn()
  }

  private letIn(): void {
    if (this.pushers.length === 0 || this.entering !== undefined || this.size >= this.capacity) return
    this.entering = this.pushers.call()!
    WaitLine.schedule(this.entering)
  }

  // --- the end -------------------------------------------------------------------------------------------------------

  /** Nothing is in the queue, and nothing will be. */
  get isDrained(): boolean {
    return this.isClosed && this.size === 0 && this.inHands === 0
  }

  close(): boolean {
    if (this.isClosed) return false
    this.isClosed = true
    for (let pusher = this.pushers.call(); pusher !== undefined; pusher = this.pushers.call()) WaitLine.schedule(pusher)
    this.endIfDrained()
    return true
  }

  private endIfDrained(): void {
    if (!this.isDrained) return
    for (let taker = this.takers.call(); taker !== undefined; taker = this.takers.call()) {
      taker.state = "ended"
      WaitLine.schedule(taker)
    }
    for (let fiber = this.drainers.call(); fiber !== undefined; fiber = this.drainers.call()) WaitLine.schedule(fiber)
  }

  readonly awaitDrained: Effect.Effect<void> = Effect.callback<void>((resume) => {
    if (this.isDrained) return resume(Effect.void)
    const drainer = new Drainer(Fiber.getCurrent()!, this, resume)
    this.drainers.join(drainer)
    return Effect.sync(drainer.leave)
  })
}
