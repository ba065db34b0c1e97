/**
 * The directory with the control sockets of a user's servers, one for each parent: `<pid>.sock`.
 *
 * When to reach for it: the parent makes its socket there, `kore-fx ps` looks there for servers.
 * What it is not: needed by a server whose `controlSocket` is a path.
 *
 * Whoever may write to the directory could put a socket of their own there, or read what is said; so it is used only if
 * it is the user's own and nobody else gets in.
 */
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"

type Env = Readonly<Record<string, string | undefined>>

/** Where it is: `kore-fx` in `XDG_RUNTIME_DIR`, or else `kore-fx-<user id>` in the directory for temporary files. */
export const location = (env: Env = process.env): string => {
  const runtime = env["XDG_RUNTIME_DIR"]
  return runtime !== undefined && path.isAbsolute(runtime)
    ? path.join(runtime, "kore-fx")
    : path.join(os.tmpdir(), `kore-fx-${ownId()}`)
}

/** The socket in a directory of the parent with this process id. */
export const socketOf = (directory: string, pid: number): string => path.join(directory, `${pid}.sock`)

/** Where this process makes its control socket before it moves to its place: in the same directory, and no entry there. */
export const makingOf = (file: string): string => path.join(path.dirname(file), `${process.pid}.new`)

/** A control socket by its path. */
export interface Entry {
  readonly pid: number
  readonly path: string
}

/** The sockets in a directory; none when it cannot be read. */
export const entries = (directory: string): Effect.Effect<ReadonlyArray<Entry>> =>
  Effect.sync(() => {
    try {
      return fs.readdirSync(directory).flatMap((name) => {
        const pid = /^([1-9]\d*)\.sock$/.exec(name)?.[1]
        return pid === undefined ? [] : [{ pid: Number(pid), path: path.join(directory, name) }]
      })
    } catch {
      return []
    }
  })

/** Makes the directory, unless it is there, and checks it. Fails with what is wrong: a sentence without its full stop. */
export const prepare = (directory: string): Effect.Effect<void, string> =>
  Effect.andThen(
    attempt(() => {
      try {
        fs.mkdirSync(directory, { mode: 0o700 })
      } catch (error) {
        if (codeOf(error) !== "EEXIST") throw error
      }
      return undefined
    }, (code) => `${directory} cannot be made (${code})`),
    check(directory)
  )

/** Checks the directory. Fails with what is wrong: a sentence without its full stop. */
export const check = (directory: string): Effect.Effect<void, string> =>
  attempt(() => problemOf(directory), (code) => `${directory} cannot be looked at (${code})`)

// --- private ---------------------------------------------------------------------------------------------------------

const ownId = (): number => process.getuid?.() ?? 0

const problemOf = (directory: string): string | undefined => {
  const stat = fs.lstatSync(directory)
  if (stat.isSymbolicLink()) return `${directory} is a symbolic link`
  if (!stat.isDirectory()) return `${directory} is no directory`
  if (stat.uid !== ownId()) return `${directory} belongs to another user (${stat.uid})`
  if ((stat.mode & 0o077) !== 0) return `${directory} is open to other users (mode ${modeOf(stat)}, expected 700)`
  // In a directory that others may write to, only the sticky bit keeps them from replacing what is ours.
  const parent = fs.realpathSync(path.dirname(directory))
  const around = fs.statSync(parent)
  const isSafe = (around.uid === 0 || around.uid === ownId()) &&
    ((around.mode & 0o022) === 0 || (around.mode & 0o1000) !== 0)
  return isSafe ? undefined : `${parent} lets other users replace what is in it (mode ${modeOf(around)})`
}

const modeOf = (stat: fs.Stats): string => (stat.mode & 0o7777).toString(8)

const attempt = (f: () => string | undefined, explain: (code: string) => string): Effect.Effect<void, string> =>
  Effect.suspend(() => {
    try {
      const problem = f()
      return problem === undefined ? Effect.void : Effect.fail(problem)
    } catch (error) {
      return Effect.fail(explain(codeOf(error)))
    }
  })

const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error ? String(error.code) : String(error)
