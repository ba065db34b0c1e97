import { assert, describe, it } from "@effect/vitest"
import { cut } from "../../src/log/Cut.ts"

describe("cut", () => {
  it("leaves what fits, counts bytes and not characters, and divides no character", () => {
    assert.strictEqual(cut("éé", 4), "éé")
    assert.strictEqual(cut("é".repeat(20), 21), "é… (38 bytes cut)")
    assert.strictEqual(cut("é".repeat(20), 20), "é… (38 bytes cut)")
    assert.strictEqual(cut("👍".repeat(20), 21), "… (80 bytes cut)")
  })

  it("says that something was cut, also where there is room for nothing else", () => {
    assert.strictEqual(cut("x".repeat(20), 0), "… (20 bytes cut)")
  })
})
