import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as Schema from "effect/Schema"
import * as Log from "../../src/Log.ts"
import * as Entry from "../../src/log/Entry.ts"
import * as Line from "../../src/log/Line.ts"
import { lineEnds, Nasty } from "./Nasty.ts"

const linesOf = (effect: Effect.Effect<void>) =>
  Effect.gen(function*() {
    const writes: Array<string> = []
    yield* Effect.provide(effect, Logger.layer([Log.make("wrk 1", (line) => writes.push(line))]))
    return writes
  })

describe("one record is one line, whatever is in it", () => {
  it.effect.prop("text, annotations, cause, spans", { nasty: Nasty, name: Schema.String },
    ({ name, nasty }) =>
      Effect.gen(function*() {
        const evil = nasty.join("")
        const writes = yield* linesOf(
          Effect.logError(evil, { [name]: evil }, Cause.die(new Error(evil))).pipe(
            Effect.annotateLogs(evil, evil),
            Effect.withLogSpan(evil)
          )
        )
        assert.strictEqual(writes.length, 1)
        const [line] = writes
        assert.isTrue(line!.endsWith("]\n"))
        assert.notMatch(line!.slice(0, -1), lineEnds)
      }), { arbitrary: { runs: 1000 } })

  it.prop("printable text stays as it is", { text: Schema.String }, ({ text }) => {
    const printable = text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, "")
    assert.strictEqual(Line.escape(printable), printable)
  }, { arbitrary: { runs: 1000 } })

  it.prop("a limit is kept, what was cut is counted, and what fits is whole", {
    nasty: Nasty,
    limit: Schema.Int.check(Schema.isBetween({ minimum: 60, maximum: 300 }))
  }, ({ limit, nasty }) => {
    const entry = Entry.note("wrk 1", new Date(0), "Info", nasty.join(""))
    const [whole, record] = [Line.record(entry, Infinity), Line.record(entry, limit)]
    assert.isAtMost(Buffer.byteLength(record), limit)
    if (Buffer.byteLength(whole) <= limit) assert.strictEqual(record, whole)
    else {
      const [, kept, cut] = /^(.*)… \((\d+) bytes cut\)\]$/.exec(record)!
      assert.isTrue(whole.startsWith(kept!))
      assert.strictEqual(Buffer.byteLength(kept!) + Number(cut) + 1, Buffer.byteLength(whole))
    }
  }, { arbitrary: { runs: 1000 } })
})
