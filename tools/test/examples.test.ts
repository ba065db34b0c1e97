import { assert, describe, it } from "vitest"
import { extract, namespaces, program } from "../examples.ts"

const source = `/**
 * A lock.
 *
 * \`\`\`ts
 * notAnExample()
 * \`\`\`
 *
 * @example
 * \`\`\`ts
 * const lock = Lock.make
 *
 * \`\`\`
 * @see somewhere
 * \`\`\`ts
 * notAnExample()
 * \`\`\`
 */
export const x = 1
`

describe("examples", () => {
  it("are the blocks after @example in docstrings, where they stand", () => {
    assert.deepStrictEqual(extract({ path: "packages/core/src/Lock.ts", text: source }), [
      { path: "packages/core/src/Lock.ts", line: 10, code: ["const lock = Lock.make", ""] }
    ])
  })

  it("are all blocks of a page but those that are marked as partial", () => {
    const text = "# Title\n```ts\na()\n```\n```ts partial\nb(…)\n```\n```sh\nls\n```\n"
    assert.deepStrictEqual(extract({ path: "docs/a.md", text }), [{ path: "docs/a.md", line: 3, code: ["a()"] }])
  })

  it("have every line where it stands in the source", () => {
    const [example] = extract({ path: "packages/core/src/Lock.ts", text: source })
    const lines = program(example!, "@kore-fx/core", ["Lock"], ["Effect"]).split("\n")
    assert.strictEqual(lines[9], "const lock = Lock.make")
  })

  const importsOf = (...code: ReadonlyArray<string>) =>
    program({ path: "a.ts", line: 2, code }, "@kore-fx/core", ["Lock", "Queue"], ["Effect", "Queue"]).split("\n")[0]

  it("may use the namespaces of the package, then those of Effect, without importing them", () => {
    assert.strictEqual(
      importsOf("Effect.andThen(Queue.make(), Lock.make)", "Nowhere.x"),
      "import * as Effect from \"effect/Effect\";import { Queue } from \"@kore-fx/core\";import { Lock } from \"@kore-fx/core\";"
    )
  })

  it.each([
    ["import { Lock } from \"kore-fx\"", "Lock.make"],
    ["import {\n  Lock,\n  Task\n} from \"kore-fx\"", "Lock.make"],
    ["import * as Lock from \"x\"", "Lock.make"],
    ["class Lock {}", "Lock.make"],
    ["// not Lock", "Effects.Lock.make"]
  ])("import nothing that is there already: %s", (...code) => assert.strictEqual(importsOf(...code), ""))

  it("know the namespaces of an index", () => {
    assert.deepStrictEqual(
      namespaces("export * as Kore from \"./Kore.ts\"\nexport {\n  Domain,\n  Route\n} from \"@kore-fx/http\"\n"),
      ["Kore", "Domain", "Route"]
    )
  })
})
