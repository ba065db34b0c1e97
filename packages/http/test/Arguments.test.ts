import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as References from "effect/References"
import * as Arguments from "../src/Arguments.ts"
import { HttpServerRequest } from "../src/internal/effectHttp.ts"
import * as Response from "../src/Response.ts"
import * as Route from "../src/Route.ts"

const request = HttpServerRequest.fromWeb(new Request("http://localhost/"))

type Body = string | URLSearchParams

/** Validates values of `x`, as they are in a query. */
const check = (validator: Arguments.Validator<never>, ...values: ReadonlyArray<string | undefined>) =>
  Arguments.validate(
    Arguments.make({ get: { x: validator } }) as Arguments.Declaration,
    "query",
    "GET",
    values.map((value) => ["x", value]),
    request
  )

const post = (body: Body, headers: Record<string, string> = {}) =>
  HttpServerRequest.fromWeb(new Request("http://localhost/", { method: "POST", body, headers }))

describe("Arguments.make", () => {
  it("B27: takes the word of a dictionary in any case, and refuses those that would never be read", () => {
    const declaration = Arguments.make({ GET: { id: /./ }, Post: { id: /./ }, qs: {} } as Arguments.Options)
    assert.deepStrictEqual(declaration.methods, ["GET", "POST"])
    assert.ok(declaration.validators("query", "GET")?.has("id"))
    assert.ok(declaration.validators("form", "POST")?.has("id"))

    assert.throws(() => Arguments.make({ gett: {} } as Arguments.Options), TypeError,
      "\"gett\" is unknown, expected one of")
    assert.throws(() => Arguments.make({ get: {}, GET: {} }), TypeError, "\"get\" is there twice")
  })

  it("B27: a dictionary for a method that no route has is an error when the routes are made", () => {
    const routes = [Route.get("/a", () => Effect.succeed(Response.text("")))]
    assert.throws(
      () => Arguments.use(Arguments.make({ get: {}, post: {} }), routes),
      TypeError,
      "/a declares arguments of POST, which it does not answer: it has GET."
    )
    Arguments.use(Arguments.make({ GET: {}, head: {}, qs: {} }), routes)
    Arguments.checkMethods(Arguments.make({ PATCH: {} }), ["get", "patch"], "/a")
    assert.throws(() => Arguments.checkMethods(Arguments.make({ put: {} }), [], "/a"), TypeError, "it has no methods")
  })

  it("refuses what is no declaration, and names option, value and what was expected", () => {
    const wrong: ReadonlyArray<readonly [options: unknown, message: string]> = [
      [{ get: { id: "^[0-9]+$" } }, "validator of get \"id\" is string, expected a regular expression or a function"],
      [{ post: { id: null } }, "validator of post \"id\" is null"],
      [{ qs: [] }, "qs is no dictionary, expected an object"],
      [{ get: null }, "get is no dictionary"],
      [{ unknown: "ignore" }, "unknown is \"ignore\", expected \"drop\" or \"refuse\""],
      [{ invalid: true }, "invalid is true, expected"],
      [{ maxPairs: 0 }, "maxPairs is 0, expected a whole number from 1"]
    ]
    for (const [options, message] of wrong) {
      assert.throws(() => Arguments.make(options as Arguments.Options), Error, message)
    }
  })

  it.effect("has query dictionaries for GET, HEAD and OPTIONS, body dictionaries for the rest, and qs for all", () =>
    Effect.gen(function*() {
      const declaration = Arguments.make({
        get: { a: /get/ },
        options: { a: /options/ },
        put: { a: /put/ },
        qs: { a: /qs/, b: /qs/ }
      })
      const admitted = Effect.fnUntraced(function*(source: Arguments.Source, method: string) {
        const values = ["get", "options", "put", "qs"].flatMap((value) => [["a", value], ["b", value]] as const)
        const found = yield* Arguments.validate(declaration, source, method, values, request)
        return found.entries.map((entry) => entry.join("="))
      })
      assert.deepStrictEqual(yield* admitted("query", "GET"), ["a=get", "b=qs"])
      assert.deepStrictEqual(yield* admitted("query", "HEAD"), ["a=get", "b=qs"])
      assert.deepStrictEqual(yield* admitted("query", "OPTIONS"), ["a=options", "b=qs"])
      assert.deepStrictEqual(yield* admitted("query", "PUT"), ["a=qs", "b=qs"])
      assert.deepStrictEqual(yield* admitted("query", "PURGE"), ["a=qs", "b=qs"])
      assert.deepStrictEqual(yield* admitted("form", "PUT"), ["a=put"])
      assert.deepStrictEqual(yield* admitted("multipart", "PUT"), ["a=put"])
      assert.deepStrictEqual(yield* admitted("form", "GET"), [])
      assert.deepStrictEqual(yield* admitted("form", "POST"), [])
    }))
})

