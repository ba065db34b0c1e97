/**
 * Apps of Effect below a path of a domain: anything that is an Effect from request to response, `HttpRouter`,
 * `HttpApi`.
 *
 * When to reach for it: a program that exists already, or a library that brings routes along, such as an RPC server.
 * What it is not: the way to write routes here. `Route` knows Schemas of a path, limits of bodies and clients; what is
 * mounted has its own.
 *
 * A mounted app sees the path below its prefix. Its own are its 404s, its middleware, what it leaves to be done before
 * a response is sent, and all its methods; fibers, scope and body are those of any route.
 */
import * as Effect from "effect/Effect"
import type { FileSystem } from "effect/FileSystem"
import * as Layer from "effect/Layer"
import type * as PathService from "effect/Path"
import type * as Scope from "effect/Scope"
import * as Domain from "./Domain.ts"
import type { HttpError } from "./HttpError.ts"
import {
  type Etag,
  type HttpPlatform,
  HttpRouter,
  HttpServer,
  type HttpServerError,
  HttpServerRequest,
  type HttpServerResponse
} from "./internal/effectHttp.ts"
import * as Middleware from "./Middleware.ts"
import type { ServerRequest } from "./Request.ts"
import * as Route from "./Route.ts"

type Request = HttpServerRequest.HttpServerRequest
type Response = HttpServerResponse.HttpServerResponse

const METHODS: ReadonlyArray<Route.Method> = [
  "GET",
  "HEAD",
  "POST",
  "PUT",
  "PATCH",
  "DELETE",
  "OPTIONS",
  "TRACE",
  "QUERY"
]

/** The routes of a mounted app that may fail with `E` and needs the services `R` for each request. */
export type Routes<E, R> = ReadonlyArray<Route.Route<E | HttpServerError.HttpServerError, Exclude<R, Request>>>

/** What an `HttpRouter` app may fail with while it answers, from the type of its Layer. */
export type ErrorOf<R> = HttpRouter.Request.Only<"Error", R> | HttpRouter.Request.Only<"GlobalError", R>

/** What an `HttpRouter` app needs for each request, from the type of its Layer. */
export type ServicesOf<R> = HttpRouter.Request.Only<"Requires", R> | HttpRouter.Request.Only<"GlobalRequires", R>

/** What an `HttpRouter` app needs to be built, from the type of its Layer. */
export type Built<R> = Exclude<HttpRouter.Request.Without<R>, HttpRouter.HttpRouter>

