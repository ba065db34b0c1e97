/**
 * The answer with a file: conditions, content coding, ranges, and the bytes from memory or from the disk.
 *
 * When to reach for it: `Filemap` and `FileResponse` are this with a rule of which file it is.
 * What it is not: the transport. HEAD is answered like GET, and the connection leaves the body out.
 *
 * Order: which representation (§12.5.3), the conditions (§13.2.2), the ranges (§14.2), all of RFC 9110. Kore's defect
 * B29.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { isAscii } from "node:buffer"
import * as crypto from "node:crypto"
import * as Conditional from "../Conditional.ts"
import { Headers, HttpBody, HttpServerResponse } from "../internal/effectHttp.ts"
import { latin1 } from "../internal/latin1.ts"
import * as MediaType from "../MediaType.ts"
import * as Problem from "../Problem.ts"
import * as ByteRange from "./ByteRange.ts"
import * as ContentCoding from "./ContentCoding.ts"
import type * as FileCache from "./FileCache.ts"
import * as Lookup from "./Lookup.ts"
import * as OpenFile from "./OpenFile.ts"

type Response = HttpServerResponse.HttpServerResponse

/** What is said about files besides their bytes. */
export interface Policy {
  readonly typeOf: MediaType.Lookup
  /** The value of `cache-control`, or what gives it for a file's path below the root. */
  readonly cacheControl: string | ((path: string) => string | undefined) | undefined
  readonly etag: boolean
  readonly lastModified: boolean
  /** The codings whose files are looked for beside each file. */
  readonly codings: ReadonlyArray<ContentCoding.Coding>
  /** The value of `content-disposition`. */
  readonly disposition: string | undefined
}

/** What is to be answered. */
export interface Asked {
  readonly request: Conditional.Fields
  readonly policy: Policy
  readonly cache: FileCache.Cache
  /** Finds the file; it is called again when the file was replaced between the look and the opening. */
  readonly look: () => Lookup.Found
}

/**
 * Files up to this size are read at once and kept; larger ones are streamed.
 *
 * 1 MiB: to read and to hash that many bytes takes about a millisecond, which happens once; to stream them costs more than that
 * each time, and from memory the kernel copies them in one go.
 */
export const SMALL = 1_048_576

// Text up to this size is sent with its head in one write; the transport does not do so with more.
const TEXT_MAX = 16_384

// How often a file may be replaced under our eyes until the client is asked to come again.
const ATTEMPTS = 3

const BUSY = Problem.response({
  status: 503,
  detail: "the file is being changed and could not be read as a whole; ask again",
  headers: { "retry-after": "1" }
})

/**
 * The answer with the file that `look` finds; `otherwise` answers when there is none.
 *
 * HOT PATH: a small file that has not changed costs its look-up, a few looks for fields, and no Effect but the last.
 */
export const serve = <E, R>(
  asked: Asked,
  otherwise: (found: Lookup.NoFile) => Effect.Effect<Response, E, R>,
  attempts = ATTEMPTS
): Effect.Effect<Response, E, R | Scope.Scope> => {
  const { policy, request } = asked
  const found = asked.look()
  if (found._tag !== "File") return otherwise(found)
  const unreadable = (reason: OpenFile.Unreadable): Effect.Effect<Response, E, R | Scope.Scope> =>
    reason._tag !== "Changed" ? otherwise(reason)
      : attempts > 1 ? serve(asked, otherwise, attempts - 1)
      : Effect.succeed(BUSY)
  const type = policy.typeOf(found.name)
  const varies = policy.codings.length > 0 && !MediaType.isCompressed(type)
  const chosen = varies ? ContentCoding.choose(found, policy.codings, request.field("accept-encoding")) : undefined
  const file = chosen === undefined ? found : chosen.file
  const about: About = { policy, type, varies, coding: chosen?.coding, name: found.name }
  if (file.identity.size > SMALL) return large(request, file, about, unreadable)
  const entry = small(file, asked.cache)
  return entry._tag === "Entry" ? Effect.succeed(fromMemory(request, entry, about)) : unreadable(entry)
}

/** What the fields of an answer are made of, besides its validators. */
interface About {
  readonly policy: Policy
  readonly type: string
  readonly varies: boolean
  readonly coding: ContentCoding.Coding | undefined
  readonly name: string
}

