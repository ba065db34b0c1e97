/**
 * `kore.socket`: the few calls of Python's module `socket` that make a socket for `kore.socket_wrap`.
 *
 * When to reach for it: a socket is bound, listens or gets options before coroutines wait for it.
 * What it is not: all of Python's module. What waits is done by what `kore.socket_wrap` makes. Linux and macOS only.
 */
import * as CoreSocket from "@kore-fx/core/Socket"
import * as Effect from "effect/Effect"
import * as net from "node:net"
import { describe } from "./Coroutine.ts"
import { RuntimeError } from "./errors.ts"
import { Endpoint } from "./internal/Endpoint.ts"
import * as Failure from "./internal/Failure.ts"

/**
 * A socket that coroutines cannot wait for yet. Made by `kore.socket.socket`.
 *
 * `A` is its kind of address: an IP address and a port, or the path or `@name` of a UNIX socket. What the system refuses
 * is a RuntimeError, with its code in `cause.code`.
 */
export interface PlainSocket<A = InetAddress> {
  /** Gives the socket its own address: an IP address, empty for all of them, and a port, 0 for a free one; or a path. */
  readonly bind: (address: A) => void
  /** Lets others connect; `backlog` is how many may wait in the kernel, 511 by default. */
  readonly listen: (backlog?: number) => void
  /** Sets an option by the numbers of the system, before the socket connects or listens. */
  readonly setsockopt: (level: number, option: number, value: number | Uint8Array) => void
  /** Does nothing: no socket here ever blocks the worker. */
  readonly setblocking: (flag: boolean) => void
  /** Its own address, once it listens, is connected or has received. */
  readonly getsockname: () => A
  /** Closes the socket, with the one that wraps it. Closing twice is no error. */
  readonly close: () => void
}

/** An IP address, or a host name where one is resolved, and a port. */
export type InetAddress = readonly [host: string, port: number]

const isLinux = process.platform === "linux"

const AF_UNIX = 1
const AF_INET = 2
const AF_INET6: number = isLinux ? 10 : 30
const SOCK_STREAM = 1
const SOCK_DGRAM = 2
// Where the type has no flags, the numbers are of no use to anybody.
const SOCK_NONBLOCK = 0x800
const SOCK_CLOEXEC = 0x80000

const families: ReadonlyMap<number, CoreSocket.Unconnected["family"]> = new Map([
  [AF_UNIX, "unix"],
  [AF_INET, "inet"],
  [AF_INET6, "inet6"]
])
const types: ReadonlyMap<number, CoreSocket.Unconnected["type"]> = new Map([
  [SOCK_STREAM, "stream"],
  [SOCK_DGRAM, "datagram"]
])

const make = (family: number, type: number): PlainSocket<any> => {
  const familyName = families.get(family)
  const typeName = types.get(type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC))
  if (familyName !== undefined && typeName !== undefined) return new PlainSocketImpl(familyName, typeName)
  throw new RuntimeError(
    `kore.socket.socket got the family ${describe(family)} and the type ${
      describe(type)
    }, expected AF_INET, AF_INET6 ` +
      "or AF_UNIX, and SOCK_STREAM or SOCK_DGRAM"
  )
}

/**
 * The module `socket`: a function that makes one, and the numbers that it and `setsockopt` take.
 *
 * A socket is closed at the latest when nobody has it any more, or the worker ends.
 *
 * @throws RuntimeError where no worker runs, for another family or type, and for what the system refuses.
 *
 * @example
 * ```ts
 * import { kore } from "kore-fx/legacy"
 *
 * class Echo {
 *   workerstart() {
 *     const sock = kore.socket.socket(kore.socket.AF_INET, kore.socket.SOCK_STREAM)
 *     sock.setsockopt(kore.socket.SOL_SOCKET, kore.socket.SO_REUSEADDR, 1)
 *     sock.bind(["127.0.0.1", 7000])
 *     sock.listen()
 *     kore.task_create(this.serve(kore.socket_wrap(sock)))
 *   }
 *   *serve(listener: kore.Socket) {
 *     while (true) kore.task_create(this.echo(yield* listener.accept()))
 *   }
 *   *echo(client: kore.Socket) {
 *     for (let data = yield* client.recv(1024); data !== null; data = yield* client.recv(1024)) yield* client.send(data)
 *     client.close()
 *   }
 * }
 * ```
 */
