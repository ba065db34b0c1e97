/** What a directory of files promises, asked in raw bytes: which file, and what never. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import * as nodePath from "node:path"
import { pathToFileURL } from "node:url"
import * as Filemap from "../../src/Filemap.ts"
import { fifos, later, serve, tree, write } from "./site.ts"

const statusOf = ({ status }: { readonly status: number }) => status

describe("a file map", () => {
  it.live("answers GET and HEAD with the file, its type and its validators, and other methods with 405", () =>
    Effect.gen(function*() {
      const root = yield* tree({ "css/app.css": "p { color: red }", "käse/+ 100%.txt": "gouda" })
      const { ask } = yield* serve(Filemap.routes("/static", root, { cacheControl: (path) => `x-path=${path}` }))
      const got = yield* ask("/static/css/app.css")
      assert.strictEqual(got.status, 200)
      assert.strictEqual(got.body, "p { color: red }")
      assert.strictEqual(got.headers["content-type"], "text/css; charset=utf-8")
      assert.strictEqual(got.headers["accept-ranges"], "bytes")
      assert.strictEqual(got.headers["cache-control"], "x-path=css/app.css")
      assert.match(got.headers["etag"]!, /^"[\w-]{22}"$/)
      const { mtimeMs } = fs.statSync(`${root}/css/app.css`)
      assert.strictEqual(got.headers["last-modified"], new Date(mtimeMs).toUTCString())
      const head = yield* ask("/static/css/app.css", { method: "HEAD" })
      assert.deepStrictEqual({ ...head, body: got.body }, got)
      assert.strictEqual(statusOf(yield* ask("/static/css/app.css", { method: "POST" })), 405)
      const encoded = yield* ask("/static/k%C3%A4se/+%20100%25.txt")
      assert.strictEqual(encoded.body, "gouda")
    }))

  it.live("B26: a plus in a path is a plus and no blank", () =>
    Effect.gen(function*() {
      const root = yield* tree({ "c++.txt": "plus", "c  .txt": "blanks" })
      const { ask } = yield* serve(Filemap.routes("/", root))
      assert.strictEqual((yield* ask("/c++.txt")).body, "plus")
      assert.strictEqual((yield* ask("/c%2b%2B.txt")).body, "plus")
      assert.strictEqual((yield* ask("/c%20%20.txt")).body, "blanks")
    }))

  it.live("B29: an empty file is 200 and empty, with validators, and a range of it is the whole", () =>
    Effect.gen(function*() {
      const root = yield* tree({ "empty.txt": "" })
      const { ask } = yield* serve(Filemap.routes("/", root))
      const got = yield* ask("/empty.txt")
      assert.deepStrictEqual([got.status, got.body, got.headers["content-length"]], [200, "", "0"])
      const ranged = yield* ask("/empty.txt", { headers: { range: "bytes=0-" } })
      assert.deepStrictEqual([ranged.status, ranged.body], [200, ""])
      const again = yield* ask("/empty.txt", { headers: { "if-none-match": got.headers["etag"]! } })
      assert.strictEqual(again.status, 304)
    }))

  it.live("A1: a directory beside it, whose name begins alike, is not reached by any spelling of the way up", () =>
    Effect.gen(function*() {
      const top = yield* tree({ "www/sub/a.txt": "a", "www-private/x": "SECRET", "www-private/index.html": "SECRET" })
      const { ask } = yield* serve([
        ...Filemap.routes("/files", `${top}/www`, { dotfiles: "allow" }),
        ...Filemap.routes("/", `${top}/www`, { dotfiles: "allow" })
      ])
      for (
        const up of ["..", "%2e%2e", ".%2E", "..%2f..", "..%5c..", "%252e%252e", "sub/../..", "sub/%2e./..", "...."]
      ) {
        for (const prefix of ["/files/", "/", "//", "/files//"]) {
          for (const target of ["www-private/x", "/www-private/x", "www-private/", "../../../../etc/passwd"]) {
            const { body, status } = yield* ask(`${prefix}${up}/${target}`)
            assert.deepStrictEqual([status, body.includes("SECRET")], [404, false], `${prefix}${up}/${target}`)
          }
        }
      }
      assert.strictEqual(statusOf(yield* ask("/files/sub/a.txt")), 200)
    }))

  it.live("A1: a link within the directory is followed and one out of it is 404, in memory or not", () =>
    Effect.gen(function*() {
      const top = yield* tree({ "www/real/a.txt": "inside", "www-old/secret.txt": "SECRET" })
      const www = `${top}/www`
      fs.symlinkSync("real/a.txt", `${www}/file`)
      fs.symlinkSync("real", `${www}/dir`)
      fs.symlinkSync("../www-old/secret.txt", `${www}/out`)
      fs.symlinkSync("../www-old", `${www}/outdir`)
      fs.symlinkSync("out", `${www}/chain`)
      fs.symlinkSync("loop", `${www}/loop`)
      fs.symlinkSync("nowhere", `${www}/dangling`)
      const { ask } = yield* serve([...Filemap.routes("/", www), ...Filemap.routes("/old", `${top}/www-old`)])
      yield* later
      for (const round of [1, 2]) {
        // What a link leads out to is in memory already, and that changes nothing.
        assert.strictEqual((yield* ask("/old/secret.txt")).body, "SECRET")
        for (const path of ["/file", "/dir/a.txt"]) assert.strictEqual((yield* ask(path)).body, "inside", `${round}`)
        for (const path of ["/out", "/outdir/secret.txt", "/chain", "/loop", "/dangling", "/outdir", "/outdir/"]) {
          assert.strictEqual(statusOf(yield* ask(path)), 404, `${path} ${round}`)
        }
      }
    }))

  it.live("sends a file by the name that it was asked for as, though its link shares what is in memory", () =>
    Effect.gen(function*() {
      const root = yield* tree({ "a.txt": "<b>" })
      fs.symlinkSync("a.txt", `${root}/b.html`)
      const { ask } = yield* serve(Filemap.routes("/", root, { cacheControl: (path) => path }))
      yield* later
      for (const _ of [1, 2]) {
        const [a, b] = [(yield* ask("/a.txt")).headers, (yield* ask("/b.html")).headers]
        assert.deepInclude(a, { "content-type": "text/plain; charset=utf-8", "cache-control": "a.txt" })
        assert.deepInclude(b, { "content-type": "text/html; charset=utf-8", "cache-control": "b.html" })
      }
    }))

  it.live("A1: a file or a directory that is replaced by a link out of it is gone at the next request", () =>
    Effect.gen(function*() {
      const top = yield* tree({ "www/a.txt": "inside", "www/sub/deep/b.txt": "inside" })
      const { ask } = yield* serve(Filemap.routes("/", `${top}/www`))
      yield* later
      for (const path of ["/a.txt", "/sub/deep/b.txt"]) assert.strictEqual((yield* ask(path)).body, "inside")
      fs.renameSync(`${top}/www/a.txt`, `${top}/a.txt`)
      fs.symlinkSync(`${top}/a.txt`, `${top}/www/a.txt`)
      // The file itself is untouched: only its way there leads out.
      fs.renameSync(`${top}/www/sub`, `${top}/sub`)
      fs.symlinkSync(`${top}/sub`, `${top}/www/sub`)
      for (const path of ["/a.txt", "/sub/deep/b.txt"]) assert.strictEqual(statusOf(yield* ask(path)), 404, path)
    }))

  it.live("whose directory is a link follows it to its new end at the next request", () =>
    Effect.gen(function*() {
      const top = yield* tree({ "releases/1/a.txt": "one", "releases/2/a.txt": "two" })
      const current = `${top}/current`
      fs.symlinkSync("releases/1", current)
      fs.symlinkSync("a.txt", `${top}/releases/2/b.txt`)
      const { ask } = yield* serve(Filemap.routes("/", current))
      yield* later
      assert.strictEqual((yield* ask("/a.txt")).body, "one")
      fs.symlinkSync("releases/2", `${current}.new`)
      fs.renameSync(`${current}.new`, current)
      assert.strictEqual((yield* ask("/a.txt")).body, "two")
      assert.strictEqual((yield* ask("/b.txt")).body, "two")
    }))

  it.live.each([["has just changed", false], ["was at rest", true]] as const)(
    "sends a file that %s as it is at the next request: written over, replaced, longer, gone, back",
    ([, isSettled]) =>
      Effect.gen(function*() {
        const root = yield* tree({ "a.txt": "one" })
        const path = `${root}/a.txt`
        fs.utimesSync(path, 1e9, 1e9)
        const { ask } = yield* serve(Filemap.routes("/", root))
        if (isSettled) yield* later
        const tags = new Set<string | undefined>()
        const expect = Effect.fnUntraced(function*(content: string) {
          for (const _ of [1, 2]) {
            const { body, headers } = yield* ask("/a.txt")
            assert.strictEqual(body, content)
            tags.add(headers["etag"])
          }
        })
        yield* expect("one")
        // Of the same size, with the same time of modification: as a build that is reproducible makes it.
        if (isSettled) yield* Effect.sleep("20 millis")
        fs.writeFileSync(path, "two")
        fs.utimesSync(path, 1e9, 1e9)
        yield* expect("two")
        write(`${root}/new`, "new")
        fs.renameSync(`${root}/new`, path)
        yield* expect("new")
        fs.appendFileSync(path, "er")
        yield* expect("newer")
        fs.rmSync(path)
        assert.strictEqual(statusOf(yield* ask("/a.txt")), 404)
        fs.writeFileSync(path, "back")
        yield* expect("back")
        assert.strictEqual(tags.size, 5)
      })
  )

  it.live("redirects a directory to its path with a slash, with the query, and nobody to another host", () =>
    Effect.gen(function*() {
      const root = yield* tree({ "docs/index.html": "the index", "docs/empty/x": "" })
      const { ask } = yield* serve([...Filemap.routes("/", root), ...Filemap.routes("/static/", root)])
      const to = Effect.fnUntraced(function*(path: string) {
        const { headers, status } = yield* ask(path)
        return [status, headers["location"]] as const
      })
      assert.deepStrictEqual(yield* to("/docs"), [308, "/docs/"])
      assert.deepStrictEqual(yield* to("/docs?a=1&b=%2F//x"), [308, "/docs/?a=1&b=%2F//x"])
      assert.deepStrictEqual(yield* to("/static?q"), [308, "/static/?q"])
      assert.deepStrictEqual(yield* to("/d%6fcs"), [308, "/d%6fcs/"])
      assert.deepStrictEqual(yield* to("//docs"), [404, undefined])
      assert.deepStrictEqual(yield* to("//docs/"), [404, undefined])
      assert.deepStrictEqual(yield* to("/%5cdocs"), [404, undefined])
      assert.strictEqual((yield* ask("/docs/?x")).body, "the index")
      assert.deepStrictEqual(yield* to("/docs/empty/"), [404, undefined])
      assert.deepStrictEqual(yield* to("/docs/index.html/"), [404, undefined])
    }))

  it.live("keeps hidden files to itself unless told otherwise, but for .well-known", () =>
    Effect.gen(function*() {
      const files = { ".env": "x", ".git/config": "x", "a/.b": "x", ".well-known/acme": "x", ".well-known/.x": "x" }
      const root = yield* tree(files)
      const hidden = yield* serve(Filemap.routes("/", root))
      const shown = yield* serve(Filemap.routes("/", root, { dotfiles: "allow" }))
      for (const name of [...Object.keys(files), "%2eenv"]) {
        const isKnown = name === ".well-known/acme"
        assert.strictEqual(statusOf(yield* hidden.ask(`/${name}`)), isKnown ? 200 : 404, name)
        assert.strictEqual(statusOf(yield* shown.ask(`/${name}`)), 200, name)
      }
      assert.strictEqual(statusOf(yield* hidden.ask("/a/.well-known/x")), 404)
    }))

  it.live("answers 404 to what is no regular file, without waiting for it", () =>
    Effect.gen(function*() {
      const root = yield* tree({ "a.txt": "a" })
      fifos(`${root}/fifo`, `${root}/index.html`)
      fs.symlinkSync("/dev/zero", `${root}/zero`)
      const { ask } = yield* serve(Filemap.routes("/", root))
      for (const path of ["/fifo", "/zero", "/", "/a.txt/b", `/${"x".repeat(300)}`, `/${"x/".repeat(3000)}`]) {
        assert.strictEqual(statusOf(yield* ask(path)), 404, path)
      }
    }))

  it.live("answers 400 to a path that is not percent-encoded UTF-8, at any depth", () =>
    Effect.gen(function*() {
      const root = yield* tree({ "sub/a.txt": "a" })
      const { ask } = yield* serve(Filemap.routes("/s", root))
      for (
        const path of ["/s/%ff", "/s/sub/%ff", "/s/sub/%", "/s/sub/%zz", "/s/sub/%c0%ae%c0%ae/x", "/s/../%ed%a0%80"]
      ) {
        assert.strictEqual(statusOf(yield* ask(path)), 400, path)
      }
      assert.strictEqual(statusOf(yield* ask("/s/sub/a.txt%00")), 404)
    }))

  it.live("takes its index, extension and types from the options of the server, and its own before those", () =>
    Effect.gen(function*() {
      const root = yield* tree({
        "home.htm": "home",
        "about.html": "html",
        "about.txt": "text",
        "a.kr": "",
        "b.html/x": ""
      })
      const config = { filemapIndex: "home.htm", filemapExt: ".html", httpMediaType: ["text/x-kore kr", "text/y txt"] }
      const usual = yield* serve(Filemap.routes("/", root), config)
      assert.strictEqual((yield* usual.ask("/")).body, "home")
      assert.strictEqual((yield* usual.ask("/about")).headers["content-type"], "text/html; charset=utf-8")
      assert.strictEqual((yield* usual.ask("/a.kr")).headers["content-type"], "text/x-kore; charset=utf-8")
      assert.strictEqual(statusOf(yield* usual.ask("/b")), 404)
      assert.strictEqual(statusOf(yield* usual.ask("/about/")), 404)
      const own = yield* serve(
        Filemap.routes("/", root, { index: false, extensions: [".md", ".txt"], mediaTypes: ["text/z kr"] }),
        config
      )
      assert.strictEqual(statusOf(yield* own.ask("/")), 404)
      const about = yield* own.ask("/about")
      assert.deepStrictEqual([about.body, about.headers["content-type"]], ["text", "text/y; charset=utf-8"])
      assert.strictEqual((yield* own.ask("/a.kr")).headers["content-type"], "text/z; charset=utf-8")
      const none = yield* serve(Filemap.routes("/", root, { extensions: false }), config)
      assert.strictEqual(statusOf(yield* none.ask("/about")), 404)
    }))

  it.live("sends the compressed file beside one to who accepts it, and says that it depends on that", () =>
    Effect.gen(function*() {
      const root = yield* tree({
        "a.js": "plain",
        "a.js.br": "brotli",
        "a.js.gz": "gzip",
        "b.js": "plain",
        "c.png": "plain",
        "c.png.br": "no",
        "d.js.br": "alone"
      })
      fs.symlinkSync("/etc/hostname", `${root}/b.js.br`)
      const { ask } = yield* serve(Filemap.routes("/", root))
      const accepting = Effect.fnUntraced(function*(path: string, accept: string | undefined) {
        const { body, headers } = yield* ask(path,
          accept === undefined ? {} : { headers: { "accept-encoding": accept } })
        return [body, headers["content-encoding"], headers["vary"], headers["content-type"]?.split(";")[0]]
      })
      const js = "text/javascript"
      const vary = "accept-encoding"
      assert.deepStrictEqual(yield* accepting("/a.js", "gzip, deflate, br, zstd"), ["brotli", "br", vary, js])
      assert.deepStrictEqual(yield* accepting("/a.js", "br;q=0.5, gzip"), ["gzip", "gzip", vary, js])
      assert.deepStrictEqual(yield* accepting("/a.js", "br;q=0, *"), ["gzip", "gzip", vary, js])
      assert.deepStrictEqual(yield* accepting("/a.js", "zstd"), ["plain", undefined, vary, js])
      assert.deepStrictEqual(yield* accepting("/a.js", undefined), ["plain", undefined, vary, js])
      assert.deepStrictEqual(yield* accepting("/b.js", "br"), ["plain", undefined, vary, js])
      assert.deepStrictEqual(yield* accepting("/c.png", "br"), ["plain", undefined, undefined, "image/png"])
      assert.strictEqual(statusOf(yield* ask("/d.js", { headers: { "accept-encoding": "br" } })), 404)
      // Each representation has a tag of its own, and a range is of what is sent.
      const tag = (yield* ask("/a.js")).headers["etag"]!
      const both = { "accept-encoding": "br", "if-none-match": tag, range: "bytes=1-3" }
      const part = yield* ask("/a.js", { headers: both })
      assert.deepStrictEqual([part.status, part.body, part.headers["content-range"]], [206, "rot", "bytes 1-3/6"])
      const off = yield* serve(Filemap.routes("/", root, { precompressed: ["gzip"] }))
      assert.strictEqual((yield* off.ask("/a.js", { headers: { "accept-encoding": "br, gzip" } })).body, "gzip")
      const none = yield* serve(Filemap.routes("/", root, { precompressed: false }))
      const plain = yield* none.ask("/a.js", { headers: { "accept-encoding": "br, gzip" } })
      assert.deepStrictEqual([plain.body, plain.headers["vary"]], ["plain", undefined])
    }))

  it.live("says nothing of validators that are switched off, and tells none of a time that is still to come", () =>
    Effect.gen(function*() {
      const root = yield* tree({ "a.txt": "a", "future.txt": "b" })
      fs.utimesSync(`${root}/future.txt`, new Date(), new Date(Date.now() + 1e9))
      const { ask } = yield* serve([
        ...Filemap.routes("/", root),
        ...Filemap.routes("/none", root, { etag: false, lastModified: false })
      ])
      yield* later
      yield* ask("/a.txt")
      const none = yield* ask("/none/a.txt", { headers: { "if-modified-since": new Date().toUTCString() } })
      assert.deepStrictEqual([none.status, none.headers["etag"], none.headers["last-modified"]], [200, undefined,
        undefined])
      assert.isDefined((yield* ask("/a.txt")).headers["last-modified"])
      assert.isUndefined((yield* ask("/future.txt")).headers["last-modified"])
    }))
})

describe("a file map that is declared wrongly", () => {
  it.live("is refused where it is declared, with the option and its value", () =>
    Effect.gen(function*() {
      const root = yield* tree({ "file": "x" })
      const refused = (make: () => unknown, ...words: ReadonlyArray<string>) => {
        try {
          make()
        } catch (error) {
          assert.instanceOf(error, TypeError)
          for (const word of words) assert.include((error as Error).message, word)
          return
        }
        assert.fail(`not refused: ${String(make)}`)
      }
      refused(() => Filemap.routes("/", nodePath.join(root, "none")), `${root}/none`, "ENOENT")
      refused(() => Filemap.routes("/", nodePath.join(root, "file")), `${root}/file`, "no directory")
      refused(() => Filemap.routes("/", ""), "the directory")
      refused(() => Filemap.routes("/", new URL("https://example.com/")), "https://example.com/")
      for (const path of ["static", "/:id", "/a/*rest", "/a//b", "/a/../b", "/a?b", "//a"]) {
        refused(() => Filemap.routes(path as "/", root), "the path", path)
      }
      refused(() => Filemap.routes("/", root, { index: "../x" }), "index", "../x")
      refused(() => Filemap.routes("/", root, { extensions: "html" }), "extensions", "html")
      refused(() => Filemap.routes("/", root, { extensions: [".a", "./b"] }), "extensions", "./b")
      refused(() => Filemap.routes("/", root, { mediaTypes: ["html"] }), "mediaTypes", "html")
      refused(() => Filemap.routes("/", root, { cacheControl: "a\r\nb" }), "cacheControl")
      refused(() => Filemap.routes("/", root, { precompressed: ["brotli" as "br"] }), "precompressed", "brotli")
      refused(() => Filemap.routes("/", root, { dotfiles: "ignore" as "deny" }), "dotfiles", "ignore")
      refused(() => Filemap.routes("/", root, { etag: "weak" as never }), "etag", "weak")
      assert.strictEqual(Filemap.routes("/a", pathToFileURL(root)).length, 2)
    }))
})
