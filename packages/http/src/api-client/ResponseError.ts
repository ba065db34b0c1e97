/**
 * An answer that a route does not declare, as an error of the client.
 *
 * When to reach for it: calls of `ApiClient` fail with it.
 * What it is not: a failure to get an answer, which is Effect's `HttpClientError`.
 */
import * as Schema from "effect/Schema"
import * as Problem from "../Problem.ts"

/** An answer with a status that is neither the one of the value nor of a declared error. */
export class ResponseError extends Schema.TaggedError<ResponseError>()("ResponseError", {
  method: Schema.String,
  /** The pattern of the route, not the URL, which may have secrets. */
  path: Schema.String,
  status: Schema.Int,
  headers: Schema.Record(Schema.String, Schema.String),
  /** The whole body, as text. */
  body: Schema.String,
  /** The problem details, when the body is that (RFC 9457). */
  problem: Schema.optionalKey(Schema.Record(Schema.String, Schema.Unknown))
}) {
  override get message(): string {
    const detail = this.problem?.["detail"]
    return `${this.method} ${this.path} answered ${this.status} ${Problem.title(this.status)}${
      typeof detail === "string" ? `: ${detail}` : ""
    }`
  }
}
