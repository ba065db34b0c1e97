/**
 * A response whose body is made while it is sent: counted, framed, held back while the client does not read.
 *
 * When to reach for it: the connection makes one for every streamed body that is really sent.
 * What it is not: the stream. Where the bytes come from is `ResponseBody`'s business.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { Output } from "./Output.ts"
import { type Framing, InvalidResponse, isLength } from "./ResponseHead.ts"

/** What a streamed response needs of its connection. */
export interface Target {
  readonly output: Output
  readonly isGone: () => boolean
  /** The last byte is written. */
  readonly ended: () => void
  /** The body will not become complete. */
  readonly broke: (cause: Cause.Cause<unknown>) => void
}

// Parsers bound the digits of a chunk size; a few leading zeros are safe everywhere.
const ZEROS = 6

export class ResponseStream {
  /** How the body is delimited. */
  readonly framing: Framing
  private readonly target: Target
  private sent = 0
  // Leading zeros of the next chunk size that are on the wire already.
  private zeros = 0
  private resume: (() => void) | undefined = undefined

  constructor(target: Target, framing: Framing) {
    this.target = target
    this.framing = framing
  }

  /** Sends the body. It never fails: what goes wrong is the end of the connection. */
  run(stream: Stream.Stream<Uint8Array, unknown>): Effect.Effect<void> {
    const { target } = this
    return Stream.runForEachArray(stream, (pieces) => this.write(pieces)).pipe(
      Effect.matchCause({ onSuccess: () => this.end(), onFailure: (cause) => target.broke(cause) }),
      Effect.onInterrupt(() => Effect.sync(() => target.broke(Cause.interrupt())))
    )
  }

  /** The client has read on, or the connection has gone. */
  drained(): void {
    const { resume } = this
    this.resume = undefined
    resume?.()
  }

  /** Bytes that may be sent between two pieces without changing the body, to see whether the client is there. */
  probe(): string {
    return this.framing === "chunked" && this.zeros++ < ZEROS ? "0" : ""
  }

  private write(pieces: ReadonlyArray<Uint8Array>): Effect.Effect<void> {
    const { framing, target } = this
    let size = 0
    for (const piece of pieces) size += piece.byteLength
    // Text instead of bytes, behind the back of the types: its length would be wrong, and so the framing.
    if (!isLength(size)) return invalid("a streamed response gave something else than bytes")
    this.sent += size
    if (typeof framing === "number" && this.sent > framing) {
      return invalid(`a response of ${framing} bytes was given more than that`)
    }
    // An empty chunk would end the body.
    if (size === 0) return Effect.void
    if (target.isGone()) return Effect.interrupt
    this.zeros = 0
    return target.output.pieces(pieces, size, framing === "chunked") ? Effect.void : this.room
  }

  private readonly room: Effect.Effect<void> = Effect.callback<void>((resume) => {
    // The fiber may have yielded since the buffer was full, and the event have passed.
    if (!this.target.output.blocked || this.target.isGone()) return resume(Effect.void)
    this.resume = () => resume(Effect.void)
    return Effect.sync(() => void (this.resume = undefined))
  })

  private end(): void {
    const { framing, target } = this
    if (typeof framing === "number" && this.sent < framing) {
      const detail = `a response of ${framing} bytes ended after ${this.sent}`
      return target.broke(Cause.die(new InvalidResponse({ detail })))
    }
    if (target.isGone()) return
    if (framing === "chunked") target.output.add("0\r\n\r\n")
    target.ended()
  }
}

const invalid = (detail: string) => Effect.die(new InvalidResponse({ detail }))
