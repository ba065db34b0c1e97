/**
 * What `Socket` offers for sockets that were made with Node.
 *
 * When to reach for it: only through `Socket`, which exports all of it.
 * What it is not: a namespace of its own.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as dgram from "node:dgram"
import type * as net from "node:net"
import type * as Socket from "../../Socket.ts"
import type { Operation, SocketError } from "../../SocketError.ts"
import * as Address from "./Address.ts"
import * as ListenerSocket from "./ListenerSocket.ts"
import * as NodeError from "./NodeError.ts"
import * as Refusal from "./Refusal.ts"
import * as StreamSocket from "./StreamSocket.ts"
import * as UdpSocket from "./UdpSocket.ts"
import * as Waiting from "./Waiting.ts"

/** What a wrapped socket does with Node's when it is closed: `keep` leaves it to its owner. */
export interface Wrap {
  readonly onClose?: "close" | "keep" | undefined
}

/**
 * Takes over a socket of Node that is connected, or about to be: nobody else may read from it until it is closed.
 *
 * TLS is one: `tls.connect(…)`. With `keep`, Node's socket is left paused in the end, with what was read and not received.
 * Source: Kore, runtime §13.1 (`socket_wrap`).
 *
 * @example
 * ```ts
 * import * as tls from "node:tls"
 *
 * const secure = Effect.suspend(() => Socket.fromNet(tls.connect(443, "example.org")))
 * ```
 */
export const fromNet = (
  node: net.Socket,
  options?: Wrap
): Effect.Effect<Socket.Stream, SocketError, Scope.Scope> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.suspend(() => {
      const closes = options?.onClose !== "keep"
      // An error that nobody listens for would end the process.
      node.on("error", ignore)
      return restore(connected(node)).pipe(
        Effect.andThen(Effect.suspend(() => {
          if (node.destroyed) return Effect.fail(NodeError.closed("fromNet", anySocket))
          const ends = node.remoteAddress === undefined ? Address.unixEnds("", "") : Address.endsOf(node)
          return new StreamSocket.StreamSocket(node, ends, closes).own()
        })),
        Effect.onExit((exit) =>
          Effect.sync(() => {
            if (exit._tag === "Failure" && closes) node.destroy()
            else node.off("error", ignore)
          })
        )
      )
    })
  )

const connected = (node: net.Socket): Effect.Effect<void, SocketError> =>
  Effect.suspend(() => {
    if (!node.pending) return Effect.void
    if (!node.connecting) {
      return Effect.fail(notReady("fromNet", "it is not connected", "A socket that is connected, or about to be"))
    }
    const wait = Effect.callback<void, SocketError>((resume) => {
      const onConnect = () => settle(Effect.void)
      const onError = (error: Error) => settle(Effect.fail(NodeError.toSocketError(error, "fromNet", anySocket)))
      const onClose = () => settle(Effect.fail(NodeError.closed("fromNet", anySocket)))
      const stop = () => node.off("connect", onConnect).off("error", onError).off("close", onClose)
      const settle = (effect: Effect.Effect<void, SocketError>) => {
        stop()
        resume(effect)
      }
      node.on("connect", onConnect).on("error", onError).on("close", onClose)
      return Effect.sync(stop)
    })
    return Waiting.listed(wait, "fromNet", () => "a socket of Node that connects")
  })

/**
 * Accepts from a server of Node that listens.
 *
 * Node takes everybody in, whether somebody accepts or not: 128 may wait, and those who come then are closed at once.
 * Whether the end of a client's stream ends ours depends on the server's `allowHalfOpen`.
 *
 * @example
 * ```ts
 * import type * as net from "node:net"
 *
 * const first = (server: net.Server) => Effect.flatMap(Socket.fromServer(server), (listener) => Socket.accept(listener))
 * ```
 */
export const fromServer = (
  server: net.Server,
  options?: Wrap
): Effect.Effect<Socket.Listener, SocketError, Scope.Scope> =>
  Effect.suspend(() => {
    const address = server.address()
    if (address === null) return Effect.fail(notReady("fromServer", "it does not listen", "A server that listens"))
    const own = typeof address === "string"
      ? Address.unix(address.startsWith("\0") ? `@${address.slice(1)}` : address)
      : Address.inet(address.address, address.port)
    return new ListenerSocket.ServerListener(server, own, options?.onClose !== "keep").own()
  }).pipe(Effect.uninterruptible)

/**
 * Takes over a UDP socket of Node that is bound.
 *
 * @example
 * ```ts
 * import type * as dgram from "node:dgram"
 *
 * const first = (socket: dgram.Socket) => Effect.flatMap(Socket.fromDgram(socket), (udp) => Socket.recvfrom(udp, 1500))
 * ```
 */
export const fromDgram = (
  node: dgram.Socket,
  options?: Wrap
): Effect.Effect<Socket.Datagram<Socket.Inet>, SocketError, Scope.Scope> =>
  Effect.suspend(() => {
    const local = boundTo(node)
    if (local === undefined) return Effect.fail(notReady("fromDgram", "it is not bound", "A socket that is bound"))
    return new UdpSocket.UdpSocket(node, local, UdpSocket.peerOf(node), options?.onClose !== "keep").own()
  }).pipe(Effect.uninterruptible)

// Node throws where there is no address.
const boundTo = (node: dgram.Socket): Address.Inet | undefined => {
  try {
    return UdpSocket.localOf(node)
  } catch {
    return undefined
  }
}

const notReady = (operation: Operation, detail: string, expected: string): SocketError =>
  Refusal.make(operation, anySocket, detail, expected)

const anySocket = "a socket of Node"

const ignore = (): void => {}
