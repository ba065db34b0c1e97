/**
 * A UNIX datagram socket, made by FFI because Node has none.
 *
 * When to reach for it: only through `Socket`, which says what is promised.
 * What it is not: public, or possible outside of Linux and of Node's main thread.
 *
 * What arrives stays in the kernel until somebody takes it: when many datagrams wait, senders wait.
 */
import type * as Cause from "effect/Cause"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as fs from "node:fs"
import * as Native from "../../native/Datagram.ts"
import * as Libc from "../../native/Libc.ts"
import * as Platform from "../../native/Platform.ts"
import * as Readiness from "../../native/Readiness.ts"
import * as SocketFile from "../../native/SocketFile.ts"
import type { Operation, SocketError } from "../../SocketError.ts"
import * as Address from "./Address.ts"
import * as DatagramSocket from "./DatagramSocket.ts"
import * as NodeError from "./NodeError.ts"
import * as Refusal from "./Refusal.ts"
import * as Turns from "./Turns.ts"
import * as Waiting from "./Waiting.ts"

export interface Options {
  readonly path?: string | undefined
  readonly peer?: Address.UnixTarget | undefined
  readonly credentials?: boolean | undefined
}

/** A datagram, and what came along with it. */
export interface Message extends DatagramSocket.Received<Address.Unix> {
  readonly descriptors: ReadonlyArray<number>
  readonly credentials: Option.Option<Native.Credentials>
  readonly ancillary: ReadonlyArray<Native.Ancillary>
  readonly isAncillaryCut: boolean
}

export class UnixDatagramSocket extends DatagramSocket.DatagramSocket<Address.Unix> {
  readonly dropped = 0
  private readonly libc: Libc.Libc
  private readonly readiness: Readiness.Readiness
  private readonly descriptor: number
  /** The peer's own name, which is not always the one it was found by. */
  private readonly peerName: string | undefined
  /** Unknown counts as ready: asking tells. */
  protected isReadable = true

  constructor(
    libc: Libc.Libc,
    readiness: Readiness.Readiness,
    descriptor: number,
    local: Address.Unix,
    remote: Address.Unix | undefined
  ) {
    super(local, remote)
    this.libc = libc
    this.readiness = readiness
    this.descriptor = descriptor
    this.peerName = remote === undefined ? undefined : Native.peerNameOf(libc, descriptor)
  }

  protected wanted(): void {
    if (!this.isReadable && !this.isClosed) this.readiness.once(this.descriptor, "read", this.onReadable)
  }

  private readonly onReadable = (): void => {
    this.isReadable = true
    this.reads.signal()
  }

  protected take(operation: Operation, maxBytes: number): DatagramSocket.Received<Address.Unix> {
    const { data, path, size } = this.takeMessage(operation, maxBytes, false)
    return { address: Address.unix(path), data, size }
  }

  recvmsg(
    maxBytes: number,
    timeout: Duration.Input | undefined
  ): Effect.Effect<Message, SocketError | Cause.TimeoutError> {
    return this.receive("recvmsg", maxBytes, timeout, () => {
      const { credentials, path, ...message } = this.takeMessage("recvmsg", maxBytes, true)
      return { address: Address.unix(path), credentials: Option.fromUndefinedOr(credentials), ...message }
    })
  }

  private takeMessage(operation: Operation, maxBytes: number, withAncillary: boolean): Native.Message {
    while (true) {
      const message = Native.receive(this.libc, this.descriptor, maxBytes, withAncillary)
      if (typeof message === "number") {
        if (message !== EAGAIN) throw failed(operation, message, this.where)
        this.isReadable = false
        throw Turns.missed
      }
      if (this.peerName === undefined || message.path === this.peerName) return message
      // A stranger's: the kernel lets them in before connect, and again once the peer is gone.
      for (const descriptor of message.descriptors) this.libc.close(descriptor)
    }
  }

  override sendTo(
    operation: Operation,
    target: Address.Target | undefined,
    data: Uint8Array | string,
    descriptors: ReadonlyArray<number>
  ): Effect.Effect<void, SocketError> {
    if (target !== undefined && "host" in target) {
      return Effect.fail(Refusal.make(operation, Address.format(target), "it is an IP address", "{ path }"))
    }
    const path = target?.path
    const bytes = typeof data === "string" ? Buffer.from(data) : Buffer.from(data.buffer, data.byteOffset, data.length)
    const address = () => Address.format({ path: path ?? this.remote?.path ?? "" })
    const attempt: Effect.Effect<void, SocketError> = Effect.suspend(() => {
      if (this.isClosed) return Effect.fail(NodeError.closed(operation, this.where))
      const errno = Native.send(this.libc, this.descriptor, path, bytes, descriptors)
      if (errno === 0) return Effect.void
      if (errno !== EAGAIN) return Effect.fail(failed(operation, errno, address()))
      return Effect.andThen(Waiting.listed(this.room(operation, path), operation, address), attempt)
    })
    return attempt
  }