describe("a regular expression", () => {
  it.effect("is searched in the value, not anchored", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual((yield* check(/b/, "abc", "ac", "")).all("x"), ["abc"])
      assert.deepStrictEqual((yield* check(/^[0-9]*$/, "7", "7a", "")).all("x"), ["7", ""])
    }))

  it.effect("with g or y begins every value at its start, and its lastIndex is left alone", () =>
    Effect.gen(function*() {
      for (const expression of [/ab/g, /ab/y, /ab/gy]) {
        expression.lastIndex = 2
        assert.deepStrictEqual((yield* check(expression, "ab", "ab", "abab", "ab")).all("x").length, 4)
        assert.strictEqual(expression.lastIndex, 2)
      }
      assert.deepStrictEqual((yield* check(/ab/y, "xab")).all("x"), [])
    }))
})

describe("A10: a validator that", () => {
  const boom = new Error("inside")
  const faults: Record<string, Arguments.Validator<never>> = {
    "throws": () => {
      throw boom
    },
    "rejects": () => Promise.reject(boom),
    "throws while it is async": async () => {
      await Promise.resolve()
      throw boom
    },
    "fails": () => Effect.fail(boom),
    "dies": () => Effect.die(boom),
    "dies later": () => Effect.andThen(Effect.yieldNow, Effect.die(boom)),
    "interrupts itself": () => Effect.interrupt,
    "gives a text": (() => "true") as any,
    "gives 1": (() => 1) as any,
    "gives nothing": (() => undefined) as any,
    "gives null": (() => null) as any,
    "gives an Effect of 1": () => Effect.succeed(1),
    "gives a Promise of an Effect": () => Promise.resolve(Effect.succeed(true)),
    "gives an object that cannot be looked at": (() => ({
      // oxlint-disable-next-line unicorn/no-thenable -- this is what it is about
      get then() {
        throw boom
      }
    })) as any,
    "gives a then that throws": (() => ({
      // oxlint-disable-next-line unicorn/no-thenable -- this is what it is about
      then() {
        throw boom
      }
    })) as any
  }

  it.effect.each(Object.entries(faults))("%s refuses its value, says so to the log at Debug, and harms nothing",
    ([, fault]) =>
      Effect.gen(function*() {
        const logged: Array<readonly [level: string, message: string, cause: Cause.Cause<unknown>]> = []
        const logger = Logger.make<unknown, void>(({ cause, logLevel, message }) => {
          logged.push([logLevel, String(message), cause])
        })
        const declaration = Arguments.make({ get: { bad: fault, good: /./ } }) as Arguments.Declaration
        const found = yield* Arguments.validate(declaration, "query", "GET", [["good", "1"], ["bad", "2"], ["good",
          "3"]], request)
          .pipe(
            Effect.provide(Logger.layer([logger])),
            Effect.provideService(References.MinimumLogLevel, "Debug")
          )
        assert.deepStrictEqual(found.entries, [["good", "1"], ["good", "3"]])
        const [refused, ...others] = found.refused
        assert.deepStrictEqual(others, [])
        assert.deepInclude(refused, { in: "query", name: "bad", kind: "invalid", reason: "is not accepted" })
        assert.strictEqual(logged.length, 1)
        const [level, message, cause] = logged[0]!
        assert.deepStrictEqual([level, message], [
          "Debug",
          "the validator of \"bad\" (query of GET) failed, so its value is refused"
        ])
        assert.strictEqual(cause, refused!.cause)
      }))

  it.effect("is false says nothing to the log: that is an answer", () =>
    Effect.gen(function*() {
      const found = yield* check(() => false, "1")
      assert.deepStrictEqual(found.refused, [{
        in: "query",
        name: "x",
        kind: "invalid",
        reason: "is not accepted",
        cause: undefined
      }])
    }))
})

