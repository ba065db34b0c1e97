import { Context, Effect, Layer, Schema } from "effect"
import { Domain, HttpError, Kore, Response, Route, Server } from "kore-fx"

const Item = Schema.Struct({
  name: Schema.NonEmptyString,
  count: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 100 }))
})

/** What a client sends. Keys that are not here are ignored. */
const NewOrder = Schema.Struct({
  customer: Schema.NonEmptyString,
  items: Schema.NonEmptyArray(Item),
  due: Schema.optionalKey(Schema.DateFromString)
})

/** What it gets: the Schema writes the date as text again. */
class Order extends Schema.Class<Order>("Order")({ id: Schema.Int, ...NewOrder.fields }) {}

/** An error with its answer. What a handler fails with must have one, or the route does not compile. */
class OrderNotFound extends HttpError.TaggedError<OrderNotFound>()("OrderNotFound", { id: Schema.Int }, {
  httpStatus: 404,
  detail: "there is no such order"
}) {}

class Orders extends Context.Service<Orders, {
  readonly add: (order: typeof NewOrder.Type) => Effect.Effect<Order>
  readonly find: (id: number) => Effect.Effect<Order, OrderNotFound>
}>()("json/Orders") {
  static readonly layer = Layer.sync(Orders, () => {
    const orders: Array<Order> = []
    return Orders.of({
      add: (order) =>
        Effect.sync(() => {
          const added = new Order({ id: orders.length + 1, ...order })
          orders.push(added)
          return added
        }),
      find: (id) => {
        const order = orders[id - 1]
        return order === undefined ? Effect.fail(new OrderNotFound({ id })) : Effect.succeed(order)
      }
    })
  })
}

const create = Route.post("/orders", { body: NewOrder, success: Order, status: 201 }, function*({ body }) {
  return yield* (yield* Orders).add(body)
})

const show = Route.get("/orders/:id", { path: { id: Schema.Int }, success: Order, errors: [OrderNotFound] },
  function*({ path }) {
    return yield* (yield* Orders).find(path.id)
  })

// Without a Schema: whatever JSON there is, and plain data back.
const echo = Route.post("/echo", function*({ request }) {
  return Response.jsonUnsafe({ youSent: yield* request.json })
})

export const app = Kore.app({
  config: { workers: 1, deployment: "development" },
  servers: { main: Server.tcp({ host: "127.0.0.1", port: Number(process.env["PORT"] ?? 8888), tls: false }) },
  worker: Layer.provide(Domain.layer("*", { attach: "main" }, [create, show, echo]), Orders.layer)
})

if (import.meta.main) Effect.runFork(Kore.main(app))
