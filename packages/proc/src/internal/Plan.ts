/**
 * What is to be started, found out before anything is: the words, the file, the directory, the environment.
 *
 * When to reach for it: only through `Proc.spawn`.
 * What it is not: a guarantee. The file can vanish before it is executed; then the system's own answer counts.
 *
 * The lookup is ours and not execvp's, because that one reports `ENOENT` for a missing program, a missing directory
 * and a missing interpreter alike, and looks in our PATH where the child gets another.
 */
import * as Result from "effect/Result"
import * as fs from "node:fs"
import * as path from "node:path"
import * as Command from "../Command.ts"
import { ProcError } from "../ProcError.ts"
import { codeOf } from "./ProcessGroup.ts"

/** What is to be started. */
export interface Plan {
  /** The file to execute. */
  readonly file: string
  /** The program as it was written, which it gets as its name, and its arguments. */
  readonly words: readonly [string, ...Array<string>]
  readonly cwd: string | undefined
  /** Undefined for that of this process, which costs a copy less. */
  readonly env: Readonly<Record<string, string>> | undefined
  /** The words as text, for people. */
  readonly command: string
}

/** What `make` looks at. */
export interface Options {
  readonly cwd?: string | undefined
  readonly env?: Readonly<Record<string, string | undefined>> | undefined
  readonly extendEnv?: boolean | undefined
}

// What execvp takes without a PATH.
const defaultPath = "/bin:/usr/bin"

/** Looks everything up; starts nothing. */
export const make = (command: string | ReadonlyArray<string>, options: Options): Result.Result<Plan, ProcError> =>
  Result.gen(function*() {
    const words = typeof command === "string" ? yield* Command.parse(command) : command
    const text = Command.display(words)
    const invalid = (detail: string) => Result.fail(new ProcError({ reason: "InvalidCommand", command: text, detail }))
    const notStarted = (problem: Problem) =>
      Result.fail(new ProcError({ reason: "NotStarted", command: text, ...problem }))

    const [program, ...args] = words
    if (program === undefined) return yield* invalid("it has no words")
    if (program === "") return yield* invalid("the program is an empty word")
    yield* Command.format(words)
    const env = environment(options)
    for (const [name, value] of Object.entries(options.env ?? {})) {
      if (name === "" || /[=\0]/.test(name)) {
        return yield* invalid(`${JSON.stringify(name)} cannot be the name of an environment variable`)
      }
      if (value?.includes("\0")) return yield* invalid(`the environment variable ${name} holds a NUL character`)
    }
    if (options.cwd?.includes("\0")) return yield* invalid("the directory holds a NUL character")

    const missing = options.cwd === undefined ? undefined : directoryProblem(options.cwd)
    if (missing !== undefined) return yield* notStarted(missing)
    const found = find(program, options.cwd ?? ".", (env ?? process.env)["PATH"])
    if (typeof found !== "string") return yield* notStarted(found)
    return { file: found, words: [program, ...args], cwd: options.cwd, env, command: text }
  })

// --- private ---------------------------------------------------------------------------------------------------------

interface Problem {
  readonly code: string
  readonly detail: string
}

const environment = ({ env, extendEnv }: Options): Record<string, string> | undefined => {
  if (env === undefined && extendEnv !== false) return undefined
  const all = { ...(extendEnv === false ? undefined : process.env), ...env }
  const defined: Record<string, string> = {}
  for (const [name, value] of Object.entries(all)) if (value !== undefined) defined[name] = value
  return defined
}

const directoryProblem = (directory: string): Problem | undefined => {
  try {
    if (!fs.statSync(directory).isDirectory()) {
      return { code: "ENOTDIR", detail: `${directory}, which it is to run in, is no directory` }
    }
    fs.accessSync(directory, fs.constants.X_OK)
    return undefined
  } catch (error) {
    const code = codeOf(error)
    const what = code === "ENOENT" ? "does not exist" : "may not be entered"
    return { code, detail: `the directory ${directory}, which it is to run in, ${what}` }
  }
}

/** The file of a program; a path is taken from the directory that the program is to run in. */
const find = (program: string, cwd: string, searchPath: string | undefined): string | Problem => {
  if (program.includes("/")) {
    const code = executableProblem(path.resolve(cwd, program))
    // As it was written: scripts see it.
    return code === undefined ? program : { code, detail: `${path.resolve(cwd, program)} ${saying(code)}` }
  }
  const directories = (searchPath ?? defaultPath).split(":").map((directory) => path.resolve(cwd, directory))
  let refused: Problem | undefined
  for (const directory of directories) {
    const file = path.join(directory, program)
    const code = executableProblem(file)
    if (code === undefined) return file
    if (code === "EACCES") refused ??= { code, detail: `${file} ${saying(code)}` }
  }
  const what = searchPath === undefined ? "the directories without a PATH" : "the PATH it was given"
  return refused ?? { code: "ENOENT", detail: `${program} is in none of ${what}: ${directories.join(", ")}` }
}

const saying = (code: string): string =>
  code === "EACCES" ? "is there, but is no file that this user may execute" : "does not exist"

const executableProblem = (file: string): string | undefined => {
  try {
    if (!fs.statSync(file).isFile()) return "EACCES"
    fs.accessSync(file, fs.constants.X_OK)
    return undefined
  } catch (error) {
    return codeOf(error)
  }
}
