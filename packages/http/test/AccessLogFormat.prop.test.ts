/** A14: whatever a client sends, a request is one line of the access log, and what it said can be read back. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Format from "../src/access-log/Format.ts"
import type { Ended } from "../src/transport/Observation.ts"

const usual: Ended = {
  time: new Date(2026, 11, 1, 13, 20, 8, 500).getTime(),
  duration: 1.23456,
  address: "192.0.2.7",
  port: 50_000,
  isEncrypted: false,
  method: "GET",
  target: "/users?id=1",
  version: "1.1",
  host: "example.com",
  status: 200,
  bytes: 13,
  referer: "https://example.com/",
  userAgent: "curl/8.9",
  ending: "complete"
}

const nothing: Ended = {
  ...usual,
  address: undefined,
  port: undefined,
  method: undefined,
  target: undefined,
  version: undefined,
  host: undefined,
  status: undefined,
  bytes: 0,
  referer: undefined,
  userAgent: undefined,
  ending: "cut"
}

// What any client may send: bytes, as Latin-1.
const Text = Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 255 })))
const latin1 = (bytes: ReadonlyArray<number>): string => String.fromCharCode(...bytes)

const unescape = (text: string): string | undefined =>
  text === "-"
    ? undefined
    : text.replace(/\\x([0-9a-f]{2})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))

const LINE = /^(\S+) - (\S+) \[([^\]"]+)\] "(\S+) (.*?) (\S+)" (\S+) (\d+) "([^"]*)" "([^"]*)"$/

const isOneLine = (line: string): void => assert.match(line, /^[\x20-\x7e]*$/)

describe("Kore's line (http §17.1)", () => {
  it("is what users of Kore have scripts for", () => {
    assert.match(
      Format.kore(usual),
      /^192\.0\.2\.7 - - \[01\/Dec\/2026:13:20:08 [+-]\d{4}\] "GET \/users HTTP\/1\.1" 200 13 "https:\/\/example\.com\/" "curl\/8\.9"$/
    )
    assert.match(Format.kore(nothing), /^- - - \[01\/Dec\/2026:13:20:08 [+-]\d{4}\] "- - -" - 0 "-" "-"$/)
  })

  it("has OPTIONS by its name", () => {
    assert.include(Format.kore({ ...usual, method: "OPTIONS", target: "*" }), "\"OPTIONS * HTTP/1.1\"")
  })

  it.effect.prop("A14: is one line that gives back what was sent, whatever that was", {
    target: Text,
    referer: Text,
    userAgent: Text
  }, ({ referer, target, userAgent }) =>
    Effect.sync(() => {
      const sent = { target: `/${latin1(target)}`, referer: latin1(referer), userAgent: latin1(userAgent) }
      const line = Format.kore({ ...usual, ...sent })
      isOneLine(line)
      const parts = LINE.exec(line)!
      assert.strictEqual(unescape(parts[5]!), sent.target.split("?", 1)[0])
      assert.strictEqual(unescape(parts[9]!), sent.referer)
      assert.strictEqual(unescape(parts[10]!), sent.userAgent)
    }))

  it("tells a field that is a hyphen from none", () => {
    assert.isTrue(Format.kore({ ...usual, userAgent: "-" }).endsWith("\"\\x2d\""))
    assert.isTrue(Format.kore({ ...usual, userAgent: "" }).endsWith("\"\""))
  })
})

describe("the combined line", () => {
  it("has the query, and a hyphen for no bytes and for no request", () => {
    assert.include(Format.combined(usual), "\"GET /users?id=1 HTTP/1.1\" 200 13 ")
    assert.include(Format.combined({ ...usual, bytes: 0, status: 304 }), " 304 - ")
    assert.match(Format.combined({ ...nothing, status: 400, bytes: 120 }), /^- - - \[[^\]]+\] "-" 400 120 "-" "-"$/)
  })

  it.effect.prop("A14: is one line, whatever was sent", { target: Text, userAgent: Text },
    ({ target, userAgent }) =>
      Effect.sync(() => {
        const line = Format.combined({ ...usual, target: latin1(target), userAgent: latin1(userAgent) })
        isOneLine(line)
        assert.strictEqual(unescape(LINE.exec(line)![10]!), latin1(userAgent))
      }))
})

describe("the JSON line", () => {
  it("has always the same members", () => {
    assert.deepStrictEqual(JSON.parse(Format.json(usual)), {
      time: new Date(usual.time).toISOString(),
      address: "192.0.2.7",
      port: 50_000,
      host: "example.com",
      method: "GET",
      target: "/users?id=1",
      version: "1.1",
      status: 200,
      bytes: 13,
      duration: 1.235,
      ending: "complete",
      referer: "https://example.com/",
      userAgent: "curl/8.9"
    })
    assert.deepStrictEqual(Object.keys(JSON.parse(Format.json(nothing))), Object.keys(JSON.parse(Format.json(usual))))
  })

  it.effect.prop("A14: is one line that gives back exactly what was sent", {
    host: Text,
    target: Text,
    userAgent: Text
  }, ({ host, target, userAgent }) =>
    Effect.sync(() => {
      const sent = { host: latin1(host), target: latin1(target), userAgent: latin1(userAgent) }
      const line = Format.json({ ...usual, ...sent })
      isOneLine(line)
      const { host: h, target: t, userAgent: u } = JSON.parse(line)
      assert.deepStrictEqual({ host: h, target: t, userAgent: u }, sent)
    }))
})
