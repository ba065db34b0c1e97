/** kore-fx as users run it: `Kore.main`, one worker, everything else at its default. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Compression, Domain, Filemap, Kore, Response, Route, Server } from "kore-fx"
import { catalog } from "../scenarios/catalog.ts"
import { directory } from "../scenarios/files.ts"
import { Order, Post } from "../scenarios/orderSchema.ts"

const hello = Route.get("/", () => Effect.succeed(Response.text("Hello, world!")))

const getPost = Route.get(
  "/users/:id/posts/:slug",
  { path: { id: Schema.Int, slug: Schema.String }, success: Post },
  ({ path: { id, slug } }) => Effect.succeed({ id, slug, title: `Post ${slug} of user ${id}` })
)

const postOrder = Route.post("/orders", { body: Order, success: Order }, ({ body }) => Effect.succeed(body))

// At the level that the others have.
const compressed = Route.use([Compression.middleware({ encodings: ["gzip"] })], [
  Route.get("/catalog", () => Effect.sync(() => Response.jsonUnsafe(catalog)))
])

const app = Kore.app({
  config: { workers: 1 },
  servers: {
    main: Server.tcp({ host: "127.0.0.1", port: Number(process.env["PORT"]), tls: false })
  },
  worker: Domain.layer("*", { attach: "main" }, [
    hello,
    getPost,
    postOrder,
    ...Filemap.routes("/files", directory),
    ...compressed
  ])
})

Effect.runFork(Kore.main(app))
