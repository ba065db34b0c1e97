/**
 * Arguments that no operation of a socket accepts: nothing is done, and the socket stays as it is.
 *
 * When to reach for it: inside of `Socket`. Callers may be JavaScript, so types prove nothing.
 * What it is not: public.
 */
import * as net from "node:net"
import * as SocketFile from "../../native/SocketFile.ts"
import { type Operation, SocketError } from "../../SocketError.ts"
import * as Address from "./Address.ts"

/** Refuses an argument of an operation. */
export const make = (operation: Operation, address: string, detail: string, expected: string): SocketError =>
  new SocketError({ operation, reason: "BadArgument", address, detail, expected })

/** Refuses a length that is no whole number from 1. Kore takes negative ones, and reads where it should not. */
export const ofLength = (operation: Operation, maxBytes: number, address: string): SocketError | undefined =>
  Number.isSafeInteger(maxBytes) && maxBytes >= 1
    ? undefined
    : make(operation, address, `${String(maxBytes)} is not a number of bytes`, "A whole number, 1 or more")

/** Refuses a backlog that is no whole number from 1. */
export const ofBacklog = (backlog: number, address: string): SocketError | undefined =>
  Number.isSafeInteger(backlog) && backlog >= 1 && backlog < 2 ** 31
    ? undefined
    : make("listen", address, `${String(backlog)} is not a backlog`, "A whole number, 1 or more")

/** Refuses to share an address with other listeners where there is no such thing. */
export const ofSharing = (target: Address.Target): SocketError | undefined => {
  const address = Address.format(target)
  if ("path" in target) {
    return make("listen", address, "listeners cannot share a path",
      "reusePort with { host, port }, or none with { path }")
  }
  return process.platform === "linux" ? undefined : new SocketError({
    operation: "listen",
    reason: "NotSupported",
    address,
    detail: "this system does not divide the connections among those who share a port",
    expected: "Linux, or one listener for all, as the servers of an app have"
  })
}

/** Refuses what is neither bytes nor text. */
export const notBytes = (operation: Operation, data: unknown, address: string): SocketError =>
  make(
    operation,
    address,
    `${data === null ? "null" : typeof data} cannot be sent`,
    "A Uint8Array, or a string, which is sent as UTF-8"
  )

/** Refuses what is no address. */
export const ofTarget = (operation: Operation, target: Address.Target, lowestPort: 0 | 1): SocketError | undefined => {
  const given: unknown = target
  if (typeof given !== "object" || given === null) {
    return make(operation, "nothing", "it got no address", "{ host, port } or { path }")
  }
  if ("path" in given) return ofPath(operation, given.path)
  const { host, port } = given as { readonly host?: unknown; readonly port?: unknown }
  if (typeof host !== "string" || host === "" || host.includes("\0")) {
    return make(operation, "nothing", "its host is no text", "A host name or an IP address, such as 127.0.0.1")
  }
  if (!Number.isInteger(port) || (port as number) < lowestPort || (port as number) > 65535) {
    return make(operation, host, `${String(port)} is not a port`, `A whole number from ${lowestPort} to 65535`)
  }
  return undefined
}

const ofPath = (operation: Operation, path: unknown): SocketError | undefined => {
  if (typeof path !== "string") {
    return make(operation, "nothing", "its path is no text", "A path, or @name for an abstract socket")
  }
  const problem = SocketFile.problemOf(path)
  return problem === undefined
    ? undefined
    : make(operation, Address.format({ path }), problem.reason, problem.hint.slice(0, -1))
}

/** Refuses an address of the other IP family than the socket's. */
export const ofFamily = (
  operation: Operation,
  ip: string,
  family: 4 | 6
): SocketError | undefined =>
  net.isIP(ip) === 0 || net.isIP(ip) === family
    ? undefined
    : make(operation, ip, "it is not of the socket's IP version", `An address of IP version ${family}`)
