/**
 * Log lines for programs: one entry, one line, one JSON object.
 *
 * ```text
 * {"time":"2026-11-24T12:30:05.123Z","level":"INFO","process":"wrk 1","fiber":7,"message":"hello","user":42}
 * ```
 *
 * When to reach for it: through the option `logFormat`.
 * What it is not: a way to store values. What JSON does not have is written as text, and does not come back as it was.
 */
import * as Redactable from "effect/Redactable"
import { cut } from "./Cut.ts"
import type { Entry } from "./Entry.ts"
import { severityOf } from "./Priority.ts"

/**
 * An entry as a line, without the line feed at its end.
 *
 * `time` is ISO 8601 in UTC, `level` as in Effect's own JSON, `message` always text. `fiber`, `priority` (a severity of
 * syslog), `spans` (milliseconds by label) and `cause` are there when there is something to say. An annotation is a
 * field of its own; one that has the name of a field of ours is called `annotation.<name>`.
 */
export const format = (entry: Entry): string => stringify(fieldsOf(entry))

/**
 * The same in at most `limit` bytes.
 *
 * A line that is longer keeps its first fields and as much of its message as there is room for; `cut` is the number of
 * bytes that it would have had.
 */
export const record = (entry: Entry, limit: number): string => {
  const line = format(entry)
  const bytes = Buffer.byteLength(line)
  if (bytes <= limit) return line
  const shortened = (room: number): string =>
    stringify({ ...headOf(entry), message: cut(entry.message, room), cut: bytes })
  let room = Math.max(0, limit - Buffer.byteLength(shortened(0)))
  let short = shortened(room)
  // A character of the message may need several of JSON.
  while (Buffer.byteLength(short) > limit && room > 0) short = shortened(room = room >> 1)
  return short
}

// --- private ---------------------------------------------------------------------------------------------------------

type Value = string | number | boolean | null | ReadonlyArray<Value> | { readonly [name: string]: Value }
type Fields = { [name: string]: Value }

// No prototype: "__proto__" is a name like any other.
const noFields = (): Fields => Object.create(null) as Fields

const headOf = ({ date, fiber, level, priority, process }: Entry): Fields => ({
  time: date.toISOString(),
  level: level.toUpperCase(),
  process,
  ...(fiber === undefined ? {} : { fiber }),
  ...(priority === undefined ? {} : { priority: severityOf(priority) })
})

const fieldsOf = (entry: Entry): Fields => {
  const fields = Object.assign(noFields(), headOf(entry))
  fields["message"] = entry.message
  if (entry.spans.length > 0) {
    const spans = fields["spans"] = noFields()
    for (const [label, millis] of entry.spans) spans[label] = millis
  }
  if (entry.cause !== "") fields["cause"] = entry.cause
  const encoder = new Encoder()
  for (const [name, value] of Object.entries(entry.annotations)) {
    let field = name
    while (reserved.has(field) || field in fields) field = `annotation.${field}`
    fields[field] = encoder.encode(value)
  }
  return fields
}

const reserved = new Set(["time", "level", "process", "fiber", "priority", "message", "spans", "cause", "cut"])

// What readers of lines may take for the end of one, and JSON leaves as it is; in JSON they only stand in strings.
const lineEnds = /[\u007f-\u009f\u2028\u2029]/g

const stringify = (fields: Fields): string =>
  JSON.stringify(fields).replace(lineEnds, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`)

// How deep values are followed, and how many of them: a small cyclic structure can unfold into an endless line.
const mostLevels = 16
const mostValues = 10_000

/** Turns whatever was logged into what JSON has; never throws. */
class Encoder {
  private readonly ancestors: Array<object> = []
  private values = 0

  encode(value: unknown): Value {
    switch (typeof value) {
      case "string":
      case "boolean":
        return value
      case "number":
        return Number.isFinite(value) ? value : String(value)
      case "bigint":
      case "symbol":
        return String(value)
    }
    if (value === undefined || value === null) return null
    if (this.ancestors.includes(value)) return "[circular]"
    if (this.ancestors.length === mostLevels || ++this.values > mostValues) return "[more]"
    this.ancestors.push(value)
    try {
      return this.object(value)
    } catch {
      return "[cannot be read]"
    } finally {
      this.ancestors.pop()
    }
  }

  private object(value: object): Value {
    if (Redactable.isRedactable(value)) return this.encode(Redactable.getRedacted(value))
    if (typeof value === "function") return `[function ${String(value.name)}]`
    if (value instanceof Error) return this.error(value)
    if ("toJSON" in value && typeof value.toJSON === "function") return this.encode(value.toJSON())
    if (Array.isArray(value)) return Array.from(value, (item) => this.encode(item))
    if (value instanceof Map || value instanceof Set) return Array.from(value, (item) => this.encode(item))
    return this.properties(value, noFields())
  }

  private error(error: Error): Value {
    const fields = noFields()
    fields["name"] = this.encode(error.name)
    fields["message"] = this.encode(error.message)
    if (error.cause !== undefined) fields["cause"] = this.encode(error.cause)
    return this.properties(error, fields)
  }

  private properties(value: object, fields: Fields): Value {
    for (const name of Object.keys(value)) fields[name] ??= this.encode(this.property(value, name))
    return fields
  }

  private property(value: object, name: string): unknown {
    try {
      return (value as Record<string, unknown>)[name]
    } catch {
      return "[cannot be read]"
    }
  }
}
