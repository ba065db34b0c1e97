/**
 * Requests that another site makes a browser send, refused: cross-site request forgery, without tokens.
 *
 * When to reach for it: whatever changes something and knows its user by a cookie or by the browser's own log-in.
 * What it is not: CORS, which says what other sites may read; nor for GET, which changes nothing in a program that
 * keeps to HTTP (RFC 9110 §9.2.1). A WebSocket handshake is a GET and has its own look at `origin`.
 *
 * Browsers say where a request was made: `Sec-Fetch-Site` (W3C Fetch Metadata), since 2023 all of them, and `Origin`
 * (RFC 6454) before. Pages cannot write either.
 */
import * as Effect from "effect/Effect"
import * as Conditional from "./Conditional.ts"
import type { HttpServerRequest } from "./internal/effectHttp.ts"
import * as Middleware from "./Middleware.ts"
import * as Problem from "./Problem.ts"

/** Who else may send requests. */
export interface Options {
  /** Origins that may, as browsers write them: `https://app.example.com`, with a port unless it is the scheme's. */
  readonly allowedOrigins?: ReadonlyArray<string> | undefined
}

const SAFE = new Set(["GET", "HEAD", "OPTIONS"])

const check = (origin: string): string => {
  const url = URL.canParse(origin) ? new URL(origin) : undefined
  if (url?.origin === origin) return origin
  const expected = url === undefined || url.origin === "null" ? "scheme://host or scheme://host:port" : url.origin
  throw new TypeError(`Csrf: allowedOrigins has ${JSON.stringify(origin)}, expected ${JSON.stringify(expected)}`)
}

// The scheme is left out: behind a proxy that speaks TLS and is not told of, it is another one.
const isSameHost = (origin: string, host: string | undefined): boolean => {
  if (host === undefined || !URL.canParse(origin)) return false
  const { host: expected, protocol } = new URL(origin)
  const own = `${protocol}//${host}`
  return expected !== "" && URL.canParse(own) && new URL(own).host === expected
}

const refused = (): ReturnType<typeof Problem.response> =>
  Problem.response({
    status: 403,
    detail: "this request was made by a page of another site; what changes something must come from a page of this one"
  })

/**
 * Middleware that answers 403 to unsafe requests that a page of another origin made.
 *
 * Safe methods (GET, HEAD, OPTIONS) pass. `Sec-Fetch-Site` must be `same-origin`, or `none`, which is the user's own
 * doing; without it the host of `Origin` must be that of the request. A request with neither is not from a browser's
 * page and passes. Another host of one's own site (`same-site`) is another origin: allow it by name.
 *
 * @throws TypeError for an origin that is none.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { Csrf, Domain, Response, Route } from "@kore-fx/http"
 *
 * const csrf = Csrf.middleware({ allowedOrigins: ["https://admin.example.com"] })
 *
 * export const site = Domain.layer("*", { attach: "main", middleware: [csrf] }, [
 *   Route.post("/buy", () => Effect.succeed(Response.text("thank you")))
 * ])
 * ```
 */
export const middleware = ({ allowedOrigins = [] }: Options = {}): Middleware.Middleware => {
  const allowed = new Set(allowedOrigins.map(check))
  const isForged = (request: HttpServerRequest.HttpServerRequest): boolean => {
    if (SAFE.has(request.method)) return false
    const fields = Conditional.fieldsOf(request)
    const origin = fields.field("origin")
    if (origin !== undefined && allowed.has(origin)) return false
    const site = fields.field("sec-fetch-site")
    if (site !== undefined) return site !== "same-origin" && site !== "none"
    return origin !== undefined && !isSameHost(origin, fields.field("host"))
  }
  return Middleware.guard((request) => isForged(request) ? Effect.succeed(refused()) : Effect.void)
}
