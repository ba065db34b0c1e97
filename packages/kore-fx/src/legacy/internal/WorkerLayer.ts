/**
 * What a worker of the old API runs: its hooks, its early tasks, its routes.
 *
 * When to reach for it: `Program.toApp` makes one for an app.
 * What it is not: a process; core runs this Layer in one.
 *
 * In order: the hooks that are called from outside, tasks and timers that were created before, `workerstart`, then the
 * domains; the servers open last. At the end: the servers drain, tasks are killed, then timers and the hooks that are
 * called from outside end, `workerstop`, and last the sockets are closed.
 */
import type * as CoreMessage from "@kore-fx/core/Message"
import * as Signal from "@kore-fx/core/process/Signal"
import * as Tracer from "@kore-fx/core/Tracer"
import * as Domain from "@kore-fx/http/Domain"
import * as Redirect from "@kore-fx/http/Redirect"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Scope from "effect/Scope"
import * as os from "node:os"
import * as Host from "../../Host.ts"
import { isThenable } from "../Coroutine.ts"
import type { HookError } from "../errors.ts"
import * as Message from "../Message.ts"
import { createEarly } from "../Task.ts"
import * as Trace from "../Trace.ts"
import type { Owner } from "./declare.ts"
import * as Files from "./Files.ts"
import * as Handler from "./Handler.ts"
import * as Hooks from "./Hooks.ts"
import {
  type Declaration,
  type Domain as Declared,
  type Registry,
  registry,
  type Route,
  type TracerCallback
} from "./Registry.ts"
import * as Run from "./Run.ts"

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
  const owner = { app, module, prerequest: declaration.prerequest }
  const routes = [...domains].map(([{ accesslog, attach, host, redirects }, routes]) =>
    Domain.layer(host, accesslog === undefined ? { attach } : { attach, accessLog: { path: accesslog } }, [
      ...redirects.map(({ pattern, status, target }) => Redirect.route(pattern, status, target)),
      ...routes.map((route) => routeOf(route, routes, owner))
    ] as never)
  )
  const layer = routes.length === 0 ? Layer.empty : Layer.mergeAll(...routes as unknown as [Layer.Layer<never>])
  // A command that only looks at the app wants its routes, and nothing started for them.
  const started = Host.current()?.mode === "inspect" ? layer : Layer.provideMerge(layer, start(declaration, hooks))
  // What these layers need is what every worker has; see `Kore.Provided`.
  return started as Layer.Layer<never, HookError>
}

const routeOf = (route: Route, all: ReadonlyArray<Route>, owner: Owner) =>
  route.target._tag === "Call"
    ? Handler.route(route, route.target, owner)
    : Files.route(route, route.target, owner, all.filter(({ target }) => target._tag === "Files").map(({ url }) => url))

const start = (declaration: Declaration, hooks: Hooks.Hooks) =>
  Layer.effectDiscard(Effect.gen(function*() {
    const context = yield* Effect.context<CoreMessage.Messages | Tracer.Tracer>()
    const tracer = Context.get(context, Tracer.Tracer)
    // Sockets are still there in `workerstop`; timers and messages have ended before.
    const lasting = yield* scope
    // Flat, so that adding to it is cheap for every request.
    const running = Context.makeUnsafe<any>(new Map(Context.add(context, Scope.Scope, lasting).mapUnsafe))
    yield* during("running", running)
    let hasStarted = false
    yield* Effect.addFinalizer(() =>
      hasStarted
        ? reported(hooks.workerstop, [], { kind: "worker", name: "workerstop", id: process.pid }, tracer)
        : Effect.void
    )
    const work = yield* scope
    yield* during("work", work)
    yield* Scope.provide(trapSignals(hooks.signal, declaration.signals, tracer), work)
    if (hooks.onmsg !== undefined) yield* Scope.provide(Message.listen(hooks.onmsg), work)
    Trace.trace(running, declaration.trace)
    createEarly(declaration.tasks)
    for (const timer of declaration.timers) timer.start()
    yield* Hooks.run(hooks.workerstart, [], { isFinal: false })
    hasStarted = true
  }))

const scope = Effect.acquireRelease(Scope.make(), (scope, exit) => Scope.close(scope, exit))

// Sets a field of the registry until the scope closes. In tests one worker may run within another one.
const during = <K extends "running" | "trap" | "work">(field: K, value: Registry[K]) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const before = registry[field]
      registry[field] = value
      return before
    }),
    (before) => Effect.sync(() => void (registry[field] = before))
  )

const reported = (
  hook: Hooks.Hook | undefined,
  args: ReadonlyArray<unknown>,
  origin: Tracer.Origin,
  tracer: Tracer.Tracer["Service"]
): Effect.Effect<void> =>
  hook === undefined ? Effect.void
    : Effect.asVoid(Effect.catchCause(hook.run(...args), (cause) => tracer.report(cause, origin)))

// --- signals ---------------------------------------------------------------------------------------------------------

const usual: ReadonlyArray<NodeJS.Signals> = ["SIGINT", "SIGHUP", "SIGUSR1", "SIGUSR2"]
const ending = ["SIGTERM", "SIGQUIT"] as const

/** Traps signals, and hands each to the hook if there is one. */
const trapSignals = (
  hook: Hooks.Hook | undefined,
  declared: ReadonlySet<NodeJS.Signals>,
  tracer: Tracer.Tracer["Service"]
) => {
  const deliver = (signal: NodeJS.Signals) =>
    reported(hook, [os.constants.signals[signal]], { kind: "signal", name: signal, id: process.pid }, tracer)
  const trapped = new Set<NodeJS.Signals>(ending)
  const trap = (signals: Iterable<NodeJS.Signals>) => {
    const more = [...signals].filter((signal) => !trapped.has(signal))
    for (const signal of more) trapped.add(signal)
    return Effect.flatMap(Effect.orDie(Signal.subscribe(more as ReadonlyArray<string>)),
      (queue) =>
        Effect.forkScoped(Effect.forever(Effect.flatMap(Queue.take(queue), deliver)), { startImmediately: true }))
  }
  return Effect.gen(function*() {
    yield* trap(hook === undefined ? declared : [...usual, ...declared])
    // Once: the second of these ends the process, whatever the app thinks of it.
    if (hook !== undefined) {
      yield* Effect.forkScoped(Effect.flatMap(Signal.wait(ending), deliver), { startImmediately: true })
    }
    const context = yield* Effect.context<Scope.Scope>()
    yield* during("trap", (signal) => void Run.atOnce(trap([signal]), context))
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
