/**
 * `kore.proc`: a child process, talked to in coroutines.
 *
 * When to reach for it: a program does the work, and its output and its end are yours to watch.
 * What it is not: a shell, or a way to start daemons: a process ends with the coroutine that created it.
 * Source: Kore, runtime §12.
 */
import * as CoreProc from "@kore-fx/proc/Proc"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as EffectScheduler from "effect/Scheduler"
import * as Scope from "effect/Scope"
import { Awaitable } from "./Awaitable.ts"
import { describe } from "./Coroutine.ts"
import { RuntimeError, type TimeoutError } from "./errors.ts"
import * as Failure from "./internal/Failure.ts"
import * as keywords from "./internal/keywords.ts"
import * as Run from "./internal/Run.ts"
import * as Timeout from "./internal/Timeout.ts"

/** A child process. Made by `kore.proc`. */
export interface Proc {
  /** Its process id, also after its end. */
  readonly pid: number
  /** Sends SIGKILL to the process and to what it has started, unless they have ended. Always true. */
  readonly kill: () => true
  /**
   * Waits for the end of the process and gives its exit code, or the negative number of the signal that ended it, as
   * Python's `subprocess` does. Any number of times. Fails with TimeoutError.
   */
  readonly reap: () => Awaitable<number, RuntimeError | TimeoutError>
  /**
   * Receives up to `maxlen` of the bytes that the process writes, output and errors in their order; null at their end.
   *
   * Fails with TimeoutError after `timeout` milliseconds without any, and when the process itself is out of time.
   */
  readonly recv: (maxlen: number, timeout?: number) => Awaitable<Buffer | null, RuntimeError | TimeoutError>
  /** Sends bytes, or text as UTF-8, to its standard input, and waits until all is written. */
  readonly send: (data: Uint8Array | string) => Awaitable<void, RuntimeError | TimeoutError>
  /** Closes its standard input behind what is being sent. Closing twice is no error. Always true. */
  readonly close_stdin: () => true
}

/** The keywords of `kore.proc`. */
export interface ProcOptions {
  /** All the environment that it gets, as `NAME=value` or by name. Default: that of this process. */
  readonly env?: ReadonlyArray<string> | Readonly<Record<string, string>> | undefined
}

/**
 * Starts a process that ends, killed, with the coroutine that creates it.
 *
 * The command is a program and its arguments as an array, or text that is split as a shell would; no shell is involved.
 * The program is a path or a name to find in the PATH. `timeout` is in milliseconds, none by default, or by 0 or -1:
 * when it is over before the process has ended, every `recv`, `send` and `reap`, pending and later, throws TimeoutError,
 * until `kill` is called.
 *
 * @throws RuntimeError outside of coroutines, for a program that is not there or not allowed, and for wrong arguments.
 *
 * @example
 * ```ts
 * import { kore } from "kore-fx/legacy"
 *
 * const request = async (req: kore.Request) => {
 *   const proc = kore.proc("ls -l /tmp", 1000)
 *   try {
 *     const stdout = await proc.recv(8192)
 *     await proc.reap()
 *     req.response(200, stdout)
 *   } catch (error) {
 *     if (!(error instanceof kore.TimeoutError)) throw error
 *     proc.kill()
 *     req.response(500, "")
 *   }
 * }
 * ```
 */
export const proc: {
  (command: CoreProc.Command, options?: ProcOptions): Proc
  (command: CoreProc.Command, timeout?: number, options?: ProcOptions): Proc
} = (command: CoreProc.Command, second?: number | ProcOptions, third?: ProcOptions): Proc => {
  const [timeout, options = {}] = typeof second === "object" && second !== null ? [undefined, second] : [second, third]
  keywords.check("kore.proc", options, ["env"])
  checkCommand(command)
  const limit = Timeout.check("kore.proc", timeout)
  const env = environmentOf(options.env)
  const scope = Run.ownScope("kore.proc")
  const spawned = CoreProc.spawn(command, {
    killSignal: "SIGKILL",
    // The documentation of Kore: a timeout that is zero is none.
    timeout: limit === 0 ? undefined : limit,
    ...(env === undefined ? {} : { env, extendEnv: false })
  })
  if (scope.state._tag === "Closed") {
    throw new RuntimeError(
      "kore.proc was called by a coroutine that has ended, and would have to end with it. Await what a coroutine calls"
    )
  }
  const start = Effect.provideService(Scope.provide(spawned, scope), EffectScheduler.PreventSchedulerYield, true)
  return new ProcImpl(Failure.now(Run.atOnce(Effect.exit(start))))
}

class ProcImpl implements Proc {
  readonly pid: number
  private readonly core: CoreProc.Proc

  constructor(core: CoreProc.Proc) {
    this.core = core
    this.pid = core.pid
  }

  readonly kill = (): true => {
    Failure.now(CoreProc.kill(this.core))
    return true
  }

  readonly close_stdin = (): true => {
    Effect.runForkWith(Run.context())(CoreProc.closeStdin(this.core))
    return true
  }

  readonly reap = (): Awaitable<number, RuntimeError | TimeoutError> =>
    awaitable(Effect.map(CoreProc.reap(this.core), (exit) => exit._tag === "Exited" ? exit.code : -exit.number))

  readonly recv = (maxlen: number, timeout?: number): Awaitable<Buffer | null, RuntimeError | TimeoutError> => {
    const limit = Timeout.check("proc.recv", timeout)
    return awaitable(Effect.map(CoreProc.recv(this.core, maxlen, { timeout: limit }), Option.getOrNull))
  }

  readonly send = (data: Uint8Array | string): Awaitable<void, RuntimeError | TimeoutError> => {
    if (typeof data !== "string" && !(data instanceof Uint8Array)) {
      throw new RuntimeError(`proc.send got ${describe(data)}, expected a string or a Uint8Array`)
    }
    return awaitable(CoreProc.send(this.core, data))
  }
}

const awaitable = <A>(effect: Effect.Effect<A, unknown>): Awaitable<A, RuntimeError | TimeoutError> =>
  new Awaitable(Failure.translated(effect))

const checkCommand = (command: unknown): void => {
  const isList = Array.isArray(command) && command.every((word) => typeof word === "string")
  if (typeof command === "string" || isList) return
  throw new RuntimeError(`kore.proc got the command ${describe(command)}, expected a string or an array of strings`)
}

const environmentOf = (env: unknown): Readonly<Record<string, string>> | undefined => {
  if (env === undefined) return undefined
  const entries = Array.isArray(env) ? env.map(entryOf)
    : typeof env === "object" && env !== null ? Object.entries(env)
    : []
  if (typeof env === "object" && env !== null && entries.every((entry) => typeof entry?.[1] === "string")) {
    return Object.fromEntries(entries as ReadonlyArray<[string, string]>)
  }
  throw new RuntimeError(`kore.proc got an env that is not of texts, expected a list of "NAME=value", or an object`)
}

const entryOf = (text: unknown): readonly [string, string] | undefined => {
  const at = typeof text === "string" ? text.indexOf("=") : -1
  return typeof text === "string" && at > 0 ? [text.slice(0, at), text.slice(at + 1)] : undefined
}
