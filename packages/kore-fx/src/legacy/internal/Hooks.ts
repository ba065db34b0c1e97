/**
 * The hooks of an app: methods that are called at the turns of its life.
 *
 * When to reach for it: `Program` looks them up once and runs each where it belongs.
 * What it is not: events. Each hook is called by name, on the app or else among the exports of its module.
 *
 * Each may be plain, `async` or a generator. Kore: http §1.2, runtime §1.3.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import { describe, isCoroutineFunction } from "../Coroutine.ts"
import { HookError, RuntimeError } from "../errors.ts"
import { notAvailable } from "./keywords.ts"
import * as Run from "./Run.ts"

/** What is exported by the module of an app. */
export type Module = Readonly<Record<string, unknown>>

type Name = "configure" | "workerstart" | "workerstop" | "cleanup" | "signal" | "onmsg"

// The name on the app, and that on the module.
const names: Readonly<Record<Name, string | undefined>> = {
  configure: "kore_parent_configure",
  workerstart: "kore_worker_configure",
  workerstop: "kore_worker_teardown",
  cleanup: "kore_parent_teardown",
  signal: "kore_worker_signal",
  onmsg: undefined
}

const later: Readonly<Record<string, string>> = {
  seccomp: "the sandbox",
  kore_seccomp_hook: "the sandbox"
}

/** A hook that an app has. */
export interface Hook {
  /** Its name as the app writes it, with brackets. */
  readonly name: string
  readonly run: (...args: ReadonlyArray<unknown>) => Effect.Effect<unknown, unknown>
}

export type Hooks = { readonly [K in Name]: Hook | undefined }

/**
 * Finds the hooks.
 *
 * @throws RuntimeError for a hook that is no function, or that this version does not call.
 */
export const find = (app: object | undefined, module: Module): Hooks => {
  for (const [name, capability] of Object.entries(later)) {
    if (typeof read(app, name) === "function" || typeof module[name] === "function") {
      throw notAvailable(`the hook ${name}`, capability)
    }
  }
  const hook = (name: Name): Hook | undefined => {
    const own = read(app, name)
    const found = own === undefined ? names[name] ?? name : name
    const f = own ?? module[found]
    if (f === undefined) return undefined
    if (typeof f !== "function") throw new RuntimeError(`the hook ${found} is ${describe(f)}, expected a function`)
    const isCoroutine = isCoroutineFunction(f)
    return {
      name: `${found}()`,
      run: (...args) => Effect.scoped(Run.start(`${found}()`, () => f.call(app, ...args), isCoroutine))
    }
  }
  return {
    configure: hook("configure"),
    workerstart: hook("workerstart"),
    workerstop: hook("workerstop"),
    cleanup: hook("cleanup"),
    signal: hook("signal"),
    onmsg: hook("onmsg")
  }
}

/** Whether an object or a module has one of the hooks. */
export const isKnown = (name: string): boolean => name in names || Object.values(names).includes(name)

const read = (app: object | undefined, name: string): unknown => (app as Record<string, unknown> | undefined)?.[name]

/** Runs a hook if there is one; what it throws becomes a `HookError` that names it. */
export const run = (
  hook: Hook | undefined,
  args: ReadonlyArray<unknown>,
  options: { readonly isFinal: boolean }
): Effect.Effect<void, HookError> =>
  hook === undefined ? Effect.void : Effect.asVoid(Effect.catchCause(hook.run(...args), (cause) =>
    Cause.hasInterruptsOnly(cause) ? Effect.interrupt : Effect.fail(failed(hook.name, cause, options.isFinal))))

/** The error of a hook, with the reason and the place in the program that threw it. */
export const failed = (hook: string, cause: Cause.Cause<unknown>, isFinal: boolean): HookError => {
  const error = Cause.squash(cause)
  if (!(error instanceof Error)) return new HookError({ hook, reason: `it threw ${describe(error)}`, isFinal })
  const reason = error instanceof RuntimeError || error.name === "Error" ? error.message
    : `${error.name}: ${error.message}`
  const place = placeOf(error)
  return new HookError({ hook, reason: place === undefined ? reason : `${reason} (${place})`, isFinal })
}

// The first line of the stack that is in the program: not in Node, a package, or here.
const placeOf = ({ stack = "" }: Error): string | undefined => {
  for (const line of stack.split("\n")) {
    const place = /\(?((?:file:\/\/)?\/[^()]+:\d+:\d+)\)?$/.exec(line)?.[1]?.replace("file://", "")
    if (place !== undefined && !place.includes("/node_modules/") && !place.startsWith(home)) return place
  }
  return undefined
}

const home = new URL("..", import.meta.url).pathname
