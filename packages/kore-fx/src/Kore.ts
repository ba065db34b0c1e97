/**
 * The platform: an app, and the ways to run it.
 *
 * When to reach for it: `Effect.runFork(Kore.main(app))` at the end of a program, `Kore.test(app)` in tests.
 * What it is not: where the work is done. `core` has the processes, `http` the servers; this joins them.
 */
import * as App from "@kore-fx/core/App"
import * as Config from "@kore-fx/core/Config"
import * as Fibers from "@kore-fx/core/Fibers"
import * as KoreError from "@kore-fx/core/KoreError"
import * as Listener from "@kore-fx/core/Listener"
import * as Log from "@kore-fx/core/Log"
import * as Parent from "@kore-fx/core/process/Parent"
import * as Worker from "@kore-fx/core/process/Worker"
import * as Scheduler from "@kore-fx/core/Scheduler"
import * as Task from "@kore-fx/core/Task"
import * as Tracer from "@kore-fx/core/Tracer"
import type * as Domain from "@kore-fx/http/Domain"
import type * as Router from "@kore-fx/http/Router"
import * as Server from "@kore-fx/http/Server"
import type * as Transport from "@kore-fx/http/transport/Transport"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as References from "effect/References"
import * as Host from "./Host.ts"
import type * as Test from "./Test.ts"

/** What the Layer of a worker may use without providing it. */
export type Provided = Domain.Registry | Worker.Provided | Task.Tasks | Tracer.Tracer

// Server names that domains attach to and the app does not declare.
type Undeclared<R, Servers> = R extends Domain.Attached<infer Name> ? Name extends keyof Servers ? never : Name : never

type Declared<R, Servers> = [Undeclared<R, Servers>] extends [never] ? unknown
  : { readonly "a domain attaches to a server that the app does not declare": Undeclared<R, Servers> }

/**
 * Makes an application: its configuration, the servers it listens on, and the Layer that each worker runs.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { Domain, Kore, Response, Route, Server } from "kore-fx"
 *
 * export const app = Kore.app({
 *   config: { workers: 2 },
 *   servers: { main: Server.tcp({ host: "127.0.0.1", port: 8888, tls: false }) },
 *   worker: Domain.layer("*", { attach: "main" }, [
 *     Route.get("/", () => Effect.succeed(Response.text("hello")))
 *   ])
 * })
 * ```
 */
export const app = <const Servers extends Readonly<Record<string, Listener.Address>>, E, R>(options: {
  /** What the processes are called: `<name> [parent]`, `<name> [wrk 1]`. Default: `kore`. */
  readonly name?: string
  /** Options in force unless the environment or a file says otherwise; see `Config`. */
  readonly config?: Config.Input
  readonly servers: Servers
  readonly worker: Layer.Layer<never, E, R> & Declared<R, Servers>
  /** Where uncaught failures go; default: the log, at level Error. */
  readonly tracer?: Tracer.Report
}): App.App<E, Exclude<R, Provided | Domain.Attached<keyof Servers & string>>> =>
  App.make({
    name: options.name,
    config: options.config ?? {},
    servers: options.servers,
    worker: options.worker as Layer.Layer<never, E, never>,
    tracer: options.tracer
  })

/** Everything that can go wrong before or while an app runs, apart from its own errors. */
export type RunError = KoreError.KoreError | Server.AttachError | Router.RouteError | Transport.TransportError

/**
 * Runs an app: this process becomes the parent of its workers, or one of them.
 *
 * It ends when SIGTERM, SIGINT, SIGQUIT or `Worker.shutdown` asks for it, or when it is interrupted: the workers stop accepting, finish
 * what runs within `shutdownTimeout`, and are gone. A failure is written to the log and sets the exit status: 2 when
 * nothing was started because of what was asked (configuration, address), 1 when it ran and failed.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { Kore } from "kore-fx"
 *
 * const app = Kore.app({ servers: {}, worker: Layer.empty })
 * Effect.runFork(Kore.main(app))
 * ```
 */
