/**
 * What stands before a handler: who may ask, the hooks of its route, and the functions of `kore.prerequest`.
 *
 * When to reach for it: `Handler` puts it around routes that have any of these.
 * What it is not: the handler. Whatever answers here, or says no, ends the request, once.
 *
 * In order: authentication, `on_headers`, the body (by `on_body_chunk` if there is one), the functions of
 * `kore.prerequest`, the handler, and when the request is over `on_free`. Each is waited for; an exception is 500, and
 * nothing after it is called. Source: Kore, http §5.6, §6.1, §6.3, §6.4; without the defects A8, A10 and B37.
 */
import * as Tracer from "@kore-fx/core/Tracer"
import * as Authentication from "@kore-fx/http/Authentication"
import * as Middleware from "@kore-fx/http/Middleware"
import type { ServerRequest } from "@kore-fx/http/Request"
import type * as Response from "@kore-fx/http/Response"
import type * as Route from "@kore-fx/http/Route"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { describe } from "../Coroutine.ts"
import { RuntimeError } from "../errors.ts"
import { type Request, requestOf } from "../Request.ts"
import { functionOf, type Owner } from "./declare.ts"
import { type Exchange, type Origin, shared } from "./Exchange.ts"
import { services } from "./Registry.ts"
import type * as Registry from "./Registry.ts"
import { receive } from "./RequestBody.ts"
import * as Run from "./Run.ts"

type Answer = Effect.Effect<Response.Response, any, any>
type Handler = (request: ServerRequest, found: Route.Found) => Answer

/** A function of the app, and its name for people. */
interface Hook {
  readonly name: string
  readonly f: (...args: Array<any>) => unknown
}

/** Answers a request, by the hooks or by what follows. */
export type Guard = (exchange: Exchange, req: Request, next: Answer) => Answer

/**
 * Makes the guard of a route, or `undefined` when nothing stands before its handler.
 *
 * @throws RuntimeError for a hook that is the name of something else than a method.
 */
export const make = (url: string, { hooks }: Registry.Call, { app, module, prerequest }: Owner): Guard | undefined => {
  const hook = (callable: Registry.Callable | undefined, name: string): Hook | undefined =>
    callable === undefined ? undefined
      : { name: `${name} of "${url}"`, f: functionOf(callable, `the route "${url}" has the ${name}`, app, module) }
  const onHeaders = hook(hooks.on_headers, "hook on_headers")
  const onBodyChunk = hook(hooks.on_body_chunk, "hook on_body_chunk")
  const before = prerequest.map((callable) => hook(callable, "prerequest function")!)
  if (before.length === 0 && onHeaders === undefined && onBodyChunk === undefined) return undefined
  return (exchange, req, next) =>
    Effect.gen(function*() {
      if (onHeaders !== undefined) {
        const stop = yield* admitted(onHeaders, exchange, [req])
        if (stop !== undefined) return stop
      }
      if (exchange.request.body !== undefined) {
        if (onBodyChunk === undefined) yield* receive(exchange)
        else {
          const stop = yield* passedOn(onBodyChunk, exchange, req)
          if (stop !== undefined) return stop
        }
      }
      for (const each of before) {
        const stop = yield* admitted(each, exchange, [req])
        if (stop !== undefined) return stop
      }
      return yield* next
    })
}

const call = ({ f, name }: Hook, { app }: Exchange, args: ReadonlyArray<unknown>): Effect.Effect<unknown, unknown> =>
  Run.start(name, () => f.call(app, ...args), false)

// The answer with which a function ends the request; it goes on after nothing and after true.
const admitted = (
  hook: Hook,
  exchange: Exchange,
  args: ReadonlyArray<unknown>
): Effect.Effect<Response.Response | undefined, any> =>
  Effect.matchCauseEffect(call(hook, exchange, args), {
    onFailure: (cause) => exchange.failed(cause),
    onSuccess: (value) => {
      if (exchange.response !== undefined) return Effect.succeed(exchange.response)
      if (value === undefined || value === null || value === true) return Effect.undefined
      return Effect.die(
        new RuntimeError(
          value === false
            ? `the ${hook.name} refused the request without calling req.response`
            : `the ${hook.name} gave ${describe(value)}, expected nothing, true or false`
        )
      )
    }
  })

