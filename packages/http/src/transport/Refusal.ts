/**
 * Why the transport refuses a request before any handler sees it: one table of status and sentence.
 *
 * When to reach for it: the parsers return `-code`, the connection looks the code up and answers.
 * What it is not: the errors of routes and handlers; those are `Problem` and `HttpError`.
 */

/** One reason: the status that is sent and the sentence that says what was wrong. */
export interface Refusal {
  readonly status: number
  readonly detail: string
}

const table: Array<Refusal> = [{ status: 0, detail: "" }]

const add = (status: number, detail: string): number => table.push({ status, detail }) - 1

/** The refusal behind a code. */
export const get = (code: number): Refusal => table[code]!

/** Every refusal there is, for the documentation. */
export const all = (): ReadonlyArray<Refusal> => table.slice(1)

export const EMPTY_LINE = add(400, "a carriage return before the request line is not followed by a line feed")
export const METHOD = add(400, "the request line does not begin with a method")
export const METHOD_UNKNOWN = add(501, "this method is not one that HTTP servers know")
export const TARGET = add(400, "the request target is missing or has a character that is not allowed there")
export const TARGET_FORM = add(400, "the request target is neither a path, an http or https URL, nor * with OPTIONS")
export const TARGET_LENGTH = add(414, "the request line is longer than httpHeaderMax allows")
export const TUNNEL = add(501, "this server opens no tunnels: CONNECT is not implemented")
export const VERSION_FORM = add(400, "the request line does not end in an HTTP version and CR LF")
export const VERSION = add(505, "only HTTP/1.0 and HTTP/1.1 are spoken here")
export const LINE_END = add(400, "a header line does not end in CR LF")
export const FIELD_NAME = add(400,
  "a header name is empty, has a character that is not allowed, or no colon follows it")
export const FIELD_VALUE = add(400, "a header value has a control character")
export const FIELD_FOLDED = add(400, "a header line is folded, which HTTP/1.1 forbids")
export const HEAD_SIZE = add(431, "the request head is larger than httpHeaderMax allows")
export const FIELD_COUNT = add(431, "the request has more header fields than httpHeaderCount allows")
export const HOST_COUNT = add(400, "the request must carry exactly one Host field")
export const HOST = add(400, "the Host field is not a host with an optional port")
export const LENGTH = add(400, "Content-Length is not one plain decimal number")
export const LENGTH_AND_CODING = add(400, "Content-Length and Transfer-Encoding exclude each other")
export const CODING = add(400, "chunked must be the last and only Transfer-Encoding of a request")
export const CODING_UNKNOWN = add(501, "the only transfer coding implemented is chunked")
export const CODING_VERSION = add(400, "HTTP/1.0 has no Transfer-Encoding")
export const EXPECTATION = add(417, "the only expectation implemented is 100-continue")
export const BODY_SIZE = add(413, "the request body is larger than httpBodyMax allows")
export const CHUNK_SIZE = add(400, "a chunk size is missing or is not a hexadecimal number")
export const CHUNK_EXTENSION = add(400, "a chunk extension is malformed")
export const CHUNK_EXTENSION_SIZE = add(413, "the chunk extensions are longer than 16 KiB")
export const CHUNK_END = add(400, "a chunk does not end in CR LF")
export const TRAILER = add(400, "a trailer line is malformed")
export const TRAILER_FRAMING = add(400, "a trailer cannot say how the body is delimited")
export const TRAILER_SIZE = add(431, "the trailers are longer than 16 KiB")
export const HEAD_TIMEOUT = add(408, "the request head did not arrive within httpHeaderTimeout")
export const BODY_TIMEOUT = add(408, "the request body did not arrive within httpBodyTimeout")
export const ADDRESS_CONNECTIONS = add(429, "this address has as many connections as httpAddressLimit allows")
export const ADDRESS_REQUESTS = add(
  429,
  "as many requests of this address are being answered as httpAddressRequestLimit allows"
)

/** Fields that go with a refusal: one that only the load is the reason for says when to come back (RFC 9110 §10.2.3). */
export const headersOf = ({ status }: Refusal): { readonly "retry-after": string } | undefined =>
  status === 429 || status === 503 ? { "retry-after": "1" } : undefined

/** The refusal of a body that is larger than its route takes. */
export const bodySize = (limit: number): Refusal => ({
  status: 413,
  detail: `the request body is larger than the ${limit} bytes that are allowed here`
})

/** The answer to a request beyond the limit; it is well-formed, so the connection stays. */
export const OVERLOADED: Refusal = {
  status: 503,
  detail: "the worker serves as many requests as httpRequestLimit allows"
}
