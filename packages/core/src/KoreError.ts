/**
 * The errors of core: one table of what went wrong, what was expected and what to do, and one class for each row.
 *
 * When to reach for it: to fail in the parent or in a worker's life, or to explain such a failure to a person.
 * What it is not: errors of HTTP, which carry an HTTP answer and are in `@kore-fx/http`.
 *
 * `docs/errors.md` is generated from the table. Codes and exit statuses are stable and never used twice. The exit
 * status is 2 when the server never started because of what was asked of it, and 1 when it ran and failed.
 */
import * as Predicate from "effect/Predicate"
import * as Runtime from "effect/Runtime"
import * as Schema from "effect/Schema"

/** One row of the table; `{name}` stands for a field of the error. */
export interface Entry {
  /** Stable name of the error, to search for. */
  readonly code: string
  /** Exit status of the process when the error ends it. */
  readonly exitStatus: 1 | 2
  /** What happened. */
  readonly sentence: string
  /** What was expected. */
  readonly expected: string
  /** What to do. */
  readonly hint: string
}

/** The errors of core by the tag of their class. */
export const table = {
  ConfigError: {
    code: "KORE_CONFIG",
    exitStatus: 2,
    sentence: "The configuration is not valid, so nothing was started.",
    expected: "{problems}",
    hint: "Correct what is listed; `kore-fx check` shows every option and where its value comes from."
  },
  ListenError: {
    code: "KORE_LISTEN",
    exitStatus: 2,
    sentence: "Server \"{server}\" cannot listen on {address}: {reason}.",
    expected: "Every server needs an address of its own that this user may bind.",
    hint: "{hint}"
  },
  AppError: {
    code: "KORE_APP",
    exitStatus: 2,
    sentence: "The app cannot run as it is: {reason}.",
    expected: "Another try would end the same way, so none was made.",
    hint: "Correct it; `kore-fx check` and `kore-fx routes` find such mistakes without starting anything."
  },
  WorkerStartError: {
    code: "KORE_WORKER_START",
    exitStatus: 1,
    sentence: "Worker {worker} did not stay up ({attempts}): {reason}.",
    expected: "A worker says that it is ready within workerStartTimeout and then runs until it is told to stop.",
    hint: "Correct what ended it, and start the server again."
  },
  WorkerDied: {
    code: "KORE_WORKER_DIED",
    exitStatus: 1,
    sentence: "Worker {worker} (pid {pid}) died: {end}.",
    expected: "A worker runs until it is told to stop.",
    hint: "The worker's own log lines above this one tell why; workerDeathPolicy \"restart\" starts another one."
  },
  WorkerFatal: {
    code: "KORE_WORKER_FATAL",
    exitStatus: 1,
    sentence: "Worker {worker} ended the server: {reason}.",
    expected: "An app ends its server (Worker.fatalx) when it cannot go on and another worker could not either.",
    hint: "Correct what it names, and start the server again."
  }
} as const satisfies Record<string, Entry>

/** What to do about an address that cannot be bound, by the system's code. */
export const listenHints: Readonly<Record<string, string>> = {
  EADDRINUSE: "Another process listens there: stop it, or choose another port or path.",
  EACCES: "This user may not bind it: choose a port from 1024, a directory this user may write to, or start as root.",
  EADDRNOTAVAIL: "This machine has no such address: choose one that it has, or 0.0.0.0 or :: for all of them."
}

const anyListenHint = "See bind(2) and listen(2) for that code, or choose another address."

// "What happened. What was expected. What to do. [CODE]": the code is last, where it does not hide the sentence.
const explain = (entry: Entry, fields: Readonly<Record<string, string | number>>, separator = " "): string => {
  const fill = (template: string) =>
    template.replace(/\{(\w+)\}/g, (whole, name: string) => Object.hasOwn(fields, name) ? String(fields[name]) : whole)
  return `${[entry.sentence, entry.expected, entry.hint].map(fill).join(separator)} [${entry.code}]`
}

/** One thing that is wrong with the configuration. */
export class ConfigProblem extends Schema.Class<ConfigProblem>("ConfigProblem")({
  /** The option's name, or what was written where a name was expected. */
  option: Schema.String,
  /** The value as text; absent where the name is wrong, because a value nobody asked for may be a secret. */
  value: Schema.optionalKey(Schema.String),
  /** Where it was written: `app`, `file kore.json`, `environment KORE_WORKERS`. */
  source: Schema.String,
  /** What is allowed. */
  expected: Schema.String,
  /** The name that was probably meant. */
  suggestion: Schema.optionalKey(Schema.String)
}) {
  /** The problem as a line: `workers = 0 (environment KORE_WORKERS): expected an integer between 1 and 1024`. */
  override toString(): string {
    const value = this.value === undefined ? "" : ` = ${this.value}`
    const suggestion = this.suggestion === undefined ? "" : `; did you mean ${this.suggestion}?`
    return `${this.option}${value} (${this.source}): expected ${this.expected}${suggestion}`
  }
}

