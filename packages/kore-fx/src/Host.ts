/**
 * How the command line and a program meet: a file that runs itself announces its app instead of starting it when the
 * command only wants to look at it.
 *
 * When to reach for it: `kore-fx run`, `routes` and `check`; `Kore.main`.
 * What it is not: of interest to applications.
 *
 * The meeting place is on `globalThis`, because the command and the program may have loaded two copies of this module.
 */
import type * as App from "@kore-fx/core/App"

/** What the command wants of `Kore.main`. */
export interface Host {
  /** `run`: start; `inspect`: start nothing, the app is all that is asked for. */
  readonly mode: "run" | "inspect"
  /** The absolute path of the program's file. */
  readonly file?: string
  /** The apps that called `Kore.main` so far. */
  readonly started: Array<App.App<unknown, never>>
}

const KEY = Symbol.for("kore-fx/Host")

type Place = { [KEY]?: Host }

/** The command that loaded this program, if there is one. */
export const current = (): Host | undefined => (globalThis as Place)[KEY]

/** Says that a command loads a program now. */
export const install = (mode: Host["mode"], file: string): Host =>
  (globalThis as Place)[KEY] = { mode, file, started: [] }
