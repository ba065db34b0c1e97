/**
 * Errors that carry their own HTTP answer.
 *
 * When to reach for it: a handler fails with something that the client should learn. A route whose error has no
 * answer does not compile.
 * What it is not: a way to send responses from deep inside; a defect stays a 500 that tells nothing.
 */
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as ErrorReporter from "effect/ErrorReporter"
import * as Schema from "effect/Schema"
import { HttpServerRespondable, type HttpServerResponse } from "./internal/effectHttp.ts"
import * as Problem from "./Problem.ts"

/** Something that knows its HTTP answer: every error of this module, and every Effect `Respondable`. */
export type HttpError = HttpServerRespondable.Respondable

/** How an error answers. */
export interface Options {
  /** The status of the answer, 400 to 599. Errors of 500 and above are also reported as faults. */
  readonly httpStatus: number
  /** The sentence for the client; default: the error's message. */
  readonly detail?: string
  readonly headers?: Readonly<Record<string, string>>
}

/**
 * A class of errors like `Schema.TaggedError`, with an HTTP answer.
 *
 * The answer is `application/problem+json` (RFC 9457) with the status, the message, and as further members the fields of
 * the error and its `_tag`. From 500 on it tells only the status and `detail`, because a fault is nobody else's business.
 *
 * @throws RangeError for a status that is no error, or a field that has the name of a member of RFC 9457.
 *
 * @example
 * ```ts
 * import * as Schema from "effect/Schema"
 * import { HttpError } from "@kore-fx/http"
 *
 * export class UserNotFound extends HttpError.TaggedError<UserNotFound>()("UserNotFound", { id: Schema.Int }, {
 *   httpStatus: 404
 * }) {}
 * ```
 */
export const TaggedError = <Self>() =>
<Tag extends string, const Fields extends Schema.Struct.Fields>(
  tag: Tag,
  fields: Fields,
  options: Options
): Schema.Class<Self, Schema.TaggedStruct<Tag, Fields>, Cause.YieldableError & HttpError> & {
  /** The status of the answer. */
  readonly httpStatus: number
} => {
  if (!Number.isInteger(options.httpStatus) || options.httpStatus < 400 || options.httpStatus > 599) {
    throw new RangeError(`HttpError ${tag}: httpStatus is ${options.httpStatus}, expected an integer from 400 to 599`)
  }
  const reserved = Object.keys(fields).filter((name) => Problem.RESERVED.includes(name))
  if (reserved.length > 0) {
    throw new RangeError(
      `HttpError ${tag}: the fields ${reserved.join(", ")} are members of every problem (RFC 9457); name them otherwise`
    )
  }
  const isFault = options.httpStatus >= 500
  const headers = options.headers === undefined ? {} : { headers: options.headers }
  const base = Schema.TaggedError<Self, HttpError>()(tag, fields) as any
  let encode: ((self: unknown) => Effect.Effect<object, unknown>) | undefined
  Object.assign(base, { httpStatus: options.httpStatus })
  Object.assign(base.prototype, {
    [HttpServerRespondable.symbol](this: Error): Effect.Effect<HttpServerResponse.HttpServerResponse, unknown> {
      if (isFault) {
        return Effect.succeed(Problem.response({ status: options.httpStatus, detail: options.detail, ...headers }))
      }
      encode ??= Schema.encodeUnknownEffect(Schema.toCodecJson(Schema.TaggedStruct(tag, fields) as any)) as any
      const detail = options.detail ?? (this.message === "" ? undefined : this.message)
      return Effect.mapEager(
        encode!({ ...this, _tag: tag }),
        (extensions) =>
          Problem.response({ status: options.httpStatus, detail, extensions: { ...extensions }, ...headers })
      )
    },
    // An expected answer is no fault of the program.
    [ErrorReporter.ignore]: !isFault
  })
  return base
}
