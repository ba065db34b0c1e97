/**
 * The request that a handler of the old API gets, and the way to answer it.
 *
 * When to reach for it: the first argument of every handler. It may be given properties of its own.
 * What it is not: Effect's request, which it is made of. Source: Kore, http §7 to §9, runtime §16.1.
 */
import * as constants from "./constants.ts"
import { describe } from "./Coroutine.ts"
import { RuntimeError } from "./errors.ts"
import type { Exchange } from "./internal/Exchange.ts"

/** What can be sent as a body: text, bytes, nothing, or an iterable of text and bytes that is streamed. */
export type Body =
  | string
  | Uint8Array
  | null
  | Iterable<string | Uint8Array>
  | AsyncIterable<string | Uint8Array>

/** The connection that a request came on. */
export interface Connection {
  /** The address of the client, null on UNIX sockets. */
  readonly addr: string | null
  /** The port of the client, null on UNIX sockets. */
  readonly port: number | null
}

const METHODS: Readonly<Record<string, number>> = {
  GET: constants.HTTP_METHOD_GET,
  POST: constants.HTTP_METHOD_POST,
  PUT: constants.HTTP_METHOD_PUT,
  DELETE: constants.HTTP_METHOD_DELETE,
  HEAD: constants.HTTP_METHOD_HEAD,
  OPTIONS: constants.HTTP_METHOD_OPTIONS,
  PATCH: constants.HTTP_METHOD_PATCH
}

/** Bytes that one `body_read` returns at most: 1024. */
const READ_MAX = 1024

/**
 * A request and its answer.
 *
 * @example
 * ```ts
 * import { kore } from "kore-fx/legacy"
 *
 * const echo = (req: kore.Request) => {
 *   req.response_header("content-type", req.request_header("content-type") ?? "text/plain")
 *   req.response(200, req.body)
 * }
 * ```
 */
export class Request {
  readonly #exchange: Exchange
  #read = 0

  constructor(exchange: Exchange) {
    this.#exchange = exchange
  }

  /** Host and port as sent; empty when an HTTP/1.0 client names none. */
  get host(): string {
    return this.#exchange.request.host
  }

  /** The user agent, null when the client tells none. */
  get agent(): string | null {
    return this.request_header("user-agent")
  }

  /** The path as sent: without the query, not percent-decoded. */
  get path(): string {
    return this.#exchange.request.path
  }

  /** The method, as one of the constants `kore.HTTP_METHOD_*`. */
  get method(): number {
    return METHODS[this.#exchange.request.method]!
  }

  /** `http` or `https`. */
  get protocol(): "http" | "https" {
    return this.#exchange.request.protocol
  }

  /** The whole body; empty when there is none. Independent of `body_read`. */
  get body(): Buffer {
    const { body } = this.#exchange
    return Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  }

  /** The connection, or null when the client has left. */
  get connection(): Connection | null {
    const { over, request } = this.#exchange
    return over ? null : { addr: request.source.remoteAddress ?? null, port: request.source.remotePort ?? null }
  }

  /**
   * Reads on in the body: the number of bytes, and the bytes; `[0, <empty>]` at its end.
   *
   * @throws RuntimeError for anything but a whole number from 0 to 1024.
   */
  body_read(length: number): readonly [length: number, chunk: Buffer] {
    if (!Number.isInteger(length) || length < 0 || length > READ_MAX) {
      throw new RuntimeError(`req.body_read got ${describe(length)}, expected a number of bytes from 0 to ${READ_MAX}`)
    }
    const chunk = this.body.subarray(this.#read, this.#read + length)
    this.#read += chunk.length
    return [chunk.length, chunk]
  }

  /** A header of the request by its name in any case; several of one name are joined with a comma. Null without one. */
  request_header(name: string): string | null {
    if (typeof name !== "string") throw new RuntimeError(`req.request_header got ${describe(name)}, expected a name`)
    return this.#exchange.request.field(name.toLowerCase()) ?? null
  }

  /** All headers of the request, by lower-case name. */
  headers(): Record<string, string> {
    return { ...this.#exchange.request.headers }
  }

  /** A cookie by its exact name, or null. */
  cookie(name: string): string | null {
    const { cookies } = this.#exchange.request
    return Object.hasOwn(cookies, name) ? cookies[name]! : null
  }

  /** Parses the cookies, which `cookie` does by itself. Always true. */
  populate_cookies(): true {
    void this.#exchange.request.cookies
    return true
  }

  /**
   * Sets a header of the response that `response` will send; one of the same name is replaced. Names are sent in lower
   * case.
   *
   * @throws RuntimeError for what no header can carry, for headers that frame the response (`content-length`,
   * `transfer-encoding`, `connection` but for `close`, …), and after `response`.
   */
  response_header(name: string, value: string): void {
    this.#exchange.setHeader(name, value)
  }

  /**
   * Sends the response. The handler may go on after it.
   *
   * Text is sent as UTF-8, `text/plain` unless a header says otherwise. An iterable is streamed: its next item is asked
   * for when the one before is on its way. Once: a second call is an error in the log and nothing on the wire; so is
   * one after the client has left, without the error.
   *
   * @throws RuntimeError for a status that is no number from 200 to 599, and for a body of another kind.
   */
  response(status: number, body: Body): void {
    this.#exchange.respond(status, body)
  }
}
