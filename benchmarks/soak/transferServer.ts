/** The app of the `transfer` soak, as its users run it: uploads that are kept in files, and files to download. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Domain, Filemap, Kore, Multipart, Response, Route, Server, StoredBody } from "kore-fx"

const [bodies, files] = process.argv.slice(2)
const bodyMax = "1 TiB"

const raw = Route.put("/raw", { bodyMax }, function*({ request }) {
  const body = yield* StoredBody.store(request, { digest: "sha256" })
  return Response.text(Option.getOrElse(yield* body.digest(), () => ""))
})

const form = Route.post("/form", { bodyMax }, function*({ request }) {
  const { files } = yield* Multipart.collect(request, { maxFileSize: bodyMax })
  return Response.text(Option.getOrElse(yield* files[0]!.digest(), () => ""))
})

const app = Kore.app({
  config: {
    workers: 1,
    httpBodyDiskOffload: "1 MiB",
    httpBodyDiskPath: bodies!,
    httpBodyTimeout: "10 minutes"
  },
  servers: { main: Server.tcp({ host: "127.0.0.1", port: Number(process.env["PORT"]), tls: false }) },
  worker: Domain.layer("*", { attach: "main" }, [raw, form, ...Filemap.routes("/files", files!)])
})

Effect.runFork(Kore.main(app))
