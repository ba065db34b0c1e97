/**
 * Sockets: TCP and UNIX streams, listeners, UDP, and UNIX datagrams, as Effects that wait, time out and can be stopped.
 *
 * When to reach for it: the app speaks a protocol that kore-fx does not have, as a client or beside its HTTP servers.
 * What it is not: an HTTP server (`Server`), TLS (wrap Node's with `fromNet`), or inherited by workers: what a worker
 * listens on by itself belongs to it alone, and another one gets its own share of the address only with `reusePort`.
 *
 * Promises: a socket is closed with its scope, and its descriptor is free again. An operation that is interrupted or
 * times out leaves the socket usable: one that receives or accepts has taken nothing, one that sends has sent nothing
 * or will send all. Fibers that wait for the same direction of a socket are served in the order in which they came.
 * Nobody who is slow makes memory grow: a stream that nobody receives from holds less than 256 KiB, then its sender
 * waits.
 *
 * Closing a socket wakes everybody who waits for it with a `SocketError` of reason `Closed`. That is not the end of a
 * stream: the other side might have sent more.
 */
import type * as Cause from "effect/Cause"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Addresses from "./internal/socket/Address.ts"
import * as Binding from "./internal/socket/Binding.ts"
import * as Connecting from "./internal/socket/Connecting.ts"
import * as DatagramSocket from "./internal/socket/DatagramSocket.ts"
import type * as ListenerSocket from "./internal/socket/ListenerSocket.ts"
import type * as Owned from "./internal/socket/Owned.ts"
import type * as StreamSocket from "./internal/socket/StreamSocket.ts"
import * as UdpSocket from "./internal/socket/UdpSocket.ts"
import type { Unconnected } from "./internal/socket/Unconnected.ts"
import type * as UnconnectedSocket from "./internal/socket/UnconnectedSocket.ts"
import * as UnixDatagramSocket from "./internal/socket/UnixDatagramSocket.ts"
import type { SocketError } from "./SocketError.ts"

// --- addresses -------------------------------------------------------------------------------------------------------

/**
 * An IP address and a port.
 *
 * @example
 * ```ts
 * const address: Socket.Inet = { _tag: "Inet", host: "127.0.0.1", port: 7 }
 * ```
 */
export interface Inet extends Addresses.Inet {}

/** The path of a UNIX socket, or the `@name` of one without a file; empty for a socket without a name. */
export interface Unix extends Addresses.Unix {}

/** Where a socket is. It can be given wherever a `Target` is asked for. */
export type Address = Inet | Unix

/**
 * Where to: a host name or an IP address (brackets are fine) and a port, or the path or `@name` of a UNIX socket.
 *
 * @example
 * ```ts
 * const targets: ReadonlyArray<Socket.Target> = [{ host: "::1", port: 7 }, { path: "/run/app.sock" }, { path: "@app" }]
 * ```
 */
export type Target = Addresses.Target

/**
 * An address as people read it.
 *
 * @example
 * ```ts
 * const text = Socket.format({ host: "::1", port: 80 }) // "[::1]:80"
 * ```
 */
export const format = (address: Target): string => Addresses.format(address)

// --- sockets ---------------------------------------------------------------------------------------------------------

/** A connection, of TCP or UNIX. Made by `connect`, `accept` and `fromNet`. */
export interface Stream {
  readonly [StreamSocket.TypeId]: typeof StreamSocket.TypeId
  readonly local: Address
  /** The peer. Clients of a UNIX socket have no name, nearly always: their path is empty. */
  readonly remote: Address
}

/** A socket that others connect to. Made by `listen` and `fromServer`. */
export interface Listener {
  readonly [ListenerSocket.TypeId]: typeof ListenerSocket.TypeId
  /** What was really bound: an IP address in place of a name, the port that the system chose in place of 0. */
  readonly address: Address
}

/** A socket for datagrams. Made by `udp`, `unixDatagram` and `fromDgram`. */
export interface Datagram<out A extends Address = Address> {
  readonly [DatagramSocket.TypeId]: typeof DatagramSocket.TypeId
  readonly local: A
  /** The peer, where one was named: the socket sends to it, and receives from nobody else. */
  readonly remote: A | undefined
  /** How many datagrams were thrown away because nobody received them; always 0 for UNIX, where senders wait. */
  readonly dropped: number
}

/** Any of them. */
export type Socket = Stream | Listener | Datagram | Unconnected

/** A datagram that arrived: who sent it, its bytes, and how many it had before it was cut to what was asked for. */
export interface Received<A extends Address = Address> extends DatagramSocket.Received<A> {}

