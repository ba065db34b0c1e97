/**
 * Serves the connections of a listener: each in a fiber of its own, up to the end of all of them.
 *
 * When to reach for it: only through `Socket.serve`.
 * What it is not: a namespace of its own; it is a file of its own because most sockets are no servers.
 *
 * A connection is no `Task`. Tasks belong to the worker, and are interrupted before the app's Layer is released, while
 * a connection belongs to its server and may end by itself first; and a server works where there are no tasks. So it is
 * what a request is: a fiber with a scope, in a table that `Fibers` reads, observed by the Tracer.
 */
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import type * as Socket from "../../Socket.ts"
import { SocketError } from "../../SocketError.ts"
import * as Tracer from "../../Tracer.ts"
import * as Wait from "../../Wait.ts"
import * as Roots from "../Roots.ts"
import * as Address from "./Address.ts"
import type * as ListenerSocket from "./ListenerSocket.ts"

/** What `serve` may be told. */
export interface ServeOptions {
  /** How many connections there may be at once, from 1. Default: as many as there are descriptors. */
  readonly concurrency?: number | undefined
  /** How long connections have to end by themselves when the server ends. Default: 2 seconds. */
  readonly drain?: Duration.Input | undefined
  /** For people, in reports and lists. Need not be unique. Default: the listener's address. */
  readonly name?: string | undefined
}

/**
 * Accepts connections and runs the handler for each, in a fiber and a scope of its own, until it is interrupted or the
 * listener is closed.
 *
 * The stream is closed with its scope: when the handler has ended, however. What it fails with or dies of is reported
 * once, by the Tracer, as `connection`, and ends nobody else. That its own peer broke off (`ECONNRESET`, `EPIPE`, a
 * timeout of the system, no way there) is how connections end, and not reported; the same of another socket is.
 *
 * With `concurrency` connections nobody else is accepted: 16 more may have been taken in, the others wait in the
 * kernel, up to the `backlog`. Choose one below the limit of descriptors: see `listen` for what happens there. When
 * accepting fails, that is reported once as `listener`, and tried again every second.
 *
 * At the end the listener is closed first, so who comes is refused, and who was not accepted is lost. Connections then
 * have the time of `drain` to end, and are interrupted after it; when this returns, all of them have ended. In an app,
 * the parent kills a worker after `shutdownTimeout` and 5 seconds, for everything together.
 *
 * Never fails. A closed listener is no error. A concurrency that is no whole number from 1 dies with a RangeError.
 *
 * @example
 * ```ts
 * const echo = (socket: Socket.Stream) =>
 *   Effect.gen(function*() {
 *     for (let data = yield* Socket.recv(socket, 65536); Option.isSome(data); data = yield* Socket.recv(socket, 65536)) {
 *       yield* Socket.send(socket, data.value)
 *     }
 *   })
 *
 * const server = Layer.effectDiscard(Effect.gen(function*() {
 *   const listener = yield* Socket.listen({ host: "127.0.0.1", port: 7 })
 *   yield* Effect.forkScoped(Socket.serve(listener, echo, { concurrency: 1000, name: "echo" }))
 * }))
 * ```
 */
export const serve = <A, E, R>(
  listener: Socket.Listener,
  handler: (socket: Socket.Stream) => Effect.Effect<A, E, R>,
  options: ServeOptions = {}
): Effect.Effect<void, never, Exclude<R, Scope.Scope> | Tracer.Tracer> =>
  Effect.suspend(() => {
    const limit = options.concurrency ?? Infinity
    if (limit !== Infinity && !(Number.isSafeInteger(limit) && limit >= 1)) {
      return Effect.die(
        new RangeError(
          `Socket.serve got the concurrency ${limit}. Expected a whole number, 1 or more, or none for no limit.`
        )
      )
    }
    const drain = Duration.fromInputUnsafe(options.drain ?? "2 seconds")
    return Tracer.Tracer.use((tracer) =>
      new Server(listener as ListenerSocket.ListenerSocket, handler, tracer, limit, drain, options.name).run
    )
  })

// --- private ---------------------------------------------------------------------------------------------------------

type AnyFiber = Fiber.Fiber<unknown, unknown>

class Connection implements Roots.Root {
  readonly kind = "connection"
  readonly name: string
  readonly fiber: AnyFiber
  readonly created = performance.now()

  constructor(name: string, fiber: AnyFiber) {
    this.name = name
    this.fiber = fiber
  }

  get id(): number {
    return this.fiber.id
  }
}

class Server<R> implements Roots.Source {
  private readonly connections = new Set<Connection>()
  /** What is waited for may be so now: by whoever accepts, and later by who drains. */
  private check: (() => void) | undefined = undefined
  /** Accepting failed, and was reported. */
  private isFailing = false
  private readonly name: string
  private readonly listener: ListenerSocket.ListenerSocket
  private readonly handler: (socket: Socket.Stream) => Effect.Effect<unknown, unknown, R>
  private readonly tracer: Tracer.Tracer["Service"]
  private readonly limit: number
  private readonly drain: Duration.Duration

  constructor(
    listener: ListenerSocket.ListenerSocket,
    handler: (socket: Socket.Stream) => Effect.Effect<unknown, unknown, R>,
    tracer: Tracer.Tracer["Service"],
    limit: number,
    drain: Duration.Duration,
    name: string | undefined
  ) {
    this.listener = listener
    this.handler = handler
    this.tracer = tracer
    this.limit = limit
    this.drain = drain
    this.name = name ?? Address.format(listener.address)
  }