  /**
   * Waits until a datagram may fit. When it is the receiver that has no room, the kernel tells that only a socket that
   * has it as its peer: one is made for the wait.
   */
  private room(operation: Operation, path: string | undefined): Effect.Effect<void, SocketError> {
    return this.whileOpen(operation, (resume) => {
      const wake = () => resume(Effect.void)
      const isOwn = path === undefined || this.libc.pollOut(this.descriptor) === 0
      if (isOwn) return this.readiness.once(this.descriptor, "write", wake)
      const opened = Native.open(this.libc, platform.AF_UNIX, platform.SOCK_DGRAM)
      if (Result.isFailure(opened)) {
        return resume(Effect.fail(NodeError.fromCall(opened.failure, operation, path)))
      }
      const waiter = opened.success
      const close = () => {
        this.readiness.forget(waiter)
        this.libc.close(waiter)
      }
      // Refused: the receiver is gone, which the next attempt says.
      if (Native.connect(this.libc, waiter, path) !== 0) {
        close()
        return wake()
      }
      this.readiness.once(waiter, "write", wake)
      return close
    })
  }

  protected override shut(): void {
    this.readiness.forget(this.descriptor)
    super.shut()
    this.libc.close(this.descriptor)
  }
}

/** Makes a UNIX datagram socket. */
export const make = (options: Options): Effect.Effect<UnixDatagramSocket, SocketError, Scope.Scope> =>
  Effect.uninterruptible(
    Effect.suspend(() => {
      const { path = "", peer } = options
      const refusal = (path === "" ? undefined : Refusal.ofTarget("unixDatagram", { path }, 0)) ??
        (peer === undefined ? undefined : Refusal.ofTarget("unixDatagram", peer, 0))
      return refusal === undefined ? open(path, options) : Effect.fail(refusal)
    })
  )

const open = Effect.fnUntraced(function*(path: string, options: Options) {
  const unsupported = (error: Libc.CallError) => NodeError.fromCall(error, "unixDatagram", Address.format({ path }))
  const libc = yield* Effect.mapError(Libc.load, unsupported)
  const readiness = yield* Effect.mapError(Readiness.load, unsupported)
  const descriptor = yield* Effect.mapError(
    Effect.fromResult(Native.open(libc, platform.AF_UNIX, platform.SOCK_DGRAM)),
    unsupported
  )
  return yield* adopt(libc, readiness, descriptor, options, bindTo(libc, descriptor, path)).pipe(
    Effect.onError(() => Effect.sync(() => libc.close(descriptor)))
  )
})

/** Makes a socket of a descriptor and of what binds it, which tells what is to be done before it is closed. */
export const adopt = Effect.fnUntraced(function*(
  libc: Libc.Libc,
  readiness: Readiness.Readiness,
  descriptor: number,
  options: Options,
  bound: Effect.Effect<Effect.Effect<void>, SocketError>
) {
  const { credentials, peer } = options
  // Before it has a name, so that strangers cannot find it; and before the credentials, with which connect would name it.
  if (peer !== undefined) yield* check(Native.connect(libc, descriptor, peer.path), Address.format(peer))
  if (credentials === true) yield* check(Native.passCredentials(libc, descriptor), "its options")
  const before = yield* bound
  const local = Address.unix(Native.nameOf(libc, descriptor))
  const remote = peer === undefined ? undefined : Address.unix(peer.path)
  return yield* new UnixDatagramSocket(libc, readiness, descriptor, local, remote).own(before)
})

/** Binds, and tells what takes the file away again. */
const bindTo = (libc: Libc.Libc, descriptor: number, path: string): Effect.Effect<Effect.Effect<void>, SocketError> =>
  Effect.flatMap(replacing(libc, descriptor, path), (errno) => {
    if (errno !== 0) return Effect.fail(failed("unixDatagram", errno, Address.format({ path })))
    const hasFile = path !== "" && !path.startsWith("@")
    return hasFile ? Effect.map(SocketFile.identify(path), SocketFile.remove) : Effect.succeed(Effect.void)
  })

/** Binds; a file that is left over from a socket that is gone is replaced. */
const replacing = (libc: Libc.Libc, descriptor: number, path: string): Effect.Effect<number> =>
  Effect.suspend(() => {
    const errno = Native.bind(libc, descriptor, path)
    if (errno !== EADDRINUSE || path.startsWith("@") || !isLeftOver(libc, path)) return Effect.succeed(errno)
    return SocketFile.identify(path).pipe(
      Effect.flatMap(SocketFile.remove),
      Effect.map(() => Native.bind(libc, descriptor, path))
    )
  })

// Only a refused connection proves that nobody is there; a file that is no socket refuses as well.
const isLeftOver = (libc: Libc.Libc, path: string): boolean => {
  if (fs.lstatSync(path, { throwIfNoEntry: false })?.isSocket() !== true) return false
  const opened = Native.open(libc, platform.AF_UNIX, platform.SOCK_DGRAM)
  if (Result.isFailure(opened)) return false
  const errno = Native.connect(libc, opened.success, path)
  libc.close(opened.success)
  return errno === ECONNREFUSED
}

const check = (errno: number, address: string): Effect.Effect<void, SocketError> =>
  errno === 0 ? Effect.void : Effect.fail(failed("unixDatagram", errno, address))

const failed = (operation: Operation, errno: number, address: string): SocketError =>
  NodeError.fromCall(Libc.systemError(operation, errno), operation, address)

// Whoever has a `Readiness` has a platform with messages.
const platform = Platform.current as Platform.Platform
const { EADDRINUSE, EAGAIN, ECONNREFUSED } = platform?.messages ?? {} as Platform.Messages
