/**
 * A connected stream socket: Node's socket, what arrived and was not asked for, and who waits in either direction.
 *
 * When to reach for it: only through `Socket`, which says what is promised.
 * What it is not: public. `effect/socket` would be no base for it: its reader opens the connection, the end of the
 * stream is a failure there, and nothing can be accepted by whoever wants to.
 *
 * Node's own buffer is not used, because Node throws it away when the connection breaks: what the other side sent
 * before it broke off would be lost. Here it is received first, then the error.
 */
import type * as Cause from "effect/Cause"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as net from "node:net"
import { type Operation, SocketError } from "../../SocketError.ts"
import * as Address from "./Address.ts"
import * as ByteBuffer from "./ByteBuffer.ts"
import * as NodeError from "./NodeError.ts"
import * as Owned from "./Owned.ts"
import * as Refusal from "./Refusal.ts"
import * as Turns from "./Turns.ts"
import * as Waiting from "./Waiting.ts"

// How much is read ahead before Node is told to pause. It may have two chunks of 64 KiB under way, and as much again in
// its own buffer, so a socket that nobody receives from holds less than 256 KiB.
const readAhead = 64 * 1024

export const TypeId = "~@kore-fx/core/Socket/Stream"

export class StreamSocket extends Owned.Owned {
  readonly [TypeId]: typeof TypeId = TypeId
  readonly local: Address.Address
  readonly remote: Address.Address
  private readonly node: net.Socket
  /** Whether Node's socket goes with this one; a wrapped one may be somebody else's. */
  private readonly destroys: boolean
  private readonly received = new ByteBuffer.ByteBuffer()
  private readonly reads: Turns.Turns
  private readonly writes: Turns.Turns
  private isFlowing = false
  private hasEnded = false
  private broken: NodeJS.ErrnoException | undefined = undefined
  private isClosed = false
  private hasFinished = false
  // Node confirms writes in order, each in a later turn. One that the system took at once is confirmed ahead of Node.
  private writesStarted = 0
  private writesConfirmed = 0
  private writesReported = 0
  private onConfirmed: (() => void) | undefined = undefined

  constructor(node: net.Socket, ends: Address.Ends, destroys = true) {
    super()
    this.node = node
    this.local = ends.local
    this.remote = ends.remote
    this.destroys = destroys
    const where = () => this.peer
    this.reads = new Turns.Turns(() => this.received.size > 0 || this.hasEnded || this.isOver, this.flow, where)
    this.writes = new Turns.Turns(() => this.writesConfirmed === this.writesStarted || this.isOver, ignore, where)
    node.pause()
    node.on("data", this.onData)
    node.on("end", this.onEnd)
    node.on("error", this.onError)
    node.on("close", this.onGone)
  }

  /** Nothing more will arrive or be sent. */
  private get isOver(): boolean {
    return this.isClosed || this.broken !== undefined
  }

  private get peer(): string {
    const { local, remote } = this
    // Clients of a UNIX socket have no name, nearly always.
    if (remote._tag === "Unix" && remote.path === "") return `a client of ${Address.format(local)}`
    return Address.format(remote)
  }

  // --- receiving -----------------------------------------------------------------------------------------------------

  recv(
    maxBytes: number,
    timeout: Duration.Input | undefined
  ): Effect.Effect<Option.Option<Buffer>, SocketError | Cause.TimeoutError> {
    const refusal = Refusal.ofLength("recv", maxBytes, this.peer)
    if (refusal !== undefined) return Effect.fail(refusal)
    return this.reads.take(
      () => this.takeReceived(maxBytes),
      "recv",
      Waiting.deadline("recv", () => this.peer, timeout, stays)
    )
  }

  private takeReceived(maxBytes: number): Option.Option<Buffer> {
    if (this.received.size > 0) {
      const bytes = this.received.take(maxBytes)
      this.flow()
      return Option.some(bytes)
    }
    if (this.hasEnded && !this.isClosed) return Option.none()
    this.throwIfOver("recv")
    throw Turns.missed
  }

  /** Lets Node read, if there is room. Nothing is read before the first recv. */
  private readonly flow = (): void => {
    if (this.isFlowing || this.received.size >= readAhead || this.isClosed) return
    this.isFlowing = true
    this.node.resume()
  }

  private readonly onData = (chunk: Buffer): void => {
    this.received.push(chunk)
    if (this.received.size >= readAhead) {
      this.isFlowing = false
      this.node.pause()
    }
    this.reads.signal()
  }

  private readonly onEnd = (): void => {
    this.hasEnded = true
    this.reads.signal()
  }

