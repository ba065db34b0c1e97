/**
 * What stands around handlers: it may answer in their place, give them services, and change what they answer.
 *
 * When to reach for it: several routes need the same before or after their handlers: authentication, headers, limits.
 * `Route.use` puts it around routes, and `Domain.layer` around everything that a domain answers.
 * What it is not: a place for what one handler does, which is an Effect and composes by itself.
 *
 * Middleware is applied when routes are made, not when a request comes: a route without any pays nothing. It runs before
 * the body is read, because that is part of the handler. The first of a list is the outermost.
 */
import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import type * as Types from "effect/Types"
import {
  CurrentRequestState,
  HttpServerError,
  type HttpServerRequest,
  type HttpServerResponse,
  type RequestState
} from "./internal/effectHttp.ts"
import type { Route } from "./Route.ts"

/** What marks a value as middleware. */
export const TypeId = "~@kore-fx/http/Middleware"

type Request = HttpServerRequest.HttpServerRequest
type Response = HttpServerResponse.HttpServerResponse
type Handler = Route<any, any>["handler"]

/**
 * Middleware that gives handlers the services `P`, may fail with `E` and needs the services `R`.
 *
 * Made by `make` and its kin.
 */
export interface Middleware<out P = never, out E = never, out R = never> {
  readonly [TypeId]: {
    readonly _P: Types.Covariant<P>
    readonly _E: Types.Covariant<E>
    readonly _R: Types.Covariant<R>
  }
  /** Puts it around a handler. */
  readonly wrap: (handler: Handler) => Handler
}

/** Middlewares, the outermost first. */
export type List = ReadonlyArray<Middleware<any, any, any>>

type ProvidedBy<M> = M extends Middleware<infer P, any, any> ? P : never
type ErrorIn<M> = M extends Middleware<any, infer E, any> ? E : never
type ServicesOf<M> = M extends Middleware<any, any, infer R> ? R : never

/** What any of a list may fail with. */
export type ErrorOf<M extends List> = ErrorIn<M[number]>

/** What is needed from outside by handlers that need `R` below a list: an inner one may use what an outer one gives. */
export type Needs<M extends List, R> = M extends readonly [infer Outer, ...infer Inner extends List]
  ? ServicesOf<Outer> | Exclude<Needs<Inner, R>, ProvidedBy<Outer>>
  : M extends readonly [] ? R
  : R | ServicesOf<M[number]>

const variance = { _P: identity, _E: identity, _R: identity }

const fromWrap = <P, E, R>(wrap: (handler: Handler) => Handler): Middleware<P, E, R> => ({ [TypeId]: variance, wrap })

/**
 * Middleware from a function of the handler's answer and the request; whatever it does not run, does not happen.
 *
 * `next` fails with what the handler fails with, which its type does not say: what is caught of it stays in the type of
 * the route.
 *
 * @example
 * ```ts
 * import * as Clock from "effect/Clock"
 * import * as Effect from "effect/Effect"
 * import { Middleware, Response } from "@kore-fx/http"
 *
 * export const timing = Middleware.make(Effect.fnUntraced(function*(next) {
 *   const start = yield* Clock.currentTimeMillis
 *   const response = yield* next
 *   return Response.setHeader(response, "server-timing", `app;dur=${(yield* Clock.currentTimeMillis) - start}`)
 * }))
 * ```
 */
export const make = <E = never, R = never>(
  around: (next: Effect.Effect<Response>, request: Request) => Effect.Effect<Response, E, R>
): Middleware<never, E, R> =>
  fromWrap((handler) => (request, found) => around(Effect.suspend(() => handler(request, found)) as any, request))

/**
 * Middleware that looks at a request first, and may answer it: with nothing returned, the handler does.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { Middleware, Problem } from "@kore-fx/http"
 *
 * export const noRobots = Middleware.guard((request) =>
 *   Effect.succeed(
 *     request.headers["user-agent"]?.includes("bot") === true
 *       ? Problem.response({ status: 403, detail: "no robots here" })
 *       : undefined
 *   ))
 * ```
 */
