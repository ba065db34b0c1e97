import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Cookies from "effect/http/Cookies"
import * as HttpClient from "effect/http/HttpClient"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { kore } from "kore-fx/legacy"
import { ask, reported, routes, start, text, turn, until } from "./TestApp.ts"

const one = (handler: kore.Handler) => start(routes((domain) => domain.route(".", handler)))

describe("a request", () => {
  it.effect("tells method, path as sent, host with port, agent, protocol and connection", () =>
    Effect.gen(function*() {
      const { text } = yield* ask("http://example.com:8080/a%20b/:c?d=1", { headers: { "user-agent": "test/1" } })
      assert.deepStrictEqual(JSON.parse(text), {
        method: kore.HTTP_METHOD_GET,
        path: "/a%20b/:c",
        host: "example.com:8080",
        agent: "test/1",
        protocol: "http",
        connection: { addr: null, port: null, fd: null }
      })
    }).pipe(Effect.provide(one((req) => {
      const { agent, connection, host, method, path, protocol } = req
      req.response(200, JSON.stringify({ method, path, host, agent, protocol, connection }))
    }))))

  it.effect("B13: response_header adds every set-cookie, and replaces none", () =>
    Effect.gen(function*() {
      const response = yield* HttpClient.get("/")
      assert.deepStrictEqual(
        Cookies.toSetCookieHeaders(response.cookies),
        ["a=1; Path=/; HttpOnly", "b=2; SameSite=Lax"]
      )
      assert.strictEqual((yield* ask("/none")).status, 500)
    }).pipe(Effect.provide(one((req) => {
      if (req.path === "/none") req.response_header("set-cookie", "nothing")
      req.response_header("Set-Cookie", "a=1; Path=/; HttpOnly")
      req.response_header("set-cookie", "b=2; SameSite=Lax")
      req.response(200, "")
    }))))

  it.effect("runtime §15.5: connection.disconnect closes the connection, and the handler is told as when its client leaves", () => {
    const seen: Array<string> = []
    return Effect.gen(function*() {
      const error = yield* Effect.flip(ask("/"))
      assert.include(String(error), "HttpClientError")
      yield* until(() => seen.length === 2)
      assert.deepStrictEqual(seen, ["Killed", "true true"])
    }).pipe(Effect.provide(one(async (req) => {
      try {
        const answer = req.connection!.disconnect()
        await kore.suspend(60_000).then(undefined, (error: Error) => {
          seen.push(error.constructor.name)
          seen.push(`${answer} ${req.connection === null}`)
          throw error
        })
      } finally {
        req.response(200, "nobody reads this")
      }
    })))
  })

  it.effect("has Kore's number for each method", () =>
    Effect.gen(function*() {
      const numbers = []
      for (const method of ["GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"] as const) {
        numbers.push(Number((yield* ask("/", { method })).text))
      }
      assert.deepStrictEqual(numbers, [1, 2, 4, 16, 64, 128])
      assert.strictEqual((yield* ask("/", { method: "HEAD" })).headers["content-length"], "2")
    }).pipe(Effect.provide(one((req) => req.response(200, String(req.method))))))

  it.effect("gives headers by name in any case, all of them by lower-case name, and null without one", () =>
    Effect.gen(function*() {
      const { text } = yield* ask("/", { headers: { "X-Request": "abc" } })
      assert.deepStrictEqual(JSON.parse(text), ["abc", "abc", "localhost", null, "abc"])
    }).pipe(Effect.provide(one((req) =>
      req.response(200, JSON.stringify([
        req.request_header("x-request"),
        req.request_header("X-REQUEST"),
        req.request_header("host"),
        req.request_header("x-other"),
        req.headers()["x-request"]
      ]))
    ))))

  it.effect("gives cookies by their exact name", () =>
    Effect.gen(function*() {
      const { text } = yield* ask("/", { headers: { cookie: "session=1; session_old=2" } })
      assert.deepStrictEqual(JSON.parse(text), [true, "1", null, null])
    }).pipe(Effect.provide(one((req) =>
      req.response(200, JSON.stringify([
        req.populate_cookies(),
        req.cookie("session"),
        req.cookie("sess"),
        req.cookie("constructor")
      ]))
    ))))

  it.effect("has its whole body, which body_read does not change", () =>
    Effect.gen(function*() {
      const { text } = yield* ask("/", { method: "POST", body: `${"a".repeat(1024)}bé` })
      assert.deepStrictEqual(JSON.parse(text), [1027, 1024, 3, "bé", 0, 1027])
      assert.strictEqual((yield* ask("/")).text, "[0,0,0,\"\",0,0]")
    }).pipe(Effect.provide(one((req) => {
      const size = req.body.length
      const [first] = req.body_read(1024)
      const [second, rest] = req.body_read(1024)
      const [end] = req.body_read(1024)
      req.response(200, JSON.stringify([size, first, second, rest.toString(), end, req.body.length]))
    }))))

  it.effect("refuses to read more than 1024 bytes at once, or less than none", () =>
    Effect.gen(function*() {
      assert.match((yield* ask("/")).text, /got 1025, expected a number of bytes from 0 to 1024.*got -1/)
    }).pipe(Effect.provide(one((req) => {
      const messages = [1025, -1].map((length) => {
        try {
          return String(req.body_read(length))
        } catch (error) {
          return error instanceof kore.RuntimeError ? error.message : ""
        }
      })
      req.response(200, messages.join(" "))
    }))))

  it.effect("takes properties of the app's own", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* text("/"), "200 ada")
    }).pipe(Effect.provide(one((req) => {
      Object.assign(req, { user: "ada" })
      req.response(200, (req as kore.Request & { user: string }).user)
    }))))
})

