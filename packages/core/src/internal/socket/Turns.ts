/**
 * The fibers that want something of one direction of a socket: its turns, with what all sockets say of themselves.
 *
 * When to reach for it: inside of `Socket`, wherever fibers take from something that Node's events fill, or that is busy.
 * What it is not: public. What is promised, and why nothing gets lost, `Turns` of core says.
 */
import type * as Cause from "effect/Cause"
import type * as Effect from "effect/Effect"
import { describe, type Operation, SocketError } from "../../SocketError.ts"
import * as TurnsImpl from "../TurnsImpl.ts"

/** Thrown by a step that found nothing to take; the fiber goes back to the line. */
export { missed } from "../Missed.ts"

/** When a wait is given up, and what it fails with then. */
export type Deadline = TurnsImpl.Deadline

const isError = (thrown: unknown): thrown is SocketError => thrown instanceof SocketError

export class Turns extends TurnsImpl.TurnsImpl<SocketError> {
  private readonly where: () => string

  /**
   * `isReady` tells whether a step would find something; `onWait` runs whenever a fiber begins to wait; `where` is the
   * address for people who look at what fibers wait for.
   */
  constructor(isReady: () => boolean, onWait: () => void, where: () => string) {
    super({ isReady, onWait, isError })
    this.where = where
  }

  /**
   * Runs a step when it is the fiber's turn. The step returns what it took, or throws: `missed` to go on waiting, or a
   * `SocketError` to fail with.
   */
  take<A>(step: () => A, operation: Operation): Effect.Effect<A, SocketError>
  take<A>(
    step: () => A,
    operation: Operation,
    deadline: Deadline | undefined
  ): Effect.Effect<A, SocketError | Cause.TimeoutError>
  take<A>(step: () => A, operation: Operation, deadline?: Deadline): Effect.Effect<A, any> {
    return this.taking({
      step,
      deadline,
      describe: () => ({ kind: "socket", what: describe(operation, this.where()) })
    })
  }
}
