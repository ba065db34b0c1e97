/**
 * One request and its answer over a connection of its own.
 *
 * When to reach for it: to see that a peer is there and says what it should before it is measured.
 * What it is not: an HTTP client. It reads answers that have a `content-length`, and chunked ones without trailers.
 */
import * as Net from "node:net"
import { gunzipSync } from "node:zlib"

/** An answer, as it came. */
export interface Answer {
  readonly status: number
  readonly fields: ReadonlyMap<string, string>
  readonly body: string
  /** Bytes on the wire, head and body. */
  readonly bytes: number
}

const LIMIT = 5_000

/** The answer at the beginning of these bytes, or undefined when it is not complete. */
const parse = (text: string): Answer | undefined => {
  const end = text.indexOf("\r\n\r\n")
  if (end < 0) return undefined
  const [line, ...lines] = text.slice(0, end).split("\r\n")
  const fields = new Map(lines.map((field) => {
    const colon = field.indexOf(":")
    return [field.slice(0, colon).toLowerCase(), field.slice(colon + 1).trim()] as const
  }))
  const status = Number(line!.split(" ")[1])
  if (fields.get("transfer-encoding") === "chunked") {
    const body = dechunked(text, end + 4)
    return body === undefined ? undefined : { status, fields, body, bytes: text.length }
  }
  const bytes = end + 4 + Number(fields.get("content-length"))
  return text.length >= bytes ? { status, fields, body: text.slice(end + 4, bytes), bytes } : undefined
}

// What chunks hold, or undefined when the last one is not there yet.
const dechunked = (text: string, start: number): string | undefined => {
  let body = ""
  for (let at = start; at < text.length;) {
    const end = text.indexOf("\r\n", at)
    const size = parseInt(text.slice(at, end), 16)
    if (end < 0 || !(text.length >= end + 4 + size)) return undefined
    if (size === 0) return body
    body += text.slice(end + 2, end + 2 + size)
    at = end + 4 + size
  }
  return undefined
}

/** The body as text, decoded. Throws when it is not encoded as it says. */
export const contentOf = ({ body, fields }: Answer): string =>
  fields.get("content-encoding") === "gzip" ? gunzipSync(Buffer.from(body, "latin1")).toString() : body

/** Sends a request. Fails when the connection does, or when no complete answer comes. */
export const exchange = (port: number, request: string): Promise<Answer> =>
  new Promise((resolve, reject) => {
    let text = ""
    const socket = Net.connect(port, "127.0.0.1", () => socket.write(request, "latin1"))
    socket.setTimeout(LIMIT, () => socket.destroy(new Error(`no complete answer to ${request}\nbut ${text}`)))
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1")
      const answer = parse(text)
      if (answer === undefined) return
      resolve(answer)
      socket.destroy()
    })
    socket.on("error", reject)
    socket.on("close", () => reject(new Error(`the connection ended after ${JSON.stringify(text)}`)))
  })
