/**
 * A response whose body is made while it is sent: counted, framed, held back while the client does not read.
 *
 * When to reach for it: the connection makes one for every streamed body that is really sent.
 * What it is not: the stream. Where the bytes come from is `ResponseBody`'s business.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { ServerRequest } from "../Request.ts"
import { type Framing, InvalidResponse, isLength } from "./ResponseHead.ts"
import type { Wire } from "./Wire.ts"

/** What a streamed response tells its connection. */
export interface Target {
  /** The last byte is written. */
  readonly finish: (request: ServerRequest, keepAlive: boolean) => void
  /** The body will not become complete; the connection breaks behind what was written. */
  readonly streamBroke: (request: ServerRequest, cause: Cause.Cause<unknown>) => void
}

// Parsers bound the digits of a chunk size; a few leading zeros are safe everywhere.
const ZEROS = 6

export class ResponseStream {
  /** How the body is delimited. */
  readonly framing: Framing
  private readonly target: Target
  private readonly wire: Wire
  private readonly request: ServerRequest
  private readonly keepAlive: boolean
  /** Bytes of the body that were handed to the socket. */
  sent = 0
  /** True when those are all. */
  isComplete = false
  // Leading zeros of the next chunk size that are on the wire already.
  private zeros = 0
  private resume: (() => void) | undefined = undefined

  constructor(target: Target, wire: Wire, request: ServerRequest, framing: Framing, keepAlive: boolean) {
    this.target = target
    this.wire = wire
    this.request = request
    this.framing = framing
    this.keepAlive = keepAlive
  }

  /** Sends the body. It never fails: what goes wrong is the end of the connection. */
  run(stream: Stream.Stream<Uint8Array, unknown>): Effect.Effect<void> {
    return Stream.runForEachArray(stream, (pieces) => this.write(pieces)).pipe(
      Effect.matchCause({ onSuccess: () => this.end(), onFailure: (cause) => this.broke(cause) }),
      Effect.onInterrupt(() => Effect.sync(() => this.broke(Cause.interrupt())))
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
    const { framing, wire } = this
    let size = 0
    for (const piece of pieces) size += piece.byteLength
    // Text instead of bytes, behind the back of the types: its length would be wrong, and so the framing.
    if (!isLength(size)) return invalid("a streamed response gave something else than bytes")
    if (typeof framing === "number" && this.sent + size > framing) {
      return invalid(`a response of ${framing} bytes was given more than that`)
    }
    // An empty chunk would end the body.
    if (size === 0) return Effect.void
    if (wire.gone) return Effect.interrupt
    this.zeros = 0
    this.sent += size
    return wire.output.pieces(pieces, size, framing === "chunked") ? Effect.void : this.room
  }

  private readonly room: Effect.Effect<void> = Effect.callback<void>((resume) => {
    // The fiber may have yielded since the buffer was full, and the event have passed.
    if (!this.wire.output.blocked || this.wire.gone) return resume(Effect.void)
    this.resume = () => resume(Effect.void)
    return Effect.sync(() => void (this.resume = undefined))
  })

  private end(): void {
    const { framing, wire } = this
    if (typeof framing === "number" && this.sent < framing) {
      const detail = `a response of ${framing} bytes ended after ${this.sent}`
      return this.broke(Cause.die(new InvalidResponse({ detail })))
    }
    if (wire.gone) return
    if (framing === "chunked") wire.output.add("0\r\n\r\n")
    this.isComplete = true
    this.target.finish(this.request, this.keepAlive)
  }

  // The client must not take a part for the whole: the connection breaks instead of ending well.
  private broke(cause: Cause.Cause<unknown>): void {
    if (this.isComplete) return
    const { wire } = this
    this.target.streamBroke(this.request, cause)
    // Responses before it are complete.
    if (!wire.gone) wire.output.flush()
    if (this.framing === "none") wire.reset()
    else wire.destroy()
  }
}

const invalid = (detail: string) => Effect.die(new InvalidResponse({ detail }))
