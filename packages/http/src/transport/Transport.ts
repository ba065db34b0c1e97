/**
 * Accepts HTTP/1.1 connections on sockets and drains them at the end.
 *
 * When to reach for it: `Server` opens one for every address of an app, `HttpServer` for any `effect/http` program.
 * What it is not: a process. Who binds the sockets, and how many workers share them, is decided elsewhere.
 */
import type * as ConfigModule from "@kore-fx/core/Config"
import * as ByteSize from "effect/ByteSize"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Net from "node:net"
import { Connection } from "./Connection.ts"
import * as Deadline from "./Deadline.ts"
import type { Ended, Ending, Observer } from "./Observation.ts"
import * as Port from "./Port.ts"
import type { Handler, Settings } from "./Port.ts"

export type { Ended, Ending, Handler, Observer, Settings }

/** Who is told of a fault of the application that the client cannot be told of any more. */
export type Report = Port.Handler["report"]

/** The settings of a configuration. */
export const settings = (config: ConfigModule.Config): Settings => ({
  headMax: ByteSize.toNumberUnsafe(config.httpHeaderMax),
  fieldMax: config.httpHeaderCount,
  bodyMax: ByteSize.toNumberUnsafe(config.httpBodyMax),
  headTimeout: Duration.toMillis(config.httpHeaderTimeout),
  bodyTimeout: Duration.toMillis(config.httpBodyTimeout),
  idleTimeout: Duration.toMillis(config.httpKeepaliveTime),
  writeTimeout: Duration.toMillis(config.httpWriteTimeout),
  drainTimeout: Duration.toMillis(config.shutdownTimeout),
  requestLimit: config.httpRequestLimit,
  backlog: config.socketBacklog,
  server: config.httpServerVersion,
  hstsSeconds: Math.floor(Duration.toSeconds(config.httpHstsEnable)),
  addressLimits: { connections: config.httpAddressLimit, requests: config.httpAddressRequestLimit }
})

/** Where to listen: a descriptor that another process has bound, or an address to bind here. */
export type Target =
  | {
    readonly descriptor: number
    /** Completes when the kernel has no connection left to accept; without it, the end waits 100 ms. */
    readonly untilEmpty?: Effect.Effect<void>
  }
  | { readonly host: string; readonly port: number }
  | { readonly path: string }

/** The address could not be listened on. */
export class TransportError extends Schema.TaggedError<TransportError>()("TransportError", {
  target: Schema.String,
  code: Schema.String,
  cause: Schema.Defect()
}) {
  override get message(): string {
    return `cannot listen on ${this.target}: ${this.code}`
  }
}

/** An open port. */
export interface Listening {
  /** The address as Node tells it: with the real port when 0 was asked for, a path for UNIX sockets. */
  readonly address: Net.AddressInfo | string
  /** Connections that are open now. */
  readonly connections: Effect.Effect<number>
  /**
   * Stops accepting, lets what runs finish within the time given, then interrupts it; ends when no connection is left.
   * A connection that was just accepted is served, and an idle one may still bring a request that was on its way.
   */
  readonly drain: Effect.Effect<void>
}

/** How long a socket that no longer gets new connections still accepts those that the kernel had taken before. */
const ACCEPT_REST = 100
/** How long interrupted handlers have to answer 503 before their connections are cut. */
const INTERRUPTED_REST = 1_000
/** How long finalizers have beyond the time of the drain. The parent waits 5 seconds longer than the drain takes. */
const FINALIZERS_REST = 3_000

const listenOn = (server: Net.Server, target: Target, backlog: number): Effect.Effect<void, TransportError> =>
  Effect.callback((resume) => {
    const onError = (cause: NodeJS.ErrnoException) =>
      resume(Effect.fail(new TransportError({ target: JSON.stringify(target), code: cause.code ?? "UNKNOWN", cause })))
    server.once("error", onError)
    const where = "descriptor" in target ? { fd: target.descriptor } : target
    server.listen({ ...where, backlog }, () => {
      server.off("error", onError)
      // A failed accept (no descriptors left, say) concerns one connection; the port stays open.
      server.on("error", () => {})
      resume(Effect.void)
    })
  })

const empty = (port: Port.Port): Effect.Effect<void> =>
  Effect.callback((resume) => {
    const check = () => {
      if (port.connections.size > 0) return
      port.onClosed.delete(check)
      resume(Effect.void)
    }
    port.onClosed.add(check)
    check()
    return Effect.sync(() => void port.onClosed.delete(check))
  })

const untilEmpty = (target: Target): Effect.Effect<void> =>
  "descriptor" in target && target.untilEmpty !== undefined ? target.untilEmpty : Effect.sleep(ACCEPT_REST)

const drainPort = (
  server: Net.Server,
  port: Port.Port,
  { drainTimeout }: Settings,
  handler: Handler,
  untilEmpty: Effect.Effect<void>
): Effect.Effect<void> =>
  Effect.gen(function*() {
    const started = yield* now
    const left = Effect.map(now, (time) => Math.max(0, drainTimeout - (time - started)))
    port.draining = true
    for (const connection of port.connections) connection.drain()
    yield* untilEmpty
    if (server.listening) server.close()
    yield* within(empty(port), yield* left)
    if (port.connections.size > 0) {
      for (const connection of port.connections) connection.interrupt()
      yield* within(empty(port), INTERRUPTED_REST)
      for (const connection of port.connections) connection.wire.destroy()
      yield* empty(port)
    }
    // What a request acquired is released before what the app acquired.
    yield* within(handler.idle ?? Effect.void, (yield* left) + FINALIZERS_REST)
  })

const now = Effect.map(Clock.monotonicTimeNanos, (nanos) => Number(nanos / 1_000_000n))

const clocks = Effect.all({ clock: Clock.Clock, deadlines: Deadline.make })

const within = (effect: Effect.Effect<void>, milliseconds: number) =>
  Effect.timeoutOption(effect, Duration.millis(milliseconds))

/**
 * Opens a port in the current scope; closing the scope drains it.
 *
 * Fails with `TransportError` when the address cannot be listened on.
 */
export const listen = Effect.fnUntraced(function*(
  target: Target,
  options: Settings,
  handler: Handler
): Effect.fn.Return<Listening, TransportError, Scope.Scope> {
  const port = Port.make(yield* clocks, options, handler, false)
  const server = Net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => void new Connection(socket, port))
  const drain = yield* Effect.cached(drainPort(server, port, options, handler, untilEmpty(target)))
  yield* Effect.acquireRelease(listenOn(server, target, options.backlog), () => drain)
  return {
    address: server.address()!,
    connections: Effect.sync(() => port.connections.size),
    drain
  }
})

/** Serves one connection that is already there, for instance one end of a pair of streams in memory. */
export const connect = Effect.fnUntraced(function*(
  options: Settings,
  handler: Handler
): Effect.fn.Return<(socket: Net.Socket) => void, never, Scope.Scope> {
  const port = Port.make(yield* clocks, options, handler, false)
  yield* Effect.addFinalizer(() =>
    Effect.suspend(() => {
      for (const connection of port.connections) connection.wire.destroy()
      return Effect.andThen(empty(port), handler.idle ?? Effect.void)
    })
  )
  return (socket) => void new Connection(socket, port)
})
