import { assert, describe, it } from "@effect/vitest"
import * as Multipart from "@kore-fx/http/Multipart"
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
  Effect.sync(() => fs.mkdtempSync(Path.join(os.tmpdir(), "kore-fx-form-"))),
  (directory) => Effect.sync(() => fs.rmSync(directory, { recursive: true }))
)

const turn = Effect.callback<void>((resume) => void setImmediate(() => resume(Effect.void)))

const until = Effect.fnUntraced(function*(holds: () => boolean) {
  while (!holds()) yield* turn
})

const show = Route.post("/show", function*({ request }) {
  const { fields, files } = yield* Multipart.collect(request, { maxFileSize: "600 KiB" })
  return Response.jsonUnsafe({
    fields,
    files: yield* Effect.forEach(files, (file) =>
      Effect.map(file.digest(), (digest) => [
        file.name,
        file.filename,
        file.contentType,
        file.size,
        Option.isSome(file.path),
        Option.getOrNull(digest)
      ]))
  })
})

const sizeOf = Effect.fnUntraced(function*(part: Multipart.Part) {
  return part._tag === "Field"
    ? part.value
    : yield* Stream.runFold(part.content, () => 0, (size, chunk) => size + chunk.length)
})

const sizes = Route.post("/sizes", function*({ request }) {
  return Response.jsonUnsafe(yield* Stream.runCollect(Stream.mapEffect(Multipart.parts(request), sizeOf)))
})

const appIn = (httpBodyDiskPath: string) =>
  Kore.app({
    config: { httpBodyDiskPath, httpBodyDiskOffload: "1 KiB", httpBodyMax: "1 MiB" },
    servers: { main: Server.tcp({ host: "127.0.0.1", port: 0, tls: false }) },
    worker: Domain.layer("*", { attach: "main" }, [show, sizes])
  })

/** A form as a browser makes one. */
const formOf = (file: Uint8Array<ArrayBuffer>) => {
  const form = new FormData()
  form.append("title", "a=b \"é\"")
  form.append("tag", "x")
  form.append("tag", "")
  form.append("small", new File(["abc"], "a:b.txt", { type: "text/plain" }))
  form.append("large", new File([file], "../large.bin"))
  form.append("empty", new File([], "empty.txt"))
  form.append("none", new File([], ""))
  return form
}

const post = (path: string, form: FormData) =>
  HttpClient.execute(HttpClientRequest.bodyFormData(HttpClientRequest.post(path), form))

const abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
const zeros = "6bb6aefaeaa4e19112e566b467c4301463a30b0a15b9c8248a00ed9cd8e5946b"

describe("Multipart in a server", () => {
  it.effect("a form of a browser arrives whole: empty values and files, colons and paths in names; its files are removed", () =>
    Effect.gen(function*() {
      const directory = yield* temporary
      yield* Effect.gen(function*() {
        const response = yield* post("/show", formOf(new Uint8Array(500_000)))
        assert.deepStrictEqual(yield* response.json, {
          fields: [["title", "a=b \"é\""], ["tag", "x"], ["tag", ""]],
          files: [
            ["small", "a:b.txt", "text/plain", 3, false, abc],
            ["large", "large.bin", "application/octet-stream", 500_000, true, zeros],
            ["empty", "empty.txt", "application/octet-stream", 0, false, null]
          ]
        })
        yield* until(() => fs.readdirSync(directory).length === 0)
      }).pipe(Effect.provide(Kore.test(appIn(directory))))
    }).pipe(Effect.scoped))

  it.effect("a form beyond a limit, one of another type and one that is cut are answered, and leave no file", () =>
    Effect.gen(function*() {
      const directory = yield* temporary
      yield* Effect.gen(function*() {
        const large = yield* post("/show", formOf(new Uint8Array(700_000)))
        assert.strictEqual(large.status, 413)
        assert.deepInclude(yield* large.json, { limit: "maxFileSize", max: 614_400, name: "large" })
        yield* until(() => fs.readdirSync(directory).length === 0)
        assert.strictEqual((yield* post("/show", formOf(new Uint8Array(1_100_000)))).status, 413)
        const json = yield* HttpClient.execute(
          HttpClientRequest.bodyText(HttpClientRequest.post("/show"), "{}", "application/json")
        )
        assert.strictEqual(json.status, 415)
        assert.strictEqual(json.headers["accept"], "multipart/form-data")
        const cut = yield* HttpClient.execute(HttpClientRequest.bodyText(
          HttpClientRequest.post("/show"),
          `--B\r\nContent-Disposition: form-data; name=f; filename=f\r\n\r\n${"x".repeat(4096)}`,
          "multipart/form-data; boundary=B"
        ))
        assert.strictEqual(cut.status, 400)
        assert.deepInclude(yield* cut.json, {
          detail: "the multipart form is malformed: it ends before its last boundary"
        })
        yield* until(() => fs.readdirSync(directory).length === 0)
      }).pipe(Effect.provide(Kore.test(appIn(directory))))
    }).pipe(Effect.scoped))

  it.effect("a client that leaves in the middle of a file leaves nothing of it", () =>
    Effect.gen(function*() {
      const directory = yield* temporary
      yield* Effect.gen(function*() {
        const head = Buffer.from("--B\r\nContent-Disposition: form-data; name=f; filename=f\r\n\r\n")
        const half = Stream.concat(Stream.make(head, new Uint8Array(4096)), Stream.never)
        const request = HttpClientRequest.bodyStream(HttpClientRequest.post("/show"), half, {
          contentType: "multipart/form-data; boundary=B"
        })
        const client = yield* Effect.forkChild(HttpClient.execute(request))
        yield* until(() => fs.readdirSync(directory).length === 1)
        yield* Fiber.interrupt(client)
        yield* until(() => fs.readdirSync(directory).length === 0)
      }).pipe(Effect.provide(Kore.test(appIn(directory))))
    }).pipe(Effect.scoped))

  it.effect("parts pass through a handler as they come, without a file", () =>
    Effect.gen(function*() {
      const directory = yield* temporary
      yield* Effect.gen(function*() {
        const response = yield* post("/sizes", formOf(new Uint8Array(500_000)))
        assert.deepStrictEqual(yield* response.json, ["a=b \"é\"", "x", "", 3, 500_000, 0, 0])
      }).pipe(Effect.provide(Kore.test(appIn(directory))))
    }).pipe(Effect.scoped))
})
