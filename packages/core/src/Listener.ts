/**
 * Addresses to listen on, and the sockets bound to them.
 *
 * When to reach for it: the parent binds every address once and hands the descriptors down; in a worker, `Listeners`
 * tells which descriptor belongs to which server.
 * What it is not: a server. Nothing is accepted here.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as dns from "node:dns"
import * as net from "node:net"
import { ListenError } from "./KoreError.ts"
import { type CallError, SystemError } from "./native/Libc.ts"
import { ownerOf } from "./native/Owner.ts"
import * as Socket from "./native/Socket.ts"
import * as SocketFile from "./native/SocketFile.ts"

/** An IP address or host name, and a port. */
export interface Tcp {
  readonly _tag: "Tcp"
  /** An IP address, with or without brackets, or a name; of its addresses the first that this machine has is bound. */
  readonly host: string
  /** From 0 to 65535; 0 lets the system choose one, see `Bound.address`. */
  readonly port: number
  readonly tls: boolean
}

/** A socket in the file system, or with an abstract name. */
export interface Unix {
  readonly _tag: "Unix"
  /** A path, or `@name` for the abstract namespace of Linux; at most 107 bytes on Linux, 103 on macOS. */
  readonly path: string
  readonly tls: boolean
}

/** Where a server listens. */
export type Address = Tcp | Unix

/** An address that is listened on. */
export interface Bound {
  /** The server's name in the app. */
  readonly name: string
  /** What was really bound: an IP address in place of a name, the port the system chose in place of 0. */
  readonly address: Address
  /** The listening socket, in this process. */
  readonly descriptor: number
  /** The file of a UNIX socket, where this process made it. */
  readonly file?: SocketFile.SocketFile
}

/** The listening sockets of this process by the names of their servers. */
export class Listeners extends Context.Service<Listeners, ReadonlyMap<string, Bound>>()(
  "@kore-fx/core/Listener/Listeners"
) {}

/**
 * The address as people write it.
 *
 * @example
 * ```ts
 * Listener.label({ _tag: "Tcp", host: "::1", port: 80, tls: false }) // "http://[::1]:80"
 * Listener.label({ _tag: "Unix", path: "/tmp/x.sock", tls: false }) // "unix:/tmp/x.sock"
 * ```
 */
export const label = (address: Address): string => {
  if (address._tag === "Unix") return `unix:${address.path}`
  const host = withoutBrackets(address.host)
  return `${address.tls ? "https" : "http"}://${host.includes(":") ? `[${host}]` : host}:${address.port}`
}

/**
 * Binds an address and listens on it until the scope closes.
 *
 * Up to `backlog` connections wait to be accepted; the system may allow fewer. A socket file that nobody listens on is
 * replaced; ours is removed in the end. An IPv6 address takes no IPv4 connections.
 *
 * Fails with `ListenError`, which names server, address and what to do. Kore: http §3; bind(2).
 */
export const bind = (
  name: string,
  address: Address,
  options: { readonly backlog: number }
): Effect.Effect<Bound, ListenError, Scope.Scope> =>
  address._tag === "Tcp" ? bindTcp(name, address, options.backlog) : bindUnix(name, address, options.backlog)

/**
 * Closes the door: no connection is queued any more, while those that are queued can still be accepted.
 *
 * It is the door of the socket, so of every process that has it: the parent closes it before all workers drain. Closing
 * the descriptor instead would reset what is queued. A socket file is removed first. On Linux it is exact for TCP (of
 * 60 clients in a flood, 51 saw resets with a plain close, 7 with a backlog of 0, none with this) and for socket files.
 */
export const stopAccepting = (bound: Bound): Effect.Effect<void> =>
  Effect.andThen(
    bound.file === undefined ? Effect.void : SocketFile.remove(bound.file),
    Effect.ignore(Socket.closeDoor(bound.descriptor, bound.address._tag === "Tcp" ? "Inet" : "Unix"))
  )

/**
 * Waits until nobody waits to be accepted: for a worker that accepts meanwhile, and then closes its descriptor.
 *
 * A handshake that began before the door was closed takes another round trip, so a network is given 100 ms. It never
 * takes more than a second, since the door may be open: then others have the socket, and what is queued is theirs.
 */
export const untilEmpty = (bound: Bound): Effect.Effect<void> =>
  Effect.asVoid(Effect.timeoutOption(quiet(bound, isLocal(bound.address) ? 0 : 100), 1_000))

const quiet = (bound: Bound, millis: number): Effect.Effect<void> =>
  Effect.flatMap(hasQueued(bound), (some) =>
    some
      ? Effect.delay(Effect.suspend(() => quiet(bound, millis)), 1)
      : millis === 0
      ? Effect.void
      : Effect.delay(Effect.suspend(() => quiet(bound, millis - 10)), 10))

const hasQueued = (bound: Bound): Effect.Effect<boolean> =>
  Effect.orElseSucceed(Socket.hasQueued(bound.descriptor), () => false)

const isLocal = (address: Address): boolean =>
  address._tag === "Unix" || address.host === "::1" || address.host.startsWith("127.")

