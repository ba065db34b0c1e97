/**
 * A listening socket, and the connections that were taken in and wait to be accepted.
 *
 * When to reach for it: only through `Socket`, which says what is promised.
 * What it is not: public.
 *
 * Node cannot pause a server: while one listens, it takes in every connection. So the socket is ours, made by FFI, and
 * Node gets a second descriptor of it while somebody wants connections and few wait. When many wait, Node's server is
 * closed, and with it that descriptor; the socket stays and goes on to queue connections in the kernel, up to the
 * backlog. Opening a server again costs about 80 µs, so it is done when half of those that waited are gone.
 */
import type * as Cause from "effect/Cause"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as net from "node:net"
import * as Descriptor from "../../native/Descriptor.ts"
import type * as Libc from "../../native/Libc.ts"
import type { SocketError } from "../../SocketError.ts"
import * as Ring from "../Ring.ts"
import * as Address from "./Address.ts"
import * as NodeError from "./NodeError.ts"
import * as Owned from "./Owned.ts"
import * as StreamSocket from "./StreamSocket.ts"
import * as Turns from "./Turns.ts"
import * as Waiting from "./Waiting.ts"

export const TypeId = "~@kore-fx/core/Socket/Listener"

export abstract class ListenerSocket extends Owned.Owned {
  readonly [TypeId]: typeof TypeId = TypeId
  abstract readonly address: Address.Address
  protected readonly arrived = new Ring.Ring<StreamSocket.StreamSocket>()
  private readonly accepts: Turns.Turns
  /** What went wrong since the last accept; told once, and the listener goes on. */
  private failure: SocketError | undefined = undefined
  protected isClosed = false
  /** Told when it is closed: those who do not wait to accept, where they would notice. */
  readonly onShut = new Set<() => void>()

  constructor() {
    super()
    this.accepts = new Turns.Turns(
      () => this.arrived.length > 0 || this.failure !== undefined || this.isClosed,
      () => this.wanted(),
      () => this.where
    )
  }

  get isShut(): boolean {
    return this.isClosed
  }

  /** Somebody waits for a connection, or took one. */
  protected abstract wanted(): void

  accept(
    timeout: Duration.Input | undefined
  ): Effect.Effect<StreamSocket.StreamSocket, SocketError | Cause.TimeoutError, Scope.Scope> {
    const taken = this.accepts.take(
      () => this.take(),
      "accept",
      Waiting.deadline("accept", () => this.where, timeout, "Nobody was taken in, and nobody was lost.")
    )
    // The step that takes a connection is the last that can be interrupted.
    return Effect.uninterruptibleMask((restore) => Effect.flatMap(restore(taken), (stream) => stream.own()))
  }

  private take(): StreamSocket.StreamSocket {
    if (this.isClosed) throw NodeError.closed("accept", this.where)
    if (this.arrived.length > 0) {
      const stream = this.arrived.shift()
      this.wanted()
      return stream
    }
    const { failure } = this
    this.failure = undefined
    throw failure ?? Turns.missed
  }

  protected get where(): string {
    return Address.format(this.address)
  }

  protected add(node: net.Socket): void {
    const { address } = this
    const ends = address._tag === "Unix" ? Address.unixEnds(address.path, "") : Address.endsOf(node)
    this.arrived.push(new StreamSocket.StreamSocket(node, ends))
    this.accepts.signal()
  }

  protected fail(error: SocketError): void {
    this.failure = error
    this.accepts.signal()
  }

  protected override shut(): void {
    this.isClosed = true
    while (this.arrived.length > 0) this.arrived.shift().discard()
    this.accepts.signal()
    for (const told of this.onShut) told()
  }
}

/** How many connections may wait before Node's server is closed. */
const most = 16

/** A listener on a socket of our own. */
export class OwnListener extends ListenerSocket {
  readonly address: Address.Address
  private readonly libc: Libc.Libc
  private readonly descriptor: number
  private readonly backlog: number
  private server: net.Server | undefined = undefined

  constructor(libc: Libc.Libc, descriptor: number, address: Address.Address, backlog: number) {
    super()
    this.libc = libc
    this.descriptor = descriptor
    this.address = address
    this.backlog = backlog
  }

  protected override wanted(): void {
    if (this.server === undefined && !this.isClosed && this.arrived.length <= most / 2) this.open()
  }

  private open(): void {
    const descriptor = Descriptor.duplicate(this.libc, this.descriptor)
    if (typeof descriptor !== "number") return this.fail(NodeError.fromCall(descriptor, "accept", this.where))
    const server = net.createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true })
    this.server = server
    server.on("connection", (node) => {
      this.add(node)
      if (this.arrived.length >= most) this.closeServer()
    })
    server.on("error", (error) => {
      this.closeServer()
      this.fail(NodeError.toSocketError(error, "accept", this.where))
    })
    // Node listens again, and with a descriptor it takes the backlog from nowhere but here.
    server.listen({ fd: descriptor }, this.backlog)
  }

  private closeServer(): void {
    this.server?.close(() => {})
    this.server = undefined
  }

  protected override shut(): void {
    this.closeServer()
    Descriptor.close(this.libc, this.descriptor)
    super.shut()
  }
}

/** How many connections may wait at a wrapped server before further ones are closed. */
const mostOfServer = 128

/** A listener on a server of Node, which takes everybody in. */
export class ServerListener extends ListenerSocket {
  readonly address: Address.Address
  private readonly server: net.Server
  private readonly closes: boolean

  constructor(server: net.Server, address: Address.Address, closes: boolean) {
    super()
    this.server = server
    this.address = address
    this.closes = closes
    server.on("connection", this.onConnection)
    server.on("error", this.onError)
    server.on("close", this.onGone)
  }

  private readonly onConnection = (node: net.Socket): void => {
    if (this.arrived.length < mostOfServer) return this.add(node)
    node.on("error", () => {})
    node.destroy()
  }

  private readonly onError = (error: NodeJS.ErrnoException): void =>
    this.fail(NodeError.toSocketError(error, "accept", this.where))

  private readonly onGone = (): void => super.shut()

  protected override wanted(): void {}

  protected override shut(): void {
    this.server.off("connection", this.onConnection).off("close", this.onGone)
    if (this.closes) this.server.close(() => {})
    else this.server.off("error", this.onError)
    super.shut()
  }
}
