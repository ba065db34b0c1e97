/**
 * The running servers of this user: finding the one that is meant, and asking it.
 *
 * When to reach for it: `kore-fx ps`.
 * What it is not: the protocol; core has that (`ControlClient`).
 */
import type * as Control from "@kore-fx/core/process/Control"
import * as ControlClient from "@kore-fx/core/process/ControlClient"
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import * as path from "node:path"
import {
  NoServer,
  ServerForbidden,
  ServerOtherVersion,
  type ServerProblem,
  ServerSilent,
  SeveralServers
} from "../CliError.ts"
import { display, indent } from "./text.ts"
import { version } from "./version.ts"

/** A server that runs, as far as it tells. */
export interface Found {
  readonly pid: number
  /** Its control socket. */
  readonly path: string
  /** What it says of itself, or why it says nothing that is understood. */
  readonly status: Control.Status | ServerSilent | ServerOtherVersion | ServerForbidden
}

/** All servers of this user, by process id; those that died and left a socket are passed over. */
export const all: Effect.Effect<ReadonlyArray<Found>, ServerForbidden> = Effect.gen(function*() {
  const sockets = yield* Effect.mapError(ControlClient.sockets(),
    ({ path, reason }) => new ServerForbidden({ path, reason }))
  const found = yield* Effect.forEach(sockets, ({ path, pid }) =>
    ControlClient.status(path).pipe(
      Effect.map((status): Found | undefined => ({ pid, path, status })),
      Effect.catch((error) => {
        const problem = problemOf(error)
        return Effect.succeed(problem === undefined ? undefined : { pid, path, status: problem })
      })
    ), { concurrency: 16 })
  return found.filter((one) => one !== undefined)
})

/** The fibers of a server. */
export const fibersOf = ({ path, pid }: Found): Effect.Effect<Control.Fibers, ServerProblem> =>
  Effect.mapError(ControlClient.fibers(path), (error) => problemOf(error) ?? gone(pid))

/** A server that can be talked to. */
export interface Answering extends Found {
  readonly status: Control.Status
}

/**
 * Finds the server that is meant by a process id, by the file of its app, or by its control socket.
 *
 * Fails when there is none, when there are several of that file, and with why the one that is meant cannot be asked.
 */
export const find = Effect.fnUntraced(function*(wanted: string): Effect.fn.Return<Answering, ServerProblem> {
  if (isSocket(wanted)) return yield* at(path.resolve(wanted))
  const servers = yield* all
  if (/^\d+$/.test(wanted)) {
    const one = servers.find(({ pid }) => pid === Number(wanted))
    return one === undefined
      ? yield* new NoServer({ wanted: `Process ${wanted} is no server of this user`, hint: running(servers) })
      : yield* answering(one)
  }
  const file = real(path.resolve(wanted))
  const same = servers.filter(isAnswering).filter(({ status }) =>
    status.file !== undefined && real(status.file) === file
  )
  const [first, ...others] = same
  if (first === undefined) {
    return yield* new NoServer({
      wanted: `No server of this user runs ${display(path.resolve(wanted))}`,
      hint: running(servers)
    })
  }
  if (others.length > 0) {
    return yield* new SeveralServers({
      count: same.length,
      file: display(file),
      servers: indent(same.map(label).join("\n"), 2),
      pid: first.pid
    })
  }
  return first
})

/** What to do when nothing was found: what there is, or how to start something. */
export const running = (servers: ReadonlyArray<Found>): string =>
  servers.length === 0
    ? "None runs; start one: kore-fx run app.ts"
    : `These run:\n${indent(servers.map(label).join("\n"), 2)}`

// --- private ---------------------------------------------------------------------------------------------------------

const label = ({ pid, status }: Found): string =>
  isStatus(status) ? `${pid}  ${status.name}  ${status.file === undefined ? "" : display(status.file)}`.trimEnd()
    : `${pid}  ?`

const isStatus = (status: Found["status"]): status is Control.Status => status._tag === "Status"

const isAnswering = (found: Found): found is Answering => isStatus(found.status)

const answering = (found: Found): Effect.Effect<Answering, ServerProblem> =>
  isStatus(found.status) ? Effect.succeed({ ...found, status: found.status }) : Effect.fail(found.status)

const at = (socket: string): Effect.Effect<Answering, ServerProblem> =>
  ControlClient.status(socket).pipe(
    Effect.map((status) => ({ pid: status.pid, path: socket, status })),
    Effect.mapError((error) =>
      problemOf(error) ??
        new NoServer({ wanted: `Nobody listens on ${display(socket)}`, hint: "The server is gone; start it again." })
    )
  )

// Undefined for one that does not run any more.
const problemOf = (
  error: ControlClient.ControlError
): ServerSilent | ServerOtherVersion | ServerForbidden | undefined => {
  const { path } = error
  switch (error._tag) {
    case "NotRunning":
      return undefined
    case "NotAllowed":
      return new ServerForbidden({ path, reason: error.reason })
    case "NoAnswer":
      return new ServerSilent({ path })
    case "OtherVersion":
      return new ServerOtherVersion({
        path,
        found: error.version === undefined ? "not kore-fx" : `kore-fx ${error.version}`,
        version: version()
      })
  }
}

const gone = (pid: number): NoServer =>
  new NoServer({ wanted: `Server ${pid} has ended just now`, hint: "See what runs: kore-fx ps" })

const isSocket = (file: string): boolean => fs.statSync(file, { throwIfNoEntry: false })?.isSocket() === true

// The same file may be reached by different paths.
const real = (file: string): string => {
  try {
    return fs.realpathSync(file)
  } catch {
    return file
  }
}