/** The configuration has problems, all of which are listed; exit status 2. */
export class ConfigError extends Schema.TaggedError<ConfigError>()("ConfigError", {
  problems: Schema.Array(ConfigProblem)
}) {
  override readonly [Runtime.errorExitCode] = table.ConfigError.exitStatus
  override get message(): string {
    const problems = this.problems.map((problem) => `  ${problem.toString()}`).join("\n")
    return explain(table.ConfigError, { problems }, "\n")
  }
}

/** An address cannot be listened on; exit status 2. */
export class ListenError extends Schema.TaggedError<ListenError>()("ListenError", {
  /** The server's name in the app. */
  server: Schema.String,
  /** The address as text: `127.0.0.1:8888`, `/run/app.sock`. */
  address: Schema.String,
  /** The system's code, such as `EADDRINUSE`, or a sentence without its full stop. */
  reason: Schema.String,
  /** What to do; without it, what the table says about the reason. */
  hint: Schema.optionalKey(Schema.String)
}) {
  override readonly [Runtime.errorExitCode] = table.ListenError.exitStatus
  override get message(): string {
    const known = Object.hasOwn(listenHints, this.reason) ? listenHints[this.reason] : undefined
    const { address, reason, server } = this
    return explain(table.ListenError, { address, reason, server, hint: this.hint ?? known ?? anyListenHint })
  }
}

/** The app contradicts itself, as with two routes for the same requests; no worker can run it; exit status 2. */
export class AppError extends Schema.TaggedError<AppError>()("AppError", {
  /** What contradicts what: a sentence without its full stop. */
  reason: Schema.String
}) {
  override readonly [Runtime.errorExitCode] = table.AppError.exitStatus
  override get message(): string {
    return explain(table.AppError, { reason: this.reason })
  }
}

/** A worker did not become ready, or died too often, and the parent gave up on it; exit status 1. */
export class WorkerStartError extends Schema.TaggedError<WorkerStartError>()("WorkerStartError", {
  /** The worker's id, from 1. */
  worker: Schema.Int,
  /** How many times it was started. */
  attempts: Schema.Int,
  /** What ended the last attempt: a sentence without its full stop. */
  reason: Schema.String
}) {
  override readonly [Runtime.errorExitCode] = table.WorkerStartError.exitStatus
  override get message(): string {
    const attempts = this.attempts === 1 ? "1 attempt" : `${this.attempts} attempts`
    // A stack belongs behind the message, not into its sentence.
    const [reason, ...stack] = this.reason.split("\n")
    return [explain(table.WorkerStartError, { worker: this.worker, attempts, reason: reason! }), ...stack].join("\n")
  }
}

/** A worker ended without being told to; it ends the server under the death policy `terminate`, with exit status 1. */
export class WorkerDied extends Schema.TaggedError<WorkerDied>()("WorkerDied", {
  /** The worker's id, from 1. */
  worker: Schema.Int,
  pid: Schema.Int,
  /** Its exit status; null when a signal ended it. */
  code: Schema.NullOr(Schema.Int),
  /** The signal that ended it, such as `SIGKILL`; null when it exited. */
  signal: Schema.NullOr(Schema.String)
}) {
  override readonly [Runtime.errorExitCode] = table.WorkerDied.exitStatus
  override get message(): string {
    const end = this.signal === null ? `it exited with status ${this.code}` : `it was killed by ${this.signal}`
    return explain(table.WorkerDied, { worker: this.worker, pid: this.pid, end })
  }
}

/** The app in a worker ended the server, or in a test itself, with `Worker.fatalx` or `fatal`; exit status 1. */
export class WorkerFatal extends Schema.TaggedError<WorkerFatal>()("WorkerFatal", {
  /** The worker's id, from 1. */
  worker: Schema.Int,
  /** What the app said: a sentence without its full stop. */
  reason: Schema.String
}) {
  override readonly [Runtime.errorExitCode] = table.WorkerFatal.exitStatus
  override get message(): string {
    return explain(table.WorkerFatal, { worker: this.worker, reason: this.reason })
  }
}

/** Every error of core. */
export type KoreError = ConfigError | ListenError | AppError | WorkerStartError | WorkerDied | WorkerFatal

/** The exit status that an error asks for, which also errors of other packages do; 1 for those that do not say. */
export const exitStatus = (error: unknown): number =>
  Predicate.hasProperty(error, Runtime.errorExitCode) && Predicate.isNumber(error[Runtime.errorExitCode])
    ? error[Runtime.errorExitCode]
    : 1
