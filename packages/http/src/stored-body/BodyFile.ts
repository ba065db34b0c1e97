/**
 * One file that a body is kept in: made for this process alone, written once, read at any place, removed with a scope.
 *
 * When to reach for it: `Spool` opens one when a body outgrows the memory that it may have.
 * What it is not: a name that others may rely on. The descriptor stays open for as long as the scope, so everything here
 * goes on working when a handler has moved the file to where it shall stay.
 *
 * An operation that was begun is waited for, also when the client has left: closing the descriptor under it could let it
 * work on whatever gets the same number next.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import * as crypto from "node:crypto"
import * as fs from "node:fs"
import * as Path from "node:path"
import { type StorageError, storageError } from "./StorageError.ts"

/** What the names of all such files begin with; the process and something unique follow. */
export const PREFIX = "http_body"

/**
 * When a process began, in ticks since the machine did; empty where there is no such process, or no `/proc`.
 *
 * The number of a process is used again, sometimes at once (in a container a new worker often has the number of the one
 * that crashed); together with this it is not.
 */
export const startOf = (pid: number | "self"): string => {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, "utf8")
    // The name of the program comes before, in parentheses, and may hold anything. Field 22 of proc_pid_stat(5).
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? ""
  } catch {
    return ""
  }
}

let ownStart: string | undefined

/** A new name: `http_body.<pid>.<start>-<random>`. */
export const freshName = (): string => {
  ownStart ??= startOf("self")
  return `${PREFIX}.${process.pid}.${ownStart}-${crypto.randomBytes(12).toString("hex")}`
}

type Callback<A> = (error: NodeJS.ErrnoException | null, value: A) => void

const attempt = <A = void>(
  operation: string,
  path: string,
  run: (callback: Callback<A>) => void
): Effect.Effect<A, StorageError> =>
  Effect.uninterruptible(
    Effect.callback((resume) =>
      run((error, value) =>
        resume(error === null ? Exit.succeed(value) : Exit.fail(storageError(operation, path, error)))
      )
    )
  )

export class BodyFile {
  readonly path: string
  private readonly fd: number
  private written = 0
  // Operations that the descriptor must outlive, and whether it shall be closed after the last of them.
  private running = 0
  private isReleased = false

  constructor(path: string, fd: number) {
    this.path = path
    this.fd = fd
  }

  /** Bytes written so far. */
  get size(): number {
    return this.written
  }

  private use<A>(operation: string, run: (callback: Callback<A>) => void): Effect.Effect<A, StorageError> {
    return Effect.suspend(() => {
      if (this.isReleased) {
        return Effect.die(new Error(`cannot ${operation} ${this.path}: it was removed with the scope of its request`))
      }
      return attempt<A>(operation, this.path, (callback) => {
        // Counted here and not above: between the two the fiber may be interrupted.
        this.running++
        run((error, value) => {
          this.running--
          this.closeWhenIdle()
          callback(error, value)
        })
      })
    })
  }

  /** Writes behind what is there; returns when the system has it all. */
  append(chunks: ReadonlyArray<Uint8Array>): Effect.Effect<void, StorageError> {
    return Effect.suspend(() => {
      const total = chunks.reduce((sum, chunk) => sum + chunk.length, 0)
      const position = this.written
      this.written += total
      return this.writeAll(chunks, total, position)
    })
  }

  private writeAll(
    chunks: ReadonlyArray<Uint8Array>,
    total: number,
    position: number
  ): Effect.Effect<void, StorageError> {
    if (total === 0) return Effect.void
    return Effect.flatMap(
      this.use<number>("write", (callback) => fs.writev(this.fd, chunks, position, callback)),
      // A disk that is about to be full takes a part; it says why when it is asked to take the rest.
      (count) =>
        count === total
          ? Effect.void
          : this.writeAll([Buffer.concat(chunks).subarray(count)], total - count, position + count)
    )
  }

  /** Reads up to `length` bytes; fewer only at the end. The buffer is the caller's own. */
  read(position: number, length: number): Effect.Effect<Buffer, StorageError> {
    return Effect.suspend(() =>
      this.fill(Buffer.allocUnsafeSlow(Math.min(length, this.written - position)), 0, position)
    )
  }

  private fill(block: Buffer, filled: number, position: number): Effect.Effect<Buffer, StorageError> {
    if (filled === block.length) return Effect.succeed(block)
    return Effect.flatMap(
      this.use<number>("read",
        (callback) =>
          fs.read(this.fd, block, filled, Math.min(block.length - filled, READ_MAX), position + filled, callback)),
      (count) =>
        count === 0
          ? Effect.die(new Error(`${this.path} became shorter: it ends before byte ${position + block.length}`))
          : this.fill(block, filled + count, position)
    )
  }

  /** Closes the descriptor, at the latest when what is running has ended. Whoever reads or writes later is told so. */
  closeUnsafe(): void {
    this.isReleased = true
    this.closeWhenIdle()
  }

  private closeWhenIdle(): void {
    if (this.isReleased && this.running === 0) fs.closeSync(this.fd)
  }
}

// The system reads at most 2 GiB at once.
const READ_MAX = 1_073_741_824

// `wx+`: the file is new and nobody's link is followed, or it is an error.
const create = (path: string): Effect.Effect<BodyFile, StorageError> =>
  Effect.map(
    attempt<number>("create", path, (callback) => fs.open(path, "wx+", 0o600, callback)),
    (fd) => new BodyFile(path, fd)
  )

const makeDirectory = (directory: string): Effect.Effect<void, StorageError> =>
  Effect.asVoid(
    attempt<string | undefined>("make the directory", directory,
      (callback) => fs.mkdir(directory, { recursive: true, mode: 0o700 }, callback))
  )

// That it is gone already means that a handler has taken it.
const remove = (path: string): Effect.Effect<void> =>
  attempt("remove", path, (callback: Callback<void>) =>
    fs.unlink(path, (error) => callback(error?.code === "ENOENT" ? null : error))).pipe(
      Effect.catch((error) => Effect.logWarning(error.message))
    )

/**
 * A new file in a directory, readable and writable for this user alone (0600), until the scope ends.
 *
 * The directory is made (0700) when it is not there. Fails with `StorageFull` or `StorageFailed`.
 */
export const open = (directory: string): Effect.Effect<BodyFile, StorageError, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.suspend(() => {
      const path = Path.join(directory, freshName())
      return Effect.catchTag(create(path), "StorageFailed",
        (error) =>
          error.code === "ENOENT" ? Effect.andThen(makeDirectory(directory), create(path)) : Effect.fail(error))
    }),
    (file) => Effect.andThen(remove(file.path), Effect.sync(() => file.closeUnsafe()))
  )
