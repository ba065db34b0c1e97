/**
 * One HTTP/1.1 connection: bytes in, requests to the handler one after another, responses out in order.
 *
 * When to reach for it: `Transport` makes one for every accepted socket.
 * What it is not: a router, and not an Effect. It is a state machine that Node's socket events drive, and the place
 * where a client's departure interrupts exactly the fiber that works for it.
 *
 * HOT PATH: everything that a small request passes is synchronous: parse, dispatch, one string, one write a turn.
 *
 * The states, by what is set: `request` is being answered; `body` is still arriving; `closing` means that nothing is
 * read any more and the socket ends after what is written. A new head is parsed only when none of them is set.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { Socket } from "node:net"
import { HttpServerError, HttpServerResponse } from "../internal/effectHttp.ts"
import * as Problem from "../Problem.ts"
import { type Peer, ServerRequest } from "../Request.ts"
import type { Deadlines, Timed } from "./Deadline.ts"
import { HalfClose } from "./HalfClose.ts"
import { Output } from "./Output.ts"
import * as Refusal from "./Refusal.ts"
import { CLIENT_LEFT, RequestBody, type Source } from "./RequestBody.ts"
import { NO_BODY, type RequestHead } from "./RequestHead.ts"
import { release, type Streamed, toStream } from "./ResponseBody.ts"
import { asksToClose, bodiless, type Framing, InvalidResponse, isLength, type ResponseHead } from "./ResponseHead.ts"
import { CR, LF } from "./Syntax.ts"

/** What all connections of one listener share. Times are milliseconds, sizes bytes. */
export interface Port {
  /** Starts the work for a request. It must lead to one `respond`, now or later, unless the connection goes away. */
  readonly handle: (request: ServerRequest, connection: Connection) => void
  /** Reports a fault of the application that the client cannot be told of any more. */
  readonly report: (cause: Cause.Cause<unknown>, request: ServerRequest) => void
  readonly requestHead: RequestHead
  readonly responseHead: ResponseHead
  readonly deadlines: Deadlines
  readonly connections: Set<Connection>
  /** Called whenever a connection has gone. */
  readonly onClosed: Set<() => void>
  readonly isEncrypted: boolean
  readonly headMax: number
  readonly bodyMax: number
  readonly headTimeout: number
  readonly bodyTimeout: number
  readonly idleTimeout: number
  readonly writeTimeout: number
  readonly requestLimit: number
  /** Requests that are being answered now. */
  live: number
  /** True when no connection may be kept: the server stops. */
  draining: boolean
}

// What the deadline of a connection means.
const IDLE = 0
const HEAD = 1
const BODY = 2
const WORK = 3
const WRITE = 4
const LINGER = 5

// Text up to this size is joined with its head into one string; larger text costs less as a buffer of its own.
const JOIN_MAX = 16_384
// Output collected in one turn before it is written.
const FLUSH_AT = 65_536
// Bytes of later requests that are kept while one is being answered.
const PIPELINE_MAX = 65_536
// An unread body up to this size is read and thrown away to keep the connection; beyond it, closing is cheaper.
const DISCARD_MAX = 262_144
// How long a closed connection waits for the client to have read the last response (RFC 9112 §9.6).
const LINGER_TIMEOUT = 2_000
// How long an idle connection of a stopping server waits for a request that may be on its way.
const DRAIN_IDLE = 500

const OVERLOADED = Problem.response(Refusal.OVERLOADED)

export class Connection implements Timed, Peer, Source {
  deadline: number
  private phase = IDLE
  private readonly socket: Socket
  private readonly port: Port
  private readonly output: Output
  private request: ServerRequest | undefined = undefined
  private body: RequestBody | undefined = undefined
  private pending: Buffer | undefined = undefined
  // How the body of the response in progress is delimited, while it is streamed.
  private streaming: Framing | undefined = undefined
  // Inside `turn`: what is written is collected, and the loop goes on by itself.
  private turning = false
  // The turn has bytes left behind the request that is being dispatched.
  private more = false
  private closing = false
  private gone = false
  // The client has sent FIN.
  private ended = false
  // The framing of what comes in is lost: answer what runs, then close.
  private broken = false
  private paused = false
  private bodyPaused = false
  private continueDue = false
  private halfClose: HalfClose | undefined = undefined
  private drained: (() => void) | undefined = undefined

