/**
 * One coarse clock for all deadlines of a worker: header, body, idle, write and linger of every connection.
 *
 * When to reach for it: something must end when it took too long, and there are thousands of it.
 * What it is not: a precise timer. A deadline fires within one second after its time, never before it.
 *
 * HOT PATH: arming a deadline is one addition and one store; no timer is made per connection or request. The tick is
 * a fiber of its own, so deadlines fire on a quiet worker too (Kore: http §10), and the Clock drives it in tests.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

/** Milliseconds between two looks at the deadlines. */
export const RESOLUTION = 500

/** Something with a deadline. */
export interface Timed {
  /** When it expires, on the clock of `Deadlines.now`; infinity for never. */
  deadline: number
  readonly expire: () => void
}

export class Deadlines {
  /** The time of the last tick: milliseconds of a clock that nobody sets. */
  now = 0
  /** The field line of the current `Date`, with its line end (RFC 9110 §6.6.1). */
  date = ""
  private second = -1
  private readonly timed = new Set<Timed>()

  /** The deadline that lies `milliseconds` ahead. */
  after(milliseconds: number): number {
    // `now` is up to one tick old, so one tick is added: late is allowed, early is not.
    return this.now + milliseconds + RESOLUTION
  }

  add(timed: Timed): void {
    this.timed.add(timed)
  }

  remove(timed: Timed): void {
    this.timed.delete(timed)
  }

  /** Moves the clock to `now`, the date to `wall`, and expires what is due. */
  tick(now: number, wall: number): void {
    this.now = now
    const second = Math.floor(wall / 1000)
    if (second !== this.second) {
      this.second = second
      this.date = `date: ${new Date(wall).toUTCString()}\r\n`
    }
    for (const timed of this.timed) {
      if (timed.deadline > now) continue
      try {
        timed.expire()
      } catch (defect) {
        // Uncaught, as in any other callback of Node, but the clock goes on for all others.
        queueMicrotask(() => {
          throw defect
        })
      }
    }
  }
}

/** Deadlines whose clock ticks as long as the scope is open. */
export const make: Effect.Effect<Deadlines, never, Scope.Scope> = Effect.gen(function*() {
  const deadlines = new Deadlines()
  const tick = Clock.clockWith((clock) =>
    Effect.sync(() =>
      deadlines.tick(Number(clock.monotonicTimeNanosUnsafe() / 1_000_000n), clock.currentTimeMillisUnsafe())
    )
  )
  yield* tick
  yield* Effect.forkScoped(Effect.forever(Effect.andThen(Effect.sleep(RESOLUTION), tick)), { startImmediately: true })
  return deadlines
})
