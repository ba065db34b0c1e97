/**
 * Who may ask: middleware that takes a credential of the request and lets the program verify it, before the body is read.
 *
 * When to reach for it: routes, groups, domains and file maps for those who can show a cookie, a header, a token, a
 * password or a session.
 * What it is not: authorisation of single actions, which is a handler's matter, nor a login page.
 *
 * Only exactly `true`, or an identity, lets a request through. Everything else that `verify` gives refuses; when it fails
 * or throws, the answer is 500, once. Source: Kore, http §6.3 (cookie, header; 403 or a redirect) without its defects A10,
 * A11 and B37; RFC 6750 (Bearer); RFC 7617 (Basic); RFC 9110 §11.
 */
import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as crypto from "node:crypto"
import * as Cookie from "./Cookie.ts"
import { type HttpServerRequest, HttpServerRespondable, HttpServerResponse } from "./internal/effectHttp.ts"
import * as Middleware from "./Middleware.ts"
import * as Problem from "./Problem.ts"
import { fieldOf } from "./Request.ts"
import * as Secret from "./Secret.ts"
import { Session } from "./Session.ts"
import type { Key } from "./session/Key.ts"
import type { StoreFailed } from "./session/Store.ts"
import { isFieldName } from "./transport/Syntax.ts"

type Request = HttpServerRequest.HttpServerRequest
type Response = HttpServerResponse.HttpServerResponse

// --- where a credential is -------------------------------------------------------------------------------------------

/** Where the credential of a request is. Made by `cookie`, `header`, `bearer`, `basic` and `session`. */
export interface Source<out C, out E = never, out R = never> {
  /** For people: `cookie "session"`. */
  readonly name: string
  /** The credential of a request, or `undefined` when it has none, or none of the right form. */
  readonly read: (request: Request) => Effect.Effect<C | undefined, E, R>
  /** The value of `www-authenticate` for a 401; none where no scheme of HTTP is used. */
  readonly challenge?: ((isRefused: boolean) => string) | undefined
}

const source = <C>(
  name: string,
  read: (request: Request) => C | undefined,
  challenge?: Source<C>["challenge"]
): Source<C> => ({ name, read: (request) => Effect.succeed(read(request)), challenge })

const checkName = (where: string, name: string): void => {
  if (typeof name !== "string" || !isFieldName(name)) {
    throw new TypeError(`${where}: the name is ${JSON.stringify(name)}, expected a token such as "session"`)
  }
}

/**
 * The value of a cookie of exactly this name. An empty one counts as none.
 *
 * @throws TypeError when the name is no token.
 */
export const cookie = (name: string): Source<string> => {
  checkName("Authentication.cookie", name)
  return source(`cookie "${name}"`, (request) => Cookie.get(request, name) || undefined)
}

/**
 * The value of a header, by its name in any case. An empty one counts as none; several are one text, joined with commas.
 *
 * @throws TypeError when the name is no token.
 */
export const header = (name: string): Source<string> => {
  checkName("Authentication.header", name)
  const lower = name.toLowerCase()
  return source(`header "${lower}"`, (request) => fieldOf(request, lower) || undefined)
}

/** How a client is asked for its credential. */
export interface RealmOptions {
  /** What the credential is for; browsers may show it. ASCII text without control characters. Default: `restricted`. */
  readonly realm?: string | undefined
}

const quotedRealm = (where: string, { realm = "restricted" }: RealmOptions = {}): string => {
  if (typeof realm !== "string" || !/^[\x20-\x7e]*$/.test(realm)) {
    throw new TypeError(`${where}: realm is ${JSON.stringify(realm)}, expected ASCII text without control characters`)
  }
  return `"${realm.replace(/["\\]/g, "\\$&")}"`
}

const BEARER = /^Bearer +([A-Za-z0-9\-._~+/]+=*)$/i

/**
 * The token of `Authorization: Bearer …` (RFC 6750 §2.1). Tokens in queries and bodies, where logs see them, are not read.
 *
 * @throws TypeError when the realm cannot be sent.
 */
export const bearer = (options?: RealmOptions): Source<string> => {
  const challenge = `Bearer realm=${quotedRealm("Authentication.bearer", options)}`
  return source(
    "bearer token",
    (request) => BEARER.exec(fieldOf(request, "authorization") ?? "")?.[1],
    (isRefused) => isRefused ? `${challenge}, error="invalid_token"` : challenge
  )
}

/** What a client sends with `Authorization: Basic …`. */
export interface Credentials {
  readonly username: string
  readonly password: Redacted.Redacted<string>
}

const BASIC = /^Basic +([A-Za-z0-9+/]+={0,2})$/i
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

const credentialsOf = (authorization: string | undefined): Credentials | undefined => {
  const base64 = BASIC.exec(authorization ?? "")?.[1]
  if (base64 === undefined) return undefined
  let text: string
  try {
    text = decoder.decode(Buffer.from(base64, "base64"))
  } catch {
    return undefined
  }
  const colon = text.indexOf(":")
  if (colon < 0 || /[\x00-\x1f\x7f]/.test(text)) return undefined
  return { username: text.slice(0, colon), password: Redacted.make(text.slice(colon + 1)) }
}

