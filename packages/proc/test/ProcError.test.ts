import { assert, describe, it } from "@effect/vitest"
import * as ProcError from "../src/ProcError.ts"

const reasons = Object.keys(ProcError.table) as ReadonlyArray<ProcError.ProcError["reason"]>

describe("ProcError", () => {
  it("has a code of its own for every reason", () => {
    assert.strictEqual(new Set(Object.values(ProcError.table).map(({ code }) => code)).size, reasons.length)
  })

  for (const reason of reasons) {
    it(`says of ${reason} what happened, what was expected, and what to do`, () => {
      const error = new ProcError.ProcError({ reason, command: "cat -n", pid: 12, code: "ENOENT", detail: "something" })
      assert.notMatch(error.message, /[{}]|undefined/)
      assert.include(error.message, "`cat -n` (pid 12)")
      assert.isTrue(error.message.endsWith(`[${ProcError.table[reason].code}]`))
      assert.isAtLeast(error.message.match(/\.( |$)/g)!.length, 3)
    })
  }

  it("says what to do about a code that it does not know", () => {
    const error = new ProcError.ProcError({ reason: "NotStarted", command: "x", code: "EPERM", detail: "y" })
    assert.include(error.message, "execve(2)")
  })
})
