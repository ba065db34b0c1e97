/**
 * A differential fuzzer: the same bytes to our connection and to `node:http`, and a name for every way in which the
 * two may disagree. `fuzz.prop.test.ts` says which names are allowed.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Http from "node:http"
import type * as Net from "node:net"
import { Duplex } from "node:stream"
import { HttpServerError } from "../../src/internal/effectHttp.ts"
import * as Problem from "../../src/Problem.ts"
import * as Transport from "../../src/transport/Transport.ts"
import { settings, text } from "./harness.ts"

/** A generator of numbers that repeats itself for a seed (mulberry32). */
export class Random {
  private state: number

  constructor(seed: number) {
    this.state = seed >>> 0
  }

  /** An integer from 0 to `bound` - 1. */
  below(bound: number): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0
    let t = Math.imul(this.state ^ (this.state >>> 15), this.state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4_294_967_296) * bound)
  }

  oneOf<A>(values: ReadonlyArray<A>): A {
    return values[this.below(values.length)]!
  }
}

// --- inputs ----------------------------------------------------------------------------------------------------------

const METHODS = ["GET", "GET", "GET", "POST", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "QUERY", "PURGE"]
const TARGETS = [
  "/",
  "/a/b?c=d&e",
  "/%41",
  "http://h.example/x?y",
  "*",
  "/a#f",
  "//x",
  "/a;b=c",
  "http://h:80",
  "/\u00e9",
  "/a|b\"c",
  "?q",
  "x",
  "https://h/",
  "http://u@h/",
  "http://?q",
  "HTTP://H"
]
const HOSTS = ["a.example", "a.example:80", "127.0.0.1", "[::1]:80"]
const FIELDS = [
  "Accept: */*",
  "X-A: b",
  "x_y: \tz \t",
  "Cookie: a=b; c=\"d\"",
  "X-Empty:",
  "User-Agent: m/1 (x)",
  "X-Obs: \u00e9\u00ff",
  "Expect: 100-continue",
  "Trailer: X-T",
  "TE: trailers"
]
const CONNECTIONS = ["close", "keep-alive", "Keep-Alive, x", "upgrade", "close, x", "x,close", "keep-alive, close", "",
  "a b"]
const EXTENSIONS = ["", "", "", ";a", ";a=b", ";a=\"b c\"", ";a=\"\\\"\"", ";a;b=c"]
const BODY = "abcdefghijklmnopqrst"

// A request that is mostly right.
const request = (random: Random): string => {
  const method = random.oneOf(METHODS)
  const target = random.below(3) > 0 ? random.oneOf(TARGETS.slice(0, 3)) : random.oneOf(TARGETS)
  let out = `${method} ${target} HTTP/1.${random.below(8) > 0 ? 1 : 0}\r\n`
  if (random.below(20) > 0) out += `Host: ${random.oneOf(HOSTS)}\r\n`
  for (let i = random.below(4); i > 0; i--) out += `${random.oneOf(FIELDS)}\r\n`
  if (random.below(5) === 0) out += `Connection: ${random.oneOf(CONNECTIONS)}\r\n`
  if (/^(GET|HEAD|OPTIONS|PURGE)$/.test(method) && random.below(6) > 0) return `${out}\r\n`
  if (random.below(2) === 0) {
    const size = random.below(20)
    return `${out}Content-Length: ${size}\r\n\r\n${BODY.slice(0, size)}`
  }
  out += `Transfer-Encoding: ${random.oneOf(["chunked", "Chunked", "chunked"])}\r\n\r\n`
  for (let i = random.below(3); i > 0; i--) {
    const size = 1 + random.below(18)
    out += `${size.toString(16)}${random.oneOf(EXTENSIONS)}\r\n${BODY.slice(0, size)}\r\n`
  }
  return `${out}0\r\n${random.oneOf(["", "", "X-T: v\r\n", "X-T: v\r\nY: z\r\n", "Content-Length: 3\r\n"])}\r\n`
}

