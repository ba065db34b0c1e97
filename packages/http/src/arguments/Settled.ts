/**
 * A Promise that a program's validator gave, as an Effect that tells how it ended.
 *
 * When to reach for it: `Validator` meets the Promises of `async` validators, and nothing else here does.
 * What it is not: cold. The Promise is watched from the moment it is given, so that a rejection that comes after the
 * client has left is nobody's unhandled rejection, which would end the worker.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"

/** Something to wait for: what has a `then`. */
// oxlint-disable-next-line typescript/no-restricted-types -- validators of a program may be `async` (Kore: http §6.5)
export type Thenable = PromiseLike<unknown>

/** Whether a value is something to wait for. Throws what a getter `then` throws. */
export const isThenable = (u: unknown): u is Thenable =>
  // oxlint-disable-next-line no-restricted-properties -- asked once, here, before it is waited for
  (typeof u === "object" || typeof u === "function") && u !== null && typeof (u as Thenable).then === "function"

/** How it ended; never fails. Throws what a synchronous `then` throws. */
export const settled = (thenable: Thenable): Effect.Effect<Exit.Exit<unknown, unknown>> => {
  let exit: Exit.Exit<unknown, unknown> | undefined
  const waiting = new Set<() => void>()
  // Something that settles twice has settled with the first.
  const settle = (outcome: Exit.Exit<unknown, unknown>): void => {
    exit ??= outcome
    for (const wake of waiting) wake()
  }
  // oxlint-disable-next-line no-restricted-properties -- watched at once: see above
  thenable.then((value) => settle(Exit.succeed(value)), (error: unknown) => settle(Exit.failCause(Cause.fail(error))))
  return Effect.callback((resume) => {
    const wake = (): void => {
      waiting.delete(wake)
      resume(Effect.succeed(exit!))
    }
    if (exit !== undefined) return wake()
    waiting.add(wake)
    return Effect.sync(() => void waiting.delete(wake))
  })
}
