/**
 * Why an operation on a socket failed: what was tried, with whom, and what the system said.
 *
 * When to reach for it: to tell failures of `Socket` apart, by `reason` and by the system's `code`.
 * What it is not: a timeout, which is Effect's `Cause.TimeoutError`, or the end of a stream, which is a value.
 */
import * as Schema from "effect/Schema"
import type { Entry } from "./KoreError.ts"

/**
 * What was tried: the name of the function of `Socket`.
 *
 * @example
 * ```ts
 * const operation: SocketError.Operation = "connect"
 * ```
 */
export type Operation = typeof Operation.Type

const Operation = Schema.Literals([
  "connect",
  "listen",
  "accept",
  "recv",
  "recvfrom",
  "recvmsg",
  "send",
  "sendto",
  "end",
  "udp",
  "unixDatagram",
  "make",
  "bind",
  "setOption",
  "fromNet",
  "fromServer",
  "fromDgram"
])

/**
 * The errors of `Socket` by their reason; `{name}` stands for a field of the error.
 *
 * @example
 * ```ts
 * const code = SocketError.table.Closed.code // "KORE_SOCKET_CLOSED"
 * ```
 */
export const table = {
  System: {
    code: "KORE_SOCKET_SYSTEM",
    sentence: "{what} failed: {detail} ({code}).",
    expected: "{expectation}",
    hint: "{hint}"
  },
  UnknownHost: {
    code: "KORE_SOCKET_UNKNOWN_HOST",
    sentence: "{what} failed: the host name {detail} has no address ({code}).",
    expected: "A name that the system's resolver knows, or an IP address.",
    hint: "Correct the name, or the resolver's settings."
  },
  Closed: {
    code: "KORE_SOCKET_CLOSED",
    sentence: "{what} failed: this side has closed the socket.",
    expected: "An open socket: it is closed with its scope, or by Socket.close.",
    hint: "Keep the scope open for as long as the socket is used."
  },
  Ended: {
    code: "KORE_SOCKET_ENDED",
    sentence: "{what} failed: this side has ended its part of the stream.",
    expected: "Nothing is sent after Socket.end.",
    hint: "Send everything first; what the other side sends can still be received."
  },
  BadArgument: {
    code: "KORE_SOCKET_BAD_ARGUMENT",
    sentence: "{what} was refused: {detail}.",
    expected: "{expected}.",
    hint: "Correct the argument; nothing was done, and the socket is as before."
  },
  NotSupported: {
    code: "KORE_SOCKET_NOT_SUPPORTED",
    sentence: "{what} is not possible here: {detail}.",
    expected: "{expected}.",
    hint: "Use another kind of socket, or run where it is possible."
  }
} as const satisfies Record<string, Omit<Entry, "exitStatus">>

/**
 * What to do about a failed call, by the system's code.
 *
 * @example
 * ```ts
 * const hint = SocketError.hints["ECONNREFUSED"]
 * ```
 */
export const hints: Readonly<Record<string, string>> = {
  EACCES: "This user may not do it: choose a port from 1024 or a path that is this user's, or start as root.",
  EADDRINUSE: "Somebody has that address: stop them, or choose another port (0 finds a free one) or path.",
  EADDRNOTAVAIL: "This machine has no such address: choose one that it has, or 0.0.0.0 or :: for all of them.",
  ECONNREFUSED: "Nobody listens there: start the server, or correct the address.",
  ECONNRESET: "The other side broke the connection off: connect again, and look there for why.",
  EAGAIN: "The other side has no room for it now, or the system has not: try again later.",
  EDESTADDRREQ: "The socket has no peer: name one when it is made, or say where to with Socket.sendto.",
  EISCONN: "The socket has a peer, and sends to nobody else: use Socket.send.",
  EMFILE: "This process has too many descriptors: close some, or raise the limit (ulimit -n).",
  EMSGSIZE: "A datagram is sent whole or not at all: send less at once.",
  ENOENT: "There is no socket at that path: start the server, or correct the path.",
  ENOTCONN: "Connect the socket first.",
  EPIPE: "The other side receives no more: connect again, and look there for why.",
  ETIMEDOUT: "The other side does not answer: it is down, or something on the way drops what is sent."
}

