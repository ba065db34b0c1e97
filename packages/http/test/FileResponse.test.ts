import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as fs from "node:fs"
import * as FileResponse from "../src/FileResponse.ts"
import * as Route from "../src/Route.ts"
import { isFieldValue } from "../src/transport/Syntax.ts"
import { serve, tree } from "./filemap/site.ts"

describe("FileResponse.make", () => {
  it.live("sends one file with the conditions and ranges of a file map, under a name of its own", () =>
    Effect.gen(function*() {
      const root = yield* tree({ "report-7.pdf": "content" })
      const { ask } = yield* serve([
        Route.get("/report", ({ request }) =>
          FileResponse.make(request, `${root}/report-7.pdf`, {
            filename: "Bericht \"Süd\".pdf",
            cacheControl: "private"
          })),
        Route.get("/inline", ({ request }) =>
          FileResponse.make(request, `${root}/report-7.pdf`, {
            disposition: "inline",
            mediaType: "text/x-own",
            etag: false
          }))
      ])
      const { body, headers, status } = yield* ask("/report")
      assert.deepStrictEqual([status, body], [200, "content"])
      assert.deepInclude(headers, {
        "content-type": "application/pdf",
        "content-disposition":
          "attachment; filename=\"Bericht _S_d_.pdf\"; filename*=UTF-8''Bericht%20%22S%C3%BCd%22.pdf",
        "cache-control": "private"
      })
      assert.strictEqual((yield* ask("/report", { headers: { "if-none-match": headers["etag"]! } })).status, 304)
      const part = yield* ask("/report", { headers: { range: "bytes=-3" } })
      assert.deepStrictEqual([part.status, part.body], [206, "ent"])
      const inline = yield* ask("/inline", { method: "HEAD" })
      assert.deepInclude(inline.headers, {
        "content-type": "text/x-own",
        "content-disposition": "inline",
        "content-length": "7"
      })
      assert.isUndefined(inline.headers["etag"])
    }))

  it.live("A1: within a root takes any text of a client for a path, and none leads out", () =>
    Effect.gen(function*() {
      const top = yield* tree({ "up/a/b.txt": "b", "up/.env": "SECRET", "up-old/x": "SECRET", "x": "SECRET" })
      fs.symlinkSync("../x", `${top}/up/link`)
      const name = { query: { name: Schema.String } }
      const { ask, reported } = yield* serve([
        Route.get("/file", name, ({ query, request }) => FileResponse.make(request, query.name, { root: `${top}/up` }))
      ])
      const get = (text: string) => ask(`/file?name=${encodeURIComponent(text)}`)
      assert.strictEqual((yield* get("a/b.txt")).body, "b")
      const others = ["../x", "a/../../x", "../up-old/x", `${top}/x`, "/a/b.txt", ".env", "link", "a", "", ".",
        "a//b.txt", "a/b.txt/", "a\\b.txt", "x\0", "%2e%2e/x", "ü/../../x"]
      for (const text of others) {
        const { body, status } = yield* get(text)
        assert.deepStrictEqual([status, body.includes("SECRET"), body.includes(top)], [404, false, false], text)
      }
      assert.deepStrictEqual(reported, [])
    }))

  it.live("fails with what a handler can answer otherwise when there is no regular file", () =>
    Effect.gen(function*() {
      const root = yield* tree()
      const { ask } = yield* serve([
        Route.get("/missing", ({ request }) => FileResponse.make(request, `${root}/none`)),
        Route.get("/nul", ({ request }) => FileResponse.make(request, `${root}/a\0b`)),
        Route.get("/directory", ({ request }) => FileResponse.make(request, root)),
        Route.get("/device", ({ request }) => FileResponse.make(request, "/dev/zero")),
        Route.get("/instead", ({ request }) =>
          FileResponse.make(request, `${root}/none`).pipe(
            Effect.catchTag("FileNotFound",
              () => FileResponse.make(request, "/etc/hosts", { mediaType: "text/x-hosts" }))
          ))
      ])
      for (const path of ["/missing", "/nul", "/directory", "/device"]) {
        const { body, status } = yield* ask(path)
        assert.strictEqual(status, 404, path)
        assert.notInclude(body, root)
      }
      assert.strictEqual((yield* ask("/instead")).headers["content-type"], "text/x-hosts")
    }))
})

/** Reads a value as RFC 6266 says: the disposition, the plain name, the extended one. */
const parse = (value: string) => {
  const match =
    /^(inline|attachment)(?:; filename="([\x20\x21\x23-\x5b\x5d-\x7e]*)")?(?:; filename\*=UTF-8''([\w!#$&+.^`|~%-]+))?$/
      .exec(value)
  assert.isNotNull(match, value)
  return { plain: match![2], extended: match![3] === undefined ? undefined : decodeURIComponent(match![3]) }
}

describe("content-disposition", () => {
  it.effect.prop("is a valid header for any name, and says that name without what could make a path of it", {
    name: Schema.Union([Schema.String,
      Schema.Array(Schema.Literals(["a", "\"", "\\", "/", "..", "é", "😀", "\r\n", ";", "%41", "'", "*", "\ud800"]))
        .pipe(
          Schema.check(Schema.isMaxLength(6))
        )]),
    disposition: Schema.Literals(["inline", "attachment"])
  }, ({ disposition, name }) =>
    Effect.sync(() => {
      const text = typeof name === "string" ? name : name.join("")
      const value = FileResponse.contentDisposition(disposition, text)
      assert.isTrue(isFieldValue(value))
      const { extended, plain } = parse(value)
      const safe = text.toWellFormed().replace(/[\p{Cc}/\\]/gu, "_")
      if (/^[. ]*$/.test(safe)) assert.strictEqual(value, disposition)
      else assert.strictEqual(extended ?? plain, safe)
      if (extended === undefined) assert.notInclude(plain ?? "", "%")
    }))
})
