/**
 * The request that a handler of the old API gets, and the way to answer it.
 *
 * When to reach for it: the first argument of every handler. It may be given properties of its own.
 * What it is not: Effect's request, which it is made of. Source: Kore, http §7 to §9, runtime §16.1.
 */
import type { UploadedFile } from "@kore-fx/http/UploadedFile"
import * as Option from "effect/Option"
import { createHash } from "node:crypto"
import * as constants from "./constants.ts"
import { describe } from "./Coroutine.ts"
import { RuntimeError } from "./errors.ts"
import { HttpFile } from "./HttpFile.ts"
import type { Exchange } from "./internal/Exchange.ts"
import * as Populate from "./internal/Populate.ts"
import * as Run from "./internal/Run.ts"
import { Reader, type Stored, whole } from "./internal/Stored.ts"

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
  /** The descriptor of the socket, null in tests without sockets. */
  readonly fd: number | null
  /** Ends the connection behind what has been sent; the handler is killed as when its client leaves. Always true. */
  readonly disconnect: () => true
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

// The same object each time, because it remembers how far it was read.
const files = new WeakMap<UploadedFile, HttpFile>()

const fileOf = (file: UploadedFile): HttpFile => {
  const known = files.get(file) ?? new HttpFile(file)
  files.set(file, known)
  return known
}

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
  readonly #reader = new Reader()

  constructor(exchange: Exchange) {
    this.#exchange = exchange
    exchange.req = this
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

  /**
   * The whole body; empty when there is none. Independent of `body_read`.
   *
   * @throws RuntimeError before it has arrived, and when it was given to the hook `on_body_chunk`.
   */
  get body(): Buffer {
    return whole(this.#stored("req.body"))
  }

  /** The file that the body is in, above the option http_body_disk_offload; null when it is in memory. */
  get body_path(): string | null {
    const { body } = this.#exchange
    return typeof body === "string" || body instanceof Uint8Array ? null : Option.getOrNull(body.path)
  }

  /** The SHA-256 of the body as 32 bytes; null when there is none. */
  get body_digest(): Buffer | null {
    const body = this.#stored("req.body_digest")
    if (body instanceof Uint8Array) return body.length === 0 ? null : createHash("sha256").update(body).digest()
    return Option.getOrNull(Option.map(Run.now(body.digest("sha256")), (digest) => Buffer.from(digest, "hex")))
  }

  #stored(call: string): Stored {
    const { body } = this.#exchange
    if (typeof body !== "string") return body
    throw new RuntimeError(
      body === "expected"
        ? `${call} is asked for before the body has arrived`
        : `${call} is asked for, but the body was given to the hook on_body_chunk and is not kept`
    )
  }

  /** The connection, or null when the client has left. */
  get connection(): Connection | null {
    const { over, request } = this.#exchange
    if (over) return null
    const { source } = request
    return {
      addr: source.remoteAddress ?? null,
      port: source.remotePort ?? null,
      fd: source.descriptor ?? null,
      disconnect: () => {
        source.close()
        return true
      }
    }
  }

  /**
   * Reads on in the body: the number of bytes, and the bytes; `[0, <empty>]` at its end.
   *
   * @throws RuntimeError for anything but a whole number from 0 to 1024.
   */
  body_read(length: number): readonly [length: number, chunk: Buffer] {
    return this.#reader.read("req.body_read", this.#stored("req.body_read"), length)
  }

  // --- parameters ----------------------------------------------------------------------------------------------------

  /**
   * The first value of a parameter that a `populate_*` found and its validator admitted; null without one.
   *
   * Source: Kore, http §6.5.
   */
  argument(name: string): string | null {
    return this.#exchange.parameters.argument(name) ?? null
  }

  /** Every such value of a parameter, in the order sent. */
  arguments(name: string): ReadonlyArray<string> {
    return this.#exchange.parameters.all(name)
  }

  /**
   * Reads parameters from the query, by the dictionaries of the route for this method and `qs`. Others are dropped.
   *
   * What is admitted at once is there when this returns. Await it when a validator is a coroutine: until then its values
   * are not there.
   */
  populate_get(): Populate.Populated {
    return Populate.query(this.#exchange)
  }

  /** Reads parameters from the body as an urlencoded form; otherwise as `populate_get`. */
  populate_post(): Populate.Populated {
    return Populate.form(this.#exchange)
  }

  /**
   * Reads parameters and files from the body as a multipart form; otherwise as `populate_get`. Await it when bodies may be
   * in files (http_body_disk_offload).
   *
   * @throws RuntimeError for a body that is no such form; uncaught, the client gets 400, 413 or 415.
   */
  populate_multi(): Populate.Populated {
    return Populate.multipart(this.#exchange)
  }

  /** The same as `populate_multi`. */
  populate_multipart(): Populate.Populated {
    return this.populate_multi()
  }

  /** The first file of a multipart form that has this name, once `populate_multi` has parsed it; null without one. */
  file_lookup(name: string): HttpFile | null {
    return this.files(name)[0] ?? null
  }

  /** Every such file, in the order sent. */
  files(name: string): ReadonlyArray<HttpFile> {
    return this.#exchange.files.filter((file) => file.name === name).map(fileOf)
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
   * Sets a header of the response that `response` will send; one of the same name is replaced, but for `set-cookie`, of
   * which there may be one for each cookie. Names are sent in lower case.
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

/** The request of an exchange as functions of the app see it: one object for all of them, so that they can leave things on it. */
export const requestOf = (exchange: Exchange): Request => exchange.req as Request | undefined ?? new Request(exchange)
