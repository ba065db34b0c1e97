/**
 * What pages of other origins may read (Fetch standard, §3.2): Effect's `HttpMiddleware.cors` with checked options.
 *
 * When to reach for it: an API that pages of another origin call. Around a domain, so that preflights find it, which
 * ask with OPTIONS before any route of that method exists.
 * What it is not: protection of the server. It loosens what browsers forbid; what they send anyway is `Csrf`'s
 * business.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { HttpMiddleware, type HttpServerError, HttpServerRequest, HttpServerResponse } from "./internal/effectHttp.ts"
import * as Middleware from "./Middleware.ts"
import { isFieldName } from "./transport/Syntax.ts"

/** Who may do what. */
export interface Options {
  /** Origins as browsers write them, `*` for all, or a function that is asked for each. */
  readonly origins: "*" | ReadonlyArray<string> | ((origin: string) => boolean)
  /** Methods beyond the simple ones. Default: GET, HEAD, PUT, PATCH, POST, DELETE. */
  readonly methods?: ReadonlyArray<string> | undefined
  /** Fields that pages may set. Default: whatever the preflight asks for. */
  readonly headers?: ReadonlyArray<string> | undefined
  /** Fields of answers that pages may read, beyond the simple ones. Default: none. */
  readonly exposedHeaders?: ReadonlyArray<string> | undefined
  /** Cookies and log-ins may be sent along. Not with `*`. Default: false. */
  readonly credentials?: boolean | undefined
  /** How long browsers may remember a preflight, in whole seconds. Default: what they do, 5 seconds. */
  readonly maxAge?: Duration.Input | undefined
}

const checkOrigins = (origins: ReadonlyArray<string>): void => {
  if (origins.length === 0) throw new TypeError("Cors: origins is empty, expected at least one, or \"*\"")
  for (const origin of origins) {
    const url = URL.canParse(origin) ? new URL(origin) : undefined
    if (url?.origin === origin) continue
    const expected = origin === "*" ? "\"*\" alone, without a list"
      : url === undefined || url.origin === "null" ? "\"scheme://host\" or \"scheme://host:port\""
      : JSON.stringify(url.origin)
    throw new TypeError(`Cors: origins has ${JSON.stringify(origin)}, expected ${expected}`)
  }
}

const checkNames = (option: string, names: ReadonlyArray<string>): void => {
  for (const name of names) {
    if (!isFieldName(name)) throw new TypeError(`Cors: ${option} has ${JSON.stringify(name)}, expected a name`)
  }
}

const ofEffect = (options: Options): NonNullable<Parameters<typeof HttpMiddleware.cors>[0]> => {
  const { credentials = false, exposedHeaders = [], headers = [], methods, origins } = options
  if (credentials && origins === "*") {
    throw new TypeError("Cors: credentials is true and origins \"*\", which browsers refuse; name the origins")
  }
  if (typeof origins === "object") checkOrigins(origins)
  checkNames("methods", methods ?? [])
  checkNames("headers", headers)
  checkNames("exposedHeaders", exposedHeaders)
  const maxAge = options.maxAge === undefined
    ? undefined
    : Math.floor(Duration.toSeconds(Duration.fromInputUnsafe(options.maxAge)))
  if (maxAge !== undefined && !Number.isSafeInteger(maxAge)) throw new RangeError("Cors: maxAge is not finite")
  // One name would be sent to everybody, and with no origin at all: a list of two asks who it is first.
  const only = typeof origins === "object" ? new Set(origins) : undefined
  const isAllowed = only === undefined ? origins as "*" | ((origin: string) => boolean)
    : (origin: string) => only.has(origin)
  return {
    allowedOrigins: isAllowed === "*" ? [] : (origin) => origin !== undefined && isAllowed(origin),
    allowedMethods: methods,
    allowedHeaders: headers,
    exposedHeaders,
    credentials,
    maxAge
  }
}

// What an answer says to the page, apart from what only a preflight asks for.
const MARKS = [
  "access-control-allow-origin",
  "access-control-allow-credentials",
  "access-control-expose-headers"
] as const

/**
 * Middleware that answers preflights and marks answers, those of failures too up to status 499; see
 * `Middleware.fromHttpMiddleware`.
 *
 * An OPTIONS request that is no preflight is answered by what is below, and marked.
 *
 * @throws TypeError for an origin or a name that is none, for none at all, and for `credentials` with `*`.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { Cors, Domain, Response, Route } from "@kore-fx/http"
 *
 * const cors = Cors.middleware({ origins: ["https://app.example.com"], credentials: true, maxAge: "1 hour" })
 *
 * export const api = Domain.layer("api.example.com", { attach: "main", middleware: [cors] }, [
 *   Route.put("/profile", () => Effect.succeed(Response.empty()))
 * ])
 * ```
 */
export const middleware = (options: Options): Middleware.Middleware<never, HttpServerError.HttpServerError> => {
  const cors = HttpMiddleware.cors(ofEffect(options))
  return Middleware.fromHttpMiddleware((app) =>
    Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) => {
      if (request.method !== "OPTIONS" || request.headers["access-control-request-method"] !== undefined) {
        return cors(app)
      }
      return Effect.zipWith(cors(app), app, ({ headers }, response) => {
        const marks: Record<string, string> = {}
        for (const name of MARKS) if (headers[name] !== undefined) marks[name] = headers[name]
        return HttpServerResponse.setHeaders(response, marks)
      })
    })
  )
}
