/**
 * Everything that fibers of this process wait for right now, in one list that its members are the links of.
 *
 * When to reach for it: inside core, for a wait on a hot path: extend `Entry`, `add` it when the wait begins and
 * `remove` it when it ends. Everybody else uses `Wait.on`.
 * What it is not: public, or a scheduler. It wakes nobody; `Fibers` reads it to tell who waits for what.
 */
import type * as Fiber from "effect/Fiber"
import * as Trace from "./Trace.ts"

/** What a fiber waits for, for people. */
export interface Description {
  /** The kind of thing. The names are open: a package adds its own. */
  readonly kind:
    | "suspend"
    | "turn"
    | "lock"
    | "queue"
    | "task"
    | "gather"
    | "socket"
    | "process"
    | "query"
    | (string & {})
  /** Which one, and what about it: `lock ledger, held by fiber 12`. */
  readonly what: string
}

/** One wait of one fiber. */
export abstract class Wait {
  readonly fiber: Fiber.Fiber<unknown, unknown>

  constructor(fiber: Fiber.Fiber<unknown, unknown>) {
    this.fiber = fiber
  }

  /** When the wait began, in milliseconds of `performance.now()`. */
  abstract readonly since: number

  /** What is waited for; called when somebody looks. */
  abstract describe(): Description
}

/** A wait that is in the list. */
export abstract class Entry extends Wait {
  newer: Entry | undefined = undefined
  older: Entry | undefined = undefined
  /** In the list. */
  isListed = false
}

let newest: Entry | undefined

/** Adds a wait that begins. */
export const add = (entry: Entry): void => {
  entry.isListed = true
  entry.older = newest
  if (newest !== undefined) newest.newer = entry
  newest = entry
  if (Trace.sink !== undefined) Trace.sink.suspended(entry)
}

/** Takes out a wait that has ended. Does nothing when it is not in the list. */
export const remove = (entry: Entry): void => {
  if (!entry.isListed) return
  entry.isListed = false
  if (entry.newer === undefined) newest = entry.older
  else entry.newer.older = entry.older
  if (entry.older !== undefined) entry.older.newer = entry.newer
  entry.newer = undefined
  entry.older = undefined
  if (Trace.sink !== undefined) Trace.sink.woken(entry)
}

const others: Array<() => Iterable<Wait>> = []

/** Adds waits that are kept elsewhere, in order to keep them small. They tell `Trace` themselves. */
export const addSource = (source: () => Iterable<Wait>): void => void others.push(source)

/** All waits, in no order. */
export const values = (): ReadonlyArray<Wait> => {
  const waits: Array<Wait> = []
  for (let entry = newest; entry !== undefined; entry = entry.older) waits.push(entry)
  for (const source of others) for (const wait of source()) waits.push(wait)
  return waits
}