/**
 * User name and password of `Authorization: Basic …` (RFC 7617), in UTF-8. For connections over TLS only.
 *
 * @throws TypeError when the realm cannot be sent.
 */
export const basic = (options?: RealmOptions): Source<Credentials> => {
  const challenge = `Basic realm=${quotedRealm("Authentication.basic", options)}, charset="UTF-8"`
  return source("basic credentials", (request) => credentialsOf(fieldOf(request, "authorization")), () => challenge)
}

/**
 * What a session holds under a key; `Session.middleware` must stand around.
 *
 * @example
 * ```ts
 * import * as Context from "effect/Context"
 * import * as Effect from "effect/Effect"
 * import * as Schema from "effect/Schema"
 * import { Authentication, Session } from "@kore-fx/http"
 *
 * class User extends Context.Service<User, string>()("example/User") {}
 *
 * export const loggedIn = Authentication.make({
 *   from: Authentication.session(Session.key("user", Schema.String)),
 *   verify: (name) => Effect.succeed(name),
 *   provide: User,
 *   onFailure: { redirect: "/login" }
 * })
 * ```
 */
export const session = <A>(key: Key<A>): Source<A, StoreFailed, Session> => ({
  name: `session "${key.name}"`,
  read: () => Effect.flatMap(Session, (session) => session.get(key))
})

// --- the middleware --------------------------------------------------------------------------------------------------

/**
 * What a request gets that is not let through: a status of 400 to 499 with problem details, 302 to a place, or a response
 * of one's own. 401 is for `bearer` and `basic`, because it must tell the scheme (RFC 9110 §15.5.2).
 */
export type OnFailure = number | { readonly redirect: string } | ((request: Request) => Response)

/** What every authentication is made of. */
export interface Options<C, E, R> {
  readonly from: Source<C, E, R>
  /** Default: 401 for `bearer` and `basic`, else 403. */
  readonly onFailure?: OnFailure | undefined
}

/** See `make`. */
export interface Make {
  /** Lets a request through when `verify` gives exactly `true`. */
  <C, E = never, R = never, R2 = never>(
    options: Options<C, E, R> & {
      readonly verify: (credential: C, request: Request) => Effect.Effect<boolean, unknown, R2>
      readonly provide?: undefined
    }
  ): Middleware.Middleware<never, E, R | R2>
  /** Lets a request through when `verify` gives an identity, which handlers have as the service `provide`. */
  <C, I, S, E = never, R = never, R2 = never>(
    options: Options<C, E, R> & {
      readonly verify: (
        credential: C,
        request: Request
      ) => Effect.Effect<NoInfer<S> | false | null | undefined, unknown, R2>
      readonly provide: Context.Key<I, S>
    }
  ): Middleware.Middleware<I, E, R | R2>
}

/**
 * Middleware that lets through who can prove it.
 *
 * A request without credential fails without `verify` being called. `verify` may wait; the body is not read before. What it
 * fails with or throws is reported, and the client gets 500 that tells nothing. A value that is neither a boolean nor, with
 * `provide`, an identity, refuses and is a warning in the log.
 *
 * @throws TypeError when `onFailure` cannot be sent, or `verify` is no function.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Redacted from "effect/Redacted"
 * import { Authentication, Response, Route, Secret } from "@kore-fx/http"
 *
 * const key = Redacted.make("from the configuration")
 *
 * const withKey = Authentication.make({
 *   from: Authentication.header("x-api-key"),
 *   verify: (credential) => Effect.sync(() => Secret.equals(credential, key))
 * })
 *
 * export const routes = Route.use([withKey], [
 *   Route.get("/figures", () => Effect.succeed(Response.text("42")))
 * ])
 * ```
 */
export const make: Make = ((
  { from, onFailure, provide, verify }: Options<any, any, any> & {
    readonly verify: (credential: any, request: Request) => Effect.Effect<unknown, unknown, any>
    readonly provide?: Context.Key<any, any> | undefined
  }
): Middleware.Middleware<any, any, any> => {
  const where = `Authentication by ${from.name}`
  if (typeof verify !== "function") throw new TypeError(`${where}: verify is ${typeof verify}, expected a function`)
  const refuse = refusal(where, from, onFailure)
  // What `verify` says, or `undefined` for a refusal.
  const judge = (credential: unknown, request: Request): Effect.Effect<unknown, any, any> =>
    Effect.flatMapEager(
      Effect.catchCause(Effect.suspend(() => verify(credential, request)),
        (cause) => Effect.failCause(fault(where, cause))),
      (verdict) => {
        const isVerdict = provide === undefined ? typeof verdict === "boolean" : verdict !== true
        if (!isVerdict) return misunderstood(where, verdict, provide !== undefined)
        return Effect.succeed(verdict === false || verdict === null ? undefined : verdict)
      }
    )
  if (provide === undefined) {
    return Middleware.guard((request) =>
      Effect.flatMapEager(from.read(request), (credential) =>
        credential === undefined
          ? Effect.succeed(refuse(request, false))
          : Effect.mapEager(judge(credential, request), (verdict) =>
            verdict === true ? undefined : refuse(request, true)))
    )
  }
  return Middleware.make((next, request) =>
    Effect.flatMapEager(from.read(request), (credential) =>
      credential === undefined
        ? Effect.succeed(refuse(request, false))
        : Effect.flatMapEager(judge(credential, request), (identity) =>
          identity === undefined
            ? Effect.succeed(refuse(request, true))
            : Effect.provideService(next, provide, identity)))
  )
}) as Make

