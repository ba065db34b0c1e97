/** The stores of sessions, without requests. */
import { assert, describe, it } from "@effect/vitest"
import * as Config from "@kore-fx/core/Config"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as KeyValueStore from "effect/persistence/KeyValueStore"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import * as Session from "../src/Session.ts"

const config = (workers: number) => Layer.succeed(Config.Current, { ...Config.defaults, workers })

const change = (part: Partial<Session.Change> = {}): Session.Change => ({
  isNew: true,
  created: 0,
  seen: 0,
  set: {},
  removed: [],
  ...part
})

const stores = {
  memory: Session.layerMemory().pipe(Layer.provide(config(1))),
  "key-value": Session.layerKeyValueStore().pipe(Layer.provide(KeyValueStore.layerMemory))
}

describe.each(Object.entries(stores))("the %s store", (_name, layer) => {
  it.effect("changes only the keys that a request has written, and those of other requests stay", () =>
    Effect.gen(function*() {
      const store = yield* Session.Store
      assert.isTrue(yield* store.save("a", change({ created: 1, seen: 5, set: { x: 1, y: 1 } }), Duration.hours(1)))
      const later = change({ isNew: false, created: 1, seen: 3, set: { y: 2, z: [null] }, removed: ["x", "q"] })
      assert.isTrue(yield* store.save("a", later, Duration.hours(1)))
      assert.deepStrictEqual(yield* store.load("a").pipe(Effect.map((found) => ({ ...found?.entries }))), {
        y: 2,
        z: [null]
      })
      assert.strictEqual((yield* store.load("a"))?.created, 1)
      assert.strictEqual((yield* store.load("a"))?.seen, 5)
      assert.strictEqual(yield* store.load("b"), undefined)
    }).pipe(Effect.provide(layer)))

  it.effect("does not make a session again that another request has destroyed", () =>
    Effect.gen(function*() {
      const store = yield* Session.Store
      yield* store.save("a", change(), Duration.hours(1))
      yield* store.remove("a")
      yield* store.remove("a")
      assert.isFalse(yield* store.save("a", change({ isNew: false, set: { x: 1 } }), Duration.hours(1)))
      assert.strictEqual(yield* store.load("a"), undefined)
    }).pipe(Effect.provide(layer)))

  it.effect("forgets a session when its time is over", () =>
    Effect.gen(function*() {
      const store = yield* Session.Store
      yield* store.save("a", change(), Duration.minutes(1))
      yield* TestClock.adjust("59 seconds")
      assert.isDefined(yield* store.load("a"))
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* store.load("a"), undefined)
      assert.isFalse(yield* store.save("a", change({ isNew: false }), Duration.minutes(1)))
    }).pipe(Effect.provide(layer)))
})

describe("the memory store", () => {
  it.effect("forgets the session that was not used for the longest time when there is one too many", () =>
    Effect.gen(function*() {
      const store = yield* Session.Store
      for (const id of ["a", "b", "a"]) yield* store.save(id, change(), Duration.hours(1))
      yield* store.save("c", change(), Duration.hours(1))
      assert.strictEqual(yield* store.load("b"), undefined)
      assert.isDefined(yield* store.load("a"))
      yield* store.save("d", change(), Duration.hours(1))
      assert.strictEqual(yield* store.load("c"), undefined)
      assert.isDefined(yield* store.load("a"))
      assert.throws(() => Session.layerMemory({ max: 0 }), /max is 0, expected a whole number from 1/)
    }).pipe(Effect.provide(Session.layerMemory({ max: 2 }).pipe(Layer.provide(config(1))))))

  it.effect("does not start in an app with several workers, and says what to use", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(
        Effect.scoped(Layer.build(Session.layerMemory().pipe(Layer.provide(config(4)))))
      )
      assert.instanceOf(error, Session.NotShared)
      assert.match(error.message, /this app has 4 \(option workers\).*Session\.layerKeyValueStore, or say workers: 1/)
    }))
})

