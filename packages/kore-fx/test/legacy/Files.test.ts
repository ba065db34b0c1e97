import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { kore } from "kore-fx/legacy"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import { ask, routes, start, text } from "./TestApp.ts"

const folder = Fs.mkdtempSync(Path.join(Os.tmpdir(), "legacy-files-"))
Fs.mkdirSync(Path.join(folder, "www/sub"), { recursive: true })
Fs.mkdirSync(Path.join(folder, "www-private"))
Fs.writeFileSync(Path.join(folder, "www/index.html"), "<p>index")
Fs.writeFileSync(Path.join(folder, "www/about.html"), "<p>about")
Fs.writeFileSync(Path.join(folder, "www/a+b.txt"), "plus")
Fs.writeFileSync(Path.join(folder, "www/data.csv"), "1,2")
Fs.writeFileSync(Path.join(folder, "www-private/x"), "secret")
process.on("exit", () => Fs.rmSync(folder, { recursive: true, force: true }))

const www = Path.join(folder, "www")

// What a declaration is refused with.
const refused = (install: (domain: kore.Domain) => void) =>
  Effect.map(Effect.flip(Effect.provide(text("/"), start(routes(install)))), String)

describe("domain.filemaps", () => {
  it.effect("A1, B26: serves what is below the directory, with index, extension and media type, and nothing beside", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* text("/files/"), "200 <p>index")
      assert.strictEqual(yield* text("/files/about"), "200 <p>about")
      assert.strictEqual(yield* text("/files/a+b.txt"), "200 plus")
      const csv = yield* ask("/files/data.csv")
      assert.match(csv.headers["content-type"]!, /^text\/x-test/)
      for (const path of ["/files/../www-private/x", "/files/%2e%2e/www-private/x", "/files/none"]) {
        assert.strictEqual((yield* ask(path)).status, 404)
      }
      assert.strictEqual((yield* ask("/files/about.html", { method: "HEAD" })).headers["content-length"], "8")
      assert.strictEqual((yield* ask("/files/about.html", { method: "POST" })).status, 405)
    }).pipe(Effect.provide(start(routes((domain) => {
      kore.config.filemap_ext = ".html"
      kore.config.http_media_type = ["text/x-test csv"]
      domain.filemaps({ "/files/": www })
    })))))

  it.effect("B18: stands among the routes where it was declared", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* text("/about.html"), "200 route")
      assert.strictEqual(yield* text("/data.csv"), "200 1,2")
    }).pipe(Effect.provide(start(routes((domain) => {
      domain.route("/about.html", (req) => req.response(200, "route"), { methods: ["get"] })
      domain.filemaps({ "/": www })
      domain.route("/data.csv", (req) => req.response(200, "never"), { methods: ["get"] })
    })))))

  it.effect("may ask who wants to know", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* ask("/data.csv")).status, 403)
      assert.strictEqual((yield* ask("/data.csv", { headers: { "x-key": "open" } })).text, "1,2")
    }).pipe(Effect.provide(start(routes((domain) =>
      domain.filemaps({
        "/": [www, { type: "header", value: "x-key", verify: (_req: kore.Request, key: string) => key === "open" }]
      })
    )))))

  it.effect("refuses a url without slashes around it and a directory that is not there", () =>
    Effect.gen(function*() {
      const failure = (maps: kore.Filemaps) => refused((domain) => domain.filemaps(maps))
      assert.match(
        yield* failure({ "/files": www }),
        /the filemap "\/files" needs a url that begins and ends with a slash/
      )
      assert.match(
        yield* failure({ "/files/": Path.join(folder, "none") }),
        /the filemap "\/files\/" has the directory .*none.* is none/
      )
    }))
})

describe("several filemaps", () => {
  Fs.mkdirSync(Path.join(www, "private"), { recursive: true })
  Fs.writeFileSync(Path.join(www, "private/secret.txt"), "secret")
  const auth = { type: "header", value: "x-key", verify: () => false } as const

  it.effect("do not let escapes hide a path from the one that asks who wants to know", () =>
    Effect.gen(function*() {
      for (
        const path of ["/private/secret.txt", "/%70rivate/secret.txt", "/private%2fsecret.txt",
          "/priv%61te/%73ecret.txt"]
      ) {
        const { status, text } = yield* ask(path)
        assert.include([403, 404], status, path)
        assert.notInclude(text, "secret\"")
      }
      assert.strictEqual(yield* text("/%61bout.html"), "200 <p>about")
    }).pipe(
      Effect.provide(
        start(routes((domain) => domain.filemaps({ "/private/": [Path.join(www, "private"), auth], "/": www })))
      )
    ))

  it.effect("are declared from the inner one to the outer one", () =>
    Effect.gen(function*() {
      const error = yield* refused((domain) => domain.filemaps({ "/": www, "/private/": [www, auth] }))
      assert.match(error, /the filemap "\/private\/" stands behind "\/", which has its paths: declare it before that/)
    }))
})

describe("domain.accesslog", () => {
  it.effect("http §17.1: writes a line for every request of its domain, in Kore's form", () =>
    Effect.gen(function*() {
      const path = Path.join(folder, "access.log")
      yield* Effect.gen(function*() {
        yield* text("/hello")
        yield* text("/old")
        yield* text("/files/data.csv")
        yield* text("/files/none")
      }).pipe(Effect.provide(start(routes((domain) => {
        domain.accesslog = path
        domain.route("/hello", (req) => req.response(200, "hello"))
        domain.redirect("^/old$", 302, "/hello")
        domain.filemaps({ "/files/": www })
      }))))
      const lines = Fs.readFileSync(path, "utf8").trimEnd().split("\n")
      const found = lines.map((line) => /"GET (\S+) HTTP\/1\.1" (\d{3}) (\d+)/.exec(line)?.slice(1).join(" ") ?? line)
      assert.deepStrictEqual(found.slice(0, 3), ["/hello 200 5", "/old 302 0", "/files/data.csv 200 3"])
      assert.match(found[3]!, /^\/files\/none 404 /)
      assert.strictEqual(lines.length, 4)
    }))
})

describe("domain.redirect", () => {
  it.effect("B30: goes before every route, for every method, with captures and the query, and nothing is left of $qs", () =>
    Effect.gen(function*() {
      const to = (url: string, method: "GET" | "POST" = "GET") =>
        Effect.map(ask(url, { method }), ({ headers, status }) => `${status} ${headers["location"]}`)
      assert.strictEqual(yield* to("/old/7?a=1&b=2"), "301 /new/7?a=1&b=2")
      assert.strictEqual(yield* to("/old/7", "POST"), "301 /new/7")
      assert.strictEqual(yield* text("/new/7"), "200 new")
    }).pipe(Effect.provide(start(routes((domain) => {
      domain.route(".", (req) => req.response(200, "new"))
      domain.redirect("^/old/([0-9]+)$", 301, "/new/$1?$qs")
    })))))

  it.effect("refuses a status that is no redirect", () =>
    Effect.gen(function*() {
      const error = yield* refused((domain) => domain.redirect("^/old", 99, "/"))
      assert.match(error, /has the status 99, expected a number from 300 to 399/)
      const host = yield* refused((domain) => domain.redirect("^/(.*)$", 301, "https://$1.example.com/"))
      assert.match(host, /HookError: .*the redirect "\^\/\(\.\*\)\$" cannot be used/)
    }))
})
