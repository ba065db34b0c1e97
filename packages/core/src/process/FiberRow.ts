/**
 * One fiber of a worker as `kore-fx ps` shows it.
 *
 * When to reach for it: a worker answers with rows, the parent carries them, the command line prints them.
 * What it is not: a handle. A row tells what was true when it was made.
 */
import * as Schema from "effect/Schema"

/** What a fiber waits for; see `Wait`. */
export const FiberWait = Schema.Struct({
  /** The kind of thing: `lock`, `queue`, `socket`. */
  kind: Schema.String,
  /** Which one, and what about it. */
  what: Schema.String,
  /** For how long, in milliseconds. */
  since: Schema.Finite
})

/** What a fiber waits for. */
export type FiberWait = typeof FiberWait.Type

/** One fiber. */
export const FiberRow = Schema.Struct({
  id: Schema.Int,
  /** The task, request or timer that it is part of: kind and id of that row. */
  parent: Schema.optionalKey(Schema.Struct({ kind: Schema.String, id: Schema.Int })),
  /** What it is: `task`, `request`, `message`. */
  kind: Schema.String,
  /** Which one, for people. */
  name: Schema.String,
  state: Schema.Literals(["running", "suspended"]),
  /** Milliseconds in this state. */
  since: Schema.Finite,
  /** Milliseconds since it was created. */
  age: Schema.Finite,
  /** What it waits for; nothing when it runs, or waits for something that does not say so. */
  waits: Schema.Array(FiberWait),
  /** The names of its spans, the innermost first. */
  spans: Schema.Array(Schema.String)
})

/** One fiber. */
export type FiberRow = typeof FiberRow.Type

/** So many characters of a text travel at most. */
export const textLimit = 200

/**
 * The first rows, as many as fit into so many bytes of JSON, with texts of a length that people read.
 *
 * A worker may have a hundred thousand fibers, and its answer has to fit into one message.
 */
export const bounded = (rows: ReadonlyArray<FiberRow>, size: number): ReadonlyArray<FiberRow> => {
  const fitting: Array<FiberRow> = []
  let left = size
  for (const row of rows) {
    const next = shortened(row)
    left -= Buffer.byteLength(JSON.stringify(next)) + 1
    if (left < 0) break
    fitting.push(next)
  }
  return fitting
}

const shortened = (row: FiberRow): FiberRow => ({
  ...row,
  kind: short(row.kind),
  name: short(row.name),
  waits: row.waits.slice(0, 8).map((wait) => ({ ...wait, kind: short(wait.kind), what: short(wait.what) })),
  spans: row.spans.slice(0, 8).map(short)
})

const short = (text: string): string => text.length > textLimit ? `${text.slice(0, textLimit - 1)}…` : text
