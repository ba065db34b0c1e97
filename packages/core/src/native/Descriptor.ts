/**
 * Descriptors of this process as such: another number for the same socket, and giving numbers back.
 *
 * When to reach for it: Node shall close what it was given, and the socket shall stay.
 * What it is not: a way to make sockets; see `Socket` and `Datagram`.
 */
import * as Libc from "./Libc.ts"

/** Makes a second descriptor of the same socket, closed on exec as the first; an error where there are too many. */
export const duplicate = (libc: Libc.Libc, descriptor: number): number | Libc.SystemError => {
  const copy = libc.dup(descriptor)
  if (copy < 0) return Libc.systemError("dup", libc.errno())
  libc.closeOnExec(copy)
  return copy
}

/** Closes a descriptor; there is nothing to be done about a failure. */
export const close = (libc: Libc.Libc, descriptor: number): void => void libc.close(descriptor)
