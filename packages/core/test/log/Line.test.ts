import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/testing/TestClock"
import * as Log from "../../src/Log.ts"

const lineOf = (effect: Effect.Effect<void>, processName = "wrk 1") =>
  Effect.gen(function*() {
    const writes: Array<string> = []
    yield* Effect.provide(effect, Logger.layer([Log.make(processName, (line) => writes.push(line))]))
    assert.strictEqual(writes.length, 1)
    return writes[0]!
  })

const unreadable: Error = Object.defineProperty(new Error("x"), "message", {
  get: () => {
    throw new Error("not even the message")
  }
})

describe("Kore's line", () => {
  it.effect("has the time in UTC, the process, the text", () =>
    Effect.gen(function*() {
      // The clock of the test stands at the beginning of 1970.
      assert.strictEqual(
        yield* lineOf(Effect.log("hello"), "parent"),
        "1970-01-01 00:00:00.000 UTC proc=[parent] log=[hello]\n"
      )
    }))

  const cases: ReadonlyArray<readonly [name: string, effect: Effect.Effect<void>, text: string]> = [
    ["nothing where nothing was said", Effect.log(), ""],
    ["several messages, and data", Effect.log("user", 42, { a: [1] }), "user 42 {\"a\":[1]}"],
    ["a level other than Info", Effect.logWarning("careful"), "warn: careful"],
    ["annotations", Effect.annotateLogs(Effect.log("hi"), { id: 7, who: "me" }), "hi id=7 who=me"],
    ["no secrets", Effect.annotateLogs(Effect.log(Redacted.make("a")), { b: Redacted.make("c") }),
      "<redacted> b=<redacted>"],
    ["line feeds and control characters: http §17, kore: they make lines of their own",
      Effect.log("a\nb\r\x1b[0m\u2028c"), "a\\nb\\r\\x1b[0m\\u2028c"],
    ["the message of a cause", Effect.logWarning("x", Cause.fail(new TypeError("no"))), "warn: x TypeError: no"],
    ["a word about a cause that cannot be read", Effect.logError("x", Cause.die(unreadable)),
      "error: x [a cause that cannot be read]"]
  ]
  for (const [name, effect, text] of cases) {
    it.effect(`has ${name}`, () =>
      Effect.gen(function*() {
        const line = yield* lineOf(effect)
        assert.strictEqual(/log=\[(.*)\]\n$/.exec(line)?.[1], text)
      }))
  }

  it.effect("has log spans, with how long they have been open", () =>
    Effect.gen(function*() {
      const line = yield* lineOf(Effect.andThen(TestClock.adjust("12 millis"), Effect.log("hi")).pipe(
        Effect.withLogSpan("work")
      ))
      assert.match(line, /log=\[hi work=12ms\]/)
    }))

  it.effect("has the cause with its stack from Error on", () =>
    Effect.gen(function*() {
      const line = yield* lineOf(Effect.logError("broken", Cause.die(new RangeError("too far"))))
      assert.match(line, /log=\[error: broken RangeError: too far\\n {4}at /)
    }))
})
