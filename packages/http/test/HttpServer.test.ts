import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, describe, it } from "@effect/vitest"
import { HttpServer } from "@kore-fx/http"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpRouter from "effect/http/HttpRouter"
import * as EffectHttpServer from "effect/http/HttpServer"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"

const routes = HttpRouter.addAll([
  HttpRouter.route("GET", "/hello/:name",
    Effect.map(HttpRouter.params, ({ name }) => HttpServerResponse.text(`hello ${name}`))),
  HttpRouter.route("POST", "/echo",
    Effect.flatMap(HttpServerRequest.HttpServerRequest,
      (request) => Effect.map(request.json, (json) => HttpServerResponse.jsonUnsafe(json)))),
  HttpRouter.route("GET", "/stream", Effect.succeed(HttpServerResponse.stream(
    Stream.encodeText(Stream.map(Stream.range(1, 3), String))
  ))),
  HttpRouter.route("GET", "/broken", Effect.die("a bug"))
])

const live = EffectHttpServer.layerTestClient.pipe(
  Layer.provide(NodeHttpClient.layerUndici),
  Layer.provideMerge(HttpServer.layer({ host: "127.0.0.1", port: 0 }))
)
const serving = HttpRouter.serve(routes, { disableLogger: true, disableListenLog: true }).pipe(Layer.provideMerge(live))

describe("Effect's HttpServer on our transport", () => {
  it.live("runs an HttpRouter program: parameters, bodies, streams, defects", () =>
    Effect.gen(function*() {
      const client = yield* HttpClient.HttpClient
      const text = (url: string) => Effect.flatMap(client.get(url), (response) => response.text)
      assert.strictEqual(yield* text("/hello/ada"), "hello ada")
      assert.strictEqual(yield* text("/stream"), "123")
      const echo = yield* client.execute(HttpClientRequest.bodyJsonUnsafe(HttpClientRequest.post("/echo"), { a: [1] }))
      assert.deepStrictEqual(yield* echo.json, { a: [1] })
      assert.strictEqual((yield* client.get("/broken")).status, 500)
      assert.strictEqual((yield* client.get("/nothing")).status, 404)
    }).pipe(Effect.provide(serving)))
})
