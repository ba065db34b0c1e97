/**
 * Sessions: what a program remembers of a client between its requests. The client has an id in a signed cookie, and the
 * data stays here.
 *
 * When to reach for it: logins, baskets, forms of several pages.
 * What it is not: a place for what a client may see and must not change (a signed `Cookie`), nor for large or lasting data.
 *
 * A session is read when a handler first asks for it, and saved once, before the answer is sent. Kore has none; its apps
 * kept them by hand over the cookie of `auth` (http §6.3). Source: OWASP Session Management, RFC 6265bis.
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Cookie from "./Cookie.ts"
import { HttpServerError, type HttpServerRequest, type HttpServerResponse } from "./internal/effectHttp.ts"
import * as Middleware from "./Middleware.ts"
import * as Secret from "./Secret.ts"
import type { Key } from "./session/Key.ts"
import { RequestSession, type Settings } from "./session/RequestSession.ts"
import { Store, type StoreFailed } from "./session/Store.ts"

export { type Key, key, TypeId } from "./session/Key.ts"
export { layerKeyValueStore, type Options as KeyValueStoreOptions } from "./session/KeyValueSessions.ts"
export { layerMemory, NotShared, type Options as MemoryOptions } from "./session/MemoryStore.ts"
export { apply, type Change, Store, type Stored, StoreFailed } from "./session/Store.ts"

/** The session of a request. Whoever only reads one that is not there makes none. */
export interface Session {
  /** What is under a key; `undefined` when nothing is, or what is there does not fit the Schema of the key any more. */
  readonly get: <A>(key: Key<A>) => Effect.Effect<A | undefined, StoreFailed>
  /** Puts a value under a key. One that does not fit the Schema of the key is a defect. */
  readonly set: <A>(key: Key<A>, value: A) => Effect.Effect<void>
  /** Takes away what is under a key. */
  readonly remove: (key: Key<any>) => Effect.Effect<void>
  /**
   * Gives the session another id, and forgets the old one: at every login, so that an id that somebody planted in the
   * browser before is worth nothing (session fixation). What it holds and when it began stay.
   */
  readonly regenerate: Effect.Effect<void>
  /** Forgets the session at once, here and in the browser. What is written afterwards begins a new one. */
  readonly destroy: Effect.Effect<void, StoreFailed>
}

/**
 * The session of the current request, as a service: given by `middleware`.
 *
 * @example
 * ```ts
 * import * as Schema from "effect/Schema"
 * import { Response, Route, Session } from "@kore-fx/http"
 *
 * const Visits = Session.key("visits", Schema.Int)
 *
 * export const visits = Route.get("/visits", function*() {
 *   const session = yield* Session.Session
 *   const count = ((yield* session.get(Visits)) ?? 0) + 1
 *   yield* session.set(Visits, count)
 *   return Response.text(`visit ${count}`)
 * })
 * ```
 */
export const Session = Context.Service<Session>("@kore-fx/http/Session")

/** How sessions are recognised, and how long they live. */
export interface Options {
  /** What ids are signed with: 32 bytes or more each, the newest first; the same in every worker. */
  readonly secrets: Secret.Secrets
  /**
   * The name of the cookie. Default: `__Host-session`, which browsers take only from this very host, over TLS and for all
   * its paths; another name is needed with `secure`, `path` or `domain`.
   */
  readonly cookie?: string | undefined
  /**
   * How long a session lives that nobody uses. It is renewed by a request that uses it, when a tenth of this has passed
   * since the last time; so it may end that tenth earlier. At least a second; default: 30 minutes.
   */
  readonly idle?: Duration.Input | undefined
  /** How long a session lives at most, used or not. At least a second; default: 12 hours. */
  readonly absolute?: Duration.Input | undefined
  /** Whether the cookie is sent over TLS only, or what tells it of a request. Default: true. See `Cookie.Options`. */
  readonly secure?: boolean | ((request: HttpServerRequest.HttpServerRequest) => boolean) | undefined
  /** See `Cookie.Options`. Default: `lax`. */
  readonly sameSite?: Cookie.Options["sameSite"]
  /** See `Cookie.Options`. Default: `/`. */
  readonly path?: string | undefined
  /** See `Cookie.Options`. Default: none. */
  readonly domain?: string | undefined
}

