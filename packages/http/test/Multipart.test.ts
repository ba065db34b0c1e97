import { assert, describe, it } from "@effect/vitest"
import * as Config from "@kore-fx/core/Config"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as fs from "node:fs"
import * as os from "node:os"
import * as Path from "node:path"
import { HttpServerRequest, HttpServerRespondable, HttpServerResponse } from "../src/internal/effectHttp.ts"
import * as Multipart from "../src/Multipart.ts"
import type { ServerRequest } from "../src/Request.ts"
import type { UploadedFile } from "../src/UploadedFile.ts"

const FORM = "multipart/form-data; boundary=B"

const post = (body: string | Uint8Array<ArrayBuffer>, contentType: string | undefined = FORM) =>
  HttpServerRequest.fromWeb(
    new Request("http://localhost/", {
      method: "POST",
      body: typeof body === "string" ? Buffer.from(body) : body,
      headers: contentType === "" ? {} : { "content-type": contentType }
    })
  )

/** A form of these parts, each a header without its last line ends and a content. */
const form = (...parts: ReadonlyArray<readonly [header: string, content: string]>) =>
  `${parts.map(([header, content]) => `--B\r\n${header}\r\n\r\n${content}\r\n`).join("")}--B--\r\n`

const field = (name: string, value: string) => [`Content-Disposition: form-data; name="${name}"`, value] as const
const file = (name: string, filename: string, content: string, type = "text/plain") =>
  [`Content-Disposition: form-data; name="${name}"; filename="${filename}"\r\nContent-Type: ${type}`, content] as const

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString()

const configured = Effect.provideService(Config.Current, Config.defaults)

/** Everything in a form, as plain values. */
const collected = Effect.fnUntraced(function*(
  body: string | Uint8Array<ArrayBuffer>,
  contentType?: string,
  options?: Multipart.Options
) {
  const { fields, files } = yield* Multipart.collect(post(body, contentType), options)
  const contents = yield* Effect.forEach(files,
    (file) => Effect.map(file.bytes, (bytes) => [file.name, file.filename, file.contentType, text(bytes)]))
  return { fields, files: contents }
}, configured, Effect.scoped)

/** The answer of a failure: its status and what it says. */
const answer = Effect.fnUntraced(function*(failure: unknown) {
  const response = HttpServerResponse.toWeb(
    yield* HttpServerRespondable.toResponse(failure as HttpServerRespondable.Respondable)
  )
  const body = (yield* Effect.promise(() => response.json())) as Record<string, unknown>
  return { ...body, status: response.status, accept: response.headers.get("accept") } as Record<string, unknown>
})

