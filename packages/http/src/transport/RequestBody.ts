/**
 * The body of one request: counted, limited, read as bytes or as a stream, with back-pressure to the socket.
 *
 * When to reach for it: the connection feeds it, `Request` reads it.
 * What it is not: a parser of content. JSON, forms and multipart are made of what it delivers.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Pull from "effect/Pull"
import * as Stream from "effect/Stream"
import { HttpServerError, type HttpServerRequest, HttpServerRespondable } from "../internal/effectHttp.ts"
import * as Problem from "../Problem.ts"
import { Chunked } from "./Chunked.ts"
import * as Refusal from "./Refusal.ts"
import { CHUNKED_BODY, type RequestHead } from "./RequestHead.ts"

/** What a body asks of the connection that feeds it. */
export interface Source {
  /** Stops reading from the socket: nobody takes what arrives. */
  readonly pauseBody: () => void
  /** Reads on, and sends `100 Continue` if the client waits for it. */
  readonly wantBody: () => void
}

/**
 * The body could not be read: too large (413), malformed (400), too slow (408), or the client left.
 *
 * It is an Effect `RequestParseError`, so programs written for `effect/http` handle it as they know.
 */
export class RequestBodyError extends HttpServerError.RequestParseError {
  readonly status: number

  constructor(request: HttpServerRequest.HttpServerRequest, refusal: Refusal.Refusal) {
    super({ request, reason: refusal.status === 413 ? "BodyTooLarge" : "Parse", description: refusal.detail })
    this.status = refusal.status
  }

  override [HttpServerRespondable.symbol]() {
    return Effect.succeed(Problem.response({ status: this.status, detail: this.description }))
  }
}

/** A body that ended because its client left. */
export const CLIENT_LEFT: Refusal.Refusal = {
  status: 400,
  detail: "the client closed the connection before the end of the body"
}

const CONSUMED: Refusal.Refusal = {
  status: 500,
  detail: "the body of this request has already been consumed as a stream"
}

const DISCARDED: Refusal.Refusal = {
  status: 500,
  detail: "the response to this request was sent before its body was read"
}

// Unread bytes kept in memory before the socket is told to wait.
const HIGH_WATER = 65_536

// Pieces below this size are copied together: a view of its own for each would cost many times its bytes.
const SMALL = 1_024
const BLOCK = 8_192

interface Waiter {
  /** Woken when more bytes than this have been received, or when the body ends. */
  readonly enough: number
  readonly wake: () => void
}

export class RequestBody {
  private readonly source: Source
  private readonly decoder: Chunked | undefined
  private limit: number
  // What a body beyond the limit gets.
  private tooLarge: Refusal.Refusal = Refusal.get(Refusal.BODY_SIZE)
  /** The client waits for 100 before it sends the body. */
  isAwaited: boolean
  /** Bytes that Content-Length promised, or `undefined` for a chunked body. */
  readonly declared: number | undefined
  private remaining: number
  private chunks: Array<Uint8Array> = []
  private buffered = 0
  // The block that small pieces are copied to; the last chunk is the part of it that is filled.
  private block: Buffer | undefined = undefined
  private filled = 0
  private received = 0
  private whole: Uint8Array | undefined
  private streamed = false
  // Bytes that are still thrown away, or -1 while the body is kept.
  private discardable = -1
  private failure: Refusal.Refusal | undefined
  private readonly waiters = new Set<Waiter>()
  /** True when the last byte has arrived. */
  complete = false

  /** `isBehind` says that nothing of the body came with its head. */
  constructor(source: Source, head: RequestHead, limit: number, isBehind: boolean) {
    this.source = source
    this.limit = limit
    this.isAwaited = head.expectsContinue && isBehind
    const chunked = head.body === CHUNKED_BODY
    this.decoder = chunked ? new Chunked() : undefined
    this.declared = chunked ? undefined : head.length
    this.remaining = head.length
  }

  /** True when the body can never be completed, so that the connection cannot be used again. */
  get failed(): boolean {
    return this.failure !== undefined
  }

  /** Bytes that may still come, or `undefined` when only the client knows. */
  get outstanding(): number | undefined {
    return this.decoder === undefined ? this.remaining : undefined
  }

  /** Bytes received so far. */
  get size(): number {
    return this.received
  }

  /** Trailer fields of a chunked body; complete when the body is. */
  get trailers(): ReadonlyArray<readonly [name: string, value: string]> {
    return this.decoder?.trailers ?? []
  }

  /**
   * Lowers the limit of a body that nobody has read of, to what its route takes. Returns false when the body is known to
   * be larger already: then nothing has changed, and whoever asked answers 413. A body that turns out to be larger
   * fails with 413 where it is read.
   */
  restrict(limit: number): boolean {
    if (this.declared !== undefined && this.declared > limit || this.received > limit) return false
    if (limit < this.limit) {
      this.limit = limit
      this.tooLarge = Refusal.bodySize(limit)
    }
    return true
  }

  /** Takes what belongs to the body; returns the new position. A broken body fails and takes everything. */
  feed(buffer: Uint8Array, start: number, end: number): number {
    // The client did not wait to be told.
    this.isAwaited = false
    if (this.decoder === undefined) {
      const size = Math.min(end - start, this.remaining)
      this.remaining -= size
      this.push(size === end - start && start === 0 ? buffer : buffer.subarray(start, start + size))
      if (this.remaining === 0) this.finish()
      return start + size
    }
    const at = this.decoder.feed(buffer, start, end, this)
    if (at < 0) {
      this.fail(Refusal.get(-at))
      return end
    }
    if (this.failure !== undefined) return end
    if (this.decoder.done) this.finish()
    return at
  }

