import * as Effect from "effect/Effect"
import { Domain, Kore, Response, Route, Server } from "kore-fx"

const index = Route.get("/", () => Effect.succeed(Response.text("hello\n")))

export const app = Kore.app({
  servers: {
    main: Server.tcp({ host: "127.0.0.1", port: Number(process.env["PORT"] ?? 8888), tls: false })
  },
  worker: Domain.layer("*", { attach: "main" }, [index])
})

Effect.runFork(Kore.main(app))
