import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Form from "../src/Form.ts"
import { HttpServerRequest, HttpServerRespondable, HttpServerResponse } from "../src/internal/effectHttp.ts"
import type { ServerRequest } from "../src/Request.ts"

const post = (body: string | Uint8Array<ArrayBuffer>, contentType?: string) =>
  HttpServerRequest.fromWeb(
    new Request("http://localhost/", {
      method: "POST",
      // A text would be given a type.
      body: typeof body === "string" ? new TextEncoder().encode(body) : body,
      headers: contentType === undefined ? {} : { "content-type": contentType }
    })
  )

/** The answer of a failure: its status and what it says. */
const answer = Effect.fnUntraced(function*(failure: HttpServerRespondable.Respondable) {
  const response = HttpServerResponse.toWeb(yield* HttpServerRespondable.toResponse(failure))
  const body = (yield* Effect.promise(() => response.json())) as Record<string, unknown>
  return { ...body, status: response.status, accept: response.headers.get("accept") } as Record<string, unknown>
})

describe("Form.entries", () => {
  it.effect("gives the pairs in the order sent, repeated names too, and bytes that are no UTF-8 as U+FFFD", () =>
    Effect.gen(function*() {
      const bytes = Buffer.concat([Buffer.from("b=1&a=x+y&b=2&c&=&__proto__=p&é=%C3%A9&d="), Buffer.from([0xFF])])
      assert.deepStrictEqual(yield* Form.entries(post(Uint8Array.from(bytes))), [
        ["b", "1"],
        ["a", "x y"],
        ["b", "2"],
        ["c", ""],
        ["", ""],
        ["__proto__", "p"],
        ["é", "é"],
        ["d", "\uFFFD"]
      ])
    }))

  it.effect("takes a value of any length whole", () =>
    Effect.gen(function*() {
      const value = "é".repeat(10_000)
      assert.deepStrictEqual(yield* Form.entries(post(`a=${encodeURIComponent(value)}`)), [["a", value]])
    }))

  it.effect("takes UTF-8 in every spelling, and answers 415 to any other type or charset", () =>
    Effect.gen(function*() {
      const types = ["", ";charset=utf-8", "; Charset=\"UTF-8\"", "; charset=utf8 ", "; x=y; charset=utf-8"]
      for (const parameters of types) {
        assert.deepStrictEqual(
          yield* Form.entries(post("a=1", `application/x-www-form-urlencoded${parameters}`)),
          [["a", "1"]],
          parameters
        )
      }
      const others = [
        "application/json",
        "application/x-www-form-urlencoded-not",
        "application/x-www-form-urlencoded, application/json",
        "application/x-www-form-urlencoded; charset=iso-8859-1",
        "application/x-www-form-urlencoded; charset=utf-8x",
        "application/x-www-form-urlencoded; charset=utf-8; charset=utf-16"
      ]
      for (const type of others) {
        const failure = yield* Effect.flip(Form.entries(post("a=1", type)))
        assert.ok(failure._tag === "NotAForm", type)
        assert.deepInclude(yield* answer(failure), {
          status: 415,
          accept: "application/x-www-form-urlencoded",
          detail: `the body is ${type}, expected application/x-www-form-urlencoded in UTF-8`
        })
      }
    }))

  it.effect("B26: a form with more pairs than allowed gets 413, and one with as many is taken whole", () =>
    Effect.gen(function*() {
      const pairs = (count: number) => Array.from({ length: count }, (_, i) => `n${i}=${i}`).join("&")
      assert.strictEqual((yield* Form.entries(post(pairs(1000)))).length, 1000)
      const failure = yield* Effect.flip(Form.entries(post(pairs(1001))))
      assert.ok(failure._tag === "TooManyPairs")
      assert.deepInclude(yield* answer(failure), {
        status: 413,
        maxPairs: 1000,
        detail: "the form has more than 1000 pairs of name and value, expected at most that many"
      })
      assert.strictEqual((yield* Form.entries(post(pairs(3)), { maxPairs: 3 })).length, 3)
      assert.strictEqual((yield* Effect.flip(Form.entries(post(pairs(4)), { maxPairs: 3 })))._tag, "TooManyPairs")
    }))

  it("refuses a maxPairs that is no whole number from 1, and names it", () => {
    for (const maxPairs of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      assert.throws(() => Form.entries(post(""), { maxPairs }), RangeError, `Form.entries: maxPairs is ${maxPairs}`)
      assert.throws(() => Form.decoder({}, { maxPairs }), RangeError, `Form.decoder: maxPairs is ${maxPairs}`)
    }
  })
})

describe("Form.decoder", () => {
  const fields = {
    count: Schema.Int,
    note: Schema.String,
    tags: Schema.optionalKey(Schema.Array(Schema.String)),
    __proto: Schema.optionalKey(Schema.String)
  }
  const decode = Form.decoder(fields, { maxPairs: 5 })
  const run = (body: string, type?: string) => decode(post(body, type) as unknown as ServerRequest)

  it.effect("decodes by the Schemas; a name that is there once is a list where one is expected", () =>
    Effect.gen(function*() {
      assert.deepEqual(yield* run("count=7&note=a%3Db=&tags=x&other=1"), { count: 7, note: "a=b=", tags: ["x"] })
      assert.deepEqual(yield* run("count=-1&note=&tags=x&tags=y&tags=z"), {
        count: -1,
        note: "",
        tags: ["x", "y", "z"]
      })
    }))

  it.effect("answers 400 and names every field that does not fit", () =>
    Effect.gen(function*() {
      const failure = yield* Effect.flip(run("count=seven&note=1&note=2"))
      assert.ok(HttpServerResponse.isHttpServerResponse(failure))
      const { errors, status } = yield* answer(failure as unknown as HttpServerRespondable.Respondable)
      assert.strictEqual(status, 400)
      assert.deepStrictEqual(
        (errors as ReadonlyArray<Record<string, string>>).map((error) => [error["in"], error["name"]]),
        [["form", "count"], ["form", "note"]]
      )
    }))

  it.effect("answers 415 and 413 as entries does", () =>
    Effect.gen(function*() {
      assert.deepInclude(yield* Effect.flip(run("count=1", "text/plain")), { _tag: "NotAForm" })
      assert.deepInclude(yield* Effect.flip(run("a&b&c&d&e&f")), { _tag: "TooManyPairs", maxPairs: 5 })
    }))

  it.effect("a Schema that dies is a fault of the program, and no 400", () =>
    Effect.gen(function*() {
      const Broken = Schema.String.check(Schema.makeFilter((): boolean => {
        throw new Error("inside")
      }))
      const exit = yield* Effect.exit(
        Effect.suspend(() => Form.decoder({ a: Broken })(post("a=1") as unknown as ServerRequest))
      )
      assert.ok(exit._tag === "Failure")
      assert.deepStrictEqual(exit.cause.reasons.map(({ _tag }) => _tag), ["Die"])
    }))
})
