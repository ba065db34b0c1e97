import { Context, Effect, Redacted } from "effect"
import { Authentication, Domain, Kore, Response, Route, Secret, Server } from "kore-fx"

// In an app these come from its configuration and its database.
const key = Redacted.make("open sesame")
const members = new Map([["3f7a", { name: "ada" }], ["9c21", { name: "bob" }]])
const staff = { ada: Redacted.make("correct horse") }

// --- a header with a key: yes or no, 403 without ----------------------------------------------------------------------

const withKey = Authentication.make({
  from: Authentication.header("x-api-key"),
  verify: (credential) => Effect.sync(() => Secret.equals(credential, key))
})

const figures = Route.get("/figures", () => Effect.succeed(Response.text("42\n")))

// --- a cookie that tells who it is: handlers have the member as a service; a redirect without ---------------------------

class Member extends Context.Service<Member, { readonly name: string }>()("auth/Member") {}

const find = (token: string) => Effect.sync(() => members.get(token))

const memberByCookie = Authentication.make({
  from: Authentication.cookie("member"),
  verify: find,
  provide: Member,
  onFailure: { redirect: "/login" }
})

const club = Route.get("/club", function*() {
  return Response.text(`welcome, ${(yield* Member).name}\n`)
})

// Not behind what redirects to it.
const login = Route.get("/login", () => Effect.succeed(Response.text("who are you?\n")))

// --- a bearer token: the same members, 401 with a challenge without ---------------------------------------------------

const memberByToken = Authentication.make({
  from: Authentication.bearer({ realm: "api" }),
  verify: find,
  provide: Member
})

const me = Route.get("/api/me", function*() {
  return Response.jsonUnsafe(yield* Member)
})

// --- name and password, for which a browser asks ----------------------------------------------------------------------

const asStaff = Authentication.make({
  from: Authentication.basic({ realm: "staff" }),
  verify: Authentication.basicUsers(staff)
})

const admin = Route.get("/admin", () => Effect.succeed(Response.text("the vault\n")))

export const app = Kore.app({
  config: { workers: 1, deployment: "development" },
  servers: { main: Server.tcp({ host: "127.0.0.1", port: Number(process.env["PORT"] ?? 8888), tls: false }) },
  worker: Domain.layer("*", { attach: "main" }, [
    login,
    ...Route.use([withKey], [figures]),
    ...Route.use([memberByCookie], [club]),
    ...Route.use([memberByToken], [me]),
    ...Route.use([asStaff], [admin])
  ])
})

if (import.meta.main) Effect.runFork(Kore.main(app))