// The type only: the value may be a secret.
const misunderstood = (where: string, verdict: unknown, isIdentity: boolean): Effect.Effect<undefined> =>
  Effect.as(
    Effect.logWarning(
      `${where}: verify gave ${verdict === true ? "true" : verdict === null ? "null" : typeof verdict}, expected ` +
        (isIdentity ? "an identity for the service, or false" : "true or false") +
        "; the request is refused"
    ),
    undefined
  )

// A fault of the program whatever it is: an error that has an answer of its own must not answer for `verify`.
const fault = (where: string, cause: Cause.Cause<unknown>): Cause.Cause<never> =>
  Cause.fromReasons(cause.reasons.map((reason) => {
    if (reason._tag === "Interrupt") return reason
    const error = reason._tag === "Fail" ? reason.error : reason.defect
    const hasAnswer = HttpServerResponse.isHttpServerResponse(error) || HttpServerRespondable.isRespondable(error)
    return Cause.makeDieReason(
      hasAnswer ? new Error(`${where}: verify failed, expected it to give true, an identity or false`, { cause: error })
        : error
    )
  }))

type Refuse = (request: Request, isRefused: boolean) => Response

const refusal = (where: string, from: Source<any, any, any>, onFailure: OnFailure | undefined): Refuse => {
  const { challenge } = from
  const answer = onFailure ?? (challenge === undefined ? 403 : 401)
  if (typeof answer === "function") return answer
  if (typeof answer === "number") {
    if (!Number.isInteger(answer) || answer < 400 || answer > 499) {
      throw new TypeError(
        `${where}: onFailure is ${answer}, expected a status from 400 to 499, a redirect or a function`
      )
    }
    if (answer === 401 && challenge === undefined) {
      throw new TypeError(
        `${where}: onFailure is 401, which must tell the client a scheme (RFC 9110 §15.5.2): say 403, authenticate by ` +
          "bearer or basic, or give a function that makes the response"
      )
    }
    return (_, isRefused) =>
      Problem.response({
        status: answer,
        detail: isRefused ? "the credential of this request was refused" : `this request has no ${from.name}`,
        headers: answer === 401 ? { "www-authenticate": challenge!(isRefused) } : undefined
      })
  }
  const { redirect } = answer
  if (typeof redirect !== "string" || !/^[\x21-\x7e]+$/.test(redirect)) {
    throw new TypeError(
      `${where}: onFailure.redirect is ${JSON.stringify(redirect)}, expected a path or URL in ASCII without blanks; ` +
        "percent-encode the rest"
    )
  }
  const response = HttpServerResponse.redirect(redirect, { status: 302 })
  return () => response
}

// --- users -----------------------------------------------------------------------------------------------------------

/**
 * A `verify` for `basic`: is this one of these users, with that password? Unknown users take as long as known ones.
 *
 * For a few users of a configuration. Passwords of many belong into a database, as hashes.
 *
 * @throws TypeError when a name has a colon or control characters, which nobody could send, or a password is not Redacted.
 *
 * @example
 * ```ts
 * import * as Redacted from "effect/Redacted"
 * import { Authentication } from "@kore-fx/http"
 *
 * export const staff = (password: Redacted.Redacted<string>) =>
 *   Authentication.make({
 *     from: Authentication.basic({ realm: "staff" }),
 *     verify: Authentication.basicUsers({ ada: password })
 *   })
 * ```
 */
export const basicUsers = (
  users: Readonly<Record<string, Redacted.Redacted<string>>>
): (credentials: Credentials) => Effect.Effect<boolean> => {
  const passwords = new Map<string, Redacted.Redacted<string>>()
  for (const [name, password] of Object.entries(users)) {
    if (/[:\x00-\x1f\x7f]/.test(name)) {
      throw new TypeError(
        `Authentication.basicUsers: the name ${JSON.stringify(name)} has a colon or control character`
      )
    }
    if (!Redacted.isRedacted(password) || typeof Redacted.value(password) !== "string") {
      throw new TypeError(`Authentication.basicUsers: the password of "${name}" is no Redacted text`)
    }
    passwords.set(name, password)
  }
  const nobody = Redacted.make(crypto.randomBytes(32).toString("base64"))
  return ({ password, username }) =>
    Effect.sync(() => {
      const expected = passwords.get(username)
      return Secret.equals(password, expected ?? nobody) && expected !== undefined
    })
}
