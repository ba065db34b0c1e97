/**
 * Fibers that wait for a moment: one timer of Node for all of them, and constant time for each.
 *
 * When to reach for it: only through `Suspend`.
 * What it is not: public, or aware of Effect's Clock; it goes by `performance.now()`.
 *
 * Written for speed and size, as there may be a million of them. Waits that end in the same millisecond are a list; the
 * lists are in a heap by their millisecond. So joining and leaving cost a look into a Map and two links when others end
 * at the same time, and a logarithm of the number of different milliseconds when not. A timer of Node for each wait would
 * cost twice the memory.
 */
import * as Effect from "effect/Effect"
import * as Effectable from "effect/Effectable"
import type * as Fiber from "effect/Fiber"
import * as Heap from "./Heap.ts"
import * as Millis from "./Millis.ts"
import * as Trace from "./Trace.ts"
import * as WaitList from "./WaitList.ts"

const Cancellable: abstract new(fiber: Fiber.Fiber<unknown, unknown>) =>
  & WaitList.Wait
  & Effect.Effect<void>
  & { asEffect(): Effect.Effect<void> } = Effectable.Mixin(WaitList.Wait) as never

/**
 * One fiber that waits. As an Effect, it is the end of the wait before its time, which saves one object and a closure
 * for each. When it is due it does not know by itself, which saves 24 bytes: its moment does.
 */
export class Wait extends Cancellable {
  previous: Wait | undefined = undefined
  next: Wait | undefined = undefined
  /** The millisecond at whose end it is woken; undefined when it waits no more. */
  moment: Moment | undefined = undefined
  readonly millis: number
  private readonly resume: (effect: Effect.Effect<void>) => void

  constructor(fiber: Fiber.Fiber<unknown, unknown>, millis: number, resume: (effect: Effect.Effect<void>) => void) {
    super(fiber)
    this.millis = millis
    this.resume = resume
  }

  wake(): void {
    this.resume(Effect.void)
  }

  override asEffect(): Effect.Effect<void> {
    return Effect.sync(() => leave(this))
  }

  override get since(): number {
    return this.end - this.millis
  }

  override describe(): WaitList.Description {
    const left = Math.ceil(this.end - performance.now())
    return { kind: "suspend", what: `${Math.min(Math.max(0, left), this.millis)} of ${this.millis} ms to go` }
  }

  /** Up to a millisecond late. */
  private get end(): number {
    return this.moment?.due ?? performance.now()
  }
}

/** The waits that end in one millisecond, in the order in which they began. */
class Moment implements Heap.Item {
  index = 0
  first: Wait | undefined = undefined
  last: Wait | undefined = undefined
  /** When the last of them is due: not later than `at`, nor a millisecond before. */
  due = 0
  readonly at: number

  constructor(at: number) {
    this.at = at
  }
}

const moments = new Map<number, Moment>()
const heap = new Heap.Heap<Moment>()
let timer: NodeJS.Timeout | undefined
/** What the timer is set to; Infinity when it is not. */
let alarm = Infinity

/** Begins to wait. */
export const join = (wait: Wait): void => {
  const due = performance.now() + wait.millis
  const at = Math.ceil(due)
  let moment = moments.get(at)
  if (moment === undefined) {
    moment = new Moment(at)
    moments.set(at, moment)
    heap.add(moment)
  }
  wait.moment = moment
  wait.previous = moment.last
  if (moment.last === undefined) moment.first = wait
  else moment.last.next = wait
  moment.last = wait
  if (due > moment.due) moment.due = due
  if (Trace.sink !== undefined) Trace.sink.suspended(wait)
  if (at < alarm) setAlarm(moment)
}

const leave = (wait: Wait): void => {
  const { moment } = wait
  if (moment === undefined) return
  unlink(wait, moment)
  if (moment.first !== undefined) return
  moments.delete(moment.at)
  heap.remove(moment)
  // An alarm for nobody would keep the process running.
  if (heap.first === undefined) clearAlarm()
}

const unlink = (wait: Wait, moment: Moment): void => {
  if (Trace.sink !== undefined) Trace.sink.woken(wait)
  wait.moment = undefined
  if (wait.previous === undefined) moment.first = wait.next
  else wait.previous.next = wait.next
  if (wait.next === undefined) moment.last = wait.previous
  else wait.next.previous = wait.previous
  wait.previous = undefined
  wait.next = undefined
}

const clearAlarm = (): void => {
  clearTimeout(timer)
  timer = undefined
  alarm = Infinity
}

const setAlarm = ({ at, due }: Moment): void => {
  clearTimeout(timer)
  alarm = at
  timer = setTimeout(ring, Math.min(Math.max(Math.ceil(due - performance.now()), 1), Millis.longest))
}

// Node's timers count from the start of a millisecond, and 1 in 60 rings up to a millisecond early.
const ring = (): void => {
  const now = performance.now()
  alarm = Infinity
  timer = undefined
  for (let moment = heap.first; moment !== undefined; moment = heap.first) {
    if (moment.due > now) return setAlarm(moment)
    moments.delete(moment.at)
    heap.remove(moment)
    for (let wait = moment.first; wait !== undefined; wait = moment.first) {
      const due = wait
      unlink(due, moment)
      // Through the scheduler, or a thousand fibers that wake at once would keep I/O from its turn.
      wait.fiber.currentDispatcher.scheduleTask(() => due.wake(), 0)
    }
  }
}

WaitList.addSource(function*() {
  for (const moment of moments.values()) {
    for (let wait = moment.first; wait !== undefined; wait = wait.next) yield wait
  }
})
