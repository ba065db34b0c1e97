/**
 * Tells a client that is done sending from one that has left.
 *
 * After FIN, TCP shows no difference between the two. But the kernel of a client that has left answers whatever we
 * send with RST. So an answer that takes time is preceded by something that every client must ignore: an interim
 * `100 Continue` before the response (RFC 9110 §15.2), a leading zero of the next chunk size inside a chunked one
 * (RFC 9112 §7.1 allows any number of them). The client that is there gets its response; the one that left is
 * noticed, and its handler is interrupted.
 *
 * When to reach for it: `Wire.watch`, after FIN, while a request is being answered.
 * What it is not: of use with HTTP/1.0 or a body of known length, where nothing may be sent in between.
 */

const FIRST = 50
const MAXIMUM = 1_000
// The kernel tells of the RST that answers one probe with the next one, so they go in pairs.
const PAIR = 5

export class HalfClose {
  private timer: NodeJS.Timeout | undefined
  private readonly probe: () => void

  /** `probe` writes what may be written now without disturbing the response, if anything. */
  constructor(probe: () => void) {
    this.probe = probe
    this.schedule(FIRST)
  }

  private schedule(delay: number): void {
    this.timer = setTimeout(() => {
      this.probe()
      this.timer = setTimeout(() => {
        this.probe()
        this.schedule(Math.min(delay * 2, MAXIMUM))
      }, PAIR)
    }, delay)
  }

  stop(): void {
    clearTimeout(this.timer)
  }
}