export const main = <E>(self: App.App<E, never>): Effect.Effect<void, RunError | E> =>
  Effect.suspend(() => {
    const host = Host.current()
    host?.started.push(self)
    return host?.mode === "inspect" ? Effect.void : reported(run(self), self.config)
  })

const run = Effect.fnUntraced(function*<E>(self: App.App<E, never>): Effect.fn.Return<void, RunError | E> {
  const resolved = yield* Config.resolve({ app: self.config })
  yield* Worker.isWorker
    ? Worker.main({
      name: self.name,
      config: resolved.config,
      layer: Server.layer(self.worker as unknown as Layer.Layer<never, E, Domain.Registry | Provided>),
      services: services(self),
      fibers: Fibers.list
    })
    : Effect.andThen(
      checkServers(self.servers),
      Parent.main({
        name: self.name,
        file: Host.current()?.file,
        servers: self.servers,
        config: resolved.config,
        notApplied: notApplied(resolved)
      })
    )
})

/** What a worker gives to the Layer of an app, beyond what its process does. */
export const services = (self: App.App<unknown, unknown>): Layer.Layer<Task.Tasks | Tracer.Tracer> =>
  Task.Tasks.layer.pipe(
    Layer.provideMerge(self.tracer === undefined ? Tracer.layerDefault : Tracer.layer(self.tracer)),
    Layer.provideMerge(Layer.mergeAll(
      Scheduler.layer,
      // Spans cost microseconds and nobody reads them until an exporter is there.
      Layer.succeed(References.TracerEnabled, false)
    ))
  )

/** What can go wrong while a test builds an app, apart from the app's own errors. */
export type TestError = Test.TestError

/**
 * A Layer that runs an app in this process, without sockets, and provides an `HttpClient` for it; see `Test`.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as HttpClient from "effect/http/HttpClient"
 * import * as Layer from "effect/Layer"
 * import { Kore } from "kore-fx"
 *
 * const app = Kore.app({ servers: {}, worker: Layer.empty })
 * export const program = Effect.gen(function*() {
 *   const response = yield* HttpClient.get("/users/1")
 *   return yield* response.json
 * }).pipe(Effect.provide(Kore.test(app)))
 * ```
 */
export const test = <E>(
  self: App.App<E, never>,
  options?: Test.Options
): Layer.Layer<HttpClient.HttpClient, E | TestError> =>
  // Loaded when a test asks: workers have no use for an HTTP client.
  Layer.unwrap(Effect.map(Effect.promise(() => import("./Test.ts")), ({ test }) => test(self, options)))

const notApplied = (resolved: Config.Resolved): ReadonlyArray<string> =>
  Config.describe(resolved)
    .filter((row) => row.notApplied !== undefined && row.origin.source !== "default")
    .map((row) => `${row.option} (${row.notApplied})`)

/** Fails with `ListenError` for servers that ask for what this version does not have. */
export const checkServers = (
  servers: Readonly<Record<string, Listener.Address>>
): Effect.Effect<void, KoreError.ListenError> =>
  Effect.forEach(Object.entries(servers), ([server, address]) =>
    address.tls
      ? Effect.fail(new KoreError.ListenError({
        server,
        address: Listener.label(address),
        reason: "TLS is not available in this version",
        hint: "Say tls: false, and put a proxy that speaks TLS in front."
      }))
      : Effect.void, { discard: true })

// `Effect.runFork` says nothing about a fiber that fails, so the platform does.
const reported = <E>(effect: Effect.Effect<void, E>, config: Config.Input): Effect.Effect<void, E> =>
  Effect.tapCause(effect, (cause) => {
    if (Cause.hasInterruptsOnly(cause)) return Effect.void
    const error = Cause.squash(cause)
    process.exitCode = KoreError.exitStatus(error)
    // The parent was told by message what stopped a worker; it speaks for all.
    if (Worker.isWorker) return Effect.void
    const lines = Cause.hasFails(cause) && error instanceof Error
      // A message of several lines is as many records, so that people can read it and programs still count on one
      // record being one line.
      ? Effect.forEach(error.message.split("\n"), (line) => Effect.logError(line), { discard: true })
      : Effect.logError("the server failed", cause)
    return Effect.provide(lines, Log.layerEarly("parent", config))
  })
