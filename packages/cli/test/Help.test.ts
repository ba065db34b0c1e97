import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import { forParser, runWords } from "../src/internal/words.ts"
import { command } from "../src/Main.ts"
import * as Cli from "./fixtures/Cli.ts"

describe("help", () => {
  it.live("is what kore-fx says when nothing is asked", () =>
    Effect.gen(function*() {
      const nothing = yield* Cli.run([])
      const help = yield* Cli.run(["--help"])
      assert.strictEqual(nothing.stdout, help.stdout)
      for (const name of ["run ", "routes ", "check ", "ps "]) assert.include(help.stdout, `\n  ${name}`)
      assert.include(help.stdout, "kore-fx run app.ts")
      assert.deepStrictEqual([nothing.code, help.code, help.stderr], [0, 0, ""])
    }))

  for (const name of ["run", "routes", "check"]) {
    it.live(`of ${name} has examples, and lines that fit`, () =>
      Effect.gen(function*() {
        const { code, stdout } = yield* Cli.run([name, "--help"])
        assert.match(stdout, new RegExp(`USAGE\\n {2}kore-fx ${name} \\[flags\\] <file> \\[<args\\.\\.\\.>\\]`))
        assert.match(stdout, new RegExp(`EXAMPLES\\n {2}# .+\\n {2}.*kore-fx ${name} app\\.ts`))
        const own = stdout.split("\n").filter((line) => !line.includes("--completions"))
        assert.deepStrictEqual(own.filter((line) => line.length > 100), [])
        assert.strictEqual(code, 0)
      }))
  }

  it.live("of ps has examples, and lines that fit", () =>
    Effect.gen(function*() {
      const { code, stdout } = yield* Cli.run(["ps", "--help"])
      assert.include(stdout, "USAGE\n  kore-fx ps [flags] [<server>]")
      assert.match(stdout, /EXAMPLES\n {2}# .+\n {2}kore-fx ps\n/)
      const own = stdout.split("\n").filter((line) => !line.includes("--completions"))
      assert.deepStrictEqual(own.filter((line) => line.length > 100), [])
      assert.strictEqual(code, 0)
    }))

  it("shows every command under its name", () => {
    const names = command.subcommands.flatMap(({ commands }) => commands.map(({ name }) => name))
    assert.deepStrictEqual(names, ["run", "routes", "check", "ps"])
  })
})

describe("version", () => {
  it.live("is that of the package", () =>
    Effect.gen(function*() {
      const { version } = JSON.parse(fs.readFileSync(new URL("../package.json", import.meta.url), "utf8"))
      const { code, stderr, stdout } = yield* Cli.run(["--version"])
      assert.deepStrictEqual([stdout, stderr, code], [`kore-fx v${version}\n`, "", 0])
    }))
})

describe("completions", () => {
  for (const shell of ["bash", "zsh", "fish", "powershell"]) {
    it.live(`are there for ${shell}`, () =>
      Effect.gen(function*() {
        const { code, stdout } = yield* Cli.run(["--completions", shell])
        for (const word of ["kore-fx", "routes", "check", "ps", "json"]) assert.include(stdout, word)
        assert.strictEqual(code, 0)
      }))
  }
})

describe("words", () => {
  it("after the file of run stand behind -- for the parser", () => {
    assert.deepStrictEqual(forParser(["run", "a.ts", "-x", "--", "b"]), ["run", "a.ts", "--", "-x", "--", "b"])
    assert.deepStrictEqual(forParser(["run", "--", "a.ts", "b"]), ["run", "a.ts", "--", "b"])
    assert.deepStrictEqual(forParser(["run", "--help", "a.ts"]), ["run", "--help", "a.ts", "--"])
    assert.deepStrictEqual(forParser(["run"]), ["run"])
    assert.deepStrictEqual(forParser(["check", "a.ts", "--json"]), ["check", "a.ts", "--json"])
    assert.deepStrictEqual(forParser([]), [])
  })

  it("of run are found by workers without a parser", () => {
    assert.deepStrictEqual(runWords(["run", "a.ts", "-x"]), { file: "a.ts", args: ["-x"] })
    assert.deepStrictEqual(runWords(["check", "a.ts"]), { file: undefined, args: [] })
  })
})