const lastModifiedOf = ({ mtimeMs }: Lookup.Identity): number | undefined => {
  const seconds = Math.floor(mtimeMs / 1000) * 1000
  // §8.8.2.1: nothing was modified later than now.
  return seconds > Date.now() ? undefined : seconds
}

const validatorsOf = (
  identity: Lookup.Identity,
  isSettled: boolean,
  etag: string,
  { policy }: About
): Conditional.Validators => ({
  etag: policy.etag ? etag : undefined,
  lastModified: policy.lastModified ? lastModifiedOf(identity) : undefined,
  isLastModifiedStrong: isSettled
})

const headersOf = ({ coding, name, policy, varies }: About, { etag, lastModified }: Conditional.Validators) => {
  const headers: Record<string, string> = {}
  const { cacheControl, disposition } = policy
  const control = typeof cacheControl === "function" ? cacheControl(name) : cacheControl
  if (coding !== undefined) headers["content-encoding"] = coding
  if (disposition !== undefined) headers["content-disposition"] = disposition
  if (control !== undefined) headers["cache-control"] = control
  if (etag !== undefined) headers["etag"] = etag
  if (lastModified !== undefined) headers["last-modified"] = Conditional.formatDate(lastModified)
  headers["accept-ranges"] = "bytes"
  if (varies) headers["vary"] = "accept-encoding"
  return headers
}

// --- small files -----------------------------------------------------------------------------------------------------

const small = (file: Lookup.File, cache: FileCache.Cache): FileCache.Entry | OpenFile.Unreadable => {
  const cached = cache.get(file.path)
  if (cached !== undefined && Lookup.isSame(cached.identity, file.identity)) return cached
  const content = OpenFile.readUnsafe(file)
  if (content._tag !== "Content") return content
  const { bytes, identity, isSettled } = content
  const text = bytes.length <= TEXT_MAX && isAscii(bytes) ? latin1(bytes, 0, bytes.length) : undefined
  const entry: FileCache.Entry = {
    _tag: "Entry",
    identity,
    isSettled,
    bytes,
    text,
    etag: Conditional.etagOf(bytes),
    answer: undefined
  }
  // A file that has just changed could change once more and look the same: it is read again each time until then.
  if (isSettled) cache.set(file.path, entry)
  else cache.delete(file.path)
  return entry
}

const fromMemory = (request: Conditional.Fields, entry: FileCache.Entry, about: About): Response => {
  const { bytes, identity, isSettled, text } = entry
  const known = entry.answer
  let answer = known
  if (known === undefined || known.policy !== about.policy || known.name !== about.name) {
    const validators = validatorsOf(identity, isSettled, entry.etag, about)
    const options = { headers: headersOf(about, validators), contentType: about.type }
    const response = text === undefined
      ? HttpServerResponse.uint8Array(bytes, options)
      : HttpServerResponse.text(text, options)
    answer = { policy: about.policy, name: about.name, response, validators }
    entry.answer = answer
  }
  const { response, validators } = answer!
  switch (Conditional.evaluate(request, validators)) {
    case "NotModified":
      return Conditional.notModified(response)
    case "PreconditionFailed":
      return Conditional.preconditionFailed()
    case "Proceed": {
      const ranges = rangesOf(request, validators, bytes.length)
      if (ranges === "Whole") return response
      if (ranges === "Unsatisfiable") return unsatisfiable(bytes.length)
      const part = partOf(ranges, bytes.length, about.type)
      const pieces = part.pieces.map((piece) => "start" in piece ? bytes.subarray(piece.start, piece.end) : piece)
      const body = pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces)
      return partial(response, part, HttpBody.uint8Array(body, part.type))
    }
  }
}

// --- large files -----------------------------------------------------------------------------------------------------

// All that the identity knows. What has just changed may change again and look the same, so its tag is weak; as tags
// are compared for 304, the strong one that comes later is equal to it.
const etagOf = ({ ctimeMs, dev, ino, mtimeMs, size }: Lookup.Identity, isSettled: boolean): string =>
  `${isSettled ? "" : "W/"}${Conditional.etagOf(`${dev} ${ino} ${size} ${mtimeMs} ${ctimeMs}`)}`

