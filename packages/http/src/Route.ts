/**
 * A route as data: methods, a pattern, Schemas and a handler, typed from the path literal.
 *
 * When to reach for it: `Route.get("/users/:id", { path: { id: Schema.Int } }, ({ path }) => …)`, then an array of
 * routes in `Domain.layer`.
 * What it is not: registered anywhere. The same route can stand in several domains, in tests and in documentation.
 *
 * A pattern is a path of segments: text, `:name` for exactly one segment that is not empty, decoded, and at the end
 * `*name` for everything that is left, as sent. Which of several matching routes answers is said in `Router`.
 */
import type * as Effect from "effect/Effect"
import type { HttpError } from "./HttpError.ts"
import type { HttpServerRequest, HttpServerResponse } from "./internal/effectHttp.ts"
import { compile, refused } from "./internal/routeHandler.ts"
import * as Middleware from "./Middleware.ts"
import * as Params from "./Params.ts"
import type { ServerRequest } from "./Request.ts"
import type {
  Declaration,
  Declared,
  Input,
  Method,
  Needs,
  OnlyNames,
  Output,
  Path,
  Prefixed,
  Spec
} from "./RouteSpec.ts"

export type { Input, Method, Names, Output, Path, Spec } from "./RouteSpec.ts"

/** What marks a value as a route. */
export const TypeId = "~@kore-fx/http/Route"

/** What the router found in the path: parameters by name, or captures in order. */
export type Found = Readonly<Record<string, string>> | ReadonlyArray<string | undefined>

/** A route whose handler may fail with `E` and needs the services `R`; `D` is what it declares, as a type. */
export interface Route<out E = never, out R = never, out D extends Declaration = Declaration> {
  readonly [TypeId]: typeof TypeId
  readonly methods: D["methods"]
  readonly pattern: D["pattern"]
  readonly spec: D["spec"]
  /** Answers a request; compiled from the Schemas and the handler. */
  readonly handler: (request: ServerRequest, found: Found) => Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>
}

/** Makes routes of certain methods. */
export interface Make<M extends ReadonlyArray<Method> = ReadonlyArray<Method>> {
  /** A route with Schemas and a generator as handler. */
  <const P extends Path, const S extends Spec<P>, Eff extends Effect.Effect<any, any, any>>(
    path: P,
    spec: S & OnlyNames<P, S>,
    handler: (input: Input<P, S>) => Generator<Eff, Output<S>, never>
  ): Route<Effect.Error<Eff>, Effect.Services<Eff> | Needs<S>, Declared<M, P, S>>
  /** A route with Schemas and an Effect as handler. */
  <const P extends Path, const S extends Spec<P>, E = never, R = never>(
    path: P,
    spec: S & OnlyNames<P, S>,
    handler: (input: Input<P, S>) => Effect.Effect<Output<S>, E, R>
  ): Route<E, R | Needs<S>, Declared<M, P, S>>
  /** A route without Schemas and a generator as handler. */
  <const P extends Path, Eff extends Effect.Effect<any, any, any>>(
    path: P,
    handler: (input: Input<P, {}>) => Generator<Eff, HttpServerResponse.HttpServerResponse, never>
  ): Route<Effect.Error<Eff>, Effect.Services<Eff>, Declared<M, P, {}>>
  /** A route without Schemas and an Effect as handler. */
  <const P extends Path, E = never, R = never>(
    path: P,
    handler: (input: Input<P, {}>) => Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>
  ): Route<E, R, Declared<M, P, {}>>
}

type AnyHandler = Parameters<typeof compile>[1]

/** Makes routes for the given methods. */
export const on = <const M extends ReadonlyArray<Method>>(...methods: M): Make<M> =>
  ((pattern: Path, second: AnyHandler | Spec<any>, third?: AnyHandler): Route<any, any> => {
    const spec = third === undefined ? {} : second as Spec<any>
    const handler = third ?? second as AnyHandler
    return { [TypeId]: TypeId, methods, pattern, spec, handler: compile(spec, handler) }
  }) as Make<M>

/**
 * A GET route. It answers HEAD too, unless the path has a HEAD route of its own.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Schema from "effect/Schema"
 * import { Response, Route } from "@kore-fx/http"
 *
 * export const square = Route.get("/square/:n", { path: { n: Schema.Int } }, ({ path }) =>
 *   Effect.succeed(Response.text(String(path.n * path.n))))
 * ```
 */
export const get: Make<readonly ["GET"]> = on("GET")

/** A HEAD route, for paths whose HEAD is not what GET would answer. */
export const head: Make<readonly ["HEAD"]> = on("HEAD")

/** A POST route. */
export const post: Make<readonly ["POST"]> = on("POST")

/** A PUT route. */
export const put: Make<readonly ["PUT"]> = on("PUT")

/** A PATCH route. */
export const patch: Make<readonly ["PATCH"]> = on("PATCH")

