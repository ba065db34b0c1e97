/**
 * How the bytes of a file are sent: conditions and ranges, from memory and from the disk, and files that change
 * meanwhile.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as fs from "node:fs"
import * as Filemap from "../../src/Filemap.ts"
import { SMALL } from "../../src/filemap/FileAnswer.ts"
import * as FileCache from "../../src/filemap/FileCache.ts"
import type { Message } from "../transport/harness.ts"
import { turns } from "../transport/harness.ts"
import { later, openCount, request, serve, tree } from "./site.ts"

const MIB = 1_048_576

/** Bytes of which each stretch is different. */
const bytes = (size: number): Buffer => {
  const out = Buffer.alloc(size)
  for (let i = 0; i + 4 <= size; i += 4) out.writeUInt32BE(Math.imul(i, 2_654_435_761) >>> 0, i)
  return out
}

const CONTENT = { small: bytes(1_000), large: bytes(SMALL + 1_000) }
const SIZES = ["small", "large"] as const

const files = { small: CONTENT.small, large: CONTENT.large }

/** Takes a multipart body apart by its boundary. */
const partsOf = ({ body, headers }: Message): ReadonlyArray<readonly [head: string, bytes: Buffer]> => {
  const boundary = /^multipart\/byteranges; boundary=(\w+)$/.exec(headers["content-type"]!)![1]!
  const parts = `\r\n${body}`.split(`\r\n--${boundary}`)
  assert.strictEqual(parts.at(-1), "--\r\n")
  return parts.slice(1, -1).map((part) => {
    const at = part.indexOf("\r\n\r\n")
    return [part.slice(2, at), Buffer.from(part.slice(at + 4), "latin1") as Buffer] as const
  })
}

