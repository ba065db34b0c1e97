import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { scan } from "../src/internal/urlencoded.ts"

// Mostly what means something to a form; the rest is made of any characters.
const Character = Schema.Union([Schema.Literals(["a", "%", "=", "&", "+", " ", "é", "漢", "😀", "\0"]), Schema.String])
const Text = Schema.Array(Character).check(Schema.isMaxLength(5))
const Pairs = Schema.Array(Schema.Tuple([Text, Text, Schema.Boolean])).check(Schema.isMaxLength(6))
const Byte = Schema.Union([
  Schema.Literals([...Buffer.from("%%%&&==+4fF?"), 0xC3, 0xA9, 0xFF, 0xED]),
  Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 255 }))
])
const Bytes = Schema.Array(Byte).check(Schema.isMaxLength(24))

const wellFormed = (text: ReadonlyArray<string>) => text.join("").toWellFormed()

// The longest encoding that there is, or the shortest: each byte that may stand for itself does.
const encode = (text: string, isShort: boolean): string =>
  Array.from(Buffer.from(text), (byte) =>
    isShort && byte === 32 ? "+"
      : isShort && !"%&=+".includes(String.fromCharCode(byte)) ? String.fromCharCode(byte)
      : `%${byte.toString(16).padStart(2, "0")}`).join("")

const parse = (bytes: string) => {
  const entries: Array<readonly [name: string, value: string, isExact: boolean]> = []
  scan(bytes, Number.MAX_SAFE_INTEGER, (...entry) => entries.push(entry))
  return entries
}

// The platform's own parser takes text, and we bytes: those above 127 are written as escapes for it, which is the same.
const reference = (bytes: ReadonlyArray<number>) => [
  ...new URLSearchParams(
    `&${bytes.map((byte) => byte > 127 ? `%${byte.toString(16)}` : String.fromCharCode(byte)).join("")}`
  )
]

const isExact = (text: string): boolean => {
  if (/%(?![0-9a-f]{2})/i.test(text)) return false
  try {
    const bytes = text.replace(/%(..)/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
    new TextDecoder("utf-8", { fatal: true }).decode(Buffer.from(bytes, "latin1"))
    return true
  } catch {
    return false
  }
}

it.effect.prop("what was encoded is parsed as the same pairs, in their order", { pairs: Pairs },
  ({ pairs }) =>
    Effect.sync(() => {
      const expected = pairs.map(([name, value]) => [wellFormed(name), wellFormed(value), true] as const)
      const text = expected.map(([name, value], i) => `${encode(name, pairs[i]![2])}=${encode(value, !pairs[i]![2])}`)
        .join("&")
      assert.deepStrictEqual(parse(text), expected)
    }), { arbitrary: { runs: 1000 } })

it.effect.prop("any bytes are parsed as by URLSearchParams", { bytes: Bytes }, ({ bytes }) =>
  Effect.sync(() => {
    assert.deepStrictEqual(
      parse(Buffer.from(bytes).toString("latin1")).map(([name, value]) => [name, value]),
      reference(bytes)
    )
  }), { arbitrary: { runs: 1000 } })

it.effect.prop("a pair is exact when its escapes are whole and its bytes UTF-8", { bytes: Bytes },
  ({ bytes }) =>
    Effect.sync(() => {
      const text = Buffer.from(bytes).toString("latin1")
      const expected = text.split("&").filter((pair) => pair !== "").map((pair) =>
        // Name and value are decoded apart.
        /^([^=]*)=?([^]*)$/.exec(pair)!.slice(1).every(isExact)
      )
      assert.deepStrictEqual(parse(text).map(([, , exact]) => exact), expected)
    }), { arbitrary: { runs: 1000 } })

it.effect.prop(
  "a form passes exactly when it has at most maxPairs",
  { bytes: Bytes, maxPairs: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 6 })) },
  ({ bytes, maxPairs }) =>
    Effect.sync(() => {
      const text = Buffer.from(bytes).toString("latin1")
      assert.strictEqual(scan(text, maxPairs, () => {}), reference(bytes).length <= maxPairs)
    }),
  { arbitrary: { runs: 500 } }
)
