/**
 * Descriptors of this process as such: another number for the same socket, two that lead to each other, and
 * giving numbers back.
 *
 * When to reach for it: Node shall close what it was given, and the socket shall stay; `SocketPair` needs two.
 * What it is not: a way to make sockets that have a name; see `Socket` and `Datagram`.
 */
import * as Result from "effect/Result"
import * as Libc from "./Libc.ts"
import * as Platform from "./Platform.ts"

/** Makes two stream sockets that are connected to each other, blocking and closed on exec. */
export const pair = (libc: Libc.Libc): Result.Result<readonly [number, number], Libc.SystemError> => {
  // Whoever has a `Libc` has a platform.
  const { AF_UNIX, SOCK_CLOEXEC, SOCK_STREAM } = Platform.current as Platform.Platform
  const both = Buffer.alloc(8) // int[2]
  if (libc.socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, both) < 0) {
    return Result.fail(Libc.systemError("socketpair", libc.errno()))
  }
  const descriptors = [both.readInt32LE(0), both.readInt32LE(4)] as const
  if (SOCK_CLOEXEC === 0) { for (const descriptor of descriptors) libc.closeOnExec(descriptor) }
  return Result.succeed(descriptors)
}

/** Makes a second descriptor of the same socket, closed on exec as the first; an error where there are too many. */
export const duplicate = (libc: Libc.Libc, descriptor: number): number | Libc.SystemError => {
  const copy = libc.dup(descriptor)
  if (copy < 0) return Libc.systemError("dup", libc.errno())
  libc.closeOnExec(copy)
  return copy
}

/** Closes a descriptor; there is nothing to be done about a failure. */
export const close = (libc: Libc.Libc, descriptor: number): void => void libc.close(descriptor)
