/**
 * The short way of a worker: it was started with the words of `kore-fx run`, and only loads the app file.
 *
 * When to reach for it: `bin.ts` in a process that is a worker.
 * What it is not: a command. `effect/cli` and all it needs stay unloaded.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Runtime from "effect/Runtime"
import type { KoreFx } from "./library.ts"
import { library, load, start } from "./load.ts"
import { runWords } from "./words.ts"

/** Loads the app that this worker is for, and runs the worker's part of it. */
export const boot: Effect.Effect<void> = Effect.suspend(() => {
  const { args, file } = runWords(process.argv.slice(2))
  if (file === undefined) return stray
  return Effect.matchEffect(load("run", file, args), {
    onFailure: (problem) => Effect.flatMap(library(file), (kore) => kore.Worker.isWorker ? tell(problem, kore) : stray),
    onSuccess: (loaded) => loaded.main === undefined || loaded.kore.Worker.isWorker ? start(loaded) : stray
  })
})

// The parent is told why, and that another try would be no use: as by an app whose Layer fails.
const tell = (problem: Error, { App, Kore }: KoreFx): Effect.Effect<void> =>
  Effect.ignore(Kore.main(App.make({ config: {}, servers: {}, worker: Layer.effectDiscard(Effect.fail(problem)) })))

// To start a parent here could start workers without end, each of which would start a parent.
const stray: Effect.Effect<void> = Effect.flatMap(Effect.promise(() => import("../CliError.ts")),
  ({ UsageError }) =>
    Effect.sync(() => {
      const error = new UsageError({
        problems: "KORE_FX_WORKER is set, but no parent started this process as a worker.",
        usage: "that variable in workers only, whose parent sets it",
        hint: "Remove it from the environment: unset KORE_FX_WORKER"
      })
      process.stderr.write(`${error.message}\n`)
      process.exitCode = error[Runtime.errorExitCode]
    }))
