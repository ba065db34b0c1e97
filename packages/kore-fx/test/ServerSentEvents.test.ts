import { assert, describe, it } from "@effect/vitest"
import * as ServerSentEvents from "@kore-fx/http/ServerSentEvents"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { Domain, Kore, type Response, Route, Server } from "kore-fx"

const serve = (handler: (input: Route.Input<"/events", {}>) => Response.Response) =>
  Kore.test(Kore.app({
    servers: { main: Server.tcp({ host: "127.0.0.1", port: 0, tls: false }) },
    worker: Domain.layer("*", { attach: "main" }, [
      Route.get("/events", (input) => Effect.sync(() => handler(input)))
    ])
  }))

const get = (headers: Record<string, string> = {}) => HttpClient.execute(HttpClientRequest.get("/events", { headers }))

const whole = (headers?: Record<string, string>) => Effect.flatMap(get(headers), ({ text }) => text)

describe("server-sent events", () => {
  it.effect("have the fields of an event stream that nobody stores or collects, and end with their source", () =>
    Effect.gen(function*() {
      const { headers, text } = yield* get()
      assert.strictEqual(headers["content-type"], "text/event-stream")
      assert.strictEqual(headers["cache-control"], "no-store")
      assert.strictEqual(headers["x-accel-buffering"], "no")
      assert.strictEqual(headers["x-own"], "1")
      assert.strictEqual(yield* text,
        "retry: 2000\n\nid: 1\nevent: up\ndata: a\ndata: \ndata: b\n\nretry: 50\ndata: \n\n")
    }).pipe(Effect.provide(serve(() =>
      ServerSentEvents.response(
        Stream.make({ id: "1", event: "up", data: "a\r\n\rb" }, { data: "", retry: "50 millis" }),
        { retry: "2 seconds", headers: { "x-own": "1" } }
      )
    ))))

  it.effect("comments come every 15 seconds by the Clock, so that both ends know of each other", () =>
    Effect.gen(function*() {
      const pieces = yield* Queue.unbounded<string>()
      const started = yield* Deferred.make<void>()
      yield* Effect.gen(function*() {
        const { stream } = yield* get()
        yield* Effect.forkChild(Stream.runForEach(Stream.decodeText(stream), (text) => Queue.offer(pieces, text)))
        yield* Deferred.await(started)
        yield* TestClock.adjust("14999 millis")
        assert.strictEqual(yield* Queue.size(pieces), 0)
        yield* TestClock.adjust("1 millis")
        assert.strictEqual(yield* Queue.take(pieces), ": keep-alive\n\n")
        yield* TestClock.adjust("15 seconds")
        assert.strictEqual(yield* Queue.take(pieces), ": keep-alive\n\n")
      }).pipe(
        Effect.provide(serve(() =>
          ServerSentEvents.response(
            Stream.concat(Stream.fromEffectDrain(Deferred.succeed(started, undefined)), Stream.never)
          )
        ))
      )
    }))

  it.effect("a client that leaves ends the source", () =>
    Effect.gen(function*() {
      const left = yield* Deferred.make<void>()
      const source = Stream.concat(Stream.make({ data: "one" }), Stream.never).pipe(
        Stream.ensuring(Deferred.succeed(left, undefined))
      )
      yield* Effect.gen(function*() {
        const { stream } = yield* get()
        const fiber = yield* Effect.forkChild(Stream.runHead(stream))
        yield* Fiber.join(fiber)
        yield* Deferred.await(left)
      }).pipe(Effect.provide(serve(() => ServerSentEvents.response(source))))
    }))

  it.effect("a client that comes back gets what it has missed, from the id that it names in UTF-8", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* whole(), "data: none\n\n")
      assert.strictEqual(yield* whole({ "last-event-id": "" }), "data: none\n\n")
      assert.strictEqual(yield* whole({ "last-event-id": "7" }), "data: 7\n\n")
      const sent = Buffer.from("grün").toString("latin1")
      assert.strictEqual(yield* whole({ "last-event-id": sent }), "data: grün\n\n")
    }).pipe(
      Effect.provide(
        serve(({ request }) =>
          ServerSentEvents.resumable(request, (last) => Stream.make({ data: Option.getOrElse(last, () => "none") }))
        )
      )
    ))

  it.effect("an event that would be another one breaks the stream instead of being sent", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(whole())
      assert.strictEqual(error._tag, "HttpClientError")
    }).pipe(Effect.provide(serve(() => ServerSentEvents.response(Stream.make({ id: "1\ndata: forged", data: "x" }))))))
})
