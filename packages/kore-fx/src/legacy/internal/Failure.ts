/**
 * The failures of core and proc as the exceptions of the old API.
 *
 * When to reach for it: every function whose Effect may fail with a tagged error.
 * What it is not: a place where errors get lost. The tagged error is the `cause`, and its message is kept.
 */
import { ProcError } from "@kore-fx/proc/ProcError"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { RuntimeError, TimeoutError } from "../errors.ts"
import * as Run from "./Run.ts"

// A tagged error as an exception: a timeout as TimeoutError, anything else as RuntimeError.
const toException = (error: unknown): RuntimeError | TimeoutError => {
  const message = error instanceof Error ? error.message : String(error)
  const isTimeout = Cause.isTimeoutError(error) || (error instanceof ProcError && error.reason === "TimedOut")
  return isTimeout ? new TimeoutError(message, { cause: error }) : new RuntimeError(message, { cause: error })
}

/** An Effect that fails with exceptions in place of tagged errors. */
export const translated = <A, R>(
  effect: Effect.Effect<A, unknown, R>
): Effect.Effect<A, RuntimeError | TimeoutError, R> => Effect.mapError(effect, toException)

/** Runs an Effect that does not wait, and returns its value or throws its failure as an exception. */
export const now = <A>(effect: Effect.Effect<A, unknown, any>): A => {
  const exit = Run.now(Effect.exit(effect))
  if (Exit.isSuccess(exit)) return exit.value
  throw Cause.hasFails(exit.cause) ? toException(Cause.squash(exit.cause)) : Cause.squash(exit.cause)
}
