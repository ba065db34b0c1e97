/**
 * Routes attached to a server for a host, as a Layer.
 *
 * When to reach for it: `Domain.layer("*", { attach: "main" }, [index, getUser])` is what most workers run.
 * What it is not: a listener. The servers of an app open when its whole Layer is built.
 *
 * Which domain answers a host: the one of exactly that name, else the longest wildcard (`*.example.com` before
 * `*.com`), else `*`. Hosts are compared without port, without a final dot and without case. Several Layers for the
 * same host add up, so that parts of an app can bring their own routes.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { HttpServerRequest } from "./internal/effectHttp.ts"
import type * as Middleware from "./Middleware.ts"
import * as Route from "./Route.ts"

/** A claim in the type of a Layer: the app must declare a server called `Name`. */
export interface Attached<out Name extends string> {
  readonly _tag: "@kore-fx/http/Attached"
  readonly name: Name
}

/** How a domain is served. */
export interface Options<Name extends string, M extends Middleware.List = Middleware.List> {
  /** The name of the server, as in the app's `servers`. */
  readonly attach: Name
  /**
   * What stands around the routes here, the outermost first, and around the answers to requests that no route of this
   * host answers (404, 405, `OPTIONS`). Where several Layers serve one host, the latter take that of the first with any.
   * An answer that is made of a failure is made outside of it.
   */
  readonly middleware?: M
}

/** What a domain asks the server to serve. */
export interface Registration {
  readonly host: string
  readonly attach: string
  readonly routes: ReadonlyArray<Route.Route<any, any>>
  /** What stands around the routes already, and around what no route answers. */
  readonly middleware: Middleware.List
  /** The services of the domain's Layer: what its handlers may use. */
  readonly context: Context.Context<never>
}

/** Collects the domains while the Layer of an app is built; `Server` provides it and opens the servers afterwards. */
export class Registry extends Context.Service<Registry, {
  readonly registrations: ReadonlyArray<Registration>
  readonly add: (registration: Registration) => void
}>()("@kore-fx/http/Domain/Registry") {
  /** An empty registry. */
  static readonly make = (): Registry["Service"] => {
    const registrations: Array<Registration> = []
    return { registrations, add: (registration) => void registrations.push(registration) }
  }
}

// A readable complaint about errors that no client could be told.
type Answered<Routes extends ReadonlyArray<Route.Route<any, any>>> = [Route.Unanswered<Routes>] extends [never] ?
  unknown
  : { readonly "a route fails with an error that has no HTTP answer": Route.Unanswered<Routes> }

/** What the handlers of routes need from outside: everything but the request and its scope. */
export type Services<Routes extends ReadonlyArray<Route.Route<any, any>>> = Exclude<
  Route.ServicesOf<Routes[number]>,
  Scope.Scope | HttpServerRequest.HttpServerRequest
>

/**
 * A Layer that answers requests for `host` on a server with `routes`.
 *
 * `host` is a name (`example.com`), a wildcard (`*.example.com`, which spans any number of labels) or `*`.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { Domain, Response, Route } from "@kore-fx/http"
 *
 * export const site = Domain.layer("*", { attach: "main" }, [
 *   Route.get("/", () => Effect.succeed(Response.text("hello")))
 * ])
 * ```
 */
export const layer = <
  const Name extends string,
  const Routes extends ReadonlyArray<Route.Route<any, any>>,
  const M extends Middleware.List = readonly []
>(
  host: string,
  options: Options<Name, M>,
  routes: Routes & Answered<Route.Used<M, Routes>>
): Layer.Layer<never, never, Registry | Attached<Name> | Services<Route.Used<M, Routes>>> => {
  const { attach, middleware = [] } = options
  const used = middleware.length === 0 ? routes : Route.use(middleware, routes)
  return Layer.effectDiscard(
    Effect.contextWith((context: Context.Context<Registry>) =>
      Effect.sync(() => Context.get(context, Registry).add({ host, attach, routes: used, middleware, context }))
    )
  )
}

/** A host as it is compared: lower case, without port and final dot. */
export const normalize = (host: string): string => {
  let end = host.length
  if (host.charCodeAt(0) === 91) end = host.indexOf("]") + 1 // [::1]:80
  else {
    const colon = host.indexOf(":")
    if (colon >= 0) end = colon
  }
  if (host.charCodeAt(end - 1) === 46) end--
  return host.slice(0, end).toLowerCase()
}

/** Tells whether a domain can be declared for this host: a name, `*.name`, an address or `*`. */
export const isHost = (host: string): boolean =>
  host === "*" || /^(?:\*\.)?[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.?$/.test(host) || /^\[[0-9A-Fa-f:.]+\]$/.test(host)

const CACHE_MAX = 1024

/** Finds the value of a host: exact name, then longest wildcard, then `*`. */
export class Hosts<A> {
  private readonly exact = new Map<string, A>()
  private readonly wildcards: Array<readonly [suffix: string, value: A]> = []
  private readonly fallback: A | undefined
  // Hosts repeat; a client can send new ones without end, so the memory of them is bounded.
  private readonly cache = new Map<string, A | undefined>()
  /** Set when every host has the same answer, so that the host of a request need not be read. */
  readonly only: A | undefined

  constructor(entries: Iterable<readonly [host: string, value: A]>) {
    let fallback: A | undefined
    for (const [host, value] of entries) {
      if (host === "*") fallback = value
      else if (host.startsWith("*.")) this.wildcards.push([normalize(host.slice(1)), value])
      else this.exact.set(normalize(host), value)
    }
    this.wildcards.sort(([a], [b]) => b.length - a.length)
    this.fallback = fallback
    this.only = this.exact.size === 0 && this.wildcards.length === 0 ? fallback : undefined
  }

  /** The value for a `Host` as sent. */
  find(host: string): A | undefined {
    if (this.cache.has(host)) return this.cache.get(host)
    const name = normalize(host)
    const value = this.exact.get(name) ??
      this.wildcards.find(([suffix]) => name.length > suffix.length && name.endsWith(suffix))?.[1] ??
      this.fallback
    if (this.cache.size >= CACHE_MAX) this.cache.clear()
    this.cache.set(host, value)
    return value
  }
}
