import { assert, describe, it } from "@effect/vitest"
import * as FiberRow from "../../src/process/FiberRow.ts"

const row: FiberRow.FiberRow = {
  id: 7,
  kind: "task",
  name: "welcome",
  state: "running",
  since: 12,
  age: 345,
  waits: [],
  spans: []
}

describe("the rows that travel", () => {
  it("are the first ones, as many as fit into the bytes", () => {
    const size = JSON.stringify(row).length + 1
    const rows = Array.from({ length: 10 }, () => row)
    assert.lengthOf(FiberRow.bounded(rows, 10 * size), 10)
    assert.lengthOf(FiberRow.bounded(rows, 10 * size - 1), 9)
    assert.lengthOf(FiberRow.bounded(rows, size - 1), 0)
    assert.lengthOf(FiberRow.bounded([{ ...row, name: "é".repeat(7) }], size), 0)
  })

  it("have texts and lists of a length that people read", () => {
    const wait = { kind: "k".repeat(1000), what: "w".repeat(1000), since: 1 }
    const [short] = FiberRow.bounded([{
      ...row,
      name: "n".repeat(1000),
      waits: Array.from({ length: 100 }, () => wait),
      spans: Array.from({ length: 100 }, () => "s".repeat(1000))
    }], 1_000_000)
    assert.strictEqual(short!.name, `${"n".repeat(199)}…`)
    assert.lengthOf(short!.waits, 8)
    assert.lengthOf(short!.spans, 8)
    assert.isBelow(JSON.stringify(short).length, 6_000)
  })
})
