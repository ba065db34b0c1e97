/**
 * Who listens on an address already, as far as this user may see it.
 *
 * When to reach for it: to name the culprit in the message of an address in use.
 * What it is not: reliable. It reads `/proc`, which is Linux's, and sees processes of other users only as root.
 */
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import type { SocketAddress } from "./Socket.ts"

/** The process that listens on an address, such as `nginx (pid 812)`; undefined where it cannot be told. */
export const ownerOf = (address: SocketAddress): Effect.Effect<string | undefined> =>
  Effect.orElseSucceed(
    Effect.try({ try: () => describe(inodesOf(address)), catch: () => undefined }),
    () => undefined
  )

// The sockets that listen on the address, by the number the kernel gave each.
const inodesOf = (address: SocketAddress): ReadonlySet<string> => {
  if (address._tag === "Unix") {
    // Num RefCount Protocol Flags Type St Inode Path
    return inodes(["/proc/net/unix"], (fields) => fields[7] === address.path ? fields[6] : undefined)
  }
  // sl local_address rem_address st … inode; 0A is a socket that listens
  const port = `:${address.port.toString(16).toUpperCase().padStart(4, "0")}`
  return inodes(
    ["/proc/net/tcp", "/proc/net/tcp6"],
    (fields) => fields[3] === "0A" && fields[1]?.endsWith(port) === true ? fields[9] : undefined
  )
}

const inodes = (
  files: ReadonlyArray<string>,
  pick: (fields: ReadonlyArray<string>) => string | undefined
): ReadonlySet<string> => {
  const found = files
    .filter((file) => fs.existsSync(file))
    .flatMap((file) => fs.readFileSync(file, "latin1").split("\n"))
    .map((line) => pick(line.trim().split(/\s+/)))
  return new Set(found.filter((inode) => inode !== undefined))
}

const describe = (inodes: ReadonlySet<string>): string | undefined => {
  if (inodes.size === 0) return undefined
  const pid = fs.readdirSync("/proc").find((name) => /^\d+$/.test(name) && holds(name, inodes))
  return pid === undefined ? undefined : `${fs.readFileSync(`/proc/${pid}/comm`, "utf8").trim()} (pid ${pid})`
}

const holds = (pid: string, inodes: ReadonlySet<string>): boolean => {
  try {
    const directory = `/proc/${pid}/fd`
    return fs.readdirSync(directory).some((descriptor) => {
      const target = /^socket:\[(\d+)\]$/.exec(linkOf(`${directory}/${descriptor}`))
      return target !== null && inodes.has(target[1]!)
    })
  } catch {
    return false // it is another user's, or it is gone
  }
}

const linkOf = (path: string): string => {
  try {
    return fs.readlinkSync(path)
  } catch {
    return "" // closed in the meantime
  }
}
