/**
 * A socket that is made first and told later what it is for, as the calls of the system have it.
 *
 * When to reach for it: only through `Socket.make`, which says what is promised.
 * What it is not: public. Once it connects or listens, its descriptor belongs to what it has become.
 */
import type * as Cause from "effect/Cause"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as net from "node:net"
import * as Native from "../../native/Datagram.ts"
import * as Libc from "../../native/Libc.ts"
import * as Platform from "../../native/Platform.ts"
import * as Readiness from "../../native/Readiness.ts"
import * as NativeSocket from "../../native/Socket.ts"
import * as SocketFile from "../../native/SocketFile.ts"
import type { Operation, SocketError } from "../../SocketError.ts"
import * as Address from "./Address.ts"
import * as Connecting from "./Connecting.ts"
import type * as DatagramSocket from "./DatagramSocket.ts"
import * as ListenerSocket from "./ListenerSocket.ts"
import * as NodeError from "./NodeError.ts"
import * as Owned from "./Owned.ts"
import * as Refusal from "./Refusal.ts"
import * as Resolver from "./Resolver.ts"
import type * as StreamSocket from "./StreamSocket.ts"
import * as UdpSocket from "./UdpSocket.ts"
import * as UnixDatagramSocket from "./UnixDatagramSocket.ts"

export const TypeId = "~@kore-fx/core/Socket/Unconnected"

type Family = "inet" | "inet6" | "unix"
type Type = "stream" | "datagram"

export class UnconnectedSocket extends Owned.Owned {
  readonly [TypeId]: typeof TypeId = TypeId
  readonly family: Family
  readonly type: Type
  private readonly libc: Libc.Libc
  private descriptor: number | undefined
  private isClosed = false
  private bound: Address.Target | undefined = undefined
  /** Takes the file of a UNIX socket away. */
  private removal: Effect.Effect<void> = Effect.void

  constructor(libc: Libc.Libc, family: Family, type: Type, descriptor: number) {
    super()
    this.libc = libc
    this.family = family
    this.type = type
    this.descriptor = descriptor
  }

  private get where(): string {
    return this.bound === undefined ? `a new ${this.family} ${this.type} socket` : Address.format(this.bound)
  }

  protected override shut(): void {
    this.isClosed = true
    if (this.descriptor !== undefined) this.libc.close(this.descriptor)
    this.descriptor = undefined
  }

  /** The end of an unconnected socket that became nothing; the file goes first. */
  get ownWithFile(): Effect.Effect<this, never, Scope.Scope> {
    return this.own(Effect.suspend(() => this.descriptor === undefined ? Effect.void : this.removal))
  }

  private usable(operation: Operation, type?: Type): Effect.Effect<number, SocketError> {
    return Effect.suspend(() => {
      if (this.isClosed) return Effect.fail(NodeError.closed(operation, this.where))
      if (this.descriptor === undefined) {
        return Effect.fail(
          Refusal.make(operation, this.where, "the socket has become another one", "A socket that was made just now")
        )
      }
      return type === undefined || type === this.type
        ? Effect.succeed(this.descriptor)
        : Effect.fail(Refusal.make(operation, this.where, `it is a ${this.type} socket`, `A ${type} socket`))
    })
  }

  /** From here on the descriptor belongs to somebody else, and with it the file. */
  private readonly handOver = (): void => {
    this.descriptor = undefined
  }

  bind(target: Address.Target): Effect.Effect<void, SocketError> {
    const refusal = Refusal.ofTarget("bind", target, 0)
    if (refusal !== undefined) return Effect.fail(refusal)
    return Effect.flatMap(this.nativeAddress("bind", target), (address) =>
      Effect.uninterruptible(
        Effect.flatMap(this.usable("bind"), (descriptor) =>
          NativeSocket.bind(descriptor, address).pipe(
            Effect.mapError((error) => NodeError.fromCall(error, "bind", Address.format(target))),
            Effect.andThen(Effect.suspend(() => this.onBound(target, address)))
          ))
      ))
  }

  private onBound(target: Address.Target, address: NativeSocket.SocketAddress): Effect.Effect<void> {
    this.bound = address._tag === "Inet" ? { host: address.ip, port: address.port } : target
    if (address._tag === "Inet" || address.path.startsWith("@")) return Effect.void
    return Effect.map(SocketFile.identify(address.path), (file) => {
      this.removal = SocketFile.remove(file)
    })
  }

  private nativeAddress(
    operation: Operation,
    target: Address.Target
  ): Effect.Effect<NativeSocket.SocketAddress, SocketError> {
    if (("path" in target) !== (this.family === "unix")) {
      const expected = this.family === "unix" ? "{ path }" : "{ host, port }"
      return Effect.fail(Refusal.make(operation, Address.format(target), `it is for another family`, expected))
    }
    if ("path" in target) return Effect.succeed({ _tag: "Unix", path: target.path })
    const family = this.family === "inet6" ? 6 : 4
    const refusal = Refusal.ofFamily(operation, Address.withoutBrackets(target.host), family)
    if (refusal !== undefined) return Effect.fail(refusal)
    return Effect.map(
      Resolver.resolve(operation, target.host, family),
      ([ip]) => ({ _tag: "Inet", ip, port: target.port })
    )
  }

  setOption(level: number, option: number, value: number | Uint8Array): Effect.Effect<void, SocketError> {
    return Effect.flatMap(this.usable("setOption"), (descriptor) => {
      const errno = Native.setOption(this.libc, descriptor, level, option, value)
      return errno === 0 ? Effect.void : Effect.fail(failed("setOption", errno, this.where))
    })
  }

