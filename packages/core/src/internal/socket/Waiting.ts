/**
 * What surrounds every wait of a socket: the deadline, and the entry in the list of what fibers wait for.
 *
 * When to reach for it: inside of `Socket`, around the waiting part of an operation and nothing else.
 * What it is not: public. It gives up a wait; what that means for the socket, the operation says.
 */
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { describe, type Operation } from "../../SocketError.ts"
import * as Wait from "../../Wait.ts"
import type * as Turns from "./Turns.ts"

/** Lists the fiber as waiting. */
export const listed = <A, E>(
  wait: Effect.Effect<A, E>,
  operation: Operation,
  address: () => string
): Effect.Effect<A, E> => Wait.on(wait, () => ({ kind: "socket", what: describe(operation, address()) }))

/** The deadline of an operation, if it has a timeout; `advice` says what the end of the wait means for the socket. */
export const deadline = (
  operation: Operation,
  address: () => string,
  timeout: Duration.Input | undefined,
  advice: string
): Turns.Deadline | undefined =>
  timeout === undefined ? undefined : {
    after: timeout,
    error: () => {
      const limit = Duration.format(Duration.fromInputUnsafe(timeout))
      return new Cause.TimeoutError(`${describe(operation, address())} timed out after ${limit}. ${advice}`)
    }
  }

/** Gives an effect up at its deadline. Only for one whose result may get lost. */
export const until = <A, E>(
  effect: Effect.Effect<A, E>,
  deadline: Turns.Deadline | undefined
): Effect.Effect<A, E | Cause.TimeoutError> =>
  deadline === undefined ? effect : Effect.timeoutOrElse(effect, {
    duration: deadline.after,
    orElse: () => Effect.fail(deadline.error())
  })
