/**
 * A program of the old API as an app: what `koreapp` and its module declare becomes what `Kore.app` makes.
 *
 * When to reach for it: `run` at the end of a file that is started by itself; `main` in the command line; `toApp` in
 * tests. What it is not: another way to run apps. `Kore.main` runs this one like any other.
 */
import * as App from "@kore-fx/core/App"
import * as KoreError from "@kore-fx/core/KoreError"
import * as Worker from "@kore-fx/core/process/Worker"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Host from "../Host.ts"
import * as Kore from "../Kore.ts"
import { HookError, RuntimeError } from "./errors.ts"
import { resolve } from "./internal/declare.ts"
import * as Hooks from "./internal/Hooks.ts"
import { registry } from "./internal/Registry.ts"
import * as WorkerLayer from "./internal/WorkerLayer.ts"
import { write } from "./Log.ts"

/** What else there is to know about a program. */
export interface Options {
  /** The exports of the module that declares the app, for hooks at module level. */
  readonly module?: Readonly<Record<string, unknown>> | undefined
  /** The words for `configure`. Default: those behind the script on the command line. */
  readonly args?: ReadonlyArray<string> | undefined
}

/**
 * Tells whether a module that has been loaded is a program of the old API: it exports `koreapp`, or an object with
 * hooks by default, or hooks of its own, or it has declared servers, domains or tasks while it was loaded.
 */
export const isLegacy = (module: Readonly<Record<string, unknown>>): boolean => {
  const { domains, routes, servers, tasks } = registry.declaration
  return koreappOf(module) !== undefined ||
    Object.keys(module).some((name) => name.startsWith("kore_") && Hooks.isKnown(name)) ||
    servers.size + domains.length + routes.length + tasks.length > 0
}

const koreappOf = (module: Readonly<Record<string, unknown>>): object | undefined => {
  const named = module["koreapp"]
  if (typeof named === "object" && named !== null) return named
  const byDefault = module["default"]
  if (typeof byDefault !== "object" || byDefault === null || App.isApp(byDefault)) return undefined
  return "configure" in byDefault ? byDefault : undefined
}

/**
 * Makes an app of a `koreapp`: runs its `configure`, and takes what has been declared until then.
 *
 * Without a `koreapp` it is the one that `options.module` exports, or none. Fails with `HookError` when `configure`
 * fails or what is declared cannot be an app. Once in a process; `reset` is for tests.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { Kore } from "kore-fx"
 * import { kore, toApp } from "kore-fx/legacy"
 *
 * class MyApp {
 *   configure() {
 *     kore.server("main", { ip: "127.0.0.1", port: 8888, tls: false })
 *     kore.domain("*", { attach: "main" }).route("/", (req) => req.response(200, "hello"))
 *   }
 * }
 *
 * const program = Effect.flatMap(toApp(new MyApp()), Kore.main)
 * ```
 */
export const toApp = <A extends object>(
  koreapp?: A,
  options: Options = {}
): Effect.Effect<App.App<HookError>, HookError> => Effect.map(load(koreapp, options), ([app]) => app)

const load = Effect.fnUntraced(function*(koreapp: object | undefined, options: Options): Effect.fn.Return<
  readonly [App.App<HookError>, Hooks.Hooks],
  HookError
> {
  const { args = process.argv.slice(2), module = {} } = options
  const self = koreapp ?? koreappOf(module)
  const hooks = yield* declared(() => {
    if (registry.closed) throw new RuntimeError("this process has an app already: kore.run is called once")
    return Hooks.find(self, module)
  })
  yield* Hooks.run(hooks.configure, [[...args]], { isFinal: true })
  registry.closed = true
  registry.app = self
  const { declaration } = registry
  const domains = yield* declared(() => resolve(declaration))
  const worker = yield* declared(() => WorkerLayer.make({ app: self, declaration, domains, hooks, module }))
  const app = App.make<HookError, never>({
    name: declaration.name,
    config: declaration.config,
    servers: Object.fromEntries(declaration.servers),
    worker,
    tracer: declaration.tracer === undefined ? undefined : WorkerLayer.report(declaration.tracer)
  })
  return [app, hooks] as const
})

const declared = <A>(f: () => A): Effect.Effect<A, HookError> =>
  Effect.catchCause(Effect.sync(f), (cause) => Effect.fail(Hooks.failed("the start of the app", cause, true)))

/**
 * Runs a program of the old API as `Kore.main` runs an app; afterwards, in the parent, its `cleanup`.
 *
 * A failure is written to the log and sets the exit status: 2 when `configure` fails, else that of `Kore.main`.
 */
export const main = <A extends object>(
  koreapp?: A,
  options: Options = {}
): Effect.Effect<void, Kore.RunError | HookError> =>
  Effect.flatMap(Effect.exit(load(koreapp, options)), (exit) =>
    Exit.isSuccess(exit)
      ? Effect.onExit(Kore.main(exit.value[0]), (end) => cleanup(exit.value[1].cleanup, end))
      // The parent learns from a worker what its reason was, and speaks for all.
      : Worker.isWorker
      ? Kore.main(App.make({ config: {}, servers: {}, worker: Layer.effectDiscard(exit) }))
      : Effect.andThen(reportFailure(exit.cause), exit))

/**
 * Runs a program of the old API, in a file that is started by itself: `node main.ts one two`.
 *
 * @example
 * ```ts
 * import { kore } from "kore-fx/legacy"
 *
 * class MyApp {
 *   configure(args: ReadonlyArray<string>) {
 *     kore.server("main", { ip: "127.0.0.1", port: args[0] ?? 8888, tls: false })
 *   }
 * }
 *
 * kore.run(new MyApp())
 * ```
 */
export const run = <A extends object>(koreapp?: A, options: Options = {}): void => {
  Effect.runFork(main(koreapp, options))
}

const reportFailure = (cause: Cause.Cause<HookError>): Effect.Effect<void> =>
  Effect.sync(() => {
    const error = Cause.squash(cause)
    process.exitCode = KoreError.exitStatus(error)
    write(error instanceof HookError ? Effect.logError(error.message) : Effect.logError("the server failed", cause))
  })

// Where workers ran, and only in the parent of them.
const cleanup = (
  hook: Hooks.Hook | undefined,
  end: Exit.Exit<void, Kore.RunError | HookError>
): Effect.Effect<void> => {
  if (Worker.isWorker || Host.current()?.mode === "inspect" || neverStarted(end)) return Effect.void
  return Effect.catchCause(Hooks.run(hook, [], { isFinal: false }), reportFailure)
}

const neverStarted = (end: Exit.Exit<void, unknown>): boolean => {
  if (Exit.isSuccess(end)) return false
  return KoreError.exitStatus(Cause.squash(end.cause)) === 2
}
