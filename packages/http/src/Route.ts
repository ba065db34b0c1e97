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
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import type { Simplify } from "effect/Types"
import type { HttpError } from "./HttpError.ts"
import { type HttpServerError, type HttpServerRequest, HttpServerResponse } from "./internal/effectHttp.ts"
import { compileEncoder } from "./internal/schemaCompiler.ts"
import * as Middleware from "./Middleware.ts"
import * as Params from "./Params.ts"
import type { ServerRequest } from "./Request.ts"

/** What marks a value as a route. */
export const TypeId = "~@kore-fx/http/Route"

/** A request method (RFC 9110 §9.3, RFC 5789), or an extension method in upper case. */
export type Method = "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS" | (string & {})

/** What the router found in the path: parameters by name, or captures in order. */
export type Found = Readonly<Record<string, string>> | ReadonlyArray<string | undefined>

/** A route whose handler may fail with `E` and needs the services `R`. */
export interface Route<out E = never, out R = never> {
  readonly [TypeId]: typeof TypeId
  readonly methods: ReadonlyArray<Method>
  readonly pattern: Path | RegExp
  readonly spec: Spec<any>
  /** Answers a request; compiled from the Schemas and the handler. */
  readonly handler: (request: ServerRequest, found: Found) => Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>
}

/** A path pattern. */
export type Path = `/${string}`

/** Names of the parameters of a path literal: `"/a/:id/*rest"` gives `"id" | "rest"`. */
export type Names<P extends string> = P extends `${infer Segment}/${infer Rest}` ? NameOf<Segment> | Names<Rest>
  : NameOf<P>
type NameOf<Segment extends string> = Segment extends `:${infer Name}` ? Name
  : Segment extends `*${infer Name}` ? Name
  : never

/** What a route declares about its request and its response. */
export interface Spec<P extends string> {
  /** Schemas of path parameters; those without one are text. */
  readonly path?: { readonly [_ in Names<P>]?: Params.Field }
  /** Schemas of query parameters; others are ignored. */
  readonly query?: Params.Fields
  /** Schemas of header fields, by lower-case name. */
  readonly headers?: Params.Fields
  /** Schema of the JSON body. */
  readonly body?: Schema.ConstraintDecoder<unknown>
  /** Schema of the value that the handler returns; it is sent as JSON. */
  readonly success?: Schema.ConstraintCodec<unknown, unknown, unknown, never>
  /** Status of a returned value; without `success` it has no meaning and is refused. Default 200. */
  readonly status?: number
}

type PathInput<P extends string, F> = {
  readonly [K in Names<P>]: F extends { readonly [_ in K]: infer C extends Schema.Constraint } ? C["Type"] : string
}

/** The argument of a handler, inferred from the path literal and the Schemas. */
export type Input<P extends string, S> = Simplify<
  & {
    readonly request: HttpServerRequest.HttpServerRequest
    readonly path: PathInput<P, S extends { readonly path: infer F } ? F : {}>
  }
  & (S extends { readonly query: infer Q extends Schema.Struct.Fields } ? { readonly query: Schema.Struct.Type<Q> }
    : {})
  & (S extends { readonly headers: infer H extends Schema.Struct.Fields } ? { readonly headers: Schema.Struct.Type<H> }
    : {})
  & (S extends { readonly body: infer B extends Schema.Constraint } ? { readonly body: B["Type"] } : {})
>

/** What a handler returns: a response, or with a `success` Schema also a value of it. */
export type Output<S> = S extends { readonly success: infer A extends Schema.Constraint }
  ? A["Type"] | HttpServerResponse.HttpServerResponse
  : HttpServerResponse.HttpServerResponse

// A readable complaint about a Schema whose name is not in the path.
type OnlyNames<P extends string, S> = S extends { readonly path: infer F }
  ? [Exclude<keyof F, Names<P>>] extends [never] ? unknown
  : { readonly path: { readonly [K in Exclude<keyof F, Names<P>>]: `"${K & string}" is not a parameter of "${P}"` } }
  : unknown

