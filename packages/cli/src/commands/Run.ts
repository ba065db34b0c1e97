/**
 * `kore-fx run`: starts the app of a file, and stays until it is told to stop.
 *
 * What it is not: a supervisor of its own. The app's parent process is this one.
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import { locate } from "../AppFile.ts"
import { load, start } from "../internal/load.ts"
import { paragraphs } from "../internal/text.ts"
import { file } from "./arguments.ts"

/** The command. Words after the file are the app's; see `internal/words.ts`. */
export const run = Command.make("run", {
  file,
  args: Argument.String("args").pipe(
    Argument.withDescription("Words for the app, flags too (process.argv, configure(args))"),
    Argument.variadic()
  )
}, ({ args, file }) =>
  Effect.gen(function*() {
    const path = yield* locate(file)
    const [node, command] = process.argv
    const loaded = yield* load("run", path, args)
    // Workers execute the words of this process. A file that starts itself needs no command for that.
    if (loaded.main !== undefined) process.argv = [node!, command!, "run", path, ...args]
    yield* start(loaded)
  })).pipe(
    Command.withDescription(
      paragraphs(
        "Start an app and serve until it is told to stop.",
        "The file exports an app (export const app = Kore.app({ … })), exports koreapp of the old API, or runs " +
          "itself (Effect.runFork(Kore.main(app))). SIGTERM, SIGINT and SIGQUIT stop it in order: what runs is " +
          "finished.",
        "Exit status: 0 after an orderly stop, 2 when it never started because of what was asked, 1 when it failed."
      )
    ),
    Command.withShortDescription("Start an app and serve until it is told to stop"),
    Command.withExamples([
      { command: "kore-fx run app.ts", description: "Start the app of app.ts" },
      { command: "kore-fx run app.ts --name blue", description: "Hand two words to the app" },
      { command: "KORE_WORKERS=4 kore-fx run app.ts", description: "Override an option of the app" },
      { command: "KORE_CONFIG=kore.json kore-fx run app.ts", description: "Read more options from a file" }
    ])
  )
