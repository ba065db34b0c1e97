/**
 * Cookies: set with safe attributes, removed, read by their exact name, and signed.
 *
 * When to reach for it: a handler gives a browser something to keep. `Route` reads cookies by Schemas (`cookies:`).
 * What it is not: a session (`Session` keeps the data here and gives the browser an id), nor a secret: a signed cookie can
 * be read by whoever has it, and only not be changed.
 *
 * Source: RFC 6265bis. Kore could set one cookie at most (http §6.5; defect B13) and found them by the beginning of their
 * name (defect A11).
 */
import * as Duration from "effect/Duration"
import { dual } from "effect/Function"
import type { HttpServerRequest } from "./internal/effectHttp.ts"
import { HttpServerResponse } from "./internal/effectHttp.ts"
import * as Secret from "./Secret.ts"
import { isFieldName } from "./transport/Syntax.ts"

type Response = HttpServerResponse.HttpServerResponse

/** What a browser is told about a cookie besides its value. */
export interface Options {
  /** The path, and those below it, that the browser sends the cookie to. Default: `/`. */
  readonly path?: string | undefined
  /** The domain, and those below it, that the browser sends the cookie to. Default: none, so only this very host. */
  readonly domain?: string | undefined
  /** How long it is kept, in whole seconds. Default: until the browser is closed, or `expires`. */
  readonly maxAge?: Duration.Input | undefined
  /** Until when it is kept; `maxAge` goes before it. */
  readonly expires?: Date | undefined
  /** Hides it from scripts of the page. Default: true. */
  readonly httpOnly?: boolean | undefined
  /**
   * Sends it over TLS only. Default: true. Behind a proxy every request looks like `http` unless `TrustedProxy` stands
   * around, so it is not taken from the request; `secure: request.protocol === "https"` does that. Browsers but Safari take
   * `http://localhost` for secure.
   */
  readonly secure?: boolean | undefined
  /** Whether requests that other sites cause carry it: `lax` only when somebody follows a link to here. Default: `lax`. */
  readonly sameSite?: "lax" | "strict" | "none" | undefined
  /** One cookie for each site that embeds this one. Default: false. */
  readonly partitioned?: boolean | undefined
}

/** RFC 6265bis §5.7: browsers ignore what is larger. */
const PAIR_MAX = 4096
const ATTRIBUTE_MAX = 1024

const quote = (value: unknown): string => {
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 80 ? `${text.slice(0, 79)}…` : text
}

const invalid = (where: string, what: string, value: unknown, expected: string): TypeError =>
  new TypeError(`${where}: ${what} is ${quote(value)}, expected ${expected}`)

