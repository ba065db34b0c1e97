/**
 * What UDP and UNIX datagram sockets have in common: who waits to receive, and one datagram for each of them.
 *
 * When to reach for it: only through `Socket`, which says what is promised.
 * What it is not: public.
 */
import type * as Cause from "effect/Cause"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { type Operation, SocketError } from "../../SocketError.ts"
import * as Address from "./Address.ts"
import * as NodeError from "./NodeError.ts"
import * as Owned from "./Owned.ts"
import * as Refusal from "./Refusal.ts"
import * as Turns from "./Turns.ts"
import * as Waiting from "./Waiting.ts"

export const TypeId = "~@kore-fx/core/Socket/Datagram"

/** A datagram that arrived. */
export interface Received<A extends Address.Address> {
  /** Who sent it. */
  readonly address: A
  /** The bytes of the datagram, as many as were asked for at most; it may have none. */
  readonly data: Buffer
  /** How many bytes it had when it was sent. What is not in `data` is gone. */
  readonly size: number
}

export abstract class DatagramSocket<A extends Address.Address> extends Owned.Owned {
  readonly [TypeId]: typeof TypeId = TypeId
  readonly local: A
  readonly remote: A | undefined
  protected readonly reads: Turns.Turns
  protected isClosed = false
  /** Fails the sends that are under way; Node forgets some of them when a socket is closed. */
  private readonly sending = new Set<() => void>()

  constructor(local: A, remote: A | undefined) {
    super()
    this.local = local
    this.remote = remote
    this.reads = new Turns.Turns(() => this.isClosed || this.isReadable, () => this.wanted(), () => this.where)
  }

  /** How many datagrams were thrown away because nobody received them in time. */
  abstract readonly dropped: number

  /** A datagram, or an error, is there, as far as it is known. */
  protected abstract readonly isReadable: boolean

  /** Somebody waits for a datagram. */
  protected abstract wanted(): void

  /** Takes the next datagram; throws `missed` when there is none, or a `SocketError`. */
  protected abstract take(operation: Operation, maxBytes: number): Received<A>

  abstract sendTo(
    operation: Operation,
    target: Address.Target | undefined,
    data: Uint8Array | string,
    descriptors: ReadonlyArray<number>
  ): Effect.Effect<void, SocketError>

  recv(
    operation: Operation,
    maxBytes: number,
    timeout: Duration.Input | undefined
  ): Effect.Effect<Received<A>, SocketError | Cause.TimeoutError> {
    return this.receive(operation, maxBytes, timeout, () => this.take(operation, maxBytes))
  }

  /** The bytes alone. An empty datagram is some bytes, namely none; there is no end. */
  recvData(
    maxBytes: number,
    timeout: Duration.Input | undefined
  ): Effect.Effect<Option.Option<Buffer>, SocketError | Cause.TimeoutError> {
    return this.receive("recv", maxBytes, timeout, () => Option.some(this.take("recv", maxBytes).data))
  }

  protected receive<R>(
    operation: Operation,
    maxBytes: number,
    timeout: Duration.Input | undefined,
    take: () => R
  ): Effect.Effect<R, SocketError | Cause.TimeoutError> {
    const refusal = Refusal.ofLength(operation, maxBytes, this.where)
    if (refusal !== undefined) return Effect.fail(refusal)
    const step = () => {
      if (this.isClosed) throw NodeError.closed(operation, this.where)
      return take()
    }
    return this.reads.take(
      step,
      operation,
      Waiting.deadline(operation, () => this.where, timeout, "Nothing was taken: what arrives now is received next.")
    )
  }

  send(
    operation: Operation,
    target: Address.Target | undefined,
    data: Uint8Array | string,
    timeout: Duration.Input | undefined,
    descriptors: ReadonlyArray<number> = []
  ): Effect.Effect<void, SocketError | Cause.TimeoutError> {
    if (typeof data !== "string" && !(data instanceof Uint8Array)) {
      return Effect.fail(Refusal.notBytes(operation, data, this.where))
    }
    if (operation === "sendto") {
      const refusal = Refusal.ofTarget(operation, target!, 1)
      if (refusal !== undefined) return Effect.fail(refusal)
      if (this.remote !== undefined) return Effect.fail(hasPeer(Address.format(target!)))
    }
    const to = target ?? this.remote
    const address = () => to === undefined ? this.where : Address.format(to)
    const sent = Effect.suspend(() =>
      this.isClosed ? Effect.fail(NodeError.closed(operation, this.where))
        : this.sendTo(operation, target, data, descriptors)
    )
    return Waiting.until(sent, Waiting.deadline(operation, address, timeout, "It was sent whole, or not at all."))
  }

  /**
   * As `Effect.callback`, for a send: closing the socket fails it. What `register` returns frees what it took, and runs
   * however the wait ends, but not if it ended within `register`.
   */
  protected whileOpen(
    operation: Operation,
    register: (resume: (effect: Effect.Effect<void, SocketError>) => void) => (() => void) | void
  ): Effect.Effect<void, SocketError> {
    return Effect.callback((resume) => {
      const free = { taken: (): void => {} }
      const settle = (effect: Effect.Effect<void, SocketError>) => {
        this.sending.delete(fail)
        free.taken()
        resume(effect)
      }
      const fail = () => settle(Effect.fail(NodeError.closed(operation, this.where)))
      if (this.isClosed) return fail()
      this.sending.add(fail)
      free.taken = register(settle) ?? free.taken
      return Effect.sync(() => {
        this.sending.delete(fail)
        free.taken()
      })
    })
  }

  protected get where(): string {
    return Address.format(this.local)
  }

  protected override shut(): void {
    this.isClosed = true
    for (const fail of [...this.sending]) fail()
    this.reads.signal()
  }
}

// UNIX would allow it, and UDP not.
const hasPeer = (address: string): SocketError =>
  new SocketError({ operation: "sendto", reason: "System", code: "EISCONN", address, detail: "the socket has a peer" })
