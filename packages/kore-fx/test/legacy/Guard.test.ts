import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { kore } from "kore-fx/legacy"
import { ask, notes, reported, routes, start, text, until } from "./TestApp.ts"

type Marked = kore.Request & { user?: string }

const withCookie = (cookie: string, url = "/") =>
  Effect.map(ask(url, { headers: { cookie } }), ({ status, text }) => `${status} ${text}`)

describe("the auth of a route", () => {
  const verify = (req: Marked, value: string) => {
    req.user = value
    return value === "ada"
  }
  const hello = (req: Marked) => req.response(200, `hello ${req.user}`)

  it.effect("lets through whom verify says true to, with the request that the handler gets", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* withCookie("session=ada"), "200 hello ada")
      assert.match(yield* withCookie("session=eve"), /^403 /)
      assert.match(yield* text("/"), /^403 /)
      assert.strictEqual((yield* ask("/", { headers: { cookie: "session=ada" }, method: "POST", body: "x" })).status,
        200)
    }).pipe(
      Effect.provide(
        start(routes((domain) => domain.route("/", hello, { auth: { type: "cookie", value: "session", verify } })))
      )
    ))

  it.effect("A11: compares the name of the cookie, not how it begins", () =>
    Effect.gen(function*() {
      assert.match(yield* withCookie("session_x=ada"), /^403 /)
      assert.strictEqual(yield* withCookie("session_x=eve; session=ada"), "200 hello ada")
    }).pipe(Effect.provide(start(routes((domain) =>
      domain.route("/", hello, { auth: { type: "cookie", value: "session", verify } })
    )))))

  it.effect("sends others where redirect says, and reads a header by its name in any case", () =>
    Effect.gen(function*() {
      const { headers, status } = yield* ask("/")
      assert.deepStrictEqual([status, headers["location"]], [302, "/login"])
      assert.strictEqual((yield* ask("/", { headers: { "x-user": "ada" } })).text, "hello ada")
    }).pipe(
      Effect.provide(
        start(
          routes((domain) =>
            domain.route("/", hello, { auth: { type: "header", value: "X-User", verify, redirect: "/login" } })
          )
        )
      )
    ))

  it.effect("A10, B37: answers 500 once when verify throws, and lets nobody through for anything but true", () => {
    const { note, seen } = notes()
    return Effect.gen(function*() {
      for (const path of ["/throws", "/waits"]) assert.match(yield* withCookie("session=ada", path), /^500 /)
      assert.match(yield* withCookie("session=ada", "/one"), /^(403|500) /)
      assert.match(yield* withCookie("session=ada", "/later"), /^403 /)
      assert.deepStrictEqual(seen, [])
      assert.include((yield* reported).join(), "verify's mistake")
    }).pipe(Effect.provide(start(routes((domain) => {
      const route = (path: string, verify: (req: kore.Request, value: string) => unknown) =>
        domain.route(path, (req) => {
          note(path)
          req.response(200, "in")
        }, { auth: { type: "cookie", value: "session", verify } })
      route("/throws", () => {
        throw new Error("verify's mistake")
      })
      route("/waits", async () => {
        await kore.suspend(0)
        throw new Error("verify's mistake")
      })
      route("/one", () => 1)
      route("/later", function*() {
        yield kore.suspend(0)
        return false
      })
    }))))
  })
})

