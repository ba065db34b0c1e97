/**
 * Makes a connection.
 *
 * When to reach for it: only through `Socket.connect` and its like.
 * What it is not: public.
 */
import type * as Cause from "effect/Cause"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as net from "node:net"
import type { SocketError } from "../../SocketError.ts"
import * as Address from "./Address.ts"
import * as NodeError from "./NodeError.ts"
import * as Refusal from "./Refusal.ts"
import * as StreamSocket from "./StreamSocket.ts"
import * as Waiting from "./Waiting.ts"

type Connected = Effect.Effect<StreamSocket.StreamSocket, SocketError | Cause.TimeoutError, Scope.Scope>

/** Connects a new socket of Node. */
export const connect = (target: Address.Target, timeout: Duration.Input | undefined): Connected =>
  Effect.uninterruptibleMask((restore) =>
    Effect.suspend(() => {
      const refusal = Refusal.ofTarget("connect", target, 1)
      return refusal === undefined
        ? using(restore, newSocket, target, timeout, "", Effect.void)
        : Effect.fail(refusal)
    })
  )

/**
 * Connects the socket that `make` gives, which is destroyed unless it becomes connected. `local` is its own path, and
 * `before` what is to be done before it is closed. To be called where the fiber cannot be interrupted.
 *
 * The socket exists before anybody waits, and belongs to the scope before anybody has it.
 */
export const using = (
  restore: <A, E>(effect: Effect.Effect<A, E>) => Effect.Effect<A, E>,
  make: () => net.Socket,
  target: Address.Target,
  timeout: Duration.Input | undefined,
  local: string,
  before: Effect.Effect<void>
): Connected =>
  Effect.suspend(() => {
    const node = make()
    const address = Address.format(target)
    // An attempt that is given up fails later, when nobody listens any more.
    node.on("error", ignore)
    const attempt = Effect.callback<StreamSocket.StreamSocket, SocketError>((resume) => {
      node.once("error", (error) => resume(Effect.fail(NodeError.toSocketError(error, "connect", address))))
      node.once("connect", () => {
        const ends = "path" in target ? Address.unixEnds(local, target.path) : Address.endsOf(node)
        resume(Effect.succeed(new StreamSocket.StreamSocket(node, ends)))
      })
      if ("path" in target) node.connect({ path: Address.nodePath(target.path) })
      else node.setNoDelay().connect({ host: Address.withoutBrackets(target.host), port: target.port })
    })
    const deadline = Waiting.deadline("connect", () => address, timeout, "The attempt was given up.")
    return restore(Waiting.listed(Waiting.until(attempt, deadline), "connect", () => address)).pipe(
      Effect.onError(() => Effect.andThen(Effect.sync(() => node.destroy()), before)),
      Effect.flatMap((stream) => stream.own(before))
    )
  })

// Paused from the start: nothing is read before somebody receives.
const newSocket = (): net.Socket => new net.Socket({ allowHalfOpen: true }).pause()

const ignore = (): void => {}