const WHERE = "Session.middleware"

const lifetime = (name: string, input: Duration.Input): number => {
  const duration = Duration.fromInputUnsafe(input)
  const millis = Duration.toMillis(duration)
  if (!Number.isFinite(millis) || millis < 1000) {
    throw new RangeError(`${WHERE}: ${name} is ${Duration.format(duration)}, expected 1s or more, and an end`)
  }
  return millis
}

const settle = (options: Options): Settings => {
  const { absolute = "12 hours", cookie = "__Host-session", domain, idle = "30 minutes", secure = true } = options
  const attributes = { path: options.path, domain, sameSite: options.sameSite, httpOnly: true }
  // What may be insecure for some request must be possible without it.
  Cookie.check(WHERE, cookie, { ...attributes, secure: secure === true })
  return {
    cookie,
    attributes,
    secrets: Secret.list(WHERE, options.secrets),
    idle: lifetime("idle", idle),
    absolute: lifetime("absolute", absolute),
    secure: typeof secure === "function" ? secure : () => secure
  }
}

/**
 * Middleware that gives handlers the session of their request as `Session.Session`.
 *
 * A session that was written, renewed or destroyed is saved when the handler has answered or failed with an error that has
 * an answer below 500; the cookie goes with that answer, which gets `cache-control: no-store` if it says nothing itself.
 * After a fault, and when the client has left, nothing is saved; what was destroyed stays destroyed. Requests that use one
 * session at the same time: for each key the last one to be answered wins.
 *
 * Fails with `StoreFailed` (503, reported) when the store does.
 *
 * @throws TypeError or RangeError when an option is none, names it and says what was expected.
 *
 * @example
 * ```ts
 * import * as Layer from "effect/Layer"
 * import * as Redacted from "effect/Redacted"
 * import * as Schema from "effect/Schema"
 * import { Domain, Response, Route, Session } from "@kore-fx/http"
 *
 * const User = Session.key("user", Schema.String)
 *
 * const login = Route.post("/login/:name", function*({ path }) {
 *   const session = yield* Session.Session
 *   yield* session.regenerate
 *   yield* session.set(User, path.name)
 *   return Response.redirect("/")
 * })
 *
 * const logout = Route.post("/logout", function*() {
 *   const session = yield* Session.Session
 *   yield* session.destroy
 *   return Response.redirect("/")
 * })
 *
 * export const site = (secret: Redacted.Redacted<string>) =>
 *   Domain.layer("*", { attach: "main" }, Route.use([Session.middleware({ secrets: secret })], [login, logout])).pipe(
 *     Layer.provide(Session.layerMemory())
 *   )
 * ```
 */
export const middleware = (options: Options): Middleware.Middleware<Session, StoreFailed, Store> => {
  const settings = settle(options)
  return Middleware.make((next, request) =>
    Effect.flatMap(Store, (store) => {
      const session = new RequestSession(settings, store, request)
      return Effect.matchCauseEffect(Effect.provideService(next, Session, session), {
        onSuccess: (response) => session.finish(response),
        onFailure: (cause) => failed(cause, session)
      })
    })
  ) as Middleware.Middleware<any, StoreFailed, Store>
}

// The answer of a failure that is part of the conversation is only made here when a cookie must go with it.
const failed = (
  cause: Cause.Cause<never>,
  session: RequestSession
): Effect.Effect<HttpServerResponse.HttpServerResponse, StoreFailed> => {
  const failure = Effect.failCause(cause)
  if (!session.isTouched || Cause.hasDies(cause) || Cause.hasInterrupts(cause)) return failure
  return Effect.gen(function*() {
    const [response] = yield* HttpServerError.causeResponse(cause)
    if (response.status >= 500) return yield* failure
    const finished = yield* session.finish(response)
    return finished === response ? yield* failure : finished
  })
}
