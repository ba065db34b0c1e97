import { assert, describe, it } from "@effect/vitest"
import * as ApiClient from "@kore-fx/http/ApiClient"
import * as Multipart from "@kore-fx/http/Multipart"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Schema from "effect/Schema"
import { Domain, HttpError, Kore, Response, Route, Server } from "kore-fx"

class User extends Schema.Class<User>("User")({ id: Schema.Int, name: Schema.String, born: Schema.Date }) {}

class UserNotFound extends HttpError.TaggedError<UserNotFound>()("UserNotFound", { id: Schema.Int, at: Schema.Date }, {
  httpStatus: 404
}) {}
class UserHidden extends HttpError.TaggedError<UserHidden>()("UserHidden", { id: Schema.Int }, { httpStatus: 404 }) {}
class Down extends HttpError.TaggedError<Down>()("Down", {}, { httpStatus: 503 }) {}
class Undeclared extends HttpError.TaggedError<Undeclared>()("Undeclared", {}, {
  httpStatus: 409,
  detail: "not now",
  headers: { "retry-after": "5" }
}) {}

const ada = new User({ id: 1, name: "ada", born: new Date("1815-12-10") })
const json = (value: unknown) => Effect.succeed(Response.jsonUnsafe(value))

const getUser = Route.get("/users/:id", {
  path: { id: Schema.Int },
  success: User,
  errors: [UserHidden, UserNotFound, Down]
}, function*({ path }) {
  if (path.id === 2) return yield* new UserNotFound({ id: 2, at: new Date(0) })
  if (path.id === 3) return yield* new UserHidden({ id: 3 })
  if (path.id === 4) return yield* new Down()
  if (path.id === 5) return yield* new Undeclared()
  if (path.id === 6) return Response.jsonUnsafe({ id: "six" })
  if (path.id === 7) return Response.text("elsewhere", { status: 202 })
  return ada
})

const createUser = Route.post("/users", { body: User, success: User, status: 201 }, ({ body }) => Effect.succeed(body))

const echo = Route.get("/echo/:name/*rest", {
  query: {
    q: Schema.String,
    list: Schema.optionalKey(Schema.Array(Schema.Int)),
    page: Schema.Int.pipe(Schema.withDecodingDefaultKey(Effect.succeed(1)))
  },
  headers: { "x-since": Schema.optionalKey(Schema.Date) },
  cookies: { theme: Schema.optionalKey(Schema.String) }
}, ({ cookies, headers, path, query }) => json({ cookies, headers, path, query }))

const order = Route.post("/order", { form: { count: Schema.Int, colors: Schema.Array(Schema.String) } },
  ({ form }) => json(form))

const album = Route.put("/album", {
  multipart: { title: Schema.String, cover: Multipart.File, photos: Schema.optionalKey(Multipart.Files) }
}, function*({ multipart: { cover, photos, title } }) {
  const text = new TextDecoder().decode(yield* Effect.orDie(cover.bytes))
  return Response.jsonUnsafe({ title, cover: [cover.filename, text], photos: photos?.map(({ size }) => size) })
})

const named = Route.get("/named", { headers: { "x-name": Schema.String } }, ({ headers }) => json(headers))

const plain = Route.on("GET", "HEAD", "DELETE", "REPORT")("/plain",
  ({ request }) =>
    Effect.succeed(Response.text(request.method, { headers: { "x-auth": request.headers["authorization"] ?? "" } })))

const routes = [getUser, createUser, echo, order, album, named, plain]
const api = Route.prefix("/api", [plain])

const app = Kore.app({
  servers: { main: Server.tcp({ host: "127.0.0.1", port: 0, tls: false }) },
  worker: Domain.layer("*", { attach: "main" }, [...routes, ...api])
})

const client = ApiClient.make(routes)

