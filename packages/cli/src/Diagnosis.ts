/**
 * What an exception at the import of an app file means, for people.
 *
 * When to reach for it: after `import()` of an app failed.
 * What it is not: the failure of an app that runs, which is its log's matter.
 */
import * as Effect from "effect/Effect"
import { pathToFileURL } from "node:url"
import { inspect } from "node:util"
import { AppThrew, type LoadProblem, SyntaxProblem, UnsupportedSyntax } from "./CliError.ts"
import { findSyntaxError } from "./internal/findSyntaxError.ts"
import { importProblem, missingExport } from "./internal/importProblem.ts"
import { excerpt, formatPlace, ownFrames, type Place, placeInHead } from "./internal/source.ts"
import { display, indent } from "./internal/text.ts"

/** Explains why the import of `file` failed. */
export const explain = (file: string, thrown: unknown): Effect.Effect<LoadProblem> => {
  const imported = importProblem(file, thrown)
  if (imported !== undefined) return Effect.succeed(imported)
  if (!(thrown instanceof Error)) return Effect.succeed(threw(file, thrown))
  const place = placeInHead(thrown.stack ?? "")
  if (codeOf(thrown) === "ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX") return Effect.succeed(unsupported(file, thrown, place))
  if (place !== undefined) {
    return Effect.succeed(missingExport(thrown, place) ?? invalid(file, thrown, place))
  }
  // What `JSON.parse` throws has the same class, and the program on its stack.
  return thrown.name === "SyntaxError" && /^\s+at compileSourceTextModule /m.test(thrown.stack ?? "")
    ? Effect.map(findSyntaxError(pathToFileURL(file).href), (found) => invalid(file, thrown, found))
    : Effect.succeed(threw(file, thrown))
}

const codeOf = (error: Error): unknown => (error as NodeJS.ErrnoException).code

const located = (file: string, place: Place | undefined) =>
  place === undefined
    ? { place: `${display(file)} or a file that it imports`, excerpt: "" }
    : { place: formatPlace(place), excerpt: excerpt(place) }

const invalid = (file: string, error: Error, place: Place | undefined): SyntaxProblem =>
  new SyntaxProblem({
    ...located(file, place),
    reason: error.message,
    hint: place === undefined
      ? `Check the files one by one: node --check ${display(file)}`
      : `Correct ${place.file === file ? "the app" : display(place.file)} at that place or just before it.`
  })

// By the words in Node's message.
const erasable: ReadonlyArray<readonly [RegExp, string]> = [
  [/enum/, "Write a constant in its place, such as const Color = { Red: \"red\" } as const."],
  [/parameter property/, "Declare the property in the class, and assign it in the constructor."],
  [/namespace/, "Make it a file of its own, and import that: import * as Names from \"./names.ts\"."],
  [/import|export =/, "Use import and export of JavaScript, such as import x from \"x\" and export default x."],
  [/type assertion|angle-bracket/, "Write the assertion as `value as Type`."]
]

const unsupported = (file: string, error: Error, place: Place | undefined): UnsupportedSyntax =>
  new UnsupportedSyntax({
    ...located(file, place),
    reason: error.message,
    hint: (erasable.find(([words]) => words.test(error.message))?.[1] ?? "Write it as JavaScript with types.") +
      " With \"erasableSyntaxOnly\": true in tsconfig.json, editors say so before."
  })

const threw = (file: string, thrown: unknown): AppThrew => {
  const frames = thrown instanceof Error ? ownFrames(thrown.stack ?? "") : []
  const [first, ...others] = frames
  const way = others.slice(0, 4).map((frame) => `\n    called at ${formatPlace(frame)}`).join("")
  return new AppThrew({
    place: first === undefined ? display(file) : formatPlace(first),
    reason: describe(thrown),
    excerpt: `${first === undefined ? "" : excerpt(first)}${way}`,
    hint: "The app's own code failed while it was loaded, before anything was started: correct it there, " +
      "or provide what it needs."
  })
}

// An exception and its causes, each a line or more.
const describe = (thrown: unknown): string => {
  if (!(thrown instanceof Error)) return `${inspect(thrown)} was thrown, which is no Error`
  const text = thrown.message === "" ? thrown.name : `${thrown.name}: ${thrown.message}`
  const { cause } = thrown
  return cause === undefined ? text : `${text}\n${indent(`caused by ${describe(cause)}`, 4)}`
}
