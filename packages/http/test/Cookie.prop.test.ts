import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Cookies from "effect/http/Cookies"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Cookie from "../src/Cookie.ts"
import * as Secret from "../src/Secret.ts"

// Mostly what means something in a header; the rest is made of any characters.
const Character = Schema.Union([Schema.Literals([..."=;,\"% .\\\r\n\0é漢", "%4", "%ff"]), Schema.String])
const Text = Schema.Array(Character).check(Schema.isMaxLength(8))
const Name = Schema.Array(Schema.Literals([..."aZ0!#$%&'*+-.^_`|~", "__proto__", "constructor"])).check(
  Schema.isMinLength(1),
  Schema.isMaxLength(4)
)
const Index = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1000 }))

const runs = { arbitrary: { runs: 1000 } }
const textOf = (parts: ReadonlyArray<string>): string => parts.join("").toWellFormed()
const secret = (name: string) => Redacted.make(name.repeat(32))

// As a browser does it: the pair before the first semicolon comes back.
const sentBack = (response: HttpServerResponse.HttpServerResponse): string =>
  Cookies.toSetCookieHeaders(response.cookies).map((header) => header.split(";", 1)[0]!).join("; ")

it.effect.prop("B13: whatever is set in cookies of any names comes back as it was, each under its own name", {
  cookies: Schema.Array(Schema.Tuple([Name, Text])).check(Schema.isMaxLength(4))
}, ({ cookies }) =>
  Effect.sync(() => {
    const expected = new Map(cookies.map(([name, value]) => [name.join(""), textOf(value)]))
    let response = HttpServerResponse.empty()
    for (const [name, value] of expected) response = Cookie.set(response, name, value, { secure: true })
    const parsed = Cookies.parseHeader(sentBack(response))
    assert.deepStrictEqual(new Map(Object.entries(parsed)), expected)
  }), runs)

it.effect.prop("any header is parsed without an exception, and the first of several cookies of a name counts", {
  before: Text,
  name: Name,
  values: Schema.Array(Schema.Literals(["1", "2", "3"])).check(Schema.isMinLength(1), Schema.isMaxLength(3)),
  after: Text
}, ({ after, before, name, values }) =>
  Effect.sync(() => {
    Cookies.parseHeader(textOf(before))
    const header = `${values.map((value) => `${name.join("")}=${value}`).join(";")};${textOf(after)}`
    assert.strictEqual(Cookies.parseHeader(header)[name.join("")], values[0])
  }), runs)

it.effect.prop("what was signed is verified by each of the secrets and no other, for its own name alone", {
  name: Name,
  other: Name,
  value: Text
}, ({ name: parts, other: otherParts, value: characters }) =>
  Effect.sync(() => {
    const [name, other, value] = [parts.join(""), otherParts.join(""), textOf(characters)]
    const signed = Cookie.sign(name, value, secret("a"))
    assert.strictEqual(Cookie.verify(name, signed, secret("a")), value)
    assert.strictEqual(Cookie.verify(name, signed, [secret("b"), secret("a")]), value)
    assert.strictEqual(Cookie.verify(name, signed, secret("b")), undefined)
    if (name !== other) assert.strictEqual(Cookie.verify(other, signed, secret("a")), undefined)
  }), runs)

it.effect.prop("a signed value of which any character was changed, added or lost is refused", {
  value: Text,
  index: Index,
  text: Schema.Array(Character).check(Schema.isMaxLength(1)),
  removed: Schema.Literals([0, 1, 2])
}, ({ index, removed, text, value }) =>
  Effect.sync(() => {
    const signed = Cookie.sign("n", textOf(value), secret("a"))
    const at = index % (signed.length + 1)
    const changed = signed.slice(0, at) + text.join("") + signed.slice(at + removed)
    if (changed === signed) return
    assert.strictEqual(Cookie.verify("n", changed, secret("a")), undefined)
  }), runs)

it.effect.prop("each bit of a signature counts: no other spelling of the same bytes is accepted", {
  index: Index,
  character: Schema.Literals([..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/="])
}, ({ character, index }) =>
  Effect.sync(() => {
    const signature = Secret.sign("text", secret("a"))
    const at = index % signature.length
    const changed = signature.slice(0, at) + character + signature.slice(at + 1)
    assert.strictEqual(Secret.isSignature(changed, "text", secret("a")), changed === signature)
  }), runs)

it.effect.prop("two values are equal exactly when they are", { a: Text, b: Text }, ({ a, b }) =>
  Effect.sync(() => {
    const [x, y] = [textOf(a), textOf(b)]
    assert.strictEqual(Secret.equals(x, y), x === y)
    assert.isTrue(Secret.equals(x, Redacted.make(x)))
    assert.isTrue(Secret.equals(Buffer.from(x), x))
  }), runs)
