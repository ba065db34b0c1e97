/**
 * Routes of the old API: which function answers which requests, and what stands before it.
 *
 * When to reach for it: `domain.route`, or `kore.route` where there is one domain, at import or in `configure`.
 * What it is not: a router. Every route becomes one of core's; what is matched how is said in `Router`.
 * Source: Kore, http §5 and §6.
 */
import * as Arguments from "@kore-fx/http/Arguments"
import { describe } from "./Coroutine.ts"
import { RuntimeError } from "./errors.ts"
import * as Declare from "./internal/declare.ts"
import * as Exchange from "./internal/Exchange.ts"
import * as keywords from "./internal/keywords.ts"
import * as Pattern from "./internal/Pattern.ts"
import {
  type Auth as DeclaredAuth,
  type Declaration,
  declaring,
  type Route,
  type RouteHooks
} from "./internal/Registry.ts"
import * as Run from "./internal/Run.ts"
import type { Request } from "./Request.ts"

/**
 * What admits a value of a parameter: an expression that is searched in it, as text or RegExp, or a function of the
 * request and the value. Only `true` admits; a function may be `async` or a generator function.
 */
export type Validator = string | RegExp | ((this: any, req: Request, value: string) => unknown)

/** Validators by the name of the parameter. */
export type Parameters = Readonly<Record<string, Validator>>

/** Who may ask. */
export interface Auth {
  /** Where the credential is. */
  readonly type: "cookie" | "header"
  /** The name of the cookie or header. */
  readonly value: string
  /** Says whether the credential is good; a function or the name of a method. Only `true` lets a request through. */
  readonly verify: ((this: any, req: Request, credential: string) => unknown) | string
  /** Where to send those who may not ask, with 302. Default: they get 403. */
  readonly redirect?: string
}

/** What is called around a handler; functions or names of methods. */
export interface Hooks {
  /** Before the body is read. What it answers, or a `false` that it returns, ends the request. */
  readonly on_headers?: ((this: any, req: Request) => unknown) | string
  /** For every piece of the body, which is not kept then. Anything but `true` ends the request. */
  readonly on_body_chunk?: ((this: any, req: Request, chunk: Buffer) => unknown) | string
  /** When the request is over, also after its client has left. */
  readonly on_free?: ((this: any, req: Request) => unknown) | string
}

/** The keywords of `domain.route`. */
export interface RouteOptions {
  /** Names of methods in any case; `get` includes HEAD. Default all seven. Other requests get 405. */
  readonly methods?: ReadonlyArray<string>
  /** Parameters in the query of GET; for `populate_get`. */
  readonly get?: Parameters
  /** Parameters in the query of HEAD. Default: those of `get`. */
  readonly head?: Parameters
  /** Parameters in the query of OPTIONS. */
  readonly options?: Parameters
  /** Parameters in the body of POST, for `populate_post` and `populate_multi`. */
  readonly post?: Parameters
  /** Parameters in the body of PUT. */
  readonly put?: Parameters
  /** Parameters in the body of PATCH. */
  readonly patch?: Parameters
  /** Parameters in the body of DELETE. */
  readonly delete?: Parameters
  /** Parameters in the query of any method. */
  readonly qs?: Parameters
  /** Who may ask; seen to before the body is read. */
  readonly auth?: Auth
  readonly hooks?: Hooks
}

/** The keywords of `kore.route`. */
export interface ModuleRouteOptions extends RouteOptions {
  /** The host of the domain; needed where there are several. */
  readonly domain?: string
}

/**
 * A function that answers a request: plain, `async` or a generator function; a method of the app has the app as `this`.
 *
 * After the request come the captures of the url in order, `undefined` for a group that took no part. What it returns
 * is ignored.
 */
export type Handler = (this: any, req: Request, ...captures: Array<any>) => unknown

const DICTIONARIES = ["get", "head", "options", "post", "put", "patch", "delete", "qs"] as const

/** What `domain.route` knows. */
const known = ["methods", ...DICTIONARIES, "auth", "hooks"]

/**
 * Installs a route on the domain of that host, or on the only one there is; domains may be declared later.
 *
 * @throws RuntimeError as `domain.route` does.
 *
 * @example
 * ```ts
 * import { kore } from "kore-fx/legacy"
 *
 * kore.route("/", (req) => req.response(200, "hello"), { methods: ["get"], domain: "*" })
 * ```
 */
export const route = (url: string, handler: Handler | string, options: ModuleRouteOptions = {}): void => {
  keywords.check("kore.route", lower(options), [...known, "domain"])
  add(declaring("kore.route"), options.domain, url, handler, options)
}

/** Installs a route on a domain; see `Domain.route`. */
export const install = (
  domain: Route["domain"],
  url: string,
  handler: Handler | string,
  options: RouteOptions
): void => {
  keywords.check("domain.route", lower(options), known)
  add(declaring("domain.route"), domain, url, handler, options)
}

const METHODS = ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"]

// Kore reads the dictionary whose keyword is spelled as the method in the list: `GET` and `get` are one here (B27).
const lower = (options: object): object =>
  typeof options !== "object" || options === null ? options : Object.fromEntries(
    Object.entries(options).map(([key, value]) => [METHODS.includes(key) ? key.toLowerCase() : key, value])
  )

