import { kore } from "kore-fx/legacy"
import { join } from "node:path"

class MyApp {
  configure() {
    kore.config.workers = 1
    kore.config.deployment = "dev"

    kore.server("main", { ip: "127.0.0.1", port: process.env["PORT"] ?? "8888", tls: false })

    // Of routes and file maps that match, the one that was installed first answers.
    const domain = kore.domain("*", { attach: "main" })
    domain.route("/static/version", this.version, { methods: ["get"] })
    domain.filemaps({ "/static/": join(import.meta.dirname, "public") })
  }

  version(req: kore.Request) {
    req.response(200, "7\n")
  }
}

export const koreapp = new MyApp()

if (import.meta.main) kore.run(koreapp)
