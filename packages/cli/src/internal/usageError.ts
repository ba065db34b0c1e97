/**
 * What `effect/cli` has against the words of the command line, in the form of all errors.
 *
 * When to reach for it: in `Main` only.
 * What it is not: a parser.
 */
import type * as CliError from "effect/cli/CliError"
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import { UsageError } from "../CliError.ts"

const sentence = (error: CliError.NonShowHelpErrors): string => {
  switch (error._tag) {
    case "UnrecognizedOption":
      return `There is no flag ${error.option}${error.command ? ` of "${error.command.join(" ")}"` : ""}.`
    case "UnknownSubcommand":
      return `There is no command "${error.subcommand}".`
    case "MissingArgument":
      return `The argument <${error.argument}> is missing.`
    default:
      return `${error.message}.`
  }
}

const hint = (error: CliError.NonShowHelpErrors | undefined, help: string): string => {
  const unknown = error?._tag === "UnknownSubcommand" || error?._tag === "UnrecognizedOption" ? error : undefined
  const suggestions = unknown?.suggestions ?? []
  if (suggestions.length > 0) return `Did you mean ${suggestions.join(" or ")}?`
  if (error?._tag === "UnknownSubcommand" && fs.existsSync(error.subcommand)) {
    return `To start the app of a file: kore-fx run ${error.subcommand}`
  }
  if (error?._tag === "UnexpectedArgument") return "Words for the app stand behind --"
  return help
}

/** Fails with `UsageError`. */
export const usageError = (
  errors: ReadonlyArray<CliError.NonShowHelpErrors>,
  usage: string
): Effect.Effect<never, UsageError> => {
  const command = usage.split(" [")[0]!.replace(/ <.*/, "")
  return Effect.fail(
    new UsageError({
      problems: errors.map(sentence).join("\n"),
      usage,
      hint: hint(errors[0], `See ${command} --help`)
    })
  )
}
