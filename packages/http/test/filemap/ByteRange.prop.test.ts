import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as ByteRange from "../../src/filemap/ByteRange.ts"

const Position = Schema.Union([
  Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 12 })),
  Schema.Literals(["", "9007199254740993", "999999999999999999999999"])
])
const Specs = Schema.Array(Schema.Tuple([Position, Position])).check(Schema.isMaxLength(4))
const Size = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 10 }))

/**
 * The bytes that a spec asks for, one by one, by the words of RFC 9110 §14.1.2; `undefined` for a spec that is none.
 */
const bytesOf = ([first, last]: readonly [number | string, number | string], size: number) => {
  if (first === "" && last === "") return undefined
  const all = Array.from({ length: size }, (_, i) => i)
  if (first === "") return all.filter((i) => i >= size - Number(last))
  if (last !== "" && BigInt(last) < BigInt(first)) return undefined
  return all.filter((i) => i >= Number(first) && (last === "" || i <= Number(last)))
}

describe("the ranges of a request", () => {
  it.effect.prop("are those bytes of each that are there, or the whole where that is wiser", {
    specs: Specs,
    size: Size
  }, ({ size, specs }) =>
    Effect.sync(() => {
      const selected = ByteRange.select(`bytes=${specs.map(([a, b]) => `${a}-${b}`).join(", ")}`, size)
      const wanted = specs.map((spec) => bytesOf(spec, size))
      const there = wanted.filter((bytes) => bytes !== undefined && bytes.length > 0) as Array<Array<number>>
      if (specs.length === 0 || wanted.includes(undefined)) return assert.strictEqual(selected, "Whole")
      if (there.length === 0) return assert.strictEqual(selected, "Unsatisfiable")
      const flat = there.flat()
      if (new Set(flat).size < flat.length) return assert.strictEqual(selected, "Whole")
      assert.deepStrictEqual(
        selected,
        there.map((bytes) => ({ start: bytes[0]!, end: bytes.at(-1)! + 1 }))
      )
    }), { arbitrary: { runs: 2000 } })

  it.effect.prop("read back from what was written, and are never more than the whole", {
    cuts: Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1_000_000 }))).check(
      Schema.isMaxLength(32)
    )
  }, ({ cuts }) =>
    Effect.sync(() => {
      const points = [...new Set(cuts)].sort((a, b) => a - b)
      const ranges = points.slice(1).map((end, i) => ({ start: points[i]!, end }))
      if (ranges.length === 0) return
      const value = `bytes=${ranges.map(({ end, start }) => `${start}-${end - 1}`).join(",")}`
      const size = points.at(-1)! + 1
      assert.deepStrictEqual(
        ByteRange.select(value, size),
        ranges.length > ByteRange.RANGES_MAX ? "Whole" : ranges
      )
    }))

  it.effect.prop("of any text are read or ignored", { text: Schema.String }, ({ text }) =>
    Effect.sync(() => {
      for (const value of [text, `bytes=${text}`, `bytes=0-${text}`]) {
        const selected = ByteRange.select(value, 100)
        if (typeof selected === "string") continue
        for (const { end, start } of selected) assert.isTrue(0 <= start && start < end && end <= 100)
      }
    }))

  it.each(["0-1", "bits=0-1", "bytes=", "bytes=,", "bytes=-", "bytes=a-b", "bytes=1-0", "bytes=0-1,x", "bytes 0-1",
    "bytes=+1-2", "bytes=0x1-2", "bytes=1--2", "bytes=0-0,".repeat(9000), `bytes=${"0-,".repeat(17)}`])(
      "are ignored where they follow no grammar or are an attack: %.20s",
      (value) => assert.strictEqual(ByteRange.select(value, 100), "Whole")
    )

  it("may have empty members, blanks and a unit in any case", () => {
    assert.deepStrictEqual(ByteRange.select(" Bytes = , 0-1 ,, -1", 10), [{ start: 0, end: 2 }, { start: 9, end: 10 }])
  })
})
