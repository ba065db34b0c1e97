/**
 * Bytes that arrived and have not been asked for, in the order in which they came.
 *
 * When to reach for it: inside of a stream socket.
 * What it is not: public, or bounded; who fills it looks at `size`.
 */
import * as Ring from "../Ring.ts"

export class ByteBuffer {
  /** How many bytes there are. */
  size = 0
  // Made when it is needed: most sockets never have more than one chunk.
  private others: Ring.Ring<Buffer> | undefined = undefined
  /** The first chunk, or what is left of it. Undefined only while there is nothing. */
  private first: Buffer | undefined = undefined

  push(chunk: Buffer): void {
    this.size += chunk.length
    if (this.first === undefined) this.first = chunk
    else (this.others ??= new Ring.Ring()).push(chunk)
  }

  /** Takes as many as there are, `most` at most, without copying if one chunk has them. Call it only while there are. */
  take(most: number): Buffer {
    const first = this.first!
    if (first.length >= most || first.length === this.size) return this.takeFirst(most)
    const taken = Buffer.allocUnsafeSlow(Math.min(most, this.size))
    for (let length = 0; length < taken.length;) {
      length += this.takeFirst(taken.length - length).copy(taken, length)
    }
    return taken
  }

  clear(): void {
    while (this.size > 0) this.takeFirst(this.size)
  }

  private takeFirst(most: number): Buffer {
    const first = this.first!
    this.size -= Math.min(most, first.length)
    if (first.length > most) {
      this.first = first.subarray(most)
      return first.subarray(0, most)
    }
    this.first = this.size > 0 ? this.others!.shift() : undefined
    return first
  }
}
