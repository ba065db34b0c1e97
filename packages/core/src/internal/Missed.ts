/**
 * The last step of taking something, and how it says that there was nothing to take.
 *
 * When to reach for it: inside of core, wherever a fiber looks, finds something, and takes it.
 * What it is not: public, or an error that anybody sees.
 *
 * A fiber can be made to yield, and be interrupted, between any two of its steps. So what is taken is taken in the very
 * step that carries it on (`Effect.sync`), and that step looks again: if the fiber yielded after it had looked, another
 * one may have come first. It throws `missed` then, and the fiber goes back to where it waits.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"

/** Thrown by a step that found nothing. */
export const missed = new Error("missed")

/** What a step threw, if that is all there is. */
export const thrownBy = (cause: Cause.Cause<unknown>): unknown => {
  const reason = cause.reasons[0]
  return cause.reasons.length === 1 && reason !== undefined && Cause.isDieReason(reason) ? reason.defect : undefined
}

const isMissed = (cause: Cause.Cause<never>): boolean => thrownBy(cause) === missed

/** `attempt` in one step; `otherwise` if it missed. */
export const trying = <A, B, E>(attempt: () => A, otherwise: () => Effect.Effect<B, E>): Effect.Effect<A | B, E> =>
  Effect.catchCauseIf(Effect.sync(attempt), isMissed, otherwise)
