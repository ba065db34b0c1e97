import { assert, describe, it } from "@effect/vitest"
import * as Cookies from "effect/http/Cookies"
import * as Redacted from "effect/Redacted"
import * as Cookie from "../src/Cookie.ts"
import * as Response from "../src/Response.ts"
import * as Secret from "../src/Secret.ts"

const headers = (response: Response.Response) => Cookies.toSetCookieHeaders(response.cookies)
const set = (name: string, value: string, options?: Cookie.Options) =>
  headers(Cookie.set(Response.empty(), name, value, options))

describe("a cookie", () => {
  it("is hidden from scripts, sent over TLS only, for the whole site and not along with other sites' requests", () => {
    assert.deepStrictEqual(set("a", "1"), ["a=1; Path=/; HttpOnly; Secure; SameSite=Lax"])
  })

  it("has the attributes that it is given", () => {
    const options = {
      path: "/x y",
      domain: "example.com",
      maxAge: "90 minutes",
      expires: new Date(0),
      httpOnly: false,
      sameSite: "none",
      partitioned: true
    } as const
    assert.deepStrictEqual(set("a", "é;\r\n", options), [
      "a=%C3%A9%3B%0D%0A; Max-Age=5400; Domain=example.com; Path=/x y; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Secure; " +
      "Partitioned; SameSite=None"
    ])
    assert.deepStrictEqual(set("a", "", { secure: false, sameSite: "strict" }), [
      "a=; Path=/; HttpOnly; SameSite=Strict"
    ])
  })

  it("B13: stands beside others in one response, and the last one of a name counts", () => {
    const response = Response.text("hello").pipe(
      Cookie.set("a", "1"),
      Cookie.set("b", "2", { httpOnly: false }),
      Cookie.set("a", "3"),
      Cookie.remove("__Host-c")
    )
    assert.deepStrictEqual(headers(response), [
      "a=3; Path=/; HttpOnly; Secure; SameSite=Lax",
      "b=2; Path=/; Secure; SameSite=Lax",
      "__Host-c=; Max-Age=0; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; Secure; SameSite=Lax"
    ])
    assert.strictEqual(response.status, 200)
  })

  it("that could inject into the header, or that browsers would ignore, is refused when it is set", () => {
    const refused = (expected: RegExp, name: string, options?: Cookie.Options, value = "1") => {
      assert.throws(() => set(name, value, options), expected)
      if (value === "1" && options?.maxAge === undefined && options?.expires === undefined) {
        assert.throws(() => Cookie.remove(Response.empty(), name, options), expected)
      }
    }
    for (const name of ["", "a b", "a=b", "a;b", "a\r\nx: y", "é", "a,b", "\"a\""]) {
      refused(/the name is .*, expected a token/s, name)
    }
    for (const path of ["x", "", "/;secure", "/\r\nx: y", "/é", `/${"x".repeat(1024)}`]) {
      refused(/path is .*, expected a path/s, "a", { path })
    }
    for (const domain of ["a b", "a;b", "", "a\r\n", "a..b"]) refused(/domain is .*, expected/s, "a", { domain })
    refused(/maxAge is "Infinity", expected a duration that ends/, "a", { maxAge: "Infinity" })
    refused(/maxAge is "-1s"/, "a", { maxAge: -1000 })
    refused(/expires is null, expected a valid Date/, "a", { expires: new Date(Number.NaN) })
    refused(/sameSite is "Lax", expected/, "a", { sameSite: "Lax" as "lax" })
    refused(/has sameSite "none" and is not secure/, "a", { sameSite: "none", secure: false })
    refused(/has partitioned and is not secure/, "a", { partitioned: true, secure: false })
    for (const name of ["__Host-a", "__hOST-a"]) {
      refused(/only with secure: true, path: "\/" and no domain/, name, { secure: false })
      refused(/only with secure: true, path: "\/" and no domain/, name, { path: "/x" })
      refused(/only with secure: true, path: "\/" and no domain/, name, { domain: "example.com" })
    }
    refused(/only with secure: true: say so/, "__Secure-a", { secure: false })
    assert.lengthOf(set("__Secure-a", "1", { path: "/x", domain: "example.com" }), 1)
    refused(/the value of "a" is string, expected text without lone surrogates/, "a", {}, "\ud800")
    refused(/"a" has 4097 bytes with its value, expected 4096 at most/, "a", {}, "x".repeat(4096))
    assert.lengthOf(set("a", "x".repeat(4095)), 1)
  })
})

describe("secrets", () => {
  it("that are too short, missing or not Redacted are refused, and the error does not say them", () => {
    const short = Redacted.make("short secret")
    const long = Redacted.make("x".repeat(32))
    const thrown = (secrets: unknown) => {
      let message = ""
      try {
        Secret.list("test", secrets as Secret.Secrets)
      } catch (error) {
        message = (error as Error).message
      }
      return message
    }
    assert.include(thrown(short), "test: a secret has 12 bytes, expected 32 or more")
    assert.include(thrown([long, short]), "a secret has 12 bytes")
    assert.notInclude(thrown(short), "short secret")
    assert.include(thrown("x".repeat(32)), "there is no secret")
    assert.include(thrown([]), "there is no secret")
    assert.include(thrown(["y".repeat(32)]), "a secret is no Redacted text")
    assert.strictEqual(thrown([long]), "")
  })
})
