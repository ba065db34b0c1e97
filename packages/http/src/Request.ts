/**
 * The request that a handler sees: Effect's `HttpServerRequest`, made of the bytes of one request head.
 *
 * When to reach for it: handlers get one, and `Request.Request` is the service of the current request below a handler.
 * What it is not: a copy of the message. Target, method and body are there at once; headers and cookies are decoded
 * from the bytes when somebody asks for them.
 *
 * HOT PATH: the constructor runs for every request, so it makes two strings and nothing else.
 */
import * as ByteSize from "effect/ByteSize"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Inspectable from "effect/Inspectable"
import * as Option from "effect/Option"
import type * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import {
  Cookies,
  Headers,
  HttpIncomingMessage,
  HttpServerError,
  HttpServerRequest,
  Multipart,
  UrlParams
} from "./internal/effectHttp.ts"
import { latin1, utf8 } from "./internal/latin1.ts"
import type { RequestBody } from "./transport/RequestBody.ts"
import type { RequestHead } from "./transport/RequestHead.ts"

/** What a request knows of the connection it came on. */
export interface Peer {
  /** The address of the other end, `undefined` on UNIX sockets. */
  readonly remoteAddress: string | undefined
  readonly remotePort: number | undefined
  readonly isEncrypted: boolean
  /** The descriptor of the socket, `undefined` where there is none. */
  readonly descriptor: number | undefined
  /** Ends the connection behind what has been written; whoever works for its request is interrupted. */
  readonly close: () => void
}

/** The current request, as a service: `yield* Request.Request` below a handler. */
export const Request = HttpServerRequest.HttpServerRequest
export type Request = HttpServerRequest.HttpServerRequest

const NO_BYTES = new Uint8Array(0)
const decoder = new TextDecoder()

type ServerError = HttpServerError.HttpServerError

const parseError = (request: HttpServerRequest.HttpServerRequest, description: string, cause?: unknown): ServerError =>
  new HttpServerError.HttpServerError({
    reason: new HttpServerError.RequestParseError({ request, description, cause })
  })

/** A request as the transport makes it; handlers see it as Effect's `HttpServerRequest`. */
export class ServerRequest extends Inspectable.Class implements HttpServerRequest.HttpServerRequest {
  declare readonly [HttpServerRequest.TypeId]: typeof HttpServerRequest.TypeId
  declare readonly [HttpIncomingMessage.TypeId]: typeof HttpIncomingMessage.TypeId
  readonly source: Peer
  readonly method: string
  /** Path and query as sent, never empty: `/` stands for an absolute URL without a path. */
  readonly url: string
  /** True when the client may send another request on this connection. */
  readonly keepAlive: boolean
  /** 0 or 1 of HTTP/1.x. */
  readonly minorVersion: number
  /** The body, or `undefined` when the request has none. */
  readonly body: RequestBody | undefined
  /** Offset of the `?` in `url`, or -1. */
  readonly queryStart: number
  /** The fiber that works for this request, while it does. The connection interrupts it when the client leaves. */
  fiber: Fiber.Fiber<unknown, unknown> | undefined = undefined

  private readonly head: RequestHead
  private readonly generation: number
  private readonly buffer: Buffer
  private readonly start: number
  private readonly end: number
  private headersCache: Headers.Headers | undefined = undefined
  private cookiesCache: Readonly<Record<string, string>> | undefined = undefined
  private overrides: Parameters<HttpServerRequest.HttpServerRequest["modify"]>[0] | undefined = undefined

  constructor(
    peer: Peer,
    head: RequestHead,
    buffer: Buffer,
    start: number,
    end: number,
    body: RequestBody | undefined
  ) {
    super()
    this.source = peer
    this.head = head
    this.generation = head.generation
    this.buffer = buffer
    this.start = start
    this.end = end
    this.method = head.method
    this.keepAlive = head.keepAlive
    this.minorVersion = head.minor
    this.body = body
    const { query, targetEnd, targetStart } = head
    const target = latin1(buffer, targetStart, targetEnd)
    if (targetStart === targetEnd || query === targetStart) {
      // An absolute URL without a path (RFC 9112 §3.2.1): the path is "/".
      this.url = `/${target}`
      this.queryStart = query < 0 ? -1 : 1
    } else {
      this.url = target
      this.queryStart = query < 0 ? -1 : query - targetStart
    }
  }

