/**
 * What a connection writes: text collected over one turn, large bodies beside their head, chunks; and whether the
 * client takes it.
 *
 * When to reach for it: `Connection` owns one.
 * What it is not: HTTP. It knows bytes and the socket's buffer.
 *
 * HOT PATH: the responses of one turn are one string and one write.
 */
import type { Socket } from "node:net"

export class Output {
  private readonly socket: Socket
  private readonly onBlocked: () => void
  private text = ""
  private queued = 0
  /** True while the socket's buffer is full: nothing new should be started until it has drained. */
  blocked = false

  constructor(socket: Socket, onBlocked: () => void) {
    this.socket = socket
    this.onBlocked = onBlocked
  }

  /** Characters collected and not written yet. */
  get size(): number {
    return this.text.length
  }

  /** Collects Latin-1 text until the next write. */
  add(text: string): void {
    this.text += text
  }

  /** Writes what is collected, and Latin-1 text after it. */
  flush(more = ""): void {
    const text = this.text + more
    this.text = ""
    if (text !== "") this.check(this.socket.write(text, "latin1"))
  }

  /** Writes a head and a large body as two buffers: joining them would copy the body. Text is sent as UTF-8. */
  body(head: string, body: string | Uint8Array): void {
    const { socket } = this
    socket.cork()
    socket.write(this.text + head, "latin1")
    this.text = ""
    const room = typeof body === "string" ? socket.write(body, "utf8") : socket.write(body)
    socket.uncork()
    this.check(room)
  }

  /** Writes pieces of a body, as one chunk of the chunked coding if asked for. Returns false when the buffer is full. */
  pieces(pieces: ReadonlyArray<Uint8Array>, size: number, chunked: boolean): boolean {
    const { socket } = this
    socket.cork()
    const head = chunked ? `${this.text}${size.toString(16)}\r\n` : this.text
    this.text = ""
    if (head !== "") socket.write(head, "latin1")
    let room = true
    for (const piece of pieces) room = socket.write(piece)
    if (chunked) room = socket.write("\r\n", "latin1")
    socket.uncork()
    this.check(room)
    return !this.blocked
  }

  /** Writes what is collected and ends the sending side; `done` runs when the kernel has taken everything. */
  end(done: () => void): void {
    this.queued = this.waiting()
    const { text } = this
    this.text = ""
    if (text === "") this.socket.end(done)
    else this.socket.end(text, "latin1", done)
  }

  /** Forgets what is collected: the connection has gone. */
  drop(): void {
    this.text = ""
  }

  /** Tells whether the kernel has taken anything since the last call or since the buffer became full. */
  progressed(): boolean {
    const waiting = this.waiting()
    const progressed = waiting < this.queued
    this.queued = waiting
    return progressed
  }

  private check(room: boolean): void {
    if (room || !this.socket.writableNeedDrain) return
    this.blocked = true
    this.queued = this.waiting()
    this.onBlocked()
  }

  // Bytes that the kernel has not taken yet. The public counters of a socket do not move during one large write.
  private waiting(): number {
    const handle =
      (this.socket as unknown as { readonly _handle?: { readonly writeQueueSize?: number } | null })._handle
    return this.socket.writableLength + (handle?.writeQueueSize ?? 0)
  }
}
