/**
 * Kore's log line: one entry, one line.
 *
 * ```text
 * 2026-11-24 12:30:05.123 UTC proc=[wrk 1] log=[hello user=42]
 * ```
 *
 * When to reach for it: through the option `logFormat`; `escape` for any text that must stay on its line.
 * What it is not: to be read back. It is for people; `Json` is for programs. Source: Kore, http §17.
 */
import { cut } from "./Cut.ts"
import { type Entry, render } from "./Entry.ts"

/**
 * Makes a text fit for one line: control characters and line separators are written as escapes, such as `\n`, `\x1b`.
 *
 * Everything else stays as it is, backslashes too.
 *
 * @example
 * ```ts
 * import * as Line from "@kore-fx/core/log/Line"
 *
 * Line.escape("two\nlines") // "two\\nlines"
 * ```
 */
export const escape = (text: string): string => text.replace(unprintable, escapeCharacter)

/** An entry as a line, without the line feed at its end; the time is UTC. */
export const format = (entry: Entry): string =>
  `${entry.date.toISOString().replace("T", " ").replace("Z", " UTC")} ${record(entry, Infinity)}`

/**
 * The same without the time, in at most `limit` bytes.
 *
 * A level other than Info stands before the text, then the messages, annotations as `name=value`, log spans as
 * `label=12ms`, the cause.
 */
export const record = (entry: Entry, limit: number): string => {
  const head = `proc=[${escape(entry.process)}] log=[`
  const text = escape(textOf(entry))
  return `${head}${limit === Infinity ? text : cut(text, limit - Buffer.byteLength(head) - 1)}]`
}

// --- private ---------------------------------------------------------------------------------------------------------

// C0, DEL, C1, and what Unicode calls line and paragraph separator.
const unprintable = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g

const names: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" }

const escapeCharacter = (character: string): string => {
  const code = character.charCodeAt(0)
  return names[character] ??
    (code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`)
}

const textOf = ({ annotations, cause, level, message, spans }: Entry): string => {
  let text = level === "Info" ? message : `${level.toLowerCase()}: ${message}`
  for (const [name, value] of Object.entries(annotations)) text += ` ${name}=${render(value)}`
  for (const [label, millis] of spans) text += ` ${label}=${millis}ms`
  return cause === "" ? text : `${text} ${cause}`
}