// What is put into requests: bytes, words and lines that have confused parsers.
const DICTIONARY = [
  "\r\n",
  "\n",
  "\r",
  "\r\n\r\n",
  " ",
  "\t",
  ":",
  ",",
  ";",
  "\0",
  "\x7f",
  "\x80",
  "\xff",
  "\x0b",
  "\x0c",
  "\x01",
  "\"",
  "(",
  "@",
  "/",
  "?",
  "#",
  "%",
  "0",
  "1",
  "-1",
  "+1",
  "0x5",
  " 5",
  "5 ",
  "5,5",
  "00005",
  "chunked",
  "gzip",
  "Transfer-Encoding: chunked\r\n",
  "Transfer-Encoding: gzip, chunked\r\n",
  "Transfer-Encoding: chunked, gzip\r\n",
  "Transfer-Encoding: identity\r\n",
  "Transfer-Encoding:\r\n chunked\r\n",
  "Transfer-Encoding : chunked\r\n",
  "Transfer-Encoding: xchunked\r\n",
  "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
  "Transfer-Encoding: \x0bchunked\r\n",
  "transfer-encoding: chunkedx\r\n",
  "Transfer-Encoding: \"chunked\"\r\n",
  "Transfer-Encoding: chunked;a=b\r\n",
  "Transfer-Encoding:\r\n",
  "Transfer-Encoding: ,chunked\r\n",
  "Transfer-Encoding: chunked,\r\n",
  "Transfer-Encoding: \t chunked\r\n",
  "Transfer-Encoding: chunked \t \r\n",
  "Content-Length: 0\r\n",
  "Content-Length: 5\r\n",
  "Content-Length: 5\r\nContent-Length: 5\r\n",
  "Content-Length: 5, 5\r\n",
  "Content-Length: \r\n",
  "Content-Length:5\r\n",
  "Content-Length: 99999999999999999999\r\n",
  "Content-Length: 5\t\r\n",
  "Content_Length: 5\r\n",
  "Host: b\r\n",
  "Host:\r\n",
  "Host: a b\r\n",
  "Host: u@h\r\n",
  "Host: a/b\r\n",
  " folded\r\n",
  "\tfolded\r\n",
  "X : y\r\n",
  ": v\r\n",
  "X\r\n",
  "X: y\n",
  "X: y\r",
  "Expect: 100-continue\r\n",
  "Expect: x\r\n",
  "Connection: close\r\n",
  "Connection: upgrade\r\nUpgrade: websocket\r\n",
  "Upgrade: h2c\r\n",
  "Connection: \r\n",
  "Proxy-Connection: close\r\n",
  "Keep-Alive: x\r\n",
  "Trailer: X-T\r\n",
  "TE: trailers\r\n",
  "HTTP/1.1",
  "HTTP/1.0",
  "HTTP/0.9",
  "HTTP/2.0",
  "HTTP/1.2",
  "HTTP/11",
  "http/1.1",
  "HTTP/1.1 ",
  "GET",
  "get",
  "POST",
  "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
  "CONNECT a:1 HTTP/1.1\r\n",
  "SOURCE / HTTP/1.1\r\n",
  "FOO"
]
const LINE_ENDS = ["\n", "\r", "\r\r\n", "\n\r", " \r\n", "\t\r\n", "\r\n ", "\0\r\n"]
const NUMBERS = ["0", "1", "7", "10", "0a", "00", "-1", "4294967296", "9007199254740993", "5 5", "ffffffffffffffffff"]

const insert = (bytes: string, at: number, what: string, instead = 0): string =>
  bytes.slice(0, at) + what + bytes.slice(at + instead)

const mutations: ReadonlyArray<(random: Random, bytes: string, at: number) => string> = [
  (random, bytes, at) => insert(bytes, at, String.fromCharCode(random.below(256)), 1),
  (random, bytes, at) => insert(bytes, at, random.oneOf(DICTIONARY)),
  (random, bytes, at) => insert(bytes, at, "", 1 + random.below(4)),
  (random, bytes) => {
    const starts = [0, ...Array.from(bytes.matchAll(/\n/g), (match) => match.index + 1)]
    return insert(bytes, random.oneOf(starts), random.oneOf(DICTIONARY))
  },
  (random, bytes) => {
    const lines = bytes.split("\r\n")
    lines.splice(random.below(lines.length), 0, random.oneOf(lines))
    return lines.join("\r\n")
  },
  (random, bytes, at) =>
    at < bytes.length ? insert(bytes, at, String.fromCharCode(bytes.charCodeAt(at) ^ (1 << random.below(8))), 1)
      : bytes,
  (_random, bytes, at) => insert(bytes, at, bytes.charAt(at).toUpperCase(), 1),
  (random, bytes, at) => {
    const end = bytes.indexOf("\r\n", at)
    return end < 0 ? bytes : insert(bytes, end, random.oneOf(LINE_ENDS), 2)
  },
  (random, bytes, at) => {
    const match = /\d+/.exec(bytes.slice(at))
    return match === null ? bytes : insert(bytes, at + match.index, random.oneOf(NUMBERS), match[0].length)
  }
]

/** The next input: one to three requests, most of them with something wrong. `corpus` are inputs to start from. */
export const input = (random: Random, corpus: ReadonlyArray<string>): Buffer => {
  const kind = random.below(10)
  let bytes = kind < 2 && corpus.length > 0 ? random.oneOf(corpus) : request(random)
  if (kind === 9) { for (let i = 1 + random.below(2); i > 0; i--) bytes += request(random) }
  if (random.below(6) > 0) {
    for (let i = random.below(3) > 0 ? 1 : 1 + random.below(3); i > 0; i--) {
      bytes = random.oneOf(mutations)(random, bytes, random.below(bytes.length + 1))
    }
  }
  return Buffer.from(bytes, "latin1")
}

