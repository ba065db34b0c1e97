import { assert, describe, it } from "@effect/vitest"
import { Response, Route, Router } from "@kore-fx/http"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

const answer = () => Effect.succeed(Response.empty())
const get = (path: Route.Path) => Route.on("GET")(path, answer)
const entry = (route: Route.Route<any, any>) => ({ route, target: String(route.pattern) })
const router = (...routes: ReadonlyArray<Route.Route<any, any>>) => Router.make("*", routes.map(entry))

const found = (target: string, found: Route.Found): Router.Result<string> => ({ _tag: "Found", target, found })

describe("precedence", () => {
  it.effect("a path without parameters goes before one with, whatever the order", () =>
    Effect.gen(function*() {
      for (const routes of [[get("/users/:id"), get("/users/me")], [get("/users/me"), get("/users/:id")]]) {
        const table = yield* router(...routes)
        assert.deepEqual(table.find("GET", "/users/me"), found("/users/me", {}))
        assert.deepEqual(table.find("GET", "/users/7"), found("/users/:id", { id: "7" }))
      }
    }))

  it.effect("text goes before :name before *name, segment by segment from the left", () =>
    Effect.gen(function*() {
      const table = yield* router(get("/*all"), get("/:a/:b"), get("/:a/x"), get("/y/:b"))
      assert.deepEqual(table.find("GET", "/y/x"), found("/y/:b", { b: "x" }))
      assert.deepEqual(table.find("GET", "/z/x"), found("/:a/x", { a: "z" }))
      assert.deepEqual(table.find("GET", "/z/w"), found("/:a/:b", { a: "z", b: "w" }))
      assert.deepEqual(table.find("GET", "/z/w/v"), found("/*all", { all: "z/w/v" }))
    }))

  it.effect("a branch that leads nowhere is left again", () =>
    Effect.gen(function*() {
      const table = yield* router(get("/a/b/c"), get("/:x/b/d"), get("/a/*rest"))
      assert.deepEqual(table.find("GET", "/a/b/d"), found("/a/*rest", { rest: "b/d" }))
      assert.deepEqual(table.find("GET", "/q/b/d"), found("/:x/b/d", { x: "q" }))
    }))

  it.effect("regular expressions come last, in the order of declaration", () =>
    Effect.gen(function*() {
      const table = yield* router(
        Route.match(/^\/n(\d+)$/, [Schema.String], answer),
        Route.match(/^\/n/, [], answer),
        get("/n1")
      )
      assert.deepEqual(table.find("GET", "/n1"), found("/n1", {}))
      assert.deepEqual(table.find("GET", "/n2"), found("/^\\/n(\\d+)$/", ["2"]))
      assert.deepEqual(table.find("GET", "/nx"), found("/^\\/n/", []))
    }))

  it.effect("an expression with the g flag finds the same path every time", () =>
    Effect.gen(function*() {
      const table = yield* router(Route.match(/^\/g/g, [], answer))
      for (let i = 0; i < 3; i++) assert.strictEqual(table.find("GET", "/g")._tag, "Found")
    }))
})

describe("methods", () => {
  it.effect("a route that does not allow the method does not end the search", () =>
    Effect.gen(function*() {
      const table = yield* router(get("/a/b"), Route.post("/a/:x", answer))
      assert.deepEqual(table.find("POST", "/a/b"), found("/a/:x", { x: "b" }))
    }))

  it.effect("405 lists every method that any matching route allows", () =>
    Effect.gen(function*() {
      const table = yield* router(
        get("/a"),
        Route.put("/:x", answer),
        Route.match(/^\/a$/, [], answer, ["PURGE"]),
        Route.post("/b/c", answer)
      )
      assert.deepEqual(table.find("DELETE", "/a"), { _tag: "NotAllowed", allow: "GET, HEAD, OPTIONS, PURGE, PUT" })
      assert.deepEqual(table.find("GET", "/b/c/d"), { _tag: "NotFound" })
    }))

  it.effect("GET answers HEAD unless the path has a HEAD route of its own", () =>
    Effect.gen(function*() {
      const own = Route.head("/h", answer)
      const table = yield* Router.make("*", [get("/h"), own, get("/g")].map((route) => ({ route, target: route })))
      assert.strictEqual((table.find("HEAD", "/h") as { target: unknown }).target, own)
      assert.strictEqual(table.find("HEAD", "/g")._tag, "Found")
    }))

  it.effect("OPTIONS * lists the methods of the whole host", () =>
    Effect.gen(function*() {
      const table = yield* router(get("/a"), Route.del("/b", answer))
      assert.deepEqual(table.find("OPTIONS", "*"), { _tag: "NotAllowed", allow: "DELETE, GET, HEAD, OPTIONS" })
    }))
})

