/**
 * What the transport's tests share: a server on port 0 whose fibers are counted, a client that speaks bytes, a reader
 * that takes responses apart as strictly as a client may, and a socket in memory.
 */
import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import * as Net from "node:net"
import { Duplex } from "node:stream"
import { HttpServerError, HttpServerResponse } from "../../src/internal/effectHttp.ts"
import type { ServerRequest } from "../../src/Request.ts"
import type { Connection } from "../../src/transport/Connection.ts"
import type { Port } from "../../src/transport/Port.ts"
import * as Transport from "../../src/transport/Transport.ts"

export type Response = HttpServerResponse.HttpServerResponse

export const text = (body: string): Response => HttpServerResponse.text(body)

/** Settings with short, different times, so that a test sees which one fired. */
export const settings: Transport.Settings = {
  headMax: 16_384,
  fieldMax: 100,
  bodyMax: 1_048_576,
  headTimeout: 10_000,
  bodyTimeout: 60_000,
  idleTimeout: 20_000,
  writeTimeout: 30_000,
  drainTimeout: 5_000,
  requestLimit: 1_000,
  backlog: 128,
  server: "kore-fx"
}

/** Work for a request; the connection is there for tests that look inside. */
export type Work = (request: ServerRequest, connection: Connection) => Effect.Effect<Response, unknown, Scope.Scope>

/** What happened on the server's side. */
export class Record {
  /** Requests whose handler was started: method and URL. */
  readonly started: Array<string> = []
  /** The end of each handler, in the order in which they ended. */
  readonly ended: Array<{ readonly request: string; readonly exit: Exit.Exit<unknown, unknown> }> = []
  /** Faults that were reported. */
  readonly reports: Array<Cause.Cause<unknown>> = []
  /** Fibers that still run. */
  readonly fibers = new Set<Fiber.Fiber<unknown, unknown>>()
  readonly connections = new Set<Connection>()
  private readonly watchers = new Set<() => void>()

  /** How the handlers ended, as words. */
  get outcomes(): ReadonlyArray<string> {
    return this.ended.map(({ exit, request }) =>
      `${request} ${
        exit._tag === "Success" ? "answered" : Cause.hasInterruptsOnly(exit.cause) ? "interrupted" : "failed"
      }`
    )
  }

  /** What was reported, as text. */
  get reported(): ReadonlyArray<string> {
    return this.reports.map((cause) => String((Cause.squash(cause) as Error)?.message ?? cause))
  }

  changed(): void {
    for (const watcher of this.watchers) watcher()
  }

  /** Waits until something is true of this record. */
  until(holds: (record: this) => boolean): Effect.Effect<void> {
    return Effect.callback<void>((resume) => {
      const check = () => {
        if (!holds(this)) return
        this.watchers.delete(check)
        resume(Effect.void)
      }
      this.watchers.add(check)
      check()
      return Effect.sync(() => void this.watchers.delete(check))
    })
  }
}

/** The handler of a port as `Server` makes one: a fiber for a request, a fiber for a streamed body, all recorded. */
export const handlerOf = (record: Record, context: Context.Context<Scope.Scope>, work: Work): Transport.Handler => {
  const run = Effect.runForkWith(context)
  const track = <A, E>(fiber: Fiber.Fiber<A, E>) => {
    record.fibers.add(fiber)
    fiber.addObserver(() => {
      record.fibers.delete(fiber)
      record.changed()
    })
    return fiber
  }
  const report = (cause: Cause.Cause<unknown>) => {
    record.reports.push(cause)
    record.changed()
  }
  const answer = (request: ServerRequest, connection: Connection, response: Response) => {
    const sending = connection.respond(request, response)
    if (sending === undefined) return
    const fiber = track(run(sending))
    if (fiber.pollUnsafe() === undefined) request.fiber = fiber
  }
  return {
    report,
    handle: (request, connection) => {
      const name = `${request.method} ${request.url}`
      record.started.push(name)
      record.connections.add(connection)
      record.changed()
      const done = (exit: Exit.Exit<Response, unknown>) => {
        record.ended.push({ request: name, exit })
        if (exit._tag === "Success") answer(request, connection, exit.value)
        else {
          const known = run(HttpServerError.causeResponse(exit.cause)).pollUnsafe()
          const response = known?._tag === "Success" ? known.value[0] : HttpServerResponse.empty({ status: 500 })
          if (response.status >= 500 && !Cause.hasInterruptsOnly(exit.cause)) report(exit.cause)
          answer(request, connection, response)
        }
        record.changed()
      }
      const fiber = track(run(work(request, connection)))
      const exit = fiber.pollUnsafe()
      if (exit !== undefined) return done(exit)
      request.fiber = fiber
      fiber.addObserver(done)
    }
  }
}

/** A server in the test's scope. */
export interface Served extends Transport.Listening {
  readonly tcpPort: number
  readonly record: Record
  /** Opens a connection; it is destroyed with the test's scope. */
  readonly connect: Effect.Effect<Client, never, Scope.Scope>
  /** Sends bytes on a new connection and waits until the server ends it. */
  readonly exchange: (bytes: string) => Effect.Effect<string>
  /** Returns when the server has read everything that was sent before on any connection. */
  readonly sync: Effect.Effect<void>
}

