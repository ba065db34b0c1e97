import { spawnSync } from "node:child_process"
import { assert, describe, it } from "vitest"
import { check, page, read, readRefusals, type Table } from "../errors.ts"
import { root } from "../tsgo.ts"

const entry = {
  code: "KORE_LATE",
  exitStatus: 1,
  sentence: "{who} came at {time}{why}.",
  expected: "One of\n  the <first>\n  `the_second`",
  hint: "{hint}"
} as const

const table: Table = {
  file: "Late.ts",
  title: "Trains",
  about: "`Train.wait` fails with them.",
  entries: { Late: entry }
}

describe("the codes", () => {
  it("that are right are left alone", () => {
    const other: Table = { ...table, file: "Bus.ts", entries: { Bus: { ...entry, code: "KORE_BUS_2" } } }
    assert.deepStrictEqual(check([table, other]), [])
  })

  it("of two tables, or of one, are not the same", () => {
    const problem = "Bus.ts: Late has the code KORE_LATE, and Late.ts: Late has it too: choose another one"
    assert.deepStrictEqual(check([table, { ...table, file: "Bus.ts" }]), [problem])
    assert.lengthOf(check([{ ...table, entries: { Late: entry, Later: entry } }]), 1)
  })

  it("have the form of one", () => {
    for (const code of ["LATE", "KORE_", "KORE_late", "KORE__LATE"]) {
      assert.match(check([{ ...table, entries: { Late: { ...entry, code } } }]).join(),
        /expected one such as KORE_CONFIG/)
    }
  })
})

describe("the page", () => {
  const written = page([table], [{ status: 503, detail: "busy" }, { status: 400, detail: "a * or a |" }])

  it("has the code, the class, the exit status, what happened, what was expected and what to do", () => {
    assert.include(
      written,
      [
        "### KORE_LATE",
        "",
        "`Late`, exit status 1.",
        "",
        "* What happened: `{who}` came at `{time}` `{why}`.",
        "* What was expected: One of<br>the \\<first\\><br>`the_second`",
        "* What to do: the message says it."
      ].join("\n")
    )
  })

  it("has refusals by status, and nothing that Markdown would take for its own", () => {
    assert.include(written, "| 400 | a \\* or a \\| |\n| 503 | busy |")
  })

  it("names the class that several share, and leads to what the system's codes ask for", () => {
    const { exitStatus: _, ...shared } = entry
    const text = page([{ ...table, tag: "TrainError", entries: { Late: shared }, hints: { ELATE: "Wait." } }], [])
    assert.include(text, "`TrainError` with the reason `Late`.\n")
    assert.include(text, "* What to do: see the table of the system's codes below.")
    assert.include(text, "| `ELATE` | Wait. |")
    assert.include(text, "one that ends a process does so with status 1")
    assert.notInclude(text, "exit status 1.")
  })
})

describe("the tables of this repository", () => {
  it("have no code twice, and docs/errors.md is what they say", () => {
    const { status, stderr } = spawnSync(process.execPath, ["tools/errors.ts", "--check"], {
      cwd: root,
      encoding: "utf8"
    })
    assert.strictEqual(stderr, "")
    assert.strictEqual(status, 0)
  })

  it("are all on the page, with the refusals", async () => {
    const [tables, refusals] = [await read(), await readRefusals()]
    const written = page(tables, refusals)
    for (const { entries } of tables) {
      for (const { code } of Object.values(entries)) assert.include(written, `### ${code}\n`)
    }
    assert.include(written, "httpRequestLimit allows")
    assert.isAbove(refusals.length, 30)
  })
})