/** A UNIX datagram with what came along: descriptors, which whoever receives them has to close, and credentials. */
export interface Message extends UnixDatagramSocket.Message {}

/** A limit, by the Clock, from the call. Without one, an operation waits for as long as it takes. */
export interface Timeout {
  readonly timeout?: Duration.Input | undefined
}

/** What `connect` may be told: a limit, and a socket that was made before, by `make`. */
export interface ConnectOptions extends Timeout {
  readonly socket?: Unconnected | undefined
}

/** What `listen` may be told: how many may wait in the kernel, and whether others listen on the same port. */
export interface ListenOptions extends Binding.Options {}

// --- streams ---------------------------------------------------------------------------------------------------------

/**
 * Connects to a server, until the scope closes.
 *
 * A name is resolved, and all its addresses are tried. Small writes of TCP are not held back (`TCP_NODELAY`).
 * Interruptible: the attempt is given up. Fails with `UnknownHost` or the system's code.
 * Source: Kore, runtime §13.2 (there a name becomes the local host).
 *
 * @example
 * ```ts
 * const hello = Effect.scoped(Effect.gen(function*() {
 *   const socket = yield* Socket.connect({ host: "localhost", port: 7 }, { timeout: "5 seconds" })
 *   yield* Socket.send(socket, "hello")
 *   return yield* Socket.recv(socket, 1024)
 * }))
 * ```
 */
export const connect: {
  (target: Target): Effect.Effect<Stream, SocketError, Scope.Scope>
  (target: Target, options: ConnectOptions): Effect.Effect<Stream, SocketError | Cause.TimeoutError, Scope.Scope>
} = (target: Target, options?: ConnectOptions): any =>
  options?.socket === undefined
    ? Connecting.connect(target, options?.timeout)
    : (options.socket as UnconnectedSocket.UnconnectedSocket).connect(target, options.timeout)

/**
 * Listens on an address until the scope closes; port 0 lets the system choose one.
 *
 * `backlog` is how many connections wait in the kernel, 511 by default; the system may allow fewer. Beyond those at most
 * 16 have been taken in and wait to be accepted. A process without a descriptor left closes who comes, in silence, as
 * Node does. An IPv6 address takes no IPv4 connections. A socket file that nobody listens on is replaced; ours is removed in the end.
 * Linux and macOS only.
 *
 * With `reusePort` (TCP on Linux) others of the same user that say so too, such as the other workers, may listen on the
 * same port. The kernel gives each connection to one of them when it comes, so those that one of them has not accepted
 * when it closes or is killed are lost: the others do not get them.
 *
 * @example
 * ```ts
 * const first = Effect.scoped(Effect.gen(function*() {
 *   const listener = yield* Socket.listen({ host: "127.0.0.1", port: 8889 }, { reusePort: true })
 *   yield* Effect.log("listening on", Socket.format(listener.address))
 *   return yield* Socket.accept(listener)
 * }))
 * ```
 */
export const listen: (
  target: Target | Unconnected,
  options?: ListenOptions
) => Effect.Effect<Listener, SocketError, Scope.Scope> = Binding.listen

/**
 * Accepts the next connection, which then belongs to the scope. `serve` does so for all of them.
 *
 * Connections are taken in only while somebody accepts or fewer than 16 wait. Interruptible: nobody is lost.
 * At the limit of descriptors it goes on to wait, and tells nobody: see `listen`.
 * Source: Kore, runtime §13.2 (there without a timeout and without the peer's address).
 *
 * @example
 * ```ts
 * const first = (listener: Socket.Listener, handle: (socket: Socket.Stream) => Effect.Effect<void>) =>
 *   Effect.scoped(Effect.flatMap(Socket.accept(listener), handle))
 * ```
 */
export const accept: {
  (listener: Listener): Effect.Effect<Stream, SocketError, Scope.Scope>
  (listener: Listener, options: Timeout): Effect.Effect<Stream, SocketError | Cause.TimeoutError, Scope.Scope>
} = (listener: Listener, options?: Timeout): any => (listener as ListenerSocket.ListenerSocket).accept(options?.timeout)

export { serve, type ServeOptions } from "./internal/socket/Serving.ts"

/**
 * Receives what has arrived, `maxBytes` at most, or waits for something to arrive; none at the end of the stream.
 *
 * `maxBytes` is a whole number from 1. What arrived before the end, or before the connection broke, is received first.
 * The bytes may be a view of a larger chunk. Of a datagram socket: the next datagram, of which an empty one is not the
 * end; what exceeds `maxBytes` is gone, which `recvfrom` tells.
 * Source: Kore, runtime §13.2.
 *
 * @example
 * ```ts
 * const receiveAll = (socket: Socket.Stream) =>
 *   Effect.gen(function*() {
 *     const chunks: Array<Buffer> = []
 *     for (let chunk = yield* Socket.recv(socket, 65536); Option.isSome(chunk); chunk = yield* Socket.recv(socket, 65536)) {
 *       chunks.push(chunk.value)
 *     }
 *     return Buffer.concat(chunks)
 *   })
 * ```
 */
