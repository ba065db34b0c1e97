/**
 * `kore-fx routes`: prints what an app answers.
 *
 * What it is not: a client. Nothing is served.
 */
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import { locate } from "../AppFile.ts"
import { CheckFailed } from "../CliError.ts"
import { inspect, registrations, routeProblems } from "../internal/inspect.ts"
import { print, printJson } from "../internal/output.ts"
import { formatRows, rowsOf } from "../internal/routeList.ts"
import { display, indent, paragraphs } from "../internal/text.ts"
import { args, file, json } from "./arguments.ts"

/** The command. */
export const routes = Command.make("routes", { file, args, json },
  ({ args, file, json }) =>
    Effect.scoped(Effect.gen(function*() {
      const inspected = yield* inspect(yield* locate(file), args)
      const { config } = yield* inspected.kore.Config.resolve({ app: inspected.app.config })
      const domains = yield* registrations(inspected, config)
      const problems = yield* routeProblems(inspected, domains)
      if (problems.length > 0) {
        return yield* new CheckFailed({ file: display(inspected.file), problems: indent(problems.join("\n"), 2) })
      }
      const rows = rowsOf(inspected, domains)
      yield* json ? printJson({ file: inspected.file, routes: rows }) : print(formatRows(inspected, rows))
    }))).pipe(
    Command.withDescription(
      paragraphs(
        "Print the routes of an app in the order in which they are tried.",
        "The Layer of a worker is built in this process, so it opens what it opens (a database), and is closed " +
          "again. No address is bound and nothing is served."
      )
    ),
    Command.withShortDescription("Print the routes of an app in the order in which they are tried"),
    Command.withExamples([
      { command: "kore-fx routes app.ts", description: "Servers, hosts, methods, patterns, what routes declare" },
      { command: "kore-fx routes app.ts --json", description: "The same as data" }
    ])
  )