  /** The path as sent, without the query. */
  get path(): string {
    return this.queryStart < 0 ? this.url : this.url.slice(0, this.queryStart)
  }

  /** The query as sent, without the question mark; empty when there is none. */
  get query(): string {
    return this.queryStart < 0 ? "" : this.url.slice(this.queryStart + 1)
  }

  // The offsets are in the shared scratch until another head is parsed; then they are computed again.
  private offsets(): RequestHead {
    if (this.head.generation !== this.generation) this.head.parse(this.buffer, this.start, this.end)
    return this.head
  }

  /** Host and port as sent, of the target or the `Host` field; empty when an HTTP/1.0 request names none. */
  get host(): string {
    const head = this.offsets()
    return head.hostEnd === 0 ? "" : latin1(this.buffer, head.hostStart, head.hostEnd)
  }

  /** One field by its lower-case name, several of that name joined with a comma, without decoding all others. */
  field(name: string): string | undefined {
    if (this.overrides?.headers !== undefined || this.headersCache !== undefined) return this.headers[name]
    // The one field whose value may come from elsewhere: an absolute target (RFC 9112 §3.2.2).
    if (name === "host") return this.host || undefined
    const { buffer } = this
    const { count, offsets } = this.offsets()
    const size = name.length
    let found: string | undefined
    for (let at = 0; at < count * 4; at += 4) {
      const start = offsets[at]!
      if (offsets[at + 1]! - start !== size) continue
      let i = 0
      while (i < size) {
        const byte = buffer[start + i]!
        if ((byte >= 65 && byte <= 90 ? byte | 32 : byte) !== name.charCodeAt(i)) break
        i++
      }
      if (i !== size) continue
      const value = latin1(buffer, offsets[at + 2]!, offsets[at + 3]!)
      found = found === undefined ? value : `${found}${name === "cookie" ? "; " : ", "}${value}`
    }
    return found
  }

  /** Every field in the order sent, names as sent: name, value, name, value. */
  get rawHeaders(): ReadonlyArray<string> {
    const { count, offsets } = this.offsets()
    const out: Array<string> = []
    for (let at = 0; at < count * 4; at += 2) out.push(latin1(this.buffer, offsets[at]!, offsets[at + 1]!))
    return out
  }

  get headers(): Headers.Headers {
    return this.overrides?.headers ?? (this.headersCache ??= this.decodeHeaders())
  }

  private decodeHeaders(): Headers.Headers {
    const { buffer } = this
    const { count, hostEnd, hostStart, offsets } = this.offsets()
    const out: Record<string, string> = Object.create(null)
    for (let at = 0; at < count * 4; at += 4) {
      const name = latin1(buffer, offsets[at]!, offsets[at + 1]!).toLowerCase()
      const value = latin1(buffer, offsets[at + 2]!, offsets[at + 3]!)
      const earlier = out[name]
      // RFC 9110 §5.3: fields of one name are one list; cookies are joined with a semicolon (RFC 6265 §5.4).
      out[name] = earlier === undefined ? value : `${earlier}${name === "cookie" ? "; " : ", "}${value}`
    }
    if (hostEnd !== 0) out["host"] = latin1(buffer, hostStart, hostEnd)
    return Headers.fromRecordUnsafe(out)
  }

  get cookies(): Readonly<Record<string, string>> {
    return this.cookiesCache ??= Cookies.parseHeader(this.headers["cookie"] ?? "")
  }

  get protocol(): "http" | "https" {
    return this.overrides?.protocol ?? (this.source.isEncrypted ? "https" : "http")
  }

  get originalUrl(): string {
    const { host } = this
    return host === "" ? this.url : `${this.protocol}://${host}${this.url}`
  }

  get remoteAddress(): Option.Option<string> {
    return this.overrides?.remoteAddress ?? Option.fromUndefinedOr(this.source.remoteAddress)
  }

  get peerAddress(): Option.Option<string> {
    return this.overrides?.peerAddress ?? Option.fromUndefinedOr(this.source.remoteAddress)
  }

  /** Trailer fields of a chunked body, lower-case; complete when the body has been read. */
  get trailers(): Headers.Headers {
    const out: Record<string, string> = Object.create(null)
    for (const [name, value] of this.body?.trailers ?? []) {
      out[name] = out[name] === undefined ? value : `${out[name]}, ${value}`
    }
    return Headers.fromRecordUnsafe(out)
  }

