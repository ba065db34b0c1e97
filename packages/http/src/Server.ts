/**
 * The servers of an app: where they listen, and the way of a request from its connection to its route.
 *
 * When to reach for it: `Server.tcp` and `Server.unix` in an app's `servers`.
 * What it is not: the transport, which knows bytes but no routes; nor a process.
 */
import * as Config from "@kore-fx/core/Config"
import * as Fibers from "@kore-fx/core/Fibers"
import * as Listener from "@kore-fx/core/Listener"
import * as Task from "@kore-fx/core/Task"
import * as Tracer from "@kore-fx/core/Tracer"
import * as ByteSize from "effect/ByteSize"
import type * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Runtime from "effect/Runtime"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as AccessLog from "./AccessLog.ts"
import * as Domain from "./Domain.ts"
import * as ErrorPage from "./ErrorPage.ts"
import * as Exchange from "./Exchange.ts"
import { HttpServerResponse } from "./internal/effectHttp.ts"
import * as Middleware from "./Middleware.ts"
import * as Problem from "./Problem.ts"
import type { ServerRequest } from "./Request.ts"
import * as Route from "./Route.ts"
import * as Router from "./Router.ts"
import * as StoredBody from "./StoredBody.ts"
import * as Transport from "./transport/Transport.ts"

/**
 * A server on an IP address or host name and a port; port 0 lets the system choose.
 *
 * `tls` is true unless switched off, as in Kore.
 */
export const tcp = (options: {
  readonly host: string
  readonly port: number
  readonly tls?: boolean
}): Listener.Tcp => ({ _tag: "Tcp", host: options.host, port: options.port, tls: options.tls ?? true })

/** A server on a UNIX socket; a path that begins with `@` is in Linux' abstract namespace. */
export const unix = (options: {
  readonly path: string
  readonly tls?: boolean
}): Listener.Unix => ({ _tag: "Unix", path: options.path, tls: options.tls ?? true })

// So that a request adds to it at the lowest cost.
const flat = (context: Context.Context<never>): Context.Context<never> => Context.makeUnsafe(new Map(context.mapUnsafe))

/**
 * The domains of one server by host, whatever the spelling of the host.
 *
 * Fails with `RouteError` for a host that nothing can match.
 */
export const byHost = Effect.fnUntraced(function*(registrations: ReadonlyArray<Domain.Registration>) {
  const hosts = new Map<string, Array<Domain.Registration>>()
  for (const registration of registrations) {
    if (!Domain.isHost(registration.host)) {
      const detail = "a host is a name, *.name, an address or *; it has no port and no other wildcard"
      return yield* new Router.RouteError({ host: registration.host, route: "of its own", detail })
    }
    const host = Domain.normalize(registration.host)
    hosts.set(host, [...hosts.get(host) ?? [], registration])
  }
  return hosts
})

const bodyMaxOf = ({ spec }: Route.Route<any, any>): number | undefined =>
  spec.bodyMax === undefined ? undefined : ByteSize.toNumberUnsafe(ByteSize.fromInputUnsafe(spec.bodyMax))

/** What the transport of a server is told: the options, with room for the largest body that a route takes. */
export const settings = (
  registrations: ReadonlyArray<Domain.Registration>,
  config: Config.Config
): Transport.Settings => {
  const settings = Transport.settings(config)
  const limits = registrations.flatMap(({ routes }) => routes.map((route) => bodyMaxOf(route) ?? 0))
  return { ...settings, bodyMax: Math.max(settings.bodyMax, ...limits) }
}

// The routes of a server by host.
const hostsOf = Effect.fnUntraced(function*(registrations: ReadonlyArray<Domain.Registration>, bodyMax: number) {
  const isRaised = registrations.some(({ routes }) => routes.some((route) => (bodyMaxOf(route) ?? 0) > bodyMax))
  const usual = isRaised ? bodyMax : undefined
  const routers = yield* Effect.forEach(yield* byHost(registrations), ([host, same]) => {
    const entries = same.flatMap(({ context, routes }) => {
      const services = flat(context)
      return routes.map((route) => ({
        route,
        target: { route, context: services, bodyMax: bodyMaxOf(route) ?? usual }
      }))
    })
    return Effect.map(Router.make(host, entries),
      (router) => [host, { router, unanswered: unansweredOf(same, usual) }] as const)
  })
  return new Domain.Hosts(routers)
})

/**
 * The handler of a server: request → domain → route → fiber → response.
 *
 * Fails with `RouteError` when routes contradict each other.
 *
 * HOT PATH: one fiber for a request, no Promise, no layer of middleware; a handler that does not suspend is answered
 * before the next request is parsed.
 */
export const handler = (
  registrations: ReadonlyArray<Domain.Registration>,
  config: Pick<Config.Config, "httpPrettyError" | "httpBodyMax"> = Config.defaults
): Effect.Effect<Transport.Handler, Router.RouteError, Tracer.Tracer | Scope.Scope> =>
  Effect.gen(function*() {
    const tracer = yield* Tracer.Tracer
    const hosts = yield* hostsOf(registrations, ByteSize.toNumberUnsafe(config.httpBodyMax))
    const report = (cause: Cause.Cause<unknown>, request: ServerRequest): void =>
      tracer.reportUnsafe(cause, {
        kind: "request",
        name: `${request.method} ${request.path}`,
        id: `${request.source.remoteAddress ?? "unix"}:${request.source.remotePort ?? ""}`
      })
    const work = new Exchange.Work()
    yield* Fibers.addSource(work)
    const errorPage = config.httpPrettyError ? ErrorPage.negotiate : undefined
    const observer = AccessLog.byHost(
      [...yield* byHost(registrations)].map((
        [host, same]
      ) => [host, same.find(({ accessLog }) => accessLog)?.accessLog])
    )
    return { handle: handleWith(hosts, { work, report, errorPage }), report, idle: work.idle, observer }
  })

