/**
 * Makes listening sockets.
 *
 * When to reach for it: only through `Socket.listen` and its like.
 * What it is not: public, or for the servers of an app, which the parent binds (`Listener`).
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { setOption } from "../../native/Datagram.ts"
import * as Libc from "../../native/Libc.ts"
import * as Native from "../../native/Socket.ts"
import * as SocketFile from "../../native/SocketFile.ts"
import type * as Socket from "../../Socket.ts"
import { SocketError } from "../../SocketError.ts"
import * as Address from "./Address.ts"
import * as ListenerSocket from "./ListenerSocket.ts"
import * as NodeError from "./NodeError.ts"
import * as Refusal from "./Refusal.ts"
import * as Resolver from "./Resolver.ts"
import * as UnconnectedSocket from "./UnconnectedSocket.ts"

/** What a listener may be told. */
export interface Options {
  readonly backlog?: number | undefined
  readonly reusePort?: boolean | undefined
}

/** As many as Node lets wait by default. */
const defaultBacklog = 511

/** Makes a socket that listens, and gives it to the scope. */
export const listen = (
  target: Address.Target | Socket.Unconnected,
  options: Options = {}
): Effect.Effect<ListenerSocket.OwnListener, SocketError, Scope.Scope> => {
  const { backlog = defaultBacklog, reusePort = false } = options
  return target instanceof UnconnectedSocket.UnconnectedSocket
    ? listenOn(target, backlog, reusePort)
    : listenAt(target as Address.Target, backlog, reusePort)
}

const listenOn = (socket: UnconnectedSocket.UnconnectedSocket, backlog: number, isShared: boolean) => {
  const problem = "a socket that is made already cannot be told to share its port"
  const expected = "Socket.setOption before Socket.bind, with the numbers of SO_REUSEPORT"
  return isShared
    ? Effect.fail(Refusal.make("listen", `a new ${socket.family} socket`, problem, expected))
    : socket.listen(backlog)
}

const listenAt = (target: Address.Target, backlog: number, isShared: boolean) =>
  Effect.uninterruptibleMask((restore) =>
    Effect.suspend(() => {
      const refusal = Refusal.ofTarget("listen", target, 0) ?? Refusal.ofBacklog(backlog, Address.format(target)) ??
        (isShared ? Refusal.ofSharing(target) : undefined)
      if (refusal !== undefined) return Effect.fail(refusal)
      if ("path" in target) return listenUnix(target.path, backlog)
      return Effect.flatMap(
        restore(Resolver.resolve("listen", target.host)),
        (addresses) => listenInet(addresses, target.port, backlog, isShared)
      )
    })
  )

// A name may stand for an address that this machine does not have, as `localhost` does where IPv6 is off.
const listenInet = (
  [first, ...others]: readonly [string, ...Array<string>],
  port: number,
  backlog: number,
  isShared: boolean
) => {
  const attempt = (ip: string) =>
    Effect.map(listening({ _tag: "Inet", ip, port }, backlog, isShared), (descriptor) => ({ descriptor, ip }))
  return others
    .reduce((sofar, other) => Effect.catchIf(sofar, isNotHere, () => attempt(other)), attempt(first))
    .pipe(
      Effect.mapError((error) => NodeError.fromCall(error, "listen", Address.format({ host: first, port }))),
      Effect.flatMap(({ descriptor, ip }) => adopt(descriptor, ip, backlog))
    )
}

/** Makes a listener of a descriptor that listens at an IP address, on whatever port it got. */
const adopt = (descriptor: number, ip: string, backlog: number) =>
  Effect.gen(function*() {
    const libc = yield* Effect.orDie(Libc.load)
    const port = yield* Effect.orDie(Native.portOf(descriptor))
    return yield* new ListenerSocket.OwnListener(libc, descriptor, Address.inet(ip, port), backlog).own()
  })

const listenUnix = Effect.fnUntraced(function*(path: string, backlog: number) {
  const hasFile = !path.startsWith("@")
  const verdict = hasFile ? yield* SocketFile.clear(path) : "cleared"
  if (verdict !== "cleared") {
    return yield* new SocketError({
      operation: "listen",
      reason: "System",
      code: "EADDRINUSE",
      address: path,
      detail: verdict === "live" ? "somebody listens there" : "a file that is no socket is there"
    })
  }
  const descriptor = yield* listening({ _tag: "Unix", path }, backlog, false).pipe(
    Effect.mapError((error) => NodeError.fromCall(error, "listen", path))
  )
  const libc = yield* Effect.orDie(Libc.load)
  const listener = new ListenerSocket.OwnListener(libc, descriptor, Address.unix(path), backlog)
  return yield* listener.own(hasFile ? SocketFile.remove(yield* SocketFile.identify(path)) : Effect.void)
})

const listening = (address: Native.SocketAddress, backlog: number, isShared: boolean) =>
  Effect.tap(Native.open(address), (descriptor) =>
    (isShared ? share(descriptor) : Effect.void).pipe(
      Effect.andThen(Native.bind(descriptor, address)),
      Effect.andThen(Native.listen(descriptor, backlog)),
      Effect.onError(() => Native.close(descriptor))
    ))

// Linux alone gives each of those who share a port its part of the connections: these are its numbers.
const SOL_SOCKET = 1
const SO_REUSEPORT = 15

const share = (descriptor: number) =>
  Effect.flatMap(Libc.load, (libc) => {
    const errno = setOption(libc, descriptor, SOL_SOCKET, SO_REUSEPORT, 1)
    return errno === 0 ? Effect.void : Effect.fail(Libc.systemError("setsockopt", errno))
  })

const isNotHere = (error: Libc.CallError): boolean =>
  error._tag === "SystemError" && (error.code === "EADDRNOTAVAIL" || error.code === "EAFNOSUPPORT")