describe("Multipart.collect", () => {
  it.effect("gives fields and files in the order sent, repeated names as lists", () =>
    Effect.gen(function*() {
      const body = form(
        field("a", "1"),
        file("f", "x.txt", "one", "text/CSV; charset=x"),
        field("b", "é"),
        field("a", "2"),
        file("f", "y.txt", "two")
      )
      assert.deepStrictEqual(yield* collected(body), {
        fields: [["a", "1"], ["b", "é"], ["a", "2"]],
        files: [["f", "x.txt", "text/csv", "one"], ["f", "y.txt", "text/plain", "two"]]
      })
      const all = yield* configured(Multipart.collect(post(body)))
      assert.deepStrictEqual(all.values("a"), ["1", "2"])
      assert.deepStrictEqual(all.values("none"), [])
      assert.deepStrictEqual(all.filesOf("f").map(({ filename }) => filename), ["x.txt", "y.txt"])
      assert.strictEqual(Option.getOrThrow(all.file("f")).size, 3)
      assert.isTrue(Option.isNone(all.file("none")))
      assert.strictEqual(text(yield* all.files[0]!.read(2)), "on")
    }).pipe(Effect.scoped))

  it.effect("B26: a boundary may be quoted, and other parameters may stand beside it", () =>
    Effect.gen(function*() {
      const body = form(field("a", "1"))
      const types = [
        "multipart/form-data; boundary=\"B\"",
        "Multipart/Form-Data;charset=utf-8;BOUNDARY=B",
        "multipart/form-data; x=\"boundary=Y;\" ; boundary = \"\\B\"; ",
        "multipart/form-data ;; boundary=B;"
      ]
      for (const type of types) assert.deepStrictEqual((yield* collected(body, type)).fields, [["a", "1"]], type)
      const odd = "a b=c/d:e?f"
      assert.deepStrictEqual(
        (yield* collected(body.replaceAll("--B", `--${odd}`), `multipart/form-data; boundary="${odd}"`)).fields,
        [["a", "1"]]
      )
    }))

  it.effect("B26: colons in file names, `=` in values, empty values and empty files arrive", () =>
    Effect.gen(function*() {
      const body = form(file("f", "a:b.txt", "x"), file("g", "empty.txt", ""), field("a", "b=c=d"), field("e", ""))
      assert.deepStrictEqual(yield* collected(body), {
        fields: [["a", "b=c=d"], ["e", ""]],
        files: [["f", "a:b.txt", "text/plain", "x"], ["g", "empty.txt", "text/plain", ""]]
      })
    }))

  it.effect("A21: a file has a safe name, beside the one that was sent, and the type that was sent", () =>
    Effect.gen(function*() {
      const { files } = yield* configured(Multipart.collect(post(form(
        file("f", "../../etc/passwd", "x", "image/PNG"),
        ["Content-Disposition: form-data; name=f; filename=\"x\"; filename*=UTF-8''%2e%2E%2f%E2%82%AC.txt", "x"],
        ["Content-Disposition: form-data; name=f\r\nContent-Type: application/octet-stream", "x"]
      ))))
      assert.deepStrictEqual(
        files.map(({ contentType, filename, rawFilename }) => [filename, Option.getOrNull(rawFilename), contentType]),
        [
          ["passwd", "../../etc/passwd", "image/png"],
          ["€.txt", "../€.txt", "application/octet-stream"],
          ["file", null, "application/octet-stream"]
        ]
      )
    }).pipe(Effect.scoped))

  it.effect("a file field in which nothing was chosen is no file; bytes without a name are one", () =>
    Effect.gen(function*() {
      const nameless = "Content-Disposition: form-data; name=h\r\nContent-Type: application/octet-stream"
      const body = form(file("f", "", "", "application/octet-stream"), file("g", "", "x"), [nameless, ""])
      assert.deepStrictEqual(yield* collected(body), { fields: [], files: [["g", "file", "text/plain", "x"]] })
    }))

  it.effect("names are what browsers and programs meant, a charset is heeded, JSON without a file name is a field", () =>
    Effect.gen(function*() {
      const latin = Buffer.from(
        form(
          field("%22%0D%0A", "1"),
          field("\\\"\\\\ a+%20;=", "2"),
          ["content-disposition:FORM-DATA;name=t;\r\ncontent-type:text/plain;charset=iso-8859-1".replace(";\r", "\r"),
            "\xe9"],
          ["Content-Disposition: form-data; name=j\r\nContent-Type: application/json", "{}"],
          field("bom", "\xef\xbb\xbf\xff")
        ),
        "latin1"
      )
      assert.deepStrictEqual((yield* collected(Uint8Array.from(latin))).fields, [
        ["\"\r\n", "1"],
        ["\"\\ a+%20;=", "2"],
        ["t", "é"],
        ["j", "{}"],
        ["bom", "\uFEFF\uFFFD"]
      ])
    }))

  it.effect("what stands before the first boundary and behind the last is no part", () =>
    Effect.gen(function*() {
      const evil = "--B\r\nContent-Disposition: form-data; name=evil\r\n\r\nx\r\n--B--\r\n"
      const body = `preamble --B\r\n--A\r\n${form(field("a", "1"))}${evil}`
      assert.deepStrictEqual((yield* collected(body)).fields, [["a", "1"]])
    }))

  it.effect("another type is 415, and says which is expected", () =>
    Effect.gen(function*() {
      for (const type of ["", "text/plain", "multipart/mixed; boundary=B", "multipart/form-data-x; boundary=B"]) {
        const failure = yield* Effect.flip(collected("", type))
        const { accept, detail, status } = yield* answer(failure)
        assert.deepStrictEqual([failure._tag, status, accept], ["NotMultipart", 415, "multipart/form-data"], type)
        assert.include(String(detail), "expected multipart/form-data")
      }
    }))

  const a = "Content-Disposition: form-data; name=a"
  const malformed: ReadonlyArray<readonly [what: string, body: string, contentType?: string]> = [
    ["no boundary", "", "multipart/form-data"],
    ["an empty boundary", "", "multipart/form-data; boundary="],
    ["two boundaries", form(), "multipart/form-data; boundary=B; boundary=B"],
    ["a boundary that is too long", "", `multipart/form-data; boundary=${"x".repeat(71)}`],
    ["parameters that are none", form(), "multipart/form-data; boundary=B x"],
    ["an open quote", form(), "multipart/form-data; boundary=\"B"],
    ["nothing at all", ""],
    ["another boundary", form(field("a", "1")), "multipart/form-data; boundary=C"],
    ["no name", form(["Content-Disposition: form-data", "1"])],
    ["no disposition", form(["Content-Type: text/plain", "1"])],
    ["another disposition", form(["Content-Disposition: attachment; name=a", "1"])],
    ["two dispositions", form([`${a}\r\n${a}`, "1"])],
    ["an open name", form(["Content-Disposition: form-data; name=\"a", "1"])],
    ["a file name that cannot be decoded", form([`${a}; filename*=UTF-8''%ff`, "1"])],
    ["a header line without a colon", form([`${a}\r\nx`, "1"])],
    ["a NUL in a name", form([`${a}; filename="\0"`, "1"])],
    ["a first part without an empty line", `--B\r\n${a}\r\n--B\r\n${a}\r\n\r\n1\r\n--B--`],
    ["the same behind a preamble", `x\r\n--B\r\n${a}\r\n--B\r\n${a}\r\n\r\n1\r\n--B--`],
    ["a later part without an empty line", `--B\r\n${a}\r\n\r\n1\r\n--B\r\n${a}\r\n--B--`],
    ["the same before another", `--B\r\n${a}\r\n\r\n1\r\n--B\r\n${a}\r\n--B\r\n${a}\r\n\r\n1\r\n--B--`],
    ["a part without a header", "--B\r\n\r\n1\r\n--B--"],
    ["a charset that nobody knows", form([`${a}\r\nContent-Type: text/plain; charset=x-none`, "1"])]
  ]
  it.effect.each(malformed)("%s is 400", ([, body, contentType]) =>
    Effect.gen(function*() {
      const failure = yield* Effect.flip(collected(body, contentType))
      assert.deepInclude(yield* answer(failure), { status: 400, _tag: "MalformedMultipart" })
    }))

  const limits: ReadonlyArray<readonly [options: Multipart.Limits, fits: string, exceeds: string]> = [
    [{ maxParts: 2 }, form(field("a", ""), file("b", "x", "")),
      form(field("a", ""), file("b", "x", ""), field("c", ""))],
    [{ maxFields: 1 }, form(field("a", ""), file("b", "x", "")), form(field("a", ""), field("b", ""))],
    [{ maxFileCount: 1 }, form(field("a", ""), file("b", "x", "")), form(file("a", "x", ""), file("b", "x", ""))],
    [{ maxFieldSize: 3 }, form(field("a", "123"), file("b", "x", "1234")), form(field("a", "1234"))],
    [{ maxFileSize: "3 B" }, form(field("a", "1234"), file("b", "x", "123")), form(file("b", "x", "1234"))],
    [{ maxFieldsSize: 4 }, form(field("a", "1"), field("b", "1")), form(field("a", "1"), field("b", "12"))],
    [{ maxHeaderSize: 42 }, form(field("a", "")), form(field("ab", ""))],
    [{ maxHeaderSize: "16 KiB" }, form(field("a".repeat(16_000), "")), form(field("a".repeat(17_000), ""))]
  ]
  it.effect.each(limits)("a form beyond %o is 413, and one that reaches it is taken",
    ([options, fits, exceeds]) =>
      Effect.gen(function*() {
        yield* collected(fits, FORM, options)
        const failure = yield* Effect.flip(collected(exceeds, FORM, options))
        assert.deepInclude(yield* answer(failure), {
          status: 413,
          _tag: "MultipartTooLarge",
          limit: Object.keys(options)[0]
        })
      }))

  it("refuses limits that cannot be, and names them", () => {
    const wrong: ReadonlyArray<[Multipart.Options, string]> = [
      [{ maxParts: 0 }, "maxParts is 0"],
      [{ maxFields: -1 }, "maxFields is -1"],
      [{ maxFileCount: 1.5 }, "maxFileCount is 1.5"],
      [{ maxFileSize: "1 apple" as "1 B" }, "maxFileSize is 1 apple"],
      [{ maxHeaderSize: "17 KiB" }, "maxHeaderSize is 17 KiB"],
      [{ offload: -1 }, "offload is -1"]
    ]
    for (const [options, message] of wrong) {
      assert.throws(() => Multipart.collect(post(""), options), RangeError, `Multipart.collect: ${message}`)
      assert.throws(() => Multipart.decoder({}, options), RangeError, `Multipart.decoder: ${message}`)
    }
    assert.throws(() => Multipart.parts(post(""), { maxParts: 0 }), RangeError, "Multipart.parts: maxParts is 0")
  })

  it.effect("files are in memory as long as they fit there together, the others on disk, and all gone with the scope", () =>
    Effect.gen(function*() {
      const path = yield* Effect.acquireRelease(
        Effect.sync(() => fs.mkdtempSync(Path.join(os.tmpdir(), "kore-fx-multipart-"))),
        (directory) => Effect.sync(() => fs.rmSync(directory, { recursive: true }))
      )
      yield* Effect.scoped(Effect.gen(function*() {
        const contents = ["1234", "12345678901", "123456", "1"]
        const { files } = yield* Multipart.collect(post(form(...contents.map((content) => file("f", "x", content)))), {
          path,
          offload: 10
        })
        assert.deepStrictEqual(files.map((file) => Option.isSome(file.path)), [false, true, false, true])
        assert.deepStrictEqual(yield* Effect.forEach(files, (file) => Effect.map(file.bytes, text)), contents)
        assert.strictEqual(fs.statSync(Option.getOrThrow(files[1]!.path)).mode & 0o777, 0o600)
        assert.strictEqual(fs.readdirSync(path).length, 2)
        // A handler that answers with its files tells nobody where they are.
        assert.strictEqual(
          JSON.stringify(files[1]),
          "{\"_id\":\"UploadedFile\",\"name\":\"f\",\"filename\":\"x\",\"contentType\":\"text/plain\",\"size\":11}"
        )
      }))
      assert.deepStrictEqual(fs.readdirSync(path), [])
    }).pipe(configured, Effect.scoped))
})

