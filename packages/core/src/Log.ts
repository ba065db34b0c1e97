/**
 * Kore's log line as an Effect Logger: one record, one line, one write.
 *
 * ```text
 * 2026-11-24 12:30:05.123 UTC proc=[wrk 1] log=[hello user=42]
 * ```
 *
 * When to reach for it: parent and workers install it; an app that wants another format installs a Logger of its own.
 * What it is not: an access log, which bypasses Effect's logging, or a log file.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Formatter from "effect/Formatter"
import type * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as References from "effect/References"

/**
 * Makes a text fit for one line: control characters and line separators are written as escapes, such as `\n`, `\x1b`.
 *
 * Everything else stays as it is, backslashes too: the text is for people, not to be read back.
 */
export const escape = (text: string): string => text.replace(unprintable, escapeCharacter)

/**
 * One record as Kore's line, without the line feed at its end. Kore: http §17.
 *
 * The time is UTC. A level other than Info stands before the text; annotations behind it as `name=value`, then the
 * cause: its message, and from Error on with its stack.
 */
export const format = (processName: string, options: Logger.Options<unknown>): string => {
  const time = options.date.toISOString().replace("T", " ").replace("Z", " UTC")
  return `${time} proc=[${escape(processName)}] log=[${escape(textOf(options))}]`
}

/** A Logger that gives every line, with its line feed, to `write`. */
export const make = (processName: string, write: (line: string) => void): Logger.Logger<unknown, void> =>
  Logger.make((options) => write(`${format(processName, options)}\n`))

/**
 * Replaces the loggers by one that writes to standard output, under the name of the process: `parent`, `wrk 1`.
 *
 * A reader that goes away (`… | head`) costs log lines and never the process.
 */
export const layer = (processName: string): Layer.Layer<never> =>
  Logger.layer([
    Effect.as(
      Effect.acquireRelease(
        Effect.sync(() => process.stdout.on("error", ignore)),
        () => Effect.sync(() => process.stdout.off("error", ignore))
      ),
      make(processName, (line) => process.stdout.write(line))
    )
  ])

// --- private ---------------------------------------------------------------------------------------------------------

const ignore = () => {}

// C0, DEL, C1, and what Unicode calls line and paragraph separator.
const unprintable = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g

const names: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" }

const escapeCharacter = (character: string): string => {
  const code = character.charCodeAt(0)
  return names[character] ??
    (code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`)
}

const textOf = ({ cause, fiber, logLevel, message }: Logger.Options<unknown>): string => {
  const parts = Array.isArray(message) ? message.map(render) : [render(message)]
  for (const [name, value] of Object.entries(fiber.getRef(References.CurrentLogAnnotations))) {
    parts.push(`${name}=${render(value)}`)
  }
  if (cause.reasons.length > 0) {
    parts.push(LogLevel.isGreaterThanOrEqualTo(logLevel, "Error") ? Cause.pretty(cause) : summaryOf(cause))
  }
  const text = parts.join(" ")
  return logLevel === "Info" ? text : `${logLevel.toLowerCase()}: ${text}`
}

const render = (value: unknown): string => typeof value === "string" ? value : Formatter.format(value)

const summaryOf = (cause: Cause.Cause<unknown>): string =>
  Cause.prettyErrors(cause).map((error) => `${error.name}: ${error.message}`).join("; ")