const anyHint = "Look the code up in the manual of the system's sockets, socket(7) and ip(7) or unix(7)."

const free = "An address that this machine has and nobody else uses."
const up = "A connection stays up until both sides have ended it."
const leaves = "A datagram leaves this machine, or reaches its socket on it."
const allowed = "The system has such sockets, and room for one more."

/** How an operation reads before its address, and what it takes that it succeeds. */
const operations: Readonly<Record<Operation, readonly [phrase: string, expectation: string]>> = {
  connect: ["connect to", "A server listens there, and can be reached."],
  listen: ["listen on", free],
  accept: ["accept on", allowed],
  recv: ["recv from", up],
  recvfrom: ["recvfrom on", leaves],
  recvmsg: ["recvmsg on", leaves],
  send: ["send to", up],
  sendto: ["sendto", leaves],
  end: ["end of the stream to", up],
  udp: ["udp on", free],
  unixDatagram: ["unixDatagram on", free],
  make: ["make", allowed],
  bind: ["bind to", free],
  setOption: ["setOption on", "An option that the system knows, and a value that it allows."],
  fromNet: ["fromNet of", up],
  fromServer: ["fromServer of", allowed],
  fromDgram: ["fromDgram of", allowed]
}

/**
 * An operation and its address as people read it, in messages and in the list of what fibers wait for.
 *
 * @example
 * ```ts
 * const text = SocketError.describe("recv", "127.0.0.1:80") // "recv from 127.0.0.1:80"
 * ```
 */
export const describe = (operation: Operation, address: string): string => `${operations[operation][0]} ${address}`

/**
 * An operation on a socket failed.
 *
 * `reason` says what kind of failure it is: `System` (a call failed, see `code`), `UnknownHost`, `Closed` (by this
 * side), `Ended` (by this side's `end`), `BadArgument` (nothing was done), `NotSupported`.
 * Kore: runtime §21.27 (there the text says "EOF", whatever happened).
 *
 * @example
 * ```ts
 * const retry = Socket.connect({ host: "127.0.0.1", port: 5432 }).pipe(
 *   Effect.retry({ times: 3, while: (error) => error.code === "ECONNREFUSED" })
 * )
 * ```
 */
export class SocketError extends Schema.TaggedError<SocketError>()("SocketError", {
  operation: Operation,
  reason: Schema.Literals(["System", "UnknownHost", "Closed", "Ended", "BadArgument", "NotSupported"]),
  /** The system's name of the error, such as `ECONNREFUSED`, where the system was asked. */
  code: Schema.optionalKey(Schema.String),
  /** With whom or where: `127.0.0.1:80`, `[::1]:80`, `/run/app.sock`, `@name`. */
  address: Schema.String,
  /** What happened: a sentence without its full stop. */
  detail: Schema.optionalKey(Schema.String),
  /** What was expected, where the reason alone does not say. */
  expected: Schema.optionalKey(Schema.String)
}) {
  override get message(): string {
    const { code = "", detail = "", expected = "" } = this
    const entry = table[this.reason]
    const fields: Record<string, string> = {
      what: describe(this.operation, this.address),
      code,
      detail,
      expected,
      expectation: operations[this.operation][1],
      hint: Object.hasOwn(hints, code) ? hints[code]! : anyHint
    }
    const fill = (template: string) =>
      template.replace(/\{(\w+)\}/g, (whole, name: string) => Object.hasOwn(fields, name) ? fields[name]! : whole)
    return `${[entry.sentence, entry.expected, entry.hint].map(fill).join(" ")} [${entry.code}]`
  }
}
