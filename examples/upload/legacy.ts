import { kore } from "kore-fx/legacy"
import { createHash } from "node:crypto"

class MyApp {
  /** What is known so far of bodies that are on their way. */
  readonly arriving = new WeakMap<kore.Request, { size: number; readonly hash: ReturnType<typeof createHash> }>()

  configure() {
    kore.config.workers = 1
    kore.config.deployment = "dev"
    // For all routes.
    kore.config.http_body_max = 1024 * 1024

    kore.server("main", { ip: "127.0.0.1", port: process.env["PORT"] ?? "8888", tls: false })

    const domain = kore.domain("*", { attach: "main" })
    domain.route("/form", this.form, { methods: ["post"], post: { title: "." } })
    domain.route("/raw", this.raw, {
      methods: ["put"],
      hooks: { on_headers: this.begins, on_body_chunk: this.arrives }
    })
  }

  // --- a form with files -----------------------------------------------------------------------------------------------

  form(req: kore.Request) {
    req.populate_multi()
    const title = req.argument("title")
    const files = req.files("files")
    if (title === null || files.length === 0) return req.response(400, "title or files are missing\n")
    req.response(200, `${title}\n${files.map(describe).join("")}`)
  }

  // --- a body of any type: looked at while it arrives, and not kept ----------------------------------------------------

  begins(req: kore.Request) {
    this.arriving.set(req, { size: 0, hash: createHash("sha256") })
  }

  arrives(req: kore.Request, chunk: Buffer) {
    const body = this.arriving.get(req)!
    body.size += chunk.length
    body.hash.update(chunk)
    return true
  }

  raw(req: kore.Request) {
    const { hash, size } = this.arriving.get(req)!
    req.response(200, `${size} bytes, sha256 ${hash.digest("hex")}\n`)
  }
}

// `filename` is safe to use below a directory of one's own; `raw_filename` is what the client sent.
const describe = (file: kore.HttpFile) => {
  const hash = createHash("sha256")
  for (let [length, chunk] = file.read(1024); length > 0; [length, chunk] = file.read(1024)) hash.update(chunk)
  return `${file.filename}, ${file.content_type}, ${file.size} bytes, sha256 ${hash.digest("hex")}\n`
}

export const koreapp = new MyApp()

if (import.meta.main) kore.run(koreapp)
