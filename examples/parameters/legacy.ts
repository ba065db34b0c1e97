import { kore } from "kore-fx/legacy"

class MyApp {
  configure() {
    kore.config.workers = 1
    kore.config.deployment = "dev"

    kore.server("main", { ip: "127.0.0.1", port: process.env["PORT"] ?? "8888", tls: false })

    const domain = kore.domain("*", { attach: "main" })
    domain.route("^/hello/([A-Za-z]+)$", this.hello, { methods: ["get"] })
    domain.route("/search", this.search, {
      methods: ["get"],
      get: { q: ".", page: "^[1-9][0-9]{0,2}$", tag: "^[a-z]+$" }
    })
    domain.route("/register", this.register, {
      methods: ["post"],
      post: { name: "^.{1,40}$", age: this.is_age }
    })
    domain.route("/coupon", this.coupon, { methods: ["get"], qs: { code: this.is_known } })
  }

  // --- the path: a capture comes as it was sent, and these letters mean themselves --------------------------------------

  hello(req: kore.Request, name: string) {
    req.response(200, `hello ${name}\n`)
  }

  // --- the query: only what the validators admit is there --------------------------------------------------------------

  search(req: kore.Request) {
    req.populate_get()
    const q = req.argument("q")
    if (q === null) return req.response(400, "what do you search for? q is missing\n")
    const page = req.argument("page") ?? "1"
    req.response(200, `${q}, page ${page}, tags: ${req.arguments("tag").join(" ") || "none"}\n`)
  }

  // --- a form ----------------------------------------------------------------------------------------------------------

  register(req: kore.Request) {
    req.populate_post()
    const name = req.argument("name")
    if (name === null) return req.response(400, "who are you? name is missing\n")
    req.response(200, `registered ${name}, age ${req.argument("age") ?? "unknown"}\n`)
  }

  is_age(_req: kore.Request, value: string) {
    return /^[0-9]{1,3}$/.test(value) && Number(value) <= 150
  }

  // --- a validator that waits: so must whoever populates ---------------------------------------------------------------

  async coupon(req: kore.Request) {
    await req.populate_get()
    req.response(200, `coupon ${req.argument("code") ?? "none"}\n`)
  }

  async is_known(_req: kore.Request, code: string) {
    await kore.suspend(1)
    return ["SPRING", "SUMMER"].includes(code)
  }
}

export const koreapp = new MyApp()

if (import.meta.main) kore.run(koreapp)