/** Makes routes of certain methods. */
export interface Make {
  /** A route with Schemas and a generator as handler. */
  <const P extends Path, const S extends Spec<P>, Eff extends Effect.Effect<any, any, any>>(
    path: P,
    spec: S & OnlyNames<P, S>,
    handler: (input: Input<P, S>) => Generator<Eff, Output<S>, never>
  ): Route<Effect.Error<Eff>, Effect.Services<Eff>>
  /** A route with Schemas and an Effect as handler. */
  <const P extends Path, const S extends Spec<P>, E = never, R = never>(
    path: P,
    spec: S & OnlyNames<P, S>,
    handler: (input: Input<P, S>) => Effect.Effect<Output<S>, E, R>
  ): Route<E, R>
  /** A route without Schemas and a generator as handler. */
  <const P extends Path, Eff extends Effect.Effect<any, any, any>>(
    path: P,
    handler: (input: Input<P, {}>) => Generator<Eff, HttpServerResponse.HttpServerResponse, never>
  ): Route<Effect.Error<Eff>, Effect.Services<Eff>>
  /** A route without Schemas and an Effect as handler. */
  <const P extends Path, E = never, R = never>(
    path: P,
    handler: (input: Input<P, {}>) => Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>
  ): Route<E, R>
}

type AnyHandler = (input: any) => Effect.Effect<any, any, any>
type Answer = Effect.Effect<HttpServerResponse.HttpServerResponse, any, any>

const isGeneratorFunction = (handler: Function): boolean => handler.constructor.name === "GeneratorFunction"

// The handler's result as a response. Values of `success` are encoded; what does not fit is a defect of the program.
const responder = (spec: Spec<any>): ((result: unknown) => Answer) | undefined => {
  if (spec.success === undefined) {
    if (spec.status === undefined) return undefined
    throw new TypeError(`a route declares status ${spec.status} without success: give the Response that status instead`)
  }
  const encode = Schema.encodeUnknownEffect(compileEncoder(Schema.toCodecJson(spec.success as any) as any))
  const options = { status: spec.status ?? 200 }
  const answer = (json: unknown) => HttpServerResponse.jsonUnsafe(json, options)
  return (result) => {
    if (HttpServerResponse.isHttpServerResponse(result)) return Effect.succeed(result)
    const encoded = encode(result) as Effect.Effect<unknown, Schema.SchemaError>
    // A Schema that needs no service has encoded already; `orDie` would make an Effect of it again.
    return Exit.isExit(encoded) && encoded._tag === "Success"
      ? Effect.succeed(answer(encoded.value))
      : Effect.map(Effect.orDie(encoded), answer)
  }
}

interface MutableInput {
  readonly request: ServerRequest
  path: unknown
  query?: unknown
  headers?: unknown
  body?: unknown
}

/*
 * HOT PATH: one closure for every route. All that can be synchronous is, so that a handler that does not wait is
 * answered within the turn in which its request was read.
 */
const compile = (spec: Spec<any>, handler: AnyHandler): Route<any, any>["handler"] => {
  const run: AnyHandler = isGeneratorFunction(handler) ? Effect.fnUntraced(handler as any) as AnyHandler : handler
  const respond = responder(spec)
  const answer: (input: MutableInput) => Answer = respond === undefined
    ? run
    : (input) => Effect.flatMapEager(run(input), respond)
  const path = spec.path === undefined ? undefined : Params.path(spec.path as Params.Fields)
  // Parameters without a Schema stay text beside the decoded ones.
  const pathFields = Object.keys(spec.path ?? {}).length
  const query = spec.query === undefined ? undefined : Params.query(spec.query)
  const headers = spec.headers === undefined ? undefined : Params.headers(spec.headers)
  const body = spec.body === undefined ? undefined : Params.body(spec.body)
  if (path === undefined && query === undefined && headers === undefined && body === undefined) {
    return (request, found) => answer({ request, path: found })
  }
  return (request, found) => {
    const input: MutableInput = { request, path: found }
    if (path !== undefined) {
      const exit = path(found as Readonly<Record<string, string>>)
      if (exit._tag === "Failure") return refused(exit)
      input.path = pathFields === Object.keys(found).length ? exit.value : { ...found, ...exit.value as object }
    }
    if (query !== undefined) {
      const exit = query(request)
      if (exit._tag === "Failure") return refused(exit)
      input.query = exit.value
    }
    if (headers !== undefined) {
      const exit = headers(request)
      if (exit._tag === "Failure") return refused(exit)
      input.headers = exit.value
    }
    if (body === undefined) return answer(input)
    return Effect.matchCauseEffectEager(body(request), {
      onSuccess: (value) => {
        input.body = value
        return answer(input)
      },
      onFailure: refusedCause
    })
  }
}

