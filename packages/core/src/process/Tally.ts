/**
 * A warning about something that may happen a thousand times a second: one line a second, with a count.
 *
 * When to reach for it: what a broken or busy process does over and over is to be said, and must not fill the log.
 * What it is not: a metric. What was said is forgotten.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

/** Counts one kind of event. */
export interface Tally<in A> {
  /** Counts one more. */
  readonly add: (event: A) => void
  /** Says how many there were since it was said last; less than a second after that, when the second is over. */
  readonly say: Effect.Effect<void>
}

const pause = "1 second"

/** Makes a tally that writes a sentence; when the scope closes, it says what has not been said. */
export const make = <A>(
  sentence: (count: number, last: A) => string
): Effect.Effect<Tally<A>, never, Scope.Scope> =>
  Effect.gen(function*() {
    const scope = yield* Effect.scope
    let events: { count: number; last: A } | undefined
    let isPausing = false

    // A Logger may fail; that is no reason to stop.
    const write = Effect.ignoreCause(Effect.suspend(() => {
      if (events === undefined) return Effect.void
      const { count, last } = events
      events = undefined
      return Effect.logWarning(sentence(count, last))
    }))
    const say: Effect.Effect<void> = Effect.suspend(() => {
      if (isPausing || events === undefined) return Effect.void
      isPausing = true
      return Effect.andThen(write, Effect.asVoid(Effect.forkIn(rest, scope, { startImmediately: true })))
    })
    const rest = Effect.andThen(
      Effect.sleep(pause),
      Effect.suspend(() => {
        isPausing = false
        return say
      })
    )
    yield* Effect.addFinalizer(() => write)
    return {
      add: (last) => {
        if (events === undefined) events = { count: 1, last }
        else {
          events.count++
          events.last = last
        }
      },
      say
    }
  })