  constructor(socket: Socket, port: Port) {
    this.socket = socket
    this.port = port
    this.output = new Output(socket, () => this.arm(WRITE, port.writeTimeout))
    this.deadline = port.deadlines.after(port.draining ? DRAIN_IDLE : port.headTimeout)
    port.connections.add(this)
    port.deadlines.add(this)
    socket.on("data", (chunk: Buffer) => {
      this.onData(chunk)
      // Asks for the next bytes in the same turn; measured cheaper than letting the stream decide.
      if (!this.paused && !this.bodyPaused) socket.read(0)
    })
    socket.on("end", () => this.onEnd())
    socket.on("drain", () => this.onDrain())
    // An error is always followed by "close", which says all that is needed.
    socket.on("error", () => {})
    socket.on("close", () => this.onClose())
  }

  get remoteAddress(): string | undefined {
    return this.socket.remoteAddress
  }

  get remotePort(): number | undefined {
    return this.socket.remotePort
  }

  get isEncrypted(): boolean {
    return this.port.isEncrypted
  }

  private onData(chunk: Buffer): void {
    // What arrives after the last response is read and dropped: closing with unread bytes would reset the connection
    // and could destroy the response on its way.
    if (this.closing || this.broken) return
    const { pending } = this
    if (pending !== undefined) {
      this.pending = undefined
      chunk = Buffer.concat([pending, chunk])
    }
    this.turn(chunk)
  }

  private turn(chunk: Buffer): void {
    const end = chunk.length
    let at = 0
    this.turning = true
    while (at < end && !this.closing && !this.broken) {
      const { body } = this
      if (body !== undefined) {
        // The client did not wait to be told.
        this.continueDue = false
        at = body.feed(chunk, at, end)
        if (!body.complete && !body.failed) break
        this.bodyEnded(body)
        continue
      }
      if (this.request !== undefined || this.output.blocked) break
      // RFC 9112 §2.2: empty lines before a request line are ignored.
      if (chunk[at] === CR && chunk[at + 1] === LF) {
        at += 2
        continue
      }
      const { requestHead } = this.port
      const next = requestHead.parse(chunk, at, end)
      if (next <= 0) {
        if (next < 0) this.refuse(-next)
        break
      }
      at = this.begin(requestHead, chunk, at, next)
      if (this.output.size > FLUSH_AT) this.output.flush()
    }
    this.more = false
    this.turning = false
    if (at < end) this.keep(at === 0 ? chunk : chunk.subarray(at))
    else if (this.phase === HEAD) this.rest()
    this.flush()
    if (this.ended) this.settleHalfClose()
  }

  private keep(rest: Buffer): void {
    if (this.closing || this.broken) return
    this.pending = rest
    if (this.request === undefined && this.body === undefined && !this.output.blocked) {
      // The clock of a request starts with its first byte, so that an idle connection is never told 408.
      if (this.phase !== HEAD) this.arm(HEAD, this.port.headTimeout)
    } else if (rest.length > PIPELINE_MAX && !this.paused) {
      this.paused = true
      this.socket.pause()
    }
  }

  private begin(head: RequestHead, chunk: Buffer, start: number, next: number): number {
    const { port } = this
    const end = chunk.length
    let at = next
    let body: RequestBody | undefined
    if (head.body !== NO_BODY) {
      if (head.length > port.bodyMax) {
        this.refuse(Refusal.BODY_SIZE)
        return end
      }
      body = new RequestBody(this, head, port.bodyMax)
      this.continueDue = head.expectsContinue
    }
    const request = new ServerRequest(this, head, chunk, start, next, body)
    this.request = request
    port.live++
    this.phase = WORK
    this.deadline = Number.POSITIVE_INFINITY
    if (body !== undefined) {
      this.body = body
      this.arm(BODY, port.bodyTimeout)
      if (at < end) {
        this.continueDue = false
        at = body.feed(chunk, at, end)
        if (body.complete || body.failed) this.bodyEnded(body)
      }
    }
    this.more = at < end
    try {
      if (port.live > port.requestLimit) this.respond(request, OVERLOADED)
      else port.handle(request, this)
    } catch (defect) {
      this.crashed(request, defect)
    }
    return at
  }

