/**
 * A limit of how many requests somebody may send in a time: 429 with `Retry-After` beyond it.
 *
 * When to reach for it: routes that cost much, or where guessing must be slow, such as a login.
 * What it is not: a defence of the server as a whole, for which there are `Limits` of connections and requests at a
 * time, and whatever stands in front. A request must be parsed before it is counted.
 *
 * Who counts is Effect's `persistence/RateLimiter`. With `layerMemory` every worker counts for itself, so N workers let
 * up to N times the limit pass; with Effect's `layerStoreRedis` all of them, on all machines, share the counts. The
 * fields are those of the IETF draft "RateLimit header fields for HTTP" (draft-ietf-httpapi-ratelimit-headers-09).
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as RateLimiter from "effect/persistence/RateLimiter"
import { HttpEffect, type HttpServerError, HttpServerRequest, HttpServerResponse } from "./internal/effectHttp.ts"
import * as Limits from "./Limits.ts"
import * as Middleware from "./Middleware.ts"
import * as Problem from "./Problem.ts"
import * as memory from "./rate-limit/MemoryStore.ts"

type Request = HttpServerRequest.HttpServerRequest

/** What is counted, and how much of it there may be. */
export interface Options<E = never, R = never> {
  /** Requests that one key may send in a window; at least 1. */
  readonly limit: number
  /** The time in which they may be sent. */
  readonly window: Duration.Input
  /**
   * `fixed-window` counts from the first request on, and lets nothing through once the limit is reached until its time
   * is over. `token-bucket` gives back one request every `window / limit`. Default: `fixed-window`.
   */
  readonly algorithm?: "fixed-window" | "token-bucket" | undefined
  /**
   * Who sends a request; `undefined` is not counted. Default: `byAddress`. A key that clients choose freely is no
   * limit.
   */
  readonly key?: ((request: Request) => string | undefined | Effect.Effect<string | undefined, E, R>) | undefined
  /** Tells limits apart, in the store and in the fields: letters, digits, `-`, `_`, `.`. Default: `default`. */
  readonly name?: string | undefined
  /** What becomes of a request that could not be counted, because the store failed. Default: `allow`; else 503. */
  readonly onStoreError?: "allow" | "refuse" | undefined
}

/**
 * The address of the client: an IPv4 address, or the first 64 bits of an IPv6 address. Behind a proxy that is the
 * proxy, unless `TrustedProxy` stands outside of the limit. All that come over a UNIX socket are one.
 */
export const byAddress = (request: Request): string =>
  Option.match(request.remoteAddress, { onNone: () => "unix", onSome: Limits.keyOf })

const seconds = (duration: Duration.Duration): number => Math.max(1, Math.ceil(Duration.toMillis(duration) / 1000))

const check = <E, R>(options: Options<E, R>) => {
  const { algorithm = "fixed-window", limit, name = "default", onStoreError = "allow" } = options
  const fail = (option: string, value: unknown, expected: string): never => {
    throw new RangeError(`RateLimit: ${option} is ${JSON.stringify(value)}, expected ${expected}`)
  }
  if (!Number.isSafeInteger(limit) || limit < 1) fail("limit", limit, "an integer from 1")
  const window = Duration.fromInputUnsafe(options.window)
  if (!Duration.isFinite(window) || Duration.toMillis(window) < 1) {
    fail("window", Duration.format(window), "a finite duration of at least 1 milli")
  }
  if (algorithm !== "fixed-window" && algorithm !== "token-bucket") {
    fail("algorithm", algorithm, "\"fixed-window\" or \"token-bucket\"")
  }
  if (!/^[\w.-]+$/.test(name)) fail("name", name, "letters, digits, -, _ and .")
  if (onStoreError !== "allow" && onStoreError !== "refuse") {
    fail("onStoreError", onStoreError, "\"allow\" or \"refuse\"")
  }
  return { algorithm, limit, name, onStoreError, window }
}

const append = (given: string | undefined, value: string): string => given === undefined ? value : `${given}, ${value}`

