/**
 * Where sessions are kept between requests.
 *
 * When to reach for it: to write a store of one's own, over a database or a server that all workers reach.
 * What it is not: what handlers see. It knows ids and JSON; `RequestSession` knows cookies, lifetimes and Schemas.
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as HttpError from "../HttpError.ts"

/** A session in a store. Times are milliseconds since 1970. */
export interface Stored {
  /** When it began: the absolute lifetime counts from here. */
  readonly created: number
  /** When it was last renewed: the idle lifetime counts from here. */
  readonly seen: number
  /** What it holds, by the name of the key. */
  readonly entries: Readonly<Record<string, Schema.Json>>
}

/** What one request changes in a session. */
export interface Change {
  /** True for a session that is not there yet; without it, one that is gone is not made again. */
  readonly isNew: boolean
  readonly created: number
  readonly seen: number
  /** What was written, by the name of the key. All other entries stay as they are in the store. */
  readonly set: Readonly<Record<string, Schema.Json>>
  /** The names of what was removed. */
  readonly removed: ReadonlyArray<string>
}

/**
 * A store of sessions. Fails with `StoreFailed` when it cannot do its work.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Layer from "effect/Layer"
 * import { Session } from "@kore-fx/http"
 *
 * // Forgets everything at once.
 * export const layer = Layer.succeed(Session.Store, {
 *   load: () => Effect.undefined,
 *   save: (_id, change) => Effect.succeed(change.isNew),
 *   remove: () => Effect.void
 * })
 * ```
 */
export class Store extends Context.Service<Store, {
  /** The session of an id, or `undefined` when there is none. */
  readonly load: (id: string) => Effect.Effect<Stored | undefined, StoreFailed>
  /**
   * Applies a change (`apply` says how) and lets the session be forgotten after `ttl`. False when it was to be there and is
   * not: another request has destroyed it. As far as a store can, nothing comes between its reading and its writing.
   */
  readonly save: (id: string, change: Change, ttl: Duration.Duration) => Effect.Effect<boolean, StoreFailed>
  /** Forgets a session. One that is not there is no failure. */
  readonly remove: (id: string) => Effect.Effect<void, StoreFailed>
}>()("@kore-fx/http/Session/Store") {}

/**
 * A session after a change, or `undefined` when there is nothing to change: of two requests that write at the same time,
 * the last one wins for each key, and a session that one of them has destroyed stays destroyed.
 */
export const apply = (stored: Stored | undefined, change: Change): Stored | undefined => {
  if (stored === undefined && !change.isNew) return undefined
  const entries: Record<string, Schema.Json> = { ...stored?.entries, ...change.set }
  for (const name of change.removed) delete entries[name]
  return { created: change.created, seen: Math.max(change.seen, stored?.seen ?? 0), entries }
}

/** The store could not do its work. Answer: 503, reported as a fault. */
export class StoreFailed extends HttpError.TaggedError<StoreFailed>()("SessionStoreFailed", {
  /** What it was asked to do. */
  operation: Schema.Literals(["load", "save", "remove"]),
  cause: Schema.Defect()
}, { httpStatus: 503, detail: "sessions are not available at the moment" }) {
  override get message(): string {
    return `the store of sessions cannot ${this.operation} a session, expected it to be there for every request: ` +
      "see the cause, and whether what it keeps them in is running"
  }
}
