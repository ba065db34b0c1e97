/**
 * The body of a request for a handler of the old API, which runs when all of it is there.
 *
 * When to reach for it: `Handler` and `Guard` wait for it before they call functions of the app.
 * What it is not: storage. What is above the option http_body_disk_offload is kept by core's `StoredBody`.
 */
import * as Config from "@kore-fx/core/Config"
import * as StoredBody from "@kore-fx/http/StoredBody"
import * as ByteSize from "effect/ByteSize"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import type { Exchange } from "./Exchange.ts"
import { services } from "./Registry.ts"

/** Waits for the body, and keeps it where the options say. */
export const receive = (exchange: Exchange): Effect.Effect<Exchange, any, any> => {
  const { httpBodyDiskOffload } = Context.get(services(), Config.Current)
  if (ByteSize.isZero(httpBodyDiskOffload)) {
    return Effect.mapEager(exchange.request.bytes, (bytes) => {
      exchange.body = bytes
      return exchange
    })
  }
  return Effect.gen(function*() {
    exchange.hold()
    yield* Effect.addFinalizer(() => exchange.release)
    exchange.body = yield* Scope.provide(StoredBody.store(exchange.request, { digest: "sha256" }), exchange.scope)
    return exchange
  })
}
