/**
 * What a worker of the old API runs: its hooks, its early tasks, its routes.
 *
 * When to reach for it: `Program.toApp` makes one for an app.
 * What it is not: a process; core runs this Layer in one.
 *
 * In order: tasks that were created before, `workerstart`, then the domains; the servers open last. At the end: the
 * servers drain, the tasks are killed, `workerstop`.
 */
import * as Signal from "@kore-fx/core/process/Signal"
import * as Tracer from "@kore-fx/core/Tracer"
import * as Domain from "@kore-fx/http/Domain"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as os from "node:os"
import * as Host from "../../Host.ts"
import { isThenable } from "../Coroutine.ts"
import { type HookError, RuntimeError } from "../errors.ts"
import { createEarly } from "../Task.ts"
import * as Handler from "./Handler.ts"
import * as Hooks from "./Hooks.ts"
import { type Declaration, type Domain as Declared, registry, type Route, type TracerCallback } from "./Registry.ts"

/** An app and what it has declared. */
export interface Parts {
  readonly app: object | undefined
  readonly declaration: Declaration
  readonly domains: ReadonlyMap<Declared, ReadonlyArray<Route>>
  readonly hooks: Hooks.Hooks
  readonly module: Hooks.Module
}

/**
 * Makes the Layer.
 *
 * @throws RuntimeError for a route whose handler is the name of something else than a method.
 */
export const make = ({ app, declaration, domains, hooks, module }: Parts): Layer.Layer<never, HookError> => {
  const routes = [...domains].map(([{ attach, host }, routes]) =>
    Domain.layer(host, { attach }, routes.map((route) =>
      Handler.route(route, handlerOf(route, app, module), app)
    ) as never)
  )
  const layer = routes.length === 0 ? Layer.empty : Layer.mergeAll(...routes as unknown as [Layer.Layer<never>])
  // A command that only looks at the app wants its routes, and nothing started for them.
  const started = Host.current()?.mode === "inspect" ? layer : Layer.provideMerge(layer, start(declaration, hooks))
  // What these layers need is what every worker has; see `Kore.Provided`.
  return started as Layer.Layer<never, HookError>
}

const handlerOf = ({ handler, url }: Route, app: object | undefined, module: Hooks.Module) => {
  if (typeof handler === "function") return handler
  const found = (app as Record<string, unknown> | undefined)?.[handler] ?? module[handler]
  if (typeof found === "function") return found as (...args: Array<any>) => unknown
  throw new RuntimeError(`the route "${url}" has the handler "${handler}", but the app has no method of that name`)
}

const start = (declaration: Declaration, hooks: Hooks.Hooks) =>
  Layer.effectDiscard(Effect.gen(function*() {
    const context = yield* Effect.context<Tracer.Tracer>()
    const tracer = Context.get(context, Tracer.Tracer)
    yield* Effect.acquireRelease(
      Effect.sync(() => {
        const before = registry.running
        // Flat, so that adding to it is cheap for every request.
        registry.running = Context.makeUnsafe(new Map(context.mapUnsafe))
        return before
      }),
      (before) => Effect.sync(() => void (registry.running = before))
    )
    createEarly(declaration.tasks)
    if (hooks.signal !== undefined) yield* listen(hooks.signal, tracer)
    yield* Hooks.run(hooks.workerstart, [], { isFinal: false })
    yield* Effect.addFinalizer(() =>
      reported(hooks.workerstop, [], { kind: "worker", name: "workerstop", id: process.pid }, tracer)
    )
  }))

const reported = (
  hook: Hooks.Hook | undefined,
  args: ReadonlyArray<unknown>,
  origin: Tracer.Origin,
  tracer: Tracer.Tracer["Service"]
): Effect.Effect<void> =>
  hook === undefined ? Effect.void
    : Effect.asVoid(Effect.catchCause(hook.run(...args), (cause) => tracer.report(cause, origin)))

// --- signals ---------------------------------------------------------------------------------------------------------

const listen = (hook: Hooks.Hook, tracer: Tracer.Tracer["Service"]) => {
  const deliver = (signal: NodeJS.Signals) =>
    reported(hook, [os.constants.signals[signal]], { kind: "signal", name: signal, id: process.pid }, tracer)
  return Effect.gen(function*() {
    const signals = yield* Signal.subscribe(["SIGINT", "SIGHUP", "SIGUSR1", "SIGUSR2"])
    yield* Effect.forkScoped(Effect.forever(Effect.flatMap(Queue.take(signals), deliver)), { startImmediately: true })
    // Once: the second of these ends the process, whatever the app thinks of it.
    yield* Effect.forkScoped(Effect.flatMap(Signal.wait(["SIGTERM", "SIGQUIT"]), deliver), { startImmediately: true })
  })
}

// --- the tracer ------------------------------------------------------------------------------------------------------

/** The report of an app whose tracer is a function of the old API: class, value, stack. */
export const report = (callback: TracerCallback): Tracer.Report => (cause) =>
  Effect.suspend(() => {
    const value = Cause.squash(cause)
    const isError = value instanceof Error
    const etype: Function = isError ? value.constructor : Error
    const result = callback(etype, value, (isError ? value.stack : undefined) ?? Cause.pretty(cause))
    return isThenable(result) ? Effect.promise(() => Promise.resolve(result)) : Effect.void
  })
