/**
 * The arguments and flags that several commands take.
 *
 * When to reach for it: in a command that looks at an app file.
 * What it is not: validation. What is wrong with a file is said by `AppFile`, which knows more than a parser of words.
 */
import * as Argument from "effect/cli/Argument"
import * as Flag from "effect/cli/Flag"

/** The app file. */
export const file = Argument.Path("file", { pathType: "either", mustExist: false }).pipe(
  Argument.withDescription("The app file: .ts, .mts, .cts, .js, .mjs or .cjs")
)

/** Words for the app where flags are the command's: behind `--`. */
export const args = Argument.String("args").pipe(
  Argument.withDescription("Words for the app, behind --"),
  Argument.variadic()
)

/** Asks for data instead of text. */
export const json = Flag.Boolean("json").pipe(
  Flag.withDescription("Print JSON"),
  Flag.withDefault(false),
  Flag.withoutNegation
)
