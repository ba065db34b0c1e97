import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { HttpServerRequest, HttpServerResponse } from "../src/internal/effectHttp.ts"
import { ServerRequest } from "../src/Request.ts"
import { RequestHead } from "../src/transport/RequestHead.ts"
import * as TrustedProxy from "../src/TrustedProxy.ts"

/** What a handler sees of a request that a peer sends, behind the middleware. */
const seen = Effect.fnUntraced(function*(
  options: TrustedProxy.Options,
  peer: string | undefined,
  fields: Readonly<Record<string, string>>
) {
  const lines = Object.entries({ host: "inside.test", ...fields }).map(([name, value]) => `${name}: ${value}\r\n`)
  const bytes = Buffer.from(`GET / HTTP/1.1\r\n${lines.join("")}\r\n`, "latin1")
  const head = new RequestHead({ size: 65_536, fields: 100 })
  const end = head.parse(bytes, 0, bytes.length)
  assert.isAbove(end, 0)
  const source = { remoteAddress: peer, remotePort: 1, isEncrypted: false, descriptor: undefined, close: () => {} }
  const request = new ServerRequest(source, head, bytes, 0, end, undefined)
  let result: unknown
  const handler = TrustedProxy.middleware(options).wrap((given) =>
    Effect.map(HttpServerRequest.HttpServerRequest, (service) => {
      assert.strictEqual(service, given)
      assert.deepStrictEqual(service.peerAddress, Option.fromUndefinedOr(peer))
      result = [Option.getOrUndefined(service.remoteAddress), service.protocol, given.field("host")]
      return HttpServerResponse.empty()
    })
  )
  yield* Effect.provideService(handler(request, {}), HttpServerRequest.HttpServerRequest, request)
  return result
})

const trust = ["10.0.0.0/8", "::1", "2001:db8::/32"]
const untouched = (peer: string | undefined) => [peer, "http", "inside.test"]

