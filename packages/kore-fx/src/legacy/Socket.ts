/**
 * `kore.socket_wrap`: sockets to wait for in coroutines.
 *
 * When to reach for it: the app speaks a protocol that kore-fx does not have, as a client or beside its HTTP servers.
 * What it is not: TLS (wrap a socket of `node:tls`), or shared between workers. Source: Kore, runtime §13.
 */
import * as CoreSocket from "@kore-fx/core/Socket"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as dgram from "node:dgram"
import * as net from "node:net"
import { Awaitable } from "./Awaitable.ts"
import { describe } from "./Coroutine.ts"
import { RuntimeError, type TimeoutError } from "./errors.ts"
import { Endpoint } from "./internal/Endpoint.ts"
import * as Failure from "./internal/Failure.ts"
import * as Timeout from "./internal/Timeout.ts"
import { endpointOf, type PlainSocket } from "./SocketModule.ts"

/** What somebody sent: on IP sockets address, port and bytes. */
export type Received = readonly [address: string, port: number, data: Buffer]

/** What somebody sent on a UNIX socket: the path, null for a sender without a name, and bytes. */
export type ReceivedUnix = readonly [path: string | null, data: Buffer]

/** What came along with a datagram: its length, level and type, and its bytes, as cmsg(3) has them. */
export type Ancillary = readonly [length: number, level: number, type: number, data: Buffer]

type Waits<A> = Awaitable<A, RuntimeError | TimeoutError>

/**
 * A socket. Made by `kore.socket_wrap` and `accept`.
 *
 * Coroutines that wait for the same direction of a socket are served in the order of asking. One that is killed has
 * taken nothing. What the system refuses is a RuntimeError, with its code in `cause.code`.
 */
export interface Socket {
  /** Waits for the next connection, and gives its socket; close it. */
  readonly accept: () => Waits<Socket>
  /** Closes the socket, but for one of Node's, which is left to its owner; who waits for it gets RuntimeError. Always true. */
  readonly close: () => true
  /** Connects to a host, whose name is resolved, or to the path or `@name` of a UNIX socket. */
  readonly connect: {
    (host: string, port: number | string): Waits<void>
    (path: string): Waits<void>
  }
  /**
   * Ends the stream to the peer, once all is written; what the peer sends can still be received. Again, it does nothing.
   *
   * Not in Kore; Python's `shutdown(SHUT_WR)`.
   */
  readonly end: () => Waits<void>
  /** Receives up to `maxlen` bytes, null at the end of a stream. Fails with TimeoutError after `timeout` milliseconds. */
  readonly recv: (maxlen: number, timeout?: number) => Waits<Buffer | null>
  /**
   * Receives a datagram, cut to `maxlen`, and tells who sent it; of a stream some bytes, or null at its end.
   *
   * On a UNIX socket say `recvfrom<kore.ReceivedUnix>(1024)`.
   */
  readonly recvfrom: <R extends Received | ReceivedUnix = Received>(maxlen: number) => Waits<R | null>
  /** As `recvfrom`, with what came along: descriptors, which belong to whoever gets them, and credentials. */
  readonly recvmsg: <R extends Received | ReceivedUnix = Received>(
    maxlen: number
  ) => Waits<readonly [...R, ancillary: ReadonlyArray<Ancillary>] | null>
  /** Sends bytes, or text as UTF-8; waits until all is written. */
  readonly send: (data: Uint8Array | string) => Waits<void>
  /** Sends a datagram to an address, or to the path or `@name` of a UNIX socket. */
  readonly sendto: {
    (address: string, port: number | string, data: Uint8Array | string): Waits<void>
    (path: string, data: Uint8Array | string): Waits<void>
  }
}

/** What can be wrapped: a socket of `kore.socket`, or one of Node that is connected, connecting, listening or bound. */
export type Wrappable = PlainSocket<any> | net.Socket | net.Server | dgram.Socket

/**
 * Wraps a socket, so that coroutines can wait for it.
 *
 * Nobody else may read from it until it is closed. It is closed at the latest when nobody has it any more, or the worker
 * ends.
 *
 * @throws RuntimeError for what is no socket, and where no worker runs.
 *
 * @example
 * ```ts
 * import { kore } from "kore-fx/legacy"
 *
 * const page = async (req: kore.Request) => {
 *   const sock = kore.socket.socket(kore.socket.AF_INET, kore.socket.SOCK_STREAM | kore.socket.SOCK_NONBLOCK)
 *   const ksock = kore.socket_wrap(sock)
 *   await ksock.connect("127.0.0.1", 3332)
 *   await ksock.send("hello world")
 *   const response = await ksock.recv(1024, 5000)
 *   ksock.close()
 *   req.response(200, response)
 * }
 * ```
 */
