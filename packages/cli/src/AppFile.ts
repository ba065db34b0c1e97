/**
 * The app file as it is named on the command line: whether it is there, and whether Node runs such a file.
 *
 * When to reach for it: before a file is loaded, so that the answer to a slip of the pen is about the slip.
 * What it is not: the loading; see `internal/load.ts`.
 */
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { FileNotFound, type FileProblem, FileUnusable } from "./CliError.ts"
import { similar } from "./internal/similar.ts"
import { display } from "./internal/text.ts"

const runs = /\.[mc]?[tj]s$/

/**
 * Finds an app file and gives its absolute path.
 *
 * Fails with what is wrong about the path: nothing there (with the name that was probably meant), a directory (with the
 * files in it that may be meant), no permission, an extension that Node does not run.
 */
export const locate = (file: string): Effect.Effect<string, FileProblem> =>
  Effect.suspend((): Effect.Effect<string, FileProblem> => {
    const found = path.resolve(file)
    try {
      const stats = fs.statSync(found)
      if (stats.isDirectory()) return directory(found)
      if (!stats.isFile()) return unusable(found, "is a device or a socket", "Name an app file.")
      if (!runs.test(found)) return unusable(found, "is not a file that Node.js runs", otherHint(found))
      fs.accessSync(found, fs.constants.R_OK)
      return Effect.succeed(found)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      return code === "ENOENT" || code === "ENOTDIR"
        ? Effect.fail(missing(found))
        : unusable(found, `cannot be read (${code})`, "Give this user the right to read it and its directories.")
    }
  })

const unusable = (file: string, reason: string, hint: string): Effect.Effect<never, FileUnusable> =>
  Effect.fail(new FileUnusable({ file: display(file), reason, hint }))

const namesIn = (directory: string): ReadonlyArray<string> => {
  try {
    return fs.readdirSync(directory).sort()
  } catch {
    return []
  }
}

const isTypeScript = (name: string): boolean => name.endsWith("ts")

const missing = (file: string): FileNotFound => {
  // The first directory on the way that is not there explains more than the file.
  let lost = file
  while (!fs.existsSync(path.dirname(lost))) lost = path.dirname(lost)
  const parent = path.dirname(lost)
  const names = namesIn(parent)
  // Of two equally near names the first is taken: TypeScript before the rest.
  const files = names.filter((name) => runs.test(name))
  const [first, others] = [files.filter(isTypeScript), files.filter((name) => !isTypeScript(name))]
  const near = lost === file ? similar(path.basename(lost), [...first, ...others]) : undefined
  const meant = near ?? similar(path.basename(lost), names)
  return new FileNotFound({
    missing: display(lost),
    cwd: process.cwd(),
    hint: meant === undefined
      ? `Correct the path, or list what is there: ls ${display(parent)}`
      : `Did you mean ${display(path.join(parent, meant))}?`
  })
}

// The names that people give to the file that starts a program.
const usual = ["app.ts", "main.ts", "index.ts", "server.ts", "app.js", "main.js", "index.js", "server.js"]

const directory = (at: string): Effect.Effect<never, FileUnusable> => {
  const files = namesIn(at).filter((name) => runs.test(name) && !name.endsWith(".d.ts"))
  const known = usual.filter((name) => files.includes(name))
  const meant = (known.length > 0 ? known : files).slice(0, 3).map((name) => display(path.join(at, name)))
  return unusable(
    at,
    "is a directory",
    meant.length === 0
      ? "Name the app file; there is no file that Node.js runs in this directory."
      : `Name the app file; did you mean ${meant.join(" or ")}?`
  )
}

const otherHint = (file: string): string => {
  const extension = path.extname(file)
  const names = namesIn(path.dirname(file)).filter((name) => runs.test(name))
  const twin = names.find((name) => path.parse(name).name === path.parse(file).name)
  if (extension === ".tsx" || extension === ".jsx") {
    return "JSX must be compiled first: move the app to a .ts file and import the compiled components there."
  }
  if (extension === ".py") return "Apps of Kore's Python API are rewritten for kore-fx/legacy; see docs/from-kore."
  if (twin === undefined) return "Rename the file, or name another."
  return `Did you mean ${display(path.join(path.dirname(file), twin))}?`
}
