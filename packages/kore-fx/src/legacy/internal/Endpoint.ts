/**
 * A socket as its two faces share it: the plain one of `kore.socket`, and the one that `kore.socket_wrap` makes of it.
 *
 * When to reach for it: only through these two.
 * What it is not: a socket. Core has those; this keeps what it is by now, and the scope that it is closed with.
 *
 * A socket belongs to the worker and not to the coroutine that made it, because it is handed on to others. As in Python
 * it is closed when nobody has it any more.
 */
import * as CoreSocket from "@kore-fx/core/Socket"
import { type Operation, SocketError } from "@kore-fx/core/SocketError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as Failure from "./Failure.ts"
import { inWorker } from "./Registry.ts"
import * as Run from "./Run.ts"

/** What a socket can be. */
interface Kinds {
  readonly stream: CoreSocket.Stream
  readonly listener: CoreSocket.Listener
  readonly datagram: CoreSocket.Datagram
}

type Open = { readonly [K in keyof Kinds]: { readonly kind: K; readonly socket: Kinds[K] } }[keyof Kinds]

const forgotten = new FinalizationRegistry<Scope.Closeable>((scope) => closeScope(scope))

const closeScope = (scope: Scope.Closeable): void => void Effect.runFork(Scope.close(scope, Exit.void))

export class Endpoint {
  private readonly scope: Scope.Closeable
  private readonly unconnected: CoreSocket.Unconnected | undefined
  /** What it is. */
  private open: Open | undefined = undefined
  /** What it is about to be. */
  private opening: Effect.Effect<Open, SocketError> | undefined = undefined

  private constructor(scope: Scope.Closeable, unconnected?: CoreSocket.Unconnected) {
    this.scope = scope
    this.unconnected = unconnected
    forgotten.register(this, scope)
  }

  // --- where sockets come from -----------------------------------------------------------------------------------------

  /** A socket that is nothing yet. */
  static make(family: CoreSocket.Unconnected["family"], type: CoreSocket.Unconnected["type"]): Endpoint {
    const scope = scopeFor("kore.socket.socket")
    const made = Scope.provide(CoreSocket.make(family, type), scope)
    return new Endpoint(scope, Failure.now(Effect.onError(made, () => Scope.close(scope, Exit.void))))
  }

  /** A socket of Node, which is about to be usable. */
  static of<K extends keyof Kinds>(
    call: string,
    kind: K,
    taken: Effect.Effect<Kinds[K], SocketError, Scope.Scope>
  ): Endpoint {
    const endpoint = new Endpoint(scopeFor(call))
    void endpoint.becomes(Effect.map(taken, (socket) => ({ kind, socket }) as Open))
    return endpoint
  }

  /** Accepts the next connection, which nobody can lose on the way. */
  get accepted(): Effect.Effect<Endpoint, SocketError> {
    return this.use("accept", ["listener"],
      ({ socket }) =>
        Effect.uninterruptibleMask((restore) =>
          Effect.suspend(() => {
            const scope = scopeFor("accept")
            return restore(Scope.provide(CoreSocket.accept(socket), scope)).pipe(
              Effect.onError(() => Scope.close(scope, Exit.void)),
              Effect.map((stream) => {
                const endpoint = new Endpoint(scope)
                endpoint.open = { kind: "stream", socket: stream }
                return endpoint
              })
            )
          })
        ))
  }

  /** Its addresses are paths. */
  get isUnix(): boolean {
    return this.unconnected?.family === "unix"
  }

  // --- what becomes of them --------------------------------------------------------------------------------------------

  // In a fiber of the socket's: whoever asked first may be killed, and others wait for it too.
  private becomes(opening: Effect.Effect<Open, SocketError, Scope.Scope>): Effect.Effect<Open, SocketError> {
    const opened = Effect.tap(Scope.provide(opening, this.scope), (open) => Effect.sync(() => void (this.open = open)))
    return this.opening = Fiber.join(Run.atOnce(Effect.forkIn(opened, this.scope, { startImmediately: true })))
  }