  // The connection must not hang because whoever starts the work has thrown.
  private crashed(request: ServerRequest, defect: unknown): void {
    this.port.report(Cause.die(defect), request)
    if (this.request === request && this.streaming === undefined) this.respond(request, Problem.response({ status: 500 }))
  }

  private bodyEnded(body: RequestBody): void {
    this.body = undefined
    this.continueDue = false
    if (this.bodyPaused) {
      this.bodyPaused = false
      this.resumeReading()
    }
    if (this.phase === BODY) this.rest()
    if (!body.failed) return
    this.broken = true
    // Nobody is left to tell the client: the response went out before the body broke.
    if (this.request === undefined) this.close()
  }

  pauseBody(): void {
    if (this.bodyPaused || this.gone) return
    this.bodyPaused = true
    this.socket.pause()
    if (this.phase === BODY) this.rest()
  }

  wantBody(): void {
    if (this.continueDue) {
      this.continueDue = false
      if (this.streaming === undefined && !this.closing) this.output.flush("HTTP/1.1 100 Continue\r\n\r\n")
    }
    if (!this.bodyPaused) return
    this.bodyPaused = false
    this.rest()
    this.resumeReading()
  }

  private resumeReading(): void {
    if (this.bodyPaused || this.gone) return
    this.paused = false
    this.socket.resume()
  }

  /**
   * Sends the response of a request. Returns `undefined` when it is written, or the Effect that sends a streamed body:
   * the caller runs it in the fiber that serves the request.
   */
  respond(request: ServerRequest, response: HttpServerResponse.HttpServerResponse): Effect.Effect<void> | undefined {
    if (this.gone) {
      release(response.body)
      return undefined
    }
    if (this.request !== request || this.streaming !== undefined) {
      release(response.body)
      this.port.report(Cause.die(new InvalidResponse({ detail: "a request was answered twice" })), request)
      return undefined
    }
    try {
      return this.send(request, response)
    } catch (defect) {
      this.port.report(Cause.die(defect), request)
      return this.send(request, Problem.response({ status: 500 }))
    }
  }

  private send(request: ServerRequest, response: HttpServerResponse.HttpServerResponse): Effect.Effect<void> | undefined {
    const { body, status } = response
    const { responseHead } = this.port
    const keepAlive = this.canKeep(request) && !asksToClose(response)
    const isHead = request.method === "HEAD"
    const omitsBody = isHead || status === 204 || status === 205 || status === 304
    switch (body._tag) {
      case "Uint8Array": {
        const length = body.contentLength
        const head = responseHead.encode(response, keepAlive, omitsBody ? bodiless(status, length) : length)
        const { text } = body
        if (omitsBody) this.output.add(head)
        // As many bytes as characters: ASCII, so that head and body can be one Latin-1 string and one write.
        else if (text !== undefined && text.length === length && length <= JOIN_MAX) this.output.add(head + text)
        else this.output.body(head, text ?? body.body)
        break
      }
      case "Empty": {
        // A HEAD answer may tell the length of the body that GET would have.
        const told = isHead ? Number(response.headers["content-length"] ?? 0) : 0
        this.output.add(responseHead.encode(response, keepAlive, omitsBody ? bodiless(status, told) : 0))
        break
      }
      default: {
        const streamed = toStream(body, response)
        if (streamed.contentType !== undefined && response.headers["content-type"] === undefined) {
          response = HttpServerResponse.setHeader(response, "content-type", streamed.contentType)
        }
        if (!omitsBody) return this.startStream(request, response, streamed, keepAlive)
        this.output.add(responseHead.encode(response, keepAlive, bodiless(status, streamed.length)))
        release(body)
      }
    }
    this.finish(request, keepAlive)
    return undefined
  }

  private canKeep(request: ServerRequest): boolean {
    if (!request.keepAlive || this.broken || this.port.draining || this.port.idleTimeout === 0) return false
    if (this.ended && this.pending === undefined && !this.more) return false
    const { body } = this
    if (body === undefined) return true
    if (body.failed) return false
    // Told to wait, the client may or may not send its body now: the end of it cannot be known.
    return !this.continueDue && (body.outstanding ?? 0) <= DISCARD_MAX
  }