/**
 * Middleware that counts requests and answers 429 beyond the limit, with `retry-after` in seconds.
 *
 * Every counted answer has `ratelimit-policy` (the limit) and `ratelimit` (what is left); several limits around one
 * route list theirs. A refused request is not counted.
 *
 * @throws RangeError for an option that is none.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Layer from "effect/Layer"
 * import { Domain, RateLimit, Response, Route } from "@kore-fx/http"
 *
 * const slow = RateLimit.middleware({ name: "login", limit: 5, window: "1 minute" })
 *
 * export const site = Domain.layer("*", { attach: "main" }, Route.use([slow], [
 *   Route.post("/login", () => Effect.succeed(Response.text("welcome")))
 * ])).pipe(Layer.provide(RateLimit.layerMemory()))
 * ```
 */
export const middleware = <E = never, R = never>(
  options: Options<E, R>
  // Where a list of middleware is expected, the types of the list would say what this one fails with.
): Middleware.Middleware<never, NoInfer<E> | HttpServerError.HttpServerError, NoInfer<R> | RateLimiter.RateLimiter> => {
  const { algorithm, limit, name, onStoreError, window } = check(options)
  const key = options.key ?? byAddress
  const policy = `"${name}";q=${limit};w=${seconds(window)}`
  const mark = (
    response: HttpServerResponse.HttpServerResponse,
    remaining: number,
    reset: Duration.Duration
  ): HttpServerResponse.HttpServerResponse =>
    HttpServerResponse.setHeaders(response, {
      "ratelimit-policy": append(response.headers["ratelimit-policy"], policy),
      "ratelimit": append(
        response.headers["ratelimit"],
        `"${name}";r=${Math.max(0, Math.floor(remaining))};t=${seconds(reset)}`
      )
    })
  const tooMany = (retryAfter: Duration.Duration) => {
    const after = seconds(retryAfter)
    const detail = `more than ${limit} requests in ${Duration.format(window)}; try again in ${
      Duration.format(Duration.seconds(after))
    }`
    const headers = { "retry-after": String(after) }
    return mark(Problem.response({ status: 429, detail, headers }), 0, retryAfter)
  }
  const counted = (app: Effect.Effect<HttpServerResponse.HttpServerResponse>, key: string) =>
    Effect.flatMap(RateLimiter.RateLimiter, (limiter) =>
      Effect.matchEffect(limiter.consume({ algorithm, window, limit, key: `${name}:${key}` }), {
        onSuccess: ({ remaining, resetAfter }) =>
          HttpEffect.withPreResponseHandler(app, (_, response) =>
            Effect.succeed(mark(response, remaining, resetAfter))),
        onFailure: (error) => {
          if (error.reason._tag === "RateLimitExceeded") {
            return Effect.succeed(tooMany(error.reason.retryAfter))
          }
          const answer = onStoreError === "allow"
            ? app
            : Effect.succeed(Problem.response({ status: 503, detail: "requests cannot be counted at the moment" }))
          return Effect.andThen(Effect.logWarning(`RateLimit "${name}": the store failed`, error), answer)
        }
      }))
  return Middleware.fromHttpMiddleware((app) =>
    Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) => {
      const found = key(request)
      const sender = Effect.isEffect(found) ? found : Effect.succeed(found)
      return Effect.flatMap(sender, (key) => key === undefined ? app : counted(app, key))
    })
  )
}

/**
 * Counts in the memory of this worker, for at most `maxKeys` keys at a time: the one that was quiet for longest is
 * forgotten for a new one. Default: 100,000, some 20 MB when all are taken.
 *
 * @throws RangeError for a number of keys below 1.
 */
export const layerMemory = (
  { maxKeys = 100_000 }: { readonly maxKeys?: number | undefined } = {}
): Layer.Layer<RateLimiter.RateLimiter> => {
  if (!Number.isSafeInteger(maxKeys) || maxKeys < 1) {
    throw new RangeError(`RateLimit.layerMemory: maxKeys is ${maxKeys}, expected an integer from 1`)
  }
  const store = Layer.effect(RateLimiter.RateLimiterStore)(
    Effect.map(RateLimiter.RateLimiterStore, (store) => ({ ...store, ...memory.make(maxKeys) }))
  )
  return RateLimiter.layer.pipe(Layer.provide(store), Layer.provide(RateLimiter.layerStoreMemory))
}
