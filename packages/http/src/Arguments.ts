/**
 * Kore's way of parameters: a route declares a validator for each name, and only values that these admit are there.
 *
 * When to reach for it: text that is admitted or not, forms and queries of one shape for many routes, programs that come
 * from Kore (`populate_get`, `populate_post`, `populate_multi`, `argument`).
 * What it is not: decoding. `Route` with Schemas gives numbers, lists and objects, and answers 400 by itself.
 *
 * `get`, `head` and `options` are read from the query, `post`, `put`, `patch` and `delete` from the body, and `qs` from the
 * query of any method. Source: Kore, http §6.5; defects A7, A8, A10, B26, B27, B28.
 */
import type * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import { checkMethods, type Declaration } from "./arguments/Declaration.ts"
import { bodyEntries, type BodyError, type Entry, queryEntries, type Source } from "./arguments/Source.ts"
import type { Verdict } from "./arguments/Validator.ts"
import type * as Form from "./Form.ts"
import * as HttpError from "./HttpError.ts"
import type { HttpServerRequest } from "./internal/effectHttp.ts"
import * as Middleware from "./Middleware.ts"
import * as Route from "./Route.ts"

export { checkMethods, type Declaration, type Dictionary, type Keyword, make } from "./arguments/Declaration.ts"
export { type Options, type Policy, type ServicesOf, TypeId, type Validators } from "./arguments/Declaration.ts"
export { bodyEntries, type BodyError, type Entry, formEntries, MalformedMultipart } from "./arguments/Source.ts"
export { multipartEntries, queryEntries, type Source, UnsupportedBody } from "./arguments/Source.ts"
export type { Validator } from "./arguments/Validator.ts"

type Request = HttpServerRequest.HttpServerRequest

/** An argument that was not admitted. */
export interface Refused {
  readonly in: Source
  readonly name: string
  /** `unknown`: no validator has that name. `invalid`: its validator did not admit the value. */
  readonly kind: "unknown" | "invalid"
  /** Why, for the client. */
  readonly reason: string
  /** What is wrong with the validator itself, if anything: it threw, failed, or gave neither `true` nor `false`. */
  readonly cause?: Cause.Cause<unknown> | undefined
}

/** The arguments of a request that were admitted: those of the query first, then those of the body. */
export interface Arguments {
  /** The first value of a name (Kore: `argument`). */
  readonly argument: (name: string) => string | undefined
  /** Every value of a name, in the order sent. */
  readonly all: (name: string) => ReadonlyArray<string>
  readonly has: (name: string) => boolean
  /** Everything, in the order sent. */
  readonly entries: ReadonlyArray<Form.Entry>
  /** What was not admitted, in the order sent. */
  readonly refused: ReadonlyArray<Refused>
}

/**
 * The arguments of the current request, as a service: given by `middleware` and `use`.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { Arguments, Response, Route } from "@kore-fx/http"
 *
 * export const routes = Arguments.use(Arguments.make({ get: { id: /^[0-9]+$/ } }), [
 *   Route.get("/user", () => Effect.map(Arguments.Arguments, (args) => Response.text(args.argument("id") ?? "nobody")))
 * ])
 * ```
 */
export const Arguments = Context.Service<Arguments>("@kore-fx/http/Arguments")

class Admitted implements Arguments {
  readonly entries: ReadonlyArray<Form.Entry>
  readonly refused: ReadonlyArray<Refused>

  constructor(entries: ReadonlyArray<Form.Entry>, refused: ReadonlyArray<Refused>) {
    this.entries = entries
    this.refused = refused
  }

  argument(name: string): string | undefined {
    return this.entries.find((entry) => entry[0] === name)?.[1]
  }

  all(name: string): ReadonlyArray<string> {
    return this.entries.filter((entry) => entry[0] === name).map((entry) => entry[1])
  }

  has(name: string): boolean {
    return this.entries.some((entry) => entry[0] === name)
  }
}

/** No arguments. */
export const empty: Arguments = new Admitted([], [])