describe("A8: a validator that waits", () => {
  it.effect("is waited for, and the values keep their order", () =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<boolean>()
      const fiber = yield* Effect.forkChild(
        Effect.suspend(() => check((value) => value === "slow" ? Deferred.await(gate) : true, "1", "slow", "2"))
      )
      yield* Effect.yieldNow
      assert.isUndefined(fiber.pollUnsafe())
      yield* Deferred.succeed(gate, true)
      assert.deepStrictEqual((yield* Fiber.join(fiber)).all("x"), ["1", "slow", "2"])
    }))

  it.effect("and says false in the end refuses, as an Effect and as a Promise", () =>
    Effect.gen(function*() {
      const later = async (value: boolean) => {
        await Promise.resolve()
        return value
      }
      assert.deepStrictEqual((yield* check((value) => later(value === "1"), "1", "2")).all("x"), ["1"])
      assert.deepStrictEqual(
        (yield* check((value) => Effect.as(Effect.yieldNow, value === "1"), "1", "2")).all("x"),
        ["1"]
      )
    }))

  it.effect("is interrupted with its request; a Promise that rejects behind it harms nothing", () =>
    Effect.gen(function*() {
      const events: Array<string> = []
      const waiting = yield* Deferred.make<void>()
      const validator = () =>
        Deferred.succeed(waiting, undefined).pipe(
          Effect.andThen(Effect.never),
          Effect.onInterrupt(() => Effect.sync(() => void events.push("interrupted")))
        )
      const first = yield* Effect.forkChild(Effect.suspend(() => check(validator, "1")))
      yield* Deferred.await(waiting)
      yield* Fiber.interrupt(first)
      assert.deepStrictEqual(events, ["interrupted"])

      const unhandled: Array<unknown> = []
      const note = (error: unknown) => void unhandled.push(error)
      yield* Effect.acquireRelease(
        Effect.sync(() => process.on("unhandledRejection", note)),
        () => Effect.sync(() => process.off("unhandledRejection", note))
      )
      const { promise, reject } = Promise.withResolvers<boolean>()
      const second = yield* Effect.forkChild(Effect.suspend(() => check(() => promise, "1")))
      yield* Effect.yieldNow
      yield* Fiber.interrupt(second)
      // Nor one whose Effect nobody ran.
      const unused = check(() => promise, "1")
      assert.isFalse(Exit.isExit(unused))
      reject(new Error("too late"))
      yield* Effect.callback<void>((resume) => void setImmediate(() => resume(Effect.void)))
      assert.deepStrictEqual(unhandled, [])
    }))
})

describe("a validator that does not wait", () => {
  it("costs no fiber: the result is there at once", () => {
    for (const validator of [/1/, (value: string) => value === "1", () => Effect.succeed(true)]) {
      const result: unknown = check(validator, "1")
      assert.ok(Exit.isExit(result) && result._tag === "Success")
      assert.deepInclude(result.value, { entries: [["x", "1"]] })
    }
  })

  it.effect("gets the value and the request, and never more values than were sent", () =>
    Effect.gen(function*() {
      const seen: Array<readonly [string, unknown]> = []
      yield* check((value, request) => seen.push([value, request]) > 0, "a", "b")
      assert.deepStrictEqual(seen, [["a", request], ["b", request]])
    }))
})

