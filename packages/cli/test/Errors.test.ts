import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { table } from "../src/CliError.ts"
import * as Cli from "./fixtures/Cli.ts"

interface Case {
  readonly files?: Readonly<Record<string, string>>
  readonly words: ReadonlyArray<string>
  readonly code: 1 | 2
  /** What standard error says, from its beginning to its end. */
  readonly says: ReadonlyArray<string>
}

// Every error: what happened, what was expected, what to do, its code; on standard error, once, with its exit status.
const check = ({ code, files = {}, says, words }: Case) =>
  Effect.gen(function*() {
    const it = yield* Cli.runIn(files, words)
    assert.strictEqual(it.stdout, "")
    assert.match(it.stderr, /\nExpected: [^]+\nWhat to do: [^]+ \[KORE_CLI_\w+\]\n$/)
    assert.strictEqual(it.stderr.match(/\[KORE_/g)?.length, 1, it.stderr)
    for (const text of says) assert.include(it.stderr, text)
    assert.isTrue(it.stderr.startsWith(says[0]!), `${it.stderr}\ndoes not begin with\n${says[0]}`)
    assert.strictEqual(it.code, code)
  })

const cases = (entries: Readonly<Record<string, Case>>) => {
  for (const [name, entry] of Object.entries(entries)) it.live(name, () => check(entry))
}

const run = (file: string): ReadonlyArray<string> => ["run", file]

describe("words of the command line", () => {
  cases({
    "an unknown command, with the one that was meant": {
      words: ["rutes", "app.ts"],
      code: 2,
      says: [
        "There is no command \"rutes\".",
        "Expected: kore-fx <subcommand>",
        "Did you mean routes?",
        "KORE_CLI_USAGE"
      ]
    },
    "a file where a command is expected": {
      files: { "app.ts": "" },
      words: ["app.ts"],
      code: 2,
      says: ["There is no command \"app.ts\".", "To start the app of a file: kore-fx run app.ts"]
    },
    "an unknown flag, with the one that was meant": {
      words: ["routes", "--jsn", "app.ts"],
      code: 2,
      says: ["There is no flag --jsn of \"kore-fx routes\".", "Did you mean --json?", "KORE_CLI_USAGE"]
    },
    "an unknown flag before the file of run": {
      words: ["run", "--quiet", "app.ts"],
      code: 2,
      says: ["There is no flag --quiet of \"kore-fx run\".", "See kore-fx run --help"]
    },
    "no file": {
      words: ["check"],
      code: 2,
      says: ["The argument <file> is missing.", "kore-fx check [flags] <file>", "See kore-fx check --help"]
    }
  })
})

describe("the file", () => {
  cases({
    "is missing": {
      words: run("app.ts"),
      code: 2,
      says: [
        "app.ts does not exist.",
        "from the directory ",
        "Correct the path, or list what is there: ls .",
        "KORE_CLI_FILE_NOT_FOUND"
      ]
    },
    "is missing, with the name that was meant": {
      files: { "src/server.ts": "", "src/server.md": "" },
      words: run("src/sever.ts"),
      code: 2,
      says: ["src/sever.ts does not exist.", "Did you mean src/server.ts?"]
    },
    "is missing without its extension": {
      files: { "server.js": "", "server.ts": "", "server.css": "" },
      words: run("server"),
      code: 2,
      says: ["server does not exist.", "Did you mean server.ts?"]
    },
    "is in a directory that is missing": {
      files: { "source/app.ts": "" },
      words: run("sourec/app.ts"),
      code: 2,
      says: ["sourec does not exist.", "Did you mean source?"]
    },
    "is a directory, with the file that was meant": {
      files: { "site/main.ts": "", "site/other.ts": "" },
      words: run("site"),
      code: 2,
      says: ["site is a directory.", "did you mean site/main.ts?", "KORE_CLI_FILE]"]
    },
    "is a directory without one": {
      files: { "site/notes.txt": "" },
      words: run("site"),
      code: 2,
      says: ["site is a directory.", "there is no file that Node.js runs in this directory"]
    },
    "has an extension that Node does not run": {
      files: { "app.json": "{}", "app.ts": "" },
      words: run("app.json"),
      code: 2,
      says: [
        "app.json is not a file that Node.js runs.",
        "ends in .ts, .mts, .cts, .js, .mjs or .cjs",
        "Did you mean app.ts?"
      ]
    },
    "is JSX": {
      files: { "app.tsx": "" },
      words: run("app.tsx"),
      code: 2,
      says: ["app.tsx is not a file that Node.js runs.", "JSX must be compiled first"]
    },
    "is Python": {
      files: { "app.py": "" },
      words: run("app.py"),
      code: 2,
      says: ["app.py is not a file that Node.js runs.", "docs/from-kore"]
    }
  })
})

describe("syntax", () => {
  cases({
    "of TypeScript that cannot be read: file, line, column and the line": {
      files: { "app.ts": "const a: number = 1\nconst b = (;\n" },
      words: run("app.ts"),
      code: 2,
      says: [
        "app.ts:2:12: Expression expected\n  2 | const b = (;\n    |            ^\n",
        "Correct the app at that place",
        "KORE_CLI_SYNTAX"
      ]
    },
    "behind tabs": {
      files: { "app.ts": "if (true) {\n\tif (true) {\n\t\tconst b = (\t1, ;\n" },
      words: run("app.ts"),
      code: 2,
      says: ["app.ts:3:18: Expression expected\n  3 | \t\tconst b = (\t1, ;\n    | \t\t           \t   ^\n"]
    },
    "that only V8 refuses": {
      files: { "app.ts": "const first: number = 1\nexport const app = 1\nconst first: number = 2\n" },
      words: run("app.ts"),
      code: 2,
      says: ["app.ts:3:7: Identifier 'first' has already been declared\n  3 | const first: number = 2\n    |       ^"]
    },
    "of an imported file": {
      files: { "app.ts": "import \"./lib/part.mjs\"\n", "lib/part.mjs": "\n\nexport const x = 08n\n" },
      words: run("app.ts"),
      code: 2,
      says: [
        "lib/part.mjs:3:",
        "\n  3 | export const x = 08n\n",
        "Correct lib/part.mjs at that place",
        "KORE_CLI_SYNTAX"
      ]
    },
    "of CommonJS": {
      files: { "app.cjs": "module.exports = {\n  a: 1\n  b: 2\n}\n" },
      words: run("app.cjs"),
      code: 2,
      says: ["app.cjs:3:3: Unexpected identifier 'b'\n  3 |   b: 2\n    |   ^\n"]
    },
    "enum": {
      files: { "app.ts": "enum Color { Red }\n" },
      words: run("app.ts"),
      code: 2,
      says: [
        "app.ts:1:1: TypeScript enum is not supported",
        "1 | enum Color { Red }",
        "as const",
        "erasableSyntaxOnly",
        "KORE_CLI_UNSUPPORTED_SYNTAX"
      ]
    },
    "enum of several lines": {
      files: { "app.ts": "export const a = 1\n  export enum Color {\n  Red\n}\n" },
      words: run("app.ts"),
      code: 2,
      says: ["app.ts:2:", "\n  2 |   export enum Color {\n    |   ^"]
    },
    "parameter property": {
      files: { "app.ts": "class A { constructor(readonly x: number) {} }\n" },
      words: run("app.ts"),
      code: 2,
      says: [
        "app.ts:1:32: TypeScript parameter property",
        "Declare the property in the class",
        "KORE_CLI_UNSUPPORTED_SYNTAX"
      ]
    },
    "namespace": {
      files: { "app.ts": "namespace A { export const x = 1 }\n" },
      words: run("app.ts"),
      code: 2,
      says: ["app.ts:1:1: TypeScript namespace", "import * as Names", "KORE_CLI_UNSUPPORTED_SYNTAX"]
    }
  })
})

describe("imports", () => {
  cases({
    "of a package that is missing": {
      files: { "app.ts": "import { a } from \"kore-fx\"\nimport x from \"no-such-package/sub\"\n", "yarn.lock": "" },
      words: run("app.ts"),
      code: 2,
      says: [
        "app.ts:2:15: the package \"no-such-package\" is not installed\n" +
        "  2 | import x from \"no-such-package/sub\"\n    |               ^^^^",
        "yarn add no-such-package",
        "KORE_CLI_IMPORT"
      ]
    },
    "of one's own file without ./": {
      files: { "app.ts": "import x from \"helpers.ts\"\n", "helpers.ts": "" },
      words: run("app.ts"),
      code: 2,
      says: [
        "app.ts:1:15: the package \"helpers.ts\" is not installed",
        "If it is your own file, write \"./\" in front of it"
      ]
    },
    "of a file with the extension it would have if it were compiled": {
      files: { "app.ts": "import \"./lib/user.js\"\n", "lib/user.ts": "" },
      words: run("app.ts"),
      code: 2,
      says: ["app.ts:1:8: there is no file lib/user.js to import", "Did you mean \"./lib/user.ts\"?"]
    },
    "of a file that is missing, in an imported file": {
      files: { "app.ts": "import \"./a.ts\"\n", "a.ts": "export {}\nawait import('./gone.ts')\n" },
      words: run("app.ts"),
      code: 2,
      says: ["a.ts:2:14: there is no file gone.ts to import\n  2 | await import('./gone.ts')"]
    },
    "of a name that is not exported": {
      files: { "app.ts": "import { User } from \"./user.ts\"\n", "user.ts": "export interface User {}\n" },
      words: run("app.ts"),
      code: 2,
      says: [
        "app.ts:1:10: \"./user.ts\" exports nothing called \"User\"\n" +
        "  1 | import { User } from \"./user.ts\"\n    |          ^^^^\n",
        "if \"User\" is a type, write: import type { User } from \"./user.ts\""
      ]
    },
    "of a name that CommonJS does not show": {
      files: { "app.ts": "import { x } from \"./lib.cjs\"\n", "lib.cjs": "module.exports = Object.create({ x: 1 })\n" },
      words: run("app.ts"),
      code: 2,
      says: ["app.ts:1:10: \"./lib.cjs\" exports nothing called \"x\"", "CommonJS module: import all of it"]
    },
    "of a directory": {
      files: { "app.ts": "import \"./lib\"\n", "lib/index.ts": "" },
      words: run("app.ts"),
      code: 2,
      says: ["app.ts: Directory import ", "Name the file in the directory", "KORE_CLI_IMPORT"]
    }
  })
})

describe("exceptions at import", () => {
  cases({
    "have the place in the program": {
      files: {
        "app.ts": "import { connect } from \"./db.ts\"\n\nconnect()\n",
        "db.ts": "export const connect = (): void => {\n" +
          "  throw new Error(\"no DATABASE_URL\", { cause: new TypeError(\"it is empty\") })\n}\n"
      },
      words: run("app.ts"),
      code: 1,
      says: [
        "db.ts:2:9: Error: no DATABASE_URL\n    caused by TypeError: it is empty\n  2 |   throw new Error(",
        "\n    called at app.ts:3:1\n",
        "before anything was started",
        "KORE_CLI_APP_THREW"
      ]
    },
    "of JSON are not taken for syntax": {
      files: { "app.ts": "export const x = JSON.parse(\"{\")\n" },
      words: run("app.ts"),
      code: 1,
      says: ["app.ts:1:23: SyntaxError: Expected property name", "KORE_CLI_APP_THREW"]
    },
    "that are no Errors": {
      files: { "app.ts": "throw \"nothing\"\n" },
      words: run("app.ts"),
      code: 1,
      says: ["app.ts: 'nothing' was thrown, which is no Error", "KORE_CLI_APP_THREW"]
    }
  })
})

describe("a top-level await that does not end", () => {
  it.live("is mentioned, and can be interrupted", () =>
    Effect.gen(function*() {
      const cwd = yield* Cli.directory({ "app.ts": "await new Promise(() => {})\n" })
      const it = yield* Cli.spawn(["run", "app.ts"], { cwd })
      yield* it.expectError(/^app\.ts is still being loaded: what it awaits at its top level has not ended\.\n/)
      yield* it.kill("SIGTERM")
      assert.strictEqual((yield* it.ended).code, 130)
    }))
})

describe("the app in the file", () => {
  cases({
    "is missing: says what the file exports": {
      files: { "app.ts": "export const a = 1\nexport const list = [1]\nexport class B {}\nexport default () => {}\n" },
      words: run("app.ts"),
      code: 2,
      says: [
        "app.ts has no app: it exports B (a class), a (a number), default (a function), list (an array), " +
        "and does not call Kore.main.",
        "export const app = Kore.app({ … })",
        "KORE_CLI_NO_APP"
      ]
    },
    "is missing from an empty file": {
      files: { "app.ts": "" },
      words: ["routes", "app.ts"],
      code: 2,
      says: ["app.ts has no app: it exports nothing, and does not call Kore.main."]
    },
    "is a Layer": {
      files: { "app.ts": "import * as Layer from \"effect/Layer\"\nexport const site = Layer.empty\n" },
      words: ["check", "app.ts"],
      code: 2,
      says: ["app.ts has no app: it exports site (a Layer)", "export const app = Kore.app({ servers, worker: site })"]
    },
    "is an Effect that nobody runs": {
      files: {
        "app.ts": `import { Kore } from "kore-fx"\nimport { app } from ${
          JSON.stringify(path.join(Cli.here, "exported.ts"))
        }\nexport const main = Kore.main(app)\n`
      },
      words: run("app.ts"),
      code: 2,
      says: ["app.ts has no app: it exports main (an Effect)", "Effect.runFork(main)"]
    },
    "is one of several": {
      words: run(path.join(Cli.here, "several.ts")),
      code: 2,
      says: [`${path.join(Cli.here, "several.ts")} has more than one app: azure, green.`, "KORE_CLI_SEVERAL_APPS"]
    }
  })
})

describe("bin", () => {
  const old = (version: string) => [
    "--import",
    `data:text/javascript,Object.defineProperty(process.versions,'node',{value:'${version}'})`
  ]

  it.live("refuses a Node.js that is too old, in the words of the table", () =>
    Effect.gen(function*() {
      for (const version of ["20.20.2", "26.9.1"]) {
        const { code, stderr, stdout } = yield* Cli.run(["run", "exported.ts"], { node: old(version) })
        const { code: name, expected, exitStatus, hint, sentence } = table.NodeTooOld
        assert.strictEqual(
          stderr,
          `${sentence.replace("{version}", version)}\nExpected: ${expected}\nWhat to do: ${hint} [${name}]\n`
        )
        assert.strictEqual(code, exitStatus)
        assert.strictEqual(stdout, "")
      }
    }))

  it.live("accepts newer ones", () =>
    Effect.gen(function*() {
      for (const version of ["26.10.0", "27.0.0"]) {
        assert.strictEqual((yield* Cli.run(["--version"], { node: old(version) })).code, 0)
      }
    }))
})

describe("the table", () => {
  it("has no code twice", () => {
    const codes = Object.values(table).map(({ code }) => code)
    assert.strictEqual(new Set(codes).size, codes.length)
  })

  it("stands in docs/cli.md, code by code", () => {
    const docs = fs.readFileSync(new URL("../../../docs/cli.md", import.meta.url), "utf8")
    for (const { code, exitStatus } of Object.values(table)) assert.include(docs, `| \`${code}\` | ${exitStatus} |`)
  })

  it("has no code that these tests do not show", () => {
    const tests = ["Errors.test.ts", "Run.test.ts", "Check.test.ts", "Routes.test.ts", "Ps.test.ts"]
      .map((file) => fs.readFileSync(new URL(file, import.meta.url), "utf8")).join("\n")
    for (const { code } of Object.values(table)) {
      if (code !== table.NodeTooOld.code) assert.include(tests, code)
    }
  })
})
