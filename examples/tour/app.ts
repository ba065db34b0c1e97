import { Context, Effect, Layer, Ref, Schema, Stream } from "effect"
import { ApiDocs, Domain, HttpError, Kore, Lock, Queue, Response, Route, Server, Suspend, Task, Worker } from "kore-fx"

class User extends Schema.Class<User>("User")({ id: Schema.Int, name: Schema.NonEmptyString }) {}

const NewUser = Schema.Struct({ name: Schema.NonEmptyString })

class UserNotFound extends HttpError.TaggedError<UserNotFound>()("UserNotFound", { id: Schema.Int }, {
  httpStatus: 404
}) {}

class Users extends Context.Service<Users, {
  readonly find: (id: number) => Effect.Effect<User, UserNotFound>
  readonly create: (name: string) => Effect.Effect<User>
}>()("tour/Users") {
  static readonly layer = Layer.effect(Users, Effect.gen(function*() {
    const rows = yield* Ref.make<ReadonlyArray<User>>([new User({ id: 1, name: "ada" })])
    return Users.of({
      find: (id) =>
        Effect.flatMap(Ref.get(rows), (all) => {
          const user = all.find((user) => user.id === id)
          return user === undefined ? Effect.fail(new UserNotFound({ id })) : Effect.succeed(user)
        }),
      create: (name) =>
        Ref.modify(rows, (all) => {
          const user = new User({ id: all.length + 1, name })
          return [user, [...all, user]] as const
        })
    })
  }))
}

/** What the workers' fibers share: a lock and a queue. */
class Kitchen extends Context.Service<Kitchen, {
  readonly stove: Lock.Lock
  readonly orders: Queue.Queue<string>
}>()("tour/Kitchen") {
  static readonly layer = Layer.effect(
    Kitchen,
    Effect.map(Effect.all([Lock.make, Queue.make<string>({ capacity: 100 })]),
      ([stove, orders]) => Kitchen.of({ stove, orders }))
  )
}

const index = Route.get("/", function*() {
  const { id, pid } = yield* Worker.Worker
  return Response.text(`worker ${id}, pid ${pid}\n`)
})

// Typed routes: `path.id` is a number because of the Schema, and "id" must stand in the path.
const getUser = Route.get("/users/:id", {
  path: { id: Schema.Int },
  success: User,
  errors: [UserNotFound],
  summary: "A user by number",
  tags: ["users"]
}, function*({ path }) {
  return yield* (yield* Users).find(path.id)
})

// A task goes on after the answer, and outlives the request.
const createUser = Route.post("/users", {
  body: NewUser,
  success: User,
  status: 201,
  summary: "A new user",
  tags: ["users"]
}, function*({ body }) {
  const user = yield* (yield* Users).create(body.name)
  yield* Task.create(Effect.delay(Effect.log("welcome", user.name), "1 second"), { name: "welcome" })
  return user
})

const search = Route.get(
  "/search",
  { query: { q: Schema.String, page: Schema.optionalKey(Schema.Int) } },
  ({ query }) => Effect.succeed(Response.text(`${query.q} page ${query.page ?? 1}\n`))
)

const digest = Route.match(/^\/([a-f0-9]{32})$/, [Schema.String],
  (_request, hash) => Effect.succeed(Response.text(`${hash}\n`)))

// One at a time: whoever waits for the stove is served in order, and forgotten when their client leaves.
const cook = Route.get("/cook/:dish", function*({ path }) {
  const { orders, stove } = yield* Kitchen
  yield* Lock.withLock(stove, Suspend.suspend("100 millis"))
  yield* Queue.push(orders, path.dish)
  return Response.text(`${path.dish} is ready\n`)
})

// Waits until a dish is there. If the client gives up first, the dish is for the next one.
const pickup = Route.get("/pickup", function*() {
  return Response.text(`${yield* Queue.pop((yield* Kitchen).orders)}\n`)
})

// A body that is made while it is sent; it ends when the client leaves.
const clock = Route.get("/clock", () =>
  Effect.succeed(Response.stream(
    Stream.encodeText(Stream.map(Stream.tick("1 second"), () => `${new Date().toISOString()}\n`)),
    { contentType: "text/plain" }
  )))

// A defect: the client learns nothing of it, the log everything, once.
const broken = Route.get("/broken", () => Effect.die(new Error("this is a bug")))

const routes = [index, getUser, createUser, search, digest, cook, pickup, clock, broken]

// What the routes declare as an OpenAPI document, and a page that shows it.
const docs = ApiDocs.routes("/docs", routes, { title: "Tour", version: "1.0.0" })

export const app = Kore.app({
  config: { workers: 2, deployment: "development", httpBodyMax: "64 KiB" },
  servers: {
    main: Server.tcp({ host: "127.0.0.1", port: Number(process.env["PORT"] ?? 8888), tls: false })
  },
  worker: Domain.layer("*", { attach: "main" }, [...routes, ...docs]).pipe(Layer.provide([Users.layer, Kitchen.layer]))
})
