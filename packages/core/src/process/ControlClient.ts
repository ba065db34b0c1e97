/**
 * Finds the running servers of this user, and asks them.
 *
 * When to reach for it: `kore-fx ps`.
 * What it is not: able to change anything, or to reach servers of other users or machines.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as net from "node:net"
import * as Control from "./Control.ts"
import * as ControlDirectory from "./ControlDirectory.ts"

/** Nobody listens on the socket, or its file is gone: the server is. */
export class NotRunning extends Schema.TaggedError<NotRunning>()("NotRunning", { path: Schema.String }) {
  override get message(): string {
    return `Nobody listens on ${this.path}: the server is gone.`
  }
}

/** The system does not let this user connect. */
export class NotAllowed extends Schema.TaggedError<NotAllowed>()("NotAllowed", {
  path: Schema.String,
  /** Why: a sentence without its full stop. */
  reason: Schema.String
}) {
  override get message(): string {
    return `${this.path} cannot be used: ${this.reason}. Ask as the user who runs the server.`
  }
}

/** The server took the connection and said nothing in time: it is stopped, or its event loop is blocked. */
export class NoAnswer extends Schema.TaggedError<NoAnswer>()("NoAnswer", { path: Schema.String }) {
  override get message(): string {
    return `The server at ${this.path} does not answer: it is stopped, or busy.`
  }
}

/** What answers is not a server of this version. */
export class OtherVersion extends Schema.TaggedError<OtherVersion>()("OtherVersion", {
  path: Schema.String,
  /** The version of kore-fx that the answer names; absent when it names none. */
  version: Schema.optionalKey(Schema.String)
}) {
  override get message(): string {
    const found = this.version === undefined ? "something else than kore-fx" : `kore-fx ${this.version}`
    return `What answers at ${this.path} is ${found}, whose answer this version does not understand.`
  }
}

/** Why a server cannot be asked. */
export type ControlError = NotRunning | NotAllowed | NoAnswer | OtherVersion

/**
 * The control sockets of this user's servers, of those too that died and left theirs.
 *
 * Fails with `NotAllowed` when the directory is there but is not this user's alone.
 */
export const sockets = (
  directory: string = ControlDirectory.location()
): Effect.Effect<ReadonlyArray<ControlDirectory.Entry>, NotAllowed> => {
  const checked = ControlDirectory.check(directory).pipe(
    Effect.mapError((reason) => new NotAllowed({ path: directory, reason }))
  )
  return ControlDirectory.entries(directory).pipe(
    Effect.tap((entries) => entries.length === 0 ? Effect.void : checked),
    Effect.map((entries) => [...entries].sort((a, b) => a.pid - b.pid))
  )
}

/** What the server at a socket says of itself and its workers. */
export const status = (path: string): Effect.Effect<Control.Status, ControlError> =>
  ask(path, { _tag: "Status" }, "Status")

/** The fibers of the server at a socket, worker by worker; one that does not answer within 2 seconds has a `problem`. */
export const fibers = (path: string): Effect.Effect<Control.Fibers, ControlError> =>
  ask(path, { _tag: "Fibers" }, "Fibers")

// --- private ---------------------------------------------------------------------------------------------------------

// More than the workers of a server have.
const patience = "5 seconds"

const decode = Schema.decodeUnknownOption(Schema.fromJsonString(Schema.toCodecJson(Control.Answer)))

// What answers of all versions have.
const decodeStranger = Schema.decodeUnknownOption(Schema.fromJsonString(Schema.Struct({ version: Schema.String })))

const ask = <Tag extends Control.Answer["_tag"]>(
  path: string,
  request: Control.Request,
  tag: Tag
): Effect.Effect<Extract<Control.Answer, { readonly _tag: Tag }>, ControlError> =>
  Effect.flatMap(
    Effect.timeoutOrElse(exchange(path, `${JSON.stringify(request)}\n`), {
      duration: patience,
      orElse: () => Effect.fail(new NoAnswer({ path }))
    }),
    (text) => {
      const answer = decode(text)
      if (answer._tag === "Some" && answer.value._tag === tag) {
        return Effect.succeed(answer.value as Extract<Control.Answer, { readonly _tag: Tag }>)
      }
      const stranger = decodeStranger(text)
      return Effect.fail(
        new OtherVersion({ path, ...(stranger._tag === "Some" ? { version: stranger.value.version } : {}) })
      )
    }
  )

// Sends a line and gives everything that comes back.
const exchange = (path: string, line: string): Effect.Effect<string, ControlError> =>
  Effect.callback((resume) => {
    const socket = net.connect({ path })
    const parts: Array<Buffer> = []
    let size = 0
    socket.on("connect", () => socket.write(line))
    socket.on("data", (part: Buffer) => {
      size += part.length
      if (size <= Control.answerLimit + 1) parts.push(part)
      else socket.destroy()
    })
    socket.on("error", ({ code }: NodeJS.ErrnoException) => {
      resume(Effect.fail(code === "EACCES" || code === "EPERM"
        ? new NotAllowed({ path, reason: `the system says ${code}` })
        : code === "EAGAIN"
        ? new NoAnswer({ path }) // so many wait already that there is no room
        : new NotRunning({ path })))
    })
    socket.on("close", () => {
      resume(size === 0 ? Effect.fail(new NoAnswer({ path })) : Effect.succeed(Buffer.concat(parts).toString("utf8")))
    })
    return Effect.sync(() => socket.destroy())
  })
