/**
 * What is known about one log line, before it has a form.
 *
 * When to reach for it: a format takes one, `Log` makes one of what Effect's Logger is given.
 * What it is not: a place to keep values. It is written within the call that logs, and forgotten.
 */
import * as Cause from "effect/Cause"
import * as Formatter from "effect/Formatter"
import type * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as References from "effect/References"
import { Priority, priorityOf } from "./Priority.ts"

/** One log line. */
export interface Entry {
  /** The name of the process: `parent`, `wrk 1`. */
  readonly process: string
  readonly date: Date
  readonly level: LogLevel.LogLevel
  /** The priority that somebody asked for; `undefined` where the level says it all. */
  readonly priority: number | undefined
  /** The id of the fiber; `undefined` for a line of the log itself. */
  readonly fiber: number | undefined
  /** The messages as one text. */
  readonly message: string
  readonly annotations: Readonly<Record<string, unknown>>
  /** Log spans: their label, and for how many milliseconds they have been open. */
  readonly spans: ReadonlyArray<readonly [label: string, millis: number]>
  /** What went wrong: each error with its message, and from Error on with its stack; empty when nothing did. */
  readonly cause: string
}

/** The entry of what a Logger is given. */
export const make = (
  process: string,
  { cause, date, fiber, logLevel, message }: Logger.Options<unknown>
): Entry => ({
  process,
  date,
  level: logLevel,
  priority: fiber.getRef(Priority),
  fiber: fiber.id,
  message: Array.isArray(message) ? message.map(render).join(" ") : render(message),
  annotations: fiber.getRef(References.CurrentLogAnnotations),
  spans: fiber.getRef(References.CurrentLogSpans).map(([label, since]) => [label, date.getTime() - since]),
  cause: cause.reasons.length === 0 ? "" : textOf(cause, logLevel)
})

/** An entry that the log makes about itself. */
export const note = (process: string, date: Date, level: LogLevel.LogLevel, message: string): Entry => ({
  process,
  date,
  level,
  priority: undefined,
  fiber: undefined,
  message,
  annotations: {},
  spans: [],
  cause: ""
})

/** Syslog's priority of an entry. */
export const priorityIn = (entry: Entry): number => entry.priority ?? priorityOf(entry.level)

/** A value as text. Never throws; secrets (`Redacted`) stay secret. */
export const render = (value: unknown): string => typeof value === "string" ? value : Formatter.format(value)

// --- private ---------------------------------------------------------------------------------------------------------

// An error is an object like any other: reading its message may run code of an app, which may throw.
const textOf = (cause: Cause.Cause<unknown>, level: LogLevel.LogLevel): string => {
  try {
    return LogLevel.isGreaterThanOrEqualTo(level, "Error") ? Cause.pretty(cause) : summaryOf(cause)
  } catch {
    return "[a cause that cannot be read]"
  }
}

const summaryOf = (cause: Cause.Cause<unknown>): string =>
  Cause.prettyErrors(cause).map((error) => `${error.name}: ${error.message}`).join("; ")
