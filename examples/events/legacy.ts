import { kore } from "kore-fx/legacy"

const NEWS = ["it begins", "it goes on\nin two lines", "it is over"]

class MyApp {
  configure() {
    kore.config.workers = 1
    kore.config.deployment = "dev"

    kore.server("main", { ip: "127.0.0.1", port: process.env["PORT"] ?? "8888", tls: false })

    const domain = kore.domain("*", { attach: "main" })
    domain.route("/news", this.news, { methods: ["get"] })
    domain.route("/", this.page, { methods: ["get"] })
  }

  news(req: kore.Request) {
    // The id of the last event comes from the client, and may be any text.
    const last = req.request_header("last-event-id") ?? ""
    const seen = /^[0-9]+$/.test(last) ? Number(last) : 0
    // Nothing is left: 204 tells a browser not to come again.
    if (seen === NEWS.length) return req.response(204, null)
    req.response_header("content-type", "text/event-stream")
    req.response_header("cache-control", "no-store")
    req.response(200, this.news_after(seen))
  }

  // What a client has not seen yet, a piece at a time. It is killed when the client leaves.
  async *news_after(seen: number) {
    yield "retry: 1000\n\n"
    for (const [i, text] of NEWS.entries()) {
      if (i < seen) continue
      yield `id: ${i + 1}\nevent: news\n${text.split("\n").map((line) => `data: ${line}\n`).join("")}\n`
      await kore.suspend(100)
    }
  }

  page(req: kore.Request) {
    req.response_header("content-type", "text/html; charset=utf-8")
    req.response(200, `<!doctype html>
<title>events</title>
<ul></ul>
<script>
  new EventSource("/news").addEventListener("news", ({ data }) => {
    document.querySelector("ul").appendChild(document.createElement("li")).innerText = data
  })
</script>
`)
  }
}

export const koreapp = new MyApp()

if (import.meta.main) kore.run(koreapp)
