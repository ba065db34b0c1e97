/**
 * The copy of kore-fx that an app uses. It may be another one than the command's, which may be installed elsewhere, and
 * only the app's own copy may run the app: it alone knows whether this process is a worker.
 *
 * When to reach for it: `load` imports what is found here, for everything that is done with the app.
 * What it is not: a search of one's own; Node resolves the names from the app's file.
 */
import type * as koreFx from "kore-fx"
import type * as legacy from "kore-fx/legacy"
import { createRequire } from "node:module"
import { pathToFileURL } from "node:url"

/** The library. */
export type KoreFx = typeof koreFx

/** The old API. */
export type Legacy = typeof legacy

/** Where a file finds a module of kore-fx; undefined when it does not. */
export const findLibrary = (file: string, name: "kore-fx" | "kore-fx/legacy"): string | undefined => {
  try {
    return pathToFileURL(createRequire(file).resolve(name)).href
  } catch {
    return undefined
  }
}
