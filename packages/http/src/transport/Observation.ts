/**
 * What is told of every request that has ended: who asked for what, how it was answered, how long it took.
 *
 * When to reach for it: a `Handler` with an `observer`, for instance an access log.
 * What it is not: free. A port without an observer has none of this, and its requests pay for nothing.
 * Kore: http §17.1; B32: requests that no handler sees are told of as well.
 */
import type * as Clock from "effect/Clock"
import type { HttpServerResponse } from "../internal/effectHttp.ts"
import { latin1 } from "../internal/latin1.ts"
import type { Peer, ServerRequest } from "../Request.ts"
import type { Port } from "./Port.ts"
import type { ResponseStream } from "./ResponseStream.ts"

/**
 * How a request ended:
 *
 * - `complete`: the whole response was handed to the system;
 * - `cut`: the connection went away before, because the client left or did not read;
 * - `broken`: the application's stream failed, so the connection was cut;
 * - `refused`: the transport answered it, and no handler saw it.
 */
export type Ending = "complete" | "cut" | "broken" | "refused"

/** One request that has ended. It can be read while the observer is called, and not later. */
export interface Ended {
  /** When it ended: milliseconds since 1970. */
  readonly time: number
  /** Milliseconds from the end of its head until its end, with fractions; 0 where no head was complete. */
  readonly duration: number
  /** The address of the client, `undefined` on UNIX sockets. */
  readonly address: string | undefined
  readonly port: number | undefined
  readonly isEncrypted: boolean
  /** `undefined` where the bytes that came have none. */
  readonly method: string | undefined
  /** Path and query as sent; bytes above ASCII as Latin-1. */
  readonly target: string | undefined
  /** `1.0` or `1.1`; of a refused request what it said. */
  readonly version: string | undefined
  /** Host and port as sent. */
  readonly host: string | undefined
  /** The status that was sent, `undefined` when nothing was. */
  readonly status: number | undefined
  /** Bytes of the response's body that were handed to the system, without head and framing; 0 to HEAD. */
  readonly bytes: number
  readonly referer: string | undefined
  readonly userAgent: string | undefined
  readonly ending: Ending
}

/** Is told of every request that has ended, once. It must not throw. */
export type Observer = (ended: Ended) => void

/** Looks at the requests of one connection. */
export class Observation {
  private readonly observer: Observer
  private readonly clock: Clock.Clock
  private readonly headMax: number
  // Read now: a socket that has gone does not tell any more.
  private readonly address: string | undefined
  private readonly port: number | undefined
  private readonly isEncrypted: boolean
  private started = 0n
  private response: HttpServerResponse.HttpServerResponse | undefined = undefined

  constructor(
    observer: Observer,
    { clock, settings }: Pick<Port, "clock" | "settings">,
    { isEncrypted, remoteAddress, remotePort }: Peer
  ) {
    this.observer = observer
    this.clock = clock
    this.headMax = settings.headMax
    this.address = remoteAddress
    this.port = remotePort
    this.isEncrypted = isEncrypted
  }

  /** A head is complete. */
  began(): void {
    this.started = this.clock.monotonicTimeNanosUnsafe()
  }

  /** This is about to be sent; called again where it cannot be. */
  answered(response: HttpServerResponse.HttpServerResponse): void {
    this.response = response
  }

  /** Nobody works for the request any more. */
  ended(request: ServerRequest, stream: ResponseStream | undefined, isGone: boolean): void {
    const { response } = this
    this.response = undefined
    this.observer(
      new OfRequest(this.seen(), request, {
        duration: Number(this.clock.monotonicTimeNanosUnsafe() - this.started) / 1e6,
        status: response?.status,
        bytes: stream !== undefined ? stream.sent : response === undefined ? 0 : sizeOf(request, response),
        ending: isGone ? "cut" : stream === undefined || stream.isComplete ? "complete" : "broken"
      })
    )
  }

  /** A request was refused, of which these bytes are there, if any. */
  refused(status: number, bytes: number, head: Buffer | undefined, start: number): void {
    const text = head === undefined ? "" : latin1(head, start, Math.min(head.length, start + this.headMax))
    this.observer({ ...this.seen(), duration: 0, status, bytes, ending: "refused", ...partsOf(text) })
  }

  private seen(): Seen {
    const { address, isEncrypted, port } = this
    return { time: this.clock.currentTimeMillisUnsafe(), address, port, isEncrypted }
  }
}

// --- private ---------------------------------------------------------------------------------------------------------

type Seen = Pick<Ended, "time" | "address" | "port" | "isEncrypted">
type Answer = Pick<Ended, "duration" | "status" | "bytes" | "ending">

const sizeOf = ({ method }: ServerRequest, { body, status }: HttpServerResponse.HttpServerResponse): number =>
  body._tag !== "Uint8Array" || method === "HEAD" || status === 204 || status === 205 || status === 304
    ? 0
    : body.contentLength

// What an observer does not ask for is not decoded.
class OfRequest implements Ended {
  readonly time: number
  readonly address: string | undefined
  readonly port: number | undefined
  readonly isEncrypted: boolean
  readonly duration: number
  readonly status: number | undefined
  readonly bytes: number
  readonly ending: Ending
  private readonly request: ServerRequest

  constructor({ address, isEncrypted, port, time }: Seen, request: ServerRequest, answer: Answer) {
    this.time = time
    this.address = address
    this.port = port
    this.isEncrypted = isEncrypted
    this.duration = answer.duration
    this.status = answer.status
    this.bytes = answer.bytes
    this.ending = answer.ending
    this.request = request
  }

  get method(): string {
    return this.request.method
  }

  get target(): string {
    return this.request.url
  }

  get version(): string {
    return this.request.minorVersion === 0 ? "1.0" : "1.1"
  }

  get host(): string | undefined {
    return this.request.host || undefined
  }

  get referer(): string | undefined {
    return this.request.field("referer")
  }

  get userAgent(): string | undefined {
    return this.request.field("user-agent")
  }
}

type Parts = Pick<Ended, "method" | "target" | "version" | "host" | "referer" | "userAgent">

// A token, then what stands where the target and the version do; the latter two may be missing.
const REQUEST_LINE = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?: ([^ \r\n]*))?(?: HTTP\/(\d\.\d))?/

// As far as it can be read: what was refused is not what the grammar says.
const partsOf = (text: string): Parts => {
  // Empty lines may stand before a request (RFC 9112 §2.2).
  const [line = "", ...fields] = text.replace(/^[\r\n]+/, "").split("\r\n")
  const [, method, target, version] = REQUEST_LINE.exec(line) ?? []
  const field = (name: string): string | undefined => {
    for (const line of fields) {
      if (line === "") return undefined
      if (line.slice(0, name.length + 1).toLowerCase() === `${name}:`) return line.slice(name.length + 1).trim()
    }
    return undefined
  }
  return {
    method,
    target: target === "" ? undefined : target,
    version,
    host: field("host") || undefined,
    referer: field("referer"),
    userAgent: field("user-agent")
  }
}
