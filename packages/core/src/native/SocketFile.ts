/**
 * The file of a UNIX socket: whether its path will do, whether somebody listens on it, taking it away.
 *
 * When to reach for it: `Listener` binds a UNIX socket.
 * What it is not: the socket. Removing the file only keeps new clients from finding it.
 */
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import * as net from "node:net"
import * as path from "node:path"
import * as Platform from "./Platform.ts"
import { unixPathLimit } from "./Socket.ts"

/** A socket file, told apart from others that may take its path. */
export interface SocketFile {
  /** Absolute, because the working directory may change. */
  readonly path: string
  readonly device: bigint
  readonly inode: bigint
}

/** What is wrong with the path of a UNIX socket, and what to do; undefined when nothing is. */
export const problemOf = (path: string): { readonly reason: string; readonly hint: string } | undefined => {
  const isAbstract = path.startsWith("@")
  const bytes = Buffer.byteLength(path) - (isAbstract ? 1 : 0)
  if (bytes === 0) return { reason: "its path is empty", hint: "Write a path, such as /run/app.sock." }
  if (path.includes("\0")) {
    return { reason: "its path has a zero byte in it", hint: "Write @name for an abstract socket." }
  }
  if (bytes > unixPathLimit) {
    return {
      reason: `its path has ${bytes} bytes, and the system allows ${unixPathLimit}`,
      hint: "Choose a shorter one, such as in /run or /tmp."
    }
  }
  if (isAbstract && Platform.current?.hasAbstractSockets === false) {
    return { reason: "this system has no abstract sockets", hint: "Write a path, such as /tmp/app.sock." }
  }
  return undefined
}

/**
 * Removes a socket file that nobody listens on.
 *
 * `live`: somebody listens, or may: only a refused connection proves that nobody does. `other`: it is not a socket. A
 * server that takes the path while this asks keeps it: what was not asked about is not removed.
 */
export const clear = (path: string): Effect.Effect<"cleared" | "live" | "other"> =>
  Effect.gen(function*() {
    while (true) {
      const asked = yield* Effect.sync(() => look(path))
      if (asked === undefined) return "cleared"
      if (!asked.isSocket()) return "other"
      if (yield* isLive(path)) return "live"
      yield* Effect.sync(() => {
        if (isSame(asked, look(path))) fs.unlinkSync(path)
      })
    }
  }).pipe(Effect.catchDefect(() => Effect.succeed("live" as const))) // not ours to look at: leave it alone

/** The file at the path of a socket that was bound just now. */
export const identify = (relative: string): Effect.Effect<SocketFile> =>
  Effect.sync(() => {
    const absolute = path.resolve(relative)
    const stat = look(absolute)
    return { path: absolute, device: stat?.dev ?? 0n, inode: stat?.ino ?? 0n }
  })

/** Removes the file, unless another one has taken its path. */
export const remove = (file: SocketFile): Effect.Effect<void> =>
  Effect.ignore(Effect.try(() => {
    const stat = look(file.path)
    if (stat?.dev === file.device && stat.ino === file.inode) fs.unlinkSync(file.path)
  }))

const look = (path: string): fs.BigIntStats | undefined => fs.lstatSync(path, { bigint: true, throwIfNoEntry: false })

// A new file may have got the inode of a dead socket, which nobody holds; it was made at another time.
const isSame = (one: fs.BigIntStats, other: fs.BigIntStats | undefined): boolean =>
  one.dev === other?.dev && one.ino === other.ino && one.ctimeNs === other.ctimeNs

const isLive = (path: string): Effect.Effect<boolean> =>
  Effect.callback((resume) => {
    const client = net.connect({ path })
    const answer = (live: boolean) => {
      client.destroy()
      resume(Effect.succeed(live))
    }
    client.once("connect", () => answer(true))
    client.on("error", ({ code }: NodeJS.ErrnoException) => answer(code !== "ECONNREFUSED" && code !== "ENOENT"))
    return Effect.sync(() => client.destroy())
  })
