/**
 * One HTTP/1.1 connection: bytes in, requests to the handler one after another, responses out in order.
 *
 * When to reach for it: `Transport` makes one for every accepted socket.
 * What it is not: a router, and not an Effect. It is a state machine that Node's socket events drive, and the place
 * where a client's departure interrupts exactly the fiber that works for it.
 *
 * HOT PATH: everything that a small request passes is synchronous: parse, dispatch, one string, one write a turn.
 *
 * The states, by what is set: `request` is being answered; `body` is still arriving; `wire.closing` means that nothing
 * is read any more and the socket ends after what is written. A head is parsed only when none of them is set.
 */
import * as Cause from "effect/Cause"
import type * as Effect from "effect/Effect"
import type { Socket } from "node:net"
import { HttpServerError, type HttpServerResponse } from "../internal/effectHttp.ts"
import type { Share } from "../Limits.ts"
import * as Problem from "../Problem.ts"
import { type Peer, ServerRequest } from "../Request.ts"
import { excess } from "./Admission.ts"
import { Observation } from "./Observation.ts"
import type { Output } from "./Output.ts"
import type { Port } from "./Port.ts"
import * as Refusal from "./Refusal.ts"
import { CLIENT_LEFT, RequestBody, type Source } from "./RequestBody.ts"
import { NO_BODY, type RequestHead } from "./RequestHead.ts"
import { release } from "./ResponseBody.ts"
import { asksToClose, InvalidResponse } from "./ResponseHead.ts"
import { ResponseStream, type Target } from "./ResponseStream.ts"
import * as ResponseWriter from "./ResponseWriter.ts"
import { CR, LF } from "./Syntax.ts"
import { BODY, BODY_FULL, HEAD, IDLE, type Owner, QUEUE_FULL, Wire, WORK } from "./Wire.ts"

// Output collected in one turn before it is written.
const FLUSH_AT = 65_536
// Bytes of later requests that are kept while one is being answered.
const PIPELINE_MAX = 65_536
// An unread body up to this size is read and thrown away to keep the connection; beyond it, closing is cheaper.
const DISCARD_MAX = 262_144
// How long an idle connection of a stopping server waits for a request that may be on its way.
const DRAIN_IDLE = 500

const CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n"
const TWICE = Cause.die(new InvalidResponse({ detail: "a request was answered twice" }))

export class Connection implements Owner, Peer, Source, Target {
  readonly isEncrypted: boolean
  private readonly port: Port
  readonly wire: Wire
  private readonly output: Output
  // Where there is somebody to tell of requests, and a limit for addresses.
  private readonly observation: Observation | undefined
  private readonly share: Share | undefined
  private request: ServerRequest | undefined = undefined
  private body: RequestBody | undefined = undefined
  // The response of `request`, while it is streamed.
  private stream: ResponseStream | undefined = undefined
  private pending: Buffer | undefined = undefined
  // Inside `turn`, where what is written is collected, and which goes on by itself.
  private turning = false
  // The turn has bytes left behind the request that is being dispatched.
  private more = false
  // The framing of what comes in is lost: what runs is answered, then the connection closes.
  private broken = false

  constructor(socket: Socket, port: Port) {
    this.isEncrypted = port.isEncrypted
    this.port = port
    this.wire = new Wire(socket, this, port.deadlines, port.settings.writeTimeout)
    this.output = this.wire.output
    this.observation = port.observer === undefined ? undefined : new Observation(port.observer, port, this)
    this.share = port.addresses?.enter(socket.remoteAddress)
    port.connections.add(this)
    this.wire.arm(IDLE, port.draining ? DRAIN_IDLE : port.settings.headTimeout)
    if (this.share?.isFlooding) this.wire.reset()
    else if (this.share?.hasTooManyConnections) this.refuse(Refusal.ADDRESS_CONNECTIONS)
  }

  get remoteAddress(): string | undefined {
    return this.wire.socket.remoteAddress
  }

  get remotePort(): number | undefined {
    return this.wire.socket.remotePort
  }

  get descriptor(): number | undefined {
    return this.wire.descriptor
  }

  // --- bytes in ------------------------------------------------------------------------------------------------------

  received(chunk: Buffer): void {
    if (this.broken) return
    const { pending } = this
    if (pending !== undefined) {
      this.pending = undefined
      chunk = Buffer.concat([pending, chunk])
    }
    this.turn(chunk)
  }

