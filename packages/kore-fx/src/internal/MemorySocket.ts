/**
 * Two ends of a connection inside one process: what is written at one end is read at the other.
 *
 * When to reach for it: `Kore.test`, where Node's HTTP client talks to our transport.
 * What it is not: Node's `duplexPair`, which loses its turn when a reader asks for more while it gets data, as our
 * transport does to save a turn of the event loop on real sockets.
 */
import { Duplex } from "node:stream"

export class MemorySocket extends Duplex {
  private peer: MemorySocket | undefined
  private granted: (() => void) | undefined

  private constructor() {
    super({ allowHalfOpen: true })
  }

  /** A new connection: its two ends. */
  static pair(): readonly [MemorySocket, MemorySocket] {
    const one = new MemorySocket()
    const other = new MemorySocket()
    one.peer = other
    other.peer = one
    return [one, other]
  }

  // What Node's client asks of a socket and what has no meaning in memory.
  setNoDelay(): this {
    return this
  }
  setKeepAlive(): this {
    return this
  }
  setTimeout(): this {
    return this
  }
  ref(): this {
    return this
  }
  unref(): this {
    return this
  }

  override _read(): void {
    const { granted } = this
    this.granted = undefined
    granted?.()
  }

  override _write(chunk: Buffer, _encoding: string, callback: (error?: Error | null) => void): void {
    // A turn of the event loop for each piece, as on a real socket: a stream that never waits must not starve timers.
    setImmediate(() => {
      const { peer } = this
      if (peer === undefined || peer.destroyed) return callback(Object.assign(new Error("EPIPE"), { code: "EPIPE" }))
      // Back-pressure: the writer goes on when the reader asks.
      if (peer.push(chunk)) callback()
      else peer.granted = callback
    })
  }

  override _final(callback: () => void): void {
    setImmediate(() => {
      if (this.peer !== undefined && !this.peer.destroyed) this.peer.push(null)
      callback()
    })
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    const { peer } = this
    this.peer = undefined
    // The other end learns of it as of a reset connection.
    process.nextTick(() => peer?.destroy())
    callback(error)
  }
}
