/**
 * Child processes: started, talked to, and ended with their scope.
 *
 * When to reach for it: a program does the work, and its output, its end and its lifetime are yours to watch.
 * What it is not: a shell (spawn one), a terminal, or a way to start daemons: what is spawned here ends with its scope.
 *
 * A process leads a process group of its own. When the scope closes, the whole group is ended, also what the process
 * left behind in it, and the close waits until that is done and reaped. Should this Node process be killed, `kill -9`
 * included, a guard kills the groups. A process that leaves the group with `setsid` is on its own.
 *
 * Nothing is received that was not asked for, and a process whose output nobody receives waits after some 64 KiB, as
 * it does with any pipe. Whoever is interrupted while receiving has received nothing.
 */
import * as Arr from "effect/Array"
import type * as ByteSize from "effect/ByteSize"
import * as Cause from "effect/Cause"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Process from "./internal/Process.ts"
import * as Spawn from "./internal/Spawn.ts"
import { ProcError } from "./ProcError.ts"

/** What everything here fails with. */
export { ProcError }

/** What marks a process. */
export const TypeId: typeof Process.TypeId = Process.TypeId

/**
 * A child process, running or ended. Made by `spawn`.
 *
 * Source: Kore, runtime §12.
 *
 * @example
 * ```ts
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const proc: Proc.Proc = yield* Proc.spawn(["cat"])
 *   yield* Effect.log(proc.name, proc.pid) // cat 4711
 * }))
 * ```
 */
export interface Proc {
  readonly [TypeId]: typeof TypeId
  /** Its process id, which is also that of its group. Good for logs; to send a signal, use `kill`. */
  readonly pid: number
  /** As given, or the last part of the program's path. */
  readonly name: string
  /** The program, as it was written, and its arguments. */
  readonly command: ReadonlyArray<string>
}

/**
 * A command: the program and its arguments, or text that `Command.parse` splits into them. No shell is involved.
 *
 * @example
 * ```ts
 * const array: Proc.Command = ["grep", "-F", "it's", "my file"]
 * const text: Proc.Command = `grep -F "it's" 'my file'`
 * ```
 */
export type Command = string | readonly [program: string, ...args: ReadonlyArray<string>]

/**
 * How a process ended: with an exit code, or by a signal.
 *
 * Node does not tell of the real-time signals of Linux (34 to 64): a process that one of them ended seems to have
 * exited with 0.
 *
 * @example
 * ```ts
 * const explain = (exit: Proc.Exit) => exit._tag === "Exited" ? `exited with ${exit.code}` : `ended by ${exit.signal}`
 * ```
 */
export type Exit = Process.Exit

/**
 * What `spawn` may be told.
 *
 * @example
 * ```ts
 * const options: Proc.Options = { cwd: "/tmp", env: { LANG: "C" }, timeout: "10 seconds", output: "separate" }
 * ```
 */
export interface Options {
  /** For people, in lists of what is waited for. Default: the last part of the program's path. */
  readonly name?: string | undefined
  /** The directory it runs in. Default: that of this process. */
  readonly cwd?: string | undefined
  /** Environment variables beside the inherited ones; `undefined` takes one away. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined
  /** `false`: `env` is all there is. Default: true. */
  readonly extendEnv?: boolean | undefined
  /** `pipe`: what `send` sends. `ignore`: nothing, at its end at once. `inherit`: that of this process. */
  readonly stdin?: "pipe" | "ignore" | "inherit" | undefined
  /**
   * `merged`: `recv` receives standard output and standard error in the order in which they were written, as in Kore;
   * the default. It takes foreign calls (`ENOTSUP` without them).
   * `separate`: `recv` receives the output, and `recvError` the errors; receive both, or the process may wait.
   */
  readonly output?: "merged" | "separate" | undefined
  /** How long it may run; see `spawn`. Default: no limit. */
  readonly timeout?: Duration.Input | undefined
  /** How much it may write to output and errors together before it is killed. Default: no limit. */
  readonly maxOutput?: ByteSize.Input | undefined
  /** What the group is sent first when the scope closes. Default: `SIGTERM`. */
  readonly killSignal?: NodeJS.Signals | number | undefined
  /** When `SIGKILL` follows, if any of the group is left. Default: 1 second. */
  readonly forceKillAfter?: Duration.Input | undefined
}

