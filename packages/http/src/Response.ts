/**
 * Responses: Effect's own `HttpServerResponse`, under the name that handlers use.
 *
 * When to reach for it: `Response.text`, `Response.json`, `Response.stream` and the like in handlers.
 * What it is not: another response type. Everything of `effect/http` that takes a response takes these.
 */
import { Headers, HttpServerResponse } from "./internal/effectHttp.ts"

export {
  /** Without a body; 204 unless told otherwise. */
  empty,
  /** A file of the file system, through Effect's `HttpPlatform`. */
  file,
  /** HTML from text or a template. */
  html,
  isHttpServerResponse as isResponse,
  /** JSON; fails when the value cannot be written as JSON. */
  json,
  /** JSON of a value that is known to be plain data. */
  jsonUnsafe,
  /** A body that the transport takes as it is: text, bytes, a Blob, a stream or an async iterable. */
  raw,
  /** 302 unless told otherwise. */
  redirect,
  setCookie,
  setCookieUnsafe,
  setHeader,
  setHeaders,
  setStatus,
  /** Bytes that are made while they are sent. */
  stream,
  /** Bytes in memory. */
  uint8Array
} from "effect/http/HttpServerResponse"
export type {
  /** A response. */
  HttpServerResponse as Response
} from "effect/http/HttpServerResponse"

const UTF_8 = { contentType: "text/plain; charset=utf-8" }

/** UTF-8 text, `text/plain; charset=utf-8` unless told otherwise. */
export const text = (
  body: string,
  options?: HttpServerResponse.Options.WithContentType
): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.text(
    body,
    options === undefined ? UTF_8
      : options.contentType !== undefined || Headers.fromInput(options.headers)["content-type"] !== undefined ? options
      : { ...options, ...UTF_8 }
  )
