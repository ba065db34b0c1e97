import { Effect, Option, Schema, Stream } from "effect"
import { Domain, Kore, Multipart, Response, Route, Server, type UploadedFile } from "kore-fx"
import { createHash } from "node:crypto"

// --- a form with files: taken whole, or refused with the reason -------------------------------------------------------

// `filename` is safe to use below a directory of one's own; `rawFilename` is what the client sent.
const describe = (file: UploadedFile.UploadedFile) =>
  Effect.map(file.digest("sha256"), (digest) => {
    const sha256 = Option.getOrElse(digest, () => "none")
    return `${file.filename}, ${file.contentType}, ${file.size} bytes, sha256 ${sha256}\n`
  })

const form = Route.post(
  "/form",
  {
    multipart: { title: Schema.NonEmptyString, files: Multipart.Files.check(Schema.isMaxLength(3)) },
    bodyMax: "10 MiB"
  },
  function*({ multipart: { files, title } }) {
    const lines = yield* Effect.forEach(files, describe)
    return Response.text(`${title}\n${lines.join("")}`)
  }
)

// --- a body of any type: looked at while it arrives, and not kept -----------------------------------------------------

const raw = Route.put("/raw", { bodyMax: "1 MiB" }, function*({ request }) {
  const hash = createHash("sha256")
  const size = yield* Stream.runFold(request.stream, () => 0, (size, chunk) => {
    hash.update(chunk)
    return size + chunk.length
  })
  return Response.text(`${size} bytes, sha256 ${hash.digest("hex")}\n`)
})

export const app = Kore.app({
  config: { workers: 1, deployment: "development" },
  servers: { main: Server.tcp({ host: "127.0.0.1", port: Number(process.env["PORT"] ?? 8888), tls: false }) },
  worker: Domain.layer("*", { attach: "main" }, [form, raw])
})

if (import.meta.main) Effect.runFork(Kore.main(app))