describe("Multipart.parts", () => {
  const body = form(file("f", "x", "one"), field("a", "1"), file("g", "y", "two"))

  it.effect("gives parts as they come; content that is not taken is passed over, and cannot be read later", () =>
    Effect.gen(function*() {
      const parts = yield* Stream.runCollect(Multipart.parts(post(body)))
      assert.deepStrictEqual(parts.map(({ _tag, name }) => [_tag, name]), [["File", "f"], ["Field", "a"], ["File",
        "g"]])
      assert.ok(parts[0]!._tag === "File")
      const exit = yield* Effect.exit(Stream.runDrain(parts[0]!.content))
      assert.ok(exit._tag === "Failure" && Cause.hasDies(exit.cause))
      assert.include(String(Cause.squash(exit.cause)), "it can be read once, before the next part")
    }))

  it.effect("pulls no more of the body than was asked for", () =>
    Effect.gen(function*() {
      let pulled = 0
      const head = Buffer.from("--B\r\nContent-Disposition: form-data; name=f; filename=f\r\n\r\n")
      const endless = Stream.fromEffectRepeat(Effect.sync(() => pulled++ === 0 ? head : new Uint8Array(1000)))
      const request = { headers: { "content-type": FORM }, stream: endless } as unknown as ServerRequest
      const sizes = yield* Multipart.parts(request).pipe(
        Stream.take(1),
        Stream.flatMap((part) => part._tag === "File" ? Stream.take(part.content, 3) : Stream.empty),
        Stream.map((chunk) => chunk.length),
        Stream.runCollect
      )
      assert.deepStrictEqual(sizes, [1000, 1000, 1000])
      assert.isAtMost(pulled, 5)
    }))

  it.effect("a part is not told to be whole when the body is cut in it", () =>
    Effect.gen(function*() {
      const cut = body.slice(0, body.lastIndexOf("two") + 2)
      const whole: Array<string> = []
      const failure = yield* Effect.flip(Stream.runForEach(Multipart.parts(post(cut)), (part) =>
        part._tag === "Field"
          ? Effect.void
          : Effect.map(Stream.runDrain(part.content), () => void whole.push(part.name))))
      assert.strictEqual(failure._tag, "MalformedMultipart")
      assert.deepStrictEqual(whole, ["f"])
    }))
})

