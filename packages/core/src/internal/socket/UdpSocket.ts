/**
 * A UDP socket, on Node's.
 *
 * When to reach for it: only through `Socket`, which says what is promised.
 * What it is not: public.
 *
 * Node receives all the time and cannot be told to stop, so what nobody takes is kept here, up to a bound, and what
 * comes beyond it is thrown away and counted. The kernel would do the same a little later, and tell nobody.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as dgram from "node:dgram"
import * as net from "node:net"
import { type Operation, SocketError } from "../../SocketError.ts"
import * as Ring from "../Ring.ts"
import * as Address from "./Address.ts"
import * as DatagramSocket from "./DatagramSocket.ts"
import * as NodeError from "./NodeError.ts"
import * as Refusal from "./Refusal.ts"
import * as Resolver from "./Resolver.ts"
import * as Turns from "./Turns.ts"

/** The most that waits to be received: in datagrams, and in bytes. */
const mostDatagrams = 1024
const mostBytes = 1024 * 1024

export interface Options {
  readonly host?: string | undefined
  readonly port?: number | undefined
  readonly peer?: Address.InetTarget | undefined
}

export class UdpSocket extends DatagramSocket.DatagramSocket<Address.Inet> {
  dropped = 0
  private readonly node: dgram.Socket
  private readonly closes: boolean
  private readonly arrived = new Ring.Ring<DatagramSocket.Received<Address.Inet>>()
  private bytes = 0
  /** What went wrong since the last recv, such as a peer that is not there; told once, and the socket goes on. */
  private failure: NodeJS.ErrnoException | undefined = undefined

  constructor(node: dgram.Socket, local: Address.Inet, remote: Address.Inet | undefined, closes = true) {
    super(local, remote)
    this.node = node
    this.closes = closes
    node.on("message", this.onMessage)
    node.on("error", this.onError)
    node.on("close", this.onGone)
  }

  protected get isReadable(): boolean {
    return this.arrived.length > 0 || this.failure !== undefined
  }

  protected wanted(): void {}

  protected take(operation: Operation, maxBytes: number): DatagramSocket.Received<Address.Inet> {
    if (this.arrived.length > 0) {
      const datagram = this.arrived.shift()
      this.bytes -= datagram.size
      return datagram.size <= maxBytes ? datagram : { ...datagram, data: datagram.data.subarray(0, maxBytes) }
    }
    const { failure } = this
    this.failure = undefined
    throw failure === undefined ? Turns.missed : NodeError.toSocketError(failure, operation, this.where)
  }

  private readonly onMessage = (data: Buffer, from: dgram.RemoteInfo): void => {
    // It came between bind and connect, before the kernel knew of the peer.
    if (this.remote !== undefined && (from.port !== this.remote.port || from.address !== this.remote.host)) return
    if (this.arrived.length >= mostDatagrams || this.bytes + data.length > mostBytes) {
      this.dropped++
      return
    }
    this.bytes += data.length
    this.arrived.push({ address: Address.inet(from.address, from.port), data, size: data.length })
    this.reads.signal()
  }

  private readonly onError = (error: NodeJS.ErrnoException): void => {
    this.failure = error
    this.reads.signal()
  }

  private readonly onGone = (): void => super.shut()

  protected override shut(): void {
    this.node.off("message", this.onMessage).off("close", this.onGone)
    if (this.closes) close(this.node)
    else this.node.off("error", this.onError)
    super.shut()
  }

  // --- sending -------------------------------------------------------------------------------------------------------

  override sendTo(
    operation: Operation,
    target: Address.Target | undefined,
    data: Uint8Array | string,
    descriptors: ReadonlyArray<number>
  ): Effect.Effect<void, SocketError> {
    if (descriptors.length > 0) {
      return Effect.fail(Refusal.make(operation, this.where, "UDP carries no descriptors", "A UNIX datagram socket"))
    }
    if (target === undefined) {
      return this.remote === undefined
        ? Effect.fail(noPeer(operation, this.where))
        : this.submit(operation, Address.format(this.remote), (sent) => this.node.send(data, sent))
    }
    if ("path" in target) {
      return Effect.fail(Refusal.make(operation, target.path, "it is a path", "{ host, port } for a UDP socket"))
    }
    const family = net.isIPv6(this.local.host) ? 6 : 4
    const host = Address.withoutBrackets(target.host)
    const refusal = Refusal.ofFamily(operation, host, family)
    if (refusal !== undefined) return Effect.fail(refusal)
    return Effect.flatMap(
      Resolver.resolve(operation, host, family),
      ([ip]) => this.submit(operation, Address.format(target), (sent) => this.node.send(data, target.port, ip, sent))
    )
  }

