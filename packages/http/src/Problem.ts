/**
 * `application/problem+json` answers (RFC 9457): what was wrong with a request, for programs and for people.
 *
 * When to reach for it: any answer with a status of 400 and above that the platform gives itself.
 * What it is not: a page. Pretty HTML errors are made of the same data elsewhere.
 */
import { HttpServerResponse } from "./internal/effectHttp.ts"
import { STATUS_CODES } from "./internal/nodeHttp.ts"

/** One invalid input: where it was, its name, and what was expected. */
export interface InvalidParam {
  /** `path`, `query`, `headers` or `body`. */
  readonly in: string
  /** The field, as a path: `name`, `address.street`, `items[2]`. Empty when the whole part is invalid. */
  readonly name: string
  readonly reason: string
}

/** What a problem says. */
export interface Problem {
  readonly status: number
  readonly detail?: string | undefined
  /** Members beyond those of RFC 9457. */
  readonly extensions?: Readonly<Record<string, unknown>> | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
}

/** The members that RFC 9457 defines; an extension cannot have one of their names. */
export const RESERVED: ReadonlyArray<string> = ["type", "title", "status", "detail", "instance"]

/** The media type of problem details (RFC 9457 §3). */
export const MEDIA_TYPE = "application/problem+json"

/** The standard phrase of a status, or its class when the status has none. */
export const title = (status: number): string =>
  STATUS_CODES[status] ?? (status < 500 ? "Client Error" : "Server Error")

/** The JSON text of a problem. */
export const encode = (problem: Problem): string =>
  JSON.stringify({
    ...problem.extensions,
    type: "about:blank",
    title: title(problem.status),
    status: problem.status,
    detail: problem.detail
  })

/**
 * The response that carries a problem.
 *
 * @example
 * ```ts
 * import { Problem } from "@kore-fx/http"
 *
 * export const gone = Problem.response({ status: 410, detail: "this page was removed in May" })
 * ```
 */
export const response = (problem: Problem): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.text(encode(problem), {
    status: problem.status,
    contentType: MEDIA_TYPE,
    ...(problem.headers === undefined ? {} : { headers: problem.headers })
  })