/** The input in pieces of 1 to 40 bytes. */
export const split = (random: Random, bytes: Buffer): ReadonlyArray<Buffer> => {
  const pieces: Array<Buffer> = []
  for (let at = 0; at < bytes.length;) {
    const size = 1 + (random.below(3) > 0 ? random.below(40) : 0)
    pieces.push(bytes.subarray(at, at + size))
    at += size
  }
  return pieces
}

// --- the two servers -------------------------------------------------------------------------------------------------

/** A request that a server read to its end. */
interface Read {
  readonly method: string
  readonly url: string
  readonly fields: string
  readonly body: string
  readonly trailers: string
}

/** What a server did with an input. */
export interface Outcome {
  readonly requests: Array<Read>
  /** Why it refused the rest, if it did: our sentence, Node's code. */
  refusal: string | undefined
  /** It has ended the connection. */
  isOver: boolean
}

// Ours drops these; see `Chunked`.
const DROPPED =
  /^(authorization|connection|content-(encoding|range|type)|cookie|expect|host|keep-alive|proxy-authorization|set-cookie|te|trailer|upgrade)$/

const trailersOf = (raw: ReadonlyArray<string>): string => {
  const out: { [name: string]: string } = {}
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]!.toLowerCase()
    if (!DROPPED.test(name)) out[name] = name in out ? `${out[name]}, ${raw[i + 1]}` : raw[i + 1]!
  }
  return lines(out)
}

const lines = (fields: { readonly [name: string]: string }): string =>
  Object.entries(fields).map(([name, value]) => `${name}: ${value}`).join("\n")

/** Our server. It has done everything when the call returns. */
export const ours: Effect.Effect<(pieces: ReadonlyArray<Buffer>) => Outcome, never, Scope.Scope> = Effect.gen(
  function*() {
    const run = Effect.runForkWith(yield* Effect.context<never>())
    let outcome: Outcome
    const connect = yield* Transport.connect(settings, {
      report: (cause) => {
        throw Cause.squash(cause)
      },
      handle: (request, connection) => {
        const done = (bytes: Uint8Array) => {
          outcome.requests.push({
            method: request.method,
            url: request.url,
            fields: request.rawHeaders.join("\u0001"),
            body: Buffer.from(bytes).toString("latin1"),
            trailers: lines(request.trailers)
          })
          connection.respond(request, text("ok"))
        }
        const failed = (error: HttpServerError.HttpServerError) => {
          const { description } = error.reason as HttpServerError.RequestParseError
          connection.respond(request, Problem.response({ status: 400, detail: description }))
        }
        run(Effect.match(request.bytes, { onSuccess: done, onFailure: failed }))
      }
    })
    // A refusal of HEAD says only its status.
    const refused = /HTTP\/1\.1 ([45]\d\d)(?:[^]*?"detail":"([^"]*)")?/
    return (pieces) => {
      outcome = { requests: [], refusal: undefined, isOver: false }
      const socket = new FakeSocket()
      connect(socket as unknown as Net.Socket)
      for (const piece of pieces) socket.emit("data", piece)
      const match = refused.exec(socket.output)
      outcome.refusal = match === null ? undefined : match[2] ?? `HEAD ${match[1]}`
      outcome.isOver = socket.isOver
      socket.emit("close")
      return outcome
    }
  }
)

// As little of a socket as the connection needs; a real one would be nine tenths of the time.
class FakeSocket {
  private readonly listeners: { [event: string]: (argument?: Buffer) => void } = {}
  readonly writableNeedDrain = false
  readonly writableLength = 0
  output = ""
  isOver = false

  get writableEnded(): boolean {
    return this.isOver
  }

  on(event: string, listener: (argument?: Buffer) => void): void {
    this.listeners[event] = listener
  }

  emit(event: string, argument?: Buffer): void {
    this.listeners[event]?.(argument)
  }

  write(chunk: string | Uint8Array): boolean {
    this.output += String(chunk)
    return true
  }

  end(chunk: unknown): void {
    if (typeof chunk === "string") this.output += chunk
    this.isOver = true
  }

  destroy(): void {
    this.isOver = true
  }

  read(): void {}
  cork(): void {}
  uncork(): void {}
  pause(): void {}
  resume(): void {}
}

