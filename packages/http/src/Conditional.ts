/**
 * Conditional requests (RFC 9110 §13): whether a client has the answer already, or means another state of the resource.
 *
 * When to reach for it: `Conditional.middleware` gives answers in memory an entity tag and saves sending them again;
 * `evaluate` serves handlers that know the validators of what they would send. `Filemap` does it for files.
 * What it is not: a cache. The handler runs before its answer gets a tag, and nothing is kept here.
 *
 * Everything but the middleware is a pure function of the request's fields and of two validators.
 */
import * as crypto from "node:crypto"
import { Headers, type HttpServerRequest, HttpServerResponse } from "./internal/effectHttp.ts"
import * as Middleware from "./Middleware.ts"
import * as Problem from "./Problem.ts"
import { ServerRequest } from "./Request.ts"

/**
 * The validators of the representation that would be sent (RFC 9110 §8.8); those that it does not have are left out.
 */
export interface Validators {
  /** The entity tag as it is sent: `"abc"`, or `W/"abc"` when it is weak. */
  readonly etag?: string | undefined
  /** Milliseconds since 1970, a whole number of seconds. */
  readonly lastModified?: number | undefined
  /** Nothing has changed twice within the second of `lastModified` (§8.8.2.2). Default: false. */
  readonly isLastModifiedStrong?: boolean | undefined
}

/** A request by its method and by single fields under their lower-case names. */
export interface Fields {
  readonly method: string
  readonly field: (name: string) => string | undefined
}

/** What a request's conditions come to. */
export type Outcome = "Proceed" | "NotModified" | "PreconditionFailed"

/** The fields of any request: of one that the transport made without decoding the others. */
export const fieldsOf = (request: HttpServerRequest.HttpServerRequest): Fields =>
  request instanceof ServerRequest
    ? request
    : { method: request.method, field: (name) => request.headers[name] }

// --- entity tags -----------------------------------------------------------------------------------------------------

// §8.8.3: one tag and what parts it from the next. Commas may stand inside of a tag.
const TAG = /[\t ,]*((?:W\/)?"[\x21\x23-\x7e\x80-\xff]*")[\t ]*(?=,|$)/y

const opaque = (etag: string): string => etag.startsWith("W/") ? etag.slice(2) : etag
const isWeak = (etag: string): boolean => etag.startsWith("W/")

