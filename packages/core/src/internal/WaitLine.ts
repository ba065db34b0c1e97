/**
 * The line of fibers that wait for a lock or a queue: a doubly linked list that its members are the links of.
 *
 * When to reach for it: inside core, for anything that fibers wait for in order and may stop waiting for.
 * What it is not: public, or aware of fibers being interrupted; whoever builds on it says what leaving the line means.
 */
import type * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"

/** One waiting fiber. Subclasses carry what it waits for; `wake` runs as a task of the scheduler, once. */
export abstract class Waiter {
  prev: Waiter | undefined = undefined
  next: Waiter | undefined = undefined
  /** In the line: true until it is called or leaves. */
  waits = false
  readonly fiber: Fiber.Fiber<unknown, unknown>

  constructor(fiber: Fiber.Fiber<unknown, unknown>) {
    this.fiber = fiber
  }

  abstract readonly wake: () => void
}

/** How `Effect.callback` gives a waiting fiber its next effect. */
export type Resume<A, E = never, R = never> = (effect: Effect.Effect<A, E, R>) => void

/** Waiters in the order in which they came. Every operation takes constant time. */
export class WaitLine<W extends Waiter> {
  length = 0
  private first: W | undefined = undefined
  private last: W | undefined = undefined

  /** Puts a waiter at the end. */
  join(waiter: W): void {
    waiter.waits = true
    waiter.prev = this.last
    if (this.last === undefined) this.first = waiter
    else this.last.next = waiter
    this.last = waiter
    this.length++
  }

  /** Takes out the waiter that came first. */
  call(): W | undefined {
    const waiter = this.first
    if (waiter !== undefined) this.leave(waiter)
    return waiter
  }

  /** Takes out a waiter wherever it stands. Call it only while the waiter waits. */
  leave(waiter: W): void {
    waiter.waits = false
    if (waiter.prev === undefined) this.first = waiter.next as W | undefined
    else waiter.prev.next = waiter.next
    if (waiter.next === undefined) this.last = waiter.prev as W | undefined
    else waiter.next.prev = waiter.prev
    waiter.prev = undefined
    waiter.next = undefined
    this.length--
  }
}