describe("Arguments.read", () => {
  const declaration = Arguments.make({ post: { a: /./, text: /^[^]*$/ }, qs: { a: /./ } })
  const refusing = Arguments.make({
    post: { a: /^[0-9]+$/ },
    qs: { q: () => false },
    invalid: "refuse",
    unknown: "refuse"
  })

  it.effect("puts query and body in one list, the query first", () =>
    Effect.gen(function*() {
      const body = new Request("http://localhost/?a=1&text=not+here", {
        method: "POST",
        body: new URLSearchParams("a=2&a=3")
      })
      const found = yield* Arguments.read(declaration, HttpServerRequest.fromWeb(body))
      assert.deepStrictEqual(found.all("a"), ["1", "2", "3"])
      assert.strictEqual(found.argument("a"), "1")
      assert.isTrue(found.has("a"))
      assert.isFalse(found.has("text"))
      assert.strictEqual(found.argument("text"), undefined)
      assert.deepStrictEqual(found.all("text"), [])
    }))

  it.effect("takes lines of text from a body, and no other control characters; from a query none", () =>
    Effect.gen(function*() {
      const text = "one\r\n\ttwo"
      const found = yield* Arguments.read(declaration,
        post(new URLSearchParams([["text", text], ["text", "\0"], ["a", "\x7F"]])))
      assert.deepStrictEqual(found.entries, [["text", text]])
      assert.deepStrictEqual(found.refused.map(({ name, reason }) => [name, reason]), [
        ["text", "has control characters"],
        ["a", "has control characters"]
      ])
      const url = HttpServerRequest.fromWeb(new Request("http://localhost/?a=%0A&a=b", { method: "POST" }))
      assert.deepStrictEqual((yield* Arguments.read(declaration, url)).entries, [["a", "b"]])
    }))

  it.effect("B28: refuses with one error that names every argument, of query and body, in the order sent", () =>
    Effect.gen(function*() {
      const failure = yield* Effect.flip(
        Arguments.read(
          refusing,
          HttpServerRequest.fromWeb(
            new Request("http://localhost/?q=1&z=1", { method: "POST", body: new URLSearchParams("a=1&a=x&b=2") })
          )
        )
      )
      assert.ok(failure._tag === "InvalidArguments")
      assert.deepStrictEqual(failure.errors, [
        { in: "query", name: "q", reason: "is not accepted" },
        { in: "query", name: "z", reason: "is not known here" },
        { in: "form", name: "a", reason: "does not match /^[0-9]+$/" },
        { in: "form", name: "b", reason: "is not known here" }
      ])
      assert.strictEqual(failure.message, "query \"q\" is invalid: is not accepted")
    }))

  it.effect("B26: more pairs than allowed are refused as a whole, in query, form and multipart", () =>
    Effect.gen(function*() {
      const two = Arguments.make({ post: { a: /./ }, qs: { a: /./ }, maxPairs: 2 })
      const part = (value: number) => `--b\r\ncontent-disposition: form-data; name="a"\r\n\r\n${value}\r\n`
      const fields = (count: number) =>
        post(`${Array.from({ length: count }, (_, i) => part(i)).join("")}--b--\r\n`, {
          "content-type": "multipart/form-data; boundary=b"
        })
      const tag = (request: HttpServerRequest.HttpServerRequest) =>
        Effect.map(Effect.flip(Arguments.read(two, request)), ({ _tag }) => _tag)
      assert.strictEqual(yield* tag(post(new URLSearchParams("a=1&a=2&a=3"))), "TooManyPairs")
      assert.strictEqual(yield* tag(fields(3)), "TooManyPairs")
      assert.deepStrictEqual((yield* Arguments.read(two, fields(2))).all("a"), ["0", "1"])
      const query = HttpServerRequest.fromWeb(new Request("http://localhost/?a&a&a", { method: "POST" }))
      const failure = yield* Effect.flip(Arguments.read(two, query))
      assert.ok(failure._tag === "InvalidArguments")
      assert.strictEqual(failure.message, "the query is invalid: it has more than 2 pairs of name and value")
    }))

  it.effect("says of a broken multipart body what is wrong with it", () =>
    Effect.gen(function*() {
      const reason = (body: string, type: string) =>
        Effect.map(Effect.flip(Arguments.read(declaration, post(body, { "content-type": type }))),
          (failure) => failure._tag === "MalformedMultipart" ? failure.reason : failure._tag)
      const start = "--b\r\ncontent-disposition: form-data; name=\"a\"\r\n\r\n1"
      assert.strictEqual(yield* reason(start, "multipart/form-data"), "its content-type names no valid boundary")
      assert.strictEqual(
        yield* reason(start, "multipart/form-data; boundary=b"),
        "it ends before its closing boundary"
      )
      assert.strictEqual(
        yield* reason("--b\r\ncontent-disposition: form-data\r\n\r\n1\r\n--b--\r\n", "Multipart/Form-Data; boundary=b"),
        "a part has no content-disposition with a name"
      )
      assert.strictEqual(yield* reason("--b\r\nx: y\r\n--b--", "multipart/form-data; boundary=b"),
        "it cannot be parsed")
      assert.strictEqual(yield* reason("a=1", "multipart/form-database"), "UnsupportedBody")
    }))
})

describe("Arguments.merge", () => {
  it.effect("keeps both lists in order, and what was refused", () =>
    Effect.gen(function*() {
      const one = yield* check(/[0-9]/, "1", "x")
      const two = yield* check(/[0-9]/, "y", "2")
      const both = Arguments.merge(one, two)
      assert.deepStrictEqual(both.all("x"), ["1", "2"])
      assert.strictEqual(both.refused.length, 2)
      assert.strictEqual(Arguments.merge(Arguments.empty, one), one)
      assert.strictEqual(Arguments.merge(one, Arguments.empty), one)
    }))
})
