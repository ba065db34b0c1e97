/** The conditions of RFC 9110 §13, and the middleware that applies them to answers in memory. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Conditional from "../src/Conditional.ts"
import * as Response from "../src/Response.ts"
import * as Route from "../src/Route.ts"
import { serve } from "./filemap/site.ts"

const TIME = Date.UTC(2026, 10, 24, 12, 0, 0)
const date = (offset: number) => Conditional.formatDate(TIME + offset * 1000)

const evaluate = (
  headers: Readonly<Record<string, string>>,
  { method = "GET", ...validators }: Conditional.Validators & { readonly method?: string } = {}
) =>
  Conditional.evaluate({ method, field: (name) => headers[name] }, { etag: "\"a\"", lastModified: TIME, ...validators })

describe("the conditions of a request", () => {
  it("if-none-match: a client that has the bytes gets 304, one that would change them 412", () => {
    for (const value of ["\"a\"", "W/\"a\"", "\"b\", \"a\"", "\"x,y\",W/\"a\"", "*", " * ", ",, \"a\" ,"]) {
      assert.strictEqual(evaluate({ "if-none-match": value }), "NotModified", value)
      assert.strictEqual(evaluate({ "if-none-match": value }, { method: "HEAD" }), "NotModified", value)
      assert.strictEqual(evaluate({ "if-none-match": value }, { method: "PUT" }), "PreconditionFailed", value)
    }
    for (const value of ["\"b\"", "a", "\"a", "", "\"A\"", "w/\"a\"", "\"b\"\"a\"", "a \"a\"", "\"b, \"a\""]) {
      assert.strictEqual(evaluate({ "if-none-match": value }), "Proceed", value)
    }
    assert.strictEqual(evaluate({ "if-none-match": "\"a\"" }, { etag: "W/\"a\"" }), "NotModified")
    assert.strictEqual(evaluate({ "if-none-match": "\"a\"" }, { etag: undefined }), "Proceed")
  })

  it("if-match: only the very same bytes will do, and none at all when there is no tag", () => {
    for (const value of ["\"a\"", "\"b\", \"a\"", "*"]) {
      assert.strictEqual(evaluate({ "if-match": value }), "Proceed", value)
    }
    for (const value of ["W/\"a\"", "\"b\"", "", "a"]) {
      assert.strictEqual(evaluate({ "if-match": value }), "PreconditionFailed", value)
    }
    assert.strictEqual(evaluate({ "if-match": "W/\"a\"" }, { etag: "W/\"a\"" }), "PreconditionFailed")
    assert.strictEqual(evaluate({ "if-match": "\"a\"" }, { etag: undefined }), "PreconditionFailed")
    assert.strictEqual(evaluate({ "if-match": "*" }, { etag: undefined }), "Proceed")
  })

  it("B29: if-modified-since is a comparison, not an equality, and of GET and HEAD only", () => {
    assert.strictEqual(evaluate({ "if-modified-since": date(0) }), "NotModified")
    assert.strictEqual(evaluate({ "if-modified-since": date(60) }), "NotModified")
    assert.strictEqual(evaluate({ "if-modified-since": date(-1) }), "Proceed")
    assert.strictEqual(evaluate({ "if-modified-since": date(0) }, { method: "POST" }), "Proceed")
    assert.strictEqual(evaluate({ "if-modified-since": "yesterday" }), "Proceed")
    assert.strictEqual(evaluate({ "if-unmodified-since": date(0) }), "Proceed")
    assert.strictEqual(evaluate({ "if-unmodified-since": date(-1) }), "PreconditionFailed")
    assert.strictEqual(evaluate({ "if-unmodified-since": "yesterday" }), "Proceed")
  })

  it("are taken in the order of §13.2.2: tags before dates, and what must hold before what saves", () => {
    assert.strictEqual(evaluate({ "if-match": "\"a\"", "if-unmodified-since": date(-1) }), "Proceed")
    assert.strictEqual(evaluate({ "if-none-match": "\"b\"", "if-modified-since": date(0) }), "Proceed")
    assert.strictEqual(evaluate({ "if-match": "\"b\"", "if-none-match": "\"a\"" }), "PreconditionFailed")
    assert.strictEqual(evaluate({ "if-match": "\"a\"", "if-none-match": "\"a\"" }), "NotModified")
    assert.strictEqual(evaluate({ "if-unmodified-since": date(-1), "if-none-match": "\"a\"" }), "PreconditionFailed")
  })

  it("if-range: a part is sent only of exactly what the client has", () => {
    const allows = (value: string | undefined, validators: Conditional.Validators) =>
      Conditional.allowsRange({ method: "GET", field: (name) => name === "if-range" ? value : undefined }, validators)
    assert.isTrue(allows(undefined, {}))
    assert.isTrue(allows("\"a\"", { etag: "\"a\"" }))
    for (const value of ["W/\"a\"", "\"b\"", "*", "\"a\", \"b\"", ""]) {
      assert.isFalse(allows(value, { etag: "\"a\"" }), value)
    }
    assert.isFalse(allows("W/\"a\"", { etag: "W/\"a\"" }))
    const strong = { lastModified: TIME, isLastModifiedStrong: true }
    assert.isTrue(allows(date(0), strong))
    assert.isFalse(allows(date(1), strong))
    assert.isFalse(allows(date(0), { lastModified: TIME }))
  })

  const Tag = Schema.Tuple([Schema.Boolean, Schema.Literals(["a", "b", ",", "W/", "a,b", "\u00e9", "", " "])])
  it.effect.prop("a list has the tags that it was made of and no others", {
    tags: Schema.Array(Tag).check(Schema.isMaxLength(5)),
    other: Tag,
    blank: Schema.Literals(["", " ", " \t"])
  }, ({ blank, other, tags }) =>
    Effect.sync(() => {
      const valid = ([, text]: typeof Tag.Type) => text !== " "
      const written = ([isWeak, text]: typeof Tag.Type) => `${isWeak ? "W/" : ""}"${text}"`
      const list = tags.filter(valid)
      const has = list.some(([, text]) => text === other[1])
      const hasStrong = !other[0] && list.some(([isWeak, text]) => !isWeak && text === other[1])
      const value = list.map(written).join(`${blank},${blank}`)
      const etag = written(other)
      if (!valid(other)) return
      assert.strictEqual(evaluate({ "if-none-match": value }, { etag }), has ? "NotModified" : "Proceed", value)
      assert.strictEqual(evaluate({ "if-match": value }, { etag }), hasStrong ? "Proceed" : "PreconditionFailed", value)
    }))
})

describe("an HTTP date", () => {
  const Second = Schema.Int.check(Schema.isBetween({ minimum: -2_208_988_800, maximum: 253_402_300_799 }))
  it.effect.prop("is read as it was written, in each of the three forms", { second: Second },
    ({ second }) =>
      Effect.sync(() => {
        const time = second * 1000
        const text = Conditional.formatDate(time)
        assert.strictEqual(Conditional.parseDate(text), time)
        const [, day, month, year, clock] = /^\w{3}, (\d\d) (\w{3}) (\d{4}) (\S+) GMT$/.exec(text)!
        const asctime = `${text.slice(0, 3)} ${month} ${String(Number(day)).padStart(2)} ${clock} ${year}`
        assert.strictEqual(Conditional.parseDate(asctime), time)
        const weekday = new Date(time).toLocaleDateString("en", { weekday: "long", timeZone: "UTC" })
        const old = Conditional.parseDate(`${weekday}, ${day}-${month}-${year!.slice(2)} ${clock} GMT`, time)
        // The day of the year may be one that the two digits have in another century only.
        if (old !== undefined) assert.strictEqual((old - time) % 1000, 0)
        if (Number(year) % 100 < 50) assert.strictEqual(old, time)
      }))

  it("with two digits of a year is at most fifty years ahead", () => {
    const now = Date.UTC(2026, 0, 1)
    assert.strictEqual(Conditional.parseDate("Sunday, 06-Nov-94 08:49:37 GMT", now), Date.UTC(1994, 10, 6, 8, 49, 37))
    assert.strictEqual(Conditional.parseDate("Friday, 06-Nov-76 08:49:37 GMT", now), Date.UTC(2076, 10, 6, 8, 49, 37))
    assert.strictEqual(Conditional.parseDate("Sunday, 06-Nov-77 08:49:37 GMT", now), Date.UTC(1977, 10, 6, 8, 49, 37))
  })

  it.each([
    "",
    "Sun, 06 Nov 1994 08:49:37",
    "Sun, 6 Nov 1994 08:49:37 GMT",
    "Sun, 31 Feb 1994 08:49:37 GMT",
    "Sun, 06 Nox 1994 08:49:37 GMT",
    "Sun, 06 Nov 1994 24:00:00 GMT",
    "Sun, 06 Nov 1994 08:60:37 GMT",
    "1994-11-06T08:49:37Z",
    "784111777",
    "Sun Nov 66 08:49:37 1994"
  ])("is not %j", (text) => assert.isUndefined(Conditional.parseDate(text)))
})

describe("Conditional.middleware", () => {
  const routes = Route.use([Conditional.middleware()], [
    Route.get("/", () =>
      Effect.succeed(Response.text("hello", {
        headers: { "cache-control": "no-cache", "vary": "cookie", "content-language": "en", "x-own": "1" }
      }))),
    Route.get("/dated",
      () => Effect.succeed(Response.text("x", { headers: { etag: "\"own\"", "last-modified": date(0) } }))),
    Route.get("/stream", () => Effect.succeed(Response.stream(Stream.make(Buffer.from("abc"))))),
    Route.get("/missing", () => Effect.succeed(Response.text("none", { status: 404 }))),
    Route.post("/", () => Effect.succeed(Response.text("hello")))
  ])

  it.live("gives answers in memory a tag of their bytes, and 304 without a body to who has them", () =>
    Effect.gen(function*() {
      const { ask } = yield* serve(routes)
      const first = yield* ask("/")
      const etag = first.headers["etag"]!
      assert.strictEqual(etag, `W/${Conditional.etagOf("hello")}`)
      assert.strictEqual(first.body, "hello")
      for (const method of ["GET", "HEAD"]) {
        const again = yield* ask("/", { method, headers: { "if-none-match": etag } })
        assert.deepStrictEqual([again.status, again.body], [304, ""])
        assert.deepInclude(again.headers, { etag, "cache-control": "no-cache", "vary": "cookie", "x-own": "1" })
        assert.doesNotHaveAnyKeys(again.headers, ["content-type", "content-length", "content-language"])
      }
      assert.strictEqual((yield* ask("/", { headers: { "if-none-match": "\"other\"" } })).status, 200)
      assert.strictEqual((yield* ask("/", { headers: { "if-match": "\"other\"" } })).status, 412)
    }))

  it.live("keeps the validators of the handler, and leaves other answers as they are", () =>
    Effect.gen(function*() {
      const { ask } = yield* serve(routes)
      assert.strictEqual((yield* ask("/dated")).headers["etag"], "\"own\"")
      assert.strictEqual((yield* ask("/dated", { headers: { "if-none-match": "\"own\"" } })).status, 304)
      assert.strictEqual((yield* ask("/dated", { headers: { "if-modified-since": date(5) } })).status, 304)
      assert.strictEqual((yield* ask("/dated", { headers: { "if-unmodified-since": date(-5) } })).status, 412)
      for (const [path, method] of [["/stream", "GET"], ["/missing", "GET"], ["/", "POST"]] as const) {
        const { headers, status } = yield* ask(path, { method, headers: { "if-none-match": "*" } })
        assert.notInclude([304, 412], status)
        assert.isUndefined(headers["etag"])
      }
      assert.throws(() => Conditional.middleware({ strength: "none" as "weak" }), "strength is \"none\"")
    }))
})