const DOMAIN = /^\.?[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*$/
const PATH = /^\/[\x20-\x3a\x3c-\x7e]*$/
const SAME_SITE: ReadonlyArray<unknown> = ["lax", "strict", "none"]

/**
 * Checks a name and options as `set` does, for those who keep them; `where` begins the sentence of an error.
 *
 * @throws TypeError when a browser would ignore a cookie of this name with these options, or take them for others.
 */
export const check = (where: string, name: string, options: Options = {}): void => {
  const { domain, expires, maxAge, partitioned, path = "/", sameSite = "lax", secure = true } = options
  if (typeof name !== "string" || !isFieldName(name)) {
    throw invalid(where, "the name", name, "a token of letters, digits and !#$%&'*+-.^_`|~")
  }
  if (domain !== undefined && (!DOMAIN.test(domain) || domain.length > ATTRIBUTE_MAX)) {
    throw invalid(where, "domain", domain, "the name of a host")
  }
  if (!PATH.test(path) || path.length > ATTRIBUTE_MAX) {
    throw invalid(where, "path", path, "a path that begins with a slash, without semicolon and control characters")
  }
  if (expires !== undefined && !(expires instanceof Date && Number.isFinite(expires.getTime()))) {
    throw invalid(where, "expires", expires, "a valid Date")
  }
  if (maxAge !== undefined) {
    const duration = Duration.fromInputUnsafe(maxAge)
    if (!Duration.isFinite(duration) || Duration.toMillis(duration) < 0) {
      throw invalid(where, "maxAge", Duration.format(duration), "a duration that ends; Cookie.remove removes a cookie")
    }
  }
  if (!SAME_SITE.includes(sameSite)) throw invalid(where, "sameSite", sameSite, "\"lax\", \"strict\" or \"none\"")
  if (!secure && (sameSite === "none" || partitioned === true)) {
    const option = sameSite === "none" ? "sameSite \"none\"" : "partitioned"
    throw new TypeError(`${where}: "${name}" has ${option} and is not secure; browsers ignore it: say secure: true`)
  }
  // Browsers compare the prefixes without regard to case (RFC 6265bis §5.7).
  const prefix = /^__(?:host|secure)-/i.exec(name)?.[0].toLowerCase()
  if (prefix === undefined) return
  const isGood = secure && (prefix === "__secure-" || (path === "/" && domain === undefined))
  if (!isGood) {
    const needs = prefix === "__secure-" ? "secure: true" : "secure: true, path: \"/\" and no domain"
    throw new TypeError(`${where}: browsers take "${name}" only with ${needs}: say so, or give it another name`)
  }
}

const attributes = ({ httpOnly = true, path = "/", sameSite = "lax", secure = true, ...rest }: Options) => ({
  ...rest,
  httpOnly,
  path,
  sameSite,
  secure
})

/**
 * Sets a cookie: the response with one more, or with another value of the one that it has by this name.
 *
 * The value may be any text; it is percent-encoded, and `get` decodes it. Defaults: HttpOnly, Secure, SameSite=Lax,
 * Path=/, kept until the browser is closed.
 *
 * @throws TypeError when name, value or an option cannot be sent or would be ignored by browsers; RangeError when name and
 * encoded value have more than 4096 bytes.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { Cookie, Response, Route } from "@kore-fx/http"
 *
 * export const language = Route.post("/language/:code", ({ path }) =>
 *   Effect.succeed(
 *     Response.empty().pipe(
 *       Cookie.set("language", path.code, { maxAge: "365 days" }),
 *       Cookie.set("seen", "1", { httpOnly: false })
 *     )
 *   ))
 * ```
 */
export const set: {
  (name: string, value: string, options?: Options): (response: Response) => Response
  (response: Response, name: string, value: string, options?: Options): Response
} = dual(
  (args) => HttpServerResponse.isHttpServerResponse(args[0]),
  (response: Response, name: string, value: string, options: Options = {}): Response => {
    const where = "Cookie.set"
    check(where, name, options)
    if (typeof value !== "string" || !value.isWellFormed()) {
      throw new TypeError(`${where}: the value of "${name}" is ${typeof value}, expected text without lone surrogates`)
    }
    const bytes = name.length + encodeURIComponent(value).length
    if (bytes > PAIR_MAX) {
      throw new RangeError(
        `${where}: "${name}" has ${bytes} bytes with its value, expected ${PAIR_MAX} at most, because browsers ignore ` +
          "what is larger: keep the data here, in a Session for example"
      )
    }
    return HttpServerResponse.setCookieUnsafe(response, name, value, attributes(options))
  }
)

/**
 * Tells the browser to forget a cookie. Path and domain must be those that it was set with.
 *
 * @throws TypeError as `set` does.
 *
 * @example
 * ```ts
 * import { Cookie, Response } from "@kore-fx/http"
 *
 * export const goodbye = Response.redirect("/").pipe(Cookie.remove("language"))
 * ```
 */
export const remove: {
  (name: string, options?: Omit<Options, "maxAge" | "expires">): (response: Response) => Response
  (response: Response, name: string, options?: Omit<Options, "maxAge" | "expires">): Response
} = dual(
  (args) => HttpServerResponse.isHttpServerResponse(args[0]),
  (response: Response, name: string, options: Omit<Options, "maxAge" | "expires"> = {}): Response => {
    check("Cookie.remove", name, options)
    return HttpServerResponse.expireCookieUnsafe(response, name, attributes(options))
  }
)

/**
 * The value of the cookie of exactly this name; `undefined` when the client sent none.
 *
 * Of several with one name the first counts: its path is the longest (RFC 6265bis §5.8.3). Percent-encoding is decoded
 * where it is valid UTF-8, and otherwise stays as it was sent. Never throws, whatever the client sends.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { Cookie, Response, Route } from "@kore-fx/http"
 *
 * export const shown = Route.get("/language", ({ request }) =>
 *   Effect.succeed(Response.text(Cookie.get(request, "language") ?? "en")))
 * ```
 */
export const get = (request: HttpServerRequest.HttpServerRequest, name: string): string | undefined => {
  const { cookies } = request
  return Object.hasOwn(cookies, name) ? cookies[name] : undefined
}

// The name is signed too: what was signed for one cookie is worth nothing in another. No name has an equals sign.
const signed = (name: string, value: string): string => `${name}=${value}`

/**
 * A value with its signature behind it, for the cookie of this name: `value.signature`.
 *
 * @throws TypeError for a name that is none or lone surrogates in the value, and as `Secret.list` for unusable secrets.
 *
 * @example
 * ```ts
 * import * as Redacted from "effect/Redacted"
 * import { Cookie, Response } from "@kore-fx/http"
 *
 * export const withBasket = (response: Response.Response, id: string, secret: Redacted.Redacted<string>) =>
 *   Cookie.set(response, "basket", Cookie.sign("basket", id, secret))
 * ```
 */
export const sign = (name: string, value: string, secrets: Secret.Secrets): string => {
  check("Cookie.sign", name, { secure: true })
  if (!value.isWellFormed()) throw new TypeError(`Cookie.sign: the value of "${name}" has lone surrogates`)
  return `${value}.${Secret.sign(signed(name, value), secrets)}`
}

/**
 * The value of a signed cookie; `undefined` when it was not signed for this name by any of the secrets.
 *
 * Takes the same time wherever a signature differs. Never throws because of what a client sends.
 *
 * @throws as `Secret.list` for unusable secrets.
 *
 * @example
 * ```ts
 * import * as Redacted from "effect/Redacted"
 * import { Cookie, Request } from "@kore-fx/http"
 *
 * export const basketOf = (request: Request.Request, newest: Redacted.Redacted<string>, old: Redacted.Redacted<string>) =>
 *   Cookie.verify("basket", Cookie.get(request, "basket"), [newest, old])
 * ```
 */
export const verify = (name: string, text: string | undefined, secrets: Secret.Secrets): string | undefined => {
  if (text === undefined) return undefined
  const dot = text.lastIndexOf(".")
  if (dot < 0 || !text.isWellFormed()) return undefined
  const value = text.slice(0, dot)
  return Secret.isSignature(text.slice(dot + 1), signed(name, value), secrets) ? value : undefined
}
