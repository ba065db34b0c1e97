import { assert, describe, it } from "@effect/vitest"
import * as StoredBody from "@kore-fx/http/StoredBody"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { Domain, Kore, Response, Route, Server } from "kore-fx"
import * as fs from "node:fs"
import * as os from "node:os"
import * as Path from "node:path"

const temporary = Effect.acquireRelease(
  Effect.sync(() => fs.mkdtempSync(Path.join(os.tmpdir(), "kore-fx-body-"))),
  (directory) => Effect.sync(() => fs.rmSync(directory, { recursive: true }))
)

const turn = Effect.callback<void>((resume) => void setImmediate(() => resume(Effect.void)))

const until = Effect.fnUntraced(function*(holds: () => boolean) {
  while (!holds()) yield* turn
})

const show = Route.post("/show", function*({ request }) {
  const body = yield* StoredBody.store(request, { digest: "sha256" })
  return Response.jsonUnsafe({
    size: body.size,
    isFile: Option.isSome(body.path),
    digest: Option.getOrNull(yield* body.digest()),
    begin: Buffer.from(yield* body.read(3)).toString()
  })
})

const echo = Route.post("/echo", function*({ request }) {
  const body = yield* StoredBody.store(request)
  return Response.stream(body.stream)
})

const broken = Route.post("/broken", function*({ request }) {
  yield* StoredBody.store(request)
  return yield* Effect.die(new Error("after it was stored"))
})

const appIn = (httpBodyDiskPath: string) =>
  Kore.app({
    config: { httpBodyDiskPath, httpBodyDiskOffload: "1 KiB", httpBodyMax: "1 MiB" },
    servers: { main: Server.tcp({ host: "127.0.0.1", port: 0, tls: false }) },
    worker: Domain.layer("*", { attach: "main" }, [show, echo, broken])
  })

const chunks = (size: number) =>
  Stream.rechunk(Stream.make(...Array.from({ length: size / 512 }, () => new Uint8Array(512))), 1)

const post = (path: string, body: Uint8Array | Stream.Stream<Uint8Array> | undefined) => {
  const request = HttpClientRequest.post(path)
  return HttpClient.execute(
    body === undefined
      ? request
      : body instanceof Uint8Array
      ? HttpClientRequest.bodyUint8Array(request, body)
      : HttpClientRequest.bodyStream(request, body)
  )
}

describe("StoredBody in a server", () => {
  it.effect("A13: digests are those of the request, and a request without a body has none", () =>
    Effect.gen(function*() {
      const directory = yield* temporary
      yield* Effect.gen(function*() {
        const ask = (body?: Uint8Array | Stream.Stream<Uint8Array>) =>
          Effect.flatMap(post("/show", body), (response) => response.json)
        const abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        assert.deepStrictEqual(yield* ask(Buffer.from("abc")), { size: 3, isFile: false, digest: abc, begin: "abc" })
        assert.deepStrictEqual(yield* ask(), { size: 0, isFile: false, digest: null, begin: "" })
        // A megabyte of zeros, by sha256sum.
        const zeros = "30e14955ebf1352266dc2ff8067e68104607e750abb9d3b36582b8af909fcb58"
        const expected = { size: 1_048_576, isFile: true, digest: zeros, begin: "\0\0\0" }
        assert.deepStrictEqual(yield* ask(new Uint8Array(1_048_576)), expected)
        assert.deepStrictEqual(yield* ask(chunks(1_048_576)), expected)
        assert.deepStrictEqual(yield* ask(new Uint8Array(0)), { size: 0, isFile: false, digest: null, begin: "" })
        yield* until(() => fs.readdirSync(directory).length === 0)
      }).pipe(Effect.provide(Kore.test(appIn(directory))))
    }).pipe(Effect.scoped))

  it.effect("a file outlives the handler while the response is made of it, and is gone after it", () =>
    Effect.gen(function*() {
      const directory = yield* temporary
      yield* Effect.gen(function*() {
        const data = Buffer.from(Array.from({ length: 600_000 }, (_, i) => i % 251))
        const response = yield* post("/echo", data)
        assert.strictEqual(fs.readdirSync(directory).length, 1)
        assert.isTrue(data.equals(Buffer.from(yield* response.arrayBuffer)))
        yield* until(() => fs.readdirSync(directory).length === 0)
      }).pipe(Effect.provide(Kore.test(appIn(directory))))
    }).pipe(Effect.scoped))

  it.effect("a body that is too long, and a handler that fails, are answered and leave no file", () =>
    Effect.gen(function*() {
      const directory = yield* temporary
      yield* Effect.gen(function*() {
        assert.strictEqual((yield* post("/show", chunks(1_048_576 + 512))).status, 413)
        yield* until(() => fs.readdirSync(directory).length === 0)
        assert.strictEqual((yield* post("/broken", chunks(4096))).status, 500)
        yield* until(() => fs.readdirSync(directory).length === 0)
      }).pipe(Effect.provide(Kore.test(appIn(directory))))
    }).pipe(Effect.scoped))

  it.effect("a client that leaves half-way leaves no file", () =>
    Effect.gen(function*() {
      const directory = yield* temporary
      yield* Effect.gen(function*() {
        const client = yield* Effect.forkChild(post("/show", Stream.concat(chunks(4096), Stream.never)))
        yield* until(() => fs.readdirSync(directory).length === 1)
        yield* Fiber.interrupt(client)
        yield* until(() => fs.readdirSync(directory).length === 0)
      }).pipe(Effect.provide(Kore.test(appIn(directory))))
    }).pipe(Effect.scoped))

  it.effect("a directory that cannot be is 500 for the client, who is told nothing of it", () =>
    Effect.gen(function*() {
      const path = Path.join(yield* temporary, "file")
      fs.writeFileSync(path, "")
      yield* Effect.gen(function*() {
        const response = yield* post("/show", new Uint8Array(2048))
        assert.strictEqual(response.status, 500)
        const text = yield* response.text
        assert.include(text, "the server could not keep the body of this request")
        assert.notInclude(text, path)
      }).pipe(Effect.provide(Kore.test(appIn(path))))
    }).pipe(Effect.scoped))
})
