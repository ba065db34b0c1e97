/**
 * The fibers that wait for a queue: for an item, for room, and for the end.
 *
 * When to reach for it: only from `QueueImpl`.
 * What it is not: public, or the judge of who is served; that is the queue.
 */
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type { QueueImpl } from "./QueueImpl.ts"
import * as WaitLine from "./WaitLine.ts"
import type * as WaitList from "./WaitList.ts"

type AnyFiber = Fiber.Fiber<unknown, unknown>

/** Waits for an item. `finish` makes the result of it, in the step that takes it. */
export class Taker<A> extends WaitLine.Waiter {
  /** What becomes of it: an item is handed to it, or nothing will come any more. */
  state: "waiting" | "handed" | "ended" | "done" = "waiting"
  value: A | undefined = undefined
  /** The number under which the item was handed out. */
  number = 0
  private readonly queue: QueueImpl<A>
  private readonly finish: ((first: A) => unknown) | undefined
  private readonly resume: WaitLine.Resume<any, any>

  constructor(
    fiber: AnyFiber,
    queue: QueueImpl<A>,
    finish: ((first: A) => unknown) | undefined,
    resume: WaitLine.Resume<any, any>
  ) {
    super(fiber)
    this.queue = queue
    this.finish = finish
    this.resume = resume
  }

  // Taking the item and going on are one step of the fiber: there is no moment in which it could be lost between.
  private readonly take = (): unknown => {
    const value = this.value as A
    this.state = "done"
    this.value = undefined
    this.queue.taken()
    return this.finish === undefined ? value : this.finish(value)
  }

  readonly wake = (): void => this.resume(this.state === "ended" ? this.queue.closedError : Effect.sync(this.take))

  readonly leave = (): void => this.queue.leaveTakers(this)

  describe(): WaitList.Description {
    return { kind: "queue", what: `pop from ${this.queue.label} (${this.queue.takers.length} waiting)` }
  }
}

/** Waits for room. `enter` puts its item in, unless the queue has been closed. */
export class Pusher extends WaitLine.Waiter {
  private readonly queue: QueueImpl<any>
  private readonly enter: Effect.Effect<boolean>
  private readonly resume: WaitLine.Resume<boolean>

  constructor(
    fiber: AnyFiber,
    queue: QueueImpl<any>,
    enter: Effect.Effect<boolean>,
    resume: WaitLine.Resume<boolean>
  ) {
    super(fiber)
    this.queue = queue
    this.enter = enter
    this.resume = resume
  }

  readonly wake = (): void => this.resume(this.enter)

  readonly leave = (): void => this.queue.leavePushers(this)

  describe(): WaitList.Description {
    return { kind: "queue", what: `push to ${this.queue.label} (capacity ${this.queue.capacity})` }
  }
}

/** Waits until the queue is closed and its last item has been taken. */
export class Drainer extends WaitLine.Waiter {
  private readonly queue: QueueImpl<any>
  private readonly resume: WaitLine.Resume<void>

  constructor(fiber: AnyFiber, queue: QueueImpl<any>, resume: WaitLine.Resume<void>) {
    super(fiber)
    this.queue = queue
    this.resume = resume
  }

  readonly wake = (): void => this.resume(Effect.void)

  readonly leave = (): void => {
    if (this.waits) this.queue.drainers.leave(this)
  }

  describe(): WaitList.Description {
    return { kind: "queue", what: `the end of ${this.queue.label} (${this.queue.size} items in it)` }
  }
}
