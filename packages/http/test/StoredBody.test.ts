import { assert, describe, it } from "@effect/vitest"
import * as Config from "@kore-fx/core/Config"
import type * as ByteSize from "effect/ByteSize"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { createHash } from "node:crypto"
import * as fs from "node:fs"
import * as os from "node:os"
import * as Path from "node:path"
import { HttpServerRequest, HttpServerRespondable } from "../src/internal/effectHttp.ts"
import { freshName } from "../src/stored-body/BodyFile.ts"
import { storageError } from "../src/stored-body/StorageError.ts"
import * as StoredBody from "../src/StoredBody.ts"

const temporary = Effect.acquireRelease(
  Effect.sync(() => fs.mkdtempSync(Path.join(os.tmpdir(), "kore-fx-stored-"))),
  (directory) => Effect.sync(() => fs.rmSync(directory, { recursive: true }))
)

const configured = (httpBodyDiskPath: string, httpBodyDiskOffload: bigint = 0n) =>
  Effect.provideService(Config.Current, {
    ...Config.defaults,
    httpBodyDiskPath,
    httpBodyDiskOffload: httpBodyDiskOffload as ByteSize.ByteSize
  })

const post = (body: string | Stream.Stream<Uint8Array>) =>
  HttpServerRequest.fromWeb(
    new Request("http://localhost/", {
      method: "POST",
      body: typeof body === "string" ? Buffer.from(body) : Stream.toReadableStream(body),
      duplex: "half"
    } as RequestInit)
  )

const turn = Effect.callback<void>((resume) => void setImmediate(() => resume(Effect.void)))

// The open files of this process below a directory, on systems that tell.
const openBelow = (directory: string): ReadonlyArray<string> => {
  if (!fs.existsSync("/proc/self/fd")) return []
  return fs.readdirSync("/proc/self/fd").flatMap((fd) => {
    try {
      const target = fs.readlinkSync(`/proc/self/fd/${fd}`)
      return target.startsWith(directory) ? [target] : []
    } catch {
      return []
    }
  })
}

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString()
const sha256 = (data: string) => createHash("sha256").update(data).digest("hex")
const DIGITS = "0123456789"