describe("a response", () => {
  it.effect("sends text as one UTF-8 body with a type, bytes without one, and null as nothing", () =>
    Effect.gen(function*() {
      const text = yield* ask("/text")
      assert.deepStrictEqual([text.text, text.headers["content-length"]], ["grüß dich", "11"])
      assert.strictEqual(text.headers["content-type"], "text/plain; charset=utf-8")
      const bytes = yield* ask("/bytes")
      assert.deepStrictEqual([bytes.text, bytes.headers["content-length"]], ["bytes", "5"])
      assert.isUndefined(bytes.headers["content-type"])
      const none = yield* ask("/null")
      assert.deepStrictEqual([none.status, none.text, none.headers["content-length"]], [200, "", "0"])
    }).pipe(Effect.provide(start(routes((domain) => {
      domain.route("/text", (req) => req.response(200, "grüß dich"))
      domain.route("/bytes", (req) => req.response(200, Buffer.from("bytes")))
      domain.route("/null", (req) => req.response(200, null))
    })))))

  it.effect("sends headers, of which the last of a name counts", () =>
    Effect.gen(function*() {
      const { headers, status } = yield* ask("/")
      assert.strictEqual(status, 404)
      assert.strictEqual(headers["x-a"], "2")
      assert.strictEqual(headers["content-type"], "text/html")
      assert.strictEqual(headers["server"], "mine")
    }).pipe(Effect.provide(one((req) => {
      req.response_header("X-A", "1")
      req.response_header("content-type", "text/html")
      req.response_header("server", "mine")
      req.response_header("x-a", "2")
      req.response(404, "<h1>gone</h1>")
    }))))

  it.effect("cannot be split or framed by a header, and says so where it is set", () =>
    Effect.gen(function*() {
      const { headers, text } = yield* ask("/")
      assert.isUndefined(headers["x-evil"])
      assert.deepStrictEqual(JSON.parse(text), [
        "the header x-a cannot have the value \"a\\r\\nx-evil: 1\": no control characters, only Latin-1",
        "\"x a\" is not the name of a header",
        "the header content-length belongs to the server, which frames every response itself",
        "the header connection belongs to the server, which frames every response itself"
      ])
    }).pipe(Effect.provide(one((req) => {
      const messages: Array<string> = []
      for (
        const [name, value] of [["x-a", "a\r\nx-evil: 1"], ["x a", "1"], ["Content-Length", "1"], ["connection", "x"]]
      ) {
        try {
          req.response_header(name!, value!)
        } catch (error) {
          messages.push((error as Error).message)
        }
      }
      req.response(200, JSON.stringify(messages))
    }))))

  it.effect("with a status out of range or a body of another kind is an error in the handler", () =>
    Effect.gen(function*() {
      for (const url of ["/99", "/600", "/200.5"]) assert.strictEqual((yield* ask(url)).status, 500)
      assert.strictEqual((yield* ask("/200")).status, 500)
      const messages = yield* reported
      assert.match(messages[0]!, /got the status 99, expected a number from 200 to 599/)
      assert.match(messages[3]!,
        /got a value of Object as the body, expected a string, a Uint8Array, null, or an iterable/)
    }).pipe(Effect.provide(one((req) => req.response(Number(req.path.slice(1)), { some: "dict" } as never)))))
})