  /** The whole body as bytes; empty when the request has none. Reading it again gives the same bytes. */
  get bytes(): Effect.Effect<Uint8Array, ServerError> {
    const { body } = this
    if (body === undefined) return Effect.succeed(NO_BYTES)
    return Effect.withFiber((fiber) => body.bytes(this, bodyLimit(fiber)))
  }

  get arrayBuffer(): Effect.Effect<ArrayBuffer, ServerError> {
    return Effect.mapEager(
      this.bytes,
      (bytes) => bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer
    )
  }

  get text(): Effect.Effect<string, ServerError> {
    return Effect.mapEager(this.bytes, (bytes) => bytes instanceof Buffer ? utf8(bytes) : decoder.decode(bytes))
  }

  get json(): Effect.Effect<Schema.Json, ServerError> {
    return Effect.flatMapEager(this.text, (text) => {
      if (text === "") return Effect.succeed(null)
      try {
        return Effect.succeed(JSON.parse(text) as Schema.Json)
      } catch (cause) {
        return Effect.fail(parseError(this, `the body is not JSON: ${(cause as Error).message}`, cause))
      }
    })
  }

  get urlParamsBody(): Effect.Effect<UrlParams.UrlParams, ServerError> {
    return Effect.flatMap(this.text, (text) =>
      Effect.try({
        try: () => UrlParams.fromInput(new URLSearchParams(text)),
        catch: (cause) => parseError(this, "the body is not URL-encoded form data", cause)
      }))
  }

  get stream(): Stream.Stream<Uint8Array, ServerError> {
    const { body } = this
    if (body === undefined) return Stream.empty
    return Stream.unwrap(Effect.withFiber((fiber) => Effect.succeed(body.stream(this, bodyLimit(fiber)))))
  }

  get multipartStream(): Stream.Stream<Multipart.Part, Multipart.MultipartError> {
    return Stream.pipeThroughChannel(
      Stream.mapError(this.stream, (cause) => Multipart.MultipartError.fromReason("InternalError", cause)),
      Multipart.makeChannel(this.headers)
    )
  }

  get multipart() {
    return Multipart.toPersisted(this.multipartStream)
  }

  get upgrade(): Effect.Effect<never, ServerError> {
    return this.upgradeWith()
  }

  upgradeWith(): Effect.Effect<never, ServerError> {
    return Effect.fail(parseError(this, "this version of kore-fx does not upgrade connections"))
  }

  modify(options: Parameters<HttpServerRequest.HttpServerRequest["modify"]>[0]): ServerRequest {
    const view: ServerRequest = Object.assign(Object.create(ServerRequest.prototype), this)
    view.overrides = { ...this.overrides, ...options }
    if (options.headers !== undefined) view.cookiesCache = undefined
    if (options.url !== undefined) {
      const query = options.url.indexOf("?")
      Object.assign(view, { url: options.url, queryStart: query })
    }
    return view
  }

  override toString(): string {
    return `Request(${this.method} ${UrlParams.redactUrl(this.url)})`
  }

  toJSON(): unknown {
    return HttpIncomingMessage.inspect(this, {
      _id: "HttpServerRequest",
      method: this.method,
      url: UrlParams.redactUrl(this.originalUrl)
    })
  }
}

/**
 * One field of any request by its lower-case name; of one that the transport made without decoding all others.
 *
 * @example
 * ```ts
 * import { Request } from "@kore-fx/http"
 *
 * export const typeOf = (request: Request.Request) => Request.fieldOf(request, "content-type")
 * ```
 */
export const fieldOf = (request: Request, name: string): string | undefined =>
  request instanceof ServerRequest ? request.field(name) : request.headers[name]

// On the prototype: two stores less for every request.
Object.assign(ServerRequest.prototype, {
  [HttpServerRequest.TypeId]: HttpServerRequest.TypeId,
  [HttpIncomingMessage.TypeId]: HttpIncomingMessage.TypeId
})

// A program may lower the limit with Effect's own reference; the server's limit holds in any case.
const bodyLimit = (fiber: Fiber.Fiber<unknown, unknown>): number => {
  const limit = fiber.getRef(HttpIncomingMessage.MaxBodySize)
  return limit === undefined ? Number.POSITIVE_INFINITY : ByteSize.toNumberUnsafe(limit)
}
