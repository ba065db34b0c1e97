/**
 * The rarer bodies of a response as a stream of bytes: `Stream`, `Raw` and `FormData` of Effect's `HttpBody`.
 *
 * When to reach for it: the connection asks for it when a body is neither empty nor bytes in memory.
 * What it is not: the writer. How the bytes are framed is the connection's business.
 */
import * as Stream from "effect/Stream"
import { Readable } from "node:stream"
import type { HttpBody, HttpServerResponse } from "../internal/effectHttp.ts"
import { InvalidResponse } from "./ResponseHead.ts"

/** Bytes that are made while they are sent. */
export interface Streamed {
  readonly stream: Stream.Stream<Uint8Array, unknown>
  /** The number of bytes, when it is known before. */
  readonly length: number | undefined
  /** A content type that belongs to the body and that the response does not have yet. */
  readonly contentType?: string | undefined
}

const encoder = new TextEncoder()
const failed = (cause: unknown): unknown => cause

const fromAsyncIterable = (iterable: AsyncIterable<unknown>): Stream.Stream<Uint8Array, unknown> =>
  Stream.map(Stream.fromAsyncIterable(iterable, failed), (chunk) =>
    typeof chunk === "string" ? encoder.encode(chunk) : chunk as Uint8Array)

const isAsyncIterable = (u: unknown): u is AsyncIterable<unknown> =>
  typeof u === "object" && u !== null && Symbol.asyncIterator in u

/**
 * Lets go of a body that will not be sent, to HEAD or to a client that has left: a Node or web stream behind it would
 * stay open.
 */
export const release = (body: HttpBody.HttpBody): void => {
  const value = body._tag === "Raw" ? body.body : undefined
  if (value instanceof Readable) value.destroy()
  else if (value instanceof ReadableStream && !value.locked) value.cancel().catch(() => {})
}

/**
 * Makes a stream of a body.
 *
 * `Raw` bodies may be text, bytes, a `Blob`, a web or Node stream, or any async iterable of text or bytes.
 *
 * @throws InvalidResponse for a `Raw` body of another kind.
 */
export const toStream = (
  body: HttpBody.Stream | HttpBody.Raw | HttpBody.FormData,
  response: HttpServerResponse.HttpServerResponse
): Streamed => {
  switch (body._tag) {
    case "Stream":
      return { stream: body.stream, length: body.contentLength }
    case "FormData": {
      const encoded = new Response(body.formData)
      return {
        stream: fromAsyncIterable(encoded.body as unknown as AsyncIterable<Uint8Array>),
        length: undefined,
        contentType: encoded.headers.get("content-type") ?? undefined
      }
    }
    case "Raw": {
      const value = body.body
      if (typeof value === "string") {
        const bytes = encoder.encode(value)
        return { stream: Stream.succeed(bytes), length: bytes.length }
      }
      if (value instanceof Uint8Array) return { stream: Stream.succeed(value), length: value.length }
      if (value instanceof Blob) {
        return {
          stream: fromAsyncIterable(value.stream()),
          length: value.size,
          contentType: value.type === "" ? undefined : value.type
        }
      }
      if (isAsyncIterable(value)) return { stream: fromAsyncIterable(value), length: body.contentLength }
      throw new InvalidResponse({
        detail: `a raw body of a ${response.status} response must be text, bytes, a Blob, a stream or an async iterable`
      })
    }
  }
}
