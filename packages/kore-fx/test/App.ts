/** An app that the tests of this package share. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { Domain, HttpError, Kore, Response, Route, Server, Worker } from "kore-fx"

class User extends Schema.Class<User>("User")({ id: Schema.Int, name: Schema.NonEmptyString }) {}

class UserNotFound extends HttpError.TaggedError<UserNotFound>()("UserNotFound", { id: Schema.Int }, {
  httpStatus: 404
}) {}

class Greeting extends Context.Service<Greeting, string>()("test/Greeting") {}

const index = Route.get("/", () => Effect.map(Greeting, (text) => Response.text(text)))

const getUser = Route.get("/users/:id", { path: { id: Schema.Int }, success: User },
  ({ path }) =>
    path.id === 1 ? Effect.succeed(new User({ id: 1, name: "ada" })) : Effect.fail(new UserNotFound({ id: path.id })))

const createUser = Route.post(
  "/users",
  {
    body: Schema.Struct({ name: Schema.NonEmptyString, tags: Schema.Array(Schema.String) }),
    success: User,
    status: 201
  },
  ({ body }) => Effect.succeed(new User({ id: 2, name: body.name }))
)

const search = Route.get(
  "/search",
  {
    query: {
      q: Schema.String,
      page: Schema.optionalKey(Schema.Int),
      tag: Schema.optionalKey(Schema.Array(Schema.String))
    }
  },
  ({ query }) => Effect.succeed(Response.jsonUnsafe(query))
)

const token = Route.get("/token", { headers: { "x-token": Schema.Int } },
  ({ headers }) => Effect.succeed(Response.text(String(headers["x-token"]))))

const digest = Route.match(/^\/([a-f0-9]{4})(-x)?$/, [Schema.String, Schema.UndefinedOr(Schema.String)],
  (_, hash, x) => Effect.succeed(Response.text(`${hash} ${x ?? "none"}`)))

const worker = Route.get("/worker", function*() {
  return Response.text(String((yield* Worker.Worker).id))
})

const countdown = Route.get("/countdown",
  () => Effect.succeed(Response.stream(Stream.encodeText(Stream.map(Stream.range(1, 3), (n) => `${n}\n`)))))

const broken = Route.get("/broken", () => Effect.die(new Error("secret")))

const thrown = Route.get("/thrown", (): Effect.Effect<Response.Response> => {
  throw new Error("secret")
})

export const app = Kore.app({
  config: { httpBodyMax: "1 KiB" },
  servers: {
    main: Server.tcp({ host: "127.0.0.1", port: 0, tls: false }),
    admin: Server.unix({ path: "@kore-fx-test", tls: false })
  },
  worker: Layer.mergeAll(
    Domain.layer("*", { attach: "main" }, [
      index,
      getUser,
      createUser,
      search,
      token,
      digest,
      worker,
      countdown,
      broken,
      thrown
    ]),
    Domain.layer("*.example.com", { attach: "main" }, [
      Route.get("/", () => Effect.succeed(Response.text("wildcard")))
    ]),
    Domain.layer("*", { attach: "admin" }, [Route.get("/", () => Effect.succeed(Response.text("admin")))])
  ).pipe(Layer.provide(Layer.succeed(Greeting, "hello")))
})