describe("the auth of a route, around everything else", () => {
  const auth = (verify: (req: kore.Request, value: string) => unknown) =>
    ({ type: "cookie", value: "s", verify }) as const

  it.effect("leaves a handler the empty body of a request that has none", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* withCookie("s=1"), "200 0")
    }).pipe(Effect.provide(start(routes((domain) =>
      domain.route("/", (req) => req.response(200, String(req.body.length)), {
        auth: auth(() => true)
      })
    )))))

  it.effect("B37: what verify answers is the one answer, whatever it says besides", () => {
    const { note, seen } = notes()
    return Effect.gen(function*() {
      assert.strictEqual(yield* withCookie("s=1", "/false"), "401 custom")
      assert.strictEqual(yield* withCookie("s=1", "/true"), "401 custom")
      assert.deepStrictEqual(seen, [])
    }).pipe(Effect.provide(start(routes((domain) => {
      for (const value of [true, false]) {
        domain.route(`/${value}`, () => note("handler"), {
          auth: auth((req) => {
            req.response(401, "custom")
            return value
          })
        })
      }
    }))))
  })

  it.effect("is followed by on_free when it refuses, and when the client leaves during verify", () => {
    const { note, seen } = notes()
    return Effect.gen(function*() {
      assert.match(yield* withCookie("s=1", "/no"), /^403 /)
      yield* until(() => seen.includes("freed /no"))
      const fiber = yield* Effect.forkChild(withCookie("s=1", "/waits"))
      yield* until(() => seen.includes("verify"))
      yield* Fiber.interrupt(fiber)
      yield* until(() => seen.includes("freed /waits"))
      assert.strictEqual(seen.length, 3)
    }).pipe(Effect.provide(start(routes((domain) => {
      const hooks = { on_free: (req: kore.Request) => note(`freed ${req.path}`) }
      domain.route("/no", () => note("handler"), { auth: auth(() => false), hooks })
      domain.route("/waits", () => note("handler"), {
        auth: auth(async () => {
          note("verify")
          await kore.suspend(60_000)
          return true
        }),
        hooks
      })
    }))))
  })
})

describe("kore.prerequest", () => {
  it.effect("is called before every handler, in order, and what one answers ends the request", () => {
    const { note, seen } = notes()
    return Effect.gen(function*() {
      assert.strictEqual(yield* text("/"), "200 in")
      assert.strictEqual(yield* text("/no"), "403 out")
      assert.deepStrictEqual(seen, ["first /", "second /", "handler /", "first /no", "second /no"])
    }).pipe(Effect.provide(start({
      configure() {
        kore.server("main", { ip: "127.0.0.1", port: 0, tls: false })
        kore.prerequest((req) => note(`first ${req.path}`))
        kore.prerequest("second")
        kore.domain("*", { attach: "main" }).route(".", (req) => {
          note(`handler ${req.path}`)
          req.response(200, "in")
        })
      },
      second(req: kore.Request) {
        note(`second ${req.path}`)
        if (req.path !== "/no") return true
        req.response(403, "out")
        return false
      }
    })))
  })

  it.effect("A8: may be a coroutine, which is waited for and can refuse", () => {
    const { note, seen } = notes()
    return Effect.gen(function*() {
      assert.strictEqual(yield* text("/"), "401 who?")
      assert.deepStrictEqual(seen, [])
    }).pipe(Effect.provide(start({
      configure() {
        kore.server("main", { ip: "127.0.0.1", port: 0, tls: false })
        kore.prerequest(async (req) => {
          await kore.suspend(0)
          req.response(401, "who?")
        })
        kore.domain("*", { attach: "main" }).route("/", () => note("handler"))
      }
    })))
  })

  it.effect("is a 500 when it throws, says false without an answer, or gives anything else", () => {
    const { note, seen } = notes()
    const results: Record<string, () => unknown> = {
      "/throws": () => {
        throw new Error("mistake")
      },
      "/false": () => false,
      "/other": () => "yes"
    }
    return Effect.gen(function*() {
      for (const path of Object.keys(results)) assert.strictEqual((yield* ask(path)).status, 500)
      assert.deepStrictEqual(seen, [])
      const text = (yield* reported).join("\n")
      assert.match(text, /mistake/)
      assert.match(text, /refused the request without calling req\.response/)
      assert.match(text, /gave "yes", expected nothing, true or false/)
    }).pipe(Effect.provide(start({
      configure() {
        kore.server("main", { ip: "127.0.0.1", port: 0, tls: false })
        kore.prerequest((req) => results[req.path]!())
        kore.domain("*", { attach: "main" }).route(".", () => note("handler"))
      }
    })))
  })
})

