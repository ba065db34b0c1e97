/**
 * Two sockets of this process that are connected to each other: one to use here, one to give to a child process.
 *
 * When to reach for it: a child process shall have one pipe for two of its descriptors, as for its output and its errors
 * in the order in which it wrote them; Node by itself makes one pipe for each.
 * What it is not: a way to other programs (`Socket`), or to what Node gives a child by itself (`stdio: "pipe"`).
 *
 * Both ends have no name, so nobody else can get between them.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as net from "node:net"
import * as NodeError from "./internal/socket/NodeError.ts"
import * as Descriptor from "./native/Descriptor.ts"
import * as Libc from "./native/Libc.ts"
import type { SocketError } from "./SocketError.ts"

/**
 * Two ends, both of which can be read and written.
 *
 * @example
 * ```ts
 * import type * as SocketPair from "@kore-fx/core/SocketPair"
 *
 * const read = (pair: SocketPair.SocketPair) => pair.ours.on("data", (chunk: Buffer) => console.log(chunk.toString()))
 * ```
 */
export interface SocketPair {
  /** Our end, as a socket of Node. */
  readonly ours: net.Socket
  /** The descriptor of the end to give away: blocking, as programs expect a pipe to be, and closed on exec. */
  readonly theirs: number
  /** Closes our copy of the end that somebody has been given: then its end can be seen. Again, it does nothing. */
  readonly given: Effect.Effect<void>
}

/**
 * Makes a pair, until the scope closes.
 *
 * It does not wait. Fails with the system's code, such as `EMFILE`, or with `NotSupported` where the system's functions
 * cannot be called. Linux and macOS only. socketpair(2).
 *
 * @example
 * ```ts
 * import * as SocketPair from "@kore-fx/core/SocketPair"
 * import * as ChildProcess from "node:child_process"
 *
 * const listing = Effect.gen(function*() {
 *   const { given, ours, theirs } = yield* SocketPair.make
 *   ChildProcess.spawn("ls", ["/", "/no/such"], { stdio: ["ignore", theirs, theirs] })
 *   yield* given
 *   return yield* Socket.fromNet(ours)
 * })
 * ```
 */
export const make: Effect.Effect<SocketPair, SocketError, Scope.Scope> = Effect.suspend(() =>
  Effect.acquireRelease(open, (pair) => pair.close)
)

// --- private ---------------------------------------------------------------------------------------------------------

const open = Libc.load.pipe(
  Effect.flatMap((libc) =>
    Effect.map(Effect.fromResult(Descriptor.pair(libc)), ([ours, theirs]) => new Pair(libc, ours, theirs))
  ),
  Effect.mapError((error) => NodeError.fromCall(error, "make", "a pair of sockets"))
)

class Pair implements SocketPair {
  readonly ours: net.Socket
  readonly theirs: number
  private isGiven = false
  private readonly libc: Libc.Libc

  constructor(libc: Libc.Libc, ours: number, theirs: number) {
    this.libc = libc
    this.theirs = theirs
    // From here on it is non-blocking; the other end is a socket of its own, and is not.
    this.ours = new net.Socket({ fd: ours, readable: true, writable: true })
    // An error that nobody listens for would end the process; whoever uses the socket listens himself.
    this.ours.on("error", () => {})
  }

  readonly given: Effect.Effect<void> = Effect.sync(() => this.giveUp())

  readonly close: Effect.Effect<void> = Effect.sync(() => {
    this.giveUp()
    this.ours.destroy()
  })

  private giveUp(): void {
    // Once: the number may be somebody else's by now.
    if (!this.isGiven) Descriptor.close(this.libc, this.theirs)
    this.isGiven = true
  }
}