const methodsOf = (url: string, given: unknown = METHODS): ReadonlyArray<string> => {
  if (!Array.isArray(given) || given.length === 0) {
    throw new RuntimeError(`the route "${url}" has methods ${describe(given)}, expected a list such as ["get"]`)
  }
  const methods = new Set<string>()
  for (const item of given) {
    const method = String(item).toUpperCase()
    if (!METHODS.includes(method)) {
      throw new RuntimeError(`the route "${url}" has the method ${describe(item)}, expected of ${METHODS.join(", ")}`)
    }
    methods.add(method)
    if (method === "GET") methods.add("HEAD")
  }
  return [...methods]
}

const add = (
  declaration: Declaration,
  domain: Route["domain"],
  url: string,
  handler: Handler | string,
  given: RouteOptions
): void => {
  const options = lower(given) as RouteOptions
  const pattern = patternOf(url, `the route ${describe(url)}`)
  const methods = methodsOf(url, options.methods)
  const where = `the route "${url}"`
  Declare.checkCallable(handler, `${where} has`, "as its handler")
  const target = {
    _tag: "Call",
    handler,
    parameters: parametersOf(where, methods, options),
    auth: options.auth === undefined ? undefined : authOf(where, options.auth),
    hooks: hooksOf(where, options.hooks)
  } as const
  Declare.addRoute(declaration, { url, pattern, methods, target, domain })
}

/**
 * The url of a route or a redirect as a regular expression.
 *
 * @throws RuntimeError when it cannot be used.
 */
export const patternOf = (url: unknown, where: string): RegExp => {
  if (typeof url !== "string") throw new RuntimeError(`the url of a route is ${describe(url)}, expected a string`)
  try {
    return Pattern.compile(url)
  } catch (error) {
    throw error instanceof Pattern.PatternError
      ? new RuntimeError(`${where} cannot be used: ${error.message}`, { cause: error })
      : error
  }
}

// --- parameters ------------------------------------------------------------------------------------------------------

const parametersOf = (where: string, methods: ReadonlyArray<string>, options: RouteOptions) => {
  const given = DICTIONARIES.filter((keyword) => options[keyword] !== undefined)
  if (given.length === 0) return undefined
  try {
    const declaration = Arguments.make(
      Object.fromEntries(given.map((keyword) => [keyword, dictionaryOf(keyword, options)]))
    )
    Arguments.checkMethods(declaration, methods, where)
    return declaration
  } catch (error) {
    throw error instanceof TypeError ? new RuntimeError(`${where}: ${error.message}`, { cause: error }) : error
  }
}

const dictionaryOf = (keyword: typeof DICTIONARIES[number], options: RouteOptions) => {
  const dictionary = options[keyword]
  if (typeof dictionary !== "object" || dictionary === null || Array.isArray(dictionary)) {
    throw new TypeError(`"${keyword}" is ${describe(dictionary)}, expected an object of validators by name`)
  }
  return Object.fromEntries(Object.entries(dictionary).map(([name, validator]) => [
    name,
    validatorOf(`the validator of ${keyword} "${name}"`, validator)
  ]))
}

const validatorOf = (where: string, validator: Validator): Arguments.Validator => {
  if (typeof validator === "string") return expressionOf(where, validator)
  if (typeof validator !== "function") return validator
  return (value, request) => {
    const { app, req } = Exchange.of(request)
    return Run.call(where, () => validator.call(app, req as Request, value)) as boolean
  }
}

const expressionOf = (where: string, source: string): RegExp => {
  try {
    return Pattern.expression(source)
  } catch (error) {
    throw new TypeError(`${where}, "${source}", cannot be used: ${(error as Error).message}`, { cause: error })
  }
}

// --- authentication and hooks ----------------------------------------------------------------------------------------

/**
 * Checks what says who may ask.
 *
 * @throws RuntimeError for what cannot be used.
 */
export const authOf = (where: string, auth: Auth): DeclaredAuth => {
  keywords.check(`the auth of ${where}`, auth, ["type", "value", "verify", "redirect"])
  const { redirect, type, value, verify } = auth
  if (type !== "cookie" && type !== "header") {
    throw new RuntimeError(`the auth of ${where} has the type ${describe(type)}, expected "cookie" or "header"`)
  }
  if (typeof value !== "string" || value === "") {
    throw new RuntimeError(`the auth of ${where} has the value ${describe(value)}, expected the name of a ${type}`)
  }
  Declare.checkCallable(verify, `the auth of ${where} has`, "as verify")
  if (redirect !== undefined && (typeof redirect !== "string" || redirect === "")) {
    throw new RuntimeError(`the auth of ${where} has the redirect ${describe(redirect)}, expected a path or a URL`)
  }
  return { type, value, verify, redirect }
}

const HOOKS = ["on_headers", "on_body_chunk", "on_free"] as const

const hooksOf = (where: string, hooks: Hooks = {}): RouteHooks => {
  keywords.check(`the hooks of ${where}`, hooks, [...HOOKS])
  for (const name of HOOKS) {
    if (hooks[name] !== undefined) Declare.checkCallable(hooks[name], `${where} has`, `as its hook ${name}`)
  }
  return hooks
}