describe("a streamed response", () => {
  it.effect("may be any sync or async iterable of text and bytes", () =>
    Effect.gen(function*() {
      for (const url of ["/array", "/generator", "/async"]) {
        const { headers, text } = yield* ask(url)
        assert.deepStrictEqual([text, headers["transfer-encoding"]], ["aébc", "chunked"], url)
      }
      assert.strictEqual((yield* ask("/empty")).text, "")
      assert.deepStrictEqual(yield* reported, [])
    }).pipe(Effect.provide(start(routes((domain) => {
      domain.route("/array", (req) => req.response(200, ["aé", "", Buffer.from("bc")]))
      domain.route("/generator", (req) =>
        req.response(200, (function*() {
          yield "aé"
          yield ""
          yield Buffer.from("bc")
        })()))
      domain.route("/async", (req) =>
        req.response(200, (async function*() {
          yield "aé"
          await kore.suspend(0)
          yield Buffer.from("bc")
        })()))
      domain.route("/empty", (req) => req.response(200, []))
    })))))

  it.effect("that fails breaks the connection, so that nobody takes the part for the whole", () =>
    Effect.gen(function*() {
      assert.isTrue((yield* Effect.exit(ask("/")))._tag === "Failure")
      assert.deepStrictEqual(yield* reported, ["Error: in the middle"])
    }).pipe(Effect.provide(one((req) =>
      req.response(200, (function*() {
        yield "one"
        throw new Error("in the middle")
      })())
    ))))

  it.effect("refuses items that are neither text nor bytes", () =>
    Effect.gen(function*() {
      assert.isTrue((yield* Effect.exit(ask("/")))._tag === "Failure")
      assert.match((yield* reported)[0]!, /the body of a response yielded 1, expected strings or Uint8Arrays/)
    }).pipe(Effect.provide(one((req) => req.response(200, [1] as never)))))

  it.effect("is not asked for an item before the one before is on its way", () => {
    let pulled = 0
    return Effect.gen(function*() {
      const fiber = yield* Effect.forkChild(ask("/"))
      yield* until(() => pulled === 2)
      yield* turn
      assert.strictEqual(pulled, 2)
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* Fiber.join(fiber)).text, "12")
    }).pipe(Effect.provide(one((req) =>
      req.response(200, (async function*() {
        pulled++
        yield "1"
        pulled++
        await kore.suspend(1000)
        yield "2"
      })())
    )))
  })

  it.effect("is killed when its client leaves: finally blocks run", () => {
    const seen: Array<string> = []
    return Effect.gen(function*() {
      for (const url of ["/async", "/sync"]) {
        const response = yield* HttpClient.get(url)
        // Reads the first piece and leaves.
        yield* Stream.runHead(response.stream)
        yield* until(() => seen.includes("end"))
        assert.deepStrictEqual(seen.splice(0), url === "/async" ? ["begin", "Killed", "end"] : ["begin", "end"])
      }
      assert.deepStrictEqual(yield* reported, [])
    }).pipe(Effect.provide(start(routes((domain) => {
      domain.route("/async", (req) =>
        req.response(200, (async function*() {
          try {
            seen.push("begin")
            yield "1"
            await kore.suspend(1e9)
          } catch (error) {
            seen.push((error as Error).name)
          } finally {
            seen.push("end")
          }
        })()))
      domain.route("/sync", (req) =>
        req.response(200, (function*() {
          try {
            seen.push("begin")
            for (let i = 0; i < 1000; i++) yield "x".repeat(65536)
            seen.push("sent all")
          } finally {
            seen.push("end")
          }
        })()))
    }))))
  })
})