  private turn(chunk: Buffer): void {
    const { wire } = this
    const { requestHead } = this.port
    const end = chunk.length
    let at = 0
    this.turning = true
    while (at < end && !wire.closing && !this.broken) {
      const { body } = this
      if (body !== undefined) {
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
      const next = requestHead.parse(chunk, at, end)
      if (next <= 0) {
        if (next < 0) this.refuse(-next, chunk, at)
        break
      }
      at = this.begin(requestHead, chunk, at, next)
      if (this.output.size > FLUSH_AT) this.output.flush()
    }
    this.more = false
    this.turning = false
    if (at < end) this.keep(at === 0 ? chunk : chunk.subarray(at))
    else if (wire.phase === HEAD) this.rest()
    wire.flush()
    if (wire.ended) this.settleHalfClose()
  }

  private keep(rest: Buffer): void {
    const { wire } = this
    if (wire.closing || this.broken) return
    this.pending = rest
    if (this.request === undefined && this.body === undefined && !this.output.blocked) {
      // The clock of a request starts with its first byte, so that an idle connection is never told 408.
      if (wire.phase !== HEAD) wire.arm(HEAD, this.port.settings.headTimeout)
    } else if (rest.length > PIPELINE_MAX) wire.pause(QUEUE_FULL)
  }

  private begin(head: RequestHead, chunk: Buffer, start: number, next: number): number {
    const { port, wire } = this
    const { bodyMax, bodyTimeout } = port.settings
    const end = chunk.length
    let at = next
    if (head.length > bodyMax) {
      this.refuse(Refusal.BODY_SIZE, chunk, start)
      return end
    }
    const body = head.body === NO_BODY ? undefined : new RequestBody(this, head, bodyMax, at === end)
    const request = new ServerRequest(this, head, chunk, start, next, body)
    this.request = request
    port.live++
    this.observation?.began()
    if (this.share !== undefined) this.share.requests++
    wire.phase = WORK
    wire.deadline = Number.POSITIVE_INFINITY
    if (body !== undefined) {
      this.body = body
      wire.arm(BODY, bodyTimeout)
      if (at < end) {
        at = body.feed(chunk, at, end)
        if (body.complete || body.failed) this.bodyEnded(body)
      }
    }
    this.more = at < end
    try {
      const answer = excess(port, this.share)
      if (answer !== undefined) this.respond(request, answer)
      else port.handle(request, this)
    } catch (defect) {
      this.crashed(request, defect)
    }
    return at
  }

  // The connection must not hang because whoever starts the work has thrown.
  private crashed(request: ServerRequest, defect: unknown): void {
    this.port.report(Cause.die(defect), request)
    if (this.request === request && this.stream === undefined) this.respond(request, Problem.response({ status: 500 }))
  }

  private bodyEnded(body: RequestBody): void {
    this.body = undefined
    this.wire.resume(BODY_FULL)
    if (this.wire.phase === BODY) this.rest()
    if (!body.failed) return
    this.broken = true
    // Nobody is left to tell the client: the response went out before the body broke.
    if (this.request === undefined) this.close()
  }

  pauseBody(): void {
    this.wire.pause(BODY_FULL)
    if (this.wire.phase === BODY) this.rest()
  }

  wantBody(): void {
    if (this.body?.isAwaited) {
      this.body.isAwaited = false
      if (this.stream === undefined && !this.wire.closing) this.output.flush(CONTINUE)
    }
    if (!this.wire.isPaused(BODY_FULL)) return
    this.wire.resume(BODY_FULL)
    this.rest()
  }

  // --- responses out -------------------------------------------------------------------------------------------------

  /**
   * Sends the response of a request. Returns `undefined` when it is written, or the Effect that sends a streamed body:
   * the caller runs it in a fiber and leaves that in `request.fiber`.
   */
  respond(request: ServerRequest, response: HttpServerResponse.HttpServerResponse): Effect.Effect<void> | undefined {
    if (this.request !== request || this.stream !== undefined) {
      release(response.body)
      if (!this.wire.gone) this.port.report(TWICE, request)
      return undefined
    }
    try {
      return this.send(request, response)
    } catch (defect) {
      this.port.report(Cause.die(defect), request)
      return this.send(request, Problem.response({ status: 500 }))
    }
  }

  private send(
    request: ServerRequest,
    response: HttpServerResponse.HttpServerResponse
  ): Effect.Effect<void> | undefined {
    const keepAlive = this.canKeep(request) && !asksToClose(response)
    this.observation?.answered(response)
    const streamed = ResponseWriter.write(this.output, this.port.responseHead, request, response, keepAlive)
    if (streamed === undefined) {
      this.finish(request, keepAlive)
      return undefined
    }
    this.stream = new ResponseStream(this, this.wire, request, streamed.framing, streamed.keepAlive)
    if (!this.turning) this.output.flush()
    return this.stream.run(streamed.stream)
  }

  private canKeep(request: ServerRequest): boolean {
    const { port } = this
    if (!request.keepAlive || this.broken || port.draining || port.settings.idleTimeout === 0) return false
    if (this.wire.ended && this.pending === undefined && !this.more) return false
    const { body } = this
    if (body === undefined) return true
    if (body.failed) return false
    // Told to wait, the client may or may not send its body now: the end of it cannot be known.
    return !body.isAwaited && (body.outstanding ?? 0) <= DISCARD_MAX
  }

  finish(request: ServerRequest, keepAlive: boolean): void {
    this.over(request)
    const { body, wire } = this
    if (!keepAlive || this.broken) wire.closing = true
    else {
      if (body !== undefined) {
        body.discard(DISCARD_MAX)
        this.wantBody()
      }
      this.rest()
    }
    if (!this.turning) this.proceed()
  }

  // Nobody works for this request any more.
  private over(request: ServerRequest): void {
    request.fiber = undefined
    this.observation?.ended(request, this.stream, this.wire.gone)
    if (this.share !== undefined) this.share.requests--
    this.request = undefined
    this.stream = undefined
    this.port.live--
    this.wire.unwatch()
  }

  // What the connection waits for now, and how long it may.
  private rest(): void {
    const { port, wire } = this
    // A client that does not read has its own deadline, and so has the end of a connection.
    if (this.output.blocked || wire.closing) return
    // Nothing is expected of the client while the application works, or is slow to take the body.
    if (this.body !== undefined && !wire.isPaused(BODY_FULL)) wire.arm(BODY, port.settings.bodyTimeout)
    else if (this.body !== undefined || this.request !== undefined) wire.arm(WORK, Number.POSITIVE_INFINITY)
    else wire.arm(IDLE, port.draining ? DRAIN_IDLE : port.settings.idleTimeout)
  }

  // After an answer that came later than its turn: write it, then look at what has arrived meanwhile.
  private proceed(): void {
    const { wire } = this
    wire.flush()
    if (wire.closing || this.output.blocked || this.request !== undefined || this.body !== undefined) return
    wire.resume(QUEUE_FULL)
    const { pending } = this
    if (pending !== undefined) {
      this.pending = undefined
      this.turn(pending)
    } else if (wire.ended) this.settleHalfClose()
  }

  private refuse(code: number, head?: Buffer, start = 0): void {
    const { requestHead, responseHead } = this.port
    const isHead = head !== undefined && requestHead.method === "HEAD"
    const bytes = ResponseWriter.refuse(this.output, responseHead, Refusal.get(code), isHead)
    this.observation?.refused(Refusal.get(code).status, bytes, head, start)
    this.close()
  }

  streamBroke(request: ServerRequest, cause: Cause.Cause<unknown>): void {
    if (this.request === request) this.over(request)
    if (!Cause.hasInterruptsOnly(cause)) this.port.report(cause, request)
  }

  drained(): void {
    this.rest()
    if (this.stream !== undefined) this.stream.drained()
    else this.proceed()
  }

  // --- the end -------------------------------------------------------------------------------------------------------

  expired(phase: number): void {
    const { body, pending, port, request } = this
    if (phase === IDLE) return this.close()
    if (phase === HEAD) {
      // Once more, for the method: a refusal of HEAD has no body.
      if (pending !== undefined) port.requestHead.parse(pending, 0, pending.length)
      return this.refuse(Refusal.HEAD_TIMEOUT, pending)
    }
    if (request === undefined || body === undefined) return this.wire.destroy()
    // The handler that waits for the body answers 408.
    body.fail(Refusal.get(Refusal.BODY_TIMEOUT))
    this.bodyEnded(body)
  }

  /** Lets a connection that waits for a request go; others close with their next response. */
  drain(): void {
    if (this.wire.phase === IDLE) this.wire.arm(IDLE, DRAIN_IDLE)
  }

  /** Interrupts the handler of this connection; the client gets 503. */
  interrupt(): void {
    if (this.request === undefined) this.close()
    else this.request.fiber?.interruptUnsafe()
  }

  /** Ends the connection after what has been written. */
  close(): void {
    this.wire.closing = true
    if (!this.turning) this.wire.flush()
  }

  ended(): void {
    if (this.body === undefined) this.settleHalfClose()
    // A client that ends in the middle of its body cannot want an answer: it has left.
    else if (this.request !== undefined) this.wire.destroy()
    else this.close()
  }

  // After FIN the last request is answered, and the connection ends behind it.
  private settleHalfClose(): void {
    if (this.wire.closing || this.output.blocked) return
    if (this.request === undefined) return this.close()
    const { minorVersion } = this.request
    this.wire.watch(() => this.stream !== undefined ? this.stream.probe() : minorVersion > 0 ? CONTINUE : "")
  }

  closed(): void {
    const { body, port, request, share, stream } = this
    port.connections.delete(this)
    if (share !== undefined) port.addresses?.leave(share)
    this.pending = undefined
    this.body = undefined
    if (request !== undefined) {
      const { fiber } = request
      this.over(request)
      if (fiber !== undefined) fiber.interruptUnsafe(undefined, HttpServerError.ClientAbort.annotation)
    }
    if (body !== undefined) body.fail(CLIENT_LEFT)
    if (stream !== undefined) stream.drained()
    for (const onClosed of port.onClosed) onClosed()
  }
}