describe("the key-value store", () => {
  it.effect("sweeps out sessions that nobody came back to, and nothing else, until it is released", () =>
    Effect.gen(function*() {
      const kv = yield* KeyValueStore.KeyValueStore
      yield* kv.set("other", "value")
      yield* Effect.gen(function*() {
        const store = yield* Session.Store
        yield* store.save("a", change(), Duration.minutes(30))
        yield* store.save("b", change(), Duration.hours(3))
        yield* kv.set("s:broken", "{")
        yield* TestClock.adjust("2 hours")
        assert.sameMembers([...(yield* kv.keys)], ["other", "s:b", "s:broken"])
        assert.strictEqual(yield* store.load("broken"), undefined)
        assert.isTrue(yield* store.save("broken", change({ set: { x: 1 } }), Duration.minutes(1)))
      }).pipe(Effect.provide(Session.layerKeyValueStore({ prefix: "s:", sweep: "1 hour" })))
      yield* TestClock.adjust("9 hours")
      assert.sameMembers([...(yield* kv.keys)], ["other", "s:b", "s:broken"])
    }).pipe(Effect.provide(KeyValueStore.layerMemory)))

  it.effect("loses nothing of two requests of one worker that write at the same time", () =>
    Effect.gen(function*() {
      const store = yield* Session.Store
      yield* store.save("a", change(), Duration.hours(1))
      yield* Effect.forEach(
        Array.from({ length: 20 }, (_, i) => i),
        (i) => store.save("a", change({ isNew: false, set: { [`k${i}`]: i } }), Duration.hours(1)),
        { concurrency: "unbounded", discard: true }
      )
      assert.lengthOf(Object.keys((yield* store.load("a"))!.entries), 20)
    }).pipe(Effect.provide(
      Session.layerKeyValueStore({ sweep: false }).pipe(Layer.provide(Layer.effect(
        KeyValueStore.KeyValueStore,
        Effect.map(KeyValueStore.KeyValueStore, (kv) => ({
          ...kv,
          get: (key: string) => Effect.tap(kv.get(key), Effect.yieldNow),
          set: (key: string, value: string | Uint8Array) => Effect.andThen(Effect.yieldNow, kv.set(key, value))
        }))
      ).pipe(Layer.provide(KeyValueStore.layerMemory))))
    )))

  it.effect("says that it failed, with the cause", () =>
    Effect.gen(function*() {
      const store = yield* Session.Store
      const cause = new KeyValueStore.KeyValueStoreError({ message: "down", method: "get" })
      for (
        const error of [
          yield* Effect.flip(store.load("a")),
          yield* Effect.flip(store.save("a", change(), Duration.hours(1))),
          yield* Effect.flip(store.remove("a"))
        ]
      ) {
        assert.instanceOf(error, Session.StoreFailed)
        assert.match(error.message, /the store of sessions cannot (load|save|remove) a session/)
        assert.deepStrictEqual(error.cause, cause)
      }
    }).pipe(Effect.provide(
      Session.layerKeyValueStore().pipe(Layer.provide(Layer.sync(KeyValueStore.KeyValueStore, () => {
        const down = Effect.fail(new KeyValueStore.KeyValueStoreError({ message: "down", method: "get" }))
        return KeyValueStore.makeStringOnly({
          get: () => down,
          set: () => down,
          remove: () => down,
          clear: down,
          size: down,
          keys: down
        })
      })))
    )))
})

describe("an option of sessions that cannot be is refused when the routes are made", () => {
  const secrets = Redacted.make("s".repeat(32))
  const refused = (options: Partial<Session.Options>, expected: RegExp) =>
    assert.throws(() => Session.middleware({ secrets, ...options }), expected)

  it("and the error names it", () => {
    refused({ secrets: Redacted.make("short") }, /Session\.middleware: a secret has 5 bytes/)
    refused({ idle: "500 millis" }, /idle is 500ms, expected 1s or more/)
    refused({ absolute: "Infinity" }, /absolute is Infinity, expected/)
    refused({ secure: false }, /browsers take "__Host-session" only with secure: true/)
    refused({ secure: () => true }, /browsers take "__Host-session" only with secure: true/)
    refused({ domain: "example.com" }, /no domain: say so, or give it another name/)
    refused({ cookie: "a b" }, /the name is "a b"/)
    assert.throws(() => Session.key("__proto__", Schema.Int), /the name is "__proto__", expected letters/)
    assert.throws(() => Session.key("a b", Schema.Int), TypeError)
  })
})
