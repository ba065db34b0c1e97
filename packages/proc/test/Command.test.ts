import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Command from "../src/Command.ts"

const words = (text: string) => Result.getOrThrow(Command.parse(text))
const failure = (text: string) => Result.getOrThrow(Result.flip(Command.parse(text)))

describe("parse", () => {
  for (
    const [promise, text, expected] of [
      ["spaces separate words, however many there are", "  ls   -l  /tmp ", ["ls", "-l", "/tmp"]],
      ["kore §12.1: tabs and line feeds separate words", "ls\t-l\n/tmp", ["ls", "-l", "/tmp"]],
      ["kore §12.1: single quotes keep everything between them", `echo 'a "b" \\ c'`, ["echo", `a "b" \\ c`]],
      ["double quotes keep everything but escapes", `echo "a 'b' \\n \\"c\\" \\$d \\\\ \\\`"`, ["echo",
        "a 'b' \\n \"c\" $d \\ `"]],
      ["kore §12.1: a quoted word that follows another one is not lost", `a 'b''c' "d""e"`, ["a", "bc", "de"]],
      ["kore §12.1: text that touches a quote belongs to its word", `a"b c"'d'e f`, ["ab cde", "f"]],
      ["kore §12.1: empty quotes are an empty word", `a "" '' b`, ["a", "", "", "b"]],
      ["empty quotes that touch a word add nothing", `""a''`, ["a"]],
      ["a backslash takes the next character as it is", "a\\ b \\'c \\\\", ["a b", "'c", "\\"]],
      ["a backslash before a line feed continues the line", "a\\\nb \"c\\\nd\" \\\n e", ["ab", "cd", "e"]],
      ["what a shell would expand is ordinary", "echo $HOME *.ts ~ `id` a|b > c # d", ["echo", "$HOME", "*.ts", "~",
        "`id`", "a|b", ">", "c", "#", "d"]],
      ["text without words has none", " \t\n", []]
    ] as const
  ) {
    it(promise, () => assert.deepStrictEqual<unknown>(words(text), expected))
  }

  it("kore §12.1: 31 words are not the end", () => {
    const many = Array.from({ length: 500 }, (_, n) => `w${n}`)
    assert.deepStrictEqual(words(many.join(" ")), many)
  })

  for (
    const [promise, text, position] of [
      ["kore §12.1: a single quote that is not closed is an error with its place", "echo 'a b", 5],
      ["kore §12.1: a double quote that is not closed is an error with its place", "echo x\"a \\\" b", 6],
      ["a backslash at the end is an error with its place", "echo a\\", 6]
    ] as const
  ) {
    it(promise, () => {
      const error = failure(text)
      assert.strictEqual(error.reason, "InvalidCommand")
      assert.strictEqual(error.position, position)
      assert.include(error.message, `at character ${position}`)
      assert.include(error.message, text)
    })
  }
})

describe("format", () => {
  it("quotes what needs it", () => {
    assert.strictEqual(Result.getOrThrow(Command.format(["grep", "it's", "my file", ""])),
      `grep 'it'\\''s' 'my file' ''`)
  })

  it("fails for a NUL character, and tells in which word", () => {
    const error = Result.getOrThrow(Result.flip(Command.format(["a", "b\0c"])))
    assert.strictEqual(error.reason, "InvalidCommand")
    assert.include(error.message, "word 1")
  })
})

describe("display", () => {
  it("shows control characters, and cuts off what is long", () => {
    assert.strictEqual(Command.display(["printf", "a\u001b[2J"]), "printf 'a\\u001b[2J'")
    assert.isAtMost(Command.display(["x".repeat(100_000)]).length, 201)
  })
})
