import { assert, describe, it } from "@effect/vitest"
import * as Authentication from "@kore-fx/http/Authentication"
import * as Filemap from "@kore-fx/http/Filemap"
import * as Session from "@kore-fx/http/Session"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { Domain, HttpError, Kore, type Middleware, Problem, Response, Route, Server } from "kore-fx"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"

class User extends Context.Service<User, string>()("test/User") {}
class Members extends Context.Service<Members, ReadonlyArray<string>>()("test/Members") {}
class Teapot extends HttpError.TaggedError<Teapot>()("Teapot", {}, { httpStatus: 418 }) {}

const main = Server.tcp({ host: "127.0.0.1", port: 0, tls: false })

/** An app, and what it reports. */
const serve = <E>(worker: Layer.Layer<never, E, Kore.Provided | Domain.Attached<"main">>) => {
  const reported: Array<unknown> = []
  const tracer = (cause: Cause.Cause<unknown>) => Effect.sync(() => void reported.push(Cause.squash(cause)))
  return { reported, layer: Kore.test(Kore.app({ config: { workers: 1 }, servers: { main }, worker, tracer })) }
}

const ask = Effect.fnUntraced(function*(request: HttpClientRequest.HttpClientRequest) {
  const response = yield* HttpClient.execute(request)
  return { status: response.status, headers: response.headers, body: yield* response.text }
})

const get = (path: string, headers: Record<string, string> = {}) => ask(HttpClientRequest.get(path, { headers }))

const basic = (name: string, password: string) => ({
  authorization: `Basic ${Buffer.from(`${name}:${password}`).toString("base64")}`
})

const handled: Array<string> = []
const home = Route.on("GET", "POST")("/", ({ request }) =>
  Effect.sync(() => {
    handled.push(request.method)
    return Response.text("home")
  }))

const guarded = <R>(middleware: Middleware.Middleware<never, never, R>) =>
  Domain.layer("*", { attach: "main" }, Route.use([middleware], [home]))

