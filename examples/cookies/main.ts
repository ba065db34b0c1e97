import { Effect, Redacted, Schema } from "effect"
import { Cookie, Domain, Kore, Response, Route, Server } from "kore-fx"
import { randomBytes } from "node:crypto"

// What is signed is worth nothing after a restart, unless the secret comes from outside: `openssl rand -hex 32`.
const secret = Redacted.make(process.env["COOKIE_SECRET"] ?? randomBytes(32).toString("hex"))

// Several at once. By default a cookie is for all paths, hidden from scripts, not sent along from other sites, and sent
// over TLS only; this example is tried without TLS.
const set = Route.get("/set", () =>
  Effect.succeed(Response.text("set\n").pipe(
    Cookie.set("language", "en", { maxAge: "365 days", secure: false }),
    Cookie.set("theme", "dark; or not", { httpOnly: false, sameSite: "strict", secure: false }),
    Cookie.set("__Host-strict", "1")
  )))

// Read by Schemas and exact names; `Cookie.get(request, "language")` is the same without a Schema.
const Language = Schema.Literals(["en", "de"])

const show = Route.get(
  "/",
  { cookies: { language: Schema.optionalKey(Language), theme: Schema.optionalKey(Schema.String) } },
  ({ cookies }) =>
    Effect.succeed(Response.text(`language ${cookies.language ?? "none"}, theme ${cookies.theme ?? "none"}\n`))
)

const forget = Route.get("/forget",
  () => Effect.succeed(Cookie.remove(Response.text("forgotten\n"), "language", { secure: false })))

// A signed one can be read by the client, and not be changed.
const choose = Route.get("/basket/:id", { path: { id: Schema.Int } }, ({ path }) =>
  Effect.succeed(
    Cookie.set(Response.text(`basket ${path.id}\n`), "basket", Cookie.sign("basket", String(path.id), secret), {
      secure: false
    })
  ))

const basket = Route.get("/basket", ({ request }) => {
  const id = Cookie.verify("basket", Cookie.get(request, "basket"), secret)
  return Effect.succeed(Response.text(id === undefined ? "no basket, or not one of ours\n" : `basket ${id}\n`))
})

export const app = Kore.app({
  config: { workers: 1, deployment: "development" },
  servers: { main: Server.tcp({ host: "127.0.0.1", port: Number(process.env["PORT"] ?? 8888), tls: false }) },
  worker: Domain.layer("*", { attach: "main" }, [set, show, forget, choose, basket])
})

if (import.meta.main) Effect.runFork(Kore.main(app))
