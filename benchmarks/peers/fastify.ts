/** Fastify with its own JSON schemas, for requests and for responses, and without its logger. */
import fastifyCompress from "@fastify/compress"
import fastifyStatic from "@fastify/static"
import { fastify } from "fastify"
import { constants } from "node:zlib"
import { catalog } from "../scenarios/catalog.ts"
import { directory } from "../scenarios/files.ts"

const text = { type: "string" }
const integer = { type: "integer" }

const object = (properties: Readonly<Record<string, unknown>>) => ({
  type: "object",
  properties,
  required: Object.keys(properties),
  additionalProperties: false
})

const post = object({ id: integer, slug: text, title: text })

const order = object({
  id: integer,
  placed: text,
  customer: object({ name: { type: "string", minLength: 1 }, email: text, vip: { type: "boolean" } }),
  address: object({ street: text, city: text, zip: text, country: text }),
  items: {
    type: "array",
    items: object({ sku: text, title: text, quantity: { type: "integer", minimum: 1 }, price: { type: "number" } })
  },
  tags: { type: "array", items: text },
  note: text
})

const app = fastify({ logger: false })

app.get("/", (_request, reply) => {
  reply.header("server", "fastify").send("Hello, world!")
})

app.get<{ Params: { id: number; slug: string } }>(
  "/users/:id/posts/:slug",
  { schema: { params: object({ id: integer, slug: text }), response: { 200: post } } },
  ({ params: { id, slug } }, reply) => {
    reply.header("server", "fastify").send({ id, slug, title: `Post ${slug} of user ${id}` })
  }
)

app.post("/orders", { schema: { body: order, response: { 200: order } } }, (request, reply) => {
  reply.header("server", "fastify").send(request.body)
})

await app.register(fastifyStatic, { root: directory, prefix: "/files/" })

await app.register(async (scope) => {
  const { Z_DEFAULT_COMPRESSION: level } = constants
  await scope.register(fastifyCompress, { encodings: ["gzip"], zlibOptions: { level } })
  scope.get("/catalog", (_request, reply) => {
    reply.header("server", "fastify").send(catalog)
  })
})

await app.listen({ host: "127.0.0.1", port: Number(process.env["PORT"]) })