export const serve = Effect.fnUntraced(function*(
  work: Work,
  overrides: Partial<Transport.Settings> = {},
  observer?: Transport.Observer
) {
  const record = new Record()
  const context = yield* Effect.context<Scope.Scope>()
  const synced: Work = (request, connection) =>
    request.url === "/__sync" ? Effect.succeed(text("synced")) : work(request, connection)
  const inner = { ...handlerOf(record, context, synced), observer }
  const scope = yield* Scope.make()
  yield* Effect.addFinalizer(() => closeInTime(scope))
  const target = { host: "127.0.0.1", port: 0 }
  const listening = yield* Transport.listen(target, { ...settings, ...overrides }, inner).pipe(Scope.provide(scope))
  const tcpPort = (listening.address as Net.AddressInfo).port
  const connect = Effect.acquireRelease(
    Effect.callback<Client>((resume) => {
      const client = new Client(Net.connect({ host: "127.0.0.1", port: tcpPort, allowHalfOpen: true, noDelay: true }))
      client.socket.once("connect", () => resume(Effect.succeed(client)))
    }),
    (client) => Effect.sync(() => client.socket.destroy())
  )
  const exchange = (bytes: string) =>
    Effect.scoped(Effect.gen(function*() {
      const client = yield* connect
      client.send(bytes)
      yield* client.until(() => client.ended || client.closed)
      return client.received
    }))
  const sync = Effect.andThen(
    exchange("GET /__sync HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"),
    Effect.sync(() => {
      const index = record.started.indexOf("GET /__sync")
      record.started.splice(index, 1)
      record.ended.splice(record.ended.findIndex(({ request }) => request === "GET /__sync"), 1)
    })
  )
  const served: Served = { ...listening, tcpPort, record, connect, exchange, sync }
  return served
})

// Draining takes time, and nobody else moves the test's clock any more.
const closeInTime = Effect.fnUntraced(function*(scope: Scope.Closeable) {
  const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void), { startImmediately: true })
  while (closing.pollUnsafe() === undefined) {
    yield* turns(5)
    yield* TestClock.adjust("2 seconds")
  }
})

/** What only a connection itself may know. */
export interface Insides {
  readonly port: Port
  readonly wire: { readonly socket: Net.Socket }
  readonly body:
    | { readonly buffered: number; readonly size: number; readonly chunks: ReadonlyArray<Uint8Array> }
    | undefined
  readonly pending: Buffer | undefined
}

/** Looks inside the first connection that brought a request. */
export const insidesOf = (record: Record): Insides => [...record.connections][0] as unknown as Insides

/** A client that speaks bytes. */
export class Client {
  readonly socket: Net.Socket
  /** Everything received, as Latin-1. */
  received = ""
  /** The server has sent FIN. */
  ended = false
  closed = false
  /** The code of the error that ended the connection. */
  error: string | undefined = undefined
  private readonly watchers = new Set<() => void>()

  constructor(socket: Net.Socket) {
    this.socket = socket
    const changed = () => {
      for (const watcher of this.watchers) watcher()
    }
    socket.on("data", (chunk: Buffer) => {
      this.received += chunk.toString("latin1")
      changed()
    })
    socket.on("end", () => {
      this.ended = true
      changed()
    })
    socket.on("error", (error: NodeJS.ErrnoException) => {
      this.error = error.code
    })
    socket.on("close", () => {
      this.closed = true
      changed()
    })
  }

  send(bytes: string | Uint8Array): void {
    if (typeof bytes === "string") this.socket.write(bytes, "latin1")
    else this.socket.write(bytes)
  }

  /** FIN: nothing more will be sent, answers are still read. */
  halfClose(): void {
    this.socket.end()
  }

  /** close(2): FIN, and whatever comes afterwards is answered with RST. */
  leave(): void {
    this.socket.destroy()
  }

  /** RST at once. */
  reset(): void {
    this.socket.resetAndDestroy()
  }

  until(holds: (client: this) => boolean): Effect.Effect<void> {
    return Effect.callback<void>((resume) => {
      const check = () => {
        if (!holds(this)) return
        this.watchers.delete(check)
        resume(Effect.void)
      }
      this.watchers.add(check)
      check()
      return Effect.sync(() => void this.watchers.delete(check))
    })
  }

  /** Waits for that many complete responses and returns all that are there. */
  responses(count: number, methods: ReadonlyArray<string> = []): Effect.Effect<ReadonlyArray<Message>> {
    return Effect.map(
      this.until(() => this.ended || this.closed || read(this.received, methods, false).messages.length >= count),
      () => read(this.received, methods, this.ended).messages
    )
  }
}

/** One response as a client sees it. */
export interface Message {
  readonly status: number
  readonly line: string
  readonly headers: { readonly [name: string]: string }
  /** The content, decoded, as Latin-1. */
  readonly body: string
  /** False for a body that the end of the connection cut. */
  readonly complete: boolean
}

