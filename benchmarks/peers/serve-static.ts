/** `serve-static`, which Express brings along, on `node:http`. */
import * as Http from "node:http"
import serveStatic from "serve-static"
import { directory } from "../scenarios/files.ts"

const serve = serveStatic(directory)

Http.createServer((request, response) => {
  const { url = "/" } = request
  request.url = url.startsWith("/files/") ? url.slice("/files".length) : "/none"
  serve(request, response, () => void response.writeHead(404).end())
}).listen(Number(process.env["PORT"]), "127.0.0.1")
