/**
 * Where the arguments of a request come from: its query, a form, or the fields of a multipart form, as pairs.
 *
 * When to reach for it: `Arguments.read` gets its pairs here; an adapter may get them one place at a time.
 * What it is not: a judgement. Which of the pairs are admitted is said by the validators.
 *
 * Source: Kore, http §6.5 and §8.4; defects A7 and B26.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Form from "../Form.ts"
import * as HttpError from "../HttpError.ts"
import { type HttpServerError, type HttpServerRequest, Multipart } from "../internal/effectHttp.ts"
import { scan } from "../internal/urlencoded.ts"
import { ServerRequest } from "../Request.ts"

type Request = HttpServerRequest.HttpServerRequest
type ServerError = HttpServerError.HttpServerError

/** A place that arguments come from. */
export type Source = "query" | "form" | "multipart"

/** A name and its value; `undefined` is a value that is not UTF-8, or has an incomplete escape: nothing admits it. */
export type Entry = readonly [name: string, value: string | undefined]

/** The body is neither of the two kinds of forms, or not in UTF-8. Answer: 415. */
export class UnsupportedBody
  extends HttpError.TaggedError<UnsupportedBody>()("UnsupportedBody", { contentType: Schema.String }, {
    httpStatus: 415,
    headers: { accept: `${Form.MEDIA_TYPE}, multipart/form-data` }
  })
{
  override get message(): string {
    return `the body is ${this.contentType}, expected ${Form.MEDIA_TYPE} in UTF-8, or multipart/form-data`
  }
}

/** The body says that it is a multipart form, and is not. Answer: 400. */
export class MalformedMultipart
  extends HttpError.TaggedError<MalformedMultipart>()("MalformedMultipart", { reason: Schema.String }, {
    httpStatus: 400
  })
{
  override get message(): string {
    return `the body is not multipart/form-data: ${this.reason}`
  }
}

/** What reading a body as a form may fail with. */
export type BodyError = UnsupportedBody | MalformedMultipart | Form.TooManyPairs | ServerError

// All pairs of bytes, or undefined when they are more than allowed.
const pairs = (bytes: string, maxPairs: number): ReadonlyArray<Entry> | undefined => {
  const out: Array<Entry> = []
  const isWhole = scan(bytes, maxPairs, (name, value, isExact) => out.push([name, isExact ? value : undefined]))
  return isWhole ? out : undefined
}

/** The pairs of the query, in the order sent; `undefined` when they are more than `maxPairs`. */
export const queryEntries = (request: Request, maxPairs: number): ReadonlyArray<Entry> | undefined =>
  pairs(Form.queryBytes(request), maxPairs)

/** The pairs of an urlencoded body, in the order sent, whatever its content type says. */
export const formEntries = (
  request: Request,
  maxPairs: number
): Effect.Effect<ReadonlyArray<Entry>, Form.TooManyPairs | ServerError> =>
  Effect.flatMapEager(Form.bodyBytes(request), (bytes) => {
    const found = pairs(bytes, maxPairs)
    return found === undefined ? Exit.fail(new Form.TooManyPairs({ maxPairs })) : Exit.succeed(found)
  })

/**
 * The text fields of a multipart form, in the order sent, not decoded any further. Files are passed over.
 *
 * The body is read as a whole first, so that it stays readable: the handler gets the files from it.
 */
export const multipartEntries = (
  request: Request,
  maxPairs: number
): Effect.Effect<ReadonlyArray<Entry>, MalformedMultipart | Form.TooManyPairs | ServerError> => {
  const whole = request instanceof ServerRequest ? request.bytes : Effect.void
  return Effect.flatMap(whole, () =>
    Effect.suspend(() => {
      const found: Array<Entry> = []
      const take = (part: Multipart.Part) =>
        part._tag === "Field"
          ? Effect.sync(() => void found.push([part.key, part.value]))
          : Stream.runDrain(part.content)
      return Stream.runForEach(request.multipartStream, take).pipe(
        // The size of the body is limited already.
        Effect.provideContext(Multipart.limitsServices({ maxParts: maxPairs, maxFieldSize: "1 TiB" })),
        Effect.mapError((error) => multipartError(error, maxPairs)),
        // Effect's parser throws at a part whose header ends with the closing boundary. Only it runs here.
        Effect.catchDefect(() => Exit.fail(new MalformedMultipart({ reason: UNPARSABLE }))),
        Effect.as(found)
      )
    }))
}

const multipartError = (
  { reason }: Multipart.MultipartError,
  maxPairs: number
): MalformedMultipart | Form.TooManyPairs | ServerError => {
  if (reason._tag === "TooManyParts") return new Form.TooManyPairs({ maxPairs })
  if (reason._tag === "InternalError") return reason.cause as ServerError
  const { _tag: fault = "" } = (reason.cause ?? {}) as { readonly _tag?: string }
  return new MalformedMultipart({ reason: FAULTS[fault] ?? UNPARSABLE })
}

const UNPARSABLE = "it cannot be parsed"

const FAULTS: Readonly<Record<string, string>> = {
  InvalidBoundary: "its content-type names no valid boundary",
  BadHeaders: "a part has header fields that cannot be parsed",
  InvalidDisposition: "a part has no content-disposition with a name",
  EndNotReached: "it ends before its closing boundary"
}

/** The pairs of a body, by its content type; none when the request has no body. */
export const bodyEntries = (
  request: Request,
  maxPairs: number
): Effect.Effect<readonly [source: Source, entries: ReadonlyArray<Entry>], BodyError> => {
  if (request instanceof ServerRequest && request.body === undefined) return Exit.succeed(["form", []])
  const contentType = Form.contentTypeOf(request)
  if (contentType === undefined || Form.isForm(contentType)) {
    return Effect.mapEager(formEntries(request, maxPairs), (found) => ["form", found] as const)
  }
  return MULTIPART.test(contentType)
    ? Effect.map(multipartEntries(request, maxPairs), (found) => ["multipart", found] as const)
    : Exit.fail(new UnsupportedBody({ contentType }))
}

const MULTIPART = /^\s*multipart\/form-data\s*(?:;|$)/i