/** The arguments of two places as one list, the first before the second (Kore: http §6.5). */
export const merge = (first: Arguments, second: Arguments): Arguments =>
  first === empty
    ? second
    : second === empty
    ? first
    : new Admitted([...first.entries, ...second.entries], [...first.refused, ...second.refused])

// --- validation ------------------------------------------------------------------------------------------------------

// Control characters, but those that lines of text are made of in a body.
const CONTROL: Readonly<Record<Source, RegExp | undefined>> = {
  query: /[\x00-\x1f\x7f]/,
  form: /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/,
  multipart: undefined
}

/**
 * Validates pairs of one place by the dictionaries for a method, in their order, one after the other.
 *
 * Never fails: what is not admitted is in `refused`. Validators that do not wait have run when this returns, and the result
 * is an `Exit`; so it is to be used once. A validator that throws or fails is written to the log at level Debug.
 *
 * @example
 * ```ts
 * import { Arguments, Request } from "@kore-fx/http"
 *
 * const declaration = Arguments.make({ get: { id: /^[0-9]+$/ } })
 *
 * export const seven = (request: Request.Request) =>
 *   Arguments.validate(declaration, "query", "GET", [["id", "7"], ["id", "x"]], request)
 * ```
 */
export const validate = <R>(
  declaration: Declaration<R>,
  source: Source,
  method: string,
  entries: ReadonlyArray<Entry>,
  request: Request
): Effect.Effect<Arguments, never, R> => {
  const validators = declaration.validators(source, method)
  if (validators === undefined || entries.length === 0) return Exit.succeed(empty)
  const control = CONTROL[source]
  const admitted: Array<Form.Entry> = []
  const refused: Array<Refused> = []
  const refuse = (name: string, kind: Refused["kind"], reason: string, cause?: Cause.Cause<unknown>) => {
    refused.push({ in: source, name, kind, reason, cause })
  }
  const take = (name: string, value: string, verdict: Verdict): void => {
    if (verdict === undefined) admitted.push([name, value])
    else refuse(name, "invalid", verdict.reason, verdict.cause)
  }
  const from = (start: number): Effect.Effect<Arguments, never, R> => {
    for (let i = start; i < entries.length; i++) {
      const [name, value] = entries[i]!
      const check = validators.get(name)
      if (check === undefined) refuse(name, "unknown", "is not known here")
      else if (value === undefined) refuse(name, "invalid", "is not UTF-8, or has an incomplete escape")
      else if (control?.test(value)) refuse(name, "invalid", "has control characters")
      else {
        const verdict = check(value, request)
        if (Effect.isEffect(verdict)) {
          return Effect.flatMap(verdict as Effect.Effect<Verdict, never, R>, (later) => {
            take(name, value, later)
            return from(i + 1)
          })
        }
        take(name, value, verdict)
      }
    }
    return report(method, new Admitted(admitted, refused))
  }
  return from(0)
}

// Anybody can send what a validator trips over: louder than Debug, the log would be the client's.
const report = (method: string, found: Arguments): Effect.Effect<Arguments> => {
  const faults = found.refused.filter(({ cause }) => cause !== undefined)
  if (faults.length === 0) return Exit.succeed(found)
  return Effect.as(
    Effect.forEach(faults,
      ({ cause, in: source, name }) =>
        Effect.logDebug(`the validator of "${name}" (${source} of ${method}) failed, so its value is refused`, cause), {
      discard: true
    }),
    found
  )
}

// --- requests --------------------------------------------------------------------------------------------------------

/** Arguments that a declaration refuses, every one named. Answer: 400. */
export class InvalidArguments extends HttpError.TaggedError<InvalidArguments>()("InvalidArguments", {
  errors: Schema.Array(Schema.Struct({ in: Schema.String, name: Schema.String, reason: Schema.String }))
}, { httpStatus: 400 }) {
  override get message(): string {
    const [first] = this.errors
    if (first === undefined) return "the arguments are invalid"
    return first.name === ""
      ? `the ${first.in} is invalid: ${first.reason}`
      : `${first.in} "${first.name}" is invalid: ${first.reason}`
  }
}

