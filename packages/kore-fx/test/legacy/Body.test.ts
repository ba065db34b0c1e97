import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { kore } from "kore-fx/legacy"
import { createHash } from "node:crypto"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import { ask, routes, start, until } from "./TestApp.ts"

const folder = Fs.mkdtempSync(Path.join(Os.tmpdir(), "legacy-bodies-"))
process.on("exit", () => Fs.rmSync(folder, { recursive: true, force: true }))

const onDisk = (install: (domain: kore.Domain) => void) =>
  start(routes((domain) => {
    kore.config.http_body_disk_offload = 10
    kore.config.http_body_disk_path = folder
    install(domain)
  }))

const post = (body: string, headers: Record<string, string> = {}) =>
  Effect.map(ask("/", { method: "POST", body, headers }), ({ text }) => text)

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex")

const describeBody = (req: kore.Request) => {
  const [size, chunk] = req.body_read(4)
  const path = req.body_path
  req.response(200, JSON.stringify({
    isFile: path !== null && Fs.statSync(path).isFile(),
    name: path === null ? null : Path.basename(path).replace(/\d.*/, "…"),
    mode: path === null ? null : (Fs.statSync(path).mode & 0o777).toString(8),
    read: `${size} ${String(chunk)}`,
    body: String(req.body),
    rest: String(req.body_read(1024)[1]),
    digest: req.body_digest?.toString("hex") ?? null
  }))
}

describe("the body of a request", () => {
  it.effect("above http_body_disk_offload is a file of this user alone, and reads as one in memory does", () =>
    Effect.gen(function*() {
      const text = "0123456789abcdef"
      assert.deepStrictEqual(JSON.parse(yield* post(text)), {
        isFile: true,
        name: "http_body.…",
        mode: "600",
        read: "4 0123",
        body: text,
        rest: "456789abcdef",
        digest: sha256(text)
      })
      assert.deepStrictEqual(JSON.parse(yield* post("small")), {
        isFile: false,
        name: null,
        mode: null,
        read: "4 smal",
        body: "small",
        rest: "l",
        digest: sha256("small")
      })
      yield* until(() => Fs.readdirSync(folder).length === 0)
    }).pipe(Effect.provide(onDisk((domain) => domain.route("/", describeBody)))))

  it.effect("in a file is there as long as its coroutine and until on_free has ended, and no longer", () => {
    const seen: Array<string> = []
    return Effect.gen(function*() {
      assert.strictEqual(yield* post("0123456789abcdef"), "first")
      yield* until(() => seen.length === 1 && Fs.readdirSync(folder).length === 0)
      assert.deepStrictEqual(seen, ["freed 16"])
      assert.strictEqual((yield* ask("/later", { method: "POST", body: "0123456789abcdef" })).text, "first")
      yield* until(() => seen.length === 2 && Fs.readdirSync(folder).length === 0)
      assert.deepStrictEqual(seen.slice(1), ["later 16"])
    }).pipe(Effect.provide(onDisk((domain) => {
      domain.route("/", (req) => req.response(200, "first"), {
        hooks: { on_free: (req) => seen.push(`freed ${req.body.length}`) && undefined }
      })
      domain.route("/later", async (req) => {
        req.response(200, "first")
        for (let turns = 0; turns < 20; turns++) await kore.suspend(0)
        seen.push(`later ${req.body.length}`)
      })
    })))
  })

  it.effect("in a plain handler leaves no files of a form behind, awaited or not", () =>
    Effect.gen(function*() {
      const content = "x".repeat(100)
      const form = `--XX\r\ncontent-disposition: form-data; name="f"; filename="f"\r\n\r\n${content}\r\n--XX--\r\n`
      const headers = { "content-type": "multipart/form-data; boundary=XX" }
      for (const url of ["/awaited", "/left"]) {
        assert.strictEqual((yield* ask(url, { method: "POST", body: form, headers })).status, 200)
        yield* until(() => Fs.readdirSync(folder).length === 0)
      }
    }).pipe(Effect.provide(onDisk((domain) => {
      domain.route("/awaited", (req) => req.populate_multi().then(() => req.response(200, "")))
      domain.route("/left", (req) => {
        void req.populate_multi()
        req.response(200, "")
      })
    }))))

  it.effect("A13: has no digest when there is none, whatever came before", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* post("something"), sha256("something"))
      assert.strictEqual((yield* ask("/")).text, "none")
    }).pipe(Effect.provide(start(routes((domain) =>
      domain.route("/", (req) => req.response(200, req.body_digest?.toString("hex") ?? "none"))
    )))))

  it.effect("in a file is parsed as a form as well, and files of a form are read from disk", () =>
    Effect.gen(function*() {
      const form = "name=ada&long=xxxxxxxxxxxxxxxx"
      assert.strictEqual(
        yield* post(form, { "content-type": "application/x-www-form-urlencoded" }),
        `form ada ${form}`
      )
      const content = "a file that is long enough for the disk"
      const multipart = "--XX\r\ncontent-disposition: form-data; name=\"name\"\r\n\r\neve\r\n" +
        `--XX\r\ncontent-disposition: form-data; name="f"; filename="f.txt"\r\n\r\n${content}\r\n--XX--\r\n`
      assert.strictEqual(
        yield* post(multipart, { "content-type": "multipart/form-data; boundary=XX" }),
        `multi eve f.txt ${content.length} a fi|le that is long enough for the disk`
      )
      yield* until(() => Fs.readdirSync(folder).length === 0)
    }).pipe(Effect.provide(onDisk((domain) =>
      domain.route("/", async (req) => {
        if (req.request_header("content-type")?.startsWith("multipart") === true) {
          await req.populate_multi()
          const file = req.file_lookup("f")!
          const [, first] = file.read(4)
          const [, rest] = file.read(1024)
          const { filename, size } = file
          req.response(200, `multi ${req.argument("name")} ${filename} ${size} ${String(first)}|${String(rest)}`)
        } else {
          await req.populate_post()
          req.response(200, `form ${req.argument("name")} ${String(req.body)}`)
        }
      }, { methods: ["post"], post: { name: "." } })
    ))))
})
