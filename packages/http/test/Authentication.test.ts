/** Credentials as clients write them, and what cannot be declared. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as Redacted from "effect/Redacted"
import * as Authentication from "../src/Authentication.ts"

const read = <C>(source: Authentication.Source<C>, headers: Record<string, string>) =>
  source.read(HttpServerRequest.fromWeb(new Request("http://localhost/", { headers })))

const base64 = (text: string | Uint8Array) => Buffer.from(text).toString("base64")

describe("credentials", () => {
  it.effect("of Basic are split at the first colon and decoded as UTF-8; the scheme is known in any case", () =>
    Effect.gen(function*() {
      const basic = Authentication.basic()
      for (const [scheme, text] of [["Basic ", "ada:pä:ss 漢"], ["bAsIc   ", "ada:pä:ss 漢"]] as const) {
        const found = yield* read(basic, { authorization: scheme + base64(text) })
        assert.strictEqual(found?.username, "ada")
        assert.strictEqual(Redacted.value(found!.password), "pä:ss 漢")
        assert.notInclude(String(JSON.stringify(found)), "漢")
      }
      const empty = yield* read(basic, { authorization: `Basic ${base64(":")}` })
      assert.deepStrictEqual([empty?.username, Redacted.value(empty!.password)], ["", ""])
    }))

  it.effect("of Basic that are not what RFC 7617 says count as none", () =>
    Effect.gen(function*() {
      const values = [
        `Basic${base64("a:b")}`,
        "Basic",
        "Basic ",
        `Basic ${base64("nocolon")}`,
        `Basic ${base64("a:b\n")}`,
        `Basic ${base64(Uint8Array.of(0x61, 0x3A, 0xFF))}`,
        `Basic ${base64("a:b")} x`,
        `Basic ${base64("a:b")}, Basic ${base64("c:d")}`,
        "Basic a:b",
        `Bearer ${base64("a:b")}`
      ]
      for (const authorization of values) {
        assert.strictEqual(yield* read(Authentication.basic(), { authorization }), undefined, authorization)
      }
    }))

  it.effect("of Bearer are the token alone", () =>
    Effect.gen(function*() {
      const bearer = Authentication.bearer()
      for (const authorization of ["Bearer aZ0-._~+/==", "bearer  aZ0-._~+/=="]) {
        assert.strictEqual(yield* read(bearer, { authorization }), "aZ0-._~+/==")
      }
      for (const authorization of ["Bearer", "Bearer a b", "Bearer a=b", "Bearer \"a\"", "Bearer a, Bearer b", "a"]) {
        assert.strictEqual(yield* read(bearer, { authorization }), undefined, authorization)
      }
    }))

  it("realms are quoted, so that no quote ends them", () => {
    assert.strictEqual(
      Authentication.basic({ realm: "a \"b\" \\" }).challenge!(false),
      "Basic realm=\"a \\\"b\\\" \\\\\", charset=\"UTF-8\""
    )
    for (const realm of ["a\r\nb", "é"]) {
      assert.throws(() => Authentication.bearer({ realm }), /Authentication\.bearer: realm is .*, expected ASCII/)
    }
  })
})

describe("what cannot be declared is refused when the routes are made", () => {
  const verify = () => Effect.succeed(true)
  const refused = (onFailure: unknown, expected: RegExp) =>
    assert.throws(
      () =>
        Authentication.make({
          from: Authentication.cookie("session"),
          verify,
          onFailure: onFailure as Authentication.OnFailure
        }),
      expected
    )

  it("and the error says what was expected", () => {
    refused(200, /Authentication by cookie "session": onFailure is 200, expected a status from 400 to 499/)
    refused(503, /onFailure is 503/)
    refused(401, /onFailure is 401, which must tell the client a scheme/)
    for (const redirect of ["", "/a b", "/\r\nx: y", "/é", undefined]) refused({ redirect }, /onFailure\.redirect is/)
    assert.throws(() => Authentication.cookie("a=b"), /the name is "a=b", expected a token/)
    assert.throws(() => Authentication.header(""), /Authentication\.header: the name is ""/)
    assert.throws(
      () => Authentication.make({ from: Authentication.cookie("a"), verify: undefined as never }),
      /verify is undefined, expected a function/
    )
    const password = Redacted.make("x")
    assert.throws(() => Authentication.basicUsers({ "a:b": password }), /the name "a:b" has a colon/)
    assert.throws(
      () => Authentication.basicUsers({ ada: "secret" as never }),
      /^(?!.*secret).*password of "ada" is no Redacted text/
    )
  })

  it.effect("users are known by their own name and password", () =>
    Effect.gen(function*() {
      const check = Authentication.basicUsers({ ada: Redacted.make("1"), kurt: Redacted.make("") })
      const is = (username: string, password: string) => check({ username, password: Redacted.make(password) })
      assert.isTrue(yield* is("ada", "1"))
      assert.isTrue(yield* is("kurt", ""))
      for (const [name, password] of [["ada", ""], ["kurt", "1"], ["Ada", "1"], ["__proto__", ""], ["", ""]] as const) {
        assert.isFalse(yield* is(name, password))
      }
    }))
})
