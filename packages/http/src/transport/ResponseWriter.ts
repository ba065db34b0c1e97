/**
 * Writes responses: the head, and the body where it is in memory. The three shapes of a body meet here with the three
 * ways of not sending one: HEAD, 204 and its kin, and nothing to send.
 *
 * When to reach for it: the connection calls it once for every response.
 * What it is not: a state machine. What becomes of the connection afterwards is decided elsewhere.
 */
import type * as Stream from "effect/Stream"
import { HttpServerResponse } from "../internal/effectHttp.ts"
import * as Problem from "../Problem.ts"
import type { ServerRequest } from "../Request.ts"
import type { Output } from "./Output.ts"
import * as Refusal from "./Refusal.ts"
import { release, toStream } from "./ResponseBody.ts"
import { bodiless, type Framing, InvalidResponse, isLength, type ResponseHead } from "./ResponseHead.ts"

/** The answer that a refusal is, to a request that the connection survives. */
export const refusal = (refusal: Refusal.Refusal): HttpServerResponse.HttpServerResponse =>
  Problem.response({ ...refusal, headers: Refusal.headersOf(refusal) })

/**
 * Writes the answer to a request that no handler sees; the connection ends behind it. Returns the bytes of its body.
 */
export const refuse = (
  output: Output,
  responseHead: ResponseHead,
  refused: Refusal.Refusal,
  isHead: boolean
): number => {
  const text = Problem.encode(refused)
  const head = responseHead.encode(refusal(refused), false, text.length)
  output.add(isHead ? head : head + text)
  return isHead ? 0 : text.length
}

/** A body that is still to be sent, behind a head that is written. */
export interface Streamed {
  readonly stream: Stream.Stream<Uint8Array, unknown>
  readonly framing: Framing
  readonly keepAlive: boolean
}

// Text up to this size is joined with its head into one string; larger text costs less as a buffer of its own.
const JOIN_MAX = 16_384

/**
 * Writes a response to the output. Returns the body that is left to be streamed, or `undefined` when everything is
 * written.
 *
 * @throws InvalidResponse when the response cannot be sent; nothing is written then.
 */
export const write = (
  output: Output,
  responseHead: ResponseHead,
  request: ServerRequest,
  response: HttpServerResponse.HttpServerResponse,
  keepAlive: boolean
): Streamed | undefined => {
  const { body, status } = response
  const isHead = request.method === "HEAD"
  const omitsBody = isHead || status === 204 || status === 205 || status === 304
  switch (body._tag) {
    case "Uint8Array": {
      const length = body.contentLength
      const head = responseHead.encode(response, keepAlive, omitsBody ? bodiless(status, length) : length)
      const { text } = body
      if (omitsBody) output.add(head)
      // As many bytes as characters: ASCII, so that head and body can be one Latin-1 string and one write.
      else if (text !== undefined && text.length === length && length <= JOIN_MAX) output.add(head + text)
      else {
        const content = text ?? body.body
        // Text in the place of bytes, behind the back of the types, has another length on the wire.
        if (text === undefined && (content as Uint8Array).byteLength !== length) {
          throw new InvalidResponse({ detail: "the body of a response is not the bytes it was said to be" })
        }
        output.body(head, content)
      }
      return undefined
    }
    case "Empty": {
      // A HEAD answer may tell the length of the body that GET would have.
      const told = isHead ? Number(response.headers["content-length"] ?? 0) : 0
      output.add(responseHead.encode(response, keepAlive, omitsBody ? bodiless(status, told) : 0))
      return undefined
    }
  }
  const { contentType, length, stream } = toStream(body, response)
  const typed = contentType === undefined || response.headers["content-type"] !== undefined
    ? response
    : HttpServerResponse.setHeader(response, "content-type", contentType)
  if (omitsBody) {
    output.add(responseHead.encode(typed, keepAlive, bodiless(status, length)))
    release(body)
    return undefined
  }
  if (length !== undefined && !isLength(length)) {
    throw new InvalidResponse({ detail: `a response cannot have ${String(length)} bytes` })
  }
  const framing = length ?? (request.minorVersion === 0 ? "none" : "chunked")
  const keeps = keepAlive && framing !== "none"
  output.add(responseHead.encode(typed, keeps, framing))
  return { stream, framing, keepAlive: keeps }
}
