// expect: Db
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import { Domain, Kore, Response, Route, Server } from "kore-fx"

class Db extends Context.Service<Db, { readonly name: Effect.Effect<string> }>()("types/Db") {}

const route = Route.get("/", function*() {
  return Response.text(yield* (yield* Db).name)
})

export const main = Kore.main(Kore.app({
  servers: { main: Server.tcp({ host: "127.0.0.1", port: 0, tls: false }) },
  worker: Domain.layer("*", { attach: "main" }, [route])
}))
