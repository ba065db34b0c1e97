import { assert, describe, it } from "@effect/vitest"
import * as Cookie from "@kore-fx/http/Cookie"
import * as Session from "@kore-fx/http/Session"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { Domain, HttpError, Kore, Response, Route, Server } from "kore-fx"

class Wrong extends HttpError.TaggedError<Wrong>()("Wrong", {}, { httpStatus: 422 }) {}
class Down extends HttpError.TaggedError<Down>()("Down", {}, { httpStatus: 503 }) {}

const secret = Redacted.make("s".repeat(32))
const Count = Session.key("count", Schema.Int)
const Text = Session.key("text", Schema.String)
// What an older version of the program would have had under the same name.
const OldText = Session.key("text", Schema.Int)

const session = <A, E>(f: (session: Session.Session) => Effect.Effect<A, E>) => Effect.flatMap(Session.Session, f)

/** Answers with what is in the session, as JSON. */
const shown = session((session) =>
  Effect.gen(function*() {
    return Response.jsonUnsafe([(yield* session.get(Count)) ?? null, (yield* session.get(Text)) ?? null])
  })
)

const setText = (text: string) => session((session) => session.set(Text, text))

const routes = [
  Route.get("/plain", () => Effect.succeed(Response.text("plain"))),
  Route.get("/shown", () => shown),
  Route.get("/count", () =>
    session((session) =>
      Effect.gen(function*() {
        const count = ((yield* session.get(Count)) ?? 0) + 1
        yield* session.set(Count, count)
        return Response.text(String(count))
      })
    )),
  Route.get("/text/:text", ({ path }) => Effect.andThen(setText(path.text), shown)),
  Route.get("/old", () => Effect.as(session((session) => session.set(OldText, 1)), Response.text("old"))),
  Route.get("/forget-text", () => Effect.andThen(session((session) => session.remove(Text)), shown)),
  Route.get("/login",
    () => Effect.andThen(session((session) => session.regenerate), Effect.andThen(setText("member"), shown))),
  Route.get("/logout", () => Effect.andThen(session((session) => session.destroy), shown)),
  Route.get("/again",
    () => Effect.andThen(session((session) => session.destroy), Effect.andThen(setText("new"), shown))),
  Route.get("/wrong", () => Effect.andThen(setText("wrong"), new Wrong())),
  Route.get("/down", () => Effect.andThen(setText("down"), new Down())),
  Route.get("/die", () => Effect.andThen(setText("dead"), Effect.die(new Error("dead")))),
  Route.get("/cached",
    () => Effect.as(setText("x"), Response.setHeader(Response.text("x"), "cache-control", "private")))
]

/** Notes what is asked of the memory store, and can be held up or be down. */
const spy = () => {
  const calls: Array<string> = []
  const hooks: { before: (call: string) => Effect.Effect<void, Session.StoreFailed> } = { before: () => Effect.void }
  const note = (call: string) => Effect.suspend(() => (calls.push(call), hooks.before(call)))
  const layer = Layer.effect(
    Session.Store,
    Effect.map(Session.Store, (store) => ({
      load: (id: string) => Effect.andThen(note("load"), store.load(id)),
      save: (...args: Parameters<typeof store.save>) => Effect.andThen(note("save"), store.save(...args)),
      remove: (id: string) => Effect.andThen(note("remove"), store.remove(id))
    }))
  ).pipe(Layer.provide(Session.layerMemory()))
  return { calls, hooks, layer }
}

const serve = (
  options: Partial<Session.Options> = {},
  extra: ReadonlyArray<Route.Route<never, Session.Session>> = []
) => {
  const store = spy()
  const reported: Array<unknown> = []
  const sessions = Session.middleware({ secrets: secret, ...options })
  const app = Kore.app({
    config: { workers: 1 },
    servers: { main: Server.tcp({ host: "127.0.0.1", port: 0, tls: false }) },
    tracer: (cause) => Effect.sync(() => void reported.push(Cause.squash(cause))),
    worker: Domain.layer("*", { attach: "main", middleware: [sessions] }, [...routes, ...extra]).pipe(
      Layer.provide(store.layer)
    )
  })
  return { ...store, reported, app: Kore.test(app) }
}