describe("percent-encoding", () => {
  it.effect("parameters are decoded, segment by segment: an encoded slash stays inside", () =>
    Effect.gen(function*() {
      const table = yield* router(get("/files/:name"), get("/caf\u00e9"), get("/rest/*path"))
      assert.deepEqual(table.find("GET", "/files/a%2Fb%20c"), found("/files/:name", { name: "a/b c" }))
      assert.deepEqual(table.find("GET", "/caf%C3%A9"), found("/caf\u00e9", {}))
      assert.deepEqual(table.find("GET", "/%66iles/x"), found("/files/:name", { name: "x" }))
      assert.deepEqual(table.find("GET", "/rest/a/%20"), found("/rest/*path", { path: "a/%20" }))
    }))

  it.effect("a path that is not percent-encoded UTF-8 is malformed", () =>
    Effect.gen(function*() {
      const table = yield* router(get("/files/:name"))
      assert.deepEqual(table.find("GET", "/files/%ff"), { _tag: "Malformed" })
      assert.deepEqual(table.find("GET", "/files/%"), { _tag: "Malformed" })
    }))

  it.effect("regular expressions are searched in the path as sent, even one that is malformed", () =>
    Effect.gen(function*() {
      const table = yield* router(get("/files/:name"), Route.match(/^\/files\/(.*)$/, [Schema.String], answer))
      assert.deepEqual(table.find("GET", "/files/%zz"), found("/^\\/files\\/(.*)$/", ["%zz"]))
    }))

  it.effect("what *name takes stays as sent, so that an encoded slash is no separator", () =>
    Effect.gen(function*() {
      const table = yield* router(get("/files/*path"))
      assert.deepEqual(table.find("GET", "/files/..%2F..%2Fetc"), found("/files/*path", { path: "..%2F..%2Fetc" }))
    }))

  it.effect("an empty segment is no parameter", () =>
    Effect.gen(function*() {
      const table = yield* router(get("/files/:name"), get("/slash/"))
      assert.deepEqual(table.find("GET", "/files/"), { _tag: "NotFound" })
      assert.deepEqual(table.find("GET", "/slash/"), found("/slash/", {}))
      assert.deepEqual(table.find("GET", "/slash"), { _tag: "NotFound" })
    }))
})

describe("contradictions are found at start", () => {
  const failure = (...routes: ReadonlyArray<Route.Route<any, any>>) =>
    Effect.map(Effect.flip(router(...routes)), (error) => error.message)

  it.effect("two routes of one method and one shape", () =>
    Effect.gen(function*() {
      assert.strictEqual(
        yield* failure(get("/users/:id"), get("/users/:name")),
        "route GET /users/:name of domain \"*\": GET /users/:id answers the same requests"
      )
      assert.include(yield* failure(get("/a"), get("/a")), "GET /a answers the same requests")
      assert.include(yield* failure(get("/*a"), get("/*b")), "GET /*a answers the same requests")
      const expression = () => Route.match(/^\/x/, [], answer)
      assert.include(yield* failure(expression(), expression()), "declared twice")
    }))

  it.effect("the same shape for different methods is none", () => router(get("/a/:b"), Route.post("/a/:c", answer)))

  it.effect("patterns that cannot be read", () =>
    Effect.gen(function*() {
      assert.include(yield* failure(get("/a/:")), "not a parameter")
      assert.include(yield* failure(get("/a/:b-c")), "not a parameter")
      assert.include(yield* failure(get("/:a/:a")), "appears twice")
      assert.include(yield* failure(get("/*a/b")), "must be the last segment")
      assert.include(yield* failure(get("/100%")), "write % as %25")
      assert.include(yield* failure(get("/a?b=1")), "neither ? nor #")
      assert.include(yield* failure(get("/:__proto__")), "not a parameter")
      assert.include(yield* failure(Route.on("get")("/", answer)), "upper case such as GET")
      assert.include(yield* failure(Route.on()("/", answer)), "answers no method")
    }))
})