export const guard = <E = never, R = never>(
  look: (request: Request) => Effect.Effect<Response | undefined | void, E, R>
): Middleware<never, E, R> =>
  fromWrap((handler) => (request, found) =>
    Effect.flatMapEager(look(request), (answer) =>
      answer === undefined ? handler(request, found) : Effect.succeed(answer))
  )

/**
 * Middleware that makes a service of a request and gives it to the handlers below.
 *
 * @example
 * ```ts
 * import * as Context from "effect/Context"
 * import * as Effect from "effect/Effect"
 * import { Middleware } from "@kore-fx/http"
 *
 * class Language extends Context.Service<Language, string>()("example/Language") {}
 *
 * export const language = Middleware.provide(Language, (request) =>
 *   Effect.succeed(request.headers["accept-language"]?.slice(0, 2) ?? "en"))
 * ```
 */
export const provide = <I, S, E = never, R = never>(
  service: Context.Key<I, S>,
  from: (request: Request) => Effect.Effect<S, E, R>
): Middleware<I, E, R> =>
  fromWrap((handler) => (request, found) =>
    Effect.flatMapEager(
      from(request),
      (value) => Effect.provideService(Effect.suspend(() => handler(request, found)), service, value)
    )
  )

/**
 * Middleware that changes the answer, without waiting. Failures are not seen: they become answers outside of it.
 *
 * @example
 * ```ts
 * import { Middleware, Response } from "@kore-fx/http"
 *
 * export const noStore = Middleware.mapResponse((response) => Response.setHeader(response, "cache-control", "no-store"))
 * ```
 */
export const mapResponse = (f: (response: Response, request: Request) => Response): Middleware =>
  fromWrap((handler) => (request, found) =>
    Effect.mapEager(handler(request, found), (response) => f(response, request))
  )

/**
 * Effect's own middleware (`effect/http/HttpMiddleware`), such as `cors()` or `compression()`, for routes and domains here.
 *
 * What it leaves to be done before a response is sent is done for answers of failures too, up to status 499; a fault
 * (500 and above) is answered without.
 *
 * @example
 * ```ts
 * import * as HttpMiddleware from "effect/http/HttpMiddleware"
 * import { Middleware } from "@kore-fx/http"
 *
 * export const cors = Middleware.fromHttpMiddleware(HttpMiddleware.cors({ allowedOrigins: ["https://example.com"] }))
 * ```
 */
export const fromHttpMiddleware = <A extends Effect.Effect<Response, any, any>>(
  middleware: (app: Effect.Effect<Response>) => A
): Middleware<
  never,
  Effect.Error<A> | HttpServerError.HttpServerError,
  Exclude<Effect.Services<A>, HttpServerRequest.HttpServerRequest>
> =>
  fromWrap((handler) => (request, found) =>
    Effect.suspend(() => {
      const state: RequestState = { preResponseHandler: undefined, loggerDisabled: false }
      const app = middleware(Effect.suspend(() => handler(request, found)) as any)
      return Effect.matchCauseEffect(Effect.provideService(app, CurrentRequestState, state), {
        onSuccess: (response) => state.preResponseHandler?.(request, response) ?? Effect.succeed(response),
        onFailure: (cause) => answerTo(cause, request, state)
      })
    })
  )

// The answer of a failure that is part of the conversation. Faults stay what they are, and are reported.
const answerTo = (
  cause: Cause.Cause<any>,
  request: Request,
  { preResponseHandler }: RequestState
): Effect.Effect<Response, any> => {
  const failure = Effect.failCause(cause)
  if (preResponseHandler === undefined || Cause.hasDies(cause) || Cause.hasInterrupts(cause)) return failure
  return Effect.flatMap(
    HttpServerError.causeResponse(cause),
    ([response]) => response.status < 500 ? preResponseHandler(request, response) : failure
  )
}

/** Puts a list around a handler, the first outermost. */
export const wrapAll = (middleware: List, handler: Handler): Handler =>
  middleware.reduceRight((inner, { wrap }) => wrap(inner), handler)
