import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as Schema from "effect/Schema"
import * as Log from "../../src/Log.ts"
import * as Entry from "../../src/log/Entry.ts"
import * as Json from "../../src/log/Json.ts"
import { lineEnds, Nasty } from "./Nasty.ts"

const wellFormed = (text: string) => text.toWellFormed()

describe("one record is one line of JSON, whatever is in it", () => {
  it.effect.prop("and what was text reads back", { nasty: Nasty, json: Schema.Json },
    ({ json, nasty }) =>
      Effect.gen(function*() {
        const evil = nasty.join("")
        const writes: Array<string> = []
        const logger = Log.make(evil, (line) => writes.push(line), "json")
        yield* Effect.logError(evil, Cause.die(new Error(evil))).pipe(
          Effect.annotateLogs({ evil, json, [`x${evil}`]: 1n }),
          Effect.withLogSpan(evil),
          Effect.provide(Logger.layer([logger]))
        )
        assert.strictEqual(writes.length, 1)
        const line = writes[0]!
        assert.isTrue(line.endsWith("}\n"))
        assert.notMatch(line.slice(0, -1), lineEnds)
        const object = JSON.parse(line) as Record<string, unknown>
        assert.strictEqual(object["message"], evil)
        assert.strictEqual(object["process"], evil)
        assert.strictEqual(object["evil"], evil)
        assert.deepStrictEqual(Object.keys(object["spans"] as object), [evil])
        assert.include(wellFormed(String(object["cause"])), wellFormed(evil))
      }), { arbitrary: { runs: 1000 } })

  it.prop("within any limit that has room for its first fields", {
    nasty: Nasty,
    limit: Schema.Int.check(Schema.isBetween({ minimum: 150, maximum: 400 }))
  }, ({ limit, nasty }) => {
    const message = nasty.join("")
    const record = Json.record(Entry.note("wrk 1", new Date(0), "Info", message), limit)
    assert.isAtMost(Buffer.byteLength(record), limit)
    const object = JSON.parse(record) as { readonly message: string; readonly cut?: number }
    if (object.cut === undefined) assert.strictEqual(object.message, message)
    else assert.isTrue(message.startsWith(object.message.replace(/… \(\d+ bytes cut\)$/, "")))
  }, { arbitrary: { runs: 1000 } })
})
