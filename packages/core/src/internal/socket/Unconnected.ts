/**
 * What `Socket` offers for sockets that are made first and told later what they are for.
 *
 * When to reach for it: only through `Socket`, which exports all of it.
 * What it is not: a namespace of its own; it is a file of its own because most programs never need it.
 */
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as Socket from "../../Socket.ts"
import type { SocketError } from "../../SocketError.ts"
import * as UnconnectedSocket from "./UnconnectedSocket.ts"

/**
 * A socket that is nothing yet. Made by `make`.
 *
 * Source: Kore, runtime §13.1 (a Python socket that is wrapped).
 *
 * @example
 * ```ts
 * const socket: Effect.Effect<Socket.Unconnected, SocketError.SocketError, Scope.Scope> = Socket.make("unix", "stream")
 * ```
 */
export interface Unconnected {
  readonly [UnconnectedSocket.TypeId]: typeof UnconnectedSocket.TypeId
  readonly family: "inet" | "inet6" | "unix"
  readonly type: "stream" | "datagram"
}

const impl = (socket: Unconnected) => socket as UnconnectedSocket.UnconnectedSocket

/**
 * Makes a socket that is nothing yet, for code that goes by the calls of the system, or has to set an option early.
 *
 * It becomes a stream with `connect(target, { socket })`, a listener with `listen(socket)`, or a datagram socket with
 * `toDatagram(socket)`, once. From then on it belongs to the scope of that call, and until then to that of `make`.
 * Linux and macOS only. socket(2).
 *
 * @example
 * ```ts
 * const fromPort = Effect.gen(function*() {
 *   const socket = yield* Socket.make("inet", "stream")
 *   yield* Socket.setOption(socket, 1, 9, 1) // SOL_SOCKET, SO_KEEPALIVE
 *   yield* Socket.bind(socket, { host: "127.0.0.1", port: 4000 })
 *   return yield* Socket.connect({ host: "127.0.0.1", port: 7 }, { socket })
 * })
 * ```
 */
export const make = (
  family: Unconnected["family"],
  type: Unconnected["type"]
): Effect.Effect<Unconnected, SocketError, Scope.Scope> => UnconnectedSocket.make(family, type)

/**
 * Gives a socket that is nothing yet its own address; a host name is resolved to its family. bind(2).
 *
 * A file that is there already is `EADDRINUSE`, whether somebody listens on it or not; ours is removed in the end.
 *
 * @example
 * ```ts
 * const bound = Effect.tap(Socket.make("inet6", "stream"), (socket) => Socket.bind(socket, { host: "::1", port: 0 }))
 * ```
 */
export const bind = (socket: Unconnected, target: Socket.Target): Effect.Effect<void, SocketError> =>
  impl(socket).bind(target)

/**
 * Sets an option of a socket that is nothing yet, by the numbers of the system; a number is an `int`. setsockopt(2).
 *
 * @example
 * ```ts
 * const broadcast = (socket: Socket.Unconnected) => Socket.setOption(socket, 1, 6, 1) // SOL_SOCKET, SO_BROADCAST
 * ```
 */
export const setOption = (
  socket: Unconnected,
  level: number,
  option: number,
  value: number | Uint8Array
): Effect.Effect<void, SocketError> => impl(socket).setOption(level, option, value)

/**
 * Makes a socket that is nothing yet a datagram socket, with a `peer` if one is named; see `udp` and `unixDatagram`.
 *
 * If it is not bound, it gets a free port of all addresses, or a free name.
 *
 * @example
 * ```ts
 * const udp = Effect.flatMap(Socket.make("inet6", "datagram"), (socket) => Socket.toDatagram(socket))
 * ```
 */
export const toDatagram = (
  socket: Unconnected,
  options?: { readonly peer?: Socket.Target | undefined }
): Effect.Effect<Socket.Datagram, SocketError, Scope.Scope> => impl(socket).datagram(options?.peer)