const checkPrefix = (prefix: string): void => {
  if (prefix.startsWith("/") && !/\/[:*]|[?#]|\/\/|.\/$/.test(prefix)) return
  const expected = "expected a path without parameters and without a slash at its end, such as \"/api\""
  throw new TypeError(`Mount: the prefix is ${JSON.stringify(prefix)}, ${expected}`)
}

// Below the prefix everything is as sent. Slashes at the beginning are one: two would look like a host.
const below = (request: ServerRequest, { rest = "" }: Readonly<Record<string, string>>): ServerRequest => {
  const query = request.queryStart < 0 ? "" : request.url.slice(request.queryStart)
  return request.modify({ url: `/${rest.replace(/^\/+/, "")}${query}` })
}

/**
 * The routes of an app that is one Effect, below a prefix; `/` mounts it behind all other paths of the domain.
 *
 * It answers all methods that Effect knows, at the prefix itself and at everything below. Routes of the domain with a
 * longer path go first.
 *
 * @throws TypeError for a prefix with parameters, a query, or a slash at its end.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { Domain, Mount, Request, Response } from "@kore-fx/http"
 *
 * const echo = Effect.map(Request.Request, (request) => Response.text(`${request.method} ${request.url}`))
 *
 * export const site = Domain.layer("*", { attach: "main" }, [...Mount.httpApp("/echo", echo)])
 * ```
 */
export const httpApp = <E, R>(prefix: Route.Path, app: Effect.Effect<Response, E, R>): Routes<E, R> => {
  checkPrefix(prefix)
  // It is here that Effect's own middleware inside of the app leaves what is to be done with the response.
  const { wrap } = Middleware.fromHttpMiddleware((app) => app)
  const answer = wrap((request) =>
    Effect.provideService(app as Effect.Effect<Response, E>, HttpServerRequest.HttpServerRequest, request)
  )
  const handler: Route.Route<any, any>["handler"] = (request, found) =>
    answer(below(request, found as Readonly<Record<string, string>>), found)
  const at = (pattern: Route.Path) => Route.make<any, any>({ methods: METHODS, pattern, handler })
  return prefix === "/" ? [at("/*rest")] : [at(prefix), at(`${prefix}/*rest`)]
}

/**
 * Builds an `HttpRouter` app and gives its routes, for a domain that has others too; see `layer` for one that has not.
 *
 * The app's Layer lives as long as the scope. Services that the worker's Layer shares are built once.
 *
 * @throws TypeError as `httpApp` does.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as HttpRouter from "effect/http/HttpRouter"
 * import * as Layer from "effect/Layer"
 * import { Domain, Mount, Response, Route } from "@kore-fx/http"
 *
 * const api = HttpRouter.add("GET", "/users/:id", Effect.succeed(Response.text("a user")))
 *
 * export const site = Layer.unwrap(Effect.map(Mount.router("/api", api), (routes) =>
 *   Domain.layer("*", { attach: "main" }, [
 *     Route.get("/", () => Effect.succeed(Response.text("home"))),
 *     ...routes
 *   ])))
 * ```
 */
export const router = <A, E, R>(
  prefix: Route.Path,
  app: Layer.Layer<A, E, R>
): Effect.Effect<Routes<ErrorOf<R>, ServicesOf<R>>, HttpRouter.Request.Without<E>, Built<R> | Scope.Scope> => {
  checkPrefix(prefix)
  return Effect.map(
    HttpRouter.toHttpEffect(app),
    (effect) => httpApp(prefix, effect as Effect.Effect<Response, any, any>)
  ) as any
}

/** What `HttpApi` needs of a platform: to send files, and to keep those of multipart forms. */
export type Platform = Etag.Generator | FileSystem | HttpPlatform.HttpPlatform | PathService.Path

/**
 * What `router` and `layer` take, of an `HttpApi`: the Layer of `HttpApiBuilder` with a platform below it.
 *
 * The default is Effect's `HttpServer.layerServices`, which has no file system: an API that sends files, or takes forms
 * with files, needs that of `@effect/platform-node`. The paths of its OpenAPI document do not have the prefix.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as HttpApi from "effect/http-api/HttpApi"
 * import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
 * import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
 * import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
 * import * as Layer from "effect/Layer"
 * import * as Schema from "effect/Schema"
 * import { Mount } from "@kore-fx/http"
 *
 * const Time = HttpApi.make("time").add(
 *   HttpApiGroup.make("clock").add(HttpApiEndpoint.get("now", "/now", { success: Schema.String }))
 * )
 * const clock = HttpApiBuilder.group(Time, "clock", (handlers) => handlers.handle("now", () => Effect.succeed("noon")))
 * const app = Mount.api(HttpApiBuilder.layer(Time).pipe(Layer.provide(clock)))
 *
 * export const site = Mount.layer("*", { attach: "main" }, "/api", app)
 * ```
 */
export const api = <A, E, R>(
  app: Layer.Layer<A, E, R>,
  platform: Layer.Layer<Platform> = HttpServer.layerServices
): Layer.Layer<A, E, Exclude<R, Platform>> => Layer.provide(app, platform)

// A readable complaint, as that of `Domain.layer`.
type Answered<R> = [Exclude<ErrorOf<R>, HttpError>] extends [never] ? unknown
  : { readonly "the app fails with an error that has no HTTP answer": Exclude<ErrorOf<R>, HttpError> }

/**
 * A domain of an `HttpRouter` app below a prefix, as a Layer: `router` and `Domain.layer` in one.
 *
 * Several Layers for the same host add up, so that other routes may stand beside it.
 *
 * @throws TypeError as `httpApp` does.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as HttpRouter from "effect/http/HttpRouter"
 * import { Mount, Response } from "@kore-fx/http"
 *
 * const app = HttpRouter.add("GET", "/hello", Effect.succeed(Response.text("hello")))
 *
 * export const site = Mount.layer("*", { attach: "main" }, "/effect", app)
 * ```
 */
export const layer = <const O extends Domain.Options, A, E, R>(
  host: string,
  options: O,
  prefix: Route.Path,
  app: Layer.Layer<A, E, R> & Answered<R>
): Layer.Layer<
  never,
  HttpRouter.Request.Without<E> | Domain.ErrorOf<O>,
  | Domain.Registry
  | Domain.Attached<O["attach"]>
  | Domain.Services<Route.Used<Domain.MiddlewareOf<O>, Routes<ErrorOf<R>, ServicesOf<R>>>>
  | Built<R>
> => Layer.unwrap(Effect.map(router(prefix, app), (routes) => Domain.layer(host, options, routes as any))) as any
