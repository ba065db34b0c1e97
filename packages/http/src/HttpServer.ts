/**
 * Effect's `HttpServer` service on our transport: any `effect/http` program runs on it unchanged.
 *
 * When to reach for it: an `HttpRouter` or `HttpApi` program that wants this server without Kore's app, domains and
 * processes.
 * What it is not: needed in an app; `Kore.main` opens the servers there.
 */
import * as Config from "@kore-fx/core/Config"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as NetAddress from "effect/net/NetAddress"
import * as Scope from "effect/Scope"
import { HttpEffect, HttpServer, HttpServerRequest, HttpServerResponse } from "./internal/effectHttp.ts"
import type { ServerRequest } from "./Request.ts"
import type { Connection } from "./transport/Connection.ts"
import * as Transport from "./transport/Transport.ts"

type Handled = Effect.Effect<void, never, any>

const handleResponse = (
  request: HttpServerRequest.HttpServerRequest,
  response: HttpServerResponse.HttpServerResponse
): Effect.Effect<void> => (request.source as Connection).respond(request as ServerRequest, response) ?? Effect.void

/**
 * Listens on an address and provides Effect's `HttpServer`. Requests wait for nothing: before a program is served,
 * they get 503.
 *
 * Options are those of `Config`; the transport's defaults hold for the others. Fails with `TransportError`.
 */
export const make = Effect.fnUntraced(function*(
  target: Transport.Target,
  config: Partial<Config.Config> = {}
): Effect.fn.Return<HttpServer.HttpServer["Service"], Transport.TransportError, Scope.Scope> {
  const run = Effect.runForkWith(yield* Effect.context<never>())
  let serve: Transport.Handler["handle"] = (request, connection) =>
    void connection.respond(request, HttpServerResponse.empty({ status: 503 }))
  const listening = yield* Transport.listen(target, Transport.settings({ ...Config.defaults, ...config }), {
    handle: (request, connection) => serve(request, connection),
    report: (cause) => run(Effect.logError("a response could not be sent", cause))
  })
  const { address } = listening
  return HttpServer.make({
    address: typeof address === "string"
      ? NetAddress.unixPathAddress(address)
      : yield* Effect.orDie(Effect.fromResult(NetAddress.inetAddressFromIpString(address.address, address.port))),
    serve: Effect.fnUntraced(function*(httpEffect, middleware) {
      const scope = yield* Effect.scope
      const services = yield* Effect.context<never>()
      const handled = HttpEffect.toHandled(httpEffect, handleResponse, middleware) as Handled
      const work = Scope.forkUnsafe(scope, "parallel")
      serve = (request) => {
        const context = Context.add(services, HttpServerRequest.HttpServerRequest, request)
        const fiber = Fiber.runIn(Effect.runForkWith(context as Context.Context<any>)(handled), work)
        if (fiber.pollUnsafe() === undefined) request.fiber = fiber
      }
      yield* Effect.addFinalizer(() => listening.drain)
    })
  })
})

/** Effect's `HttpServer` on an address, as a Layer. */
export const layer = (
  target: Transport.Target,
  config?: Partial<Config.Config>
): Layer.Layer<HttpServer.HttpServer, Transport.TransportError> =>
  Layer.effect(HttpServer.HttpServer)(make(target, config))
