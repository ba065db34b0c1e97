/**
 * The corpus of llhttp against our connection. The cases belong to another project and are read from beside the
 * repository; where they are absent, the suite says so and skips.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as fs from "node:fs"
import type * as Net from "node:net"
import * as path from "node:path"
import * as Transport from "../../src/transport/Transport.ts"
import { handlerOf, MemorySocket, read, Record, settings, text, turns } from "./harness.ts"

interface Case {
  readonly id: string
  readonly title: string
  readonly type: string
  readonly input: string
  /** Messages that are complete before the input ends or is refused. */
  readonly complete: number
  readonly error: string | null
  readonly upgrade: boolean
}

const file = path.resolve(import.meta.dirname, "../../../../../shared/conformance/http1-llhttp.json")
const present = fs.existsSync(file)

// llhttp also has cases for lenient modes, for responses, and for `finish` calls; strict requests are these.
const strict: ReadonlyArray<Case> = present
  ? (JSON.parse(fs.readFileSync(file, "utf8")) as ReadonlyArray<Case>).filter((one) => one.type === "request")
  : []

/**
 * Where a server must or may be stricter than a parser, which only tells what it sees. All are refused, with this
 * status; the reasons are in docs/decisions/http-strictness.md.
 */
const STRICTER: { readonly [id: string]: readonly [status: number, why: string] } = {
  "method.md:29": [501, "CONNECT"],
  "method.md:64": [501, "CONNECT"],
  "method.md:98": [501, "CONNECT"],
  "uri.md:190": [501, "CONNECT"],
  "method.md:137": [400, "* without OPTIONS"],
  "method.md:374": [400, "ICE, not HTTP"],
  "method.md:404": [400, "RTSP, not HTTP"],
  "method.md:432": [501, "RTSP, not HTTP"],
  "sample.md:316": [400, "HTTP/0.9"],
  "transfer-encoding.md:753": [501, "a coding beside chunked"],
  "transfer-encoding.md:795": [400, "two Transfer-Encoding fields"],
  "uri.md:167": [400, "a fragment in the target"],
  "uri.md:224": [400, "user information in the target"]
}

// The cut-out of this case runs on into the prose that follows it. Its first message is complete all the same.
const complete = (one: Case): number => one.id === "connection.md:158" ? 1 : one.complete

// A server misses the Host field and refuses a fragment, a parser does neither. Every message gets a Host and those that
// are not about the target lose their fragment, so that no refusal is for another reason than the one in question.
const prepared = ({ id, input }: Case): Buffer => {
  const target = id.startsWith("uri.md") ? input : input.replaceAll("#hey ", " ")
  const host = /\r\nhost:/i.test(input) ? target : target.replaceAll("HTTP/1.1\r\n", "HTTP/1.1\r\nHost: a.example\r\n")
  return Buffer.from(host, "latin1")
}

/** What a server did with a case. */
interface Seen {
  /** Requests that were read to their last byte. */
  readonly requests: number
  readonly statuses: ReadonlyArray<number>
  readonly isOver: boolean
}

type Run = (pieces: ReadonlyArray<Buffer>) => Effect.Effect<Seen, never, Scope.Scope>

const judge = (one: Case, seen: Seen): string | undefined => {
  const refusal = seen.statuses.find((status) => status >= 400)
  const stricter = STRICTER[one.id]
  if (stricter !== undefined) {
    return refusal === stricter[0] && seen.requests === 0 && seen.isOver ? undefined : "should be refused by a server"
  }
  if (seen.requests !== complete(one)) return `${seen.requests} complete requests instead of ${complete(one)}`
  if (seen.statuses.filter((status) => status < 300).length !== seen.requests) return "not every request is answered"
  // A server that knows no upgrade goes on after the message, with whatever follows.
  if (one.upgrade && complete(one) > 0) return undefined
  if (one.error === null) return refusal === undefined ? undefined : `refused with ${refusal}`
  // Bytes behind a last message are not refused but ignored: the connection is over.
  if (!seen.isOver) return "should be refused, and the connection closed"
  return refusal !== undefined || one.error.includes("Data after `Connection: close`") ? undefined
    : "no refusal was sent"
}

const corpus = Effect.fnUntraced(function*(run: Run, cut: (bytes: Buffer) => ReadonlyArray<Buffer>) {
  const failures: Array<string> = []
  for (const one of strict) {
    const problem = judge(one, yield* run(cut(prepared(one))))
    if (problem !== undefined) failures.push(`${one.id} ${one.title}: ${problem}`)
  }
  return failures
})

const whole = (bytes: Buffer) => [bytes]
const byByte = (bytes: Buffer) => Array.from(bytes, (_, at) => bytes.subarray(at, at + 1))

const ours: Effect.Effect<Run, never, Scope.Scope> = Effect.gen(function*() {
  const record = new Record()
  let requests = 0
  const handler = handlerOf(record, yield* Effect.context<Scope.Scope>(), (request) =>
    Effect.map(request.bytes, () => {
      requests++
      return text("ok")
    }))
  const connect = yield* Transport.connect(settings, handler)
  return Effect.fnUntraced(function*(pieces) {
    requests = 0
    const socket = new MemorySocket()
    connect(socket as unknown as Net.Socket)
    for (const piece of pieces) socket.deliver(piece)
    yield* turns(2)
    const seen: Seen = {
      requests,
      statuses: read(socket.output).messages.map(({ status }) => status),
      isOver: socket.isOver
    }
    socket.destroy()
    return seen
  })
})

// Answers every piece that looks like a request, refuses nothing.
const credulous: Run = (pieces) => {
  const requests = Buffer.concat([...pieces]).toString("latin1").split(/HTTP\/\d/).length - 1
  return Effect.succeed({ requests, statuses: Array.from({ length: requests }, () => 200), isOver: false })
}

// A port where nobody answers.
const dead: Run = () => Effect.succeed({ requests: 0, statuses: [], isOver: true })

describe.skipIf(!present)(`the corpus of llhttp${present ? "" : ` (skipped: ${file} is not there)`}`, () => {
  it("has the 117 strict cases that other servers were measured with", () => {
    assert.strictEqual(strict.length, 117)
    const ids = new Set(strict.map((one) => one.id))
    assert.deepStrictEqual(Object.keys(STRICTER).filter((id) => !ids.has(id)), [])
  })

  it.effect("117 of 117, each case in one piece", () =>
    Effect.gen(function*() {
      const run = yield* ours
      assert.deepStrictEqual(yield* corpus(run, whole), [])
    }))

  it.effect("117 of 117, each case byte by byte", () =>
    Effect.gen(function*() {
      const run = yield* ours
      assert.deepStrictEqual(yield* corpus(run, byByte), [])
    }))

  it.effect("proves itself: a server that accepts everything fails, and so does one that is dead", () =>
    Effect.gen(function*() {
      assert.isAbove((yield* corpus(credulous, whole)).length, 50)
      assert.isAbove((yield* corpus(dead, whole)).length, 50)
    }))

  it.effect("the server answers a plain request before and after the corpus", () =>
    Effect.gen(function*() {
      const run = yield* ours
      const plain = [Buffer.from("GET / HTTP/1.1\r\nhost: a\r\n\r\n")]
      assert.deepStrictEqual(yield* run(plain), { requests: 1, statuses: [200], isOver: false })
      yield* corpus(run, whole)
      assert.deepStrictEqual(yield* run(plain), { requests: 1, statuses: [200], isOver: false })
    }))
})