/** Tells whether text is an entity tag (RFC 9110 §8.8.3). */
export const isETag = (text: string): boolean => /^(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"$/.test(text)

// The members up to the first that is none: what is behind it cannot be told apart.
const listed = (list: string, matches: (tag: string) => boolean): boolean => {
  TAG.lastIndex = 0
  for (let found = TAG.exec(list); found !== null; found = TAG.exec(list)) if (matches(found[1]!)) return true
  return false
}

/** Tells whether two tags name the same bytes: equal, and neither is weak (RFC 9110 §8.8.3.2). */
export const matchesStrongly = (one: string, other: string): boolean => one === other && !isWeak(one)

/** Tells whether two tags name equivalent representations, weak or not (RFC 9110 §8.8.3.2). */
export const matchesWeakly = (one: string, other: string): boolean => opaque(one) === opaque(other)

/**
 * The entity tag of bytes: two differ whenever the bytes do. 132 bits of their SHA-256; text counts as UTF-8.
 *
 * @example
 * ```ts
 * import { Conditional } from "@kore-fx/http"
 *
 * export const tag = Conditional.etagOf("hello") // "\"LPJNul-wow4m6Dsqxbninh\""
 * ```
 */
export const etagOf = (content: string | Uint8Array): string =>
  `"${crypto.hash("sha256", content, "base64url").slice(0, 22)}"`

// --- dates -----------------------------------------------------------------------------------------------------------

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
const TIME = "(\\d\\d):(\\d\\d):(\\d\\d)"
const IMF = new RegExp(`^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (\\d\\d) (\\w{3}) (\\d{4}) ${TIME} GMT$`)
const RFC_850 = new RegExp(`^(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, (\\d\\d)-(\\w{3})-(\\d\\d) ${TIME} GMT$`)
const ASCTIME = new RegExp(`^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) (\\w{3}) ([ \\d]\\d) ${TIME} (\\d{4})$`)

const at = (year: number, month: string, parts: ReadonlyArray<string>): number | undefined => {
  const [day, hour, minute, second] = parts.map(Number) as [number, number, number, number]
  const index = MONTHS.indexOf(month)
  // A leap second is the last that a minute may have.
  if (index < 0 || day < 1 || hour > 23 || minute > 59 || second > 60) return undefined
  const date = new Date(0)
  date.setUTCFullYear(year, index, day)
  return date.getUTCDate() === day && date.getUTCMonth() === index
    ? date.setUTCHours(hour, minute, second)
    : undefined
}

/**
 * Reads an HTTP date in any of its three forms (RFC 9110 §5.6.7): milliseconds since 1970, `undefined` when it is none.
 *
 * The two digits of the oldest form are of the year that is at most 50 years after the `now` of the reader.
 */
export const parseDate = (text: string, now: number = Date.now()): number | undefined => {
  const imf = IMF.exec(text)
  if (imf !== null) return at(Number(imf[3]), imf[2]!, [imf[1]!, imf[4]!, imf[5]!, imf[6]!])
  const asctime = ASCTIME.exec(text)
  if (asctime !== null) {
    return at(Number(asctime[6]), asctime[1]!, [asctime[2]!, asctime[3]!, asctime[4]!, asctime[5]!])
  }
  const old = RFC_850.exec(text)
  if (old === null) return undefined
  const thisYear = new Date(now).getUTCFullYear()
  const year = thisYear - thisYear % 100 + Number(old[3])
  return at(year > thisYear + 50 ? year - 100 : year, old[2]!, [old[1]!, old[4]!, old[5]!, old[6]!])
}

/** An HTTP date as it is sent (RFC 9110 §5.6.7), from milliseconds since 1970. */
export const formatDate = (milliseconds: number): string => new Date(milliseconds).toUTCString()

// --- the evaluation --------------------------------------------------------------------------------------------------

/**
 * What the conditions of a request come to, in the order of RFC 9110 §13.2.2.
 *
 * There is a current representation: what has none is another question. A date that is none is ignored, and so is
 * `if-modified-since` of methods other than GET and HEAD. `if-range` is asked with `allowsRange`.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { Conditional, Problem, Response, Route } from "@kore-fx/http"
 *
 * const article = { etag: "\"v7\"", text: "hello" }
 *
 * export const read = Route.get("/article", ({ request }) => {
 *   const outcome = Conditional.evaluate(Conditional.fieldsOf(request), { etag: article.etag })
 *   return Effect.succeed(
 *     outcome === "NotModified" ? Response.empty({ status: 304, headers: { etag: article.etag } })
 *       : outcome === "PreconditionFailed" ? Problem.response({ status: 412 })
 *       : Response.text(article.text, { headers: { etag: article.etag } })
 *   )
 * })
 * ```
 */
export const evaluate = (request: Fields, { etag, lastModified }: Validators): Outcome => {
  const ifMatch = request.field("if-match")
  if (ifMatch !== undefined) {
    const holds = ifMatch.trim() === "*" || (etag !== undefined && listed(ifMatch, (tag) => matchesStrongly(tag, etag)))
    if (!holds) return "PreconditionFailed"
  } else if (lastModified !== undefined) {
    const since = dateOf(request, "if-unmodified-since")
    if (since !== undefined && lastModified > since) return "PreconditionFailed"
  }
  const isSafe = request.method === "GET" || request.method === "HEAD"
  const ifNoneMatch = request.field("if-none-match")
  if (ifNoneMatch !== undefined) {
    const found = ifNoneMatch.trim() === "*" ||
      (etag !== undefined && listed(ifNoneMatch, (tag) => matchesWeakly(tag, etag)))
    if (found) return isSafe ? "NotModified" : "PreconditionFailed"
  } else if (isSafe && lastModified !== undefined) {
    const since = dateOf(request, "if-modified-since")
    if (since !== undefined && lastModified <= since) return "NotModified"
  }
  return "Proceed"
}

/**
 * Tells whether a `range` of the request may be answered with a part: there is no `if-range`, or it names exactly what
 * would be sent (RFC 9110 §13.1.5). Otherwise the client's part is of something else, and it gets the whole.
 */
export const allowsRange = (
  request: Fields,
  { etag, isLastModifiedStrong = false, lastModified }: Validators
): boolean => {
  const ifRange = request.field("if-range")?.trim()
  if (ifRange === undefined) return true
  if (isETag(ifRange)) return etag !== undefined && matchesStrongly(ifRange, etag)
  return isLastModifiedStrong && lastModified !== undefined && parseDate(ifRange) === lastModified
}

const dateOf = (request: Fields, name: string): number | undefined => {
  const text = request.field(name)
  return text === undefined ? undefined : parseDate(text)
}

/**
 * The answer to a request whose condition failed: 412.
 *
 * @example
 * ```ts
 * import { Conditional } from "@kore-fx/http"
 *
 * export const refused = Conditional.preconditionFailed()
 * ```
 */
export const preconditionFailed = (): HttpServerResponse.HttpServerResponse =>
  Problem.response({
    status: 412,
    detail: "the resource is not in the state that if-match or if-unmodified-since of the request asks for"
  })

// §15.4.5: what describes the content that is not sent, and would not say anything new.
const CONTENT = /^content-(?!location|security-policy)/

/** The answer to a client that has `response` already: 304 with its fields, but those of its content (§15.4.5). */
export const notModified = (response: HttpServerResponse.HttpServerResponse): HttpServerResponse.HttpServerResponse => {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(response.headers)) if (!CONTENT.test(name)) headers[name] = value
  return HttpServerResponse.empty({
    status: 304,
    headers: Headers.fromRecordUnsafe(headers),
    cookies: response.cookies
  })
}

