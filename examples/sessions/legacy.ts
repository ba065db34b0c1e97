import { kore } from "kore-fx/legacy"
import { createHash, randomBytes, timingSafeEqual } from "node:crypto"

// A few users of a configuration. Those of a database have their passwords there as hashes.
const passwords = new Map([["ada", "correct horse"]])
const nobody = randomBytes(32).toString("hex")

interface Session {
  user: string | null
  visits: number
  /** When it was used last, in milliseconds. */
  used: number
}

const IDLE = 30 * 60_000
const MAX = 10_000

class MyApp {
  /** In the memory of this worker: there must be no other, and a restart forgets them. */
  readonly sessions = new Map<string, Session>()

  configure() {
    kore.config.workers = 1
    kore.config.deployment = "dev"

    kore.server("main", { ip: "127.0.0.1", port: process.env["PORT"] ?? "8888", tls: false })

    const domain = kore.domain("*", { attach: "main" })
    domain.route("/login", this.login, { methods: ["post"], post: { user: ".", password: "." } })
    domain.route("/", this.index, { methods: ["get"] })
    domain.route("/logout", this.logout, { methods: ["post"] })
    domain.route("/account", this.account, {
      methods: ["get"],
      auth: { type: "cookie", value: "session", verify: this.is_logged_in }
    })
  }

  // Sessions that nobody uses end.
  workerstart() {
    kore.timer(() => {
      for (const [id, { used }] of this.sessions) if (kore.time() - used > IDLE) this.sessions.delete(id)
    }, 60_000, 0)
  }

  // --- login, counter, logout ------------------------------------------------------------------------------------------

  login(req: kore.Request) {
    req.populate_post()
    const user = req.argument("user") ?? ""
    // Unknown users take as long as known ones.
    if (!equals(req.argument("password") ?? "", passwords.get(user) ?? nobody)) {
      return req.response(403, "no such user with this password\n")
    }
    // Another id, so that one that somebody planted in the browser before is worth nothing.
    const session = this.session(req) ?? { user, visits: 0, used: 0 }
    this.sessions.delete(req.cookie("session") ?? "")
    this.begin(req, { ...session, user })
    req.response(200, `hello ${user}\n`)
  }

  index(req: kore.Request) {
    const session = this.session(req) ?? this.begin(req, { user: null, visits: 0, used: 0 })
    session.visits++
    req.response(200, `visit ${session.visits} of ${session.user ?? "somebody"}\n`)
  }

  logout(req: kore.Request) {
    this.sessions.delete(req.cookie("session") ?? "")
    req.response_header("set-cookie", "session=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax")
    req.response(200, "goodbye\n")
  }

  // --- only for who is logged in ---------------------------------------------------------------------------------------

  is_logged_in(req: kore.Request) {
    return typeof this.session(req)?.user === "string"
  }

  account(req: kore.Request) {
    req.response(200, `the account of ${this.session(req)?.user}\n`)
  }

  // --- by the cookie ---------------------------------------------------------------------------------------------------

  session(req: kore.Request): Session | undefined {
    const session = this.sessions.get(req.cookie("session") ?? "")
    if (session === undefined || kore.time() - session.used > IDLE) return undefined
    session.used = kore.time()
    return session
  }

  // Over TLS add Secure, and call it `__Host-session`.
  begin(req: kore.Request, session: Session): Session {
    const id = randomBytes(24).toString("base64url")
    session.used = kore.time()
    this.sessions.set(id, session)
    // The oldest goes when there are too many: anybody can begin one.
    if (this.sessions.size > MAX) this.sessions.delete(this.sessions.keys().next().value!)
    req.response_header("set-cookie", `session=${id}; Path=/; HttpOnly; SameSite=Lax`)
    req.response_header("cache-control", "no-store")
    return session
  }
}

/** Compares in a time that does not tell where they differ. */
const equals = (a: string, b: string): boolean => {
  const [first, second] = [a, b].map((text) => createHash("sha256").update(text).digest())
  return timingSafeEqual(first!, second!)
}

export const koreapp = new MyApp()

if (import.meta.main) kore.run(koreapp)
