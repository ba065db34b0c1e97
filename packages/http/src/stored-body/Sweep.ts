/**
 * Removes the files of bodies whose process is gone: what a crash has left behind.
 *
 * When to reach for it: every worker runs it when it starts.
 * What it is not: a cleaner of anything else that is in that directory, and of what belongs to a process that lives.
 *
 * A file is removed when there is no process of the number in its name, or when the process of that number began at
 * another time than the name says (`BodyFile.startOf`); where the system does not tell times, numbers alone count, and
 * what cannot be told apart stays. The numbers of other PID namespaces mean nothing here: containers that do not see each
 * other's processes must not share the directory.
 */
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import * as Path from "node:path"
import { PREFIX, startOf } from "./BodyFile.ts"

const NAME = new RegExp(`^${PREFIX}\\.([1-9]\\d{0,9})\\.(?:(\\d*)-)?[0-9A-Za-z]+$`)

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // EPERM: it lives, and is another user's.
    return (error as NodeJS.ErrnoException).code !== "ESRCH"
  }
}

/** Whether the process that made a file of this name is gone; false for names that are not of a body. */
export const isLeftover = (name: string): boolean => {
  const [, pid, start = ""] = NAME.exec(name) ?? []
  if (pid === undefined) return false
  if (!isAlive(Number(pid))) return true
  const now = startOf(Number(pid))
  return start !== "" && now !== "" && start !== now
}

// One that another worker has removed meanwhile is removed.
const removeFile = (path: string): Effect.Effect<void> =>
  Effect.callback((resume) =>
    fs.unlink(path, (error) =>
      resume(
        error === null || error.code === "ENOENT"
          ? Effect.void
          : Effect.logWarning(`cannot remove ${path}, a request body of a worker that is gone: ${error.code}`)
      ))
  )

/** Removes what is left in a directory. One that is not there has nothing left; what cannot be done is logged. */
export const sweepDirectory = (directory: string): Effect.Effect<void> =>
  Effect.callback<void>((resume) =>
    fs.readdir(directory, (error, names) => {
      if (error === null) {
        return resume(Effect.forEach(names.filter(isLeftover), (name) => removeFile(Path.join(directory, name)), {
          discard: true
        }))
      }
      resume(
        error.code === "ENOENT"
          ? Effect.void
          : Effect.logWarning(
            `cannot look for request bodies that a crash has left in ${directory} (option httpBodyDiskPath): ` +
              `${error.code}, expected a directory that this user may read`
          )
      )
    })
  )