// Gives the body to a function, piece by piece. Only true goes on.
const passedOn = (
  hook: Hook,
  exchange: Exchange,
  req: Request
): Effect.Effect<Response.Response | undefined, any> => {
  exchange.body = "passed on"
  const refused = Symbol()
  const take = (chunk: Uint8Array) => {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    return Effect.flatMap(call(hook, exchange, [req, bytes]), (value) => {
      if (exchange.response !== undefined) return Effect.fail(refused)
      return value === true ? Effect.void
        : Effect.die(new RuntimeError(`the ${hook.name} gave ${describe(value)}, expected true to go on`))
    })
  }
  return Effect.matchCauseEffect(Stream.runForEach(exchange.request.stream, take), {
    onFailure: (cause) => Cause.squash(cause) === refused ? Effect.succeed(exchange.response) : exchange.failed(cause),
    onSuccess: () => Effect.undefined
  })
}

/**
 * Puts `on_free` around everything else of a route, if there is one: it is called when the request is over, however that
 * came, and what was stored for it is still there.
 *
 * @throws RuntimeError when it is the name of something else than a method.
 */
export const freed = (
  url: string,
  { on_free }: Registry.RouteHooks,
  origin: Origin,
  module: Readonly<Record<string, unknown>>,
  handler: Handler
): Handler => {
  if (on_free === undefined) return handler
  const where = `the route "${url}" has the hook on_free`
  const hook = {
    name: `hook on_free of "${url}"`,
    f: functionOf(on_free, where, origin.app as object | undefined, module)
  }
  return (request, found) =>
    Effect.gen(function*() {
      const exchange = shared(request, origin)
      const req = requestOf(exchange)
      exchange.hold()
      yield* Effect.addFinalizer(() => Effect.andThen(over(hook, exchange, req), exchange.release))
      return yield* handler(request, found)
    })
}

// Nobody waits for it, and nobody can be told but the log.
const over = (hook: Hook, exchange: Exchange, req: Request): Effect.Effect<void> =>
  Effect.catchCause(Effect.asVoid(call(hook, exchange, [req])), (cause) =>
    Context.get(services(), Tracer.Tracer).report(cause, { kind: "request", name: exchange.name, id: hook.name }))

/**
 * Puts authentication around a handler. The request that `verify` sees is the one that hooks and handler get.
 *
 * @throws RuntimeError when `verify` is the name of something else than a method.
 */
export const authenticated = (
  url: string,
  auth: Registry.Auth,
  origin: Origin,
  module: Readonly<Record<string, unknown>>,
  handler: Handler
): Handler => {
  const hook: Hook = {
    name: `verify of "${url}"`,
    f: functionOf(auth.verify, `the auth of "${url}" has the verify`, origin.app as object | undefined, module)
  }
  const middleware = Authentication.make({
    from: auth.type === "cookie" ? Authentication.cookie(auth.value) : Authentication.header(auth.value),
    verify: (credential, request) => {
      const exchange = shared(request as ServerRequest, origin)
      const req = requestOf(exchange)
      return Effect.orDie(call(hook, exchange, [req, credential])) as Effect.Effect<boolean>
    },
    onFailure: auth.redirect === undefined ? 403 : { redirect: auth.redirect }
  })
  // What `verify` answers is the answer, whatever it says besides.
  const answered = Middleware.mapResponse((response, request) =>
    shared(request as ServerRequest, origin).response ?? response
  )
  const unanswered: Handler = (request, found) => {
    const { response } = shared(request, origin)
    return response === undefined ? handler(request, found) : Effect.succeed(response)
  }
  return Middleware.wrapAll([answered, middleware], unanswered)
}
