/** Hono on its Node server, with its own `validator` and checks by hand inside. */
import { serve } from "@hono/node-server"
import { serveStatic } from "@hono/node-server/serve-static"
import { Hono } from "hono"
import { compress } from "hono/compress"
import { validator } from "hono/validator"
import { catalog } from "../scenarios/catalog.ts"
import { directory } from "../scenarios/files.ts"
import { isOrder } from "../scenarios/order.ts"

const HEADERS = { server: "hono" }

const app = new Hono()

app.get("/", (c) => c.text("Hello, world!", 200, HEADERS))

app.get(
  "/users/:id/posts/:slug",
  validator("param", (value: Record<string, string>, c) => {
    const id = Number(value["id"])
    return Number.isSafeInteger(id) ? { id, slug: value["slug"]! } : c.json({ error: "id is not an integer" }, 400)
  }),
  (c) => {
    const { id, slug } = c.req.valid("param")
    return c.json({ id, slug, title: `Post ${slug} of user ${id}` }, 200, HEADERS)
  }
)

app.post(
  "/orders",
  validator("json", (value, c) => isOrder(value) ? value : c.json({ error: "not an order" }, 400)),
  (c) => c.json(c.req.valid("json"), 200, HEADERS)
)

app.use("/files/*", serveStatic({ root: directory, rewriteRequestPath: (path) => path.slice("/files".length) }))

app.get("/catalog", compress({ encoding: "gzip" }), (c) => c.json(catalog, 200, HEADERS))

serve({ fetch: app.fetch, hostname: "127.0.0.1", port: Number(process.env["PORT"]) })