const large = <E, R>(
  request: Conditional.Fields,
  file: Lookup.File,
  about: About,
  unreadable: (reason: OpenFile.Unreadable) => Effect.Effect<Response, E, R>
): Effect.Effect<Response, E, R | Scope.Scope> => {
  const { identity, path } = file
  const { size } = identity
  const isSettled = Lookup.isSettled(identity)
  const validators = validatorsOf(identity, isSettled, etagOf(identity, isSettled), about)
  const headers = Headers.fromRecordUnsafe({
    "content-type": about.type,
    ...headersOf(about, validators),
    "content-length": String(size)
  })
  const response = HttpServerResponse.empty({ status: 200, headers })
  switch (Conditional.evaluate(request, validators)) {
    case "NotModified":
      return Effect.succeed(Conditional.notModified(response))
    case "PreconditionFailed":
      return Effect.succeed(Conditional.preconditionFailed())
  }
  // The length is told, and nothing is opened.
  if (request.method === "HEAD") return Effect.succeed(response)
  const ranges = rangesOf(request, validators, size)
  if (ranges === "Unsatisfiable") return Effect.succeed(unsatisfiable(size))
  return Effect.flatMap(OpenFile.open(file), (open) => {
    if (open._tag !== "Open") return unreadable(open)
    if (open.identity.size < size) return unreadable(OpenFile.CHANGED)
    if (ranges === "Whole") {
      const body = HttpBody.stream(OpenFile.stream(open, { start: 0, end: size }, path), about.type, size)
      return Effect.succeed(HttpServerResponse.setBody(response, body))
    }
    const part = partOf(ranges, size, about.type)
    const bytes = Stream.flatMap(
      Stream.fromIterable(part.pieces),
      (piece) => "start" in piece ? OpenFile.stream(open, piece, path) : Stream.succeed(piece)
    )
    return Effect.succeed(partial(response, part, HttpBody.stream(bytes, part.type, part.length)))
  })
}

// --- ranges ----------------------------------------------------------------------------------------------------------

const rangesOf = (
  request: Conditional.Fields,
  validators: Conditional.Validators,
  size: number
): ReturnType<typeof ByteRange.select> => {
  // §14.2: of GET, and of nothing else.
  const field = request.method === "GET" ? request.field("range") : undefined
  return field === undefined || !Conditional.allowsRange(request, validators) ? "Whole" : ByteRange.select(field, size)
}

const unsatisfiable = (size: number): Response =>
  Problem.response({
    status: 416,
    detail: `nothing of the range is in the ${size} bytes that there are`,
    headers: { "content-range": `bytes */${size}`, "accept-ranges": "bytes" }
  })

/** What a 206 answer consists of: ranges of the file, and what stands between them. */
interface Part {
  readonly type: string
  readonly contentRange: string | undefined
  readonly length: number
  readonly pieces: ReadonlyArray<ByteRange.ByteRange | Buffer>
}

const partOf = (ranges: ReadonlyArray<ByteRange.ByteRange>, size: number, type: string): Part => {
  const [first, second] = ranges as [ByteRange.ByteRange, ByteRange.ByteRange?]
  if (second === undefined) {
    const contentRange = ByteRange.contentRange(first, size)
    return { type, contentRange, length: first.end - first.start, pieces: [first] }
  }
  // §14.6. Nobody who wrote the file can have known it.
  const boundary = crypto.randomBytes(16).toString("hex")
  const pieces: Array<ByteRange.ByteRange | Buffer> = []
  let length = 0
  for (const [i, range] of ranges.entries()) {
    const head = Buffer.from(
      `${i === 0 ? "" : "\r\n"}--${boundary}\r\ncontent-type: ${type}\r\n` +
        `content-range: ${ByteRange.contentRange(range, size)}\r\n\r\n`,
      "latin1"
    )
    pieces.push(head, range)
    length += head.length + range.end - range.start
  }
  const tail = Buffer.from(`\r\n--${boundary}--\r\n`, "latin1")
  pieces.push(tail)
  return {
    type: `multipart/byteranges; boundary=${boundary}`,
    contentRange: undefined,
    length: length + tail.length,
    pieces
  }
}

const partial = (
  whole: Response,
  { contentRange }: Part,
  body: HttpBody.HttpBody
): Response => {
  const response = HttpServerResponse.setBody(HttpServerResponse.setStatus(whole, 206), body)
  return contentRange === undefined ? response : HttpServerResponse.setHeader(response, "content-range", contentRange)
}
