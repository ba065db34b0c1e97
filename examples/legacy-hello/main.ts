import { kore } from "kore-fx/legacy"

class MyApp {
  configure(_args: ReadonlyArray<string>) {
    kore.config.workers = 1
    kore.config.deployment = "dev"

    kore.server("notls", { ip: "127.0.0.1", port: process.env["PORT"] ?? "8888", tls: false })

    const domain = kore.domain("*", { attach: "notls" })
    domain.route("/", this.index, { methods: ["get"] })
    domain.route("^/([0-9])$", this.index_with_args, { methods: ["get"] })
  }

  index(req: kore.Request) {
    req.response(200, "hello")
  }

  index_with_args(req: kore.Request, specified_id: string) {
    req.response(200, specified_id)
  }
}

export const koreapp = new MyApp()

// `kore-fx run main.ts` finds koreapp by itself; this line is for `node main.ts`.
if (import.meta.main) kore.run(koreapp)