/** A DELETE route. `delete` is a word of the language. */
export const del: Make<readonly ["DELETE"]> = on("DELETE")

/** An OPTIONS route, for paths that should not get the automatic answer with `allow`. */
export const options: Make<readonly ["OPTIONS"]> = on("OPTIONS")

type Captured<C extends ReadonlyArray<Params.Field>> = { readonly [I in keyof C]: C[I]["Type"] }

/**
 * A route whose path is matched by a regular expression; the capture groups, decoded by Schemas, become arguments.
 *
 * The expression is searched in the path as sent, not anchored and not percent-decoded (Kore: http §5.2). A group that
 * took no part is `undefined`: give it a Schema that accepts that. Default method: GET.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Schema from "effect/Schema"
 * import { Response, Route } from "@kore-fx/http"
 *
 * export const digest = Route.match(/^\/([a-f0-9]{32})$/, [Schema.String], (_request, hash) =>
 *   Effect.succeed(Response.text(hash)))
 * ```
 */
export const match = <const C extends ReadonlyArray<Params.Field>, E = never, R = never>(
  pattern: RegExp,
  captures: C,
  handler: (
    request: HttpServerRequest.HttpServerRequest,
    ...captures: Captured<C>
  ) => Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>,
  methods: ReadonlyArray<Method> = ["GET"]
): Route<E, R> => {
  const decode = Params.captures(captures)
  return {
    [TypeId]: TypeId,
    methods,
    pattern,
    spec: {},
    handler: (request, found) => {
      const exit = decode(found as ReadonlyArray<string | undefined>)
      return exit._tag === "Failure"
        ? refused(exit)
        : handler(request, ...exit.value as Captured<C>)
    }
  }
}

/** A route made of parts that were decoded elsewhere: for adapters and generated routes. */
export const make = <E = never, R = never>(parts: Omit<Route<E, R>, typeof TypeId | "spec">): Route<E, R> => ({
  [TypeId]: TypeId,
  spec: {},
  ...parts
})

/** Routes below a prefix. */
export type Below<Prefix extends Path, Routes extends ReadonlyArray<Route<any, any>>> = {
  readonly [K in keyof Routes]: Routes[K] extends Route<infer E, infer R, infer D>
    ? Route<E, R, Declared<D["methods"], Prefixed<Prefix, D["pattern"]>, D["spec"]>>
    : never
}

/**
 * Puts routes below a prefix without parameters: `Route.prefix("/api", routes)`.
 *
 * @throws TypeError when the prefix has parameters, which the handlers' types could not know, or when a route is a
 * regular expression, which says its whole path itself.
 */
export const prefix = <const Prefix extends Path, const Routes extends ReadonlyArray<Route<any, any>>>(
  path: Prefix,
  routes: Routes
): Below<Prefix, Routes> => {
  const base: Path = path
  return routes.map((route) => {
    if (/\/[:*]/.test(base)) throw new TypeError(`Route.prefix("${path}", …): a prefix has no parameters`)
    if (typeof route.pattern !== "string") {
      throw new TypeError(`Route.prefix("${path}", …): ${route.pattern} is a regular expression and has no prefix`)
    }
    return { ...route, pattern: base === "/" ? route.pattern : `${base}${route.pattern === "/" ? "" : route.pattern}` }
  }) as unknown as Below<Prefix, Routes>
}

/** Routes below middleware: what these may fail with and need is added, what they give is taken away. */
export type Used<M extends Middleware.List, Routes extends ReadonlyArray<Route<any, any>>> = {
  readonly [K in keyof Routes]: Route<
    ErrorOf<Routes[K]> | Middleware.ErrorOf<M>,
    Middleware.Needs<M, ServicesOf<Routes[K]>>,
    Routes[K] extends Route<any, any, infer D> ? D : never
  >
}

/**
 * Puts middleware around routes, the first outermost: `Route.use([log, authenticate], routes)`.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { Middleware, Response, Route } from "@kore-fx/http"
 *
 * const noStore = Middleware.mapResponse((response) => Response.setHeader(response, "cache-control", "no-store"))
 *
 * export const routes = Route.use([noStore], [
 *   Route.get("/time", () => Effect.sync(() => Response.text(new Date().toISOString())))
 * ])
 * ```
 */
export const use = <const M extends Middleware.List, const Routes extends ReadonlyArray<Route<any, any>>>(
  middleware: M,
  routes: Routes
): Used<M, Routes> =>
  routes.map((route) => ({ ...route, handler: Middleware.wrapAll(middleware, route.handler) })) as unknown as Used<
    M,
    Routes
  >

/** Failures of a route. */
export type ErrorOf<T> = T extends Route<infer E, any, any> ? E : never

/** Services that a route needs. */
export type ServicesOf<T> = T extends Route<any, infer R, any> ? R : never

/** Failures of routes that have no HTTP answer. */
export type Unanswered<Routes extends ReadonlyArray<Route<any, any>>> = Exclude<ErrorOf<Routes[number]>, HttpError>
