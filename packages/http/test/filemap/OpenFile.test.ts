/** What stands at a path when it is opened may be something else than when it was looked at. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import * as Lookup from "../../src/filemap/Lookup.ts"
import * as OpenFile from "../../src/filemap/OpenFile.ts"
import { fifos, openCount, tree } from "./site.ts"

const setUp = Effect.gen(function*() {
  const top = yield* tree({ "www/sub/a.txt": "inside", "outside.txt": "SECRET" })
  const found = Lookup.find(`${top}/www`, ["sub", "a.txt"])
  if (found._tag !== "File") return yield* Effect.die(found)
  const { path } = found
  const read = Effect.map(Effect.scoped(OpenFile.open(found)), ({ _tag }) => {
    // Both ways of opening say the same, and neither leaves anything open.
    assert.strictEqual(OpenFile.readUnsafe(found)._tag, _tag === "Open" ? "Content" : _tag)
    assert.strictEqual(openCount(path) + openCount(`${top}/outside.txt`) + openCount(`${top}/sub/a.txt`), 0)
    return _tag
  })
  return { top, path, read }
})

describe("a file between the look and the opening", () => {
  it.effect("that is still the same is opened, and closed with the scope", () =>
    Effect.gen(function*() {
      const { path, read } = yield* setUp
      assert.strictEqual(yield* read, "Open")
      fs.rmSync(path)
      assert.strictEqual(yield* read, "Missing")
    }))

  it.effect("A1: that a link has taken the place of is not opened, whatever that leads to", () =>
    Effect.gen(function*() {
      const { path, read, top } = yield* setUp
      fs.renameSync(path, `${path}.old`)
      fs.symlinkSync(`${path}.old`, path)
      assert.strictEqual(yield* read, "Missing")
      fs.rmSync(path)
      fs.symlinkSync(`${top}/outside.txt`, path)
      assert.strictEqual(yield* read, "Missing")
    }))

  it.effect("A1: whose directory was moved out and linked is not read, though it is the same file", () =>
    Effect.gen(function*() {
      const { read, top } = yield* setUp
      fs.renameSync(`${top}/www/sub`, `${top}/sub`)
      fs.symlinkSync(`${top}/sub`, `${top}/www/sub`)
      assert.strictEqual(yield* read, "Changed")
    }))

  it.effect("that was replaced is looked at again, by another file, a FIFO or a directory, without waiting", () =>
    Effect.gen(function*() {
      const { path, read } = yield* setUp
      fs.writeFileSync(`${path}.new`, "inside")
      fs.renameSync(`${path}.new`, path)
      assert.strictEqual(yield* read, "Changed")
      fs.rmSync(path)
      fifos(path)
      assert.strictEqual(yield* read, "Changed")
      fs.rmSync(path)
      fs.mkdirSync(path)
      assert.strictEqual(yield* read, "Changed")
    }))

  it("tells what is no answer of the file system from what is", () => {
    const failed = (code: string) => Lookup.failed(Object.assign(new Error(code), { code }))._tag
    assert.strictEqual(failed("EACCES"), "Forbidden")
    assert.strictEqual(failed("ELOOP"), "Missing")
    assert.throws(() => failed("EMFILE"), "EMFILE")
  })
})
