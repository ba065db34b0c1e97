import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { Hosts, isHost, normalize } from "../src/Hosts.ts"
import { ServerRequest } from "../src/Request.ts"
import { RequestHead } from "../src/transport/RequestHead.ts"

const Label = Schema.Literals(["a", "B", "example", "Com", "x-1", "_y"])
const Name = Schema.Array(Label).check(Schema.isMinLength(1), Schema.isMaxLength(4))
const Suffix = Schema.Literals(["", ".", ":80", ".:8080", ":"])
const Character = Schema.Union([
  Schema.Literals([..."aZ0.-_:[]@/*%\\ \t,;", "\0", "é", "漢"]),
  Schema.String.check(Schema.isMaxLength(1))
])
const Text = Schema.Array(Character).check(Schema.isMaxLength(12))

describe("a host", () => {
  it.prop("is compared without case, port and final dot, and of any text nothing throws", {
    name: Name,
    suffix: Suffix,
    text: Text
  }, ({ name, suffix, text }) => {
    const host = name.join(".")
    assert.strictEqual(normalize(host + suffix), host.toLowerCase())
    assert.isTrue(isHost(host))
    const any = text.join("")
    assert.strictEqual(normalize(any), normalize(any.toUpperCase().toLowerCase()))
    assert.isBoolean(isHost(any))
  })

  it.prop("is found as by looking at all: the exact name, else the longest wildcard, else the rest", {
    hosts: Schema.Array(Schema.Tuple([Schema.Boolean, Name])).check(Schema.isMaxLength(5)),
    hasRest: Schema.Boolean,
    asked: Name,
    suffix: Suffix
  }, ({ asked, hasRest, hosts, suffix }) => {
    const declared = [
      ...hosts.map(([isWildcard, name]) => `${isWildcard ? "*." : ""}${name.join(".")}`.toLowerCase()),
      ...(hasRest ? ["*"] : [])
    ]
    const name = asked.join(".").toLowerCase()
    const wildcards = declared.filter((host) => host.startsWith("*.") && name.endsWith(host.slice(1)))
      .toSorted((a, b) => b.length - a.length)
    const expected = declared.includes(name) ? name : wildcards[0] ?? (hasRest ? "*" : undefined)
    const found = new Hosts(declared.map((host) => [host, host] as const))
    for (const _ of ["first", "from memory"]) assert.strictEqual(found.find(asked.join(".") + suffix), expected)
  })
})

describe("the Host field", () => {
  it.prop("of any text is refused, or given to handlers exactly as it was sent", { text: Text }, ({ text }) => {
    const value = text.join("")
    const bytes = Buffer.from(`GET / HTTP/1.1\r\nHost: ${value}\r\n\r\n`)
    const head = new RequestHead({ size: 65_536, fields: 100 })
    const end = head.parse(bytes, 0, bytes.length)
    if (end <= 0) return
    const source = { remoteAddress: undefined, remotePort: undefined, isEncrypted: false, descriptor: undefined }
    const request = new ServerRequest({ ...source, close: () => {} }, head, bytes, 0, end, undefined)
    assert.strictEqual(request.host, value.trim())
    // Nothing that would end it or mean something else in a URL.
    assert.match(request.host, /^[^\x00-\x20\x7f-\uffff/@?#\\]*$/)
  })
})
