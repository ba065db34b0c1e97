/**
 * `kore.server`: where the app listens.
 *
 * When to reach for it: at import or in `configure`, before the domains that attach to it.
 * What it is not: a socket. The parent binds all servers once `configure` has ended. Source: Kore, http §3.
 */
import * as CoreServer from "@kore-fx/http/Server"
import { describe } from "./Coroutine.ts"
import { RuntimeError } from "./errors.ts"
import * as keywords from "./internal/keywords.ts"
import { declaring } from "./internal/Registry.ts"

/** The keywords of `kore.server`. */
export interface ServerOptions {
  /** An IP address or a host name. */
  readonly ip?: string
  /** The port; 0 lets the system choose. */
  readonly port?: string | number
  /** The path of a UNIX socket instead, or `@name` for Linux' abstract namespace. */
  readonly path?: string
  /** Default true, as in Kore; this version refuses to start with it. */
  readonly tls?: boolean
  /** The name, where it is not the first argument. Default `default`. */
  readonly name?: string
}

const known = ["ip", "port", "path", "tls", "name"]

/**
 * Declares a server that domains attach to by its name.
 *
 * @throws RuntimeError for keywords that are unknown, missing or exclude each other, and for a name that is taken.
 *
 * @example
 * ```ts
 * import { kore } from "kore-fx/legacy"
 *
 * kore.server("notls", { ip: "127.0.0.1", port: "8888", tls: false })
 * kore.server("local", { path: "/run/app.sock", tls: false })
 * ```
 */
export const server: {
  (name: string, options: ServerOptions): void
  (options: ServerOptions): void
} = (first: string | ServerOptions, second?: ServerOptions): void => {
  const { servers } = declaring("kore.server")
  const options = typeof first === "string" ? second : first
  if (options === undefined) throw new RuntimeError(`kore.server(${describe(first)}) needs ip and port, or path`)
  keywords.check("kore.server", options, known)
  const name = nameOf(typeof first === "string" ? first : undefined, options.name)
  if (servers.has(name)) throw new RuntimeError(`the server "${name}" exists already`)
  servers.set(name, addressOf(name, options))
}

const nameOf = (positional: string | undefined, keyword: unknown): string => {
  if (keyword !== undefined && typeof keyword !== "string") {
    throw new RuntimeError(`the name of a server is ${describe(keyword)}, expected a string`)
  }
  if (positional !== undefined && keyword !== undefined && positional !== keyword) {
    throw new RuntimeError(`kore.server got two names, "${positional}" and "${keyword}"`)
  }
  return positional ?? keyword ?? "default"
}

const addressOf = (name: string, { ip, path, port, tls = true }: ServerOptions) => {
  const fail = (detail: string) => new RuntimeError(`the server "${name}" ${detail}`)
  if (typeof tls !== "boolean") throw fail(`has tls ${describe(tls)}, expected true or false`)
  if (path !== undefined) {
    if (ip !== undefined || port !== undefined) throw fail("has a path and an ip or port: they exclude each other")
    if (typeof path !== "string" || path === "") throw fail(`has the path ${describe(path)}, expected that of a socket`)
    return CoreServer.unix({ path, tls })
  }
  if (ip === undefined) throw fail("has neither ip nor path: expected one of them")
  if (typeof ip !== "string" || ip === "") throw fail(`has the ip ${describe(ip)}, expected an address or a host name`)
  if (!/^\d{1,5}$/.test(String(port)) || Number(port) > 65535) {
    throw fail(`has the port ${describe(port)}, expected a number from 0 to 65535`)
  }
  return CoreServer.tcp({ host: ip, port: Number(port), tls })
}
