/** What the types of the typed client promise, checked by the compiler: this file only has to compile. */
import * as ApiClient from "@kore-fx/http/ApiClient"
import * as Multipart from "@kore-fx/http/Multipart"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import type * as HttpClientError from "effect/http/HttpClientError"
import type * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Schema from "effect/Schema"
import { HttpError, Middleware, Response, Route } from "kore-fx"

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false
const check = <_ extends true>(): void => {}

class User extends Schema.Class<User>("User")({ id: Schema.Int, name: Schema.String }) {}
class Gone extends HttpError.TaggedError<Gone>()("Gone", { id: Schema.Int }, { httpStatus: 410 }) {}
class Session extends Context.Service<Session, string>()("types/ApiClient/Session") {}

const ok = () => Effect.succeed(Response.text("ok"))
const session = Middleware.provide(Session, () => Effect.succeed("x"))

const routes = [
  Route.get("/users/:id", { path: { id: Schema.Int }, success: User, errors: [Gone] },
    ({ path }) => Effect.fail(new Gone({ id: path.id }))),
  Route.post("/users", { body: Schema.Struct({ name: Schema.String }), success: Schema.Void, status: 204 },
    () => Effect.void),
  Route.get("/search", { query: { q: Schema.String, page: Schema.optionalKey(Schema.Int) } }, ok),
  Route.get("/list", { query: { page: Schema.optionalKey(Schema.Int) } }, ok),
  Route.put("/files", { multipart: { title: Schema.String, file: Multipart.File, more: Multipart.Files } }, ok),
  Route.on("GET", "HEAD", "DELETE")("/", ok),
  ...Route.use([session], Route.prefix("/api", [
    Route.get("/:a/*rest", () => Effect.map(Session, (text) => Response.text(text)))
  ])),
  Route.match(/^\/x$/, [], ok)
]

const made = ApiClient.make(routes, { baseUrl: "http://localhost" })
check<Equal<Effect.Services<typeof made>, HttpClient.HttpClient>>()
check<Equal<Effect.Error<typeof made>, never>>()

type Always = ApiClient.ResponseError | HttpClientError.HttpClientError | Schema.SchemaError

export const right = Effect.map(made, (client) => {
  const user = client.get("/users/:id", { path: { id: 1 } })
  check<Equal<typeof user, Effect.Effect<User, Gone | Always>>>()
  const created = client.post("/users", { body: { name: "ada" } })
  check<Equal<typeof created, Effect.Effect<void, Always>>>()
  const found = client.get("/search", { query: { q: "x", page: undefined } })
  check<Equal<typeof found, Effect.Effect<HttpClientResponse.HttpClientResponse, Always>>>()
  const head = client.request("HEAD", "/")
  check<Equal<typeof head, Effect.Effect<HttpClientResponse.HttpClientResponse, Always>>>()
  return [
    user,
    created,
    found,
    head,
    // What has only optional fields may be left out.
    client.get("/list"),
    client.get("/list", { query: { page: 2 } }),
    client.get("/"),
    client.del("/"),
    client.get("/api/:a/*rest", { path: { a: "x", rest: "y/z" } }),
    client.put("/files", { multipart: { title: "x", file: new Blob([]), more: [new File([], "x")] } })
  ] as const
})

export const wrong = Effect.map(made, (client) => [
  // @ts-expect-error -- no route has this path
  client.get("/user/:id", { path: { id: 1 } }),
  // @ts-expect-error -- the path has no POST route
  client.post("/search", { query: { q: "x" } }),
  // @ts-expect-error -- no route has this method
  client.request("PATCH", "/"),
  // @ts-expect-error -- a regular expression is no path
  client.get("/x"),
  // @ts-expect-error -- the path has a parameter
  client.get("/users/:id"),
  // @ts-expect-error -- the parameter has another name
  client.get("/users/:id", { path: { uid: 1 } }),
  // @ts-expect-error -- the parameter is a number
  client.get("/users/:id", { path: { id: "1" } }),
  // @ts-expect-error -- the query has a required parameter
  client.get("/search", { query: { page: 1 } }),
  // @ts-expect-error -- the query has no such parameter
  client.get("/list", { query: { pages: 1 } }),
  // @ts-expect-error -- the route has no query
  client.get("/", { query: { page: 1 } }),
  // @ts-expect-error -- the body is missing
  client.post("/users"),
  // @ts-expect-error -- the name is text
  client.post("/users", { body: { name: 1 } }),
  // @ts-expect-error -- a file is no text
  client.put("/files", { multipart: { title: "x", file: "x", more: [] } })
])
