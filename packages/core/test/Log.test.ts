import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as ChildProcess from "node:child_process"
import { fileURLToPath } from "node:url"
import * as Log from "../src/Log.ts"

const lineOf = (effect: Effect.Effect<void>, processName = "wrk 1") =>
  Effect.gen(function*() {
    const writes: Array<string> = []
    yield* Effect.provide(effect, Logger.layer([Log.make(processName, (line) => writes.push(line))]))
    assert.strictEqual(writes.length, 1)
    return writes[0]!
  })

describe("a line", () => {
  it.effect("is Kore's: the time in UTC, the process, the text", () =>
    Effect.gen(function*() {
      // The clock of the test stands at the beginning of 1970.
      assert.strictEqual(
        yield* lineOf(Effect.log("hello"), "parent"),
        "1970-01-01 00:00:00.000 UTC proc=[parent] log=[hello]\n"
      )
    }))

  const cases: ReadonlyArray<readonly [name: string, effect: Effect.Effect<void>, text: string]> = [
    ["several messages, and data", Effect.log("user", 42, { a: [1] }), "user 42 {\"a\":[1]}"],
    ["a level other than Info", Effect.logWarning("careful"), "warn: careful"],
    ["annotations", Effect.annotateLogs(Effect.log("hi"), { id: 7, who: "me" }), "hi id=7 who=me"],
    ["line feeds and control characters", Effect.log("a\nb\r\x1b[0m\u2028c"), "a\\nb\\r\\x1b[0m\\u2028c"],
    ["the message of a cause", Effect.logWarning("x", Cause.fail(new TypeError("no"))), "warn: x TypeError: no"]
  ]
  for (const [name, effect, text] of cases) {
    it.effect(`has ${name}`, () =>
      Effect.gen(function*() {
        const line = yield* lineOf(effect)
        assert.strictEqual(/log=\[(.*)\]\n$/.exec(line)?.[1], text)
      }))
  }

  it.effect("has the cause with its stack from Error on", () =>
    Effect.gen(function*() {
      const line = yield* lineOf(Effect.logError("broken", Cause.die(new RangeError("too far"))))
      assert.match(line, /log=\[error: broken RangeError: too far\\n {4}at /)
    }))
})

describe("layer", () => {
  it.live("survives a reader that goes away", () =>
    Effect.gen(function*() {
      const script = `
        import * as Effect from "effect/Effect"
        import * as Log from ${JSON.stringify(new URL("../src/Log.ts", import.meta.url).href)}
        const many = Effect.repeat(Effect.andThen(Effect.log("x".repeat(1000)), Effect.sleep(1)), { times: 300 })
        Effect.runCallback(Effect.provide(many, Log.layer("parent")), { onExit: (exit) => console.error(exit._tag) })`
      const result = yield* Effect.callback<string>((resume) => {
        const cwd = fileURLToPath(new URL("..", import.meta.url))
        const child = ChildProcess.spawn(process.execPath, ["--input-type=module", "-e", script], {
          cwd,
          stdio: ["ignore", "pipe", "pipe"]
        })
        let errors = ""
        child.stdout.once("data", () => child.stdout.destroy())
        child.stderr.on("data", (data) => (errors += data))
        child.on("close", (code) => resume(Effect.succeed(`${code} ${errors.trim()}`)))
      })
      assert.strictEqual(result, "0 Success")
    }))
})
