/**
 * Tells a client that is done sending from one that has left.
 *
 * After FIN, TCP shows no difference between the two. But the kernel of a client that has left answers whatever we
 * send with RST. So an answer that takes time is preceded by something that every client must ignore: an interim
 * `100 Continue` before the response (RFC 9110 §15.2.1), a leading zero of the next chunk size inside a chunked one
 * (RFC 9112 §7.1 allows any number of them). The client that is there gets its response; the one that left is
 * noticed, and its handler is interrupted.
 *
 * When to reach for it: `Connection`, after FIN, while a request is being answered.
 * What it is not: of use with HTTP/1.0 or a body of known length, where nothing may be sent in between.
 */

/** What may be written now without disturbing the response. */
export type Probe = "interim" | "zero" | "nothing"

const FIRST = 50
const MAXIMUM = 1_000
// Parsers bound the digits of a chunk size; a few leading zeros are safe everywhere.
const ZEROS = 6

export class HalfClose {
  private timer: NodeJS.Timeout | undefined
  private zeros = 0
  private readonly next: () => Probe
  private readonly write: (text: string) => void

  constructor(next: () => Probe, write: (text: string) => void) {
    this.next = next
    this.write = write
    this.schedule(FIRST)
  }

  private schedule(delay: number): void {
    this.timer = setTimeout(() => {
      const probe = this.next()
      if (probe === "interim") this.write("HTTP/1.1 100 Continue\r\n\r\n")
      else if (probe === "zero" && this.zeros < ZEROS) {
        this.zeros++
        this.write("0")
      }
      this.schedule(Math.min(delay * 2, MAXIMUM))
    }, delay)
  }

  /** A chunk has been written: its size took the zeros. */
  chunkWritten(): void {
    this.zeros = 0
  }

  stop(): void {
    clearTimeout(this.timer)
  }
}
