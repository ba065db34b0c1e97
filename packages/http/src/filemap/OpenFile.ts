/**
 * Opens a file that was found, makes sure that it is that one, and reads it: at once when it is small, in blocks while
 * it is sent when it is large.
 *
 * When to reach for it: `FileAnswer` does when something of a file's content is needed.
 * What it is not: a cache; that is `FileCache`.
 *
 * Between the look and the opening somebody may have put something else in its place. A FIFO or a device there must not
 * hang the worker, and a link on the way must not lead out: so the file is opened without waiting and without following
 * a link at its end, and the kernel is asked which file that is now.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as fs from "node:fs"
import type { ByteRange } from "./ByteRange.ts"
import * as FilePath from "./FilePath.ts"
import * as Lookup from "./Lookup.ts"

/** An open file. */
export interface Open {
  readonly _tag: "Open"
  readonly fd: number
  readonly identity: Lookup.Identity
}

/** The file is not the one that was looked at: look again. */
export const CHANGED = { _tag: "Changed" } as const

/** Why there is nothing to read. */
export type Unreadable = typeof CHANGED | Lookup.NoFile

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = fs.constants
// Flags that a system does not have are missing there.
const FLAGS = O_RDONLY | ((O_NOFOLLOW as number | undefined) ?? 0) | ((O_NONBLOCK as number | undefined) ?? 0)

// Linux tells where a descriptor leads, whatever happens to the names meanwhile. Elsewhere the names are asked again.
const realPath = (fd: number, path: string): string => {
  try {
    return fs.readlinkSync(`/proc/self/fd/${fd}`)
  } catch {
    return fs.realpathSync.native(path)
  }
}

const checked = (fd: number, { identity, path, root }: Lookup.File): Open | undefined => {
  const stats = fs.fstatSync(fd)
  if (!stats.isFile() || stats.ino !== identity.ino || stats.dev !== identity.dev) return undefined
  if (root !== undefined && !FilePath.isWithin(realPath(fd, path), fs.realpathSync.native(root))) return undefined
  return { _tag: "Open", fd, identity: stats }
}

// Whoever gets it closes it.
const openUnsafe = (file: Lookup.File): Open | Unreadable => {
  let fd: number
  try {
    fd = fs.openSync(file.path, FLAGS)
  } catch (error) {
    return Lookup.failed(error)
  }
  let open: Open | undefined
  try {
    return (open = checked(fd, file)) ?? CHANGED
  } finally {
    if (open === undefined) fs.closeSync(fd)
  }
}

/** The content of a file as it was at one moment. */
export interface Content {
  readonly _tag: "Content"
  readonly bytes: Buffer
  readonly identity: Lookup.Identity
  /** A change from now on will be seen in the identity. */
  readonly isSettled: boolean
}

/** Reads a small file whole; one that is being written is `CHANGED`. */
export const readUnsafe = (file: Lookup.File): Content | Unreadable => {
  const open = openUnsafe(file)
  if (open._tag !== "Open") return open
  const { fd, identity } = open
  try {
    if (identity.size !== file.identity.size) return CHANGED
    const isSettled = Lookup.isSettled(identity)
    const bytes = Buffer.allocUnsafeSlow(identity.size)
    let length = 0
    while (length < bytes.length) {
      const count = fs.readSync(fd, bytes, length, bytes.length - length, length)
      if (count === 0) return CHANGED
      length += count
    }
    return Lookup.isSame(identity, fs.fstatSync(fd)) ? { _tag: "Content", bytes, identity, isSettled } : CHANGED
  } finally {
    fs.closeSync(fd)
  }
}

/** A file that is open as long as the scope. */
export const open = (file: Lookup.File): Effect.Effect<Open | Unreadable, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => openUnsafe(file)),
    (open) => Effect.sync(() => open._tag === "Open" ? fs.closeSync(open.fd) : undefined)
  )

/**
 * Bytes of one read. Each block is a buffer of its own, because who sends it may still hold the one before.
 *
 * 64 KiB: sending 256 MiB over loopback costs 1.2 ms of CPU a MB. With 128 to 256 KiB it is 1.7 and more, because the
 * allocator maps and unmaps each block, and with 1 MiB the same as with 64 KiB, for sixteen times the memory a client.
 */
const BLOCK = 65_536

// A read that was begun is waited for, also when the client has left: closing the descriptor under it could make it
// read from whatever gets the same number next. It is a regular file, so it comes to an end.
const read = (fd: number, position: number, length: number): Effect.Effect<Buffer> =>
  Effect.uninterruptible(Effect.callback((resume) => {
    const block = Buffer.allocUnsafeSlow(length)
    fs.read(fd, block, 0, length, position, (error, count) =>
      resume(error === null
        ? Effect.succeed(count === length ? block : block.subarray(0, count))
        : Effect.die(error)))
  }))

/**
 * The bytes of a range while they are sent. One block at a time is in memory, besides what the connection still holds.
 *
 * A file that becomes shorter meanwhile is a defect, after which the connection breaks: what was promised is not there.
 * Of one that becomes longer nothing more is sent than was promised.
 */
export const stream = ({ fd }: Open, { end, start }: ByteRange, path: string): Stream.Stream<Uint8Array> =>
  Stream.unfold(start, (position) => {
    if (position >= end) return Effect.undefined
    return Effect.flatMap(read(fd, position, Math.min(BLOCK, end - position)), (block) =>
      block.length === 0
        ? Effect.die(
          new Error(`${path} became shorter while it was sent: it ends at byte ${position} instead of ${end}`)
        )
        : Effect.succeed([block, position + block.length] as const))
  })
