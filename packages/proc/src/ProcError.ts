/**
 * Why a child process could not be started or used: what was asked, of which process, and what the system said.
 *
 * When to reach for it: to tell failures of `Proc` apart, by `reason` and by the system's `code`.
 * What it is not: how a process ended, which is a value (`Proc.reap`), or the timeout of one operation, which is
 * Effect's `Cause.TimeoutError`.
 *
 * The timeout of a whole process is here, because it asks for something else. After a `TimeoutError` nothing is lost, and
 * the operation can be tried again. After `TimedOut` every operation fails the same way until somebody kills the process:
 * whoever catches a `TimeoutError` to try again must not catch it, or would try for ever.
 */
import type { Entry } from "@kore-fx/core/KoreError"
import * as Schema from "effect/Schema"

/**
 * The errors of `Proc` by their reason; `{name}` stands for a field of the error. Codes are never used twice.
 *
 * @example
 * ```ts
 * import { table } from "@kore-fx/proc/ProcError"
 *
 * const code = table.TimedOut.code // "KORE_PROC_TIMEOUT"
 * ```
 */
export const table = {
  InvalidCommand: {
    code: "KORE_PROC_COMMAND",
    sentence: "The command {process} cannot be run: {detail}.",
    expected: "A command is an array of a program and its arguments, or text with words as a POSIX shell reads them.",
    hint: "Correct it; nothing was started."
  },
  BadArgument: {
    code: "KORE_PROC_ARGUMENT",
    sentence: "What was asked of {process} was refused: {detail}.",
    expected: "A number of bytes, or a size with a unit such as \"64 KiB\".",
    hint: "Correct the argument; nothing was done, and the process is as before."
  },
  NotStarted: {
    code: "KORE_PROC_START",
    sentence: "The command {process} was not started: {detail} ({code}).",
    expected: "The program and the directory to run in are there, and this user may use them.",
    hint: "{hint}"
  },
  TimedOut: {
    code: "KORE_PROC_TIMEOUT",
    sentence: "{process} did not end within {detail}, the timeout that it was spawned with.",
    expected: "It was to have ended by then; it still runs.",
    hint: "Kill it with Proc.kill, after which Proc.reap tells how it ended; or give it more time."
  },
  BrokenPipe: {
    code: "KORE_PROC_PIPE",
    sentence: "{process} does not read its standard input any more ({code}).",
    expected: "A program reads what is sent to it until its input is closed here.",
    hint: "See with Proc.recv what it said, and with Proc.reap how it ended."
  },
  StdinClosed: {
    code: "KORE_PROC_STDIN",
    sentence: "Nothing can be sent to {process}: {detail}.",
    expected: "A standard input that is a pipe, and open.",
    hint: "Send before Proc.closeStdin, and spawn with stdin \"pipe\"."
  },
  OutputTooLong: {
    code: "KORE_PROC_OUTPUT",
    sentence: "{process} wrote more than {detail} and was killed.",
    expected: "At most maxOutput bytes of output and errors together; so many could be received.",
    hint: "Raise maxOutput, or spawn without it and receive in pieces."
  },
  NoStderr: {
    code: "KORE_PROC_STDERR",
    sentence: "The standard error of {process} cannot be received by itself.",
    expected: "It comes with the standard output, in the order in which both were written.",
    hint: "Receive it with Proc.recv, or spawn with output \"separate\"."
  },
  ReadFailed: {
    code: "KORE_PROC_READ",
    sentence: "The output of {process} could not be read ({code}).",
    expected: "A pipe can be read until its end.",
    hint: "Kill the process, and start it again."
  },
  Closed: {
    code: "KORE_PROC_CLOSED",
    sentence: "The scope of {process} has closed, and ended it.",
    expected: "A process is used within the scope that it was spawned in.",
    hint: "Keep the scope open for as long as the process is used; Proc.reap still tells how it ended."
  },
  SignalFailed: {
    code: "KORE_PROC_SIGNAL",
    sentence: "The signal {detail} cannot be sent to {process} ({code}).",
    expected: "A signal has a name such as \"SIGTERM\" or a number from 1, and the process runs as this user.",
    hint: "Correct the signal, or let the user send it whose process it is."
  }
} as const satisfies Record<string, Omit<Entry, "exitStatus">>

