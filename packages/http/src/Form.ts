/**
 * Forms as browsers send them by default: `application/x-www-form-urlencoded` (WHATWG URL §5.1), in bodies and queries.
 *
 * When to reach for it: the `form:` of a `Route` is decoded with it; `Form.entries` gives a handler the pairs as they
 * were sent. What it is not: `multipart/form-data`, which carries files, or Kore's validators, which are `Arguments`.
 *
 * The parser takes any bytes, as the standard says: `+` is a blank, a `%` that begins no escape stays, what is not UTF-8
 * becomes U+FFFD, `a` and `a=` have an empty value, and only the first `=` divides (Kore: http §6.5).
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import * as HttpError from "./HttpError.ts"
import type { HttpServerError, HttpServerRequest, HttpServerResponse } from "./internal/effectHttp.ts"
import { latin1 } from "./internal/latin1.ts"
import { keep, scan, type Values, type Visit } from "./internal/urlencoded.ts"
import * as Params from "./Params.ts"
import { fieldOf, ServerRequest } from "./Request.ts"

type Request = HttpServerRequest.HttpServerRequest
type ServerError = HttpServerError.HttpServerError

/** The media type of these forms. */
export const MEDIA_TYPE = "application/x-www-form-urlencoded"

/** A name and its value, decoded. */
export type Entry = readonly [name: string, value: string]

/** What a form may have. */
export interface Limits {
  /** Pairs of a form; one more, and it is refused with 413. From 1; default 1000. */
  readonly maxPairs?: number | undefined
}

/** Pairs that a form may have where nothing else is said. */
export const MAX_PAIRS = 1000

/** The body is no form, or a form in another encoding than UTF-8. Answer: 415. */
export class NotAForm extends HttpError.TaggedError<NotAForm>()("NotAForm", { contentType: Schema.String }, {
  httpStatus: 415,
  headers: { accept: MEDIA_TYPE }
}) {
  override get message(): string {
    return `the body is ${this.contentType}, expected ${MEDIA_TYPE} in UTF-8`
  }
}

/** The form has more pairs than `maxPairs` allows; nothing of it is used. Answer: 413. */
export class TooManyPairs extends HttpError.TaggedError<TooManyPairs>()("TooManyPairs", { maxPairs: Schema.Int }, {
  httpStatus: 413
}) {
  override get message(): string {
    return `the form has more than ${this.maxPairs} pairs of name and value, expected at most that many`
  }
}

/** Whether a media type with its parameters names these forms, in UTF-8: `charset` may say so, and nothing else. */
export const isForm = (contentType: string): boolean => {
  if (contentType === MEDIA_TYPE) return true
  const [type, ...parameters] = contentType.toLowerCase().split(";")
  return type!.trim() === MEDIA_TYPE && parameters.every((parameter) => OTHER_CHARSET.exec(parameter) === null)
}

// Any charset but UTF-8, by the two names that are in use.
const OTHER_CHARSET = /^\s*charset\s*=(?!\s*(?:utf-?8|"utf-?8")\s*$)/

/** The `content-type` of a request. */
export const contentTypeOf = (request: Request): string | undefined => fieldOf(request, "content-type")

/** The query of a request as bytes, one character a byte; empty when there is none. */
export const queryBytes = (request: Request): string => {
  const mark = request.url.indexOf("?")
  return mark < 0 ? "" : request.url.slice(mark + 1)
}

/** The body of a request as bytes, one character a byte; empty when there is none. */
export const bodyBytes = (request: Request): Effect.Effect<string, ServerError> =>
  request instanceof ServerRequest
    ? Effect.mapEager(request.bytes, textOf)
    : Effect.map(request.arrayBuffer, (buffer) => textOf(new Uint8Array(buffer)))

const textOf = (bytes: Uint8Array): string =>
  latin1(
    bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    0,
    bytes.length
  )

/**
 * The number of pairs that an option allows.
 *
 * @throws RangeError when it is no whole number from 1.
 */
export const maxPairsOf = (owner: string, limits: Limits): number => {
  const { maxPairs = MAX_PAIRS } = limits
  if (!Number.isSafeInteger(maxPairs) || maxPairs < 1) {
    throw new RangeError(`${owner}: maxPairs is ${maxPairs}, expected a whole number from 1`)
  }
  return maxPairs
}

// Reads the body if it is a form, and gives its pairs to `visit`. The type is looked at before anything is read.
const read = (
  request: Request,
  maxPairs: number,
  visit: Visit
): Effect.Effect<void, NotAForm | TooManyPairs | ServerError> => {
  const contentType = contentTypeOf(request)
  if (contentType !== undefined && !isForm(contentType)) return Exit.fail(new NotAForm({ contentType }))
  return Effect.flatMapEager(
    bodyBytes(request),
    (bytes) => scan(bytes, maxPairs, visit) ? Exit.void : Exit.fail(new TooManyPairs({ maxPairs }))
  )
}

/**
 * The pairs of a form in the order sent, with repeated names; none when the request has no body.
 *
 * The body stays readable. A body without a content type is taken for a form. Fails with `NotAForm` (415),
 * `TooManyPairs` (413), or as reading the body does; each knows its answer.
 *
 * @throws RangeError when `maxPairs` is no whole number from 1.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { Form, Response, Route } from "@kore-fx/http"
 *
 * export const route = Route.post("/order", ({ request }) =>
 *   Effect.map(Form.entries(request), (entries) =>
 *     Response.text(entries.map(([name, value]) => `${name} is ${value}`).join("\n"))))
 * ```
 */
export const entries = (
  request: Request,
  limits: Limits = {}
): Effect.Effect<ReadonlyArray<Entry>, NotAForm | TooManyPairs | ServerError> => {
  const maxPairs = maxPairsOf("Form.entries", limits)
  return Effect.suspend(() => {
    const found: Array<Entry> = []
    return Effect.mapEager(read(request, maxPairs, (name, value) => found.push([name, value])), () => found)
  })
}

/**
 * What decodes forms by Schemas, made once for a route. Names that are not declared are ignored; a name that is there
 * once where a list is expected is a list of one.
 *
 * Fails with the answer that names every field that does not fit (400), and as `entries` does.
 *
 * @throws RangeError when `maxPairs` is no whole number from 1.
 *
 * @example
 * ```ts
 * import * as Schema from "effect/Schema"
 * import { Form } from "@kore-fx/http"
 *
 * export const order = Form.decoder({ count: Schema.Int, colors: Schema.Array(Schema.String) }, { maxPairs: 20 })
 * ```
 */
export const decoder = (
  fields: Params.Fields,
  limits: Limits = {}
): (
  request: ServerRequest
) => Effect.Effect<unknown, HttpServerResponse.HttpServerResponse | NotAForm | TooManyPairs | ServerError> => {
  const maxPairs = maxPairsOf("Form.decoder", limits)
  const names = new Set(Object.keys(fields))
  const decode = Params.texts("form", fields)
  return (request) => {
    const values: Values = Object.create(null)
    return Effect.flatMapEager(read(request, maxPairs, keep(names, values)), () => decode(values))
  }
}
