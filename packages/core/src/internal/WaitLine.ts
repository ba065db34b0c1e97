/**
 * The line of fibers that wait for a lock or a queue: a doubly linked list that its members are the links of.
 *
 * When to reach for it: inside core, for anything that fibers wait for in order and may stop waiting for.
 * What it is not: public, or aware of fibers being interrupted; whoever builds on it says what leaving the line means.
 *
 * Who stands in a line is listed among all waits (`WaitList`), so that people see it. This is a hot path: a hand-over
 * costs 0.5 µs. So it is the lines that are kept, not who stands in them, and a line that has become empty stays among
 * them until there are many such.
 */
import type * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Millis from "./Millis.ts"
import * as Trace from "./Trace.ts"
import * as WaitList from "./WaitList.ts"

/** One waiting fiber. Subclasses carry what it waits for; `wake` runs as a task of the scheduler, once. */
export abstract class Waiter implements WaitList.Wait {
  prev: Waiter | undefined = undefined
  next: Waiter | undefined = undefined
  /** In the line: true until it is called or leaves. */
  waits = false
  readonly since = Millis.coarse()
  readonly fiber: Fiber.Fiber<unknown, unknown>

  constructor(fiber: Fiber.Fiber<unknown, unknown>) {
    this.fiber = fiber
  }

  abstract readonly wake: () => void

  abstract describe(): WaitList.Description
}

/** How `Effect.callback` gives a waiting fiber its next effect. */
export type Resume<A, E = never, R = never> = (effect: Effect.Effect<A, E, R>) => void

/** Lets a fiber go on that has been called: it runs in its turn, not inside of what called it. */
export const schedule = (waiter: Waiter): void => waiter.fiber.currentDispatcher.scheduleTask(waiter.wake, 0)

/** Waiters in the order in which they came. Every operation takes constant time. */
export class WaitLine<W extends Waiter> {
  length = 0
  /** Among the lines that are looked at when somebody asks who waits. */
  isKept = false
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
    if (!this.isKept) keep(this)
    if (Trace.sink !== undefined) Trace.sink.suspended(waiter)
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
    if (Trace.sink !== undefined) Trace.sink.woken(waiter)
  }

  *[Symbol.iterator](): Iterator<W> {
    for (let waiter = this.first; waiter !== undefined; waiter = waiter.next as W | undefined) yield waiter
  }
}

// --- what people see -------------------------------------------------------------------------------------------------

const fewest = 64

let lines: Array<WaitLine<Waiter>> = []
let most = fewest

/** Lets go of the lines in which nobody stands. */
const tidy = (): void => {
  for (const line of lines) line.isKept = line.length > 0
  lines = lines.filter((line) => line.isKept)
  most = Math.max(fewest, 2 * lines.length)
}

const keep = (line: WaitLine<any>): void => {
  if (lines.length >= most) tidy()
  line.isKept = true
  lines.push(line)
}

WaitList.addSource(function*() {
  tidy()
  for (const line of lines) yield* line
})