/**
 * What to do about a process that was not started, by the system's code.
 *
 * @example
 * ```ts
 * import { hints } from "@kore-fx/proc/ProcError"
 *
 * const hint = hints["ENOENT"]
 * ```
 */
export const hints: Readonly<Record<string, string>> = {
  ENOENT: "Correct the name, the PATH or the directory, or install the program.",
  ENOTDIR: "Name a directory.",
  EACCES: "Make it executable for this user, or name another one.",
  E2BIG: "Pass less in arguments and environment, and the rest by standard input.",
  EAGAIN: "This user has as many processes as allowed: end some, or raise the limit (ulimit -u).",
  EMFILE: "This process has too many descriptors: close some, or raise the limit (ulimit -n).",
  ENOMEM: "There is not enough memory: end something, or add some.",
  ENOTSUP: "Allow foreign calls, or spawn with output \"separate\", which needs none."
}

const anyHint = "Look the code up in the manual of the system's calls, execve(2) and fork(2)."

/**
 * A child process could not be started or used.
 *
 * All reasons have the same fields, so `reason` is a word and not an error of its own (which `Effect.catchReason` takes):
 * a condition tells them apart, in `Effect.catchIf`, `Effect.retry` and `Stream.catchIf` alike.
 * Kore: runtime §12 (there a program that is not found looks like one that exits with 1).
 *
 * @example
 * ```ts
 * const version = Proc.run(["git", "--version"]).pipe(
 *   Effect.map(({ stdout }) => stdout.trim()),
 *   Effect.catchIf((error) => error.code === "ENOENT", () => Effect.succeed("no git here"))
 * )
 *
 * // The limit of the process, and that of one operation: both are too late, and only the second can be tried again.
 * const greeting = Effect.scoped(Effect.gen(function*() {
 *   const proc = yield* Proc.spawn(["./greeter"], { timeout: "10 seconds" })
 *   return yield* Effect.retry(Proc.recv(proc, 1024, { timeout: "1 second" }), {
 *     while: (error) => error._tag === "TimeoutError"
 *   })
 * })).pipe(
 *   Effect.catchIf((error) => error._tag === "ProcError" && error.reason === "TimedOut", () => Effect.succeedNone)
 * )
 * ```
 */
export class ProcError extends Schema.TaggedError<ProcError>()("ProcError", {
  /**
   * `InvalidCommand` and `NotStarted`: nothing was started. `BadArgument`: nothing was done. `TimedOut`: its time is up, and it runs. `BrokenPipe`: it
   * does not read. `StdinClosed`: by this side, or there is none. `OutputTooLong`: it was killed. `NoStderr`: it is
   * merged. `ReadFailed`, `SignalFailed`: the system refuses, see `code`. `Closed`: its scope has.
   */
  reason: Schema.Literals(Object.keys(table) as Array<keyof typeof table>),
  /** The command as text, cut off where it is long. */
  command: Schema.String,
  /** Absent when nothing was started. */
  pid: Schema.optionalKey(Schema.Int),
  /** The system's name of the error, such as `ENOENT`, where it has one. */
  code: Schema.optionalKey(Schema.String),
  /** What happened: a sentence without its full stop; or the limit, or the signal. */
  detail: Schema.optionalKey(Schema.String),
  /** Where in the text of the command the mistake is, from 0. */
  position: Schema.optionalKey(Schema.Int)
}) {
  override get message(): string {
    const { code = "", command, detail = "", pid, reason } = this
    const fields: Record<string, string> = {
      process: pid === undefined ? `\`${command}\`` : `\`${command}\` (pid ${pid})`,
      code,
      detail,
      hint: Object.hasOwn(hints, code) ? hints[code]! : anyHint
    }
    const fill = (template: string) =>
      template.replace(/\{(\w+)\}/g, (whole, name: string) => Object.hasOwn(fields, name) ? fields[name]! : whole)
    const entry = table[reason]
    return `${[entry.sentence, entry.expected, entry.hint].map(fill).join(" ")} [${entry.code}]`
  }
}
