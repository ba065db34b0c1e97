/**
 * The head of a response: status line and header fields, checked, as one string.
 *
 * When to reach for it: the connection writes one for every response.
 * What it is not: a place to set defaults for applications. It adds what the protocol needs: `date`, `server`,
 * `strict-transport-security` where it is encrypted, `connection`, and the framing fields, which nobody else may set.
 *
 * HOT PATH: everything that does not change between two responses is a cached string.
 */
import * as Schema from "effect/Schema"
import { Cookies, type HttpServerResponse } from "../internal/effectHttp.ts"
import { title } from "../Problem.ts"
import type { Deadlines } from "./Deadline.ts"
import { isFieldName, isFieldValue } from "./Syntax.ts"

/** A handler's response that cannot be sent: a status out of range, an invalid field, a framing field. */
export class InvalidResponse extends Schema.TaggedError<InvalidResponse>()("InvalidResponse", {
  detail: Schema.String
}) {
  override get message(): string {
    return this.detail
  }
}

const invalid = (detail: string) => new InvalidResponse({ detail })

/** How the body of a response is delimited. */
export type Framing =
  /** `content-length`, with the number of bytes. */
  | number
  /** Chunked transfer coding. */
  | "chunked"
  /** The end of the connection delimits it (HTTP/1.0), or there is none and no length is told. */
  | "none"

const KNOWN_LIMIT = 1024

export class ResponseHead {
  private readonly deadlines: Deadlines
  private readonly serverLine: string
  private readonly hstsLine: string
  private readonly keepAliveLines: string
  private readonly kept: Array<string> = []
  private readonly closed: Array<string> = []
  private readonly names = new Set<string>()
  private readonly types = new Set<string>()

  /**
   * `server` is the value of the `server` field; `keepAliveSeconds` is announced to clients; `hstsSeconds` is how long
   * browsers shall insist on TLS, 0 where they shall not be told (RFC 6797 §7.2: never over a plain connection).
   */
  constructor(options: {
    readonly deadlines: Deadlines
    readonly server: string
    readonly keepAliveSeconds: number
    readonly hstsSeconds: number
  }) {
    if (!isFieldValue(options.server)) throw invalid("httpServerVersion has a character that a header cannot carry")
    this.deadlines = options.deadlines
    this.serverLine = options.server === "" ? "" : `server: ${options.server}\r\n`
    this.hstsLine = options.hstsSeconds === 0
      ? ""
      : `strict-transport-security: max-age=${options.hstsSeconds}; includeSubDomains\r\n`
    this.keepAliveLines = `connection: keep-alive\r\nkeep-alive: timeout=${options.keepAliveSeconds}\r\n`
  }

  private statusLines(response: HttpServerResponse.HttpServerResponse, keepAlive: boolean): string {
    const { status, statusText } = response
    if (statusText === undefined) {
      const cached = (keepAlive ? this.kept : this.closed)[status]
      if (cached !== undefined) return cached
    }
    if (!Number.isInteger(status) || status < 200 || status > 599) {
      throw invalid(`a response cannot have the status ${status}: expected an integer from 200 to 599`)
    }
    if (statusText !== undefined && !isFieldValue(statusText)) {
      throw invalid("the status text of a response has a control character")
    }
    const lines = `HTTP/1.1 ${status} ${statusText ?? title(status)}\r\n${
      keepAlive ? this.keepAliveLines : "connection: close\r\n"
    }`
    if (statusText === undefined) (keepAlive ? this.kept : this.closed)[status] = lines
    return lines
  }

  /**
   * The head as Latin-1 text with the empty line that ends it.
   *
   * @throws InvalidResponse when the response cannot be sent; the caller answers 500 and reports it.
   */
  encode(response: HttpServerResponse.HttpServerResponse, keepAlive: boolean, framing: Framing): string {
    const { headers } = response
    let head = this.statusLines(response, keepAlive)
    let hasServer = false
    let hasDate = false
    let hasHsts = false
    for (const name in headers) {
      const value = headers[name]!
      switch (name) {
        case "content-length":
        case "connection":
          continue // decided by the transport
        case "transfer-encoding":
        case "keep-alive":
        case "upgrade":
        case "trailer":
          throw invalid(`a response cannot set the header ${name}: the transport decides about framing`)
        case "content-type":
          this.checkType(value)
          head += `content-type: ${value}\r\n`
          continue
        case "server":
          hasServer = true
          break
        case "date":
          hasDate = true
          break
        case "strict-transport-security":
          hasHsts = true
          break
      }
      if (!this.names.has(name)) this.checkName(name)
      if (!isFieldValue(value)) {
        throw invalid(`the response header ${name} has a character that a header cannot carry (CR, LF, NUL, …)`)
      }
      head += `${name}: ${value}\r\n`
    }
    if (!hasServer) head += this.serverLine
    if (!hasHsts) head += this.hstsLine
    if (!hasDate) head += this.deadlines.date
    if (!Cookies.isEmpty(response.cookies)) {
      for (const cookie of Cookies.toSetCookieHeaders(response.cookies)) {
        if (!isFieldValue(cookie)) throw invalid("a cookie has a character that a header cannot carry")
        head += `set-cookie: ${cookie}\r\n`
      }
    }
    if (framing === "none") return `${head}\r\n`
    return framing === "chunked"
      ? `${head}transfer-encoding: chunked\r\n\r\n`
      : `${head}content-length: ${framing}\r\n\r\n`
  }

  private checkName(name: string): void {
    // Effect's headers have lower-case names. Anything else was made by hand, and would slip past the names above.
    if (!isFieldName(name) || name !== name.toLowerCase()) {
      throw invalid(`a response has an invalid header name: ${JSON.stringify(name)}`)
    }
    if (this.names.size < KNOWN_LIMIT) this.names.add(name)
  }

  private checkType(value: string): void {
    if (this.types.has(value)) return
    if (!isFieldValue(value)) throw invalid("the content type of a response has a character that a header cannot carry")
    if (this.types.size < KNOWN_LIMIT) this.types.add(value)
  }
}

/** Tells whether a response wants the connection to end, with `connection: close`. */
export const asksToClose = (response: HttpServerResponse.HttpServerResponse): boolean => {
  const connection = response.headers["connection"]
  return connection !== undefined && /(?:^|,)\s*close\s*(?:,|$)/i.test(connection)
}

/** What a response without a body tells about its length (RFC 9110 §8.6): nothing with 204 and 304, zero with 205. */
export const bodiless = (status: number, length: number | undefined): Framing =>
  status === 205 ? 0 : status === 204 || status === 304 || !isLength(length) ? "none" : length

/** Tells whether something is a number of bytes. */
export const isLength = (length: unknown): length is number => Number.isSafeInteger(length) && (length as number) >= 0