describe("a trusted proxy", () => {
  it.effect("is believed to the first address that is none, from the right; others are not believed at all", () =>
    Effect.gen(function*() {
      const cases: ReadonlyArray<readonly [peer: string | undefined, list: string, address: string | undefined]> = [
        ["10.0.0.1", "198.51.100.7", "198.51.100.7"],
        ["10.0.0.1", "6.6.6.6, 198.51.100.7", "198.51.100.7"],
        ["10.0.0.1", "6.6.6.6, 198.51.100.7, 10.0.0.2,10.9.9.9", "198.51.100.7"],
        ["10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"],
        ["10.0.0.1", "198.51.100.7:4711", "198.51.100.7"],
        ["10.0.0.1", "[2001:db9::7]:4711", "2001:db9::7"],
        ["10.0.0.1", "::ffff:198.51.100.7", "198.51.100.7"],
        ["10.0.0.1", "6.6.6.6, unknown", "10.0.0.1"],
        ["10.0.0.1", "6.6.6.6, unknown, 10.0.0.2", "10.0.0.2"],
        ["10.0.0.1", "6.6.6.6, 1.2.3.4.5", "10.0.0.1"],
        ["10.0.0.1", "", "10.0.0.1"],
        ["::ffff:10.0.0.1", "198.51.100.7", "198.51.100.7"],
        ["::1", "198.51.100.7", "198.51.100.7"],
        ["11.0.0.1", "198.51.100.7", "11.0.0.1"],
        ["::2", "198.51.100.7", "::2"],
        [undefined, "198.51.100.7", undefined]
      ]
      for (const [peer, list, address] of cases) {
        const result = yield* seen({ trust }, peer, { "x-forwarded-for": list })
        assert.deepStrictEqual(result, untouched(address), `${peer} ${list}`)
      }
      const unix = yield* seen({ trust: ["unix"] }, undefined, { "x-forwarded-for": "198.51.100.7" })
      assert.deepStrictEqual(unix, untouched("198.51.100.7"))
    }))

  it.effect.prop("decides alone: whatever a client writes before what it adds changes nothing", {
    forged: Schema.Array(Schema.Union([
      Schema.Literals(["10.0.0.9", "unknown", "", "::1", "6.6.6.6", "\"", "[", "for=10.0.0.1", ";"]),
      Schema.String
    ]))
  }, ({ forged }) =>
    Effect.gen(function*() {
      const text = forged.join(",").replaceAll(/[^\x20-\x7e]/g, "")
      const result = yield* seen({ trust }, "10.0.0.1", {
        "x-forwarded-for": `${text}, 198.51.100.7, 10.0.0.2`,
        "x-forwarded-proto": `${text}, https, http`,
        "x-forwarded-host": "forged.test",
        forwarded: `for=6.6.6.6;${text}`
      })
      assert.deepStrictEqual(result, ["198.51.100.7", "https", "inside.test"])
    }), { arbitrary: { runs: 200 } })

  it.effect("that sets one scheme and host is believed too, if these are theirs to set and make sense", () =>
    Effect.gen(function*() {
      const headers = ["x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"] as const
      const fields = { "x-forwarded-for": "198.51.100.7, 10.0.0.2", "x-forwarded-host": "shop.test:8443" }
      const https = { ...fields, "x-forwarded-proto": "HTTPS" }
      assert.deepStrictEqual(yield* seen({ trust, headers }, "10.0.0.1", https), ["198.51.100.7", "https",
        "shop.test:8443"])
      assert.deepStrictEqual(yield* seen({ trust }, "10.0.0.1", https), ["198.51.100.7", "https", "inside.test"])
      const nonsense = { "x-forwarded-proto": "gopher", "x-forwarded-host": "user@evil.test/path" }
      assert.deepStrictEqual(yield* seen({ trust, headers }, "10.0.0.1", nonsense), untouched("10.0.0.1"))
    }))

  it.effect("may speak RFC 7239: quotes, brackets, ports, several proxies; what cannot be read is never the peer", () =>
    Effect.gen(function*() {
      const UNKNOWN = [undefined, "http", "inside.test"]
      const cases: ReadonlyArray<readonly [value: string, result: unknown]> = [
        ["for=198.51.100.7;proto=https;host=shop.test", ["198.51.100.7", "https", "shop.test"]],
        ["For=\"[2001:db9::7]:4711\" ; Proto=\"https\"", ["2001:db9::7", "https", "inside.test"]],
        ["for=6.6.6.6;proto=http, for=198.51.100.7;proto=https, for=10.0.0.2", [
          "198.51.100.7",
          "https",
          "inside.test"
        ]],
        ["for=\"_hidden\", for=10.0.0.2", ["10.0.0.2", "http", "inside.test"]],
        ["for=\"198.51.\\100.7\"", ["198.51.100.7", "http", "inside.test"]],
        ["for=198.51.100.7;proto=\"https", UNKNOWN],
        // A client cannot hide behind the proxy by breaking the field before the proxy goes on with it.
        ["for=\"a, for=6.6.6.6;proto=https", ["6.6.6.6", "https", "inside.test"]],
        ["@@@, for=6.6.6.6", ["6.6.6.6", "http", "inside.test"]],
        [";for=198.51.100.7;;proto=https;", ["198.51.100.7", "https", "inside.test"]],
        ["for=6.6.6.6,, for=198.51.100.7;proto=https,", ["198.51.100.7", "https", "inside.test"]],
        ["for=6.6.6.6, for=\"198.51.100.7, for=10.0.0.2", ["10.0.0.2", "http", "inside.test"]],
        ["for = 198.51.100.7", UNKNOWN],
        ["198.51.100.7", UNKNOWN]
      ]
      for (const [forwarded, result] of cases) {
        const fields = { forwarded, "x-forwarded-for": "6.6.6.6" }
        assert.deepStrictEqual(yield* seen({ trust, headers: ["forwarded"] }, "10.0.0.1", fields), result, forwarded)
      }
    }))

  it("is not named by what is no address, and does not speak two languages", () => {
    assert.throws(() => TrustedProxy.middleware({ trust: ["10.0.0.0/33"] }), TypeError, /"10\.0\.0\.0\/33".*expected/)
    assert.throws(() => TrustedProxy.middleware({ trust: ["proxy.test"] }), TypeError, /"proxy\.test"/)
    const headers = ["forwarded", "x-forwarded-for"] as const
    assert.throws(() => TrustedProxy.middleware({ trust, headers }), TypeError, /forwarded and 1 more/)
    assert.throws(() => TrustedProxy.middleware({ trust, headers: ["via" as never] }), TypeError, /"via"/)
  })
})