  private asDatagram(peer?: CoreSocket.Target): Effect.Effect<Open, SocketError> {
    return this.becomes(
      Effect.map(CoreSocket.toDatagram(this.unconnected!, { peer }), (socket) => ({ kind: "datagram", socket }))
    )
  }

  /** The socket while it is nothing yet. */
  plain(operation: Operation): Effect.Effect<CoreSocket.Unconnected, SocketError> {
    return Effect.suspend(() => {
      const { open, opening, unconnected } = this
      if (unconnected !== undefined && open === undefined && opening === undefined) return Effect.succeed(unconnected)
      return Effect.fail(refused(operation, "EINVAL", "it is connected, or listens, already"))
    })
  }

  listen(backlog: number | undefined): Effect.Effect<void, SocketError> {
    return Effect.flatMap(this.plain("listen"),
      (unconnected) =>
        Effect.map(Scope.provide(CoreSocket.listen(unconnected, { backlog }), this.scope), (socket) => {
          this.open = { kind: "listener", socket }
        }))
  }

  connect(target: CoreSocket.Target): Effect.Effect<void, SocketError> {
    return Effect.flatMap(this.plain("connect"),
      (unconnected) =>
        unconnected.type === "datagram" ? Effect.asVoid(this.asDatagram(target))
          : this.connectStream(unconnected, target))
  }

  private connectStream(
    unconnected: CoreSocket.Unconnected,
    target: CoreSocket.Target
  ): Effect.Effect<void, SocketError> {
    return Effect.uninterruptibleMask((restore) => {
      const connected = CoreSocket.connect(target, { socket: unconnected }) as Effect.Effect<
        CoreSocket.Stream,
        SocketError,
        Scope.Scope
      >
      return Effect.map(restore(Scope.provide(connected, this.scope)), (socket) => {
        this.open = { kind: "stream", socket }
      })
    })
  }

  /** The address of a socket that is connected, listens or receives. */
  get address(): Effect.Effect<CoreSocket.Address, SocketError> {
    const { open } = this
    if (open === undefined) return Effect.fail(refused("bind", "EINVAL", "it is not connected, and does not listen"))
    return Effect.succeed(open.kind === "listener" ? open.socket.address : open.socket.local)
  }

  // --- using them ------------------------------------------------------------------------------------------------------

  /** Does something with the socket, if it is of one of these kinds. */
  use<K extends keyof Kinds, A, E>(
    operation: Operation,
    kinds: ReadonlyArray<K>,
    f: (open: Extract<Open, { readonly kind: K }>) => Effect.Effect<A, E>
  ): Effect.Effect<A, E | SocketError> {
    // Whoever waits holds this effect, and with it the socket.
    return Effect.flatMap(
      Effect.suspend(() => this.open === undefined ? this.opened(operation) : Effect.succeed(this.open)),
      (open): Effect.Effect<A, E | SocketError> =>
        (kinds as ReadonlyArray<string>).includes(open.kind)
          ? f(open as Extract<Open, { readonly kind: K }>)
          : Effect.fail(refused(operation, "EOPNOTSUPP", `it is a ${open.kind}`))
    )
  }

  private opened(operation: Operation): Effect.Effect<Open, SocketError> {
    if (this.opening !== undefined) return this.opening
    if (this.unconnected?.type === "datagram") return this.asDatagram()
    return Effect.fail(refused(operation, "ENOTCONN", "it is not connected, and does not listen"))
  }

  close(): void {
    closeScope(this.scope)
  }
}

const scopeFor = (call: string): Scope.Closeable => Scope.forkUnsafe(Context.get(inWorker(call), Scope.Scope))

const refused = (operation: Operation, code: string, detail: string): SocketError =>
  new SocketError({ operation, reason: "System", code, address: "a socket", detail })
