/**
 * Starts worker processes and tells what becomes of them.
 *
 * When to reach for it: `Parent` provides the real one, tests of `Supervisor` provide one without processes.
 * What it is not: a general way to run programs; a worker is this program again, with a marker in its environment.
 */
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Scheduler from "effect/Scheduler"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as ChildProcess from "node:child_process"
import type * as net from "node:net"
import type * as Listener from "../Listener.ts"
import * as Channel from "./Channel.ts"
import * as Environment from "./Environment.ts"
import * as Protocol from "./Protocol.ts"

/** How a process ended: its exit status, or the signal that killed it. */
export interface Ended {
  readonly _tag: "Ended"
  readonly code: number | null
  readonly signal: string | null
}

/** A worker process as its parent sees it. */
export interface Child {
  readonly pid: number
  /** The worker's next message; fails when it has ended and all its messages were received. */
  readonly receive: Effect.Effect<Protocol.FromWorker, Ended>
  /** Waits for its end. */
  readonly ended: Effect.Effect<Ended>
  /** Waits until the system has it; false when the worker cannot be reached any more. */
  readonly send: (message: Protocol.ToWorker) => Effect.Effect<boolean>
  /** Sends without waiting; see `Channel`. */
  readonly post: (message: Protocol.ToWorker) => Effect.Effect<Effect.Effect<boolean>>
  /** Does nothing when it has ended. */
  readonly kill: (signal: NodeJS.Signals) => Effect.Effect<void>
}

/** The process could not be started, for want of memory or of permission. */
export class SpawnError extends Schema.TaggedError<SpawnError>()("SpawnError", { reason: Schema.String }) {
  override get message(): string {
    return this.reason
  }
}

/** Starts the process of a worker; closing the scope closes the channel to it, and does not end it. */
export class Spawner extends Context.Service<Spawner, {
  readonly spawn: (worker: number) => Effect.Effect<Child, SpawnError, Scope.Scope>
}>()("@kore-fx/core/process/Spawner") {}

/** What a worker process executes. */
export interface Command {
  /** The program. */
  readonly file: string
  /** Options of Node.js. */
  readonly execArgv: ReadonlyArray<string>
  /** The script and its arguments. */
  readonly args: ReadonlyArray<string>
  readonly env: Readonly<Record<string, string | undefined>>
}

/** This process again, with the same options, arguments and environment. */
export const sameCommand = (): Command => ({
  file: process.execPath,
  execArgv: process.execArgv,
  args: process.argv.slice(1),
  env: process.env
})

/** Starts workers that execute a command and inherit the listening sockets. */
export const make = (command: Command, listeners: ReadonlyArray<Listener.Bound>): Spawner["Service"] => ({
  // In one turn of the event loop: a process that ends at once says so, and closes its channel, when the turn is over.
  spawn: (worker) => Effect.provideService(start(command, worker, listeners), Scheduler.PreventSchedulerYield, true)
})

const start = Effect.fnUntraced(
  function*(
    command: Command,
    worker: number,
    listeners: ReadonlyArray<Listener.Bound>
  ): Effect.fn.Return<Child, SpawnError, Scope.Scope> {
    const end = Deferred.makeUnsafe<Ended>()
    const child = yield* Effect.try({
      try: () => {
        const child = spawn(command, worker, listeners)
        child.once("exit", (code, signal) => {
          Deferred.doneUnsafe(end, Effect.succeed({ _tag: "Ended", code, signal }))
          // The channel closes with the process, unless a child of the worker has got hold of its end.
          setTimeout(() => channelOf(child).destroy(), lastWords).unref()
        })
        return child
      },
      catch: (error) => new SpawnError({ reason: `its process could not be started: ${String(error)}` })
    })
    const pid = yield* pidOf(child)
    const channel = yield* Channel.make(channelOf(child), {
      sends: Protocol.toWorker,
      receives: Protocol.fromWorker,
      peer: `worker ${worker}`
    })
    const ended = Deferred.await(end)
    return {
      pid,
      ended,
      receive: Effect.catch(channel.receive, () => Effect.flatMap(ended, Effect.fail)),
      send: channel.send,
      post: channel.post,
      kill: (signal) => Effect.sync(() => child.kill(signal))
    }
  }
)

const channelOf = (child: ChildProcess.ChildProcess): net.Socket =>
  child.stdio[Environment.channelDescriptor] as net.Socket

// How long what a dead worker has said may take to arrive, in milliseconds; it is in the system's buffer by then.
const lastWords = 250

const spawn = (command: Command, worker: number, listeners: ReadonlyArray<Listener.Bound>) =>
  ChildProcess.spawn(command.file, [...execArgvOf(command), ...command.args], {
    env: {
      ...command.env,
      ...Environment.encode({ worker, parent: process.pid, listeners: listeners.map(Environment.inherited) })
    },
    // Standard input is the parent's: no worker may take it. The order of the rest is `Environment`'s.
    stdio: ["ignore", "inherit", "inherit", "pipe", ...listeners.map((bound) => bound.descriptor)]
  })

// Workers cannot share the parent's inspector: each opens its own on a port that is free, and prints it.
const execArgvOf = ({ execArgv }: Command): ReadonlyArray<string> =>
  execArgv.some((option) => option.startsWith("--inspect")) ? [...execArgv, "--inspect-port=0"] : execArgv

// A process that could not be started has no id, and says why in an event.
const pidOf = (child: ChildProcess.ChildProcess): Effect.Effect<number, SpawnError> =>
  Effect.callback((resume) => {
    child.on("error", (error) => {
      resume(Effect.fail(new SpawnError({ reason: `its process could not be started: ${error.message}` })))
    })
    if (child.pid !== undefined) resume(Effect.succeed(child.pid))
  })