describe("StoredBody.store", () => {
  it.effect("keeps a body up to the threshold in memory and a longer one in a file; both read the same in every way", () =>
    Effect.gen(function*() {
      const directory = yield* temporary
      for (const [offload, isFile] of [[0n, false], [10n, false], [9n, true]] as const) {
        const body = yield* configured(directory, offload)(StoredBody.store(post(DIGITS)))
        assert.strictEqual(body.size, 10)
        assert.strictEqual(Option.isSome(body.path), isFile)
        for (let again = 0; again < 2; again++) {
          assert.strictEqual(text(yield* body.bytes), DIGITS)
          assert.strictEqual(text(Buffer.concat(yield* Stream.runCollect(body.stream))), DIGITS)
        }
      }
    }).pipe(Effect.scoped))

  it.effect("the file is this user's alone and gone with the scope; a missing directory is made for this user alone", () =>
    Effect.gen(function*() {
      const directory = Path.join(yield* temporary, "deep", "er")
      yield* Effect.scoped(Effect.gen(function*() {
        const body = yield* configured(directory, 4n)(StoredBody.store(post(DIGITS)))
        const path = Option.getOrThrow(body.path)
        assert.strictEqual(fs.readFileSync(path, "utf8"), DIGITS)
        assert.strictEqual(fs.statSync(path).mode & 0o777, 0o600)
        assert.strictEqual(fs.statSync(directory).mode & 0o777, 0o700)
        assert.strictEqual(openBelow(directory).length, fs.existsSync("/proc/self/fd") ? 1 : 0)
        assert.match(Path.basename(path), new RegExp(`^http_body\\.${process.pid}\\.[0-9a-f-]+$`))
      }))
      assert.deepStrictEqual(fs.readdirSync(directory), [])
      assert.deepStrictEqual(openBelow(directory), [])
    }).pipe(Effect.scoped))

  it.effect("a relative directory is one of the working directory", () =>
    Effect.gen(function*() {
      const directory = yield* temporary
      const body = yield* configured(Path.relative(process.cwd(), directory), 1n)(StoredBody.store(post(DIGITS)))
      assert.strictEqual(Path.dirname(Option.getOrThrow(body.path)), directory)
    }).pipe(Effect.scoped))

  it.effect("a body that fails, and one whose handler is interrupted half-way, leave no file", () =>
    Effect.gen(function*() {
      const directory = yield* temporary
      const begun = Stream.make(Buffer.from(DIGITS), Buffer.from(DIGITS))
      const failing = post(Stream.concat(begun, Stream.die("broken")) as Stream.Stream<Uint8Array>)
      const exit = yield* Effect.exit(Effect.scoped(configured(directory, 4n)(StoredBody.store(failing))))
      assert.strictEqual(exit._tag, "Failure")
      assert.deepStrictEqual(fs.readdirSync(directory), [])

      const isHalf = yield* Deferred.make<void>()
      const halting = post(Stream.concat(
        begun,
        Stream.fromEffect(Effect.andThen(Deferred.succeed(isHalf, undefined), Effect.never))
      ))
      const fiber = yield* Effect.forkChild(Effect.scoped(configured(directory, 4n)(StoredBody.store(halting))))
      yield* Deferred.await(isHalf)
      while (fs.readdirSync(directory).length === 0) yield* turn
      yield* Fiber.interrupt(fiber)
      assert.deepStrictEqual(fs.readdirSync(directory), [])
      assert.deepStrictEqual(openBelow(directory), [])
    }).pipe(Effect.scoped))

  it.effect("a handler that moves the file away keeps it, and goes on reading", () =>
    Effect.gen(function*() {
      const directory = yield* temporary
      const kept = Path.join(directory, "kept")
      yield* Effect.scoped(Effect.gen(function*() {
        const body = yield* configured(directory, 4n)(StoredBody.store(post(DIGITS)))
        fs.renameSync(Option.getOrThrow(body.path), kept)
        assert.strictEqual(text(yield* body.bytes), DIGITS)
      }))
      assert.strictEqual(fs.readFileSync(kept, "utf8"), DIGITS)
    }).pipe(Effect.scoped))

  it.effect("who reads after the scope is told so, and never gets the bytes of another file", () =>
    Effect.gen(function*() {
      const directory = yield* temporary
      const body = yield* Effect.scoped(configured(directory, 4n)(StoredBody.store(post(DIGITS))))
      const exit = yield* Effect.exit(body.bytes)
      assert.ok(exit._tag === "Failure" && Cause.hasDies(exit.cause))
      assert.include(String(Cause.squash(exit.cause)), "it was removed with the scope of its request")
    }).pipe(Effect.scoped))

  it.effect("B38: read has a position of its own, which bytes, stream and digest do not move, nor it them", () =>
    Effect.gen(function*() {
      const directory = yield* temporary
      for (const offload of [0n, 4n]) {
        const body = yield* configured(directory, offload)(StoredBody.store(post(DIGITS)))
        assert.strictEqual(text(yield* body.read(4)), "0123")
        assert.strictEqual(text(yield* body.bytes), DIGITS)
        assert.strictEqual(text(Buffer.concat(yield* Stream.runCollect(body.stream))), DIGITS)
        assert.deepStrictEqual(yield* body.digest(), Option.some(sha256(DIGITS)))
        // Two that read at once get different bytes.
        const both = yield* Effect.all([body.read(3), body.read(2)], { concurrency: 2 })
        assert.deepStrictEqual(both.map(text), ["456", "78"])
        assert.strictEqual(text(yield* body.read(4096)), "9")
        assert.strictEqual(text(yield* body.read(1)), "")
      }
    }).pipe(Effect.scoped))

  it.effect("A13: a body without bytes has no digest, behind one that has", () =>
    Effect.gen(function*() {
      const directory = yield* temporary
      for (const offload of [0n, 4n]) {
        const store = (body: string) =>
          configured(directory, offload)(StoredBody.store(post(body), { digest: "sha256" }))
        assert.deepStrictEqual(yield* (yield* store(DIGITS)).digest(), Option.some(sha256(DIGITS)))
        const empty = yield* store("")
        assert.strictEqual(empty.size, 0)
        assert.deepStrictEqual(yield* empty.digest(), Option.none())
        assert.strictEqual((yield* empty.read(1)).length, 0)
      }
    }).pipe(Effect.scoped))

  it.effect("a digest is the same computed while the body arrives and when asked for, in memory and in a file", () =>
    Effect.gen(function*() {
      const directory = yield* temporary
      const data = "x".repeat(600_000)
      for (const offload of [0n, 1024n]) {
        for (const digest of [undefined, "sha512", ["sha512", "sha256"]] as const) {
          const body = yield* configured(directory, offload)(StoredBody.store(post(data), { digest }))
          for (const algorithm of ["sha512", "sha256", "sha512"]) {
            const expected = createHash(algorithm).update(data).digest("hex")
            assert.deepStrictEqual(yield* body.digest(algorithm), Option.some(expected))
          }
        }
      }
    }).pipe(Effect.scoped))

  it("refuses options that cannot be, and names them", () => {
    const request = post("")
    assert.throws(() => StoredBody.store(request, { offload: -1 }), RangeError, "StoredBody.store: offload is -1")
    assert.throws(() => StoredBody.store(request, { digest: "sha257" }), TypeError, "algorithm is \"sha257\"")
  })

  it.effect("a read of no bytes is refused, and names its argument", () =>
    Effect.gen(function*() {
      const body = yield* configured("none")(StoredBody.store(post("a")))
      assert.throws(() => body.read(0), RangeError, "maxlen is 0")
      assert.throws(() => body.digest("md-none"), TypeError, "algorithm is \"md-none\"")
    }).pipe(Effect.scoped))

  it.effect("a directory that cannot be is a 500, whose report names path, option and what to do", () =>
    Effect.gen(function*() {
      const path = Path.join(yield* temporary, "file")
      fs.writeFileSync(path, "")
      const failure = yield* Effect.flip(configured(path, 4n)(StoredBody.store(post(DIGITS))))
      assert.ok(failure._tag === "StorageFailed")
      assert.include(failure.message, `cannot create ${path}${Path.sep}http_body.`)
      assert.include(failure.message, "ENOTDIR")
      assert.include(failure.message, "Let httpBodyDiskPath name a directory")
      assert.strictEqual((yield* HttpServerRespondable.toResponse(failure)).status, 500)
    }).pipe(Effect.scoped))

  it.effect("a full disk is a 507 that tells the client nothing of the inside, and the report what to do", () =>
    Effect.gen(function*() {
      const cause = Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" })
      const failure = storageError("write", "/srv/tmp_files/http_body.1.2-3", cause)
      assert.include(failure.message, "cannot write /srv/tmp_files/http_body.1.2-3")
      assert.include(failure.message, "Free space there")
      const response = yield* HttpServerRespondable.toResponse(failure)
      assert.strictEqual(response.status, 507)
      assert.notInclude(text((response.body as unknown as { readonly body: Uint8Array }).body), "/srv")
    }))
})

