import { join } from "node:path"
import { assert, describe, it } from "vitest"
import { root } from "../tsgo.ts"
import * as TypeErrors from "../type-errors.ts"

describe("what must not compile", () => {
  const fixtures = TypeErrors.read(join(root, "packages/kore-fx/test/types/negative/tsconfig.json"))
  it.each(fixtures)("$name: the compiler says what is wrong", (fixture) => {
    assert.deepStrictEqual(TypeErrors.problems(fixture), [])
  })
})

describe("a fixture proves nothing", () => {
  const proven = { name: "a", expected: ["not a port"], said: ["'x' is not a port"] }

  it.each([
    ["when it expects nothing", { expected: [] }, "it has no `// expect: <text>`"],
    ["when it compiles", { said: [] }, "it compiles"],
    ["when the message changed", { said: ["'x' is no port"] }, "no error says: not a port"],
    ["when it is broken in another way too", { said: [...proven.said, "Cannot find module"] },
      "unexpected: Cannot find module"]
  ])("%s", (_, change, problem) => {
    assert.include(TypeErrors.problems({ ...proven, ...change }), problem)
    assert.deepStrictEqual(TypeErrors.problems(proven), [])
  })

  it("expectations are the comments, one a line", () => {
    assert.deepStrictEqual(TypeErrors.expectations("// expect: a b \nconst x = 1\n  // expect: c\n// hello"), ["a b",
      "c"])
  })
})
