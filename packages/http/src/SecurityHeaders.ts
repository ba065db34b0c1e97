/**
 * Fields that tell browsers to be careful with what this server sends.
 *
 * When to reach for it: around a domain that browsers visit.
 * What it is not: a content security policy. The default only says who may show pages in frames; which scripts may run
 * nobody but the author of the pages knows.
 *
 * Sources: Fetch standard (nosniff, CORP), WHATWG HTML §7 (COOP, X-Frame-Options), CSP 3, Referrer Policy, RFC 6797.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { HttpEffect, type HttpServerError, type HttpServerRequest, HttpServerResponse } from "./internal/effectHttp.ts"
import * as Middleware from "./Middleware.ts"
import { isFieldValue } from "./transport/Syntax.ts"

/** How long browsers shall insist on TLS (RFC 6797). */
export interface Hsts {
  /** In whole seconds. Default: 365 days. */
  readonly maxAge?: Duration.Input | undefined
  /** Default: true. */
  readonly includeSubDomains?: boolean | undefined
  /** Asks to be built into browsers; that is hard to take back. Default: false. */
  readonly preload?: boolean | undefined
}

/** The value of each field, or false to leave it out. */
export interface Options {
  /** `x-content-type-options`. Default: `nosniff`. */
  readonly contentTypeOptions?: string | false | undefined
  /** `x-frame-options`, for old browsers. Default: `SAMEORIGIN`. */
  readonly frameOptions?: string | false | undefined
  /** `content-security-policy`. Default: `frame-ancestors 'self'`. */
  readonly contentSecurityPolicy?: string | false | undefined
  /** `referrer-policy`. Default: `strict-origin-when-cross-origin`; `no-referrer` also hides the origin from `Csrf`. */
  readonly referrerPolicy?: string | false | undefined
  /** `cross-origin-opener-policy`. Default: `same-origin`. */
  readonly crossOriginOpenerPolicy?: string | false | undefined
  /** `cross-origin-resource-policy`. Default: `same-origin`; say `cross-origin` for what other sites embed. */
  readonly crossOriginResourcePolicy?: string | false | undefined
  /** `cross-origin-embedder-policy`. Default: none. */
  readonly crossOriginEmbedderPolicy?: string | false | undefined
  /** `permissions-policy`. Default: none. */
  readonly permissionsPolicy?: string | false | undefined
  /**
   * `strict-transport-security`, over https only. Default: 365 days with subdomains where a trusted proxy speaks TLS
   * (see `TrustedProxy`); a server that does so itself goes by the option httpHstsEnable.
   */
  readonly hsts?: Hsts | false | undefined
}

const FIELDS: { readonly [K in Exclude<keyof Options, "hsts">]-?: readonly [name: string, value: string | false] } = {
  contentTypeOptions: ["x-content-type-options", "nosniff"],
  frameOptions: ["x-frame-options", "SAMEORIGIN"],
  contentSecurityPolicy: ["content-security-policy", "frame-ancestors 'self'"],
  referrerPolicy: ["referrer-policy", "strict-origin-when-cross-origin"],
  crossOriginOpenerPolicy: ["cross-origin-opener-policy", "same-origin"],
  crossOriginResourcePolicy: ["cross-origin-resource-policy", "same-origin"],
  crossOriginEmbedderPolicy: ["cross-origin-embedder-policy", false],
  permissionsPolicy: ["permissions-policy", false]
}

const fieldsOf = (options: Options): ReadonlyArray<readonly [name: string, value: string]> =>
  Object.entries(FIELDS).flatMap(([option, [name, standard]]) => {
    const value = options[option as keyof typeof FIELDS] ?? standard
    if (value === false) return []
    if (typeof value !== "string" || value === "" || !isFieldValue(value)) {
      const expected = "expected text that a header can carry, or false"
      throw new TypeError(`SecurityHeaders: ${option} is ${JSON.stringify(value)}, ${expected}`)
    }
    return [[name, value] as const]
  })

const hstsOf = ({ includeSubDomains = true, maxAge = "365 days", preload = false }: Hsts): string => {
  const seconds = Math.floor(Duration.toSeconds(Duration.fromInputUnsafe(maxAge)))
  if (!Number.isSafeInteger(seconds)) throw new RangeError("SecurityHeaders: hsts.maxAge is not finite")
  return `max-age=${seconds}${includeSubDomains ? "; includeSubDomains" : ""}${preload ? "; preload" : ""}`
}

/**
 * Middleware that adds the fields an answer does not have: what a handler sets itself stays.
 *
 * Answers of failures have them too, up to status 499; see `Middleware.fromHttpMiddleware`.
 *
 * @throws TypeError for a value that a header cannot carry; RangeError for an infinite `maxAge`.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { Domain, Response, Route, SecurityHeaders } from "@kore-fx/http"
 *
 * const careful = SecurityHeaders.middleware({
 *   contentSecurityPolicy: "default-src 'self'; frame-ancestors 'none'",
 *   frameOptions: "DENY"
 * })
 *
 * export const site = Domain.layer("*", { attach: "main", middleware: [careful] }, [
 *   Route.get("/", () => Effect.succeed(Response.html("<h1>hello</h1>")))
 * ])
 * ```
 */
export const middleware = (options: Options = {}): Middleware.Middleware<never, HttpServerError.HttpServerError> => {
  const fields = fieldsOf(options)
  const hsts = options.hsts === false ? undefined : hstsOf(options.hsts ?? {})
  const isAsked = options.hsts !== undefined
  const wantsHsts = (request: HttpServerRequest.HttpServerRequest): boolean =>
    request.protocol === "https" &&
    (isAsked || (request.source as { readonly isEncrypted?: boolean }).isEncrypted !== true)
  const add = (
    request: HttpServerRequest.HttpServerRequest,
    response: HttpServerResponse.HttpServerResponse
  ): Effect.Effect<HttpServerResponse.HttpServerResponse> => {
    const { headers } = response
    const missing: Record<string, string> = {}
    for (const [name, value] of fields) if (headers[name] === undefined) missing[name] = value
    if (hsts !== undefined && headers["strict-transport-security"] === undefined && wantsHsts(request)) {
      missing["strict-transport-security"] = hsts
    }
    return Effect.succeed(HttpServerResponse.setHeaders(response, missing))
  }
  return Middleware.fromHttpMiddleware((app) => HttpEffect.withPreResponseHandler(app, add))
}
