import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Command from "../src/Command.ts"
import * as Proc from "../src/Proc.ts"

// Mostly characters that mean something to one of the two sides.
const Character = Schema.Literals([
  "a",
  "b",
  "é",
  "漢",
  "😀",
  " ",
  "\t",
  "\n",
  "\r",
  "'",
  "\"",
  "\\",
  "$",
  "`",
  "*",
  "?",
  "~",
  "#",
  "|",
  "&",
  ";",
  "=",
  "-",
  "%"
])
const Word = Schema.Array(Character).check(Schema.isMaxLength(12))
const Words = Schema.Array(Word).check(Schema.isMaxLength(8))
const join = (words: ReadonlyArray<ReadonlyArray<string>>) => words.map((word) => word.join(""))

describe("quoting", () => {
  it.effect.prop("what was formatted parses as the same words", { words: Words }, ({ words }) =>
    Effect.sync(() => {
      const text = Result.getOrThrow(Command.format(join(words)))
      assert.deepStrictEqual(Result.getOrThrow(Command.parse(text)), join(words))
    }), { arbitrary: { runs: 1000 } })

  it.effect.prop("any text parses, or fails with a place that is in it", { word: Word },
    ({ word }) =>
      Effect.sync(() => {
        const text = word.join("")
        const result = Command.parse(text)
        if (Result.isSuccess(result)) return
        assert.strictEqual(result.failure.reason, "InvalidCommand")
        assert.include("'\"\\", text[result.failure.position!]!)
      }), { arbitrary: { runs: 1000 } })

  // Left out is what a shell expands, and the line feed, which ends a command there and separates words here.
  it.effect.prop("a shell reads text as we do", {
    word: Schema.Array(Schema.Literals(["a", "é", " ", "\t", "'", "\"", "\\", "="])).check(Schema.isMaxLength(16))
  }, ({ word }) =>
    Effect.gen(function*() {
      const text = word.join("")
      const result = Command.parse(text)
      if (Result.isFailure(result)) return
      const script = `set -- ${text}\nfor word do printf '%s\\0' "$word"; done`
      const { stdout } = yield* Proc.run(["sh", "-c", script])
      assert.deepStrictEqual(stdout.split("\0").slice(0, -1), result.success)
    }), { arbitrary: { runs: 100 } })
})