const impl = (proc: Proc): Process.Process => proc as Process.Process

/**
 * Starts a process that ends with the scope.
 *
 * The program is a path, from `cwd` if it is relative, or a name to find in the PATH that the process gets. Commands
 * that cannot be run (`InvalidCommand`) and programs or directories that are not there or not allowed (`NotStarted`)
 * fail before anything is started. Besides `stdin`, output and errors the process gets no open files of this one.
 *
 * `timeout` counts from here, by the Clock. When it is over before the process has ended, every `recv`, `send` and
 * `reap`, pending and later, fails with `TimedOut`. The process goes on until it is killed: `kill` settles the matter,
 * after which all of them work again, or until the scope closes. A process that has ended in time is never late.
 *
 * When the scope closes, the group gets `killSignal`, and `SIGKILL` after `forceKillAfter`; meanwhile its input is at
 * its end and its output is dropped. Interrupted before the process is started, it starts none. It does not wait.
 * Source: Kore, runtime §12.1 and §12.3.
 *
 * @example
 * ```ts
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const proc = yield* Proc.spawn(["ls", "-l", "/tmp"], { timeout: "5 seconds" })
 *   const listing = yield* Proc.recv(proc, "8 KiB")
 *   return [listing, yield* Proc.reap(proc)]
 * }))
 * ```
 */
export const spawn = (
  command: Command,
  options: Options = {}
): Effect.Effect<Proc, ProcError, Scope.Scope> => Spawn.spawn(command, options)

/**
 * The limit of an operation.
 *
 * @example
 * ```ts
 * const limit: Proc.Timeout = { timeout: "10 seconds" }
 * ```
 */
export interface Timeout {
  /** How long it may take, by the Clock, before it fails with Effect's `TimeoutError`. Default: no limit. */
  readonly timeout?: Duration.Input | undefined
}

/**
 * Receives the next bytes that the process writes, up to `maxBytes`; `Option.none()` at the end of its output.
 *
 * Waits for the first byte, not for `maxBytes`. Fibers are served in the order of asking. Interrupted or timed out, it
 * has taken nothing. Goes on after the process has ended, until all is received; with `output: "merged"` that is both
 * output and errors. `maxBytes` is 1 or more (`BadArgument`).
 * Fails with the reason `TimedOut`, `OutputTooLong` when `maxOutput` bytes were received and there are more, `Closed`.
 * Source: Kore, runtime §12.2.
 *
 * @example
 * ```ts
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const proc = yield* Proc.spawn(["printf", "hello"])
 *   return Option.map(yield* Proc.recv(proc, 1024, { timeout: "1 second" }), (bytes) => new TextDecoder().decode(bytes))
 * }))
 * ```
 */
export const recv: {
  (proc: Proc, maxBytes: ByteSize.Input): Effect.Effect<Option.Option<Buffer>, ProcError>
  (
    proc: Proc,
    maxBytes: ByteSize.Input,
    options: Timeout
  ): Effect.Effect<Option.Option<Buffer>, ProcError | Cause.TimeoutError>
} = (proc: Proc, maxBytes: ByteSize.Input, options: Timeout = {}): Effect.Effect<Option.Option<Buffer>, any> =>
  impl(proc).receive("recv", maxBytes, options)

/**
 * Receives the next bytes of the standard error, as `recv` does those of the standard output.
 *
 * Only with `output: "separate"`; fails with `NoStderr` otherwise.
 *
 * @example
 * ```ts
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const proc = yield* Proc.spawn(["ls", "/nowhere"], { output: "separate" })
 *   return yield* Proc.recvError(proc, 1024)
 * }))
 * ```
 */
export const recvError: {
  (proc: Proc, maxBytes: ByteSize.Input): Effect.Effect<Option.Option<Buffer>, ProcError>
  (
    proc: Proc,
    maxBytes: ByteSize.Input,
    options: Timeout
  ): Effect.Effect<Option.Option<Buffer>, ProcError | Cause.TimeoutError>
} = (proc: Proc, maxBytes: ByteSize.Input, options: Timeout = {}): Effect.Effect<Option.Option<Buffer>, any> =>
  impl(proc).receive("recvError", maxBytes, options)

