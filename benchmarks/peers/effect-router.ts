/**
 * Effect's `HttpRouter` on `node:http`, as `@effect/platform-node` runs it, without its request log.
 *
 * The log would cost another 4 to 9 µs a request; nobody else here writes one.
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { createServer } from "node:http"
import { Order, Post } from "../scenarios/orderSchema.ts"

const options = { headers: { server: "effect" } }
const textOptions = { ...options, contentType: "text/plain; charset=utf-8" }

const params = HttpRouter.schemaPathParams(Schema.Struct({
  id: Schema.FiniteFromString.check(Schema.isInt()),
  slug: Schema.String
}))

const sendPost = HttpServerResponse.schemaJson(Post)
const readOrder = HttpServerRequest.schemaBodyJson(Order)
const sendOrder = HttpServerResponse.schemaJson(Order)

const routes = Layer.mergeAll(
  HttpRouter.add("GET", "/", Effect.succeed(HttpServerResponse.text("Hello, world!", textOptions))),
  HttpRouter.add(
    "GET",
    "/users/:id/posts/:slug",
    Effect.flatMap(params, ({ id, slug }) => sendPost({ id, slug, title: `Post ${slug} of user ${id}` }, options))
  ),
  HttpRouter.add("POST", "/orders", Effect.flatMap(readOrder, (order) => sendOrder(order, options)))
)

HttpRouter.serve(routes, { disableLogger: true, disableListenLog: true }).pipe(
  Layer.provide(NodeHttpServer.layer(createServer, { host: "127.0.0.1", port: Number(process.env["PORT"]) })),
  Layer.launch,
  NodeRuntime.runMain
)