interface Decoded {
  readonly count: number
  readonly tags?: ReadonlyArray<string>
  readonly one?: UploadedFile
  readonly many?: ReadonlyArray<UploadedFile>
}

describe("Multipart.decoder", () => {
  const decode = Multipart.decoder({
    count: Schema.Int,
    tags: Schema.optionalKey(Schema.Array(Schema.String)),
    one: Schema.optionalKey(Multipart.File),
    many: Schema.optional(Multipart.Files.check(Schema.isMaxLength(2)))
  })
  const run = (body: string, type?: string) =>
    configured(decode(post(body, type) as unknown as ServerRequest)) as Effect.Effect<Decoded, unknown, Scope.Scope>

  it.effect("decodes texts and files by their Schemas; what is not declared is read over", () =>
    Effect.gen(function*() {
      const value = yield* run(form(
        field("count", "7"),
        field("tags", "x"),
        field("other", "y"),
        file("other", "y", "y"),
        file("one", "1.txt", "1"),
        file("many", "2.txt", "2")
      ))
      assert.deepStrictEqual([value.count, value.tags, "other" in value], [7, ["x"], false])
      assert.strictEqual(text(yield* value.one!.bytes), "1")
      assert.deepStrictEqual(value.many!.map(({ filename }) => filename), ["2.txt"])
      const none = yield* run(form(field("count", "1"), file("one", "", "", "application/octet-stream")))
      assert.deepEqual(none, { count: 1 })
    }))

  it.effect("answers 400 and names every field that does not fit, without what is in a file", () =>
    Effect.gen(function*() {
      const secret = "secret".repeat(10)
      const failure = yield* Effect.flip(run(form(
        file("count", "x", secret),
        field("one", "text"),
        file("many", "1", secret),
        file("many", "2", secret),
        file("many", "3", secret)
      )))
      assert.ok(HttpServerResponse.isHttpServerResponse(failure))
      const told = yield* answer(failure)
      assert.strictEqual(told["status"], 400)
      const errors = told["errors"] as ReadonlyArray<{ readonly in: string; readonly name: string }>
      assert.deepStrictEqual(
        errors.map((error) => [error.in, error.name]),
        [["multipart", "count"], ["multipart", "one"], ["multipart", "many"]]
      )
      assert.notInclude(JSON.stringify(told), "secret")
      assert.notInclude(JSON.stringify(told), "115,101,99")
    }))

  it.effect("fails as collect does", () =>
    Effect.gen(function*() {
      assert.deepInclude(yield* Effect.flip(run("", "text/plain")), { _tag: "NotMultipart" })
      assert.deepInclude(yield* Effect.flip(run("--B")), { _tag: "MalformedMultipart" })
    }))
})

describe("Multipart.safeFilename", () => {
  const names: ReadonlyArray<readonly [raw: string, safe: string]> = [
    ["a b.txt", "a b.txt"],
    ["../../etc/passwd", "passwd"],
    ["C:\\Users\\me\\x.doc", "x.doc"],
    ["a/b\\c", "c"],
    ["a/", "file"],
    ["", "file"],
    ["..", "file"],
    [" . .htaccess. ", "htaccess"],
    ["a\0b\r\n\x7f\x85c", "abc"],
    ["photo\u202Egpj.exe", "photogpj.exe"],
    ["CON", "_CON"],
    ["nul.tar.gz", "_nul.tar.gz"],
    ["console.log", "console.log"],
    ["com1 .txt", "_com1 .txt"],
    ["\uD800.txt", "\uFFFD.txt"],
    ["e\u0301.txt", "é.txt"],
    ["漢".repeat(100) + ".tar", "漢".repeat(65) + ".tar"],
    ["x".repeat(300), "x".repeat(200)],
    [`${"x".repeat(300)}.${"y".repeat(300)}`, "x".repeat(200)]
  ]
  it.each(names)("%j is %j", (raw, safe) => {
    assert.strictEqual(Multipart.safeFilename(raw), safe)
  })
})
