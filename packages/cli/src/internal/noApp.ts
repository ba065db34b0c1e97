/**
 * What to say about a file that has no app, or more than one.
 *
 * When to reach for it: through `load` only, which imports it when it is needed.
 * What it is not: the search.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { NoApp, SeveralApps } from "../CliError.ts"
import { display } from "./text.ts"

const kindOf = (value: unknown): string => {
  if (Layer.isLayer(value)) return "a Layer"
  if (Effect.isEffect(value)) return "an Effect"
  if (Array.isArray(value)) return "an array"
  if (typeof value === "function") return /^class\b/.test(String(value)) ? "a class" : "a function"
  if (value === null || value === undefined) return String(value)
  return typeof value === "object" ? "an object" : `a ${typeof value}`
}

const hintFor = (entries: ReadonlyArray<readonly [string, unknown]>): string => {
  for (const [name, value] of entries) {
    if (Layer.isLayer(value)) {
      return `Make an app of the Layer: export const app = Kore.app({ servers, worker: ${name} })`
    }
    if (Effect.isEffect(value)) {
      return `Nobody runs the Effect: export the app itself, or write Effect.runFork(${name}) at the end of the file.`
    }
    if (typeof value === "function" && "configure" in (value.prototype ?? {})) {
      return `Make an instance of the class: export const koreapp = new ${value.name}()`
    }
  }
  return "Add one of them to the file, or name the file that has it."
}

/** Nothing in the module is an app, and nothing was started. */
export const noApp = (file: string, module: Readonly<Record<string, unknown>>): Effect.Effect<never, NoApp> => {
  const entries = Object.entries(module)
  return Effect.fail(
    new NoApp({
      file: display(file),
      exports: entries.map(([name, value]) => `${name} (${kindOf(value)})`),
      hint: hintFor(entries)
    })
  )
}

/** There are several; those that are started and not exported have no name. */
export const severalApps = (
  file: string,
  names: ReadonlyArray<string | undefined>
): Effect.Effect<never, SeveralApps> =>
  Effect.fail(new SeveralApps({ file: display(file), names: names.map((name) => name ?? "one that it starts") }))