export const recv: {
  (socket: Stream | Datagram, maxBytes: number): Effect.Effect<Option.Option<Buffer>, SocketError>
  (socket: Stream | Datagram, maxBytes: number, options: Timeout): Effect.Effect<
    Option.Option<Buffer>,
    SocketError | Cause.TimeoutError
  >
} = (socket: Stream | Datagram, maxBytes: number, options?: Timeout): any =>
  isDatagram(socket)
    ? datagrams(socket).recvData(maxBytes, options?.timeout)
    : (socket as StreamSocket.StreamSocket).recv(maxBytes, options?.timeout)

/**
 * Sends all of the bytes, or a string as UTF-8; returns when the system has taken them, so a slow peer makes it wait.
 *
 * Interrupted or timed out while it waits in line, nothing is sent; afterwards, all of it is sent before anything that
 * is sent next. The bytes must not change until then. Of a datagram socket: one datagram to its peer.
 * Fails with the system's code, such as `EPIPE` or `ECONNRESET`, when the peer is gone; TCP notices only after the
 * first send. Source: Kore, runtime §13.2.
 *
 * @example
 * ```ts
 * const greet = (socket: Socket.Stream) => Socket.send(socket, "hello\n", { timeout: "10 seconds" })
 * ```
 */
export const send: {
  (socket: Stream | Datagram, data: Uint8Array | string): Effect.Effect<void, SocketError>
  (socket: Stream | Datagram, data: Uint8Array | string, options: Timeout): Effect.Effect<
    void,
    SocketError | Cause.TimeoutError
  >
} = (socket: Stream | Datagram, data: Uint8Array | string, options?: Timeout): any =>
  isDatagram(socket)
    ? datagrams(socket).send("send", undefined, data, options?.timeout)
    : (socket as StreamSocket.StreamSocket).send(data, options?.timeout)

/**
 * Ends the stream to the peer, which then receives the end; what the peer sends can still be received.
 *
 * Waits for what is being sent. Again, it does nothing. Nothing can be sent any more. shutdown(2).
 *
 * @example
 * ```ts
 * const ask = (socket: Socket.Stream) => Effect.andThen(Socket.end(socket), Socket.recv(socket, 1024))
 * ```
 */
export const end = (socket: Stream): Effect.Effect<void, SocketError> => (socket as StreamSocket.StreamSocket).end

/**
 * Closes a socket before its scope does. Again, it does nothing.
 *
 * Whoever waits for it fails with reason `Closed`, and so does whatever is tried later. What was sent is delivered; but
 * a peer whose bytes nobody received gets a reset: use `end`, and receive up to the end, where that matters.
 * Source: Kore, runtime §13.2 (there using a closed socket kills the worker).
 *
 * @example
 * ```ts
 * const hangUp = (socket: Socket.Stream) => Socket.close(socket)
 * ```
 */
export const close = (socket: Socket): Effect.Effect<void> => (socket as unknown as Owned.Owned).close

// --- datagrams -------------------------------------------------------------------------------------------------------

/**
 * Makes a UDP socket, bound until the scope closes: to all IPv4 addresses and a free port, unless said otherwise.
 *
 * With an IPv6 address it is for IPv6 only. With a `peer` it sends to that with `send` and receives from nobody else.
 * Up to 1,024 datagrams or 1 MiB wait to be received; more are thrown away and counted in `dropped`.
 *
 * @example
 * ```ts
 * const probe = Effect.scoped(Effect.gen(function*() {
 *   const socket = yield* Socket.udp()
 *   yield* Socket.sendto(socket, { host: "127.0.0.1", port: 7 }, "hello")
 *   return yield* Socket.recvfrom(socket, 1500, { timeout: "1 second" })
 * }))
 * ```
 */
export const udp = (options: UdpSocket.Options = {}): Effect.Effect<Datagram<Inet>, SocketError, Scope.Scope> =>
  UdpSocket.make(options)

/**
 * Makes a UNIX datagram socket, bound until the scope closes: to a path, to an `@name`, or to a free name.
 *
 * With a `peer` it sends to that with `send` and receives from nobody else. With `credentials` every message tells who
 * sent it. A file that is left over is replaced; ours is removed in the end. Linux only, and in Node's main thread
 * only: elsewhere it fails with `NotSupported`.
 *
 * @example
 * ```ts
 * const say = Effect.scoped(Effect.gen(function*() {
 *   const socket = yield* Socket.unixDatagram()
 *   yield* Socket.sendto(socket, { path: "/run/service.sock" }, "hello")
 * }))
 * ```
 */
