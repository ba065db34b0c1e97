/**
 * The priorities of syslog and the levels of Effect.
 *
 * When to reach for it: through `Log.priorityOf`, `Log.levelOf` and `Log.Priority`.
 * What it is not: a filter. Which lines are written is decided by their level alone.
 */
import * as Context from "effect/Context"
import type * as LogLevel from "effect/LogLevel"

/**
 * The priority of log lines where it says more than their level, as LOG_NOTICE (5) does, which Effect has no level for.
 *
 * Without one, or with `undefined`, it follows from the level. A facility may be added, as for syslog(3).
 */
export const Priority: Context.Reference<number | undefined> = Context.Reference<number | undefined>(
  "@kore-fx/core/Log/Priority",
  { defaultValue: () => undefined }
)

/** The severity of a level: LOG_CRIT (2) for Fatal, LOG_ERR (3), LOG_WARNING (4), LOG_INFO (6), LOG_DEBUG (7). */
export const priorityOf = (level: LogLevel.LogLevel): number => severities[level]

/** The level nearest to a priority; the facility of a priority plays no part. */
export const levelOf = (priority: number): LogLevel.Severity => levels[severityOf(priority)]!

/** The severity in a priority: its last three bits, as for syslog(3). */
export const severityOf = (priority: number): number => priority & 7

/** What a record begins with, RFC 3164 §4.1.1: facility and severity; the facility is `daemon` where none is given. */
export const valueOf = (priority: number): number => {
  const facility = priority >> 3
  return (facility > 0 && facility <= mostFacility ? facility : daemon) << 3 | severityOf(priority)
}

// --- private ---------------------------------------------------------------------------------------------------------

const daemon = 3
const mostFacility = 23 // local7

const severities: Readonly<Record<LogLevel.LogLevel, number>> = {
  All: 7,
  Trace: 7,
  Debug: 7,
  Info: 6,
  Warn: 4,
  Error: 3,
  Fatal: 2,
  None: 0
}

const levels: ReadonlyArray<LogLevel.Severity> = ["Fatal", "Fatal", "Fatal", "Error", "Warn", "Info", "Info", "Debug"]
