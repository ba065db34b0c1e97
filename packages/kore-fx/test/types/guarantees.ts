/** What the types promise, checked by the compiler: this file only has to compile. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { type App, Domain, HttpError, Kore, Middleware, Response, Route, Server } from "kore-fx"

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false
const check = <_ extends true>(): void => {}

class Db extends Context.Service<Db, { readonly name: Effect.Effect<string> }>()("types/Db") {}
class Gone extends HttpError.TaggedError<Gone>()("Gone", {}, { httpStatus: 410 }) {}

// 1. Path parameters come from the literal: decoded where there is a Schema, text where there is none.
export const typed = Route.get(
  "/a/:x/b/:y/*rest",
  { path: { x: Schema.Int }, query: { q: Schema.optionalKey(Schema.Int) } },
  ({ path, query }) => {
    check<Equal<typeof path, { readonly x: number; readonly y: string; readonly rest: string }>>()
    check<Equal<typeof query, { readonly q?: number }>>()
    return Effect.succeed(Response.text(String(path.x)))
  }
)

// A generator's errors and services are inferred.
export const generator = Route.get("/g/:id", { path: { id: Schema.Int }, success: Schema.Struct({ id: Schema.Int }) },
  function*({ path }) {
    const name = yield* (yield* Db).name
    if (name === "") return yield* new Gone()
    return { id: path.id }
  })
check<Equal<Route.ErrorOf<typeof generator>, Gone>>()
check<Equal<Route.ServicesOf<typeof generator>, Db>>()

// 2. An error with an HTTP answer may stay, 3. `attach` names a declared server, 4. services are Layers.
export const app = Kore.app({
  servers: { main: Server.tcp({ host: "127.0.0.1", port: 0, tls: false }) },
  worker: Domain.layer("*", { attach: "main" }, [typed, generator]).pipe(
    Layer.provide(Layer.succeed(Db, { name: Effect.succeed("db") }))
  )
})
check<Equal<typeof app, App.App<never, never>>>()
export const main: Effect.Effect<void, Kore.RunError> = Kore.main(app)

// Middleware: what one gives is taken away, what it needs and fails with is added; an inner one may use an outer one's.
class User extends Context.Service<User, string>()("types/User") {}
class Session extends Context.Service<Session, string>()("types/Session") {}
const session = Middleware.provide(Session, () => Effect.flatMap(Db, (db) => db.name))
const user = Middleware.provide(User, () => Effect.filterOrFail(Session, (id) => id !== "", () => new Gone()))
const whoami = Route.get("/whoami", () => Effect.map(User, (name) => Response.text(name)))
export const below = Route.use([session, user], [whoami, typed])
check<Equal<Route.ErrorOf<(typeof below)[0]>, Gone>>()
check<Equal<Route.ServicesOf<(typeof below)[0]>, Db>>()
check<Equal<Route.ServicesOf<(typeof below)[1]>, Db>>()
// The other way round, nobody gives the outer one what it needs.
export const wrongOrder = Route.use([user, session], [whoami])
check<Equal<Route.ServicesOf<(typeof wrongOrder)[0]>, Db | Session>>()
export const domain: Layer.Layer<never, never, Domain.Registry | Domain.Attached<"main"> | Db> = Domain.layer("*", {
  attach: "main",
  middleware: [session, user]
}, [whoami])

// Errors of Layers show up in the type of the program.
class NoDb extends Schema.TaggedError<NoDb>()("NoDb", {}) {}
export const failing = Kore.app({
  servers: { main: Server.tcp({ host: "127.0.0.1", port: 0, tls: false }) },
  worker: Domain.layer("*", { attach: "main" }, [generator]).pipe(
    Layer.provide(Layer.effect(Db, Effect.fail(new NoDb())))
  )
})
check<Equal<typeof failing, App.App<NoDb, never>>>()