  private finish(request: ServerRequest, keepAlive: boolean): void {
    request.fiber = undefined
    this.request = undefined
    this.streaming = undefined
    this.port.live--
    if (this.halfClose !== undefined) this.stopProbing()
    const { body } = this
    if (!keepAlive || this.broken) this.closing = true
    else {
      if (body !== undefined) {
        body.discard(DISCARD_MAX)
        this.wantBody()
      }
      this.rest()
    }
    if (!this.turning) this.proceed()
  }

  // What the connection waits for now, and how long it may.
  private rest(): void {
    // A client that does not read has its own deadline, and so has the end of a connection.
    if (this.output.blocked || this.closing) return
    // Nothing is expected of the client while the application works, or is slow to take the body.
    if (this.body !== undefined && !this.bodyPaused) return this.arm(BODY, this.port.bodyTimeout)
    if (this.body !== undefined || this.request !== undefined) return this.arm(WORK, Number.POSITIVE_INFINITY)
    this.arm(IDLE, this.port.draining ? DRAIN_IDLE : this.port.idleTimeout)
  }

  // After an answer that came later than its turn: write it, then look at what has arrived meanwhile.
  private proceed(): void {
    this.flush()
    if (this.closing || this.output.blocked || this.request !== undefined || this.body !== undefined) return
    const { pending } = this
    if (this.paused) this.resumeReading()
    if (pending !== undefined) {
      this.pending = undefined
      this.turn(pending)
    } else if (this.ended) this.settleHalfClose()
  }

  private refuse(code: number): void {
    const { detail, status } = Refusal.get(code)
    const text = Problem.encode({ status, detail })
    const head = this.port.responseHead.encode(Problem.response({ status, detail }), false, text.length)
    this.output.add(this.port.requestHead.method === "HEAD" ? head : head + text)
    this.close()
  }

  private startStream(
    request: ServerRequest,
    response: HttpServerResponse.HttpServerResponse,
    { length, stream }: Streamed,
    keepAlive: boolean
  ): Effect.Effect<void> {
    const framing: Framing = length ?? (request.minorVersion === 0 ? "none" : "chunked")
    if (typeof framing === "number" && !isLength(framing)) {
      throw new InvalidResponse({ detail: `a response cannot have ${framing} bytes` })
    }
    const keep = keepAlive && framing !== "none"
    this.output.add(this.port.responseHead.encode(response, keep, framing))
    this.streaming = framing
    if (!this.turning) this.output.flush()
    let sent = 0
    const run = Stream.runForEachArray(stream, (pieces) => {
      let size = 0
      for (const piece of pieces) size += piece.byteLength
      // Text instead of bytes, say, behind the back of the types: its length would be wrong, and so the framing.
      if (!isLength(size)) return Effect.die(new InvalidResponse({ detail: "a streamed response gave something else than bytes" }))
      sent += size
      return typeof framing === "number" && sent > framing
        ? Effect.die(new InvalidResponse({ detail: `a response of ${framing} bytes was given more than that` }))
        : this.writePieces(pieces, size, framing === "chunked")
    })
    return Effect.matchCause(run, {
      onSuccess: () => {
        if (typeof framing === "number" && sent < framing) {
          const detail = `a response of ${framing} bytes ended after ${sent}`
          return this.abortStream(request, Cause.die(new InvalidResponse({ detail })))
        }
        if (this.gone) return
        if (framing === "chunked") this.output.add("0\r\n\r\n")
        this.finish(request, keep)
      },
      onFailure: (cause) => this.abortStream(request, cause)
    }).pipe(Effect.onInterrupt(() => Effect.sync(() => this.abortStream(request, Cause.interrupt()))))
  }

  private writePieces(pieces: ReadonlyArray<Uint8Array>, size: number, chunked: boolean): Effect.Effect<void> {
    // An empty chunk would end the body.
    if (size === 0) return Effect.void
    if (this.gone) return Effect.interrupt
    this.halfClose?.chunkWritten()
    if (this.output.pieces(pieces, size, chunked)) return Effect.void
    return Effect.callback<void>((resume) => {
      this.drained = () => resume(Effect.void)
      return Effect.sync(() => void (this.drained = undefined))
    })
  }

