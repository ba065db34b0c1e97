import { Effect } from "effect"
import { Domain, Filemap, FileResponse, Kore, Response, Route, Server } from "kore-fx"

// Everything below a directory. Browsers keep what has a hash in its name, and ask again for the rest.
const site = Filemap.routes("/static", new URL("public/", import.meta.url), {
  cacheControl: (path) => /-[0-9a-f]{8}\./.test(path) ? "public, max-age=31536000, immutable" : "no-cache"
})

// A file map is routes among routes: one with an exact path goes before it, wherever it stands.
const version = Route.get("/static/version", () => Effect.succeed(Response.text("7\n")))

// One file that a handler chooses, under a name for the browser. With `root`, the path may come from the client.
const download = Route.get("/download/:name", ({ path, request }) =>
  FileResponse.make(request, path.name, {
    root: new URL("public/", import.meta.url),
    filename: path.name,
    cacheControl: "private"
  }))

export const app = Kore.app({
  config: { workers: 1, deployment: "development" },
  servers: { main: Server.tcp({ host: "127.0.0.1", port: Number(process.env["PORT"] ?? 8888), tls: false }) },
  worker: Domain.layer("*", { attach: "main" }, [...site, version, download])
})

if (import.meta.main) Effect.runFork(Kore.main(app))
