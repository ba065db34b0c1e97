/**
 * Makes listening sockets.
 *
 * When to reach for it: only through `Socket.listen` and its like.
 * What it is not: public, or for the servers of an app, which the parent binds (`Listener`).
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Libc from "../../native/Libc.ts"
import * as Native from "../../native/Socket.ts"
import * as SocketFile from "../../native/SocketFile.ts"
import { SocketError } from "../../SocketError.ts"
import * as Address from "./Address.ts"
import * as ListenerSocket from "./ListenerSocket.ts"
import * as NodeError from "./NodeError.ts"
import * as Refusal from "./Refusal.ts"
import * as Resolver from "./Resolver.ts"

/** As many as Node lets wait by default. */
export const defaultBacklog = 511

/** Makes a socket that listens, and gives it to the scope. */
export const listen = (
  target: Address.Target,
  backlog: number
): Effect.Effect<ListenerSocket.OwnListener, SocketError, Scope.Scope> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.suspend(() => {
      const refusal = Refusal.ofTarget("listen", target, 0) ?? Refusal.ofBacklog(backlog, Address.format(target))
      if (refusal !== undefined) return Effect.fail(refusal)
      if ("path" in target) return listenUnix(target.path, backlog)
      return Effect.flatMap(
        restore(Resolver.resolve("listen", target.host)),
        (addresses) => listenInet(addresses, target.port, backlog)
      )
    })
  )

// A name may stand for an address that this machine does not have, as `localhost` does where IPv6 is off.
const listenInet = ([first, ...others]: readonly [string, ...Array<string>], port: number, backlog: number) => {
  const attempt = (ip: string) =>
    Effect.map(listening({ _tag: "Inet", ip, port }, backlog), (descriptor) => ({ descriptor, ip }))
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
  const descriptor = yield* listening({ _tag: "Unix", path }, backlog).pipe(
    Effect.mapError((error) => NodeError.fromCall(error, "listen", path))
  )
  const libc = yield* Effect.orDie(Libc.load)
  const listener = new ListenerSocket.OwnListener(libc, descriptor, Address.unix(path), backlog)
  return yield* listener.own(hasFile ? SocketFile.remove(yield* SocketFile.identify(path)) : Effect.void)
})

const listening = (address: Native.SocketAddress, backlog: number) =>
  Effect.tap(Native.open(address), (descriptor) =>
    Effect.onError(
      Effect.andThen(Native.bind(descriptor, address), Native.listen(descriptor, backlog)),
      () => Native.close(descriptor)
    ))

const isNotHere = (error: Libc.CallError): boolean =>
  error._tag === "SystemError" && (error.code === "EADDRNOTAVAIL" || error.code === "EAFNOSUPPORT")
