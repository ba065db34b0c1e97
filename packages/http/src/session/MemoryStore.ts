/**
 * Sessions in the memory of one worker.
 *
 * When to reach for it: tests, development, and apps with one worker that may lose their sessions with it.
 * What it is not: shared. It does not start in an app with several workers.
 */
import * as Config from "@kore-fx/core/Config"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Runtime from "effect/Runtime"
import * as Schema from "effect/Schema"
import { apply, Store, type Stored } from "./Store.ts"

/** How many sessions are kept. */
export interface Options {
  /** Sessions in memory at most; when there is one more, the one that was not used for the longest time is forgotten.
   * From 1; default 10,000. */
  readonly max?: number | undefined
}

const DEFAULT_MAX = 10_000

/** Sessions would be kept in the memory of one worker, and the app has several. */
export class NotShared extends Schema.TaggedError<NotShared>()("SessionsNotShared", { workers: Schema.Int }) {
  // The same next time: the parent makes no second try.
  override readonly [Runtime.errorExitCode] = 2

  override get message(): string {
    return `Session.layerMemory keeps sessions in the memory of one worker, and this app has ${this.workers} (option ` +
      "workers): a client would lose its session whenever another one answers. Use a store that all of them share, such " +
      "as Session.layerKeyValueStore, or say workers: 1"
  }
}

interface Kept {
  readonly stored: Stored
  /** Milliseconds since 1970. */
  readonly expires: number
}

/** Sessions in a `Map`, which is in the order of their last use. */
export class MemoryStore {
  private readonly sessions = new Map<string, Kept>()
  private readonly max: number

  constructor(max: number) {
    this.max = max
  }

  private find(id: string, now: number): Stored | undefined {
    const kept = this.sessions.get(id)
    if (kept === undefined) return undefined
    this.sessions.delete(id)
    if (kept.expires <= now) return undefined
    this.sessions.set(id, kept)
    return kept.stored
  }

  readonly load: Store["Service"]["load"] = (id) => Effect.map(Clock.currentTimeMillis, (now) => this.find(id, now))

  readonly save: Store["Service"]["save"] = (id, change, ttl) =>
    Effect.map(Clock.currentTimeMillis, (now) => {
      const stored = apply(this.find(id, now), change)
      if (stored === undefined) return false
      this.sessions.delete(id)
      if (this.sessions.size >= this.max) this.sessions.delete(this.sessions.keys().next().value!)
      this.sessions.set(id, { stored, expires: now + Duration.toMillis(ttl) })
      return true
    })

  readonly remove: Store["Service"]["remove"] = (id) => Effect.sync(() => void this.sessions.delete(id))

  /** How many are kept. */
  get size(): number {
    return this.sessions.size
  }
}

/**
 * A store in memory, for an app with one worker. Fails with `NotShared` when the option `workers` says more, also in
 * `Kore.test`.
 *
 * @throws RangeError when `max` is no whole number from 1.
 *
 * @example
 * ```ts
 * import { Session } from "@kore-fx/http"
 *
 * export const store = Session.layerMemory({ max: 1000 })
 * ```
 */
export const layerMemory = ({ max = DEFAULT_MAX }: Options = {}): Layer.Layer<Store, NotShared, Config.Current> => {
  if (!Number.isSafeInteger(max) || max < 1) {
    throw new RangeError(`Session.layerMemory: max is ${String(max)}, expected a whole number from 1`)
  }
  return Layer.effect(
    Store,
    Effect.flatMap(Config.Current,
      ({ workers }) => workers > 1 ? Effect.fail(new NotShared({ workers })) : Effect.sync(() => new MemoryStore(max)))
  )
}
