import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Transcript from "../Transcript.ts"

const README = `
Start it.

\`\`\`console
$ echo http://127.0.0.1:8888/a
http://127.0.0.1:8888/a
$ printf 'one\\ntwo\\n' \\
    | cat
one
two
\`\`\`

\`\`\`console legacy
$ echo old
old
\`\`\`

\`\`\`sh
$ echo never
\`\`\`
`

describe("the transcripts of a README", () => {
  it("are the blocks of the language console, for every style or for one", () => {
    assert.deepStrictEqual(Transcript.parse(README, "main").map(({ command }) => command), [
      "echo http://127.0.0.1:8888/a",
      "printf 'one\\ntwo\\n' | cat"
    ])
    assert.strictEqual(Transcript.parse(README, "legacy").length, 3)
  })

  it.live("hold when every command writes what is below it", () =>
    Effect.gen(function*() {
      const url = "http://127.0.0.1:4711"
      assert.deepStrictEqual(yield* Transcript.differences(Transcript.parse(README, "main"), url), [])
      const [first] = Transcript.parse(README, "main")
      const differences = yield* Transcript.differences([{ ...first!, output: "something else" }], url)
      assert.strictEqual(differences.length, 1)
      assert.include(differences[0], "line 5: $ echo")
      assert.include(differences[0], "got:\nhttp://127.0.0.1:8888/a")
      const [missing] = yield* Transcript.differences([{ command: "no-such-program", output: "", line: 1 }], url)
      assert.include(missing, "not found")
    }))

  it("may leave out parts of a line, and lines", () => {
    assert.isTrue(Transcript.pattern("date: …\n…\nend").test("date: Tue\nx\ny\nend"))
    assert.isTrue(Transcript.pattern("…\nend").test("x\nend"))
    assert.isFalse(Transcript.pattern("date: …\nend").test("date: Tue\nx\nend"))
    assert.isFalse(Transcript.pattern("a.c").test("abc"))
  })
})
