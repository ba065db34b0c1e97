import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { kore } from "kore-fx/legacy"
import { ask, routes, start, text, thrownBy, until, untyped } from "./TestApp.ts"

const FORM = { "content-type": "application/x-www-form-urlencoded" }

const post = (url: string, body: string, headers: Record<string, string> = FORM) =>
  Effect.map(ask(url, { method: "POST", body, headers }), ({ status, text }) => `${status} ${text}`)

const tell = (...names: ReadonlyArray<string>) => (req: kore.Request) =>
  req.response(200, JSON.stringify(names.map((name) => req.argument(name))))

describe("the parameters of a route", () => {
  it.effect("are there once populate_get has read them, and only those that their validators admit", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* text("/never?id=7"), "200 [null]")
      assert.strictEqual(yield* text("/get?id=7&name=ada&other=1"), "200 [\"7\",\"ada\",null]")
      assert.strictEqual(yield* text("/get?id=seven&name=eve"), "200 [null,null,null]")
      assert.strictEqual((yield* ask("/get?id=7", { method: "HEAD" })).headers["content-length"], "15")
    }).pipe(Effect.provide(start(routes((domain) => {
      const get = { id: "^[0-9]+$", name: (_req: kore.Request, value: string) => value === "ada" }
      domain.route("/never", tell("id"), { methods: ["get"], get })
      domain.route("/get", (req) => {
        req.populate_get()
        tell("id", "name", "other")(req)
      }, { methods: ["get"], get })
    })))))

  it.effect("B28: invalid and unknown ones are dropped, and all values of one name are there", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* text("/?id=x&id=1&id=2&what=3"), "200 1,2 1 ")
    }).pipe(Effect.provide(start(routes((domain) =>
      domain.route("/", (req) => {
        req.populate_get()
        req.response(200, `${req.arguments("id").join()} ${req.argument("id")} ${req.arguments("what").join()}`)
      }, { methods: ["get"], get: { id: /^[0-9]+$/ } })
    )))))

  it.effect("of a form are read by populate_post, those of the query by qs for every method", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* post("/?lang=de", "name=a%3Db%3D&name=+x"), "200 a=b=| x|de")
    }).pipe(Effect.provide(start(routes((domain) =>
      domain.route("/", (req) => {
        req.populate_post()
        req.populate_get()
        req.response(200, [...req.arguments("name"), req.argument("lang")].join("|"))
      }, { methods: ["post"], post: { name: "." }, qs: { lang: "^(de|en)$" } })
    )))))

  it.effect("B38: reading a form leaves the body as it was sent", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* post("/", "name=ada&x=1"), "200 ada name=ada&x=1 name=")
    }).pipe(Effect.provide(start(routes((domain) =>
      domain.route("/", (req) => {
        req.populate_post()
        const [, chunk] = req.body_read(5)
        req.response(200, `${req.argument("name")} ${String(req.body)} ${String(chunk)}`)
      }, { methods: ["post"], post: { name: "." } })
    )))))

  it.effect("A8: are not there before a validator that waits has admitted them", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* text("/?good=1&bad=1"), "200 null,null then 1,null")
    }).pipe(Effect.provide(start(routes((domain) =>
      domain.route("/", async (req) => {
        const populated = req.populate_get()
        const before = [req.argument("good") ?? "null", req.argument("bad") ?? "null"]
        await populated
        req.response(200, `${before.join()} then ${req.argument("good") ?? "null"},${req.argument("bad") ?? "null"}`)
      }, {
        methods: ["get"],
        get: {
          *good(_req: kore.Request, value: string) {
            yield kore.suspend(0)
            return value === "1"
          },
          bad: async () => {
            await kore.suspend(0)
            return false
          }
        }
      })
    )))))

  it.effect("are not waited for when nobody does: a validator ends with the coroutine that began it", () => {
    const seen: Array<string> = []
    return Effect.gen(function*() {
      assert.strictEqual(yield* text("/?slow=1"), "200 [null]")
      yield* until(() => seen.length === 2)
      assert.deepStrictEqual(seen, ["begun", "ended"])
    }).pipe(Effect.provide(start(routes((domain) =>
      domain.route("/", async (req) => {
        void req.populate_get()
        await kore.suspend(0)
        tell("slow")(req)
      }, {
        methods: ["get"],
        get: {
          *slow() {
            seen.push("begun")
            try {
              yield kore.suspend(60_000)
              return true
            } finally {
              seen.push("ended")
            }
          }
        }
      })
    ))))
  })

  it.effect("A10, A7: a validator that throws or sees what is no UTF-8 refuses the value and harms nothing else", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* text("/?thrown=1&bytes=%ff&fine=1"), "200 [null,null,\"1\"]")
      assert.strictEqual(yield* text("/?fine=2"), "200 [null,null,\"2\"]")
    }).pipe(Effect.provide(start(routes((domain) =>
      domain.route("/", (req) => {
        req.populate_get()
        tell("thrown", "bytes", "fine")(req)
      }, {
        methods: ["get"],
        get: {
          thrown: () => {
            throw new Error("a validator's mistake")
          },
          bytes: () => true,
          fine: () => true
        }
      })
    )))))

  it.effect("are validated with the request that the handler gets, and the app as this", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* text("/?id=7"), "200 7 /")
    }).pipe(Effect.provide(start({
      wanted: "7",
      configure() {
        kore.server("main", { ip: "127.0.0.1", port: 0, tls: false })
        kore.domain("*", { attach: "main" }).route("/", "index", { methods: ["get"], get: { id: this.check } })
      },
      check(req: kore.Request & { seen?: string }, value: string) {
        req.seen = req.path
        return value === this.wanted
      },
      index(req: kore.Request & { seen?: string }) {
        req.populate_get()
        req.response(200, `${req.argument("id")} ${req.seen}`)
      }
    }))))

  it.effect("B27: a dictionary belongs to its method in any spelling, and one without a method is refused", () =>
    Effect.gen(function*() {
      const refused = (options: object) =>
        Effect.map(
          Effect.flip(Effect.provide(text("/"), start(routes((domain) => domain.route("/", () => {}, options))))),
          String
        )
      const either = { methods: ["GET"], GET: { id: "^[0-9]$" } }
      const answer = text("/?id=7").pipe(Effect.provide(start(routes((domain) =>
        domain.route("/", (req) => {
          req.populate_get()
          tell("id")(req)
        }, either as kore.RouteOptions)
      ))))
      assert.strictEqual(yield* answer, "200 [\"7\"]")
      assert.match(
        yield* refused({ methods: ["GET"], post: { id: "." } }),
        /the route "\/" declares arguments of POST, which it does not answer/
      )
      assert.match(yield* refused({ methods: ["get"], get: { id: 7 } }), /the route "\/": .*get "id" is number/)
      assert.match(
        yield* refused({ methods: ["get"], get: { id: "(" } }),
        /the validator of get "id", "\(", cannot be used/
      )
      assert.match(yield* refused({ methods: ["get"], gett: {} }), /has no keyword "gett": did you mean "get"/)
    }))

  it.effect("§6.5: a dictionary of put, patch and delete is for the body of that method, of options and head for its query", () =>
    Effect.gen(function*() {
      for (const method of ["PUT", "PATCH", "DELETE"] as const) {
        const { text } = yield* ask("/body", { method, headers: FORM, body: "a=1&b=2" })
        assert.strictEqual(text, `${method.toLowerCase()} ["1",null]`)
      }
      assert.strictEqual((yield* ask("/query?a=1&b=2", { method: "OPTIONS" })).text, "[\"1\",null]")
      assert.strictEqual((yield* ask("/query?a=1&b=2", { method: "HEAD" })).headers["content-length"], "10")
    }).pipe(Effect.provide(start(routes((domain) => {
      const dictionary = { a: "^1$", b: "^1$" }
      for (const method of ["put", "patch", "delete"]) {
        domain.route("/body", (req) => {
          req.populate_post()
          req.response(200, `${method} ${JSON.stringify(["a", "b"].map((name) => req.argument(name)))}`)
        }, { methods: [method], [method]: dictionary })
      }
      domain.route("/query", (req) => {
        req.populate_get()
        tell("a", "b")(req)
      }, { methods: ["options", "head"], options: dictionary, head: dictionary })
    })))))

  it.effect("B27: without methods every dictionary counts", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* text("/?id=7"), "200 [\"7\",null]")
      assert.strictEqual(yield* post("/", "name=ada"), "200 [null,\"ada\"]")
    }).pipe(Effect.provide(start(routes((domain) =>
      domain.route("/", (req) => {
        req.populate_get()
        req.populate_post()
        tell("id", "name")(req)
      }, { get: { id: "^[0-9]$" }, post: { name: "." } })
    )))))

  it.effect("beyond a thousand pairs are refused, and the client is told", () =>
    Effect.gen(function*() {
      const { status } = yield* ask("/", { method: "POST", headers: FORM, body: "a=1&".repeat(1001) })
      assert.strictEqual(status, 413)
      assert.strictEqual((yield* ask(`/?${"a=1&".repeat(1001)}`)).status, 413)
    }).pipe(Effect.provide(start(routes((domain) =>
      domain.route("/", (req) => {
        req.populate_post()
        req.populate_get()
        req.response(200, "")
      }, { methods: ["get", "post"], get: { a: "." }, post: { a: "." } })
    )))))
})

