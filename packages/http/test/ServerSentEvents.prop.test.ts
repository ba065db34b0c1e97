/** What is written is what a parser of the format reads (WHATWG HTML §9.2.6); Effect's reads it here. */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Sse from "effect/encoding/Sse"
import * as Schema from "effect/Schema"
import * as ServerSentEvents from "../src/ServerSentEvents.ts"

const Line = Schema.String
const Data = Schema.Array(
  Schema.Union([Schema.Literals(["\n", "\r", "\r\n", " ", "\0", ":", "data: "]), Schema.String])
)
const Events = Schema.Array(Schema.Struct({
  id: Schema.optionalKey(Line),
  event: Schema.optionalKey(Line),
  data: Data
})).check(Schema.isMaxLength(5))

it.effect.prop("events arrive as they were, whatever lines are in them; what would be another line is refused", {
  events: Events
}, ({ events }) =>
  Effect.sync(() => {
    let lastId: string | undefined
    const expected: Array<unknown> = []
    const seen: Array<unknown> = []
    const parser = Sse.makeParser((event) => seen.push(event))
    for (const { data, event, id } of events) {
      const text = data.join("")
      const isRefused = /[\r\n\0]/.test(id ?? "") || /[\r\n]/.test(event ?? "")
      const given = { ...id === undefined ? {} : { id }, ...event === undefined ? {} : { event }, data: text }
      if (isRefused) {
        assert.throws(() => ServerSentEvents.encode(given), TypeError)
        continue
      }
      parser.feed(ServerSentEvents.encode(given))
      lastId = id ?? lastId
      const lines = text.replaceAll(/\r\n|\r/g, "\n")
      expected.push({ _tag: "Event", id: lastId, event: event || "message", data: lines })
    }
    assert.deepStrictEqual(seen, expected)
  }), { arbitrary: { runs: 300 } })
