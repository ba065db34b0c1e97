/**
 * The socket of one connection: bytes in and out, when to stop reading, what the client is waited for and how long,
 * and a proper end.
 *
 * When to reach for it: `Connection` owns one and knows what the bytes mean.
 * What it is not: HTTP.
 */
import type { Socket } from "node:net"
import type { Deadlines, Timed } from "./Deadline.ts"
import { HalfClose } from "./HalfClose.ts"
import { Output } from "./Output.ts"

/** What a wire tells its owner. */
export interface Owner {
  readonly received: (chunk: Buffer) => void
  /** The client has sent FIN: it will send nothing more. */
  readonly ended: () => void
  /** The client has read what was in its way: more can be written. */
  readonly drained: () => void
  /** The client has let a deadline pass in this phase, which is none of the wire's own. */
  readonly expired: (phase: number) => void
  /** The socket is closed, for whatever reason. */
  readonly closed: () => void
}

/** What the connection waits for, and so what its deadline means. */
export const IDLE = 0
export const HEAD = 1
export const BODY = 2
export const WORK = 3
const WRITE = 4
const LINGER = 5

/** Why nothing is read for a while. */
export const BODY_FULL = 1
export const QUEUE_FULL = 2

// How long a closed connection waits for the client to have read the last response (RFC 9112 §9.6).
const LINGER_TIMEOUT = 2_000

// Node tells the descriptor of a socket on its handle alone.
interface WithHandle {
  readonly _handle?: { readonly fd?: number } | null
}

export class Wire implements Timed {
  readonly socket: Socket
  readonly output: Output
  phase = IDLE
  deadline = Number.POSITIVE_INFINITY
  /** Nothing is read any more, and the socket ends after what is written. */
  closing = false
  /** The socket is closed. */
  gone = false
  /** The client has sent FIN. */
  ended = false
  private readonly owner: Owner
  private readonly deadlines: Deadlines
  private readonly writeTimeout: number
  private paused = 0
  private halfClose: HalfClose | undefined = undefined

  constructor(socket: Socket, owner: Owner, deadlines: Deadlines, writeTimeout: number) {
    this.socket = socket
    this.owner = owner
    this.deadlines = deadlines
    this.writeTimeout = writeTimeout
    this.output = new Output(socket, () => this.arm(WRITE, writeTimeout))
    deadlines.add(this)
    socket.on("data", (chunk: Buffer) => {
      // What arrives after the last response is read and dropped: closing with unread bytes would reset the connection
      // and could destroy the response on its way.
      if (!this.closing) owner.received(chunk)
      // Asks for the next bytes in the same turn; measured cheaper than letting the stream decide.
      if (this.paused === 0) socket.read(0)
    })
    socket.on("end", () => {
      this.ended = true
      if (!this.closing) owner.ended()
    })
    socket.on("drain", () => {
      this.output.blocked = false
      if (!this.closing) owner.drained()
    })
    // An error is always followed by "close", which says all that is needed.
    socket.on("error", () => {})
    socket.on("close", () => this.onClose())
  }

  /** The descriptor of the socket, `undefined` where it has none. */
  get descriptor(): number | undefined {
    const fd = (this.socket as unknown as WithHandle)._handle?.fd ?? -1
    return fd < 0 ? undefined : fd
  }

  /** Stops reading. Nobody sees the client leave until it is resumed: TCP tells only those who read. */
  pause(why: number): void {
    if (this.paused === 0) this.socket.pause()
    this.paused |= why
  }

  /** Reads on, unless there is another reason not to. */
  resume(why: number): void {
    if ((this.paused & why) === 0) return
    this.paused &= ~why
    if (this.paused === 0 && !this.gone) this.socket.resume()
  }

  isPaused(why: number): boolean {
    return (this.paused & why) !== 0
  }

  /** Waits for something, so many milliseconds long. */
  arm(phase: number, milliseconds: number): void {
    this.phase = phase
    this.deadline = this.deadlines.after(milliseconds)
  }

  expire(): void {
    this.deadline = Number.POSITIVE_INFINITY
    if (this.phase < WRITE) return this.owner.expired(this.phase)
    if (this.phase === WRITE && this.output.progressed()) this.arm(WRITE, this.writeTimeout)
    else this.destroy()
  }

  /** After FIN: writes what `probe` gives now and then, so that a client that has left is noticed. */
  watch(probe: () => string): void {
    this.halfClose ??= new HalfClose(() => {
      if (!this.output.blocked) this.output.flush(probe())
    })
  }

  /** Nothing that could be interrupted is under way any more. */
  unwatch(): void {
    this.halfClose?.stop()
    this.halfClose = undefined
  }

  /** Writes what is collected; ends the connection behind it when it is closing. */
  flush(): void {
    if (!this.closing) {
      if (this.output.size > 0) this.output.flush()
      return
    }
    if (this.socket.writableEnded || this.gone) return
    this.arm(WRITE, this.writeTimeout)
    this.output.end(() => this.gone || this.arm(LINGER, LINGER_TIMEOUT))
    this.paused = 0
    this.socket.resume()
  }

  /** Ends the connection now. What is not written yet is lost. */
  destroy(): void {
    this.closing = true
    this.socket.destroy()
  }

  /** Ends the connection now with RST, so that the client cannot take it for the end of a response. */
  reset(): void {
    this.closing = true
    // Other sockets than those of TCP have no RST.
    if (this.socket.remotePort === undefined) this.socket.destroy()
    else this.socket.resetAndDestroy()
  }

  private onClose(): void {
    this.gone = true
    this.closing = true
    this.unwatch()
    this.output.drop()
    this.deadlines.remove(this)
    this.owner.closed()
  }
}
