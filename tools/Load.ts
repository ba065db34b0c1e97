/**
 * Keep-alive clients that ask without pause and tell exactly which requests were lost.
 *
 * When to reach for it: a test kills or stops a server under load and must know what its clients saw.
 * What it is not: a benchmark.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Net from "node:net"

/** What clients saw so far. */
export interface Seen {
  /** Complete responses. */
  answered: number
  /** Requests that were written to an open connection and got no complete response. */
  lost: number
  /** Connections that were refused. */
  refused: number
  /** Answers that announced the end of their connection. */
  closed: number
  /** Connections that have been answered at least once. */
  acquainted: number
  readonly byBody: Map<string, number>
  /** Lost requests by the last body that their connection had answered before; empty text for a first request. */
  readonly lostAfter: Map<string, number>
}

const REQUEST = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"

/** Starts `clients` connections to a port; each asks `GET /` again as soon as it has its answer. */
export const start = (port: number, clients: number): Effect.Effect<Seen, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => new Load(port, clients)),
    (load) => Effect.sync(() => load.stop())
  ).pipe(Effect.map((load) => load.seen))

class Load {
  readonly seen: Seen = {
    answered: 0,
    lost: 0,
    refused: 0,
    closed: 0,
    acquainted: 0,
    byBody: new Map(),
    lostAfter: new Map()
  }
  private readonly sockets = new Set<Net.Socket>()
  private readonly port: number
  private stopped = false

  constructor(port: number, clients: number) {
    this.port = port
    for (let i = 0; i < clients; i++) this.connect()
  }

  private connect(): void {
    if (this.stopped) return
    const { seen } = this
    const socket = Net.connect({ host: "127.0.0.1", port: this.port, noDelay: true })
    this.sockets.add(socket)
    let open = false
    let asked = false
    let buffer = ""
    let last = ""
    const ask = () => {
      asked = true
      socket.write(REQUEST)
    }
    socket.on("connect", () => {
      open = true
      ask()
    })
    socket.on("data", (chunk: Buffer) => {
      buffer += chunk.toString("latin1")
      const end = buffer.indexOf("\r\n\r\n")
      if (end < 0) return
      const head = buffer.slice(0, end).toLowerCase()
      const length = Number(/content-length: (\d+)/.exec(head)?.[1] ?? 0)
      if (buffer.length < end + 4 + length) return
      const body = buffer.slice(end + 4, end + 4 + length)
      buffer = ""
      asked = false
      seen.answered++
      if (last === "") seen.acquainted++
      last = body
      seen.byBody.set(body, (seen.byBody.get(body) ?? 0) + 1)
      if (/connection: close/.test(head)) {
        seen.closed++
        socket.end()
      } else ask()
    })
    socket.on("error", () => {})
    socket.on("close", () => {
      this.sockets.delete(socket)
      if (this.stopped) return
      if (!open) {
        seen.refused++
        setTimeout(() => this.connect(), 20)
      } else {
        if (asked) {
          seen.lost++
          seen.lostAfter.set(last, (seen.lostAfter.get(last) ?? 0) + 1)
        }
        this.connect()
      }
    })
  }

  stop(): void {
    this.stopped = true
    for (const socket of this.sockets) socket.destroy()
  }
}
