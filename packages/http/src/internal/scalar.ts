/**
 * The one seam to the script of Scalar, the API reference, which Effect ships whole inside of `http-api/HttpApiScalar`.
 *
 * When to reach for it: `ApiDocs` loads this module when the first page is asked for: three megabytes that no worker
 * should have in memory before.
 * What it is not: Effect's page, which is for its own `HttpApi` and allows any script. Only the script is taken from it.
 */
import * as Effect from "effect/Effect"
import * as HttpApi from "effect/http-api/HttpApi"
import * as HttpApiScalar from "effect/http-api/HttpApiScalar"
import { HttpRouter, HttpServerRequest } from "./effectHttp.ts"

const OPEN = "<script>"
const CLOSE = "</script>"

/** Dies when upstream's page is no longer made of one script that is Scalar and one that starts it. */
export const script: Effect.Effect<string> = Effect.gen(function*() {
  const app = yield* HttpRouter.toHttpEffect(HttpApiScalar.layer(HttpApi.make("docs"), { path: "/" }))
  const response = yield* Effect.provideService(
    app,
    HttpServerRequest.HttpServerRequest,
    HttpServerRequest.fromWeb(new Request("http://localhost/"))
  )
  const { body } = response
  const page = body._tag === "Uint8Array" ? new TextDecoder().decode(body.body) : ""
  const starter = page.lastIndexOf(OPEN)
  const found = page.slice(page.indexOf(OPEN) + OPEN.length, page.lastIndexOf(CLOSE, starter))
  if (!page.slice(starter).includes("Scalar.createApiReference(") || !found.includes("createApiReference")) {
    return yield* Effect.die(
      new Error("effect/http-api/HttpApiScalar has another page than kore-fx knows; ApiDocs needs a look at it")
    )
  }
  return found
}).pipe(Effect.scoped, Effect.orDie)
