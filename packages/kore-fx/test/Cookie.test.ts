import { assert, describe, it } from "@effect/vitest"
import * as Cookie from "@kore-fx/http/Cookie"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Redacted from "effect/Redacted"
import { Domain, Kore, Response, Route, Server } from "kore-fx"

const secret = Redacted.make("s".repeat(32))

const app = Kore.app({
  servers: { main: Server.tcp({ host: "127.0.0.1", port: 0, tls: false }) },
  worker: Domain.layer("*", { attach: "main" }, [
    Route.get("/set", () =>
      Effect.succeed(
        Response.text("set").pipe(
          Cookie.set("a", "1; x=\"ä\"\r\nset-cookie: evil=1"),
          Cookie.set("b", Cookie.sign("b", "value", secret)),
          Cookie.remove("c")
        )
      )),
    Route.get("/get/:name",
      ({ path, request }) => Effect.succeed(Response.text(Cookie.get(request, path.name) ?? "none"))),
    Route.get("/signed",
      ({ request }) =>
        Effect.succeed(Response.text(Cookie.verify("b", Cookie.get(request, "b"), secret) ?? "refused"))),
    Route.get("/invalid", () => Effect.sync(() => Cookie.set(Response.text("set"), "a b", "1")))
  ])
})

const get = Effect.fnUntraced(function*(path: string, cookie = "") {
  const response = yield* HttpClient.get(path, { headers: cookie === "" ? {} : { cookie } })
  return { status: response.status, body: yield* response.text, cookies: response.cookies.cookies }
})

describe("cookies", () => {
  it.effect("B13: a browser gets every cookie of a response, and nothing of a value becomes a header", () =>
    Effect.gen(function*() {
      const { cookies } = yield* get("/set")
      assert.deepStrictEqual(Object.keys(cookies), ["a", "b", "c"])
      assert.strictEqual(cookies["a"]!.value, "1; x=\"ä\"\r\nset-cookie: evil=1")
      assert.deepInclude(cookies["a"]!.options, { httpOnly: true, secure: true, sameSite: "lax", path: "/" })
      const sent = Object.values(cookies).map((cookie) => `${cookie.name}=${cookie.valueEncoded}`).join("; ")
      assert.strictEqual((yield* get("/get/a", sent)).body, cookies["a"]!.value)
      assert.strictEqual((yield* get("/signed", sent)).body, "value")
      assert.strictEqual((yield* get("/signed", sent.replace("value.", "Value."))).body, "refused")
      assert.strictEqual((yield* get("/signed")).body, "refused")
    }).pipe(Effect.provide(Kore.test(app))))

  it.effect("A11: are found by their exact name, whatever stands before them, and no name is special", () =>
    Effect.gen(function*() {
      const header = `session_x=no; SESSION=no; =x; ${"x=1; ".repeat(20)}session=yes=1; session=second`
      assert.strictEqual((yield* get("/get/session", header)).body, "yes=1")
      assert.strictEqual((yield* get("/get/session", "session_x=no; xsession=no")).body, "none")
      for (const name of ["__proto__", "constructor", "toString"]) {
        assert.strictEqual((yield* get(`/get/${name}`, "a=1")).body, "none")
        assert.strictEqual((yield* get(`/get/${name}`, `a=1; ${name}=2`)).body, "2")
      }
    }).pipe(Effect.provide(Kore.test(app))))

  it.effect("that cannot be sent are a fault of the program: 500, and the next request is answered", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* get("/invalid")).status, 500)
      assert.strictEqual((yield* get("/set")).status, 200)
    }).pipe(Effect.provide(Kore.test(app))))
})