export const socket_wrap = (socket: Wrappable): Socket => {
  const endpoint = endpointOf(socket)
  if (endpoint !== undefined) return new SocketImpl(endpoint)
  if (socket instanceof net.Socket) {
    return new SocketImpl(Endpoint.of("kore.socket_wrap", "stream", CoreSocket.fromNet(socket, { onClose: "keep" })))
  }
  if (socket instanceof net.Server) {
    return new SocketImpl(
      Endpoint.of("kore.socket_wrap", "listener", CoreSocket.fromServer(socket, { onClose: "keep" }))
    )
  }
  if (socket instanceof dgram.Socket) {
    return new SocketImpl(
      Endpoint.of("kore.socket_wrap", "datagram", CoreSocket.fromDgram(socket, { onClose: "keep" }))
    )
  }
  throw new RuntimeError(
    `kore.socket_wrap got ${describe(socket)}, expected a socket of kore.socket, node:net or node:dgram`
  )
}

class SocketImpl implements Socket {
  private readonly endpoint: Endpoint

  constructor(endpoint: Endpoint) {
    this.endpoint = endpoint
  }

  readonly accept = (): Waits<Socket> =>
    waits(Effect.map(this.endpoint.accepted, (endpoint) => new SocketImpl(endpoint)))

  readonly close = (): true => {
    this.endpoint.close()
    return true
  }

  readonly connect = (host: string, port?: number | string): Waits<void> =>
    waits(this.endpoint.connect(this.endpoint.isUnix && port === undefined ? { path: host } : targetOf(host, port)))

  readonly end = (): Waits<void> => waits(this.endpoint.use("end", ["stream"], ({ socket }) => CoreSocket.end(socket)))

  readonly recv = (maxlen: number, timeout?: number): Waits<Buffer | null> => {
    const limit = Timeout.check("sock.recv", timeout)
    return waits(
      this.endpoint.use("recv", ["stream", "datagram"],
        ({ socket }) => Effect.map(CoreSocket.recv(socket, maxlen, { timeout: limit }), Option.getOrNull))
    )
  }

  readonly recvfrom = (maxlen: number): Waits<any> =>
    waits(
      this.endpoint.use("recvfrom", ["stream", "datagram"], (open): Effect.Effect<unknown, unknown> =>
        open.kind === "datagram"
          ? Effect.map(CoreSocket.recvfrom(open.socket, maxlen), ({ address, data }) => received(address, data))
          : Effect.map(CoreSocket.recv(open.socket, maxlen), (bytes) =>
            Option.isNone(bytes) ? null : received(open.socket.remote, bytes.value)))
    )

  readonly recvmsg = (maxlen: number): Waits<any> =>
    waits(
      this.endpoint.use("recvmsg", ["stream", "datagram"], (open): Effect.Effect<unknown, unknown> =>
        open.kind === "datagram" && open.socket.local._tag === "Unix"
          ? Effect.map(
            CoreSocket.recvmsg(open.socket as CoreSocket.Datagram<CoreSocket.Unix>, maxlen),
            ({ address, ancillary, data }) => [...received(address, data), ancillary.map(ancillaryOf)]
          )
          // Nothing comes along there.
          : Effect.map(this.recvfrom(maxlen), (message) => message === null ? null : [...message, []]))
    )

  readonly send = (data: Uint8Array | string): Waits<void> =>
    waits(this.endpoint.use("send", ["stream", "datagram"], ({ socket }) => CoreSocket.send(socket, data)))

  readonly sendto = (...args: ReadonlyArray<any>): Waits<void> => {
    const target = args.length > 2 ? targetOf(args[0], args[1]) : { path: args[0] }
    return waits(
      this.endpoint.use("sendto", ["datagram"], ({ socket }) => CoreSocket.sendto(socket, target, args.at(-1)))
    )
  }
}

const received = (address: CoreSocket.Address, data: Buffer): Received | ReceivedUnix =>
  address._tag === "Inet" ? [address.host, address.port, data] : [address.path === "" ? null : address.path, data]

const ancillaryOf = (
  { data, level, type }: CoreSocket.Message["ancillary"][number]
): Ancillary => [data.length, level, type, data]

const targetOf = (host: unknown, port: unknown): CoreSocket.Target => ({
  host: host as string,
  port: typeof port === "string" && /^\d{1,5}$/.test(port) ? Number(port) : port as number
})

const waits = <A>(effect: Effect.Effect<A, unknown>): Waits<A> => new Awaitable(Failure.translated(effect))
