import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/testing/TestClock"
import * as Log from "../../src/Log.ts"
import * as Entry from "../../src/log/Entry.ts"
import * as Json from "../../src/log/Json.ts"

const objectOf = (effect: Effect.Effect<void>) =>
  Effect.gen(function*() {
    const writes: Array<string> = []
    yield* Effect.provide(effect, Logger.layer([Log.make("wrk 1", (line) => writes.push(line), "json")]))
    assert.strictEqual(writes.length, 1)
    return JSON.parse(writes[0]!) as Record<string, unknown>
  })

describe("a line of JSON", () => {
  it.effect("has time, level, process, fiber and message, in this order", () =>
    Effect.gen(function*() {
      const object = yield* objectOf(Effect.logWarning("user", 42, { a: [1] }))
      const fiber = yield* Effect.fiberId
      assert.deepStrictEqual(Object.entries(object), [
        ["time", "1970-01-01T00:00:00.000Z"],
        ["level", "WARN"],
        ["process", "wrk 1"],
        ["fiber", fiber],
        ["message", "user 42 {\"a\":[1]}"]
      ])
    }))

  it.effect("has a field for each annotation, the spans in milliseconds, the cause, the priority that was asked for", () =>
    Effect.gen(function*() {
      const line = Effect.logError("hi", Cause.fail(new Error("no"))).pipe(
        Effect.annotateLogs({ user: { id: 7 }, ok: true }),
        Effect.provideService(Log.Priority, 1)
      )
      const object = yield* objectOf(
        Effect.andThen(TestClock.adjust("12 millis"), line).pipe(Effect.withLogSpan("work"))
      )
      assert.deepStrictEqual(object["user"], { id: 7 })
      assert.strictEqual(object["ok"], true)
      assert.deepStrictEqual(object["spans"], { work: 12 })
      assert.match(String(object["cause"]), /^Error: no\n {4}at /)
      assert.strictEqual(object["priority"], 1)
    }))

  it.effect("keeps annotations that have the name of a field", () =>
    Effect.gen(function*() {
      const object = yield* objectOf(
        Effect.annotateLogs(Effect.log("hi"), { "level": 1, "cause": 2, "annotation.level": 3, "constructor": 4 })
      )
      assert.strictEqual(object["level"], "INFO")
      assert.strictEqual(object["annotation.level"], 1)
      assert.strictEqual(object["annotation.cause"], 2)
      assert.strictEqual(object["annotation.annotation.level"], 3)
      assert.strictEqual(object["constructor"], 4)
    }))

  class NotFound extends Data.TaggedError("NotFound")<{ readonly id: number }> {}

  const cyclic: { self?: unknown; n: number } = { n: 1 }
  cyclic.self = cyclic
  const throwing = {
    get bad() {
      throw new Error("no")
    },
    good: 1
  }
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  const deep = Array.from({ length: 100 }).reduce<unknown>((inner) => [inner], "deep")
  // Each level has the next one twice: 2^60 values, if all were followed.
  const wide = Array.from({ length: 60 }).reduce<unknown>((inner) => ({ a: inner, b: inner }), "wide")

  const values: ReadonlyArray<readonly [name: string, value: unknown, expected: unknown]> = [
    ["undefined", undefined, null],
    ["undefined inside", { a: undefined }, { a: null }],
    ["a BigInt", 2n ** 64n, "18446744073709551616"],
    ["numbers that JSON has not", [NaN, Infinity], ["NaN", "Infinity"]],
    ["a symbol", Symbol("s"), "Symbol(s)"],
    ["a function", function named() {}, "[function named]"],
    ["a cycle", cyclic, { n: 1, self: "[circular]" }],
    ["the same value twice, which is no cycle", [throwing.good, [1], [1]], [1, [1], [1]]],
    ["a date", new Date(0), "1970-01-01T00:00:00.000Z"],
    ["a date that is none", new Date(NaN), null],
    ["a Map and a Set", [new Map([["a", 1n]]), new Set([1])], [[["a", "1"]], [1]]],
    ["an error with its cause", new TypeError("no", { cause: new Error("why") }), {
      name: "TypeError",
      message: "no",
      cause: { name: "Error", message: "why" }
    }],
    ["the fields of a typed error", new NotFound({ id: 7 }), {
      name: "NotFound",
      message: "",
      id: 7,
      _tag: "NotFound"
    }],
    ["values of Effect", Duration.millis(5), { _id: "Duration", _tag: "Millis", millis: 5 }],
    ["no secret", { password: Redacted.make("hunter2") }, { password: "<redacted>" }],
    ["a property that cannot be read", throwing, { bad: "[cannot be read]", good: 1 }],
    ["toJSON that throws", { toJSON: () => throwing.bad }, "[cannot be read]"],
    ["toJSON that gives itself", {
      toJSON() {
        return this
      }
    }, "[circular]"],
    ["a proxy that was revoked", proxy, "[cannot be read]"],
    ["names that objects treat in a way of their own", JSON.parse("{\"__proto__\":{\"a\":1}}"),
      JSON.parse("{\"__proto__\":{\"a\":1}}")],
    ["half a character", "\ud800", "\ud800"]
  ]
  for (const [name, value, expected] of values) {
    it.effect(`has ${name}`, () =>
      Effect.gen(function*() {
        const object = yield* objectOf(Effect.annotateLogs(Effect.log({ value }), { value }))
        assert.deepStrictEqual(object["value"], expected)
        assert.isString(object["message"])
      }))
  }

  it.effect("follows values that are deep or that unfold without end only so far", () =>
    Effect.gen(function*() {
      const object = yield* objectOf(Effect.annotateLogs(Effect.log("hi"), { deep, wide }))
      const text = JSON.stringify(object)
      assert.include(JSON.stringify(object["deep"]), "[[[[[[[[\"[more]\"")
      assert.isBelow(text.length, 1_000_000)
    }))
})

describe("a limit", () => {
  const entry: Entry.Entry = {
    ...Entry.note("wrk 1", new Date(0), "Info", "\0".repeat(5000)),
    annotations: { big: "x".repeat(5000) }
  }

  it("leaves JSON: the first fields, as much of the message as there is room for, and how long it was", () => {
    const record = Json.record(entry, 1000)
    assert.isAtMost(Buffer.byteLength(record), 1000)
    const object = JSON.parse(record) as Record<string, unknown>
    assert.strictEqual(object["cut"], Buffer.byteLength(Json.format(entry)))
    assert.strictEqual(object["process"], "wrk 1")
    assert.match(String(object["message"]), /^\0{50,}… \(\d+ bytes cut\)$/)
  })

  it("cuts nothing that fits", () => {
    assert.strictEqual(Json.record(entry, 100_000), Json.format(entry))
  })
})