describe("a typed client over Kore.test", () => {
  it.effect("sends the parameters of a path and gives the decoded value", () =>
    Effect.gen(function*() {
      const user = yield* (yield* client).get("/users/:id", { path: { id: 1 } })
      assert.instanceOf(user, User)
      assert.deepStrictEqual(user, ada)
    }).pipe(Effect.provide(Kore.test(app))))

  it.effect("sends a JSON body", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* (yield* client).post("/users", { body: ada }), ada)
    }).pipe(Effect.provide(Kore.test(app))))

  it.effect("sends every other part, so that the handler gets what was given", () =>
    Effect.gen(function*() {
      const { get } = yield* client
      const response = yield* get("/echo/:name/*rest", {
        path: { name: "a/b ü%?#", rest: "c/d%20e" },
        query: { q: "x&y=z +", list: [1, 2] },
        headers: { "x-since": new Date(0) },
        cookies: { theme: "dark; \"blue\" ü" }
      })
      assert.deepStrictEqual(yield* response.json, {
        cookies: { theme: "dark; \"blue\" ü" },
        headers: { "x-since": "1970-01-01T00:00:00.000Z" },
        path: { name: "a/b ü%?#", rest: "c/d%20e" },
        query: { q: "x&y=z +", list: [1, 2], page: 1 }
      })
      const least = yield* get("/echo/:name/*rest", { path: { name: "a", rest: "" }, query: { q: "", list: [7] } })
      assert.deepStrictEqual(yield* least.json, {
        cookies: {},
        headers: {},
        path: { name: "a", rest: "" },
        query: { q: "", list: [7], page: 1 }
      })
    }).pipe(Effect.provide(Kore.test(app))))

  it.effect("sends forms and files", () =>
    Effect.gen(function*() {
      const { post, put } = yield* client
      const ordered = yield* post("/order", { form: { count: 3, colors: ["red & blue", "ü"] } })
      assert.deepStrictEqual(yield* ordered.json, { count: 3, colors: ["red & blue", "ü"] })
      const uploaded = yield* put("/album", {
        multipart: {
          title: "trip",
          cover: new File(["sun"], "cover.png", { type: "image/png" }),
          photos: [new Blob(["1"]), new Blob(["22"])]
        }
      })
      assert.deepStrictEqual(yield* uploaded.json, { title: "trip", cover: ["cover.png", "sun"], photos: [1, 2] })
    }).pipe(Effect.provide(Kore.test(app))))

  it.effect("fails with the errors that the route declares, as instances of their classes", () =>
    Effect.gen(function*() {
      const { get } = yield* client
      const failure = (id: number) => Effect.flip(get("/users/:id", { path: { id } }))
      const notFound = yield* failure(2)
      assert.instanceOf(notFound, UserNotFound)
      assert.deepStrictEqual(notFound.at, new Date(0))
      assert.instanceOf(yield* failure(3), UserHidden)
      // A fault tells nothing but its status.
      assert.instanceOf(yield* failure(4), Down)
    }).pipe(Effect.provide(Kore.test(app))))

  it.effect("fails with ResponseError, which shows the whole answer, where the route declares none", () =>
    Effect.gen(function*() {
      const { get } = yield* client
      const conflict = yield* Effect.flip(get("/users/:id", { path: { id: 5 } }))
      assert.instanceOf(conflict, ApiClient.ResponseError)
      assert.strictEqual(conflict.message, "GET /users/:id answered 409 Conflict: not now")
      assert.strictEqual(conflict.problem?.["_tag"], "Undeclared")
      assert.strictEqual(conflict.headers["retry-after"], "5")
      // Another status than that of the value is no value.
      const accepted = yield* Effect.flip(get("/users/:id", { path: { id: 7 } }))
      assert.instanceOf(accepted, ApiClient.ResponseError)
      assert.deepStrictEqual([accepted.status, accepted.body, accepted.problem], [202, "elsewhere", undefined])
    }).pipe(Effect.provide(Kore.test(app))))

  it.effect("fails with SchemaError where value or input do not fit, and sends nothing of the latter", () =>
    Effect.gen(function*() {
      const { get, post } = yield* client
      assert.strictEqual((yield* Effect.flip(get("/users/:id", { path: { id: 6 } })))._tag, "SchemaError")
      assert.strictEqual((yield* Effect.flip(get("/users/:id", { path: { id: 1.5 } })))._tag, "SchemaError")
      const body = { ...ada, id: "one" } as unknown as User
      assert.strictEqual((yield* Effect.flip(post("/users", { body })))._tag, "SchemaError")
    }).pipe(Effect.provide(Kore.test(app))))

  it.effect("refuses paths that would lead elsewhere", () =>
    Effect.gen(function*() {
      const { get } = yield* client
      for (
        const path of [
          { name: "", rest: "a" },
          { name: "..", rest: "a" },
          { name: "a\ud800", rest: "a" },
          { name: "a", rest: "../b" },
          { name: "a", rest: "b/%2E%2e/c" },
          { name: "a", rest: "b?c" },
          { name: "a", rest: "ü" }
        ]
      ) {
        const error = yield* Effect.flip(get("/echo/:name/*rest", { path, query: { q: "" } }))
        assert.strictEqual(error._tag, "HttpClientError", JSON.stringify(path))
        assert.include(error.message, "path \"")
      }
    }).pipe(Effect.provide(Kore.test(app))))

  it.effect("refuses what cannot be sent: line breaks in a header, text where a file is expected", () =>
    Effect.gen(function*() {
      const { get, put } = yield* client
      const broken = yield* Effect.flip(get("/named", { headers: { "x-name": "a\r\nb: c" } }))
      assert.include(broken.message, "headers \"x-name\"")
      const file = "text" as unknown as Blob
      const noFile = yield* Effect.flip(put("/album", { multipart: { title: "x", cover: file } }))
      assert.include(noFile.message, "multipart \"cover\"")
    }).pipe(Effect.provide(Kore.test(app))))

  it.effect("gives the response where there is no value, for every method", () =>
    Effect.gen(function*() {
      const { del, get, request } = yield* client
      assert.strictEqual(yield* (yield* get("/plain")).text, "GET")
      assert.strictEqual(yield* (yield* del("/plain")).text, "DELETE")
      assert.strictEqual(yield* (yield* request("REPORT", "/plain")).text, "REPORT")
      const head = yield* request("HEAD", "/plain")
      assert.deepStrictEqual([head.status, yield* head.text], [200, ""])
    }).pipe(Effect.provide(Kore.test(app))))

  it.effect("appends paths to baseUrl, and sends through the client that transform makes", () =>
    Effect.gen(function*() {
      const { get } = yield* ApiClient.make(routes, {
        baseUrl: "http://localhost/api/",
        transform: HttpClient.mapRequest(HttpClientRequest.bearerToken("secret"))
      })
      assert.strictEqual((yield* get("/plain")).headers["x-auth"], "Bearer secret")
      const lost = yield* Effect.flip(get("/users/:id", { path: { id: 1 } }))
      assert.strictEqual(lost._tag === "ResponseError" && lost.status, 404)
    }).pipe(Effect.provide(Kore.test(app))))

  it("a wrong baseUrl and routes that are there twice are errors when it is made", () => {
    for (const baseUrl of ["example.com", "ftp://example.com", "http://example.com/?a=1"]) {
      assert.throws(() => ApiClient.make(routes, { baseUrl }), TypeError, baseUrl)
    }
    assert.throws(() => ApiClient.make([plain, plain]), TypeError, "GET /plain")
  })
})
