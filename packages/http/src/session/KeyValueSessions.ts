/**
 * Sessions in Effect's `KeyValueStore`: files, a database, Redis, whatever that is made of.
 *
 * When to reach for it: apps with several workers, and sessions that outlive the server.
 * What it is not: a transaction. In one worker the changes of two requests are applied one after the other; between the
 * reading and the writing of one worker another one may write, and is then overwritten.
 */
import * as KeyedLock from "@kore-fx/core/KeyedLock"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as KeyValueStore from "effect/persistence/KeyValueStore"
import * as Schema from "effect/Schema"
import { apply, Store, StoreFailed } from "./Store.ts"

/** How sessions are kept in a `KeyValueStore`. */
export interface Options {
  /** What the key of every session begins with. Default: `session:`. */
  readonly prefix?: string | undefined
  /**
   * How often each worker looks through all keys for sessions that nobody came back to, and removes them; false for stores
   * with many other keys, or with their own means. At least a second; default: 1 hour.
   */
  readonly sweep?: Duration.Input | false | undefined
}

const Record = Schema.fromJsonString(Schema.Struct({
  created: Schema.Finite,
  seen: Schema.Finite,
  expires: Schema.Finite,
  entries: Schema.Record(Schema.String, Schema.Json)
}))

const decode = Schema.decodeUnknownOption(Record)

const failed = (operation: StoreFailed["operation"]) => (cause: unknown) => new StoreFailed({ operation, cause })

/**
 * A store over the `KeyValueStore` that it is provided with. What it finds there and cannot read counts as no session.
 *
 * @throws RangeError when `sweep` is less than a second.
 *
 * @example
 * ```ts
 * import * as Layer from "effect/Layer"
 * import * as KeyValueStore from "effect/persistence/KeyValueStore"
 * import { Session } from "@kore-fx/http"
 *
 * export const store = Session.layerKeyValueStore().pipe(Layer.provide(KeyValueStore.layerFileSystem("sessions")))
 * ```
 */
export const layerKeyValueStore = (
  { prefix = "session:", sweep = "1 hour" }: Options = {}
): Layer.Layer<Store, never, KeyValueStore.KeyValueStore> => {
  const every = sweep === false ? undefined : Duration.fromInputUnsafe(sweep)
  if (every !== undefined && Duration.toMillis(every) < 1000) {
    throw new RangeError(
      `Session.layerKeyValueStore: sweep is ${Duration.format(every)}, expected 1s or more, or false`
    )
  }
  return Layer.effect(
    Store,
    Effect.gen(function*() {
      const kv = KeyValueStore.prefix(yield* KeyValueStore.KeyValueStore, prefix)
      const locks = KeyedLock.makeUnsafe<string>({ name: "session" })

      const read = Effect.fnUntraced(function*(id: string) {
        const text = yield* kv.get(id)
        if (text === undefined) return undefined
        const found = Option.getOrUndefined(decode(text))
        if (found === undefined) {
          yield* Effect.logWarning(`a session under "${prefix}" cannot be read, so it counts as none`)
        }
        return found === undefined || found.expires <= (yield* Clock.currentTimeMillis) ? undefined : found
      })

      const forgetDead = Effect.fnUntraced(function*(id: string) {
        const found = Option.getOrUndefined(decode(yield* kv.get(id)))
        if (found !== undefined && found.expires <= (yield* Clock.currentTimeMillis)) yield* kv.remove(id)
      })

      if (every !== undefined) {
        const sweepOnce = Effect.flatMap(kv.keys, (ids) =>
          Effect.forEach(ids, (id) => KeyedLock.withLock(locks, id, forgetDead(id)), { discard: true }))
        yield* sweepOnce.pipe(
          Effect.catchCause((cause) => Effect.logWarning("cannot look for sessions that are over", cause)),
          Effect.delay(every),
          Effect.forever,
          Effect.forkScoped
        )
      }

      return {
        load: (id) => Effect.mapError(read(id), failed("load")),
        save: (id, change, ttl) =>
          KeyedLock.withLock(
            locks,
            id,
            Effect.gen(function*() {
              const stored = apply(yield* read(id), change)
              if (stored === undefined) return false
              const expires = (yield* Clock.currentTimeMillis) + Duration.toMillis(ttl)
              yield* kv.set(id, JSON.stringify({ ...stored, expires }))
              return true
            })
          ).pipe(Effect.mapError(failed("save"))),
        remove: (id) => KeyedLock.withLock(locks, id, kv.remove(id)).pipe(Effect.mapError(failed("remove")))
      }
    })
  )
}
