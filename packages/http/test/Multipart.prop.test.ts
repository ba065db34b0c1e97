import { assert, it } from "@effect/vitest"
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { HttpServerRequest } from "../src/internal/effectHttp.ts"
import * as Multipart from "../src/Multipart.ts"

const BOUNDARY = "aXbXa"
const END = `--${BOUNDARY}--\r\n`

// Mostly what could be taken for something else.
const Character = Schema.Literals(["a", "\"", "\\", "\r", "\n", ";", ":", "=", "%", " ", "é", "漢", "😀", "/", "."])
const Name = Schema.Array(Character).check(Schema.isMaxLength(6))
const Piece = Schema.Literals([
  "\r\n",
  "\r",
  "\n",
  "-",
  "--",
  "\r\n--",
  "\r\n--aXbX",
  "aXbX",
  "a",
  "X",
  "\r\nContent-Disposition: form-data; name=x\r\n\r\n",
  "\0\xff",
  "xyz".repeat(40)
])
const Pieces = Schema.Array(Piece).check(Schema.isMaxLength(8))
const Part = Schema.Struct({ name: Name, filename: Schema.NullOr(Name), content: Pieces })
const Parts = Schema.Array(Part).check(Schema.isMaxLength(4))
const Sizes = Schema.NonEmptyArray(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 60 })))

// Quoted as RFC 9110 says, but line ends as browsers say: there is no other way to have them.
const quote = (name: string) => `"${name.replace(/["\\]/g, "\\$&").replace(/\r/g, "%0D").replace(/\n/g, "%0A")}"`

// A boundary must not be in the content.
const contentOf = (pieces: ReadonlyArray<string>): Buffer => {
  let content = pieces.join("")
  while (content.includes(`--${BOUNDARY}`)) content = content.replaceAll(`--${BOUNDARY}`, "")
  return Buffer.from(content, "latin1")
}

/** A naive writer: the bytes of the form, and what each of its parts is. */
const write = (parts: ReadonlyArray<typeof Part.Type>) => {
  const bytes: Array<Buffer> = []
  const written = parts.map((part) => {
    const name = part.name.join("")
    const filename = part.filename === null ? null : part.filename.join("")
    const content = contentOf(part.content)
    const header = `Content-Disposition: form-data; name=${quote(name)}` +
      (filename === null ? "" : `; filename=${quote(filename)}`)
    bytes.push(Buffer.from(`--${BOUNDARY}\r\n${header}\r\n\r\n`), content, Buffer.from("\r\n"))
    return [name, filename, filename === null ? content.toString("utf8") : content.toString("latin1")] as const
  })
  return { body: Buffer.concat([...bytes, Buffer.from(END)]), written }
}

const chunked = (body: Buffer, sizes: ReadonlyArray<number>): Array<Buffer> => {
  const chunks: Array<Buffer> = []
  for (let at = 0, i = 0; at < body.length; i++) {
    const size = sizes[i % sizes.length]!
    chunks.push(body.subarray(at, at + size))
    at += size
  }
  return chunks
}

const post = (chunks: ReadonlyArray<Buffer>) =>
  ({
    headers: { "content-type": `multipart/form-data; boundary=${BOUNDARY}` },
    stream: Stream.fromIterable(chunks, { chunkSize: 3 })
  }) as unknown as HttpServerRequest.HttpServerRequest

type Seen = readonly [name: string, filename: string | null, content: string]

/** The parts that were told to be whole, and how the form ended. */
const parse = Effect.fnUntraced(function*(chunks: ReadonlyArray<Buffer>) {
  const seen: Array<Seen> = []
  const exit = yield* Effect.exit(Stream.runForEach(Multipart.parts(post(chunks)), (part) =>
    part._tag === "Field"
      ? Effect.sync(() => void seen.push([part.name, null, part.value]))
      : Effect.map(Stream.runCollect(part.content), (content) =>
        void seen.push([part.name, Option.getOrNull(part.rawFilename), Buffer.concat(content).toString("latin1")]))))
  return { seen, exit }
})

const tags = (cause: Cause.Cause<{ readonly _tag: string }>) =>
  cause.reasons.map((reason) => reason._tag === "Fail" ? reason.error._tag : reason._tag)

it.effect.prop("what was written is read as the same fields and files, whatever the chunks", {
  parts: Parts,
  sizes: Sizes
}, ({ parts, sizes }) =>
  Effect.gen(function*() {
    const { body, written } = write(parts)
    const { exit, seen } = yield* parse(chunked(body, sizes))
    assert.deepStrictEqual(seen, written)
    assert.strictEqual(exit._tag, "Success")
  }), { arbitrary: { runs: 400 } })

it.effect.prop("a form that is cut anywhere is refused, and only parts that are whole are told to be", {
  parts: Parts,
  sizes: Sizes,
  at: Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1 }))
}, ({ at, parts, sizes }) =>
  Effect.gen(function*() {
    const { body, written } = write(parts)
    // Up to before the last hyphen.
    const cut = body.subarray(0, Math.floor((body.length - 3) * at))
    const { exit, seen } = yield* parse(chunked(cut, sizes))
    assert.deepStrictEqual(seen, written.slice(0, seen.length))
    assert.ok(exit._tag === "Failure")
    assert.deepStrictEqual(tags(exit.cause), ["MalformedMultipart"])
  }), { arbitrary: { runs: 400 } })

const Noise = Schema.Array(
  Schema.Union([
    Piece,
    Schema.Literals([
      `--${BOUNDARY}`,
      `\r\n--${BOUNDARY}`,
      `\r\n--${BOUNDARY}--`,
      "\r\nContent-Disposition: form-data;",
      "  name=x",
      "\r\n\r\n",
      ";",
      "\""
    ])
  ])
).check(Schema.isMaxLength(20))

it.effect.prop(
  "any bytes are parts or a reason, never a defect and never without an end, and the same whatever the chunks",
  { noise: Noise, sizes: Sizes },
  ({ noise, sizes }) =>
    Effect.gen(function*() {
      const bytes = Buffer.from(noise.join(""), "latin1")
      const { exit, seen } = yield* parse(chunked(bytes, sizes))
      const whole = yield* parse([bytes])
      assert.deepStrictEqual([seen, exit._tag], [whole.seen, whole.exit._tag])
      if (exit._tag === "Failure") assert.deepStrictEqual(tags(exit.cause), ["MalformedMultipart"])
    }),
  { arbitrary: { runs: 1000 } }
)

it.effect.prop("a safe file name is one step below any directory, short and visible, and safe again as it is", {
  raw: Schema.Union([Schema.String, Schema.String.check(Schema.isMinLength(150)), Name])
}, ({ raw }) =>
  Effect.sync(() => {
    const text = typeof raw === "string" ? raw : raw.join("")
    const name = Multipart.safeFilename(text)
    assert.notMatch(name, /[/\\\p{Cc}\u202A-\u202E]|^[.\s]|[.\s]$|^$/u)
    assert.isAtMost(Buffer.byteLength(name), 200)
    assert.isTrue(name.isWellFormed())
    assert.strictEqual(Multipart.safeFilename(name), name)
  }), { arbitrary: { runs: 500 } })
