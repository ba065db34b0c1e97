/** What an app may ask of its worker, in a test: no process ends. */
import { assert, describe, it } from "@effect/vitest"
import { Message } from "@kore-fx/core"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { Domain, Kore, KoreError, Response, Route, Server, Worker } from "kore-fx"

const servers = { main: Server.tcp({ host: "127.0.0.1", port: 0, tls: false }) }

const get = (url: string) =>
  Effect.flatMap(HttpClient.get(url), (response) =>
    Effect.map(response.text, (text) => ({ status: response.status, text })))

describe("Worker.shutdown in Kore.test", () => {
  it.live("answers what runs, releases the app, and refuses what comes later", () =>
    Effect.gen(function*() {
      const begun = yield* Deferred.make<void>()
      const goOn = yield* Deferred.make<void>()
      const released = yield* Deferred.make<void>()
      const app = Kore.app({
        servers,
        worker: Layer.merge(
          Layer.effectDiscard(Effect.addFinalizer(() => Deferred.succeed(released, undefined))),
          Domain.layer("*", { attach: "main" }, [
            Route.get("/", () => Effect.succeed(Response.text("hello"))),
            Route.get("/slow", function*() {
              yield* Deferred.succeed(begun, undefined)
              yield* Deferred.await(goOn)
              return Response.text("slow")
            }),
            Route.get("/stop", () => Effect.as(Worker.shutdown, Response.text("stopping")))
          ])
        )
      })
      yield* Effect.gen(function*() {
        // Two connections, one of them idle at the shutdown.
        yield* Effect.all([get("/"), get("/")], { concurrency: 2 })
        const slow = yield* Effect.forkChild(get("/slow"))
        yield* Deferred.await(begun)
        assert.strictEqual((yield* get("/stop")).text, "stopping")
        assert.include(Cause.pretty(Cause.fail(yield* Effect.flip(get("/")))), "ECONNREFUSED")
        assert.isFalse(Deferred.isDoneUnsafe(released))
        yield* Deferred.succeed(goOn, undefined)
        assert.strictEqual((yield* Fiber.join(slow)).text, "slow")
        yield* Deferred.await(released)
      }).pipe(Effect.provide(Kore.test(app)))
    }))

  it.live("while the app is built releases it as soon as it is", () =>
    Effect.gen(function*() {
      const released = yield* Deferred.make<void>()
      const app = Kore.app({
        servers,
        worker: Layer.effectDiscard(Effect.andThen(
          Effect.addFinalizer(() => Deferred.succeed(released, undefined)),
          Worker.shutdown
        ))
      })
      yield* Deferred.await(released).pipe(Effect.provide(Kore.test(app)))
    }))
})

describe("Worker.fatal and fatalx in Kore.test", () => {
  for (const name of ["fatal", "fatalx"] as const) {
    it.effect(`${name} is a defect that names worker and reason, and the app goes on (kore §5)`, () =>
      Effect.gen(function*() {
        const defects: Array<unknown> = []
        const app = Kore.app({
          servers,
          tracer: (cause) => Effect.sync(() => void defects.push(Cause.squash(cause))),
          worker: Domain.layer("*", { attach: "main" }, [
            Route.get("/", () => Effect.succeed(Response.text("hello"))),
            Route.get("/end", () => Worker[name]("the disk is full"))
          ])
        })
        yield* Effect.gen(function*() {
          assert.strictEqual((yield* get("/end")).status, 500)
          assert.deepStrictEqual(defects, [new KoreError.WorkerFatal({ worker: 1, reason: "the disk is full" })])
          assert.strictEqual((yield* get("/")).text, "hello")
        }).pipe(Effect.provide(Kore.test(app)))
      }))
  }
})

describe("Message in Kore.test", () => {
  it.effect("comes back to the one worker there is", () =>
    Effect.gen(function*() {
      const Stale = Message.make("stale", Schema.Struct({ key: Schema.String }))
      const heard = yield* Deferred.make<string>()
      const app = Kore.app({
        servers,
        worker: Layer.merge(
          Message.layer(Stale, ({ key }, { worker }) => Deferred.succeed(heard, `${worker} ${key}`)),
          Domain.layer("*", { attach: "main" }, [
            Route.get("/", () => Effect.as(Effect.orDie(Message.send(Stale, { key: "a" })), Response.text("sent")))
          ])
        )
      })
      yield* Effect.gen(function*() {
        assert.strictEqual((yield* get("/")).text, "sent")
        assert.strictEqual(yield* Deferred.await(heard), "1 a")
      }).pipe(Effect.provide(Kore.test(app)))
    }))
})