describe("StoredBody.sweep", () => {
  const ownName = freshName()
  const [, , token] = ownName.split(".") as [string, string, string]
  const random = token.slice(token.indexOf("-") + 1)
  // Above what Linux gives at most (2^22).
  const gone = 4_194_305

  it.effect("removes what a process that is gone has left, also when its number is in use again, and nothing else", () =>
    Effect.gen(function*() {
      const directory = yield* temporary
      const left = [`http_body.${gone}.${token}`, `http_body.${gone}.${random}`]
      const stay = [
        ownName,
        `http_body.${process.pid}.${random}`,
        `http_body.${process.ppid}.${random}`,
        "http_body",
        `http_body.${gone}`,
        `http_body.0.${random}`,
        `http_body.x${gone}.${random}`,
        `other.${gone}.${random}`,
        `http_body.${gone}.${random}.txt`
      ]
      // Where the system tells when a process began.
      if (!token.startsWith("-")) left.push(`http_body.${process.pid}.1-${random}`)
      for (const name of [...left, ...stay]) fs.writeFileSync(Path.join(directory, name), "")
      yield* configured(directory)(StoredBody.sweep)
      assert.sameMembers(fs.readdirSync(directory), stay)
    }).pipe(Effect.scoped))

  it.effect("a directory that is not there, or is none, stops nobody", () =>
    Effect.gen(function*() {
      const directory = yield* temporary
      yield* configured(Path.join(directory, "missing"))(StoredBody.sweep)
      fs.writeFileSync(Path.join(directory, "file"), "")
      yield* configured(Path.join(directory, "file"))(StoredBody.sweep)
    }).pipe(Effect.scoped))
})
