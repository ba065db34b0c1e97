import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as FileCache from "../../src/filemap/FileCache.ts"

const Step = Schema.Struct({
  kind: Schema.Literals(["get", "set", "delete"]),
  path: Schema.Literals(["a", "b", "c", "d", "e"]),
  size: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 6_000 }))
})

const entry = (size: number): FileCache.Entry => ({
  _tag: "Entry",
  identity: { dev: 0, ino: 0, size, mtimeMs: 0, ctimeMs: 0 },
  isSettled: true,
  bytes: Buffer.alloc(size),
  text: undefined,
  etag: "\"\"",
  answer: undefined
})

it.effect.prop(
  "the cache never holds more than its bytes, counts them, and lets go what was not used for longest",
  { steps: Schema.Array(Step).check(Schema.isMaxLength(30)) },
  ({ steps }) =>
    Effect.sync(() => {
      const max = 16_000
      const cache = new FileCache.Cache(max)
      let model: Array<readonly [path: string, entry: FileCache.Entry]> = []
      const cost = () => model.reduce((sum, [, { bytes }]) => sum + bytes.length + FileCache.OVERHEAD, 0)
      for (const { kind, path, size } of steps) {
        const found = model.find(([name]) => name === path)
        const others = model.filter((one) => one !== found)
        if (kind === "get") {
          assert.strictEqual(cache.get(path), found?.[1])
          if (found !== undefined) model = [...others, found]
        } else if (kind === "delete") {
          cache.delete(path)
          model = others
        } else {
          const added = entry(size)
          cache.set(path, added)
          model = [...others, [path, added]]
          while (cost() > max) model.shift()
        }
        assert.deepStrictEqual(cache.paths, model.map(([name]) => name))
        assert.strictEqual(cache.size, cost())
      }
    })
)

it("what is larger than the whole cache is not kept, and nothing goes for it", () => {
  const cache = new FileCache.Cache(4_000)
  cache.set("small", entry(10))
  cache.set("large", entry(5_000))
  assert.deepStrictEqual(cache.paths, ["small"])
})