/** A browser with one cookie jar. */
class Browser {
  cookies: Record<string, string> = {}
  /** The cookies that the last answer set. */
  set: ReadonlyArray<string> = []
  headers: Record<string, string | undefined> = {}

  get(path: string) {
    const cookie = Object.entries(this.cookies).map((pair) => pair.join("=")).join("; ")
    const request = HttpClientRequest.get(path, { headers: cookie === "" ? {} : { cookie } })
    return Effect.gen({ self: this }, function*() {
      const response = yield* HttpClient.execute(request)
      const set = Object.values(response.cookies.cookies)
      for (const { name, options, valueEncoded } of set) {
        if (options?.expires?.getTime() === 0) delete this.cookies[name]
        else this.cookies[name] = valueEncoded
      }
      this.set = set.map(({ name }) => name)
      this.headers = response.headers
      return response.status === 200 ? yield* response.text : response.status
    })
  }
}

const NAME = "__Host-session"

describe("a session", () => {
  it.effect("is there for the browser that has its cookie, and for no other", () => {
    const { app } = serve()
    return Effect.gen(function*() {
      const [ada, kurt] = [new Browser(), new Browser()]
      assert.strictEqual(yield* ada.get("/count"), "1")
      assert.strictEqual(yield* ada.get("/count"), "2")
      assert.strictEqual(yield* kurt.get("/count"), "1")
      assert.strictEqual(yield* ada.get("/text/%E6%BC%A2"), "[2,\"漢\"]")
      assert.strictEqual(yield* kurt.get("/shown"), "[1,null]")
      assert.strictEqual(yield* ada.get("/forget-text"), "[2,null]")
      assert.notStrictEqual(ada.cookies[NAME], kurt.cookies[NAME])
    }).pipe(Effect.provide(app))
  })

  it.effect("has a cookie with safe attributes, in an answer that no cache keeps", () => {
    const { app } = serve()
    return Effect.gen(function*() {
      const browser = new Browser()
      yield* browser.get("/count")
      assert.match(
        String(browser.headers["set-cookie"]),
        /^__Host-session=[\w-]{32}\.[\w-]{43}; Max-Age=1800; Path=\/; HttpOnly; Secure; SameSite=Lax$/
      )
      assert.strictEqual(browser.headers["cache-control"], "no-store")
      yield* new Browser().get("/cached")
      const other = new Browser()
      yield* other.get("/cached")
      assert.strictEqual(other.headers["cache-control"], "private")
    }).pipe(Effect.provide(app))
  })

  it.effect("costs nothing until somebody asks, is read once and saved once, and begins with the first write", () => {
    const { app, calls } = serve()
    return Effect.gen(function*() {
      const browser = new Browser()
      yield* browser.get("/shown")
      assert.deepStrictEqual([browser.set, calls], [[], []])
      yield* browser.get("/count")
      assert.deepStrictEqual([browser.set, calls], [[NAME], ["save"]])
      calls.length = 0
      yield* browser.get("/plain")
      assert.deepStrictEqual([browser.set, calls], [[], []])
      yield* browser.get("/shown")
      assert.deepStrictEqual([browser.set, calls], [[], ["load"]])
      yield* browser.get("/text/x")
      assert.deepStrictEqual([browser.set, calls], [[], ["load", "load", "save"]])
    }).pipe(Effect.provide(app))
  })

  it.effect("whose cookie was made up, changed, or signed with another secret is none, and the store is not asked", () => {
    const { app, calls } = serve()
    return Effect.gen(function*() {
      const browser = new Browser()
      yield* browser.get("/count")
      const good = browser.cookies[NAME]!
      calls.length = 0
      const id = good.split(".")[0]!
      const others = [
        id,
        `${id}.`,
        `${good.startsWith("A") ? "B" : "A"}${good.slice(1)}`,
        good.slice(0, -1),
        Cookie.sign(NAME, id, Redacted.make("x".repeat(32))),
        Cookie.sign("other", id, secret),
        "%",
        "."
      ]
      for (const cookie of others) {
        browser.cookies = { [NAME]: cookie }
        assert.strictEqual(yield* browser.get("/shown"), "[null,null]", cookie)
      }
      assert.deepStrictEqual(calls, [])
    }).pipe(Effect.provide(app))
  })

  it.effect("outlives the change of secrets: the old one is still accepted, and the new one signs", () => {
    const newest = Redacted.make("n".repeat(32))
    const { app } = serve({ secrets: [newest, secret] })
    return Effect.gen(function*() {
      const browser = new Browser()
      yield* browser.get("/count")
      const [id] = browser.cookies[NAME]!.split(".")
      assert.strictEqual(Cookie.verify(NAME, browser.cookies[NAME], newest), id)
      browser.cookies[NAME] = Cookie.sign(NAME, id!, secret)
      assert.strictEqual(yield* browser.get("/count"), "2")
    }).pipe(Effect.provide(app))
  })

  it.effect("lives as long as it is used, and not longer than idle without", () => {
    const { app } = serve({ idle: "10 minutes", absolute: "1 hour" })
    return Effect.gen(function*() {
      const browser = new Browser()
      yield* browser.get("/count")
      yield* TestClock.adjust("59 seconds")
      yield* browser.get("/shown")
      assert.deepStrictEqual(browser.set, [])
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* browser.get("/shown"), "[1,null]")
      assert.deepStrictEqual(browser.set, [NAME])
      assert.include(String(browser.headers["set-cookie"]), "Max-Age=600;")
      for (let i = 0; i < 4; i++) {
        yield* TestClock.adjust("599 seconds")
        assert.strictEqual(yield* browser.get("/shown"), "[1,null]")
      }
      yield* TestClock.adjust("10 minutes")
      assert.strictEqual(yield* browser.get("/shown"), "[null,null]")
      assert.strictEqual(yield* browser.get("/count"), "1")
    }).pipe(Effect.provide(app))
  })

  it.effect("ends at its absolute lifetime, used or not, and its cookie says so", () => {
    const { app } = serve({ idle: "10 minutes", absolute: "25 minutes" })
    return Effect.gen(function*() {
      const browser = new Browser()
      yield* browser.get("/count")
      for (const maxAge of [600, 540]) {
        yield* TestClock.adjust("8 minutes")
        yield* browser.get("/shown")
        assert.include(String(browser.headers["set-cookie"]), `Max-Age=${maxAge};`)
      }
      yield* browser.get("/login")
      assert.include(String(browser.headers["set-cookie"]), "Max-Age=540;")
      yield* TestClock.adjust("9 minutes")
      assert.strictEqual(yield* browser.get("/shown"), "[null,null]")
    }).pipe(Effect.provide(app))
  })

  it.effect("has a new id after regenerate, with all that it holds; the old id is worth nothing (session fixation)", () => {
    const { app } = serve()
    return Effect.gen(function*() {
      const browser = new Browser()
      yield* browser.get("/count")
      const planted = { ...browser.cookies }
      assert.strictEqual(yield* browser.get("/login"), "[1,\"member\"]")
      assert.notStrictEqual(browser.cookies[NAME], planted[NAME])
      assert.strictEqual(yield* browser.get("/shown"), "[1,\"member\"]")
      const other = new Browser()
      other.cookies = planted
      assert.strictEqual(yield* other.get("/shown"), "[null,null]")
    }).pipe(Effect.provide(app))
  })

  it.effect("is gone after destroy, here and in the browser, and what is written afterwards begins a new one", () => {
    const { app } = serve()
    return Effect.gen(function*() {
      const browser = new Browser()
      yield* browser.get("/count")
      const old = { ...browser.cookies }
      assert.strictEqual(yield* browser.get("/logout"), "[null,null]")
      assert.deepStrictEqual(browser.cookies, {})
      assert.match(String(browser.headers["set-cookie"]), /^__Host-session=; Max-Age=0; Path=\/; .*Secure/)
      const thief = new Browser()
      thief.cookies = old
      assert.strictEqual(yield* thief.get("/shown"), "[null,null]")
      yield* browser.get("/logout")
      assert.deepStrictEqual(browser.set, [])
      yield* browser.get("/count")
      assert.strictEqual(yield* browser.get("/again"), "[null,\"new\"]")
      assert.strictEqual(yield* browser.get("/shown"), "[null,\"new\"]")
      assert.notStrictEqual(browser.cookies[NAME], old[NAME])
    }).pipe(Effect.provide(app))
  })

  it.effect("is saved with an answer of a failure, and not after a fault", () => {
    const { app, reported } = serve()
    return Effect.gen(function*() {
      const browser = new Browser()
      assert.strictEqual(yield* browser.get("/wrong"), 422)
      assert.deepStrictEqual(browser.set, [NAME])
      assert.strictEqual(yield* browser.get("/shown"), "[null,\"wrong\"]")
      assert.strictEqual(yield* browser.get("/down"), 503)
      assert.strictEqual(yield* browser.get("/die"), 500)
      assert.strictEqual(yield* browser.get("/shown"), "[null,\"wrong\"]")
      assert.lengthOf(reported, 2)
    }).pipe(Effect.provide(app))
  })

  it.effect("keeps what requests write at the same time under different keys, the last one for the same key", () =>
    Effect.gen(function*() {
      const waiting = yield* Deferred.make<void>()
      const go = yield* Deferred.make<void>()
      const slow = Route.get("/slow", () =>
        session((session) =>
          Effect.gen(function*() {
            yield* session.get(Count)
            yield* session.set(Text, "slow")
            yield* Deferred.succeed(waiting, undefined)
            yield* Deferred.await(go)
            return Response.text("slow")
          })
        ).pipe(Effect.orDie))
      yield* Effect.gen(function*() {
        const browser = new Browser()
        yield* browser.get("/count")
        const first = yield* Effect.forkChild(browser.get("/slow"))
        yield* Deferred.await(waiting)
        yield* browser.get("/count")
        yield* browser.get("/text/fast")
        yield* Deferred.succeed(go, undefined)
        yield* Fiber.join(first)
        assert.strictEqual(yield* browser.get("/shown"), "[2,\"slow\"]")
      }).pipe(Effect.provide(serve({}, [slow]).app))
    }))

  it.effect("that was destroyed while other requests used it does not come back", () =>
    Effect.gen(function*() {
      const go = yield* Deferred.make<void>()
      const slow = Effect.fnUntraced(
        function*(path: Route.Path, change: (session: Session.Session) => Effect.Effect<void>) {
          const waiting = yield* Deferred.make<void>()
          const route = Route.get(path, () =>
            session((session) =>
              Effect.gen(function*() {
                yield* session.get(Count)
                yield* change(session)
                yield* Deferred.succeed(waiting, undefined)
                yield* Deferred.await(go)
                return Response.text("slow")
              })
            ).pipe(Effect.orDie))
          return { route, waiting }
        }
      )
      const set = yield* slow("/set", (session) => session.set(Text, "slow"))
      const regenerate = yield* slow("/regenerate", (session) => session.regenerate)
      yield* Effect.gen(function*() {
        const browser = new Browser()
        yield* browser.get("/count")
        const old = { ...browser.cookies }
        const [one, two] = [new Browser(), new Browser()]
        one.cookies = old
        two.cookies = old
        const all = yield* Effect.forkChild(
          Effect.all([one.get("/set"), two.get("/regenerate")], { concurrency: "unbounded" })
        )
        yield* Deferred.await(set.waiting)
        yield* Deferred.await(regenerate.waiting)
        yield* browser.get("/logout")
        yield* Deferred.succeed(go, undefined)
        assert.deepStrictEqual(yield* Fiber.join(all), ["slow", "slow"])
        assert.deepStrictEqual([one.set, two.set], [[], []])
        assert.strictEqual(yield* one.get("/shown"), "[null,null]")
      }).pipe(Effect.provide(serve({}, [set.route, regenerate.route]).app))
    }))

  it.effect("that is destroyed while it moves to a new id does not live on under that", () => {
    const { app, hooks } = serve()
    return Effect.gen(function*() {
      const browser = new Browser()
      yield* browser.get("/count")
      const elsewhere = new Browser()
      elsewhere.cookies = { ...browser.cookies }
      const [saving, go] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      hooks.before = (call) =>
        call === "save" ? Effect.andThen(Deferred.succeed(saving, undefined), Deferred.await(go)) : Effect.void
      const login = yield* Effect.forkChild(browser.get("/login"))
      yield* Deferred.await(saving)
      yield* elsewhere.get("/logout")
      yield* Deferred.succeed(go, undefined)
      yield* Fiber.join(login)
      assert.deepStrictEqual(browser.set, [])
      assert.strictEqual(yield* browser.get("/shown"), "[null,null]")
    }).pipe(Effect.provide(app))
  })

  it.effect("is not saved for a client that has left before the answer, nor when its body is being sent", () =>
    Effect.gen(function*() {
      const waiting = yield* Deferred.make<void>()
      const interrupted = yield* Deferred.make<void>()
      const extra = [
        Route.get("/slow", () =>
          setText("slow").pipe(
            Effect.andThen(Deferred.succeed(waiting, undefined)),
            Effect.andThen(Effect.never),
            Effect.onInterrupt(() => Deferred.succeed(interrupted, undefined))
          )),
        Route.get("/late", () =>
          session((session) => {
            const late = Effect.map(Effect.exit(session.set(Text, "late")), (exit) =>
              new TextEncoder().encode(exit._tag))
            return Effect.succeed(Response.stream(Stream.fromEffect(late)))
          }))
      ]
      const { app, calls } = serve({}, extra)
      yield* Effect.gen(function*() {
        const browser = new Browser()
        yield* browser.get("/count")
        calls.length = 0
        const leaving = yield* Effect.forkChild(browser.get("/slow"))
        yield* Deferred.await(waiting)
        yield* Fiber.interrupt(leaving)
        yield* Deferred.await(interrupted)
        assert.strictEqual(yield* browser.get("/late"), "Failure")
        assert.strictEqual(yield* browser.get("/shown"), "[1,null]")
        assert.deepStrictEqual(calls, ["load"])
      }).pipe(Effect.provide(app))
    }))

  it.effect("whose value does not fit its Schema any more has none there, and can be written again", () => {
    const { app } = serve()
    return Effect.gen(function*() {
      const browser = new Browser()
      yield* browser.get("/old")
      assert.strictEqual(yield* browser.get("/shown"), "[null,null]")
      assert.strictEqual(yield* browser.get("/text/new"), "[null,\"new\"]")
    }).pipe(Effect.provide(app))
  })

  it.effect("whose store is down is 503, reported, and tells the client nothing", () => {
    const { app, hooks, reported } = serve()
    return Effect.gen(function*() {
      const browser = new Browser()
      yield* browser.get("/count")
      hooks.before = () => Effect.fail(new Session.StoreFailed({ operation: "load", cause: new Error("down") }))
      assert.strictEqual(yield* browser.get("/count"), 503)
      assert.strictEqual(yield* new Browser().get("/count"), 503)
      assert.lengthOf(reported, 2)
      assert.strictEqual(yield* browser.get("/plain"), "plain")
      hooks.before = () => Effect.void
      assert.strictEqual(yield* browser.get("/count"), "2")
    }).pipe(Effect.provide(app))
  })

  it.effect("of an app for plain connections has a cookie for them where the app says so", () => {
    const options = {
      cookie: "sid",
      secure: (request: { readonly protocol: string | undefined }) => request.protocol === "https"
    }
    const { app } = serve(options)
    return Effect.gen(function*() {
      const browser = new Browser()
      yield* browser.get("/count")
      assert.match(String(browser.headers["set-cookie"]), /^sid=[^;]+; Max-Age=1800; Path=\/; HttpOnly; SameSite=Lax$/)
      assert.strictEqual(yield* browser.get("/count"), "2")
    }).pipe(Effect.provide(app))
  })

  it.effect("in memory is refused for an app with several workers, before it answers anything", () => {
    const app = Kore.app({
      config: { workers: 2 },
      servers: { main: Server.tcp({ host: "127.0.0.1", port: 0, tls: false }) },
      worker: Domain.layer("*", { attach: "main", middleware: [Session.middleware({ secrets: secret })] }, routes).pipe(
        Layer.provide(Session.layerMemory())
      )
    })
    return Effect.gen(function*() {
      const error = yield* Effect.flip(Effect.scoped(Layer.build(Kore.test(app))))
      assert.instanceOf(error, Session.NotShared)
      assert.include(error.message, "this app has 2 (option workers)")
    })
  })
})
