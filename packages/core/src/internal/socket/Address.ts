/**
 * Addresses of sockets: what a caller writes, what the system tells, and what people read.
 *
 * When to reach for it: inside of `Socket`; users see these types as `Socket.Inet`, `Socket.Unix` and `Socket.Target`.
 * What it is not: public, or the resolver of names.
 */
import type * as net from "node:net"

export interface Inet {
  readonly _tag: "Inet"
  readonly host: string
  readonly port: number
}

export interface Unix {
  readonly _tag: "Unix"
  readonly path: string
}

export type Address = Inet | Unix

export type InetTarget = { readonly host: string; readonly port: number }
export type UnixTarget = { readonly path: string }
export type Target = InetTarget | UnixTarget

export const inet = (host: string, port: number): Inet => ({ _tag: "Inet", host, port })
export const unix = (path: string): Unix => ({ _tag: "Unix", path })

/** `127.0.0.1:80`, `[::1]:80`, `/run/app.sock`, `@name`. */
export const format = (target: Target): string => {
  if ("path" in target) return target.path === "" ? "an unnamed socket" : target.path
  if (target.host === "") return "a peer that is gone"
  const host = withoutBrackets(target.host)
  return `${host.includes(":") ? `[${host}]` : host}:${target.port}`
}

/** Node writes the zero byte of an abstract name. */
export const nodePath = (path: string): string => path.startsWith("@") ? `\0${path.slice(1)}` : path

export const withoutBrackets = (host: string): string => host.replace(/^\[(.*)\]$/, "$1")

/** The two ends of a connection. */
export interface Ends {
  readonly local: Address
  readonly remote: Address
}

/** The ends of a TCP connection. A peer that is gone before it was looked at has no address any more. */
export const endsOf = (socket: net.Socket): Ends => ({
  local: inet(socket.localAddress ?? "", socket.localPort ?? 0),
  remote: inet(socket.remoteAddress ?? "", socket.remotePort ?? 0)
})

/** The ends of a UNIX connection, of which Node does not know more than it was told. */
export const unixEnds = (local: string, remote: string): Ends => ({ local: unix(local), remote: unix(remote) })