// An input that is refused carries its answer as the failure; everything else stays a failure.
const refusedCause = (
  cause: Exit.Failure<unknown, HttpServerResponse.HttpServerResponse | HttpServerError.HttpServerError>["cause"]
): Answer => {
  const reason = cause.reasons[0]
  return reason?._tag === "Fail" && HttpServerResponse.isHttpServerResponse(reason.error)
    ? Effect.succeed(reason.error)
    : Effect.failCause(cause)
}

const refused = (exit: Exit.Failure<unknown, HttpServerResponse.HttpServerResponse>): Answer => refusedCause(exit.cause)

/** Makes routes for the given methods. */
export const on = (...methods: ReadonlyArray<Method>): Make =>
  ((pattern: Path, second: AnyHandler | Spec<any>, third?: AnyHandler): Route<any, any> => {
    const spec = third === undefined ? {} : second as Spec<any>
    const handler = third ?? second as AnyHandler
    return { [TypeId]: TypeId, methods, pattern, spec, handler: compile(spec, handler) }
  }) as Make

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
export const get: Make = on("GET")

/** A HEAD route, for paths whose HEAD is not what GET would answer. */
export const head: Make = on("HEAD")

/** A POST route. */
export const post: Make = on("POST")

/** A PUT route. */
export const put: Make = on("PUT")

/** A PATCH route. */
export const patch: Make = on("PATCH")

/** A DELETE route. `delete` is a word of the language. */
export const del: Make = on("DELETE")

/** An OPTIONS route, for paths that should not get the automatic answer with `allow`. */
export const options: Make = on("OPTIONS")

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

/**
 * Puts routes below a prefix without parameters: `Route.prefix("/api", routes)`.
 *
 * @throws TypeError when the prefix has parameters, which the handlers' types could not know, or when a route is a
 * regular expression, which says its whole path itself.
 */
export const prefix = <const Routes extends ReadonlyArray<Route<any, any>>>(path: Path, routes: Routes): Routes =>
  routes.map((route) => {
    if (/\/[:*]/.test(path)) throw new TypeError(`Route.prefix("${path}", …): a prefix has no parameters`)
    if (typeof route.pattern !== "string") {
      throw new TypeError(`Route.prefix("${path}", …): ${route.pattern} is a regular expression and has no prefix`)
    }
    return { ...route, pattern: path === "/" ? route.pattern : `${path}${route.pattern === "/" ? "" : route.pattern}` }
  }) as unknown as Routes

/** Routes below middleware: what these may fail with and need is added, what they give is taken away. */
export type Used<M extends Middleware.List, Routes extends ReadonlyArray<Route<any, any>>> = {
  readonly [K in keyof Routes]: Route<
    ErrorOf<Routes[K]> | Middleware.ErrorOf<M>,
    Middleware.Needs<M, ServicesOf<Routes[K]>>
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
export type ErrorOf<T> = T extends Route<infer E, any> ? E : never

/** Services that a route needs. */
export type ServicesOf<T> = T extends Route<any, infer R> ? R : never

/** Failures of routes that have no HTTP answer. */
export type Unanswered<Routes extends ReadonlyArray<Route<any, any>>> = Exclude<ErrorOf<Routes[number]>, HttpError>
