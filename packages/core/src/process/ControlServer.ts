/**
 * The parent's control socket: answers `kore-fx ps`, and nobody but the user who runs the server.
 *
 * When to reach for it: `Parent` opens it unless `controlSocket` is "off".
 * What it is not: HTTP, reachable over a network, or a way to change anything; see `Control` for what may be asked.
 *
 * The socket has mode 0600 before anybody can connect to it, and has its name when it listens and not before: a server
 * that starts at the same time would take it for one that a dead server left, and remove it. A connection has 10 seconds for its one question; of 32
 * connections at once, more are closed. What is no question is answered with a reason.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Queue from "effect/Queue"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as fs from "node:fs"
import * as net from "node:net"
import * as path from "node:path"
import { ConfigError, ConfigProblem } from "../KoreError.ts"
import * as Socket from "../native/Socket.ts"
import * as SocketFile from "../native/SocketFile.ts"
import * as Control from "./Control.ts"
import * as ControlDirectory from "./ControlDirectory.ts"

/** What answers. */
export type Answers = (request: Control.Request) => Effect.Effect<Control.Answer>

/** What a control socket needs to know. */
export interface Options {
  /** The option `controlSocket`: "auto", "off", or a path. */
  readonly setting: string
  readonly answers: Answers
  /** Answers what is no question, for this reason. */
  readonly refuse: (reason: string) => Control.Refused
}

/**
 * Opens the control socket until the scope closes, and removes its file then.
 *
 * With "auto", sockets that dead servers left in the directory are removed, and a directory that is not safe is a
 * warning. A path that cannot be used fails with `ConfigError`, as it was asked for.
 */
export const open = ({ setting, ...options }: Options): Effect.Effect<void, ConfigError, Scope.Scope> => {
  if (setting === "off") return Effect.void
  if (setting !== "auto") {
    return Effect.mapError(serve(path.resolve(setting), setting, options), (problem) =>
      new ConfigError({
        problems: [
          new ConfigProblem({
            option: "controlSocket",
            value: setting,
            source: "at start",
            expected: `a path where a socket can be made, but ${problem}`
          })
        ]
      }))
  }
  const directory = ControlDirectory.location()
  return Effect.gen(function*() {
    yield* ControlDirectory.prepare(directory)
    for (const entry of yield* ControlDirectory.entries(directory)) yield* SocketFile.clear(entry.path)
    const file = ControlDirectory.socketOf(directory, process.pid)
    yield* serve(file, file, options)
  }).pipe(
    Effect.catch((problem) =>
      Effect.logWarning(`no control socket, so kore-fx ps will not find this server: ${problem}`)
    )
  )
}

// --- the socket ------------------------------------------------------------------------------------------------------

type Serving = Omit<Options, "setting">

// Fails with what is wrong: a sentence without its full stop.
const serve = Effect.fnUntraced(function*(file: string, asWritten: string, options: Serving) {
  if (asWritten.startsWith("@")) return yield* Effect.fail("an abstract socket is open to every user")
  const making = ControlDirectory.makingOf(file)
  const problem = SocketFile.problemOf(file) ?? SocketFile.problemOf(making)
  if (problem !== undefined) return yield* Effect.fail(problem.reason)
  const verdict = yield* SocketFile.clear(file)
  if (verdict === "live") return yield* Effect.fail(`another server listens on ${file}`)
  if (verdict === "other") return yield* Effect.fail(`${file} is a file that is no socket`)

  yield* SocketFile.clear(making) // of a dead process that had our id
  const connections = yield* Queue.unbounded<net.Socket>()
  yield* Effect.acquireRelease(listen(file, making, connections), close)
  yield* Effect.forkScoped(
    Effect.forever(Effect.flatMap(Queue.take(connections), (socket) => Effect.forkChild(converse(socket, options)))),
    { startImmediately: true }
  )
})

interface Listening {
  readonly server: net.Server
  readonly open: Set<net.Socket>
  readonly file: SocketFile.SocketFile
}

const listen = (
  file: string,
  making: string,
  connections: Queue.Enqueue<net.Socket>
): Effect.Effect<Listening, string> =>
  Effect.gen(function*() {
    const descriptor = yield* Socket.open({ _tag: "Unix", path: making })
    return yield* Effect.onError(
      Effect.gen(function*() {
        yield* Socket.bind(descriptor, { _tag: "Unix", path: making })
        const made = yield* SocketFile.identify(making)
        const identity = { ...made, path: file }
        return yield* Effect.gen(function*() {
          // Nobody can connect before it listens.
          yield* attempt(() => fs.chmodSync(making, 0o600))
          yield* Socket.listen(descriptor, connectionLimit)
          // Renaming would replace the socket of a server that was faster.
          yield* attempt(() => fs.linkSync(making, file))
          return { ...yield* accept(descriptor, connections), file: identity }
        }).pipe(Effect.onError(() => SocketFile.remove(identity)), Effect.ensuring(SocketFile.remove(made)))
      }),
      () => Socket.close(descriptor)
    )
  }).pipe(Effect.mapError((error) => error.message))

