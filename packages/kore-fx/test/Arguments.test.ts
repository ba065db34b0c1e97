import { assert, describe, it } from "@effect/vitest"
import * as Arguments from "@kore-fx/http/Arguments"
import * as Form from "@kore-fx/http/Form"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Layer from "effect/Layer"
import { Domain, Kore, Response, Route, Server } from "kore-fx"

const main = Server.tcp({ host: "127.0.0.1", port: 0, tls: false })

const serve = <E>(worker: Layer.Layer<never, E, Kore.Provided | Domain.Attached<"main">>) =>
  Kore.test(Kore.app({ servers: { main }, worker }))

const ask = Effect.fnUntraced(function*(request: HttpClientRequest.HttpClientRequest) {
  const response = yield* HttpClient.execute(request)
  return { status: response.status, headers: response.headers, body: yield* response.text }
})

const FORM = "application/x-www-form-urlencoded"

const get = (path: string) => ask(HttpClientRequest.get(path))
const post = (path: string, body: string | Uint8Array, type: string = FORM) =>
  ask(HttpClientRequest.post(path).pipe(
    typeof body === "string" ? HttpClientRequest.bodyText(body, type) : HttpClientRequest.bodyUint8Array(body, type)
  ))

/** Answers with the arguments that there are, as JSON. */
const show = Effect.map(Arguments.Arguments, ({ entries }) => Response.jsonUnsafe(entries))

const shown = (answer: { readonly status: number; readonly body: string }): unknown =>
  answer.status === 200 ? JSON.parse(answer.body) : answer.status

/** A domain whose route `/` answers GET and POST with its arguments. */
const showing = (declaration: Arguments.Declaration) =>
  serve(
    Domain.layer("*", { attach: "main" }, Arguments.use(declaration, [Route.on("GET", "POST", "PUT")("/", () => show)]))
  )

class Names
  extends Context.Service<Names, { readonly has: (name: string) => Effect.Effect<boolean> }>()("test/Names")
{}

