import { kore } from "kore-fx/legacy"
import { createHash, timingSafeEqual } from "node:crypto"

// In an app these come from its configuration and its database.
const key = "open sesame"
const members = new Map([["3f7a", "ada"], ["9c21", "bob"]])

class MyApp {
  /** Who asks, by the request; `verify` says it, and the handler reads it. */
  readonly asking = new WeakMap<kore.Request, string>()

  configure() {
    kore.config.workers = 1
    kore.config.deployment = "dev"

    kore.server("main", { ip: "127.0.0.1", port: process.env["PORT"] ?? "8888", tls: false })

    const domain = kore.domain("*", { attach: "main" })
    domain.route("/login", this.login, { methods: ["get"] })
    domain.route("/figures", this.figures, {
      methods: ["get"],
      auth: { type: "header", value: "x-api-key", verify: this.has_key }
    })
    domain.route("/club", this.club, {
      methods: ["get"],
      auth: { type: "cookie", value: "member", verify: this.is_member, redirect: "/login" }
    })
    domain.route("/api/me", this.me, {
      methods: ["get"],
      auth: { type: "header", value: "authorization", verify: this.has_token }
    })
  }

  // --- who may ask: only true lets a request through -------------------------------------------------------------------

  has_key(_req: kore.Request, credential: string) {
    return equals(credential, key)
  }

  // As if it asked a database.
  async is_member(req: kore.Request, token: string) {
    await kore.suspend(1)
    const name = members.get(token)
    if (name !== undefined) this.asking.set(req, name)
    return name !== undefined
  }

  has_token(req: kore.Request, authorization: string) {
    return this.is_member(req, /^Bearer +([^ ]+)$/i.exec(authorization)?.[1] ?? "")
  }

  // --- what they get ---------------------------------------------------------------------------------------------------

  // Not behind what redirects to it.
  login(req: kore.Request) {
    req.response(200, "who are you?\n")
  }

  figures(req: kore.Request) {
    req.response(200, "42\n")
  }

  club(req: kore.Request) {
    req.response(200, `welcome, ${this.asking.get(req)}\n`)
  }

  me(req: kore.Request) {
    req.response_header("content-type", "application/json")
    req.response(200, JSON.stringify({ name: this.asking.get(req) }))
  }
}

/** Compares in a time that does not tell where they differ. */
const equals = (a: string, b: string): boolean => {
  const [first, second] = [a, b].map((text) => createHash("sha256").update(text).digest())
  return timingSafeEqual(first!, second!)
}

export const koreapp = new MyApp()

if (import.meta.main) kore.run(koreapp)
