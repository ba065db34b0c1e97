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
import * as AccessLog from "./AccessLog.ts"
import type { HttpServerRequest } from "./internal/effectHttp.ts"
import type * as Middleware from "./Middleware.ts"
import * as Route from "./Route.ts"

export { Hosts, isHost, normalize } from "./Hosts.ts"

/** A claim in the type of a Layer: the app must declare a server called `Name`. */
export interface Attached<out Name extends string> {
  readonly _tag: "@kore-fx/http/Attached"
  readonly name: Name
}

/** How a domain is served. */
export interface Options {
  /** The name of the server, as in the app's `servers`. */
  readonly attach: string
  /**
   * What stands around the routes here, the outermost first, and around the answers to requests that no route of this
   * host answers (404, 405, `OPTIONS`). Where several Layers serve one host, the latter take that of the first with any.
   * An answer that is made of a failure is made outside of it.
   */
  readonly middleware?: Middleware.List
  /**
   * Where a line is written for every request of this host, those that are refused included. Where several Layers serve
   * one host, the first with any counts. What is for no host at all goes to the log of `*`.
   */
  readonly accessLog?: AccessLog.Options
}

/** What a domain asks the server to serve. */
export interface Registration {
  readonly host: string
  readonly attach: string
  readonly routes: ReadonlyArray<Route.Route<any, any>>
  /** What stands around the routes already, and around what no route answers. */
  readonly middleware: Middleware.List
  readonly accessLog?: AccessLog.AccessLog | undefined
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

/** What a domain with these options fails with when it is built. */
export type ErrorOf<O extends Options> = O extends { readonly accessLog: AccessLog.Options } ? AccessLog.AccessLogError
  : never

/** The middleware of a domain with these options. */
export type MiddlewareOf<O extends Options> = O extends { readonly middleware: infer M extends Middleware.List } ? M
  : readonly []

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
 * A Layer that answers requests for `host` on a server with `routes`. Fails with `AccessLogError` where it has an access
 * log that cannot be opened.
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
  const O extends Options,
  const Routes extends ReadonlyArray<Route.Route<any, any>>
>(
  host: string,
  options: O,
  routes: Routes & Answered<Route.Used<MiddlewareOf<O>, Routes>>
): Layer.Layer<
  never,
  ErrorOf<O>,
  Registry | Attached<O["attach"]> | Services<Route.Used<MiddlewareOf<O>, Routes>>
> => {
  const { accessLog, attach, middleware = [] }: Options = options
  const used = middleware.length === 0 ? routes : Route.use(middleware, routes)
  return Layer.effectDiscard(Effect.gen(function*() {
    const log = accessLog === undefined ? undefined : yield* AccessLog.open(accessLog)
    const context = yield* Effect.context<Registry>()
    Context.get(context, Registry).add({ host, attach, routes: used, middleware, accessLog: log, context })
  })) as Layer.Layer<never, any, any>
}
