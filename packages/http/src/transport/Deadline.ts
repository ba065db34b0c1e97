/**
 * One coarse clock for all deadlines of a worker: header, body, idle, write and linger of every connection.
 *
 * When to reach for it: something must end when it took too long, and there are thousands of it.
 * What it is not: a precise timer. A deadline fires within one second after its time, never before it.
 *
 * HOT PATH: arming a deadline is one addition and one store; no timer is made per connection or request. The tick is
 * a fiber of its own, so deadlines fire on a quiet worker too (Kore: http §10), and the Clock drives it in tests. When
 * nobody has looked at it from one tick to the next, it sleeps until the first deadline: an idle worker does not wake
 * twice a second, and a test may move its Clock by a year.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import type * as Scope from "effect/Scope"

/** Milliseconds between two looks at the deadlines. */
export const RESOLUTION = 500

/** What is expired in one turn of the event loop: a thousand at once would keep every other request waiting. */
export const BATCH = 16

/** Something with a deadline. */
export interface Timed {
  /** When it expires, as `Deadlines.after` says; infinity for never. */
  deadline: number
  readonly expire: () => void
}

export class Deadlines {
  /** The time, at most one tick old where `isUsed`: milliseconds of a clock that nobody sets. */
  private now = 0
  private line = ""
  private second = -1
  /** Somebody has looked at this clock since its last tick. */
  private isUsed = false
  /** Nobody did between the two ticks before. */
  private isQuiet = true
  private readonly used = Latch.makeUnsafe()
  private readonly timed = new Set<Timed>()
  private readonly clock: Clock.Clock

  constructor(clock: Clock.Clock) {
    this.clock = clock
    this.read()
  }

  /** The deadline that lies `milliseconds` ahead. */
  after(milliseconds: number): number {
    if (!this.isUsed) this.wake()
    // `now` is up to one tick old, so one tick is added: late is allowed, early is not.
    return this.now + milliseconds + RESOLUTION
  }

  /** The field line of the current `Date`, with its line end (RFC 9110 §6.6.1). */
  get date(): string {
    if (!this.isUsed) this.wake()
    return this.line
  }

  add(timed: Timed): void {
    this.timed.add(timed)
  }

  remove(timed: Timed): void {
    this.timed.delete(timed)
  }

  /** Reads the Clock, and expires what is due. */
  tick(): void {
    this.isQuiet = !this.isUsed
    this.isUsed = false
    this.read()
    const due: Array<Timed> = []
    for (const timed of this.timed) if (timed.deadline <= this.now) due.push(timed)
    this.expire(due, 0)
  }

  private expire(due: ReadonlyArray<Timed>, from: number): void {
    const to = Math.min(from + BATCH, due.length)
    for (const timed of due.slice(from, to)) {
      // In a later turn it may have gone, or have got more time.
      if (timed.deadline > this.now || !this.timed.has(timed)) continue
      try {
        timed.expire()
      } catch (defect) {
        // Uncaught, as in any other callback of Node, but the clock goes on for all others.
        queueMicrotask(() => {
          throw defect
        })
      }
    }
    if (to < due.length) setImmediate(() => this.expire(due, to))
  }

  /** Waits for the next tick. */
  readonly pause: Effect.Effect<void> = Effect.suspend(() => {
    const interval = this.clock.sleep(Duration.millis(RESOLUTION))
    if (this.isUsed || !this.isQuiet) return interval
    let first = Number.POSITIVE_INFINITY
    for (const { deadline } of this.timed) first = Math.min(first, deadline)
    this.used.closeUnsafe()
    return Effect.raceFirst(
      this.clock.sleep(Duration.millis(Math.max(first - this.now, RESOLUTION))),
      Effect.andThen(this.used.await, interval)
    )
  })

  // The last tick may have been long ago.
  private wake(): void {
    this.isUsed = true
    this.read()
    this.used.openUnsafe()
  }

  private read(): void {
    this.now = Number(this.clock.monotonicTimeNanosUnsafe() / 1_000_000n)
    const wall = this.clock.currentTimeMillisUnsafe()
    const second = Math.floor(wall / 1000)
    if (second === this.second) return
    this.second = second
    this.line = `date: ${new Date(wall).toUTCString()}\r\n`
  }
}

/** Deadlines whose clock ticks as long as the scope is open. */
export const make: Effect.Effect<Deadlines, never, Scope.Scope> = Effect.gen(function*() {
  const deadlines = new Deadlines(yield* Clock.Clock)
  const tick = Effect.sync(() => deadlines.tick())
  yield* Effect.forkScoped(Effect.forever(Effect.andThen(deadlines.pause, tick)), { startImmediately: true })
  return deadlines
})