describe("authentication", () => {
  it.effect("by cookie or header lets through who is verified, and nobody else: 403, or 302 to the place it was given", () => {
    const seen: Array<string> = []
    const verify = (credential: string) => Effect.sync(() => (seen.push(credential), credential === "good"))
    const by = (host: string, options: Parameters<typeof Authentication.make<string>>[0]) =>
      Domain.layer(host, { attach: "main" }, Route.use([Authentication.make(options)], [home]))
    const { layer } = serve(Layer.mergeAll(
      by("cookie.test", { from: Authentication.cookie("session"), verify }),
      by("header.test", {
        from: Authentication.header("X-User"),
        verify,
        onFailure: { redirect: "/login?from=%2F" }
      }),
      by("own.test", {
        from: Authentication.header("x-user"),
        verify,
        onFailure: (request) => Problem.response({ status: 404, detail: `nothing is at ${request.url}` })
      })
    ))
    return Effect.gen(function*() {
      handled.length = 0
      assert.strictEqual((yield* get("http://cookie.test/", { cookie: "a=1; session=good" })).body, "home")
      const refused = yield* get("http://cookie.test/", { cookie: "session=bad" })
      assert.strictEqual(refused.status, 403)
      assert.notInclude(refused.body, "bad")
      assert.strictEqual((yield* get("http://header.test/", { "x-USER": "good" })).body, "home")
      const redirected = yield* get("http://header.test//evil.test", { "x-user": "bad" })
      assert.strictEqual(redirected.status, 404)
      const { headers, status } = yield* get("http://header.test/?to=//evil.test", { "x-user": "bad" })
      assert.deepStrictEqual([status, headers["location"]], [302, "/login?from=%2F"])
      assert.include((yield* get("http://own.test/")).body, "nothing is at /")
      assert.deepStrictEqual(seen, ["good", "bad", "good", "bad"])
      assert.deepStrictEqual(handled, ["GET", "GET"])
    }).pipe(Effect.provide(layer))
  })

  it.effect("without a credential fails and does not ask verify; an empty one is none", () => {
    let asked = 0
    const verify = () => Effect.sync(() => (asked++, true))
    const { layer } = serve(Layer.merge(
      guarded(Authentication.make({ from: Authentication.cookie("session"), verify })),
      Domain.layer("b.test", { attach: "main" },
        Route.use([Authentication.make({ from: Authentication.bearer(), verify })], [home]))
    ))
    return Effect.gen(function*() {
      for (const headers of [{}, { cookie: "session=" }, { cookie: "session" }, { cookie: "other=1" }]) {
        const { body, status } = yield* get("/", headers)
        assert.strictEqual(status, 403)
        assert.include(body, "this request has no cookie \\\"session\\\"")
      }
      assert.strictEqual((yield* get("http://b.test/", basic("a", "b"))).status, 401)
      assert.strictEqual(asked, 0)
    }).pipe(Effect.provide(layer))
  })

  it.effect("A11: takes the cookie of exactly its name, not one that begins like it", () => {
    const verify = (credential: string) => Effect.succeed(credential === "ok")
    const { layer } = serve(guarded(Authentication.make({ from: Authentication.cookie("session"), verify })))
    return Effect.gen(function*() {
      assert.strictEqual((yield* get("/", { cookie: "session_x=ok" })).status, 403)
      assert.strictEqual((yield* get("/", { cookie: "session_x=ok; session=bad" })).status, 403)
      assert.strictEqual((yield* get("/", { cookie: "session_x=bad; session=ok" })).status, 200)
      assert.strictEqual((yield* get("/", { cookie: `${"x=1; ".repeat(20)}session=ok` })).status, 200)
    }).pipe(Effect.provide(layer))
  })

  it.effect("A10, B37: answers 500 once and lets nobody through when verify throws, fails or dies, and reports it", () => {
    const faults: Record<string, () => Effect.Effect<boolean, unknown>> = {
      throw: () => {
        throw new Error("the fault")
      },
      fail: () => Effect.andThen(Effect.yieldNow, Effect.fail("the fault")),
      die: () => Effect.die(new Error("the fault")),
      answer: () => new Teapot(),
      response: () => Effect.die(Response.text("let me in"))
    }
    const from = Authentication.header("x-user")
    const { layer, reported } = serve(Domain.layer("*", { attach: "main" }, [
      ...Route.use([Authentication.make({ from, verify: (kind) => faults[kind]!() })], [home]),
      Route.get("/open", () => Effect.succeed(Response.text("open")))
    ]))
    return Effect.gen(function*() {
      handled.length = 0
      for (const kind of Object.keys(faults)) {
        const { body, status } = yield* get("/", { "x-user": kind })
        assert.strictEqual(status, 500, kind)
        assert.notInclude(body, "the fault")
        // A second answer would be taken for that of this request, which uses the connection again.
        assert.strictEqual((yield* get("/open")).body, "open")
      }
      assert.lengthOf(reported, 5)
      assert.strictEqual(reported[1], "the fault")
      assert.instanceOf((reported[3] as Error).cause, Teapot)
      assert.deepStrictEqual(handled, [])
    }).pipe(Effect.provide(layer))
  })

  it.effect("takes nothing but true for true", () => {
    const values: Record<string, unknown> = {
      one: 1,
      text: "true",
      object: {},
      promise: Promise.resolve(true),
      no: false
    }
    const make = (provide?: typeof User) =>
      Authentication.make({
        from: Authentication.header("x-user"),
        verify: (kind: string) => Effect.succeed(values[kind] as boolean),
        ...(provide === undefined ? {} : { provide })
      } as { readonly from: Authentication.Source<string>; readonly verify: () => Effect.Effect<boolean> })
    const { layer } = serve(Layer.merge(
      guarded(make()),
      Domain.layer("user.test", { attach: "main" }, Route.use([make(User)], [home]))
    ))
    return Effect.gen(function*() {
      for (const kind of [...Object.keys(values), "undefined"]) {
        assert.strictEqual((yield* get("/", { "x-user": kind })).status, 403, kind)
      }
      Object.assign(values, { yes: true, null: null })
      assert.strictEqual((yield* get("/", { "x-user": "yes" })).status, 200)
      for (const kind of ["yes", "no", "null", "undefined"]) {
        assert.strictEqual((yield* get("http://user.test/", { "x-user": kind })).status, 403, kind)
      }
    }).pipe(Effect.provide(layer))
  })

  it.effect("gives handlers the identity that verify found, and may ask services and wait", () => {
    const members = Authentication.make({
      from: Authentication.bearer(),
      verify: (token) =>
        Effect.gen(function*() {
          yield* Effect.yieldNow
          return (yield* Members).find((name) => `token-of-${name}` === token)
        }),
      provide: User
    })
    const me = Route.get("/me", () => Effect.map(User, (name) => Response.text(name)))
    const { layer } = serve(
      Domain.layer("*", { attach: "main", middleware: [members] }, [me]).pipe(
        Layer.provide(Layer.succeed(Members, ["ada", "kurt"]))
      )
    )
    return Effect.gen(function*() {
      assert.strictEqual((yield* get("/me", { authorization: "Bearer token-of-kurt" })).body, "kurt")
      assert.strictEqual((yield* get("/me", { authorization: "Bearer token-of-eve" })).status, 401)
      // Of a domain: also what no route answers.
      assert.strictEqual((yield* get("/nowhere")).status, 401)
      assert.strictEqual((yield* get("/nowhere", { authorization: "Bearer token-of-ada" })).status, 404)
    }).pipe(Effect.provide(layer))
  })

  it.effect("by bearer or basic answers 401 with a challenge that clients understand", () => {
    const verify = () => Effect.succeed(false)
    const { layer } = serve(Layer.mergeAll(
      Domain.layer("bearer.test", { attach: "main" },
        Route.use([Authentication.make({ from: Authentication.bearer({ realm: "api" }), verify })], [home])),
      Domain.layer("basic.test", { attach: "main" }, Route.use([
        Authentication.make({
          from: Authentication.basic({ realm: "the \"staff\"" }),
          verify: Authentication.basicUsers({ ädä: Redacted.make("pä:ss") })
        })
      ], [home]))
    ))
    return Effect.gen(function*() {
      const challenge = Effect.fnUntraced(function*(url: string, headers?: Record<string, string>) {
        const answer = yield* get(url, headers)
        return [answer.status, answer.headers["www-authenticate"]]
      })
      assert.deepStrictEqual(yield* challenge("http://bearer.test/"), [401, "Bearer realm=\"api\""])
      assert.deepStrictEqual(yield* challenge("http://bearer.test/", { authorization: "Bearer x" }), [
        401,
        "Bearer realm=\"api\", error=\"invalid_token\""
      ])
      const asked = [401, "Basic realm=\"the \\\"staff\\\"\", charset=\"UTF-8\""]
      assert.deepStrictEqual(yield* challenge("http://basic.test/"), asked)
      assert.deepStrictEqual(yield* challenge("http://basic.test/", basic("ädä", "wrong")), asked)
      assert.deepStrictEqual(yield* challenge("http://basic.test/", basic("nobody", "pä:ss")), asked)
      assert.strictEqual((yield* get("http://basic.test/", basic("ädä", "pä:ss"))).body, "home")
    }).pipe(Effect.provide(layer))
  })

  it.effect("comes before the body, whose sender is refused without its being read", () => {
    const verify = () => Effect.succeed(false)
    const route = Route.post("/", { body: Schema.Struct({ n: Schema.Int }) },
      () => Effect.succeed(Response.text("taken")))
    const middleware = Authentication.make({ from: Authentication.header("x-user"), verify })
    const { layer } = serve(Domain.layer("*", { attach: "main" }, Route.use([middleware], [route])))
    return Effect.gen(function*() {
      const invalid = HttpClientRequest.bodyText(HttpClientRequest.post("/"), "{", "application/json")
      assert.strictEqual((yield* ask(invalid)).status, 403)
      assert.strictEqual((yield* ask(HttpClientRequest.setHeader(invalid, "x-user", "ada"))).status, 403)
    }).pipe(Effect.provide(layer))
  })

  it.effect("stands around file maps as around other routes", () => {
    const verify = (key: string) => Effect.succeed(key === "open")
    return Effect.gen(function*() {
      const directory = yield* Effect.acquireRelease(
        Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "kore-fx-auth-"))),
        (directory) => Effect.sync(() => fs.rmSync(directory, { recursive: true, force: true }))
      )
      yield* Effect.sync(() => fs.writeFileSync(path.join(directory, "a.txt"), "secret"))
      const middleware = Authentication.make({ from: Authentication.header("x-key"), verify })
      const { layer } = serve(
        Domain.layer("*", { attach: "main" }, Route.use([middleware], Filemap.routes("/files", directory)))
      )
      yield* Effect.gen(function*() {
        assert.strictEqual((yield* get("/files/a.txt")).status, 403)
        assert.strictEqual((yield* get("/files/nothing.txt")).status, 403)
        assert.strictEqual((yield* get("/files/a.txt", { "x-key": "open" })).body, "secret")
      }).pipe(Effect.provide(layer))
    })
  })

  it.effect("by session sends those who are not logged in to the login, and gives handlers who is", () => {
    const Name = Session.key("name", Schema.String)
    const loggedIn = Authentication.make({
      from: Authentication.session(Name),
      verify: (name) => Effect.succeed(name === "banned" ? undefined : name),
      provide: User,
      onFailure: { redirect: "/login" }
    })
    const sessions = Session.middleware({ secrets: Redacted.make("s".repeat(32)) })
    const { layer } = serve(
      Domain.layer("*", { attach: "main", middleware: [sessions] }, [
        ...Route.use([loggedIn], [Route.get("/", () => Effect.map(User, (name) => Response.text(name)))]),
        Route.get("/login/:name", function*({ path }) {
          yield* (yield* Session.Session).set(Name, path.name)
          return Response.text("welcome")
        })
      ]).pipe(Layer.provide(Session.layerMemory()))
    )
    return Effect.gen(function*() {
      const cookieOf = Effect.fnUntraced(function*(name: string) {
        return (yield* get(`/login/${name}`)).headers["set-cookie"]!.split(";")[0]!
      })
      const { headers, status } = yield* get("/")
      assert.deepStrictEqual([status, headers["location"], headers["set-cookie"]], [302, "/login", undefined])
      assert.strictEqual((yield* get("/", { cookie: yield* cookieOf("ada") })).body, "ada")
      assert.strictEqual((yield* get("/", { cookie: yield* cookieOf("banned") })).status, 302)
    }).pipe(Effect.provide(layer))
  })

  it.effect("whose client leaves while verify waits is given up, and the handler does not run", () =>
    Effect.gen(function*() {
      handled.length = 0
      const waiting = yield* Deferred.make<void>()
      const interrupted = yield* Deferred.make<void>()
      const verify = () =>
        Deferred.succeed(waiting, undefined).pipe(
          Effect.andThen(Effect.never),
          Effect.onInterrupt(() => Deferred.succeed(interrupted, undefined))
        )
      const { layer, reported } = serve(guarded(Authentication.make({ from: Authentication.cookie("a"), verify })))
      yield* Effect.gen(function*() {
        const client = yield* Effect.forkChild(get("/", { cookie: "a=1" }))
        yield* Deferred.await(waiting)
        yield* Fiber.interrupt(client)
        yield* Deferred.await(interrupted)
        assert.deepStrictEqual([handled, reported], [[], []])
      }).pipe(Effect.provide(layer))
    }))
})