/** What a declaration refuses of arguments that were validated by it, or `undefined` when a handler may have them. */
export const refusal = (declaration: Declaration<any>, found: Arguments): InvalidArguments | undefined => {
  const errors = found.refused.filter(({ kind }) => declaration[kind] === "refuse").map((
    { in: source, name, reason }
  ) => ({
    in: source,
    name,
    reason
  }))
  return errors.length === 0 ? undefined : new InvalidArguments({ errors })
}

/** What `read` may fail with; each knows its answer. */
export type ReadError = InvalidArguments | BodyError

/**
 * The arguments of a request: what its method needs is read and validated, the query before the body.
 *
 * Query and body are only read where a dictionary is for them. Fails with `InvalidArguments` (400) where the declaration
 * says `refuse` or the query has more than `maxPairs`, with `UnsupportedBody` (415), `MalformedMultipart` (400),
 * `Form.TooManyPairs` (413), or as reading the body does. The body stays readable.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { Arguments, Response, Route } from "@kore-fx/http"
 *
 * const declaration = Arguments.make({ post: { name: /^\w+$/ } })
 *
 * export const route = Route.post("/hello", ({ request }) =>
 *   Effect.map(Arguments.read(declaration, request), (args) => Response.text(`hello ${args.argument("name")}`)))
 * ```
 */
export const read = <R>(
  declaration: Declaration<R>,
  request: Request
): Effect.Effect<Arguments, ReadError, R> => {
  const { maxPairs } = declaration
  const { method } = request
  const entries = declaration.validators("query", method) === undefined ? [] : queryEntries(request, maxPairs)
  if (entries === undefined) {
    return Exit.fail(
      new InvalidArguments({
        errors: [{ in: "query", name: "", reason: `it has more than ${maxPairs} pairs of name and value` }]
      })
    )
  }
  const query = validate(declaration, "query", method, entries, request)
  const all = declaration.validators("form", method) === undefined
    ? query
    : Effect.flatMapEager(query,
      (first) =>
        Effect.flatMapEager(bodyEntries(request, maxPairs), ([source, found]) =>
          Effect.mapEager(validate(declaration, source, method, found, request), (second) =>
            merge(first, second))))
  return Effect.flatMapEager(all, (found): Exit.Exit<Arguments, InvalidArguments> => {
    const error = refusal(declaration, found)
    return error === undefined ? Exit.succeed(found) : Exit.fail(error)
  })
}

/**
 * Middleware that reads the arguments of every request and gives them to the handlers below as `Arguments.Arguments`.
 *
 * It cannot know the methods of the routes that it stands around: `use` does, and checks them.
 *
 * @example
 * ```ts
 * import { Arguments, Route } from "@kore-fx/http"
 *
 * const language = Arguments.middleware(Arguments.make({ qs: { lang: /^(en|de)$/ } }))
 *
 * export const below = (routes: ReadonlyArray<Route.Route<never, Arguments.Arguments>>) => Route.use([language], routes)
 * ```
 */
export const middleware = <R>(declaration: Declaration<R>): Middleware.Middleware<Arguments, ReadError, R> =>
  Middleware.provide(Arguments, (request) => read(declaration, request))

/**
 * Routes with arguments: puts the middleware around them.
 *
 * @throws TypeError when a dictionary is for a method that none of the routes has.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { Arguments, Response, Route } from "@kore-fx/http"
 *
 * export const routes = Arguments.use(Arguments.make({ post: { name: /^\w+$/ }, invalid: "refuse" }), [
 *   Route.post("/hello", function*() {
 *     const args = yield* Arguments.Arguments
 *     return Response.text(`hello ${args.argument("name") ?? "you"}`)
 *   })
 * ])
 * ```
 */
export const use = <R, const Routes extends ReadonlyArray<Route.Route<any, any>>>(
  declaration: Declaration<R>,
  routes: Routes
): Route.Used<readonly [Middleware.Middleware<Arguments, ReadError, R>], Routes> => {
  const patterns = routes.map(({ pattern }) => String(pattern)).join(", ")
  checkMethods(declaration, routes.flatMap(({ methods }) => methods),
    patterns === "" ? "a list of no routes" : patterns)
  return Route.use([middleware(declaration)], routes) as any
}