  readonly roots = (): Iterable<Roots.Root> => this.connections

  get run(): Effect.Effect<void, never, Exclude<R, Scope.Scope>> {
    const watch = Effect.acquireRelease(
      Effect.sync(() => void this.listener.onShut.add(this.wake)),
      () => Effect.sync(() => void this.listener.onShut.delete(this.wake))
    )
    const accepting = Effect.ignore(Effect.forever(Effect.andThen(this.room, this.next)))
    return Effect.scoped(
      Effect.andThen(Roots.addSource(this), Effect.andThen(watch, Effect.ensuring(accepting, this.end)))
    )
  }

  private readonly wake = (): void => this.check?.()

  // --- accepting -----------------------------------------------------------------------------------------------------

  private readonly room = this.until(
    () => this.connections.size < this.limit || this.listener.isShut,
    () => `the end of one of ${this.connections.size} connections of ${this.name}`
  )

  /** Accepts one connection. Fails when the listener is closed, and with nothing else. */
  private get next(): Effect.Effect<void, SocketError, Exclude<R, Scope.Scope>> {
    const accepted = Effect.uninterruptibleMask((restore) =>
      Effect.suspend(() => {
        const scope = Scope.makeUnsafe()
        return restore(Scope.provide(this.listener.accept(undefined), scope)).pipe(
          Effect.onError(() => Scope.close(scope, Exit.void)),
          Effect.flatMap((stream) => this.start(stream as Socket.Stream, scope))
        )
      })
    )
    return Effect.catch(accepted, (error) =>
      Effect.withFiber((fiber): Effect.Effect<void, SocketError> => {
        // Without a timeout there is none.
        if (!(error instanceof SocketError) || error.reason === "Closed") return Effect.fail(error as SocketError)
        if (!this.isFailing) {
          this.isFailing = true
          this.tracer.reportUnsafe(Cause.fail(error), { kind: "listener", name: this.name, id: fiber.id })
        }
        return Wait.on(Effect.sleep("1 second"),
          () => ({ kind: "connection", what: `a second, to accept on ${this.name} again` }))
      }))
  }

  private start(stream: Socket.Stream, scope: Scope.Closeable): Effect.Effect<void, never, Exclude<R, Scope.Scope>> {
    const { handler } = this
    const handled = Effect.provideService(Effect.suspend(() => handler(stream)), Scope.Scope, scope)
    // Interrupted before its first step, it still has to close the stream.
    const connection = Effect.onExit(Effect.interruptible(handled), (exit) => Scope.close(scope, exit))
    return Effect.map(Effect.forkDetach(connection, { uninterruptible: true }), (fiber) => this.add(stream, fiber))
  }

  private add(stream: Socket.Stream, fiber: AnyFiber): void {
    const peer = peerOf(stream)
    const connection = new Connection(`${this.name} from ${peer}`, fiber)
    this.isFailing = false
    this.connections.add(connection)
    fiber.addObserver((exit) => {
      this.connections.delete(connection)
      if (exit._tag === "Failure" && !isDeparture(exit.cause, peer)) {
        this.tracer.reportUnsafe(exit.cause, Roots.originOf(connection, fiber.context))
      }
      this.wake()
    })
  }

  // --- the end -------------------------------------------------------------------------------------------------------

  private get end(): Effect.Effect<void> {
    const drained = Duration.isZero(this.drain) ? Effect.void : Effect.timeoutOption(this.empty, this.drain)
    return this.listener.close.pipe(
      Effect.andThen(drained),
      Effect.andThen(this.interruptAll),
      Effect.andThen(this.empty)
    )
  }

  private readonly empty = this.until(
    () => this.connections.size === 0,
    () => `the end of ${this.connections.size} connections of ${this.name}`
  )

  private readonly interruptAll = Effect.withFiberSucceed((self) => {
    for (const { fiber } of [...this.connections]) fiber.interruptUnsafe(self.id)
  })

  private until(condition: () => boolean, what: () => string): Effect.Effect<void> {
    const wait = Effect.callback<void>((resume) => {
      const stop = () => void (this.check = undefined)
      this.check = () => {
        if (!condition()) return
        stop()
        resume(Effect.void)
      }
      this.check()
      return Effect.sync(stop)
    })
    const listed = Wait.on(wait, () => ({ kind: "connection", what: what() }))
    return Effect.suspend(() => condition() ? Effect.void : listed)
  }
}

/** As errors of its operations name the peer. */
const peerOf = ({ local, remote }: Socket.Stream): string =>
  remote._tag === "Unix" && remote.path === "" ? `a client of ${Address.format(local)}` : Address.format(remote)

const departures: ReadonlySet<string | undefined> = new Set([
  "ECONNABORTED",
  "ECONNRESET",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EPIPE",
  "ETIMEDOUT"
])

/** Whether a connection ended because its peer broke off, and of nothing else. Another socket's peer is not meant. */
const isDeparture = (cause: Cause.Cause<unknown>, peer: string): boolean =>
  cause.reasons.every((reason) =>
    Cause.isInterruptReason(reason) || (
      Cause.isFailReason(reason) && reason.error instanceof SocketError &&
      reason.error.address === peer && departures.has(reason.error.code)
    )
  )
