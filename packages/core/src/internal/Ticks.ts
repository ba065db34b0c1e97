/**
 * Timers that wait for their next run, in the order in which they are due.
 *
 * When to reach for it: only through `Timer`.
 * What it is not: public, or for whoever just sleeps (`Suspend`), of whom there may be a million.
 *
 * Timers that are due at the same time run in the order of their making, whenever each of them began to wait. So they
 * wait together, in one heap for each Clock, and one fiber sleeps until the first of them is due.
 */
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Scheduler from "../Scheduler.ts"
import * as Heap from "./Heap.ts"
import * as Millis from "./Millis.ts"
import type * as WaitLine from "./WaitLine.ts"
import * as WaitList from "./WaitList.ts"

/** One wait for one run of a timer. */
class Tick extends WaitList.Entry implements Heap.Item {
  readonly since = performance.now()
  index = -1
  readonly at: number
  /** The number of the timer. */
  readonly order: number
  readonly what: string
  readonly wake: () => void

  constructor(
    fiber: Fiber.Fiber<unknown, unknown>,
    { at, order, what }: { readonly at: number; readonly order: number; readonly what: string },
    resume: WaitLine.Resume<void>
  ) {
    super(fiber)
    this.at = at
    this.order = order
    this.what = what
    this.wake = () => resume(Effect.void)
  }

  describe(): WaitList.Description {
    return { kind: "timer", what: this.what }
  }
}

class Ticks {
  private readonly clock: Clock.Clock
  private readonly heap = new Heap.Heap<Tick>()
  private sleeper: Fiber.Fiber<void> | undefined = undefined
  /** When the sleeper wakes. */
  private alarm = Infinity

  constructor(clock: Clock.Clock) {
    this.clock = clock
  }

  join(tick: Tick): void {
    this.heap.add(tick)
    WaitList.add(tick)
    if (tick.at < this.alarm) this.setAlarm(tick)
  }

  leave(tick: Tick): void {
    if (tick.isListed) this.take(tick)
    // An alarm for nobody would keep the process running.
    if (this.heap.first === undefined) this.clearAlarm()
  }

  private take(tick: Tick): void {
    this.heap.remove(tick)
    WaitList.remove(tick)
  }

  private clearAlarm(): void {
    const { sleeper } = this
    this.sleeper = undefined
    this.alarm = Infinity
    sleeper?.interruptUnsafe()
  }

  private setAlarm(tick: Tick): void {
    this.clearAlarm()
    const left = tick.at - Millis.now(this.clock)
    // Also what is due already waits for a turn: a timer without an interval is not to keep everybody from theirs.
    const sleep = left <= Millis.precision
      ? Scheduler.turn
      : this.clock.sleep(Duration.millis(Math.min(Math.ceil(left - Millis.precision), Millis.longest)))
    const sleeper = Effect.runForkWith(tick.fiber.context)(sleep)
    this.sleeper = sleeper
    this.alarm = tick.at
    sleeper.addObserver(() => {
      if (this.sleeper === sleeper) this.ring()
    })
  }

  private ring(): void {
    this.sleeper = undefined
    this.alarm = Infinity
    const due: Array<Tick> = []
    const time = Millis.now(this.clock) + Millis.precision
    for (let tick = this.heap.first; tick !== undefined && tick.at <= time; tick = this.heap.first) {
      this.take(tick)
      due.push(tick)
    }
    due.sort((a, b) => a.at - b.at || a.order - b.order)
    for (const tick of due) tick.fiber.currentDispatcher.scheduleTask(tick.wake, 0)
    // A Clock may be early.
    if (this.heap.first !== undefined) this.setAlarm(this.heap.first)
  }
}

const byClock = new WeakMap<Clock.Clock, Ticks>()

/** Waits until a time of the Clock has come, at least for a turn of the event loop. Interruptible. */
export const wait = (
  clock: Clock.Clock,
  options: { readonly at: number; readonly order: number; readonly what: string }
): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    let ticks = byClock.get(clock)
    if (ticks === undefined) byClock.set(clock, ticks = new Ticks(clock))
    const tick = new Tick(Fiber.getCurrent()!, options, resume)
    ticks.join(tick)
    return Effect.sync(() => ticks.leave(tick))
  })