export const socket = {
  socket: make as {
    (family: typeof AF_UNIX, type: number): PlainSocket<string>
    (family: number, type: number): PlainSocket
  },
  AF_UNIX: AF_UNIX as typeof AF_UNIX,
  AF_INET: AF_INET as number,
  AF_INET6,
  SOCK_STREAM: SOCK_STREAM as number,
  SOCK_DGRAM: SOCK_DGRAM as number,
  /** Sockets never block here; the flag is for programs that name it. */
  SOCK_NONBLOCK: SOCK_NONBLOCK as number,
  /** Sockets are always closed on exec here; the flag is for programs that name it. */
  SOCK_CLOEXEC: SOCK_CLOEXEC as number,
  SOL_SOCKET: isLinux ? 1 : 0xffff,
  SO_REUSEADDR: isLinux ? 2 : 0x0004,
  SO_REUSEPORT: isLinux ? 15 : 0x0200,
  SO_KEEPALIVE: isLinux ? 9 : 0x0008,
  SO_BROADCAST: isLinux ? 6 : 0x0020,
  SO_SNDBUF: isLinux ? 7 : 0x1001,
  SO_RCVBUF: isLinux ? 8 : 0x1002,
  IPPROTO_TCP: 6,
  TCP_NODELAY: 1,
  IPPROTO_IPV6: 41,
  IPV6_V6ONLY: isLinux ? 26 : 27
} as const

class PlainSocketImpl implements PlainSocket<any> {
  readonly endpoint: Endpoint
  private readonly family: CoreSocket.Unconnected["family"]

  constructor(family: CoreSocket.Unconnected["family"], type: CoreSocket.Unconnected["type"]) {
    this.family = family
    this.endpoint = Endpoint.make(family, type)
  }

  readonly bind = (address: unknown): void => {
    const target = this.targetOf(address)
    Failure.now(Effect.flatMap(this.endpoint.plain("bind"), (plain) => CoreSocket.bind(plain, target)))
  }

  private targetOf(address: unknown): CoreSocket.Target {
    if (this.family === "unix") return { path: address as string }
    if (!Array.isArray(address)) {
      throw new RuntimeError(
        `sock.bind got ${describe(address)}, expected an address and a port, such as ["::1", 8888]`
      )
    }
    const [host, port] = address as ReadonlyArray<any>
    const any = this.family === "inet6" ? "::" : "0.0.0.0"
    // A name would have to be waited for.
    if (host !== "" && net.isIP(String(host)) === 0) {
      throw new RuntimeError(`sock.bind got the host ${describe(host)}, expected an IP address, or "" for all of them`)
    }
    return { host: host === "" ? any : host, port }
  }

  readonly listen = (backlog?: number): void => Failure.now(this.endpoint.listen(backlog))

  readonly setsockopt = (level: number, option: number, value: number | Uint8Array): void =>
    Failure.now(
      Effect.flatMap(this.endpoint.plain("setOption"), (plain) => CoreSocket.setOption(plain, level, option, value))
    )

  readonly setblocking = (_flag: boolean): void => {}

  readonly getsockname = (): any => {
    const address = Failure.now(this.endpoint.address)
    return address._tag === "Unix" ? address.path : [address.host, address.port]
  }

  readonly close = (): void => this.endpoint.close()
}

/** What a plain socket shares with the one that wraps it. */
export const endpointOf = (u: unknown): Endpoint | undefined => u instanceof PlainSocketImpl ? u.endpoint : undefined