  // The client must not take a part for the whole: the connection breaks instead of ending well.
  private abortStream(request: ServerRequest, cause: Cause.Cause<unknown>): void {
    if (this.request === request) {
      this.request = undefined
      this.port.live--
    }
    request.fiber = undefined
    if (!Cause.hasInterruptsOnly(cause)) this.port.report(cause, request)
    this.destroy()
  }

  private flush(): void {
    if (!this.closing) {
      if (this.output.size > 0) this.output.flush()
      return
    }
    if (this.socket.writableEnded || this.gone) return
    this.arm(WRITE, this.port.writeTimeout)
    this.output.end(() => this.gone || this.arm(LINGER, LINGER_TIMEOUT))
    this.pending = undefined
    this.bodyPaused = false
    this.resumeReading()
  }

  private onDrain(): void {
    this.output.blocked = false
    if (this.closing) return
    this.rest()
    const { drained } = this
    if (drained !== undefined) {
      this.drained = undefined
      drained()
    } else this.proceed()
  }

  private arm(phase: number, milliseconds: number): void {
    this.phase = phase
    this.deadline = this.port.deadlines.after(milliseconds)
  }

  expire(): void {
    this.deadline = Number.POSITIVE_INFINITY
    switch (this.phase) {
      case IDLE:
        return this.close()
      case HEAD:
        // Once more, for the method: a refusal of HEAD has no body.
        if (this.pending !== undefined) this.port.requestHead.parse(this.pending, 0, this.pending.length)
        return this.refuse(Refusal.HEAD_TIMEOUT)
      case BODY: {
        const { body } = this
        if (this.request === undefined || body === undefined) return this.destroy()
        // The handler that waits for the body answers 408.
        body.fail(Refusal.get(Refusal.BODY_TIMEOUT))
        return this.bodyEnded(body)
      }
      case WRITE:
        return this.output.progressed() ? this.arm(WRITE, this.port.writeTimeout) : this.destroy()
      case LINGER:
        return this.destroy()
    }
  }

  /** Lets a connection that waits for a request go; others close with their next response. */
  drain(): void {
    if (this.phase === IDLE) this.arm(IDLE, DRAIN_IDLE)
  }

  /** Interrupts the handler of this connection; the client gets 503. */
  interrupt(): void {
    if (this.request === undefined) this.close()
    else this.request.fiber?.interruptUnsafe()
  }

  /** Ends the connection after what has been written. */
  close(): void {
    if (this.closing) return
    this.closing = true
    if (!this.turning) this.flush()
  }

  /** Ends the connection now. */
  destroy(): void {
    this.closing = true
    this.socket.destroy()
  }

  private onEnd(): void {
    this.ended = true
    if (this.closing) return
    // A client that ends in the middle of its body cannot want an answer: it has left.
    if (this.body !== undefined && this.request !== undefined) return this.destroy()
    if (this.body !== undefined) return this.close()
    this.settleHalfClose()
  }

  private settleHalfClose(): void {
    if (this.closing || this.output.blocked) return
    if (this.request === undefined) return this.close()
    this.halfClose ??= new HalfClose(
      () =>
        this.output.blocked || this.request === undefined ? "nothing"
          : this.streaming === "chunked" ? "zero"
          : this.streaming === undefined && this.request.minorVersion > 0 ? "interim"
          : "nothing",
      (text) => this.output.flush(text)
    )
  }

  private stopProbing(): void {
    this.halfClose?.stop()
    this.halfClose = undefined
  }

  private onClose(): void {
    this.gone = true
    this.closing = true
    this.pending = undefined
    this.output.drop()
    this.stopProbing()
    this.port.connections.delete(this)
    this.port.deadlines.remove(this)
    const { body, drained, request } = this
    this.body = undefined
    this.drained = undefined
    if (request !== undefined) {
      this.request = undefined
      this.port.live--
      const { fiber } = request
      request.fiber = undefined
      if (fiber !== undefined) fiber.interruptUnsafe(undefined, HttpServerError.ClientAbort.annotation)
    }
    if (body !== undefined) body.fail(CLIENT_LEFT)
    if (drained !== undefined) drained()
    for (const onClosed of this.port.onClosed) onClosed()
  }
}