  // --- sending -------------------------------------------------------------------------------------------------------

  send(
    data: Uint8Array | string,
    timeout: Duration.Input | undefined
  ): Effect.Effect<void, SocketError | Cause.TimeoutError> {
    if (typeof data !== "string" && !(data instanceof Uint8Array)) {
      return Effect.fail(Refusal.notBytes("send", data, this.peer))
    }
    const start = () => {
      if (data.length === 0) return
      this.writesStarted++
      this.node.write(data, this.onWritten)
      // Most writes are taken by the system at once: then there is nothing to wait for.
      if (this.node.writableLength === 0 && this.node.errored === null) this.writesConfirmed = this.writesStarted
    }
    return Waiting.until(this.write("send", start), Waiting.deadline("send", () => this.peer, timeout, goesOn))
  }

  get end(): Effect.Effect<void, SocketError> {
    return this.write("end", () => {
      this.hasFinished = true
      this.writesStarted++
      this.node.end(this.onWritten)
    })
  }

  private write(operation: Operation, start: () => void): Effect.Effect<void, SocketError> {
    const step = (): boolean => {
      this.throwIfOver(operation)
      // Asked for twice, and done while this one stood in line.
      if (operation === "end" && this.hasFinished) return true
      if (this.hasFinished || this.node.writableEnded) {
        throw new SocketError({ operation, reason: "Ended", address: this.peer })
      }
      start()
      return this.writesConfirmed === this.writesStarted
    }
    return Effect.flatMap(
      this.writes.take(step, operation),
      (isDone) => isDone ? Effect.void : Waiting.listed(this.confirmation(operation), operation, () => this.peer)
    )
  }

  /** Waits until Node has written what was started last. Interrupted, the write goes on, and the next waits for it. */
  private confirmation(operation: Operation): Effect.Effect<void, SocketError> {
    return Effect.callback<void, SocketError>((resume) => {
      const confirm = () => {
        const error = this.errorOf(operation)
        resume(error === undefined ? Effect.void : Effect.fail(error))
      }
      if (this.writesConfirmed === this.writesStarted) return confirm()
      this.onConfirmed = confirm
      return Effect.sync(() => {
        if (this.onConfirmed === confirm) this.onConfirmed = undefined
      })
    })
  }

  private readonly onWritten = (error?: Error | null): void => {
    if (error !== undefined && error !== null) this.onFailedWrite(error)
    this.writesReported++
    if (this.writesReported <= this.writesConfirmed) return
    this.writesConfirmed = this.writesReported
    this.confirm()
    this.writes.signal()
  }

  private onFailedWrite(error: NodeJS.ErrnoException): void {
    // Node's socket was destroyed in the middle of it, by this side.
    if (error.code === "ECANCELED" || error.code === "ERR_STREAM_DESTROYED") this.isClosed = true
    else this.broken ??= error
  }

  private confirm(): void {
    const confirm = this.onConfirmed
    this.onConfirmed = undefined
    confirm?.()
  }

  // --- the end -------------------------------------------------------------------------------------------------------

  private errorOf(operation: Operation): SocketError | undefined {
    if (this.isClosed) return NodeError.closed(operation, this.peer)
    return this.broken === undefined ? undefined : NodeError.toSocketError(this.broken, operation, this.peer)
  }

  private throwIfOver(operation: Operation): void {
    const error = this.errorOf(operation)
    if (error !== undefined) throw error
  }

  private readonly onError = (error: NodeJS.ErrnoException): void => {
    this.broken ??= error
    this.signalBoth()
  }

  private readonly onGone = (): void => {
    // Destroyed by somebody else, who gave no reason: it is closed on this side, though not by Socket.close.
    if (this.broken === undefined && !(this.hasEnded && this.node.writableFinished)) this.isClosed = true
    this.signalBoth()
  }

  protected shut(): void {
    this.isClosed = true
    if (this.destroys) this.node.destroy()
    else this.detach()
    this.received.clear()
    this.confirm()
    this.signalBoth()
  }

  /** Gives Node's socket back to its owner, with what was read and not asked for. */
  private detach(): void {
    this.node.pause()
    this.node.off("data", this.onData).off("end", this.onEnd).off("error", this.onError).off("close", this.onGone)
    const { size } = this.received
    if (size > 0 && !this.node.readableEnded && !this.node.destroyed) this.node.unshift(this.received.take(size))
  }

  private signalBoth(): void {
    this.reads.signal()
    this.writes.signal()
  }
}

const stays = "Nothing was taken: what arrives now is received next."
const goesOn = "Either nothing of it is sent, or all of it before anything that is sent next."

const ignore = (): void => {}