describe("arguments", () => {
  it.effect("are those that the validators admit, from the place that is their method's", () => {
    const declaration = Arguments.make({ get: { id: /^[0-9]+$/ }, post: { id: /^[a-z]+$/ }, qs: { lang: /^(en|de)$/ } })
    return Effect.gen(function*() {
      assert.deepStrictEqual(shown(yield* get("/?id=7&id=x&lang=en&other=1&id=8")), [
        ["id", "7"],
        ["lang", "en"],
        ["id", "8"]
      ])
      assert.deepStrictEqual(shown(yield* post("/?id=7&lang=de&lang=fr", "id=7&id=a&lang=en")), [
        ["lang", "de"],
        ["id", "a"]
      ])
      assert.deepStrictEqual(shown(yield* get("/")), [])
      assert.deepStrictEqual(shown(yield* ask(HttpClientRequest.post("/"))), [])
      const put = HttpClientRequest.bodyText(HttpClientRequest.put("/?lang=en"), "{}", "application/json")
      assert.deepStrictEqual(shown(yield* ask(put)), [["lang", "en"]])
    }).pipe(Effect.provide(showing(declaration)))
  })

  it.effect("of a multipart form are its text fields, and the handler reads its files from the same body", () => {
    const form = new FormData()
    form.append("name", "a=b & c%41+")
    form.append("file", new File(["content"], "a:b.txt"))
    form.append("name", "")
    const routes = Arguments.use(Arguments.make({ post: { name: /^[^]*$/ } }), [
      Route.post("/", function*({ request }) {
        const { entries, refused } = yield* Arguments.Arguments
        const size = (yield* request.text).length
        return Response.jsonUnsafe({ entries, refused: refused.length, isWhole: size > 300 })
      })
    ])
    return Effect.gen(function*() {
      const answer = yield* ask(HttpClientRequest.bodyFormData(HttpClientRequest.post("/"), form))
      assert.deepStrictEqual(shown(answer), {
        entries: [["name", "a=b & c%41+"], ["name", ""]],
        refused: 0,
        isWhole: true
      })
    }).pipe(Effect.provide(serve(Domain.layer("*", { attach: "main" }, routes))))
  })

  it.effect("A7: bytes that are no UTF-8 and incomplete escapes are invalid values, and no validator sees them", () => {
    const seen: Array<string> = []
    const validator = (value: string) => seen.push(value) > 0
    const declaration = Arguments.make({ get: { id: validator }, post: { id: validator } })
    return Effect.gen(function*() {
      const bad = "id=%ff&id=%C3&id=%zz&id=1%&id=%4&id=%ED%A0%80&id%ff=1&id=%C3%A9"
      assert.deepStrictEqual(shown(yield* get(`/?${bad}`)), [["id", "é"]])
      assert.deepStrictEqual(shown(yield* post("/", bad)), [["id", "é"]])
      const bytes = Buffer.concat([Buffer.from("id=a&id=é&id="), Buffer.from([0xFF]), Buffer.from("&id=b")])
      assert.deepStrictEqual(shown(yield* post("/", bytes)), [["id", "a"], ["id", "é"], ["id", "b"]])
      assert.deepStrictEqual(seen, ["é", "é", "a", "é", "b"])
    }).pipe(Effect.provide(showing(declaration)))
  })

  it.effect("A8: wait for validators that ask a service, and the handler runs only with what these admitted", () => {
    const declaration = Arguments.make({
      get: {
        name: (name) => Effect.flatMap(Names, (names) => names.has(name)),
        code: async (code) => {
          await Promise.resolve()
          return code === "1"
        }
      }
    })
    // @ts-expect-error what a validator needs is needed by the routes
    const needy: Arguments.Declaration = declaration
    assert.strictEqual<unknown>(needy, declaration)
    const names = Layer.succeed(Names, {
      has: (name) => Effect.as(Effect.yieldNow, name === "ada")
    })
    const worker = Domain.layer("*", { attach: "main" }, Arguments.use(declaration, [Route.get("/", () => show)]))
    return Effect.gen(function*() {
      assert.deepStrictEqual(shown(yield* get("/?name=kurt&code=1&name=ada&code=2")), [["code", "1"], ["name", "ada"]])
    }).pipe(Effect.provide(serve(worker.pipe(Layer.provide(names)))))
  })

  it.effect("A8: whose client leaves while a validator waits are given up: it is interrupted, the handler never runs", () => {
    let handled = 0
    return Effect.gen(function*() {
      const waiting = yield* Deferred.make<void>()
      const interrupted = yield* Deferred.make<void>()
      const declaration = Arguments.make({
        get: {
          id: () =>
            Deferred.succeed(waiting, undefined).pipe(
              Effect.andThen(Effect.never),
              Effect.onInterrupt(() => Deferred.succeed(interrupted, undefined))
            )
        }
      })
      const routes = Arguments.use(declaration, [
        Route.get("/", () => Effect.sync(() => (handled++, Response.text(""))))
      ])
      yield* Effect.gen(function*() {
        const client = yield* Effect.forkChild(get("/?id=1"))
        yield* Deferred.await(waiting)
        yield* Fiber.interrupt(client)
        yield* Deferred.await(interrupted)
        assert.strictEqual(handled, 0)
      }).pipe(Effect.provide(serve(Domain.layer("*", { attach: "main" }, routes))))
    })
  })

  it.effect("A10: go on after a validator that throws or rejects: the request is answered, and the next one too", () => {
    const declaration = Arguments.make({
      get: {
        id: (value) => {
          if (value === "throw") throw new Error("inside")
          return value === "reject" ? Promise.reject(new Error("inside")) : true
        }
      },
      invalid: "refuse"
    })
    return Effect.gen(function*() {
      for (const value of ["throw", "reject"]) {
        const { body, status } = yield* get(`/?id=${value}`)
        assert.strictEqual(status, 400)
        assert.notInclude(body, "inside")
        assert.deepStrictEqual(shown(yield* get("/?id=1")), [["id", "1"]])
      }
    }).pipe(Effect.provide(showing(declaration)))
  })

  it.effect("B26: have the whole value behind the first =, empty values, and every pair beyond the nineteenth", () => {
    const any = /^[^]*$/
    const declaration = Arguments.make({ get: { a: any }, post: { a: any } })
    return Effect.gen(function*() {
      const pairs = "a=b=c==&a=&a&a=x+y%2B"
      const expected = [["a", "b=c=="], ["a", ""], ["a", ""], ["a", "x y+"]]
      assert.deepStrictEqual(shown(yield* get(`/?${pairs}`)), expected)
      assert.deepStrictEqual(shown(yield* post("/", pairs)), expected)
      const many = Array.from({ length: 100 }, (_, i) => ["a", String(i)])
      assert.deepStrictEqual(shown(yield* post("/", many.map((pair) => pair.join("=")).join("&"))), many)
    }).pipe(Effect.provide(showing(declaration)))
  })

  it.effect("B26: that are too many are 400 in a query and 413 in a body, and none of them is used", () => {
    const declaration = Arguments.make({ get: { a: /./ }, post: { a: /./ }, maxPairs: 3 })
    return Effect.gen(function*() {
      const query = yield* get("/?a=1&a=2&a=3&a=4")
      assert.strictEqual(query.status, 400)
      assert.include(query.body, "the query is invalid: it has more than 3 pairs of name and value")
      const body = yield* post("/", "a=1&a=2&a=3&a=4")
      assert.strictEqual(body.status, 413)
      assert.strictEqual(body.headers["content-type"], "application/problem+json")
      assert.deepStrictEqual((shown(yield* post("/", "a=1&a=2&a=3&&")) as Array<unknown>).length, 3)
    }).pipe(Effect.provide(showing(declaration)))
  })

  it.effect("B28: that are invalid or unknown vanish by default, and the handler can see which and why", () => {
    const routes = Arguments.use(Arguments.make({ get: { id: /^[0-9]+$/ } }), [
      Route.get("/",
        () =>
          Effect.map(Arguments.Arguments, ({ refused }) =>
            Response.jsonUnsafe(refused.map(({ kind, name, reason }) => [name, kind, reason]))))
    ])
    return Effect.gen(function*() {
      assert.deepStrictEqual(shown(yield* get("/?id=x&id=1&q=2&id=%ff")), [
        ["id", "invalid", "does not match /^[0-9]+$/"],
        ["q", "unknown", "is not known here"],
        ["id", "invalid", "is not UTF-8, or has an incomplete escape"]
      ])
    }).pipe(Effect.provide(serve(Domain.layer("*", { attach: "main" }, routes))))
  })

  it.effect("B28: get a 400 that names each of them where the declaration says refuse, before the handler", () => {
    const declaration = Arguments.make({
      get: { id: /^[0-9]+$/ },
      post: { name: (name) => name !== "" },
      qs: { lang: /^en$/ },
      invalid: "refuse",
      unknown: "refuse"
    })
    return Effect.gen(function*() {
      const { body, headers, status } = yield* post("/?lang=xx", "name=&<b>=1&name=ada")
      assert.strictEqual(status, 400)
      assert.strictEqual(headers["content-type"], "application/problem+json")
      assert.deepInclude(JSON.parse(body), {
        title: "Bad Request",
        detail: "query \"lang\" is invalid: does not match /^en$/",
        errors: [
          { in: "query", name: "lang", reason: "does not match /^en$/" },
          { in: "form", name: "name", reason: "is not accepted" },
          { in: "form", name: "<b>", reason: "is not known here" }
        ]
      })
      assert.deepStrictEqual(shown(yield* post("/?lang=en", "name=ada")), [["lang", "en"], ["name", "ada"]])
      assert.deepStrictEqual(shown(yield* get("/?id=1")), [["id", "1"]])
    }).pipe(Effect.provide(showing(declaration)))
  })

  it.effect("of HEAD are those of GET, so that both answer with the same header", () => {
    const routes = Arguments.use(Arguments.make({ get: { id: /./ } }), [
      Route.get("/", () => Effect.map(Arguments.Arguments, (args) => Response.text(args.argument("id") ?? "none")))
    ])
    return Effect.gen(function*() {
      assert.strictEqual((yield* ask(HttpClientRequest.head("/?id=12345"))).headers["content-length"], "5")
    }).pipe(Effect.provide(serve(Domain.layer("*", { attach: "main" }, routes))))
  })

  it.effect("of a body that is no form get 415 that says what is", () => {
    const declaration = Arguments.make({ post: { a: /./ } })
    return Effect.gen(function*() {
      for (const type of ["application/json", `${FORM}; charset=latin1`]) {
        const { body, headers, status } = yield* post("/", "a=1", type)
        assert.strictEqual(status, 415)
        assert.strictEqual(headers["accept"], `${FORM}, multipart/form-data`)
        assert.include(body, type)
      }
      assert.strictEqual((yield* post("/", "--b", "multipart/form-data; boundary=b")).status, 400)
    }).pipe(Effect.provide(showing(declaration)))
  })
})

describe("Form.entries", () => {
  it.effect("gives a handler its form, and the body stays as it was", () => {
    const route = Route.post("/", function*({ request }) {
      const entries = yield* Form.entries(request, { maxPairs: 2 })
      return Response.jsonUnsafe([entries, yield* request.text])
    })
    return Effect.gen(function*() {
      assert.deepStrictEqual(shown(yield* post("/", "a=%C3%A9&b=x+y")), [[["a", "é"], ["b", "x y"]], "a=%C3%A9&b=x+y"])
      assert.deepStrictEqual(shown(yield* ask(HttpClientRequest.post("/"))), [[], ""])
      assert.strictEqual((yield* post("/", "a&b&c")).status, 413)
      assert.strictEqual((yield* post("/", "a", "text/plain")).status, 415)
    }).pipe(Effect.provide(serve(Domain.layer("*", { attach: "main" }, [route]))))
  })
})
