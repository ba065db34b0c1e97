import { Effect, Schema } from "effect"
import { Domain, Kore, Response, Route, Server } from "kore-fx"

// One that may be there goes back under another name. Schemas read headers by their lower-case names.
const index = Route.get("/", { headers: { "x-request": Schema.optionalKey(Schema.String) } },
  ({ headers: { "x-request": xRequest } }) => {
    const response = Response.text("hello world\n")
    return Effect.succeed(xRequest === undefined ? response : Response.setHeader(response, "x-response", xRequest))
  })

// A number in a header; anything else gets 400 that names the header.
const depth = Route.get(
  "/depth",
  { headers: { depth: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 9 })) } },
  ({ headers }) => Effect.succeed(Response.text(`depth ${headers.depth}\n`))
)

// Without Schemas: all headers of the request, by lower-case name. Several of one name are one, joined with a comma.
const all = Route.get("/all", ({ request }) => {
  const own = Object.entries(request.headers).filter(([name]) => name.startsWith("x-"))
  return Effect.succeed(Response.text(own.map(([name, value]) => `${name}: ${value}\n`).join("")))
})

// Several of one name are sent the same way: as a list. Only cookies cannot; see the example cookies.
const links = Route.get("/links", () =>
  Effect.succeed(Response.text("see the links\n", {
    headers: {
      link: "</style.css>; rel=preload; as=style, </next>; rel=next",
      server: "my own"
    }
  })))

// A value that would become another header is never sent: this is a fault of the program, so 500, and a line in the log.
const split = Route.get("/split",
  () => Effect.succeed(Response.text("never seen\n", { headers: { "x-name": "ada\r\nset-cookie: admin=1" } })))

export const app = Kore.app({
  config: { workers: 1, deployment: "development" },
  servers: { main: Server.tcp({ host: "127.0.0.1", port: Number(process.env["PORT"] ?? 8888), tls: false }) },
  worker: Domain.layer("*", { attach: "main" }, [index, depth, all, links, split])
})

if (import.meta.main) Effect.runFork(Kore.main(app))
