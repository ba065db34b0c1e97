/**
 * The command line: `kore-fx` and its commands.
 *
 * When to reach for it: `bin.ts` runs `main`.
 * What it is not: loaded in workers, which go the short way of `internal/boot.ts`.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Cause from "effect/Cause"
import * as CliConfig from "effect/cli/CliConfig"
import * as CliOutput from "effect/cli/CliOutput"
import * as Command from "effect/cli/Command"
import * as GlobalFlag from "effect/cli/GlobalFlag"
import * as Effect from "effect/Effect"
import * as Runtime from "effect/Runtime"
import * as Host from "kore-fx/Host"
import { check } from "./commands/Check.ts"
import { ps } from "./commands/Ps.ts"
import { routes } from "./commands/Routes.ts"
import { run } from "./commands/Run.ts"
import { complain } from "./internal/output.ts"
import { usageError } from "./internal/usageError.ts"
import { version } from "./internal/version.ts"
import { forParser } from "./internal/words.ts"

/** The command with all its subcommands. */
export const command = Command.make("kore-fx").pipe(
  Command.withDescription("Run web applications made with kore-fx: one file becomes a supervised set of processes."),
  Command.withExamples([
    { command: "kore-fx run app.ts", description: "Start the app of app.ts and serve" },
    { command: "kore-fx check app.ts", description: "See whether it would start, and with what options" },
    { command: "kore-fx routes app.ts", description: "See what it answers" },
    { command: "kore-fx ps", description: "See what runs, and what it waits for" },
    { command: "kore-fx --completions bash >> ~/.bashrc", description: "Complete commands, flags and files with Tab" }
  ]),
  Command.withSubcommands([run, routes, check, ps])
)

/**
 * Runs the command line with these words, and writes what goes wrong to standard error.
 *
 * The errors carry the exit status: 2 when nothing was started because of what was asked, 1 otherwise.
 */
export const main = (words: ReadonlyArray<string>): Effect.Effect<void, unknown> =>
  Effect.suspend(() => {
    let usage = ""
    // What is wrong with the words is said in the form of all our errors, below.
    const presenter: CliOutput.Presenter = {
      present: (event) => {
        if (event._tag !== "InvalidInvocation") return CliOutput.defaultPresenter.present(event)
        return Effect.sync(() => usage = event.helpDoc.usage)
      }
    }
    return Command.runWith(command, { version: version() })(forParser(words)).pipe(
      Effect.catchTag("ShowHelp", ({ errors }) => errors.length === 0 ? Effect.void : usageError(errors, usage)),
      Effect.provide([
        NodeServices.layer,
        CliConfig.layer({ builtIns: [GlobalFlag.Help, GlobalFlag.Version, GlobalFlag.Completions] }),
        CliOutput.layerPresenter(presenter)
      ] as const),
      Effect.tapCause((cause) => Cause.hasInterruptsOnly(cause) ? Effect.void : complain(describe(cause)))
    )
  })

const describe = (cause: Cause.Cause<unknown>): string => {
  const error = Cause.squash(cause)
  return Cause.hasFails(cause) && error instanceof Error
    ? error.message
    : `kore-fx itself failed; please report this: ${Cause.pretty(cause)}`
}

/** Ends the process with the status of an error; after a command that only looked at an app, at once. */
export const teardown: Runtime.Teardown = (exit, onExit) =>
  Runtime.defaultTeardown(exit, (code) =>
    // The app may have left something behind that would keep this process alive.
    code === 0 && Host.current()?.mode === "inspect" ? process.exit(0) : onExit(code))
