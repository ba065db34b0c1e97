/** The app of the `slow` soak: deadlines that a soak can wait for, and enough to read. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Domain, Kore, Response, Route, Server } from "kore-fx"
import { DEADLINE } from "./slow.ts"

const deadline = `${DEADLINE} seconds` as const
const large = new Uint8Array(4_194_304).fill(46)

const app = Kore.app({
  config: {
    workers: 1,
    httpHeaderTimeout: deadline,
    httpBodyTimeout: deadline,
    httpWriteTimeout: deadline,
    httpKeepaliveTime: deadline
  },
  servers: { main: Server.tcp({ host: "127.0.0.1", port: Number(process.env["PORT"]), tls: false }) },
  worker: Domain.layer("*", { attach: "main" }, [
    Route.get("/", () => Effect.succeed(Response.text("Hello, world!"))),
    Route.get("/large", () => Effect.succeed(Response.uint8Array(large))),
    Route.post("/form", { form: { name: Schema.String } }, ({ form }) => Effect.succeed(Response.text(form.name)))
  ])
})

Effect.runFork(Kore.main(app))