/** A domain attaches to a server that the app does not declare. */
export class AttachError extends Schema.TaggedError<AttachError>()("AttachError", {
  host: Schema.String,
  attach: Schema.String,
  servers: Schema.Array(Schema.String)
}) {
  // The same next time: the parent makes no second try.
  override readonly [Runtime.errorExitCode] = 2

  override get message(): string {
    const known = this.servers.length === 0 ? "none" : this.servers.map((name) => `"${name}"`).join(", ")
    return `the domain "${this.host}" attaches to the server "${this.attach}", but the app declares ${known}: ` +
      "give the domain one of these names, or declare the server in the app"
  }
}

/**
 * The Layer of an app with its servers on top: builds the domains, then opens every listener for them.
 *
 * Closing its scope drains the servers first and the app's services after them. A server without domains answers 404.
 * Fails with `AttachError` and `RouteError` for contradictions, with `TransportError` when a descriptor is unusable.
 */
export const layer = <E, R>(
  app: Layer.Layer<never, E, R>
): Layer.Layer<
  never,
  E | AttachError | Router.RouteError | Transport.TransportError,
  Exclude<R, Domain.Registry> | Listener.Listeners | Config.Current | Task.Tasks | Tracer.Tracer
> =>
  Layer.effectDiscard(Effect.gen(function*() {
    const registrations = yield* build(app)
    const listeners = yield* Listener.Listeners
    const config = yield* Config.Current
    yield* StoredBody.sweep
    yield* checkAttachments(registrations, [...listeners.keys()])
    // Every route is compiled before the first server opens: a contradiction anywhere must not be found by clients.
    const servers = yield* Effect.forEach(listeners, ([name, bound]) => {
      const own = registrations.filter((registration) => registration.attach === name)
      return Effect.map(handler(own, config), (handler) => ({ bound, handler, settings: settings(own, config) }))
    })
    const ports = yield* Effect.forEach(servers, ({ bound, handler, settings }) =>
      Transport.listen(
        { descriptor: bound.descriptor, untilEmpty: Listener.untilEmpty(bound) },
        settings,
        handler
      ))
    // All at once: no server goes on as if nothing happened while another one finishes what it runs.
    yield* Effect.addFinalizer(() =>
      Effect.forEach(ports, (port) => port.drain, { concurrency: "unbounded", discard: true })
    )
  }))

/**
 * Builds the Layer of an app and returns what its domains ask for.
 *
 * When the scope closes, tasks end before the services that they use are released.
 */
export const build = Effect.fnUntraced(function*<E, R>(app: Layer.Layer<never, E, R>) {
  const registry = Domain.Registry.make()
  yield* Layer.build(Layer.provide(app, Layer.succeed(Domain.Registry, registry)))
  const tasks = yield* Task.Tasks
  yield* Effect.addFinalizer(() => tasks.close)
  return registry.registrations
})

/** Fails with `AttachError` for a domain whose server is not among `servers`. */
export const checkAttachments = (
  registrations: ReadonlyArray<Domain.Registration>,
  servers: ReadonlyArray<string>
): Effect.Effect<void, AttachError> =>
  Effect.forEach(registrations, ({ attach, host }) =>
    servers.includes(attach) ? Effect.void : Effect.fail(new AttachError({ host, attach, servers })), { discard: true })

/** What answers a host. */
interface Host {
  readonly router: Router.Router<Exchange.Target>
  /** What answers when no route does, where middleware stands around it. */
  readonly unanswered: Exchange.Target | undefined
}

type Miss = Exclude<Router.Result<unknown>, { readonly _tag: "Found" }>

const answerTo = (miss: Miss, { method, path }: ServerRequest): HttpServerResponse.HttpServerResponse => {
  switch (miss._tag) {
    case "NotFound":
      return Problem.response({ status: 404, detail: `nothing is at ${path}` })
    case "Malformed":
      return Problem.response({ status: 400, detail: "the path is not percent-encoded UTF-8" })
    case "NotAllowed": {
      const headers = { allow: miss.allow }
      return method === "OPTIONS"
        ? HttpServerResponse.empty({ headers })
        : Problem.response({ status: 405, detail: `${path} answers ${miss.allow}`, headers })
    }
  }
}

// Middleware knows handlers, so the answers of the router are given by one: what it found is that there is nothing.
const unansweredOf = (
  registrations: ReadonlyArray<Domain.Registration>,
  bodyMax: number | undefined
): Exchange.Target | undefined => {
  const first = registrations.find(({ middleware }) => middleware.length > 0)
  if (first === undefined) return undefined
  const handler = Middleware.wrapAll(
    first.middleware,
    (request, miss) => Effect.succeed(answerTo(miss as unknown as Miss, request))
  )
  return { route: Route.make({ methods: [], pattern: "/*any", handler }), context: flat(first.context), bodyMax }
}

const handleWith = (
  hosts: Domain.Hosts<Host>,
  { errorPage, report, work }: Omit<Exchange.Surroundings, "connection">
): Transport.Handler["handle"] =>
(request, connection) => {
  const surroundings = { connection, report, work, errorPage }
  const host = hosts.only ?? hosts.find(request.host)
  if (host === undefined) {
    const problem = Problem.response({ status: 404, detail: `no domain answers "${request.host}"` })
    return void Exchange.send(surroundings, request, problem)
  }
  const result = host.router.find(request.method, request.path)
  if (result._tag === "Found") return Exchange.run(result.target, result.found, request, surroundings)
  if (host.unanswered === undefined) return void Exchange.send(surroundings, request, answerTo(result, request))
  return Exchange.run(host.unanswered, result, request, surroundings)
}
