import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as Schema from "effect/Schema"
import * as Log from "../src/Log.ts"

// What every reader of lines may take for the end of one: C, Java, Python, browsers.
const lineEnds = /[\n\v\f\r\u001c-\u001e\u0085\u2028\u2029]/

// Text made of what breaks lines, and of what does not.
const Text = Schema.String
const Nasty = Schema.Array(
  Schema.Literals(["\n", "\r\n", "\u2028", "\u2029", "\u0085", "\x1b[2J", "\0", "]", "\\n", "é"])
)

const linesOf = (effect: Effect.Effect<void>) =>
  Effect.gen(function*() {
    const writes: Array<string> = []
    yield* Effect.provide(effect, Logger.layer([Log.make("wrk 1", (line) => writes.push(line))]))
    return writes
  })

describe("one record is one line, whatever is in it", () => {
  it.effect.prop("text, annotations, cause", { text: Text, nasty: Nasty, name: Text },
    ({ name, nasty, text }) =>
      Effect.gen(function*() {
        const evil = `${text}${nasty.join("")}`
        const writes = yield* linesOf(
          Effect.logError(evil, { [name]: evil }, Cause.die(new Error(evil))).pipe(Effect.annotateLogs(evil, evil))
        )
        assert.strictEqual(writes.length, 1)
        const [line] = writes
        assert.isTrue(line!.endsWith("]\n"))
        assert.notMatch(line!.slice(0, -1), lineEnds)
      }))

  it.prop("printable text stays as it is", { text: Schema.String }, ({ text }) => {
    const printable = text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, "")
    assert.strictEqual(Log.escape(printable), printable)
  })
})