// --- binding ---------------------------------------------------------------------------------------------------------

const bindTcp = Effect.fnUntraced(function*(name: string, address: Tcp, backlog: number) {
  const { port } = address
  if (!Number.isInteger(port) || port < 0 || port > 65535) {
    return yield* listenError(name, address, `${port} is not a port`, "Choose one from 0 to 65535; 0 finds a free one.")
  }
  const [first, ...others] = yield* resolve(name, address)
  const attempt = (ip: string) =>
    Effect.map(listening({ _tag: "Inet", ip, port }, backlog), (descriptor) => ({ descriptor, ip }))
  // A name may stand for an address that this machine does not have, as `localhost` does where IPv6 is off.
  const { descriptor, ip } = yield* others
    .reduce((sofar, other) => Effect.catchIf(sofar, isNotHere, () => attempt(other)), attempt(first))
    .pipe(Effect.catch((error) => explain(name, address, error)))
  const actual = yield* Effect.orDie(Socket.portOf(descriptor))
  const bound: Bound = { name, address: { ...address, host: ip, port: actual }, descriptor }
  return bound
})

const bindUnix = Effect.fnUntraced(function*(name: string, address: Unix, backlog: number) {
  const problem = SocketFile.problemOf(address.path)
  if (problem !== undefined) return yield* listenError(name, address, problem.reason, problem.hint)
  const hasFile = !address.path.startsWith("@")
  const verdict = hasFile ? yield* SocketFile.clear(address.path) : "cleared"
  if (verdict === "live") return yield* explain(name, address, inUse)
  if (verdict === "other") {
    const hint = "Move it away, or choose another path."
    return yield* listenError(name, address, "a file that is no socket is there", hint)
  }
  const descriptor = yield* listening({ _tag: "Unix", path: address.path }, backlog).pipe(
    Effect.catch((error) => explain(name, address, error))
  )
  const bound: Bound = { name, address, descriptor }
  if (!hasFile) return bound
  return { ...bound, file: yield* Effect.acquireRelease(SocketFile.identify(address.path), SocketFile.remove) }
})

// Opened and closed with the scope; bound and listening in between.
const listening = (address: Socket.SocketAddress, backlog: number) =>
  Effect.acquireRelease(
    Effect.tap(Socket.open(address), (descriptor) =>
      Effect.onError(
        Effect.andThen(Socket.bind(descriptor, address), Socket.listen(descriptor, backlog)),
        () => Socket.close(descriptor)
      )),
    Socket.close
  )

const resolve = (name: string, address: Tcp): Effect.Effect<readonly [string, ...Array<string>], ListenError> => {
  const host = withoutBrackets(address.host)
  if (net.isIP(host) !== 0) return Effect.succeed([host])
  return Effect.callback((resume) => {
    dns.lookup(host, { all: true, order: "verbatim" }, (error, addresses) => {
      const [first, ...others] = error === null ? addresses : []
      resume(
        first !== undefined
          ? Effect.succeed([first.address, ...others.map((other) => other.address)])
          : listenError(
            name,
            address,
            `the host name "${host}" has no address (${error?.code ?? "ENODATA"})`,
            "Correct the name, or write an IP address: 127.0.0.1, or 0.0.0.0 or :: for all of this machine."
          )
      )
    })
  })
}

const withoutBrackets = (host: string): string => host.replace(/^\[(.*)\]$/, "$1")

// --- explaining ------------------------------------------------------------------------------------------------------

const inUse = new SystemError({ call: "bind", code: "EADDRINUSE", description: "address already in use" })

const isNotHere = (error: CallError): boolean =>
  error._tag === "SystemError" && (error.code === "EADDRNOTAVAIL" || error.code === "EAFNOSUPPORT")

const listenError = (
  server: string,
  address: Address,
  reason: string,
  hint?: string
): Effect.Effect<never, ListenError> =>
  Effect.fail(new ListenError({ server, address: label(address), reason, ...(hint === undefined ? {} : { hint }) }))

const explain = Effect.fnUntraced(function*(name: string, address: Address, error: CallError) {
  if (error._tag === "FfiUnavailable") {
    return yield* listenError(name, address, error.reason, "The parent binds every socket, and Node.js cannot do that.")
  }
  const place = address._tag === "Tcp" ? "port" : "path"
  if (error.code === "EADDRINUSE") {
    const owner = yield* ownerOf(
      address._tag === "Tcp" ? { _tag: "Inet", ip: address.host, port: address.port } : address
    )
    const hint = owner === undefined ? undefined : `${owner} listens there: stop it, or choose another ${place}.`
    return yield* listenError(name, address, error.code, hint)
  }
  if (error.code === "EACCES" && address._tag === "Tcp") {
    return yield* listenError(
      name,
      address,
      error.code,
      `Ports below 1024 are root's: choose one from 1024, start as root, or give them away with ` +
        `sysctl net.ipv4.ip_unprivileged_port_start=${address.port}.`
    )
  }
  return yield* listenError(name, address, error.code)
})