describe("populate_multi", () => {
  const boundary = "XX"
  const MULTIPART = { "content-type": "multipart/form-data; boundary=XX" }
  const part = (disposition: string, content: string) =>
    `--${boundary}\r\ncontent-disposition: form-data; ${disposition}\r\n\r\n${content}\r\n`
  const form = [
    part("name=\"title\"", "Notes"),
    part("name=\"secret\"", "no"),
    part("name=\"file\"; filename=\"../../a:b.txt\"", "0123456789"),
    part("name=\"file\"; filename=\"empty.txt\"", "")
  ].join("") + `--${boundary}--\r\n`

  const app = routes((domain) =>
    domain.route("/", async (req) => {
      await req.populate_multi()
      const file = req.file_lookup("file")
      const [size, chunk] = file?.read(4) ?? [0, ""]
      req.response(200, JSON.stringify([
        req.argument("title"),
        req.argument("secret"),
        file?.name,
        file?.filename,
        file?.raw_filename,
        size,
        String(chunk),
        String(file?.read(1024)[1]),
        req.files("file").map(({ filename, size }) => `${filename} ${size}`),
        req.file_lookup("other")
      ]))
    }, { methods: ["post"], post: { title: "." } })
  )

  it.effect("A21, B26: gives fields that are admitted, and every file with a safe name", () =>
    Effect.gen(function*() {
      const answer = yield* post("/", form, MULTIPART)
      assert.strictEqual(
        answer,
        `200 ${
          JSON.stringify([
            "Notes",
            null,
            "file",
            "a:b.txt",
            "../../a:b.txt",
            4,
            "0123",
            "456789",
            ["a:b.txt 10", "empty.txt 0"],
            null
          ])
        }`
      )
    }).pipe(Effect.provide(start(app))))

  it.effect("works without await when the body is in memory, and is populate_multipart as well", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* post("/", form, MULTIPART), "200 Notes a:b.txt")
    }).pipe(Effect.provide(start(routes((domain) =>
      domain.route("/", (req) => {
        req.populate_multipart()
        req.response(200, `${req.argument("title")} ${req.file_lookup("file")?.filename}`)
      }, { methods: ["post"], post: { title: "." } })
    )))))

  it.effect("of a form that is cut or none at all is an exception, and uncaught a 400 or 415", () =>
    Effect.gen(function*() {
      assert.match(yield* post("/", form.slice(0, -8), MULTIPART), /^400 .*ends before/s)
      assert.match(yield* post("/", "a=1"), /^415 /)
    }).pipe(Effect.provide(start(app))))

  it.effect("throws what a program can catch", () =>
    Effect.gen(function*() {
      assert.match(yield* post("/", "a=1"), /^200 RuntimeError: .*multipart\/form-data/)
    }).pipe(Effect.provide(start(routes((domain) =>
      domain.route("/", async (req) => {
        const error = await thrownBy(() => req.populate_multi())
        req.response(200, `${error instanceof untyped.RuntimeError ? "RuntimeError" : "?"}: ${error.message}`)
      }, { methods: ["post"] })
    )))))
})