/**
 * Sends bytes, or text as UTF-8, to the standard input of the process; done when all is written.
 *
 * Waits while the process does not read. What fibers send does not mix; they are served in the order of asking.
 * Interrupted or timed out, a part may have been sent. Do not change the bytes before it is done.
 * Fails with `BrokenPipe` when the process has closed its input or ended, `StdinClosed` after `closeStdin` or when
 * there is no pipe, `TimedOut`, `Closed`. Source: Kore, runtime §12.2.
 *
 * @example
 * ```ts
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const proc = yield* Proc.spawn(["cat"])
 *   yield* Proc.send(proc, "hello")
 *   return yield* Proc.recv(proc, 1024)
 * }))
 * ```
 */
export const send: {
  (proc: Proc, data: Uint8Array | string): Effect.Effect<void, ProcError>
  (proc: Proc, data: Uint8Array | string, options: Timeout): Effect.Effect<void, ProcError | Cause.TimeoutError>
} = (proc: Proc, data: Uint8Array | string, options: Timeout = {}): Effect.Effect<void, any> =>
  impl(proc).send(data, options)

/**
 * Closes the standard input of the process, after what is being sent; the process sees its end.
 *
 * Does nothing when it is closed, or no pipe. Source: Kore, runtime §12.2 (`close_stdin`).
 *
 * @example
 * ```ts
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const proc = yield* Proc.spawn(["sort"])
 *   yield* Proc.send(proc, "b\na\n")
 *   yield* Proc.closeStdin(proc)
 *   return yield* Proc.recv(proc, 1024) // a, b
 * }))
 * ```
 */
export const closeStdin = (proc: Proc): Effect.Effect<void> => Effect.suspend(impl(proc).closeStdin)

/**
 * Waits for the end of the process and tells how it ended.
 *
 * Any number of fibers may, any number of times, also after the scope has closed. The process has been collected by
 * then: there are no zombies, whether anybody asks or not. Others of its group may live on.
 * Fails with `TimedOut`. Source: Kore, runtime §12.2.
 *
 * @example
 * ```ts
 * const isOdd = Effect.scoped(Effect.gen(function*() {
 *   const exit = yield* Proc.reap(yield* Proc.spawn(["false"]))
 *   return exit._tag === "Exited" && exit.code === 1
 * }))
 * ```
 */
export const reap: {
  (proc: Proc): Effect.Effect<Exit, ProcError>
  (proc: Proc, options: Timeout): Effect.Effect<Exit, ProcError | Cause.TimeoutError>
} = (proc: Proc, options: Timeout = {}): Effect.Effect<Exit, any> => impl(proc).reap(options)

/**
 * Sends a signal, by name or number, to the process and all of its group; tells whether there was anybody to get it.
 *
 * Does not wait for the end; `reap` does. Default: `SIGKILL`, as in Kore. Settles a `timeout` that is over. What has
 * ended and was not collected by whoever has to counts as somebody.
 * Fails with `SignalFailed` when there is no such signal (`EINVAL`) or the process is another user's (`EPERM`).
 * Source: Kore, runtime §12.2.
 *
 * @example
 * ```ts
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const proc = yield* Proc.spawn(["sleep", "1000"])
 *   yield* Proc.kill(proc, "SIGHUP") // true
 *   return yield* Proc.reap(proc) // { _tag: "Signaled", signal: "SIGHUP", number: 1 }
 * }))
 * ```
 */
export const kill = (proc: Proc, signal: NodeJS.Signals | number = "SIGKILL"): Effect.Effect<boolean, ProcError> =>
  impl(proc).kill(signal)

/**
 * Whether the process has not ended yet. It may have by the time you look at it.
 *
 * @example
 * ```ts
 * const program = Effect.scoped(Effect.flatMap(Proc.spawn(["cat"]), Proc.isRunning)) // true
 * ```
 */
export const isRunning = (proc: Proc): Effect.Effect<boolean> => Effect.sync(() => impl(proc).exit === undefined)

