/**
 * What a program of the old API has declared so far, and the worker that runs it: the one place of module-level state.
 *
 * When to reach for it: the functions of `kore` write it, `Program` reads it once `configure` has ended.
 * What it is not: the app. `Program.toApp` makes one of it; after that nothing may be declared any more.
 */
import type * as Listener from "@kore-fx/core/Listener"
import type { Declaration as Parameters } from "@kore-fx/http/arguments/Declaration"
import * as Context from "effect/Context"
import * as Scope from "effect/Scope"
import type { Coroutine } from "../Coroutine.ts"
import { RuntimeError } from "../errors.ts"

/** A domain as it was declared. */
export interface Domain {
  readonly host: string
  readonly attach: string
  /** Tried before the routes, in order. */
  readonly redirects: Array<Redirect>
  accesslog: string | undefined
}

/** A redirect as it was declared. */
interface Redirect {
  readonly pattern: RegExp
  readonly status: number
  readonly target: string
}

/** A function of the app, or the name of a method of the app. */
export type Callable = ((...args: Array<any>) => any) | string

/** Who may ask, as it was declared. */
export interface Auth {
  readonly type: "cookie" | "header"
  readonly value: string
  readonly verify: Callable
  readonly redirect: string | undefined
}

/** What is called around a handler. */
export interface RouteHooks {
  readonly on_headers?: Callable | undefined
  readonly on_body_chunk?: Callable | undefined
  readonly on_free?: Callable | undefined
}

/** A function that answers, and what stands before it. */
export interface Call {
  readonly _tag: "Call"
  readonly handler: Callable
  readonly parameters: Parameters<any> | undefined
  readonly auth: Auth | undefined
  readonly hooks: RouteHooks
}

/** A directory that is served. */
export interface Files {
  readonly _tag: "Files"
  readonly directory: string
  readonly auth: Auth | undefined
}

/** A route as it was declared. */
export interface Route {
  readonly url: string
  readonly pattern: RegExp
  /** In upper case, HEAD with every GET. */
  readonly methods: ReadonlyArray<string>
  readonly target: Call | Files
  /** The domain, its host, or `undefined` for the only one there is. */
  readonly domain: Domain | string | undefined
}

/** A task that was created before a worker runs. */
export interface EarlyTask {
  /** Below zero, so that it cannot be the id of a running task. */
  readonly id: number
  readonly coroutine: Coroutine<unknown>
}

/** A timer that was created before a worker runs. */
interface EarlyTimer {
  /** Starts it, unless it has been closed. */
  readonly start: () => void
}

/** What an app passes to `kore.tracer`. */
export type TracerCallback = (etype: Function, value: unknown, traceback: string) => unknown

/** What a program declares. */
export interface Declaration {
  /** Values as they were assigned, by camelCase name; each has been checked. */
  readonly config: Record<string, unknown>
  readonly servers: Map<string, Listener.Address>
  readonly domains: Array<Domain>
  readonly routes: Array<Route>
  /** What is called before the handler of every route, in order. */
  readonly prerequest: Array<Callable>
  readonly tasks: Array<EarlyTask>
  readonly timers: Array<EarlyTimer>
  /** Signals beyond those that every worker traps. */
  readonly signals: Set<NodeJS.Signals>
  tracer: TracerCallback | undefined
  /** What the processes are called. */
  name: string | undefined
  /** The level of `kore.corotrace`. */
  trace: number
}

/** The state of a process. */
export interface Registry {
  declaration: Declaration
  /** The declaration has become an app. */
  closed: boolean
  /** Ids of the tasks that were created before the worker ran: the early id to that of the fiber. */
  readonly early: Map<number, number>
  /** The object with the hooks and handlers, which are called with it as `this`. */
  app: object | undefined
  /** What `kore.app` keeps. */
  stored: unknown
  /** The services of the worker, while it runs. */
  running: Context.Context<any> | undefined
  /** What of the worker ends before `workerstop`. */
  work: Scope.Scope | undefined
  /** Has the running worker trap one more signal. */
  trap: ((signal: NodeJS.Signals) => void) | undefined
}

const make = (): Registry => ({
  declaration: {
    config: {},
    servers: new Map(),
    domains: [],
    routes: [],
    prerequest: [],
    tasks: [],
    timers: [],
    signals: new Set(),
    tracer: undefined,
    name: undefined,
    trace: 0
  },
  closed: false,
  early: new Map(),
  app: undefined,
  stored: null,
  running: undefined,
  work: undefined,
  trap: undefined
})

/** The state of this process. */
export const registry: Registry = make()

/**
 * Forgets everything that was declared, so that another app can be declared in the same process.
 *
 * For tests: a server has one app in its life. Workers that run at this moment go on.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { Kore } from "kore-fx"
 * import { reset, toApp } from "kore-fx/legacy"
 *
 * const testing = (koreapp: object) =>
 *   Effect.map(Effect.andThen(Effect.sync(reset), toApp(koreapp)), (app) => Kore.test(app))
 * ```
 */
export const reset = (): void => {
  const { running, trap, work } = registry
  Object.assign(registry, make(), { running, trap, work })
}

/** The services of the worker that runs here; `call` is told when none does. */
export const inWorker = (call: string): Context.Context<any> => {
  if (registry.running !== undefined) return registry.running
  throw new RuntimeError(`${call} needs a worker, and none runs here: call it from workerstart on`)
}

/** What is declared so far; `call` is told that it comes too late once the app has started. */
export const declaring = (call: string): Declaration => {
  if (registry.closed) {
    throw new RuntimeError(`${call} comes too late: an app declares everything at import or in configure`)
  }
  return registry.declaration
}

// Outside of a worker there is nothing but a scope that never closes: for locks taken at import, say.
const outside: Context.Context<Scope.Scope> = Context.make(Scope.Scope, Scope.makeUnsafe())

/** The services of the worker, or next to nothing outside of one. */
export const services = (): Context.Context<any> => registry.running ?? outside