describe("the hooks of a route", () => {
  const { note, seen } = notes()

  it.effect("are called in Kore's order, on_free when all is over", () =>
    Effect.gen(function*() {
      seen.length = 0
      assert.strictEqual((yield* ask("/", { method: "POST", body: "body" })).text, "body")
      yield* until(() => seen.length === 4)
      assert.deepStrictEqual(seen, ["on_headers", "prerequest", "handler", "on_free"])
    }).pipe(Effect.provide(start({
      configure() {
        kore.server("main", { ip: "127.0.0.1", port: 0, tls: false })
        kore.prerequest(() => note("prerequest"))
        kore.domain("*", { attach: "main" }).route("/", (req) => {
          note("handler")
          req.response(200, req.body)
        }, { hooks: { on_headers: "before", on_free: () => note("on_free") } })
      },
      before(req: kore.Request) {
        note("on_headers")
        let message = ""
        try {
          void req.body
        } catch (error) {
          message = (error as Error).message
        }
        assert.match(message, /before the body has arrived/)
      }
    }))))

  it.effect("B37: what on_headers answers is the one response, and the handler is not called", () =>
    Effect.gen(function*() {
      seen.length = 0
      assert.strictEqual((yield* ask("/", { method: "POST", body: "x" })).text, "not today")
      assert.strictEqual((yield* ask("/throws")).status, 500)
      assert.deepStrictEqual(seen, [])
    }).pipe(Effect.provide(start(routes((domain) => {
      domain.route("/", () => note("handler"), { hooks: { on_headers: (req) => req.response(403, "not today") } })
      domain.route("/throws", () => note("handler"), {
        hooks: {
          on_headers: () => {
            throw new Error("mistake")
          }
        }
      })
    })))))

  it.effect("B37: on_headers is called for every method, with a body or without", () =>
    Effect.gen(function*() {
      seen.length = 0
      for (const method of ["GET", "DELETE"] as const) yield* ask("/", { method })
      yield* ask("/", { method: "POST", headers: { "content-length": "0" } })
      yield* ask("/", { method: "POST", body: "x" })
      assert.deepStrictEqual(seen,
        ["GET", "DELETE", "POST", "POST"].map((name) => (kore as any)[`HTTP_METHOD_${name}`]))
    }).pipe(Effect.provide(start(routes((domain) =>
      domain.route("/", (req) => req.response(200, ""), {
        hooks: { on_headers: (req) => note(req.method) }
      })
    )))))

  it.effect("A10: a hook that returns what it should not harms its own request only", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* ask("/headers")).status, 500)
      assert.strictEqual((yield* ask("/free")).status, 200)
      assert.strictEqual((yield* ask("/throws")).status, 200)
      assert.strictEqual((yield* ask("/free")).status, 200)
      const text = (yield* reported).join("\n")
      assert.match(text, /on_headers of "\/headers" gave 7/)
      assert.match(text, /thrown by on_free/)
    }).pipe(Effect.provide(start(routes((domain) => {
      const ok = (req: kore.Request) => req.response(200, "")
      domain.route("/headers", ok, { hooks: { on_headers: () => 7 } })
      domain.route("/free", ok, { hooks: { on_free: () => 7 } })
      domain.route("/throws", ok, {
        hooks: {
          on_free: () => {
            throw new Error("thrown by on_free")
          }
        }
      })
    })))))

  it.effect("B37: on_body_chunk gets the body and no empty piece; anything but true ends the request once", () =>
    Effect.gen(function*() {
      seen.length = 0
      assert.strictEqual((yield* ask("/good", { method: "POST", body: "abc" })).text, "3 bytes")
      assert.strictEqual((yield* ask("/bad", { method: "POST", body: "abc" })).status, 500)
      assert.strictEqual((yield* ask("/answers", { method: "POST", body: "abc" })).text, "enough")
      assert.deepStrictEqual(seen, ["abc"])
    }).pipe(Effect.provide(start(routes((domain) => {
      let size = 0
      domain.route("/good", (req) => {
        assert.throws(() => req.body, /was given to the hook on_body_chunk/)
        req.response(200, `${size} bytes`)
      }, {
        hooks: {
          on_body_chunk: (_req, chunk) => {
            note(String(chunk))
            size += chunk.length
            return true
          }
        }
      })
      domain.route("/bad", () => note("handler"), { hooks: { on_body_chunk: () => false } })
      domain.route("/answers", () => note("handler"), {
        hooks: { on_body_chunk: (req) => req.response(413, "enough") }
      })
    })))))
})
