import { kore } from "kore-fx/legacy"
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto"

// What is signed is worth nothing after a restart, unless the secret comes from outside: `openssl rand -hex 32`.
const secret = process.env["COOKIE_SECRET"] ?? randomBytes(32).toString("hex")

class MyApp {
  configure() {
    kore.config.workers = 1
    kore.config.deployment = "dev"

    kore.server("main", { ip: "127.0.0.1", port: process.env["PORT"] ?? "8888", tls: false })

    const domain = kore.domain("*", { attach: "main" })
    domain.route("/set", this.set, { methods: ["get"] })
    domain.route("/", this.show, { methods: ["get"] })
    domain.route("/forget", this.forget, { methods: ["get"] })
    domain.route("^/basket/([0-9]+)$", this.choose, { methods: ["get"] })
    domain.route("/basket", this.basket, { methods: ["get"] })
  }

  // Of this header alone there may be several. A value is encoded by hand, and its attributes are said.
  set(req: kore.Request) {
    req.response_header("set-cookie", "language=en; Max-Age=31536000; Path=/; HttpOnly; SameSite=Lax")
    req.response_header("set-cookie", `theme=${encodeURIComponent("dark; or not")}; Path=/; SameSite=Strict`)
    req.response_header("set-cookie", "__Host-strict=1; Path=/; HttpOnly; Secure; SameSite=Lax")
    req.response(200, "set\n")
  }

  show(req: kore.Request) {
    req.response(200, `language ${req.cookie("language") ?? "none"}, theme ${req.cookie("theme") ?? "none"}\n`)
  }

  forget(req: kore.Request) {
    req.response_header("set-cookie", "language=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax")
    req.response(200, "forgotten\n")
  }

  // A signed one can be read by the client, and not be changed.
  choose(req: kore.Request, id: string) {
    req.response_header("set-cookie", `basket=${id}.${sign(id)}; Path=/; HttpOnly; SameSite=Lax`)
    req.response(200, `basket ${id}\n`)
  }

  basket(req: kore.Request) {
    const [id = "", signature = ""] = (req.cookie("basket") ?? "").split(".")
    req.response(200, isSigned(id, signature) ? `basket ${id}\n` : "no basket, or not one of ours\n")
  }
}

// The name is signed too: what was signed for one cookie is worth nothing in another.
const sign = (id: string): string => createHmac("sha256", secret).update(`basket=${id}`).digest("base64url")

const isSigned = (id: string, signature: string): boolean => {
  const [expected, given] = [sign(id), signature].map((text) => Buffer.from(text))
  return expected!.length === given!.length && timingSafeEqual(expected!, given!)
}

export const koreapp = new MyApp()

if (import.meta.main) kore.run(koreapp)
