import { Context, Effect, Layer, Redacted, Schema } from "effect"
import { Authentication, Domain, Kore, Response, Route, Server, Session } from "kore-fx"
import { randomBytes } from "node:crypto"

// A few users of a configuration. Those of a database have their passwords there as hashes.
const isUser = Authentication.basicUsers({ ada: Redacted.make("correct horse") })

// --- what a session holds ---------------------------------------------------------------------------------------------

const User = Session.key("user", Schema.String)
const Visits = Session.key("visits", Schema.Int)

// --- login, counter, logout -------------------------------------------------------------------------------------------

const Login = { user: Schema.String, password: Schema.RedactedFromValue(Schema.String) }

const login = Route.post("/login", { form: Login }, function*({ form: { password, user } }) {
  if (!(yield* isUser({ username: user, password }))) {
    return Response.text("no such user with this password\n", { status: 403 })
  }
  const session = yield* Session.Session
  // Another id, so that one that somebody planted in the browser before is worth nothing.
  yield* session.regenerate
  yield* session.set(User, user)
  return Response.text(`hello ${user}\n`)
})

const index = Route.get("/", function*() {
  const session = yield* Session.Session
  const visits = ((yield* session.get(Visits)) ?? 0) + 1
  yield* session.set(Visits, visits)
  return Response.text(`visit ${visits} of ${(yield* session.get(User)) ?? "somebody"}\n`)
})

const logout = Route.post("/logout", function*() {
  yield* (yield* Session.Session).destroy
  return Response.text("goodbye\n")
})

// --- only for who is logged in ------------------------------------------------------------------------------------------

class CurrentUser extends Context.Service<CurrentUser, string>()("sessions/CurrentUser") {}

const loggedIn = Authentication.make({
  from: Authentication.session(User),
  verify: (name) => Effect.succeed(name),
  provide: CurrentUser
})

const account = Route.get("/account", function*() {
  return Response.text(`the account of ${yield* CurrentUser}\n`)
})

// The sessions are in the memory of this worker, so a secret that lives as long will do. Several workers need a store that
// they share, and a secret from outside: `openssl rand -hex 32`.
const sessions = Session.middleware({
  secrets: Redacted.make(process.env["SESSION_SECRET"] ?? randomBytes(32).toString("hex")),
  idle: "30 minutes",
  // Over TLS leave these two out: then only this host can set the cookie, and only TLS carries it.
  cookie: "session",
  secure: false
})

export const app = Kore.app({
  config: { workers: 1, deployment: "development" },
  servers: { main: Server.tcp({ host: "127.0.0.1", port: Number(process.env["PORT"] ?? 8888), tls: false }) },
  worker: Domain.layer("*", { attach: "main", middleware: [sessions] }, [
    login,
    index,
    logout,
    ...Route.use([loggedIn], [account])
  ]).pipe(Layer.provide(Session.layerMemory()))
})

if (import.meta.main) Effect.runFork(Kore.main(app))