export const unixDatagram = (
  options: UnixDatagramSocket.Options = {}
): Effect.Effect<Datagram<Unix>, SocketError, Scope.Scope> => UnixDatagramSocket.make(options)

/**
 * Receives the next datagram and tells who sent it.
 *
 * `size` is what it had; what exceeds `maxBytes`, a whole number from 1, is gone. An empty datagram has empty `data`.
 * A failure, such as a peer that is not there, is told once; the socket goes on.
 * Source: Kore, runtime §13.2 (there without a timeout, and cut in silence).
 *
 * @example
 * ```ts
 * const echo = (socket: Socket.Datagram) =>
 *   Effect.flatMap(Socket.recvfrom(socket, 65536), ({ address, data }) => Socket.sendto(socket, address, data))
 * ```
 */
export const recvfrom: {
  <A extends Address>(socket: Datagram<A>, maxBytes: number): Effect.Effect<Received<A>, SocketError>
  <A extends Address>(socket: Datagram<A>, maxBytes: number, options: Timeout): Effect.Effect<
    Received<A>,
    SocketError | Cause.TimeoutError
  >
} = (socket: Datagram, maxBytes: number, options?: Timeout): any =>
  datagrams(socket).recv("recvfrom", maxBytes, options?.timeout)

/**
 * Receives the next UNIX datagram with the descriptors and the credentials that came along.
 *
 * Up to 1,024 bytes come along; `isAncillaryCut` tells that there was more. Descriptors belong to the caller, which
 * closes each, or gives it to what does. Everything else receives datagrams without them: the kernel closes them.
 * Streams and UDP have none: Node reads those, and leaves what comes along behind.
 * Source: Kore, runtime §13.2.
 *
 * @example
 * ```ts
 * import * as net from "node:net"
 *
 * const takeOver = (socket: Socket.Datagram<Socket.Unix>) =>
 *   Effect.map(Socket.recvmsg(socket, 64), ({ descriptors }) => descriptors.map((fd) => new net.Socket({ fd })))
 * ```
 */
export const recvmsg: {
  (socket: Datagram<Unix>, maxBytes: number): Effect.Effect<Message, SocketError>
  (socket: Datagram<Unix>, maxBytes: number, options: Timeout): Effect.Effect<
    Message,
    SocketError | Cause.TimeoutError
  >
} = (socket: Datagram<Unix>, maxBytes: number, options?: Timeout): any =>
  (socket as UnixDatagramSocket.UnixDatagramSocket).recvmsg(maxBytes, options?.timeout)

/**
 * Sends one datagram to an address, whole or not at all; returns when the system has taken it.
 *
 * UDP may lose it on the way. A UNIX receiver that has no room makes it wait; it may carry `descriptors`, which stay
 * open here. A host name is resolved every time. Concurrent calls are not ordered.
 * Source: Kore, runtime §13.2 (there port 65535 is refused, and a host that is no IP address means everybody).
 *
 * @example
 * ```ts
 * const say = (socket: Socket.Datagram) => Socket.sendto(socket, { host: "127.0.0.1", port: 7 }, "hello")
 * ```
 */
export const sendto: {
  (socket: Datagram, target: Target, data: Uint8Array | string): Effect.Effect<void, SocketError>
  (
    socket: Datagram,
    target: Target,
    data: Uint8Array | string,
    options: Timeout & { readonly descriptors?: ReadonlyArray<number> | undefined }
  ): Effect.Effect<void, SocketError | Cause.TimeoutError>
} = (
  socket: Datagram,
  target: Target,
  data: Uint8Array | string,
  options?: Timeout & { readonly descriptors?: ReadonlyArray<number> | undefined }
): any => datagrams(socket).send("sendto", target, data, options?.timeout, options?.descriptors)

// --- sockets of Node, and sockets that are made step by step ----------------------------------------------------------

export { fromDgram, fromNet, fromServer, type Wrap } from "./internal/socket/Wrapping.ts"

export { bind, make, setOption, toDatagram, type Unconnected } from "./internal/socket/Unconnected.ts"

// --- private ---------------------------------------------------------------------------------------------------------

const isDatagram = (socket: Stream | Datagram): socket is Datagram => DatagramSocket.TypeId in socket

const datagrams = (socket: Datagram<any>): DatagramSocket.DatagramSocket<any> =>
  socket as DatagramSocket.DatagramSocket<any>