describe("a file", () => {
  it.live.each(SIZES)("is not sent again to who has it, and not at all to who means another state (%s)",
    (name) =>
      Effect.gen(function*() {
        const root = yield* tree(files)
        const { ask } = yield* serve(Filemap.routes("/", root, { cacheControl: "no-cache" }))
        yield* later
        const full = yield* ask(`/${name}`)
        const { etag, "last-modified": modified } = full.headers as { etag: string; "last-modified": string }
        assert.deepStrictEqual([full.status, full.body.length], [200, files[name].length])
        const past = new Date(Date.parse(modified) - 1000).toUTCString()
        const future = new Date(Date.parse(modified) + 1000).toUTCString()
        const asked = Effect.fnUntraced(function*(headers: Readonly<Record<string, string>>, method = "GET") {
          const answer = yield* ask(`/${name}`, { headers, method })
          if (answer.status === 304) {
            assert.strictEqual(answer.body, "")
            assert.deepInclude(answer.headers, { etag, "cache-control": "no-cache", "vary": "accept-encoding" })
            assert.doesNotHaveAnyKeys(answer.headers, ["content-length", "content-type"])
          }
          return answer.status
        })
        assert.strictEqual(yield* asked({ "if-none-match": etag }), 304)
        assert.strictEqual(yield* asked({ "if-none-match": `W/${etag}` }, "HEAD"), 304)
        assert.strictEqual(yield* asked({ "if-modified-since": modified }), 304)
        assert.strictEqual(yield* asked({ "if-modified-since": future }), 304)
        assert.strictEqual(yield* asked({ "if-modified-since": past }), 200)
        assert.strictEqual(yield* asked({ "if-none-match": "\"x\"", "if-modified-since": future }), 200)
        assert.strictEqual(yield* asked({ "if-match": "\"x\"" }), 412)
        assert.strictEqual(yield* asked({ "if-match": etag, "if-none-match": etag }), 304)
        assert.strictEqual(yield* asked({ "if-unmodified-since": past }), 412)
        assert.strictEqual(yield* asked({ "if-unmodified-since": modified }, "HEAD"), 200)
      }))

  it.live.each(SIZES)("is sent in the ranges that are asked for (%s)", (name) =>
    Effect.gen(function*() {
      const root = yield* tree(files)
      const path = `${root}/${name}`
      const content = files[name]
      const size = content.length
      const { ask } = yield* serve(Filemap.routes("/", root, { cacheControl: "no-cache" }))
      yield* later
      const ranged = (range: string, more: Readonly<Record<string, string>> = {}) =>
        ask(`/${name}`, { headers: { range, ...more } })
      const { headers: { etag, "last-modified": modified } } = yield* ask(`/${name}`)

      const single = yield* ranged("bytes=10-19")
      assert.strictEqual(single.status, 206)
      assert.deepStrictEqual(Buffer.from(single.body, "latin1"), content.subarray(10, 20))
      assert.deepInclude(single.headers, {
        "content-range": `bytes 10-19/${size}`,
        "content-length": "10",
        "content-type": "application/octet-stream",
        "cache-control": "no-cache",
        etag
      })
      const suffix = yield* ranged("bytes=-5")
      assert.deepStrictEqual(Buffer.from(suffix.body, "latin1"), content.subarray(size - 5))
      assert.strictEqual((yield* ranged(`bytes=0-0,${size}-`)).headers["content-range"], `bytes 0-0/${size}`)

      const several = yield* ranged(`bytes=-3, 0-1, 100-199`)
      assert.strictEqual(several.status, 206)
      assert.isUndefined(several.headers["content-range"])
      const wanted = [[size - 3, size], [0, 2], [100, 200]] as const
      assert.deepStrictEqual(
        partsOf(several),
        wanted.map(([start, end]) =>
          [
            `content-type: application/octet-stream\r\ncontent-range: bytes ${start}-${end - 1}/${size}`,
            content.subarray(start, end)
          ] as const
        )
      )

      const none = yield* ranged(`bytes=${size}-`)
      assert.deepStrictEqual([none.status, none.headers["content-range"]], [416, `bytes */${size}`])
      assert.strictEqual((yield* ranged("bytes=0-9,5-15")).status, 200)
      assert.strictEqual((yield* ranged("lines=0-9")).status, 200)

      // The part of a client that has another state is of something else.
      assert.strictEqual((yield* ranged("bytes=0-9", { "if-range": etag! })).status, 206)
      assert.strictEqual((yield* ranged("bytes=0-9", { "if-range": modified! })).status, 206)
      assert.strictEqual((yield* ranged("bytes=0-9", { "if-range": "\"x\"" })).status, 200)
      assert.strictEqual((yield* ranged("bytes=0-9", { "if-range": new Date(0).toUTCString() })).status, 200)
      assert.strictEqual((yield* ranged("bytes=0-9", { "if-none-match": etag! })).status, 304)
      const head = yield* ask(`/${name}`, { method: "HEAD", headers: { range: "bytes=0-9" } })
      assert.deepStrictEqual([head.status, head.headers["content-length"]], [200, String(size)])
      assert.strictEqual(openCount(path), 0)
    }))

  it.live("that has just changed has no strong validator until a change would be seen, when it is large", () =>
    Effect.gen(function*() {
      const root = yield* tree(files)
      const { ask } = yield* serve(Filemap.routes("/", root))
      const { headers } = yield* ask("/large")
      const weak = headers["etag"]!
      assert.match(weak, /^W\/"/)
      const resumed = { range: "bytes=0-9", "if-range": headers["last-modified"]! }
      assert.strictEqual((yield* ask("/large", { headers: resumed })).status, 200)
      yield* later
      assert.strictEqual((yield* ask("/large")).headers["etag"], weak.slice(2))
      assert.strictEqual((yield* ask("/large", { headers: { "if-none-match": weak } })).status, 304)
    }))

  it.live("of some MiB with holes is the same in pieces as in one, whatever the pieces are", () =>
    Effect.gen(function*() {
      const root = yield* tree()
      const size = 3 * MIB + 17
      const fd = fs.openSync(`${root}/sparse`, "w")
      fs.ftruncateSync(fd, size)
      for (const at of [0, 300_000, 2 * MIB - 3, size - 5]) fs.writeSync(fd, `${at}`.slice(0, 5), at)
      fs.closeSync(fd)
      const { ask } = yield* serve(Filemap.routes("/", root))
      const content = fs.readFileSync(`${root}/sparse`)
      const whole = yield* ask("/sparse")
      assert.isTrue(Buffer.from(whole.body, "latin1").equals(content))
      const cuts = Arbitrary.schema(
        Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: size - 1 }))).check(Schema.isMaxLength(4))
      )
      const result = yield* Arbitrary.checkEffect(cuts, (cuts) =>
        Effect.gen(function*() {
          const points = [0, ...new Set(cuts)].sort((a, b) => a - b).concat(size)
          const pieces: Array<Buffer> = []
          for (let i = 1; i < points.length; i++) {
            const { body, status } = yield* ask("/sparse", {
              headers: { range: `bytes=${points[i - 1]}-${points[i]! - 1}` }
            })
            if (status !== 206) return false
            pieces.push(Buffer.from(body, "latin1"))
          }
          const several = `bytes=${points.slice(1).map((end, i) => `${points[i]}-${end - 1}`).join(",")}`
          const parts = points.length > 2 ? partsOf(yield* ask("/sparse", { headers: { range: several } })) : []
          return Buffer.concat(pieces).equals(content) &&
            (parts.length === 0 || Buffer.concat(parts.map(([, part]) => part)).equals(content))
        }), { runs: 10 })
      assert.isUndefined(Arbitrary.formatCheckFailure(result))
    }))
})

