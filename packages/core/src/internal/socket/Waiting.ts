/**
 * What surrounds every wait of a socket: the deadline, and the entry in the list of what fibers wait for.
 *
 * When to reach for it: inside of `Socket`, around the waiting part of an operation and nothing else.
 * What it is not: public. It gives up a wait; what that means for the socket, the operation says.
 */
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import { describe, type Operation } from "../../SocketError.ts"
import * as Turns from "../../Turns.ts"
import * as Wait from "../../Wait.ts"

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
): Turns.Deadline | undefined => Turns.deadline(() => describe(operation, address()), timeout, advice)

export { until } from "../../Turns.ts"
