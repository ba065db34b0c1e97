import { assert, describe, it } from "@effect/vitest"
import * as Health from "@kore-fx/http/Health"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import { Domain, Kore, Server } from "kore-fx"

class Database extends Context.Service<Database, { readonly ping: Effect.Effect<void, string> }>()("test/Database") {}

const serve = <C extends Health.Checks>(options: Health.Options<C>, ping: Effect.Effect<void, string> = Effect.void) =>
  Kore.test(Kore.app({
    servers: { main: Server.tcp({ host: "127.0.0.1", port: 0, tls: false }) },
    worker: Domain.layer("*", { attach: "main" }, Health.routes(options)).pipe(
      Layer.provide(Layer.succeed(Database, { ping }))
    ) as Layer.Layer<never, never, Kore.Provided | Domain.Attached<"main">>
  }))

const get = Effect.fnUntraced(function*(path: string) {
  const { headers, json, status } = yield* HttpClient.get(path)
  return { status, headers, body: yield* json }
})

const database = Effect.flatMap(Database, ({ ping }) => ping)

describe("health", () => {
  it.effect("a worker lives, and is ready when all its checks succeed", () =>
    Effect.gen(function*() {
      const live = yield* get("/healthz")
      assert.deepStrictEqual([live.status, live.body], [200, { status: "ok" }])
      assert.strictEqual(live.headers["cache-control"], "no-store")
      const ready = yield* get("/readyz")
      assert.deepStrictEqual([ready.status, ready.body], [200, {
        status: "ok",
        checks: { database: { status: "ok" } }
      }])
    }).pipe(Effect.provide(serve({ checks: { database } }))))

  it.effect("a check that fails or dies is 503, says no reason to strangers, and leaves the worker alive", () =>
    Effect.gen(function*() {
      const ready = yield* get("/readyz")
      assert.strictEqual(ready.status, 503)
      assert.deepStrictEqual(ready.body, {
        status: "failed",
        checks: { database: { status: "failed" }, broken: { status: "failed" }, fine: { status: "ok" } }
      })
      assert.strictEqual((yield* get("/healthz")).status, 200)
    }).pipe(Effect.provide(
      serve({ checks: { database, broken: Effect.die(new Error("secret")), fine: Effect.void } }, Effect.fail("secret"))
    )))

  it.effect("checks run at the same time, each for as long as the timeout, and are interrupted then", () =>
    Effect.gen(function*() {
      const started = yield* Deferred.make<void>()
      let interrupted = 0
      const hangs = Effect.onInterrupt(Effect.never, () => Effect.sync(() => interrupted++))
      const last = Effect.andThen(Deferred.succeed(started, undefined), hangs)
      yield* Effect.gen(function*() {
        const ready = yield* Effect.forkChild(get("/status/ready"))
        yield* Deferred.await(started)
        yield* TestClock.adjust("2 seconds")
        const { body, status } = yield* Fiber.join(ready)
        const reason = "no result within 2s"
        assert.deepStrictEqual([status, body], [503, {
          status: "failed",
          checks: { one: { status: "timed out", reason }, two: { status: "timed out", reason } }
        }])
        assert.strictEqual(interrupted, 2)
        assert.strictEqual((yield* HttpClient.get("/healthz")).status, 404)
      }).pipe(Effect.provide(serve({
        live: false,
        ready: "/status/ready",
        checks: { one: hangs, two: last },
        timeout: "2 seconds",
        reasons: true
      })))
    }))

  it("a timeout that is none is refused", () => {
    assert.throws(() => Health.routes({ timeout: "0 seconds" }), RangeError, /timeout is 0/)
  })
})