/** A file that is larger than all buffers on its way, and a client that has its head and reads no further. */
const stalled = Effect.fnUntraced(function*(method = "GET") {
  const root = yield* tree()
  const path = `${root}/file`
  const size = 64 * MIB
  fs.writeFileSync(path, "begin")
  fs.truncateSync(path, size)
  const site = yield* serve(Filemap.routes("/", root))
  const client = yield* site.connect
  client.socket.once("data", () => client.socket.pause())
  client.send(request("/file", { method }))
  yield* client.until(() => client.received.length > 0)
  yield* turns(1)
  return { ...site, client, path, size }
})

describe("a large file", () => {
  it.live("is closed when its client leaves in the middle, and that is no fault", () =>
    Effect.gen(function*() {
      const { client, idle, path, reported } = yield* stalled()
      assert.strictEqual(openCount(path), 1)
      client.leave()
      yield* idle
      assert.strictEqual(openCount(path), 0)
      assert.deepStrictEqual(reported, [])
    }))

  it.live("is read no faster than its client takes it", () =>
    Effect.gen(function*() {
      const { client, path, size } = yield* stalled()
      const before = process.memoryUsage().arrayBuffers
      yield* turns(200)
      assert.isBelow(process.memoryUsage().arrayBuffers - before, size / 4)
      assert.strictEqual(openCount(path), 1)
      client.leave()
    }))

  it.live("that becomes shorter while it is sent breaks the connection, and is reported", () =>
    Effect.gen(function*() {
      const { client, idle, path, reported, size } = yield* stalled()
      fs.truncateSync(path, MIB)
      client.socket.resume()
      yield* client.until(() => client.closed)
      assert.isBelow(client.received.length, size)
      yield* idle
      assert.strictEqual(openCount(path), 0)
      assert.lengthOf(reported, 1)
      assert.include(reported[0], `${path} became shorter while it was sent`)
    }))

  it.live("that becomes longer, or is replaced, while it is sent is sent as it was promised", () =>
    Effect.gen(function*() {
      const root = yield* tree({ file: Buffer.alloc(8 * MIB, "a") })
      const path = `${root}/file`
      const { connect } = yield* serve(Filemap.routes("/", root))
      const client = yield* connect
      client.socket.once("data", () => client.socket.pause())
      client.send(request("/file"))
      yield* client.until(() => client.received.length > 0)
      yield* turns(1)
      fs.appendFileSync(path, "more")
      fs.writeFileSync(`${root}/new`, "new")
      fs.renameSync(`${root}/new`, path)
      client.socket.resume()
      const [message] = yield* client.responses(1)
      assert.strictEqual(message!.headers["content-length"], String(8 * MIB))
      assert.isTrue(message!.body === "a".repeat(8 * MIB))
    }))
})

describe("Filemap.layerCache", () => {
  it.live("gives the file maps below it a cache of that size; without room a file is sent all the same", () =>
    Effect.gen(function*() {
      const root = yield* tree({ "a.txt": "a" })
      for (const [size, kept] of [["0 B", []], ["1 MiB", [`${root}/a.txt`]]] as const) {
        const context = yield* Layer.build(Filemap.layerCache(size))
        const { ask } = yield* serve(Filemap.routes("/", root), {}, context)
        // What has just changed may change again and look the same: it is not kept.
        assert.strictEqual((yield* ask("/a.txt")).body, "a")
        assert.deepStrictEqual(Context.get(context, FileCache.Files).paths, [])
        const spy = yield* later
        for (const _ of [1, 2]) assert.strictEqual((yield* ask("/a.txt")).body, "a")
        assert.deepStrictEqual(Context.get(context, FileCache.Files).paths, kept)
        spy.mockRestore()
      }
      assert.throws(() => Filemap.layerCache("much" as "1 MiB"))
    }))
})