/** How answers are tagged. */
export interface Options {
  /**
   * `strong` says that the bytes are the same, `weak` that they mean the same. Default: `weak`, because something
   * outside of the middleware may still compress them.
   */
  readonly strength?: "strong" | "weak" | undefined
}

/**
 * Middleware that gives 200 answers to GET and HEAD whose body is in memory an entity tag of their bytes, and answers
 * 304 or 412 as the request's conditions say.
 *
 * A tag or `last-modified` of the handler's own is kept and used. Streams and other answers pass as they are: they have
 * no bytes yet that could be compared. The body is made before and only not sent.
 *
 * @throws TypeError for a strength that is none.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { Conditional, Response, Route } from "@kore-fx/http"
 *
 * export const routes = Route.use([Conditional.middleware()], [
 *   Route.get("/news", () => Effect.succeed(Response.text("nothing new")))
 * ])
 * ```
 */
export const middleware = ({ strength = "weak" }: Options = {}): Middleware.Middleware => {
  if (strength !== "strong" && strength !== "weak") {
    throw new TypeError(
      `Conditional.middleware: strength is ${JSON.stringify(strength)}, expected "strong" or "weak"`
    )
  }
  const prefix = strength === "weak" ? "W/" : ""
  return Middleware.mapResponse((response, request) => {
    const { body, status } = response
    const isSafe = request.method === "GET" || request.method === "HEAD"
    if (status !== 200 || !isSafe || body._tag !== "Uint8Array") return response
    const own = response.headers["etag"]
    const etag = own ?? `${prefix}${etagOf(body.text ?? body.body)}`
    const tagged = own === undefined ? HttpServerResponse.setHeader(response, "etag", etag) : response
    const modified = response.headers["last-modified"]
    const lastModified = modified === undefined ? undefined : parseDate(modified)
    switch (evaluate(fieldsOf(request), { etag, lastModified })) {
      case "Proceed":
        return tagged
      case "NotModified":
        return notModified(tagged)
      case "PreconditionFailed":
        return preconditionFailed()
    }
  })
}