/**
 * The output of the process as a stream, to its end; see `recv`.
 *
 * @example
 * ```ts
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const proc = yield* Proc.spawn(["cat", "/etc/hosts"])
 *   return yield* Stream.runFold(Proc.stream(proc), () => 0, (size, bytes) => size + bytes.length)
 * }))
 * ```
 */
export const stream = (proc: Proc): Stream.Stream<Buffer, ProcError> => streamOf(recv(proc, chunkSize))

/**
 * The output of the process as lines of UTF-8 text, without their line breaks; see `recv`.
 *
 * A line is kept in memory until it is complete: `maxOutput` bounds it.
 *
 * @example
 * ```ts
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const proc = yield* Proc.spawn(["printf", "a\\nb\\n"])
 *   return yield* Stream.runCollect(Proc.lines(proc)) // ["a", "b"]
 * }))
 * ```
 */
export const lines = (proc: Proc): Stream.Stream<string, ProcError> =>
  Stream.splitLines(Stream.decodeText(stream(proc)))

/**
 * What `run` may be told.
 *
 * @example
 * ```ts
 * const options: Proc.RunOptions = { input: "b\na\n", cwd: "/tmp", timeout: "10 seconds", maxOutput: "64 KiB" }
 * ```
 */
export interface RunOptions extends Omit<Options, "stdin" | "output"> {
  /** What it gets as its standard input, text as UTF-8. It need not read all of it. Default: nothing. */
  readonly input?: Uint8Array | string | undefined
}

/**
 * What a process said and how it ended; see `run`.
 *
 * @example
 * ```ts
 * const succeeded = ({ exit }: Proc.Completed) => exit._tag === "Exited" && exit.code === 0
 * ```
 */
export interface Completed {
  readonly exit: Exit
  /** As UTF-8. */
  readonly stdout: string
  /** As UTF-8. */
  readonly stderr: string
}

/**
 * Runs a program to its end and gives what it wrote and how it ended. An exit code other than 0 is no error.
 *
 * Waits until the program has ended and its output is closed, also by what it has started. `maxOutput` is 1 MiB by
 * default, for output and errors together. Fails with `TimedOut` and `OutputTooLong`; then, and when it is
 * interrupted, the process is ended first.
 *
 * @example
 * ```ts
 * const program = Effect.gen(function*() {
 *   const { exit, stdout } = yield* Proc.run(["sort", "-r"], { input: "a\nb\n", timeout: "5 seconds" })
 *   return [exit, stdout] // [{ _tag: "Exited", code: 0 }, "b\na\n"]
 * })
 * ```
 */
export const run = (command: Command, options: RunOptions = {}): Effect.Effect<Completed, ProcError> =>
  Effect.scoped(Effect.gen(function*() {
    const { input } = options
    const stdin = input === undefined ? "ignore" : "pipe"
    const proc = yield* Spawn.spawn(command, { ...options, stdin, output: "separate" }, runOutput)
    const feed = input === undefined ? Effect.void : Effect.andThen(
      Effect.catchIf(send(proc, input), (error) => error.reason === "BrokenPipe", () => Effect.void),
      closeStdin(proc)
    )
    const [stdout, stderr] = yield* Effect.all(
      [textOf(recv(proc, chunkSize)), textOf(recvError(proc, chunkSize)), feed],
      { concurrency: "unbounded" }
    )
    return { exit: yield* reap(proc), stdout, stderr }
  }))

// --- private ---------------------------------------------------------------------------------------------------------

const chunkSize = 64 * 1024
const runOutput = 1024 * 1024

const streamOf = (receive: Effect.Effect<Option.Option<Buffer>, ProcError>): Stream.Stream<Buffer, ProcError> =>
  Stream.fromPull(
    Effect.succeed(
      Effect.flatMap(receive, (bytes) => Option.isSome(bytes) ? Effect.succeed(Arr.of(bytes.value)) : Cause.done())
    )
  )

const textOf = (receive: Effect.Effect<Option.Option<Buffer>, ProcError>): Effect.Effect<string, ProcError> =>
  Effect.map(Stream.runCollect(streamOf(receive)), (chunks) => Buffer.concat(chunks).toString("utf8"))