/** `node:http`. It needs some turns of the event loop before an outcome is complete; `close` drops its connections. */
export const nodes = (): { readonly run: (bytes: Buffer) => Outcome; readonly close: () => void } => {
  const outcomes = new Map<object, Outcome>()
  const server = Http.createServer({ keepAlive: false }, (request, response) => {
    const outcome = outcomes.get(request.socket)!
    const chunks: Array<Buffer> = []
    request.on("data", (chunk: Buffer) => chunks.push(chunk))
    request.on("error", () => {})
    response.on("error", () => {})
    request.on("end", () => {
      outcome.requests.push({
        method: request.method!,
        url: pathOf(request.url!),
        fields: request.rawHeaders.join("\u0001"),
        body: Buffer.concat(chunks).toString("latin1"),
        trailers: trailersOf(request.rawTrailers)
      })
      response.end("ok")
    })
  })
  // Not destroyed: requests before the bad one are still read to their end.
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    const outcome = outcomes.get(socket)
    if (outcome !== undefined) outcome.refusal ??= error.code ?? error.message
  })
  const run = (bytes: Buffer): Outcome => {
    const outcome: Outcome = { requests: [], refusal: undefined, isOver: false }
    const over = () => {
      outcome.isOver = true
    }
    const socket = new Duplex({
      read() {},
      write(chunk: Buffer, _encoding, done) {
        const refused = /HTTP\/1\.1 (4\d\d)/.exec(chunk.toString("latin1"))
        if (refused !== null) outcome.refusal ??= `status ${refused[1]}`
        done()
      },
      final(done) {
        over()
        done()
      }
    })
    socket.on("error", () => {})
    socket.on("close", over)
    outcomes.set(socket, outcome)
    server.emit("connection", socket)
    socket.push(bytes)
    return outcome
  }
  const close = () => {
    for (const socket of outcomes.keys()) (socket as Duplex).destroy()
    outcomes.clear()
  }
  return { run, close }
}

// Node leaves an absolute target as it is; ours is the path (RFC 9112 §3.2.2).
const pathOf = (url: string): string => {
  const match = /^https?:\/\/[^/?]*(.*)$/i.exec(url)
  return match === null ? url : match[1]!.startsWith("/") ? match[1]! : `/${match[1]!}`
}

// --- the comparison --------------------------------------------------------------------------------------------------

const parts = ["method", "url", "fields", "body", "trailers"] as const

// What may complete an element that Node has refused already and we still wait for.
const ENDINGS = [
  " ",
  "\r\n\r\n",
  " / HTTP/1.1\r\nhost: a\r\n\r\n",
  " HTTP/1.1\r\nhost: a\r\n\r\n",
  "host: a\r\n\r\n",
  "\r\nhost: a\r\n\r\n",
  "\r\n0\r\n\r\n"
]

/**
 * The class of a disagreement, or `undefined` when both did the same. `again` is our server, to see what becomes of an
 * input that goes on.
 */
export const classify = (
  bytes: Buffer,
  node: Outcome,
  own: Outcome,
  again: (pieces: ReadonlyArray<Buffer>) => Outcome
): string | undefined => {
  const both = Math.min(node.requests.length, own.requests.length)
  for (let i = 0; i < both; i++) {
    for (const part of parts) {
      if (node.requests[i]![part] !== own.requests[i]![part]) return `different: ${part}`
    }
  }
  if (own.requests.length > node.requests.length) return `laxer: ${whyLaxer(node, own) ?? node.refusal ?? "Node waits"}`
  if (own.requests.length < node.requests.length) return `stricter: ${own.refusal ?? (own.isOver ? "closed" : "waits")}`
  if (node.refusal === undefined && own.refusal !== undefined) return `sooner: ${own.refusal}`
  if (node.refusal !== undefined && own.refusal === undefined) {
    if (own.isOver) return `silent: ${node.refusal}`
    const accepted = ENDINGS.some((ending) => again([bytes, Buffer.from(ending)]).requests.length > own.requests.length)
    return accepted ? `laxer: ${whyLaxer(node, own) ?? `${node.refusal}, later`}` : `later: ${node.refusal}`
  }
  return undefined
}

// What Node takes for the end of HTTP on a connection, and the RFCs do not.
const whyLaxer = (node: Outcome, own: Outcome): string | undefined => {
  const last = own.requests[node.requests.length - 1]
  if (last === undefined) return undefined
  if (node.refusal === undefined && /(^|\u0001)upgrade\u0001/i.test(last.fields)) return "an upgrade that was not taken"
  if (node.refusal !== "HPE_CLOSED_CONNECTION") return undefined
  if (/(^|\u0001)proxy-connection\u0001close/i.test(last.fields)) return "Proxy-Connection: close"
  return last.fields.toLowerCase().includes("transfer-encoding\u0001chunked") ? "Connection: close in a trailer"
    : undefined
}
