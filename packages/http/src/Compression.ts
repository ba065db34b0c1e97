/**
 * Answers compressed with what the client understands: br, zstd or gzip (RFC 9110 §8.4, §12.5.3).
 *
 * When to reach for it: a domain or routes whose answers are text of some size, with no proxy in front that does it.
 * What it is not: for files, which `Filemap` sends from copies that were compressed before; nor the other direction,
 * request bodies. An answer that mixes a secret with what a stranger may write should not be compressed, because its
 * length tells of the secret (BREACH): let it say `cache-control: no-transform`.
 *
 * Effect's `HttpMiddleware.compression` needs a platform service, does not know which type is the problem details that
 * an error page may still replace, and compresses for HEAD; so this is our own. Kore has none.
 */
import * as ByteSize from "effect/ByteSize"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Encoder from "./compression/Encoder.ts"
import * as Conditional from "./Conditional.ts"
import * as ContentCoding from "./filemap/ContentCoding.ts"
import {
  HttpBody,
  HttpEffect,
  type HttpServerError,
  type HttpServerRequest,
  HttpServerResponse
} from "./internal/effectHttp.ts"
import * as Middleware from "./Middleware.ts"
import * as Problem from "./Problem.ts"
import { release, toStream } from "./transport/ResponseBody.ts"

/** A content coding that answers can have. */
export type Encoding = ContentCoding.Coding

/** What is compressed, and how. */
export interface Options {
  /**
   * What may be used. The client's weights choose; among equals it is br, then zstd, then gzip. Default: all three.
   */
  readonly encodings?: ReadonlyArray<Encoding> | undefined
  /** Bytes below which an answer is sent as it is; a stream of unknown length has enough. Default: 1 KiB. */
  readonly threshold?: ByteSize.Input | undefined
  /** How hard to try: br 0 to 11, zstd 1 to 22, gzip 1 to 9. Defaults: 4, 3, 6. */
  readonly levels?: { readonly [E in Encoding]?: number | undefined } | undefined
  /** Tells whether a media type, lower-case and without parameters, is worth it. Default: `isCompressible`. */
  readonly isCompressible?: ((mediaType: string) => boolean) | undefined
}

const LEVELS: Encoder.Levels = { br: 4, zstd: 3, gzip: 6 }

const TYPES = new RegExp(
  "^(?:text/.+|.+\\+(?:json|xml|text|yaml)|" +
    "application/(?:json|xml|javascript|ecmascript|graphql|ld\\+json|ndjson|x-ndjson|json-seq|manifest|rtf|sql|toml|" +
    "yaml|x-yaml|wasm|x-javascript|x-www-form-urlencoded|vnd\\.ms-fontobject)|" +
    "font/(?:ttf|otf|collection)|image/(?:bmp|x-icon|vnd\\.microsoft\\.icon)|model/gltf\\+json)$"
)

/** Tells whether content of a media type, lower-case and without parameters, becomes smaller: text, JSON, XML, code. */
export const isCompressible = (mediaType: string): boolean => TYPES.test(mediaType)

const NO_TRANSFORM = /(?:^|[\s,])no-transform(?:$|[\s,])/i

const typeOf = ({ body, headers }: HttpServerResponse.HttpServerResponse): string | undefined =>
  headers["content-type"] ?? (body._tag === "FormData" || body._tag === "Empty" ? undefined : body.contentType)

const mediaTypeOf = (response: HttpServerResponse.HttpServerResponse): string | undefined => {
  const type = typeOf(response)
  return type === undefined ? undefined : (type.split(";", 1)[0]!).trim().toLowerCase()
}

// Digests are of the bytes that are sent; a part of something is a part of what it was.
const isFixed = ({ body, headers, status }: HttpServerResponse.HttpServerResponse, isHead: boolean): boolean =>
  // To HEAD, the length alone may stand for the body.
  (body._tag === "Empty" && !(isHead && headers["content-length"] !== undefined)) || body._tag === "FormData" ||
  status === 204 || status === 205 || status === 206 ||
  status === 304 || headers["content-encoding"] !== undefined || headers["content-range"] !== undefined ||
  headers["content-digest"] !== undefined || headers["repr-digest"] !== undefined ||
  NO_TRANSFORM.test(headers["cache-control"] ?? "")

const vary = (response: HttpServerResponse.HttpServerResponse): string => {
  const given = response.headers["vary"]
  return given === undefined ? "accept-encoding"
    : /(?:^|,)\s*(?:accept-encoding|\*)\s*(?:,|$)/i.test(given) ? given
    : `${given}, accept-encoding`
}

// The fields of the compressed answer. Its bytes depend on zlib's version and level, so its tag is weak (§8.8.3.3).
const marked = (response: HttpServerResponse.HttpServerResponse, encoding: Encoding, body: HttpBody.HttpBody) => {
  const etag = response.headers["etag"]
  const bare = HttpServerResponse.removeHeader(
    HttpServerResponse.removeHeader(HttpServerResponse.setBody(response, body), "content-length"),
    "accept-ranges"
  )
  return HttpServerResponse.setHeaders(bare, {
    "content-encoding": encoding,
    ...(etag === undefined || etag.startsWith("W/") ? {} : { etag: `W/${etag}` })
  })
}

