/**
 * Loads an app file and finds the app in it.
 *
 * When to reach for it: every command, and every worker.
 * What it is not: the place for anything that costs time to import. Workers load this and the app, nothing else; what
 * explains a failure is imported when there is one.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { App } from "kore-fx"
import * as Host from "kore-fx/Host"
import { pathToFileURL } from "node:url"
import type { LoadProblem, NoApp, SeveralApps } from "../CliError.ts"
import { findLibrary, type KoreFx, type Legacy } from "./library.ts"
import { complain } from "./output.ts"
import { display } from "./text.ts"

/** An app that was found, and how it is started. */
export interface Loaded {
  /** The absolute path of its file. */
  readonly file: string
  /** The name of its export; undefined when it is not exported. */
  readonly name: string | undefined
  /** The copy of kore-fx that the app uses, which may not be the command's. */
  readonly kore: KoreFx
  /** The app as data, to be looked at; a program of the old API is configured for that, which may fail. */
  readonly app: Effect.Effect<AnyApp, Error>
  /** Runs it, and writes its failures to the log; undefined when the file has called `Kore.main` itself. */
  readonly main: Effect.Effect<void, unknown> | undefined
}

/** An app whatever it fails with. What its Layer needs was checked by the compiler, or is missed when it is built. */
export type AnyApp = App.App<unknown, never>

// Milliseconds after which something is said about a file that does not get on.
const patience = 10_000

type Module = Readonly<Record<string, unknown>>

/**
 * Imports an app file and finds its app.
 *
 * From here on `process.argv` is what it would be if Node had been started with the file and its arguments. A file that
 * exports no app is given time to call `Kore.main`: as long as it is busy, up to 10 seconds.
 */
export const load = Effect.fnUntraced(
  function*(mode: Host.Host["mode"], file: string, args: ReadonlyArray<string>): Effect.fn.Return<
    Loaded,
    LoadProblem | NoApp | SeveralApps
  > {
    const host = Host.install(mode, file)
    process.argv = [process.execPath, file, ...args]
    const before = yield* activity
    const module = yield* reminded(importApp(file), file)
    const kore = yield* library(file)
    const apps = appsOf(module, kore)
    if (apps.size === 0 && !("koreapp" in module)) yield* untilStarted(host, before)

    // A file that starts an app has chosen it, whatever else it exports.
    const started = new Set(host.started)
    const names = started.size > 0 ? [...started].map((app) => apps.get(app)) : [...apps.values()]
    if (started.size === 0 && "koreapp" in module) names.push("koreapp")
    if (names.length > 1) return yield* (yield* explanations).severalApps(file, names)

    const found = { file, kore, name: names[0] }
    const [app] = started.size > 0 ? started : apps.keys()
    if (app !== undefined) {
      return { ...found, app: Effect.succeed(app), main: started.size > 0 ? undefined : kore.Kore.main(app) }
    }
    const old = yield* legacy(file)
    return old?.isLegacy(module)
      ? { ...found, ...ofLegacy(old, module, args) }
      : yield* (yield* explanations).noApp(file, module)
  }
)

/** Starts an app that does not start itself; it goes on, on its own. */
export const start = ({ main }: Loaded): Effect.Effect<void> =>
  main === undefined
    ? Effect.void
    : Effect.updateContext(main, nothing).pipe(
      Effect.forkDetach({ startImmediately: true }),
      Effect.asVoid
    )

// Nothing of the command's is to reach the app.
const nothing: (services: Context.Context<never>) => Context.Context<never> = Context.empty

const importApp = (file: string): Effect.Effect<Module, LoadProblem> =>
  Effect.catch(
    Effect.tryPromise({
      try: (): Promise<Module> => import(pathToFileURL(file).href),
      catch: (thrown) => ({ thrown })
    }),
    ({ thrown }) =>
      Effect.flatMap(Effect.promise(() => import("../Diagnosis.ts")),
        ({ explain }) => Effect.flatMap(explain(file, thrown), Effect.fail))
  )

// A top-level await that never ends would be silence for ever.
const reminded = <A, E>(effect: Effect.Effect<A, E>, file: string): Effect.Effect<A, E> =>
  Effect.scoped(Effect.andThen(
    Effect.forkScoped(Effect.delay(
      complain(`${display(file)} is still being loaded: what it awaits at its top level has not ended.`),
      patience
    )),
    effect
  ))

/** The kore-fx that a file imports; if it has none of its own, the command's. */
export const library = (file: string): Effect.Effect<KoreFx> =>
  Effect.promise((): Promise<KoreFx> => {
    const url = findLibrary(file, "kore-fx")
    return url === undefined ? import("kore-fx") : import(url)
  })

// The old API that a file imports; none when it has an old kore-fx, or none of its own.
const legacy = (file: string): Effect.Effect<Legacy | undefined> => {
  const url = findLibrary(file, "kore-fx/legacy")
  return url === undefined ? Effect.undefined : Effect.promise((): Promise<Legacy> => import(url))
}

const explanations = Effect.promise(() => import("./noApp.ts"))

// The apps that a module exports, each with its first name.
const appsOf = (module: Module, { App }: KoreFx): ReadonlyMap<AnyApp, string> => {
  const apps = new Map<AnyApp, string>()
  for (const [name, value] of Object.entries(module)) {
    if (App.isApp(value) && !apps.has(value as AnyApp)) apps.set(value as AnyApp, name)
  }
  return apps
}

const ofLegacy = ({ main, toApp }: Legacy, module: Module, args: ReadonlyArray<string>) => ({
  app: toApp(undefined, { module, args }),
  main: main(undefined, { module, args })
})

const step = 20

// How much keeps this process alive, always seen from the same kind of turn: a timer counts until its turn is over. The
// standard streams are opened first, so that they do not count.
const activity = Effect.callback<number>((resume) => {
  void process.stdout
  void process.stderr
  setImmediate(() => resume(Effect.succeed(process.getActiveResourcesInfo().length)))
})

// A program that waits for something before it starts its app is busy in the eyes of Node.
const untilStarted = Effect.fnUntraced(function*(host: Host.Host, before: number) {
  for (let waited = 0; waited < patience && (yield* activity) > before && host.started.length === 0; waited += step) {
    yield* Effect.sleep(step)
  }
})
