/**
 * An app in this process, without sockets: requests go through the same transport, domains and routes.
 *
 * When to reach for it: tests of an app, with `@effect/vitest` and Effect's `HttpClient`.
 * What it is not: a mock. What is left out is the network and the processes.
 */
import type * as App from "@kore-fx/core/App"
import * as Config from "@kore-fx/core/Config"
import type * as KoreError from "@kore-fx/core/KoreError"
import * as Worker from "@kore-fx/core/process/Worker"
import type * as Router from "@kore-fx/http/Router"
import * as Server from "@kore-fx/http/Server"
import * as Transport from "@kore-fx/http/transport/Transport"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as Http from "node:http"
import type * as Net from "node:net"
import type { Duplex } from "node:stream"
import { MemorySocket } from "./internal/MemorySocket.ts"
import { services } from "./Kore.ts"

/** What can go wrong while a test builds an app, apart from the app's own errors. */
export type TestError = KoreError.ConfigError | Server.AttachError | Router.RouteError

/** What `test` may be told. */
export interface Options {
  /** The server that requests go to. Default: the app's first. */
  readonly server?: string
}

/**
 * A Layer that runs an app in this process and provides an `HttpClient` for it.
 *
 * A request for a path goes to `http://localhost`; an absolute URL chooses the domain by its host. Options come from
 * the app alone, not from the environment. Fails with the app's own errors and with `TestError`.
 *
 * There are no processes: the app is worker 1 and the only one, and gets its own messages. `Worker.shutdown` drains it:
 * what runs is answered, then it is released, and later requests are refused (ECONNREFUSED). `Worker.fatal` and `fatalx`
 * are the defect `WorkerFatal` of the fiber that calls them; the app goes on.
 */
export const test = <E>(
  self: App.App<E, never>,
  options: Options = {}
): Layer.Layer<HttpClient.HttpClient, E | TestError> =>
  Layer.effect(HttpClient.HttpClient, Effect.gen(function*() {
    const { config } = yield* Config.resolve({ app: self.config, env: {} })
    const names = Object.keys(self.servers)
    const toldToStop = yield* Deferred.make<void>()
    const provided = Worker.local(config, Effect.asVoid(Deferred.succeed(toldToStop, undefined)))
    // What the app has, apart from what the test has: a shutdown releases it.
    const scope = yield* Effect.acquireRelease(Scope.make(), (scope, exit) => Scope.close(scope, exit))
    const build = Effect.gen(function*() {
      const given = yield* Effect.provideContext(Layer.build(services(self)), provided)
      const all = Context.merge(provided, given) as Context.Context<any>
      return yield* Effect.provideContext(
        Effect.gen(function*() {
          const registrations = yield* Server.build(self.worker)
          yield* Server.checkAttachments(registrations, names)
          const server = options.server ?? names[0]
          if (options.server !== undefined && !names.includes(options.server)) {
            return yield* Effect.die(
              new Error(`Kore.test: the app declares no server "${options.server}"; it has ${names.join(", ")}`)
            )
          }
          const own = registrations.filter((registration) => registration.attach === server)
          return yield* Transport.connect(Server.settings(own, config), yield* Server.handler(own, config))
        }),
        all
      )
    })
    const connect = yield* Scope.provide(build, scope)
    const { NodeHttpClient } = yield* Effect.promise(() => import("./internal/nodeHttpClient.ts"))
    const agent = yield* Effect.acquireRelease(
      Effect.sync(() => new MemoryAgent(connect)),
      (agent) => Effect.sync(() => agent.destroy())
    )
    yield* Effect.forkScoped(
      Deferred.await(toldToStop).pipe(
        Effect.andThen(Effect.timeoutOption(agent.drain, config.shutdownTimeout)),
        Effect.andThen(Effect.uninterruptible(Scope.close(scope, Exit.void)))
      ),
      { startImmediately: true }
    )
    const client = yield* Effect.provideService(NodeHttpClient.makeNodeHttp, NodeHttpClient.HttpAgent, {
      http: agent,
      https: agent as never
    })
    return HttpClient.mapRequest(client,
      (request) => request.url.startsWith("/") ? HttpClientRequest.prependUrl(request, "http://localhost") : request)
  })) as Layer.Layer<HttpClient.HttpClient, E | TestError>

// Node's client over one end of a pair of streams; the other end is a connection of the server.
class MemoryAgent extends Http.Agent {
  private readonly accept: (socket: Net.Socket) => void
  private readonly open = new Set<MemorySocket>()
  private onEmpty: (() => void) | undefined

  constructor(accept: (socket: Net.Socket) => void) {
    super({ keepAlive: true })
    this.accept = accept
  }

  override createConnection(): Net.Socket {
    const [client, server] = MemorySocket.pair()
    if (this.onEmpty !== undefined) {
      const refused = new Error("connect ECONNREFUSED: the app was shut down")
      client.destroy(Object.assign(refused, { code: "ECONNREFUSED" }))
      return client as unknown as Net.Socket
    }
    this.open.add(client)
    client.on("close", () => {
      this.open.delete(client)
      if (this.open.size === 0) this.onEmpty?.()
    })
    this.accept(server as unknown as Net.Socket)
    return client as unknown as Net.Socket
  }

  // Whether a connection whose response is over is kept for another request; Node's types do not say that it tells.
  override keepSocketAlive(socket: Duplex): boolean {
    return this.onEmpty === undefined && (super.keepSocketAlive(socket) as unknown as boolean)
  }

  /** Takes no further request, and waits until those that run are answered. */
  readonly drain: Effect.Effect<void> = Effect.callback((resume) => {
    this.onEmpty = () => resume(Effect.void)
    for (const idle of Object.values(this.freeSockets)) for (const socket of idle ?? []) socket.destroy()
    if (this.open.size === 0) resume(Effect.void)
  })
}
