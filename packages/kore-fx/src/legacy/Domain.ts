/**
 * `kore.domain` and routes: which function answers which request.
 *
 * When to reach for it: at import or in `configure`, after the server it attaches to.
 * What it is not: a router. Every route becomes one of core's; what is matched how is said in `Router`.
 * Source: Kore, http §4 and §5.
 */
import * as CoreDomain from "@kore-fx/http/Domain"
import { describe } from "./Coroutine.ts"
import { RuntimeError } from "./errors.ts"
import * as keywords from "./internal/keywords.ts"
import * as Pattern from "./internal/Pattern.ts"
import { type Declaration, declaring, type Domain as Declared, type Route } from "./internal/Registry.ts"
import type { Request } from "./Request.ts"

/** The keywords of `kore.domain`. */
export interface DomainOptions {
  /** The name of a server that is declared already. Default `default`. */
  readonly attach?: string
}

/** The keywords of `domain.route`. */
export interface RouteOptions {
  /** Names of methods in any case; `get` includes HEAD. Default all seven. Other requests get 405. */
  readonly methods?: ReadonlyArray<string>
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

/** A domain, on which routes are installed. Made by `kore.domain`. */
export interface Domain {
  /**
   * Installs a route. Of several that match, the one that was installed first answers.
   *
   * A url that begins with `/` is literal: the path as it is sent, byte for byte. Any other is a regular expression of
   * JavaScript that is searched in the path. `handler` may be the name of a method of the app.
   *
   * @throws RuntimeError for an expression that does not compile, an unknown method or keyword, and for a url that has
   * a route for one of the methods already.
   */
  readonly route: (url: string, handler: Handler | string, options?: RouteOptions) => void
}

const TLS = "TLS"
const PARAMETERS = "validated parameters"

const domainKnown = ["attach"]
const domainLater = { cert: TLS, key: TLS, acme: "ACME", client_verify: TLS, verify_depth: TLS, crl: TLS }

const routeKnown = ["methods"]
const routeLater = {
  get: PARAMETERS,
  post: PARAMETERS,
  put: PARAMETERS,
  delete: PARAMETERS,
  head: PARAMETERS,
  patch: PARAMETERS,
  options: PARAMETERS,
  qs: PARAMETERS,
  auth: "authentication",
  hooks: "hooks of routes"
}

/**
 * Declares a domain on a server and returns it.
 *
 * `host` is a name, a wildcard (`*.example.com`, which spans any number of labels) or `*`. Which one answers is decided
 * by the most specific name, not by the order.
 *
 * @throws RuntimeError for an unknown server or keyword, and when the server has the same host already.
 *
 * @example
 * ```ts
 * import { kore } from "kore-fx/legacy"
 *
 * const domain = kore.domain("*", { attach: "notls" })
 * domain.route("/", (req) => req.response(200, "hello"), { methods: ["get"] })
 * domain.route("^/([0-9])$", (req, digit: string) => req.response(200, digit), { methods: ["get"] })
 * ```
 */
export const domain = (host: string, options: DomainOptions = {}): Domain => {
  const declaration = declaring("kore.domain")
  keywords.check("kore.domain", options, domainKnown, domainLater)
  const { attach = "default" } = options
  checkHost(host)
  if (!declaration.servers.has(attach)) {
    const names = [...declaration.servers.keys()].map((name) => `"${name}"`).join(", ")
    const known = names === "" ? "no server is declared yet" : `declared are ${names}`
    throw new RuntimeError(`the domain "${host}" attaches to the server ${describe(attach)}, but ${known}`)
  }
  if (declaration.domains.some((other) => other.attach === attach && isSame(other.host, host))) {
    throw new RuntimeError(`the server "${attach}" has the domain "${host}" already`)
  }
  const declared: Declared = { host, attach }
  declaration.domains.push(declared)
  // Frozen: assigning what this version does not have, such as accesslog, is an error.
  return Object.freeze({
    route: (url: string, handler: Handler | string, options: RouteOptions = {}) => {
      keywords.check("domain.route", options, routeKnown, routeLater)
      add(declaring("domain.route"), declared, url, handler, options)
    }
  })
}

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
  keywords.check("kore.route", options, [...routeKnown, "domain"], routeLater)
  add(declaring("kore.route"), options.domain, url, handler, options)
}

const isSame = (a: string, b: string): boolean => CoreDomain.normalize(a) === CoreDomain.normalize(b)

const checkHost = (host: string): void => {
  if (typeof host !== "string" || host === "") {
    throw new RuntimeError(`kore.domain got the host ${describe(host)}, expected a name, "*.name" or "*"`)
  }
  if (/[*?[\]]/.test(host.replace(/^\*(?=\.|$)/, ""))) {
    throw new RuntimeError(`the domain "${host}" is a pattern of a shell: only "*.name" and "*" are available`)
  }
}

const METHODS = ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"]

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

const patternOf = (url: string): RegExp => {
  if (typeof url !== "string") throw new RuntimeError(`the url of a route is ${describe(url)}, expected a string`)
  try {
    return Pattern.compile(url)
  } catch (error) {
    throw error instanceof Pattern.PatternError
      ? new RuntimeError(`the route "${url}" cannot be used: ${error.message}`, { cause: error })
      : error
  }
}

const add = (
  declaration: Declaration,
  domain: Route["domain"],
  url: string,
  handler: Handler | string,
  options: RouteOptions
): void => {
  const pattern = patternOf(url)
  const methods = methodsOf(url, options.methods)
  if (typeof handler !== "function" && typeof handler !== "string") {
    throw new RuntimeError(`the route "${url}" has ${describe(handler)} as its handler, expected a function`)
  }
  const route: Route = { url, pattern, methods, handler, domain }
  checkTwice(declaration.routes, route)
  declaration.routes.push(route)
}

const checkTwice = (others: ReadonlyArray<Route>, { domain, methods, url }: Route): void => {
  for (const other of others) {
    const method = methods.find((method) => other.methods.includes(method))
    if (other.url !== url || other.domain !== domain || method === undefined) continue
    throw new RuntimeError(`the route "${url}" is declared twice for ${method}`)
  }
}

/**
 * The routes with their domains, once all are declared.
 *
 * @throws RuntimeError for a route whose domain is not there or not said, and for routes that are declared twice.
 */
export const resolve = ({ domains, routes }: Declaration): ReadonlyMap<Declared, ReadonlyArray<Route>> => {
  const resolved = new Map<Declared, Array<Route>>(domains.map((domain) => [domain, []]))
  for (const route of routes) {
    const domain = domainOf(domains, route)
    const found = { ...route, domain }
    const own = resolved.get(domain)!
    checkTwice(own, found)
    own.push(found)
  }
  return resolved
}

const domainOf = (domains: ReadonlyArray<Declared>, { domain, url }: Route): Declared => {
  if (typeof domain === "object") return domain
  const candidates = domain === undefined ? domains : domains.filter(({ host }) => isSame(host, domain))
  if (candidates.length === 1) return candidates[0]!
  const hosts = domains.map(({ host }) => `"${host}"`).join(", ")
  throw new RuntimeError(
    domains.length === 0
      ? `the route "${url}" has no domain: declare one with kore.domain`
      : `the route "${url}" needs the keyword domain, with one of ${hosts}`
  )
}