  connect(
    target: Address.Target,
    timeout: Duration.Input | undefined
  ): Effect.Effect<StreamSocket.StreamSocket, SocketError | Cause.TimeoutError, Scope.Scope> {
    const refusal = Refusal.ofTarget("connect", target, 1)
    if (refusal !== undefined) return Effect.fail(refusal)
    return Effect.flatMap(this.nativeAddress("connect", target),
      (address) =>
        Effect.uninterruptibleMask((restore) =>
          Effect.flatMap(this.usable("connect", "stream"), (descriptor) => {
            this.handOver()
            const peer = address._tag === "Inet" ? { host: address.ip, port: address.port } : target
            const local = this.bound !== undefined && "path" in this.bound ? this.bound.path : ""
            return Connecting.using(restore, () => nodeSocket(descriptor), peer, timeout, local, this.removal)
          })
        ))
  }

  listen(backlog: number): Effect.Effect<ListenerSocket.OwnListener, SocketError, Scope.Scope> {
    const refusal = Refusal.ofBacklog(backlog, this.where)
    if (refusal !== undefined) return Effect.fail(refusal)
    return Effect.uninterruptible(
      Effect.flatMap(this.usable("listen", "stream"), (descriptor) =>
        NativeSocket.listen(descriptor, backlog).pipe(
          Effect.andThen(this.family === "unix" ? Effect.succeed(0) : NativeSocket.portOf(descriptor)),
          Effect.mapError((error) => NodeError.fromCall(error, "listen", this.where)),
          Effect.flatMap((port) => {
            this.handOver()
            const address = this.bound !== undefined && "path" in this.bound
              ? Address.unix(this.bound.path)
              : Address.inet(this.bound?.host ?? this.anyHost, port)
            return new ListenerSocket.OwnListener(this.libc, descriptor, address, backlog).own(this.removal)
          })
        ))
    )
  }

  private get anyHost(): string {
    return this.family === "inet6" ? "::" : "0.0.0.0"
  }

  datagram(
    peer: Address.Target | undefined
  ): Effect.Effect<DatagramSocket.DatagramSocket<any>, SocketError, Scope.Scope> {
    const refusal = peer === undefined ? undefined : Refusal.ofTarget("connect", peer, 1)
    if (refusal !== undefined) return Effect.fail(refusal)
    const address = peer === undefined ? Effect.undefined : this.nativeAddress("connect", peer)
    return Effect.flatMap(address,
      (native) =>
        Effect.uninterruptible(Effect.flatMap(this.usable("make", "datagram"), (descriptor): Effect.Effect<
          DatagramSocket.DatagramSocket<any>,
          SocketError,
          Scope.Scope
        > =>
          this.family === "unix"
            ? this.unixDatagram(descriptor, native?._tag === "Unix" ? native : undefined)
            : this.udp(descriptor, native?._tag === "Inet" ? { host: native.ip, port: native.port } : undefined))))
  }

  private udp(descriptor: number, peer: Address.InetTarget | undefined) {
    // Node receives at once, for which a socket has to be bound.
    const bound = this.bound === undefined ? this.bind({ host: this.anyHost, port: 0 }) : Effect.void
    return Effect.andThen(bound, Effect.suspend(() => {
      this.handOver()
      const family = this.family === "inet6" ? 6 : 4
      return UdpSocket.using(family, (node, done) => node.bind({ fd: descriptor, exclusive: true }, done), this.where,
        peer)
    }))
  }

  private unixDatagram(descriptor: number, peer: Address.UnixTarget | undefined) {
    const bound = Effect.suspend(() => {
      const errno = this.bound === undefined ? Native.bind(this.libc, descriptor, "") : 0
      return errno === 0 ? Effect.succeed(this.removal) : Effect.fail(failed("bind", errno, this.where))
    })
    return Readiness.load.pipe(
      Effect.mapError((error) => NodeError.fromCall(error, "unixDatagram", this.where)),
      Effect.flatMap((readiness) => UnixDatagramSocket.adopt(this.libc, readiness, descriptor, { peer }, bound)),
      Effect.tap(Effect.sync(this.handOver))
    )
  }
}

/** Makes a socket. */
export const make = (family: Family, type: Type): Effect.Effect<UnconnectedSocket, SocketError, Scope.Scope> =>
  Effect.uninterruptible(
    Effect.gen(function*() {
      const address = `a ${family} ${type} socket`
      if (!Object.hasOwn(domains, family) || !Object.hasOwn(types, type)) {
        const expected = "inet, inet6 or unix, and stream or datagram"
        return yield* Refusal.make("make", address, "there is no such socket", expected)
      }
      const libc = yield* Effect.mapError(Libc.load, (error) => NodeError.fromCall(error, "make", address))
      const descriptor = yield* Effect.mapError(
        Effect.fromResult(Native.open(libc, platform[domains[family]], platform[types[type]])),
        (error) => NodeError.fromCall(error, "make", address)
      )
      return yield* new UnconnectedSocket(libc, family, type, descriptor).ownWithFile
    })
  )

// --- private ---------------------------------------------------------------------------------------------------------

// Whoever has a `Libc` has a platform.
const platform = Platform.current as Platform.Platform

const domains = { inet: "AF_INET", inet6: "AF_INET6", unix: "AF_UNIX" } as const
const types = { stream: "SOCK_STREAM", datagram: "SOCK_DGRAM" } as const

// Node would read from it at once, which is an error before it is connected. There is no documented way to tell it not
// to; this is how Node's own modules do.
const nodeSocket = (fd: number): net.Socket =>
  new net.Socket({ fd, allowHalfOpen: true, manualStart: true } as net.SocketConstructorOpts).pause()

const failed = (operation: Operation, errno: number, address: string): SocketError =>
  NodeError.fromCall(Libc.systemError(operation, errno), operation, address)