const attempt = (f: () => void) => Effect.try({ try: f, catch: (error) => ({ message: String(error) }) })

const accept = (descriptor: number, connections: Queue.Enqueue<net.Socket>) =>
  Effect.callback<Omit<Listening, "file">, { readonly message: string }>((resume) => {
    const open = new Set<net.Socket>()
    const server = net.createServer({ allowHalfOpen: true }, (socket) => {
      open.add(socket)
      socket.on("close", () => open.delete(socket))
      socket.on("error", () => {}) // "close" follows, and says enough
      Queue.offerUnsafe(connections, socket)
    })
    server.maxConnections = connectionLimit
    server.once("error", (error) => resume(Effect.fail(error)))
    server.listen({ fd: descriptor }, () => {
      // Such as having no descriptors left for a connection.
      server.on("error", () => {})
      resume(Effect.succeed({ server, open }))
    })
  })

const close = ({ file, open, server }: Listening): Effect.Effect<void> =>
  Effect.andThen(
    SocketFile.remove(file),
    Effect.callback((resume) => {
      server.close(() => resume(Effect.void))
      for (const socket of open) socket.destroy()
    })
  )

const connectionLimit = 32

// --- one connection --------------------------------------------------------------------------------------------------

const patience = "10 seconds"

const converse = (socket: net.Socket, { answers, refuse }: Serving): Effect.Effect<void> =>
  firstLine(socket).pipe(
    Effect.flatMap((line) => {
      const request = decodeRequest(line)
      return Exit.isSuccess(request)
        ? answers(request.value)
        : Effect.succeed(refuse(`expected one of ${questions}, got ${line.slice(0, 100)}`))
    }),
    Effect.catch((problem) => Effect.succeed(refuse(problem))),
    Effect.catchCause((cause) =>
      Effect.as(Effect.logError("the control socket could not answer", cause), refuse(Cause.pretty(cause)))
    ),
    Effect.flatMap((answer) => write(socket, answer, refuse)),
    Effect.timeoutOption(patience),
    Effect.ensuring(Effect.sync(() => socket.destroy())),
    Effect.asVoid
  )

const decodeRequest = Schema.decodeUnknownExit(Schema.fromJsonString(Control.Request))
const encodeAnswer = Schema.encodeEffect(Schema.fromJsonString(Schema.toCodecJson(Control.Answer)))

const questions = Control.Request.members.map(({ fields }) => `{"_tag":"${fields._tag.schema.literal}"}`).join(", ")

const lineFeed = 10

// Fails with why there is none. Whatever comes behind it is not read.
const firstLine = (socket: net.Socket): Effect.Effect<string, string> =>
  Effect.callback((resume) => {
    const parts: Array<Buffer> = []
    let size = 0
    const stop = () => socket.off("data", collect).off("end", ended).off("close", ended).pause()
    const answer = (line: Effect.Effect<string, string>) => {
      stop()
      resume(line)
    }
    const collect = (chunk: Buffer) => {
      const end = chunk.indexOf(lineFeed)
      const part = end < 0 ? chunk : chunk.subarray(0, end)
      size += part.length
      if (size > Control.requestLimit) {
        return answer(Effect.fail(`the question is longer than ${Control.requestLimit} bytes`))
      }
      parts.push(part)
      if (end >= 0) answer(Effect.succeed(Buffer.concat(parts).toString("utf8")))
    }
    const ended = () => answer(Effect.fail("the question has no line feed at its end"))
    socket.on("data", collect)
    socket.on("end", ended)
    socket.on("close", ended)
    return Effect.sync(stop)
  })

const write = (socket: net.Socket, answer: Control.Answer, refuse: Serving["refuse"]): Effect.Effect<void> =>
  Effect.flatMap(Effect.orDie(encodeAnswer(answer)), (line) => {
    if (Buffer.byteLength(line) > Control.answerLimit) {
      return write(socket, refuse(`the answer is longer than ${Control.answerLimit} bytes`), refuse)
    }
    return Effect.callback<void>((resume) => {
      socket.once("close", () => resume(Effect.void))
      socket.end(`${line}\n`, () => resume(Effect.void))
    })
  })
