import { assert, describe, it } from "@effect/vitest"
import * as Filemap from "@kore-fx/http/Filemap"
import * as FileResponse from "@kore-fx/http/FileResponse"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Layer from "effect/Layer"
import { type Config, Domain, HttpError, Kore, Middleware, Response, Route, Server } from "kore-fx"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"

class Unauthorized extends HttpError.TaggedError<Unauthorized>()("Unauthorized", {}, { httpStatus: 401 }) {}

const members = Middleware.guard((request) =>
  request.headers["x-member"] === undefined ? new Unauthorized() : Effect.void
)

const directory = Effect.acquireRelease(
  Effect.sync(() => {
    const root = fs.mkdtempSync(path.join(os.tmpdir(), "kore-fx-filemap-"))
    const files = { "index.html": "home", "about.htm": "about", "users": "a file", "api/time": "a file", "a.kr": "kr" }
    for (const [name, content] of Object.entries(files)) {
      fs.mkdirSync(path.dirname(path.join(root, name)), { recursive: true })
      fs.writeFileSync(path.join(root, name), content)
    }
    return root
  }),
  (root) => Effect.sync(() => fs.rmSync(root, { recursive: true, force: true }))
)

const serve = (root: string, config: Config.Input = {}) =>
  Kore.test(Kore.app({
    config,
    servers: { main: Server.tcp({ host: "127.0.0.1", port: 0, tls: false }) },
    worker: Domain.layer("*", { attach: "main" }, [
      ...Filemap.routes("/", root),
      ...Route.use([members], Filemap.routes("/members", root)),
      Route.get("/api/:name", ({ path }) => Effect.succeed(Response.text(`route ${path.name}`))),
      Route.get("/download", ({ request }) => FileResponse.make(request, "a.kr", { root, filename: "a.kr" })),
      Route.post("/users", () => Effect.succeed(Response.text("created")))
    ]).pipe(Layer.provide(Filemap.layerCache("1 MiB")))
  }))

const ask = Effect.fnUntraced(function*(request: HttpClientRequest.HttpClientRequest) {
  const { headers, status, text } = yield* HttpClient.execute(request)
  return { status, headers, body: yield* text }
})
const get = (url: string, headers: Record<string, string> = {}) => ask(HttpClientRequest.get(url, { headers }))

describe("file maps in an app", () => {
  it.effect("B18: stand behind routes with a longer path, though they are declared before them", () =>
    Effect.gen(function*() {
      const root = yield* directory
      yield* Effect.gen(function*() {
        assert.strictEqual((yield* get("/")).body, "home")
        assert.strictEqual((yield* get("/api/time")).body, "route time")
        assert.strictEqual((yield* get("/users")).body, "a file")
        assert.strictEqual((yield* ask(HttpClientRequest.post("/users"))).body, "created")
        assert.strictEqual((yield* ask(HttpClientRequest.post("/about.htm"))).status, 405)
      }).pipe(Effect.provide(serve(root)))
    }))

  it.effect("are kept behind middleware, their redirects and what is missing too", () =>
    Effect.gen(function*() {
      const root = yield* directory
      yield* Effect.gen(function*() {
        for (const url of ["/members", "/members/", "/members/none"]) {assert.strictEqual((yield* get(url)).status, 401,
            url)}
        assert.strictEqual((yield* get("/members/", { "x-member": "1" })).body, "home")
        assert.strictEqual((yield* get("/members/none", { "x-member": "1" })).status, 404)
      }).pipe(Effect.provide(serve(root)))
    }))

  it.effect("follow the options httpMediaType, filemapExt and filemapIndex, and file answers the first", () =>
    Effect.gen(function*() {
      const root = yield* directory
      const config = { httpMediaType: ["text/x-kore kr"], filemapExt: ".htm", filemapIndex: "users" }
      yield* Effect.gen(function*() {
        assert.strictEqual((yield* get("/")).body, "a file")
        assert.strictEqual((yield* get("/about")).body, "about")
        const { headers } = yield* get("/download")
        assert.strictEqual(headers["content-type"], "text/x-kore; charset=utf-8")
        assert.strictEqual(headers["content-disposition"], "attachment; filename=\"a.kr\"")
      }).pipe(Effect.provide(serve(root, config)))
    }))
})
