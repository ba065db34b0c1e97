import { kore } from "kore-fx/legacy"

class MyApp {
  configure() {
    kore.config.workers = 1
    kore.config.deployment = "dev"

    kore.server("main", { ip: "127.0.0.1", port: process.env["PORT"] ?? "8888", tls: false })

    const domain = kore.domain("*", { attach: "main" })
    domain.route("/", this.index, { methods: ["get"] })
    domain.route("/depth", this.depth, { methods: ["get"] })
    domain.route("/all", this.all, { methods: ["get"] })
    domain.route("/links", this.links, { methods: ["get"] })
    domain.route("/split", this.split, { methods: ["get"] })
  }

  // One that may be there goes back under another name.
  index(req: kore.Request) {
    const x_request = req.request_header("x-request")
    if (x_request !== null) req.response_header("x-response", x_request)
    req.response(200, "hello world\n")
  }

  // A number in a header, checked by hand.
  depth(req: kore.Request) {
    const depth = req.request_header("depth") ?? ""
    if (/^[0-9]$/.test(depth)) req.response(200, `depth ${depth}\n`)
    else req.response(400, "the header depth is no number from 0 to 9\n")
  }

  // All headers of the request, by lower-case name. Several of one name are one, joined with a comma.
  all(req: kore.Request) {
    const own = Object.entries(req.headers()).filter(([name]) => name.startsWith("x-"))
    req.response(200, own.map(([name, value]) => `${name}: ${value}\n`).join(""))
  }

  // Several of one name are sent the same way: as a list. A second call with the same name would replace the first, but for
  // cookies; see the example cookies.
  links(req: kore.Request) {
    req.response_header("link", "</style.css>; rel=preload; as=style, </next>; rel=next")
    req.response_header("server", "my own")
    req.response(200, "see the links\n")
  }

  // A value that would become another header is never sent: `response_header` throws, so 500, and a line in the log.
  split(req: kore.Request) {
    req.response_header("x-name", "ada\r\nset-cookie: admin=1")
    req.response(200, "never seen\n")
  }
}

export const koreapp = new MyApp()

if (import.meta.main) kore.run(koreapp)
