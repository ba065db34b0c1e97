/**
 * A file that holds the process id of the parent while it runs, and keeps a second server from starting beside it.
 *
 * When to reach for it: the parent takes it when `pidfile` is configured; scripts read it to send signals.
 * What it is not: a lock over a network file system.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as fs from "node:fs"
import * as path from "node:path"
import { ConfigError, ConfigProblem } from "../KoreError.ts"

/**
 * Takes the pid file until the scope closes: it appears at once with its content, and only where there is none.
 *
 * The file of a process that is gone is replaced; so is one with our own id, which a container that restarts leaves.
 * Fails with `ConfigError` when a running process holds it, or when it cannot be written.
 */
export const acquire = (file: string): Effect.Effect<void, ConfigError, Scope.Scope> => {
  const absolute = path.resolve(file)
  return Effect.asVoid(Effect.acquireRelease(take(absolute), () => release(absolute)))
}

const take = (file: string): Effect.Effect<void, ConfigError> =>
  Effect.flatMap(create(file), (created) => {
    if (created) return Effect.void
    const holder = holderOf(file)
    if (holder !== undefined) {
      return problem(
        file,
        `the file of a server that is gone, but process ${holder} runs: stop it, or remove the file if it is no server`
      )
    }
    return Effect.flatMap(
      Effect.andThen(remove(file), create(file)),
      (again) => again ? Effect.void : problem(file, "one server at a time, but another one starts right now")
    )
  })

// A link is made or not, so nobody ever reads a file that is there already but has no content yet.
const create = (file: string): Effect.Effect<boolean, ConfigError> => {
  const draft = `${file}.${process.pid}`
  return Effect.try({
    try: () => {
      fs.writeFileSync(draft, `${process.pid}\n`)
      try {
        fs.linkSync(draft, file)
        return true
      } catch (error) {
        if (codeOf(error) === "EEXIST") return false
        throw error
      } finally {
        fs.rmSync(draft, { force: true })
      }
    },
    catch: (error) => configError(file, `a file that can be written (${codeOf(error)})`)
  })
}

// The process in the file, if it runs and is not this one.
const holderOf = (file: string): number | undefined => {
  const pid = Number(readOr(file, "").trim())
  return Number.isInteger(pid) && pid > 0 && pid !== process.pid && isRunning(pid) ? pid : undefined
}

const isRunning = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return codeOf(error) !== "ESRCH"
  }
}

// Only ours: somebody may have taken the path over.
const release = (file: string): Effect.Effect<void> =>
  Effect.suspend(() => readOr(file, "").trim() === String(process.pid) ? Effect.ignore(remove(file)) : Effect.void)

const remove = (file: string): Effect.Effect<void, ConfigError> =>
  Effect.try({
    try: () => fs.rmSync(file, { force: true }),
    catch: (error) => configError(file, `a file that can be replaced (${codeOf(error)})`)
  })

const readOr = (file: string, otherwise: string): string => {
  try {
    return fs.readFileSync(file, "utf8")
  } catch {
    return otherwise
  }
}

const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error ? String(error.code) : String(error)

const configError = (file: string, expected: string): ConfigError =>
  new ConfigError({ problems: [new ConfigProblem({ option: "pidfile", value: file, source: "at start", expected })] })

const problem = (file: string, expected: string): Effect.Effect<never, ConfigError> =>
  Effect.fail(configError(file, expected))
