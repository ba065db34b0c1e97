import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as MediaType from "../src/MediaType.ts"
import { isFieldValue } from "../src/transport/Syntax.ts"

describe("the media type of a name", () => {
  it.each([
    ["index.html", "text/html; charset=utf-8"],
    ["a/b.c/INDEX.HTM", "text/html; charset=utf-8"],
    ["app.min.js", "text/javascript; charset=utf-8"],
    ["data.json", "application/json"],
    ["logo.svg", "image/svg+xml"],
    ["favicon.ico", "image/vnd.microsoft.icon"],
    ["font.woff2", "font/woff2"],
    ["module.wasm", "application/wasm"],
    ["backup.tar.gz", "application/gzip"],
    ["README", MediaType.UNKNOWN],
    [".profile", MediaType.UNKNOWN],
    ["dir.html/file", MediaType.UNKNOWN],
    ["a.", MediaType.UNKNOWN],
    ["a.constructor", MediaType.UNKNOWN],
    ["a.__proto__", MediaType.UNKNOWN],
    ["html", MediaType.UNKNOWN]
  ])("of %s is %s", (name, type) => assert.strictEqual(MediaType.of(name), type))

  it("B36: can be overridden, the last entry first", () => {
    const typeOf = MediaType.make(["text/x-a JS .kr", "application/b  kr\tq", "text/plain;charset=latin1 txt"])
    assert.strictEqual(typeOf("a.js"), "text/x-a; charset=utf-8")
    assert.strictEqual(typeOf("a.KR"), "application/b")
    assert.strictEqual(typeOf("a.q"), "application/b")
    assert.strictEqual(typeOf("a.txt"), "text/plain;charset=latin1")
    assert.strictEqual(typeOf("a.css"), MediaType.of("a.css"))
  })

  it("is refused with the entry where it is no type or has no extension", () => {
    for (
      const entry of ["", "text/csv", "csv text/csv", "text/ csv", "text/c\u0001v csv", "text/csv a/b", "text/csv a.b"]
    ) {
      assert.throws(() => MediaType.make([entry], "httpMediaType"), `httpMediaType: ${JSON.stringify(entry)}`)
    }
  })

  it.effect.prop("is that of its extension, whatever stands before it, and can always be sent", {
    directory: Schema.String,
    base: Schema.NonEmptyString,
    extension: Schema.Union([Schema.String, Schema.Literals(["css", "png", "tar", "toString", "7z"])])
  }, ({ base, directory, extension }) =>
    Effect.sync(() => {
      const type = MediaType.of(`${directory}/${base.replaceAll("/", "")}x.${extension}`)
      assert.isTrue(isFieldValue(type))
      assert.strictEqual(type, MediaType.of(`x.${extension.toUpperCase()}`.toLowerCase()))
      if (/[./]/.test(extension)) return
      assert.strictEqual(MediaType.make(["a/b z"])(`x.${extension}`), extension.toLowerCase() === "z" ? "a/b" : type)
    }))
})