  private submit(
    operation: Operation,
    address: string,
    send: (sent: (error: Error | null) => void) => void
  ): Effect.Effect<void, SocketError> {
    return this.whileOpen(operation, (resume) => {
      send((error) =>
        resume(error === null ? Effect.void : Effect.fail(NodeError.toSocketError(error, operation, address)))
      )
    })
  }
}

/** Makes a UDP socket that is bound, and has a peer if one is named. */
export const make = (options: Options): Effect.Effect<UdpSocket, SocketError, Scope.Scope> =>
  Effect.suspend(() => {
    const { peer, port = 0 } = options
    const host = options.host ??
      (peer !== undefined && net.isIPv6(Address.withoutBrackets(peer.host)) ? "::" : "0.0.0.0")
    const refusal = Refusal.ofTarget("udp", { host, port }, 0) ??
      (peer === undefined ? undefined : Refusal.ofTarget("udp", peer, 1))
    if (refusal !== undefined) return Effect.fail(refusal)
    return Effect.flatMap(
      Resolver.resolve("udp", host),
      ([ip]) =>
        using(
          net.isIPv6(ip) ? 6 : 4,
          (node, bound) => node.bind({ address: ip, port, exclusive: true }, bound),
          Address.format({ host: ip, port }),
          peer
        )
    )
  })

/** Makes a UDP socket that `start` binds, or gives a descriptor to. */
export const using = (
  family: 4 | 6,
  start: (node: dgram.Socket, bound: () => void) => void,
  address: string,
  peer: Address.InetTarget | undefined
): Effect.Effect<UdpSocket, SocketError, Scope.Scope> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.suspend(() => {
      const node = dgram.createSocket({ type: `udp${family}`, ipv6Only: family === 6 })
      node.on("error", ignore)
      const bound = Effect.callback<void, SocketError>((resume) => {
        node.once("error", (error) => resume(Effect.fail(NodeError.toSocketError(error, "udp", address))))
        start(node, () => resume(Effect.void))
      })
      const ready = peer === undefined ? Effect.as(bound, undefined)
        : Effect.andThen(bound, setPeer(node, family, peer))
      return restore(ready).pipe(
        Effect.onError(() => Effect.sync(() => close(node))),
        Effect.flatMap((remote) => new UdpSocket(node, localOf(node), remote).own())
      )
    })
  )

/** Where Node's socket is bound. */
export const localOf = (node: dgram.Socket): Address.Inet => {
  const { address, port } = node.address()
  return Address.inet(address, port)
}

/** The peer of Node's socket, written as Node writes senders; undefined when it has none. */
export const peerOf = (node: dgram.Socket): Address.Inet | undefined => {
  try {
    const { address, port } = node.remoteAddress()
    return Address.inet(address, port)
  } catch {
    return undefined
  }
}

const setPeer = (node: dgram.Socket, family: 4 | 6, peer: Address.InetTarget) =>
  Effect.gen(function*() {
    const [ip] = yield* Resolver.resolve("udp", peer.host, family)
    const refusal = Refusal.ofFamily("udp", ip, family)
    if (refusal !== undefined) return yield* refusal
    const error = yield* Effect.callback<Error | undefined>((resume) => {
      // Given an error or nothing, whatever the types say.
      node.connect(peer.port, ip, ((failure?: Error) => resume(Effect.succeed(failure))) as () => void)
    })
    if (error !== undefined) return yield* NodeError.toSocketError(error, "udp", Address.format(peer))
    return peerOf(node)
  })

// Node throws when it was closed by somebody else.
const close = (node: dgram.Socket): void => {
  try {
    node.close()
  } catch {
    // That is what was wanted.
  }
}

const noPeer = (operation: Operation, address: string): SocketError =>
  new SocketError({ operation, reason: "System", code: "EDESTADDRREQ", address, detail: "the socket has no peer" })

const ignore = (): void => {}