/** Takes responses apart (RFC 9112 §6.3); throws on anything that a strict client would refuse. */
export const read = (
  bytes: string,
  methods: ReadonlyArray<string> = [],
  ended = true
): { readonly messages: ReadonlyArray<Message>; readonly interim: number; readonly rest: string } => {
  const messages: Array<Message> = []
  let interim = 0
  let at = 0
  while (at < bytes.length) {
    const headEnd = bytes.indexOf("\r\n\r\n", at)
    if (headEnd < 0) break
    const [line, ...lines] = bytes.slice(at, headEnd).split("\r\n")
    const match = /^HTTP\/1\.1 ([1-5]\d\d) [^\r\n]*$/.exec(line!)
    if (match === null) throw new Error(`not a status line: ${JSON.stringify(line)}`)
    const status = Number(match[1])
    const headers: { [name: string]: string } = {}
    for (const field of lines) {
      const parts = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+): ?([^\r\n\0]*)$/.exec(field)
      if (parts === null) throw new Error(`not a header line: ${JSON.stringify(field)}`)
      const name = parts[1]!.toLowerCase()
      if (name in headers && name !== "set-cookie") throw new Error(`twice: ${name}`)
      headers[name] = parts[2]!
    }
    if (status < 200) {
      interim++
      at = headEnd + 4
      continue
    }
    if (headers["date"] === undefined) throw new Error("no date")
    const start = headEnd + 4
    const isHead = methods[messages.length] === "HEAD"
    let body = ""
    let end = start
    let complete = true
    if (isHead || status === 204 || status === 304) {
      if (status === 204 && headers["content-length"] !== undefined) throw new Error("204 with a length")
    } else if (headers["transfer-encoding"] !== undefined) {
      if (headers["transfer-encoding"] !== "chunked" || headers["content-length"] !== undefined) {
        throw new Error("wrong framing")
      }
      const decoded = dechunk(bytes, start)
      if (decoded.end < 0 && !ended) break
      complete = decoded.end >= 0
      body = decoded.body
      end = complete ? decoded.end : bytes.length
    } else if (headers["content-length"] !== undefined) {
      if (!/^\d+$/.test(headers["content-length"])) throw new Error("content-length is not a number")
      end = start + Number(headers["content-length"])
      complete = end <= bytes.length
      if (!complete && !ended) break
      body = bytes.slice(start, end)
      end = Math.min(end, bytes.length)
    } else {
      if (headers["connection"] !== "close") throw new Error("no framing on a connection that is kept")
      if (!ended) break
      body = bytes.slice(start)
      end = bytes.length
    }
    messages.push({ status, line: line!, headers, body, complete })
    at = end
  }
  return { messages, interim, rest: bytes.slice(at) }
}

const dechunk = (bytes: string, start: number): { readonly body: string; readonly end: number } => {
  let at = start
  let body = ""
  for (;;) {
    const lineEnd = bytes.indexOf("\r\n", at)
    if (lineEnd < 0) return { body, end: -1 }
    const line = bytes.slice(at, lineEnd)
    if (!/^[0-9a-f]+$/i.test(line)) throw new Error(`not a chunk size: ${JSON.stringify(line)}`)
    const size = Number.parseInt(line, 16)
    at = lineEnd + 2
    if (size === 0) {
      if (bytes.length < at + 2) return { body, end: -1 }
      if (bytes.slice(at, at + 2) !== "\r\n") throw new Error("no end of the trailers")
      return { body, end: at + 2 }
    }
    if (bytes.length < at + size + 2) return { body: body + bytes.slice(at, at + size), end: -1 }
    body += bytes.slice(at, at + size)
    if (bytes.slice(at + size, at + size + 2) !== "\r\n") throw new Error("no end of a chunk")
    at += size + 2
  }
}

/** Waits for a number of turns of the event loop, so that what could happen has happened. */
export const turns = (count: number): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    let left = count
    const next = () => {
      if (left-- > 0) setImmediate(next)
      else resume(Effect.void)
    }
    next()
  })

/** One end of a connection in memory; what the server writes is `output`. */
export class MemorySocket extends Duplex {
  output = ""
  /** The server has ended its side, or destroyed the connection. */
  isOver = false

  constructor() {
    super({ allowHalfOpen: true })
    this.on("close", () => {
      this.isOver = true
    })
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.output += chunk.toString("latin1")
    done()
  }

  override _final(done: () => void): void {
    this.isOver = true
    done()
  }

  /** The server receives these bytes before this returns. */
  deliver(bytes: Buffer): void {
    this.emit("data", bytes)
  }
}

/** A request with a `Host` field. */
export const get = (path: string, ...fields: ReadonlyArray<string>): string =>
  ["GET " + path + " HTTP/1.1", "host: a", ...fields, "", ""].join("\r\n")

/** A request with a body of known length. */
export const post = (path: string, body: string, ...fields: ReadonlyArray<string>): string =>
  ["POST " + path + " HTTP/1.1", "host: a", `content-length: ${body.length}`, ...fields, "", body].join("\r\n")