  /** Receives decoded bytes; called by `feed`. */
  push(bytes: Uint8Array): void {
    if (bytes.length === 0 || this.failure !== undefined) return
    this.received += bytes.length
    if (this.received > this.limit) return this.fail(this.tooLarge)
    if (this.discardable >= 0) {
      this.discardable -= bytes.length
      if (this.discardable < 0) this.fail(Refusal.get(Refusal.BODY_SIZE))
      return
    }
    this.keep(bytes)
    if (this.waiters.size > 0) this.wake(this.received)
    // Who waits for the end takes what comes; who pulls has taken it by now.
    if (this.buffered > HIGH_WATER && this.waiters.size === 0) this.source.pauseBody()
  }

  private keep(bytes: Uint8Array): void {
    this.buffered += bytes.length
    if (bytes.length >= SMALL || this.chunks.length === 0) {
      this.block = undefined
      this.chunks.push(bytes)
      return
    }
    if (this.block === undefined || this.filled + bytes.length > BLOCK) {
      this.block = Buffer.allocUnsafeSlow(BLOCK)
      this.filled = 0
      this.chunks.push(this.block)
    }
    this.block.set(bytes, this.filled)
    this.filled += bytes.length
    this.chunks[this.chunks.length - 1] = this.block.subarray(0, this.filled)
  }

  private take(): Array<Uint8Array> {
    const { chunks } = this
    this.chunks = []
    this.block = undefined
    this.buffered = 0
    return chunks
  }

  private finish(): void {
    this.complete = true
    this.wake(Number.POSITIVE_INFINITY)
  }

  /** Ends the body before its end. Who waits for it fails with `RequestBodyError`. */
  fail(refusal: Refusal.Refusal): void {
    if (this.complete || this.failure !== undefined) return
    this.failure = refusal
    this.take()
    this.wake(Number.POSITIVE_INFINITY)
  }

  /** Throws away what is there and up to `limit` bytes that will come: the response is sent, nobody will read it. */
  discard(limit: number): void {
    if (this.complete) return
    this.discardable = limit
    this.take()
    this.wake(Number.POSITIVE_INFINITY)
  }

  // A fiber that is woken runs at once, and may wait again before this returns: hence the copy.
  private wake(received: number): void {
    for (const waiter of [...this.waiters]) {
      if (received > waiter.enough && this.waiters.delete(waiter)) waiter.wake()
    }
  }

  private moreThan(enough: number): Effect.Effect<void> {
    return Effect.callback<void>((resume) => {
      // The fiber may have yielded since it looked, and what it waits for have happened.
      const isOver = this.complete || this.failed || this.discardable >= 0
      if (isOver || this.received > enough) return resume(Effect.void)
      const waiter: Waiter = { enough, wake: () => resume(Effect.void) }
      this.waiters.add(waiter)
      this.source.wantBody()
      return Effect.sync(() => void this.waiters.delete(waiter))
    })
  }

  private error(request: HttpServerRequest.HttpServerRequest, refusal: Refusal.Refusal) {
    return Exit.fail(new HttpServerError.HttpServerError({ reason: new RequestBodyError(request, refusal) }))
  }

  // The answer that is already known, without waiting: undefined when bytes are still missing.
  private settled(request: HttpServerRequest.HttpServerRequest, limit: number) {
    if (this.failure !== undefined) return this.error(request, this.failure)
    if (this.discardable >= 0) return this.error(request, DISCARDED)
    if (this.received > limit || (this.declared !== undefined && this.declared > limit)) {
      return this.error(request, Refusal.get(Refusal.BODY_SIZE))
    }
    return undefined
  }

  /** The whole body. Reading it again gives the same bytes. `limit` can only lower the server's own. */
  bytes(
    request: HttpServerRequest.HttpServerRequest,
    limit: number
  ): Effect.Effect<Uint8Array, HttpServerError.HttpServerError> {
    return Effect.suspend((): Effect.Effect<Uint8Array, HttpServerError.HttpServerError> => {
      if (this.whole !== undefined) return Exit.succeed(this.whole)
      const settled = this.settled(request, limit)
      if (settled !== undefined) return settled
      if (this.streamed) return this.error(request, CONSUMED)
      // The end, Infinity, is more than any limit.
      const enough = Math.min(limit, Number.MAX_VALUE)
      if (!this.complete) return Effect.flatMap(this.moreThan(enough), () => this.bytes(request, limit))
      const chunks = this.take()
      const whole = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)
      this.whole = whole
      return Exit.succeed(whole)
    })
  }

  /** The body as it arrives. It can be consumed once; the socket waits while nobody pulls. */
  stream(
    request: HttpServerRequest.HttpServerRequest,
    limit: number
  ): Stream.Stream<Uint8Array, HttpServerError.HttpServerError> {
    type Chunk = readonly [Uint8Array, ...Array<Uint8Array>]
    const pull: Pull.Pull<Chunk, HttpServerError.HttpServerError> = Effect.suspend(
      (): Pull.Pull<Chunk, HttpServerError.HttpServerError> => {
        const settled = this.settled(request, limit)
        if (settled !== undefined) return settled
        if (this.chunks.length > 0) {
          const chunks = this.take() as unknown as Chunk
          if (!this.complete) this.source.wantBody()
          return Exit.succeed(chunks)
        }
        return this.complete ? Cause.done() : Effect.flatMap(this.moreThan(this.received), () => pull)
      }
    )
    return Stream.suspend((): Stream.Stream<Uint8Array, HttpServerError.HttpServerError> => {
      if (this.whole !== undefined) return Stream.succeed(this.whole)
      if (this.streamed) return Stream.fromEffect(this.error(request, CONSUMED))
      this.streamed = true
      return Stream.fromPull(Effect.succeed(pull))
    })
  }
}