const compress = (
  response: HttpServerResponse.HttpServerResponse,
  encoding: Encoding,
  levels: Encoder.Levels,
  isHead: boolean
): Effect.Effect<HttpServerResponse.HttpServerResponse> => {
  const { body } = response
  const type = typeOf(response)
  if (isHead) {
    // The fields of GET without its work; the length is what nobody knows (§8.6).
    release(body)
    return Effect.succeed(marked(response, encoding, HttpBody.stream(Stream.empty, type)))
  }
  if (body._tag === "Uint8Array") {
    return Effect.mapEager(Encoder.encode(body.body, encoding, levels), (bytes) =>
      bytes.length < body.contentLength ? marked(response, encoding, HttpBody.uint8Array(bytes, type)) : response)
  }
  if (body._tag === "Empty") return Effect.succeed(response)
  const { stream } = toStream(body, response)
  return Effect.succeed(marked(response, encoding, HttpBody.stream(Encoder.stream(stream, encoding, levels), type)))
}

const lengthOf = ({ body, headers }: HttpServerResponse.HttpServerResponse): number => {
  if (body._tag === "Uint8Array") return body.contentLength
  const length = Number(headers["content-length"] ?? Number.NaN)
  return Number.isNaN(length) ? Number.POSITIVE_INFINITY : length
}

const check = ({ encodings = ContentCoding.CODINGS, levels = {}, threshold = 1024 }: Options) => {
  const known = ContentCoding.CODINGS.join(", ")
  for (const encoding of encodings) {
    if (!ContentCoding.CODINGS.includes(encoding)) {
      throw new TypeError(`Compression: encodings has ${JSON.stringify(encoding)}, expected some of ${known}`)
    }
  }
  for (const [encoding, level] of Object.entries(levels)) {
    const range = Object.hasOwn(Encoder.RANGES, encoding) ? Encoder.RANGES[encoding as Encoding] : undefined
    if (range === undefined) throw new TypeError(`Compression: levels has ${encoding}, expected some of ${known}`)
    const [min, max] = range
    if (level !== undefined && !(Number.isInteger(level) && level >= min && level <= max)) {
      throw new RangeError(`Compression: levels.${encoding} is ${level}, expected an integer from ${min} to ${max}`)
    }
  }
  return {
    encodings: new Set(encodings),
    levels: {
      br: levels.br ?? LEVELS.br,
      zstd: levels.zstd ?? LEVELS.zstd,
      gzip: levels.gzip ?? LEVELS.gzip
    },
    threshold: ByteSize.toNumberUnsafe(ByteSize.fromInputUnsafe(threshold))
  }
}

/**
 * Middleware that compresses answers, with `vary: accept-encoding` on all that it might have compressed.
 *
 * Left as they are: answers below the threshold or of other media types, those with a content coding, a range or a
 * digest, those that say `cache-control: no-transform`, problem details (an error page may take their place), and what
 * does not become smaller. A strong entity tag becomes weak. What a stream gives is sent at once, compressed.
 *
 * @throws TypeError for a coding that is none, RangeError for a level that the coding does not have.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { Compression, Response, Route } from "@kore-fx/http"
 *
 * export const routes = Route.use([Compression.middleware({ threshold: "2 KiB" })], [
 *   Route.get("/words", () => Effect.succeed(Response.text("kore ".repeat(1000))))
 * ])
 * ```
 */
export const middleware = (options: Options = {}): Middleware.Middleware<never, HttpServerError.HttpServerError> => {
  const { encodings, levels, threshold } = check(options)
  const isWorthIt = options.isCompressible ?? isCompressible
  const handle = (
    request: HttpServerRequest.HttpServerRequest,
    response: HttpServerResponse.HttpServerResponse
  ): Effect.Effect<HttpServerResponse.HttpServerResponse> => {
    const isHead = request.method === "HEAD"
    if (isFixed(response, isHead)) return Effect.succeed(response)
    const type = mediaTypeOf(response)
    if (type === undefined || type === Problem.MEDIA_TYPE || !isWorthIt(type)) return Effect.succeed(response)
    const varied = HttpServerResponse.setHeader(response, "vary", vary(response))
    if (lengthOf(response) < threshold) return Effect.succeed(varied)
    const accepted = ContentCoding.accepted(Conditional.fieldsOf(request).field("accept-encoding"))
    const encoding = accepted.find((one) => encodings.has(one))
    return encoding === undefined
      ? Effect.succeed(varied)
      : compress(varied, encoding, levels, isHead)
  }
  return Middleware.fromHttpMiddleware((app) => HttpEffect.withPreResponseHandler(app, handle))
}
