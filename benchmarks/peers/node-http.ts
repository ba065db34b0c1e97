/** Raw `node:http`: what Node offers without any framework, paths and bodies checked by hand. */
import * as Http from "node:http"
import { gzip } from "node:zlib"
import { catalog } from "../scenarios/catalog.ts"
import { isOrder } from "../scenarios/order.ts"

const send = (response: Http.ServerResponse, status: number, contentType: string, body: string): void => {
  response.writeHead(status, {
    "content-type": contentType,
    "server": "node-http",
    "content-length": Buffer.byteLength(body)
  })
  response.end(body)
}

const sendJson = (response: Http.ServerResponse, status: number, value: unknown): void =>
  send(response, status, "application/json", JSON.stringify(value))

const POST = /^\/users\/(\d+)\/posts\/([^/]+)$/

const postOrder = (request: Http.IncomingMessage, response: Http.ServerResponse): void => {
  const chunks: Array<Buffer> = []
  request.on("data", (chunk: Buffer) => chunks.push(chunk))
  request.on("end", () => {
    let order: unknown
    try {
      order = JSON.parse(Buffer.concat(chunks).toString())
    } catch {
      return sendJson(response, 400, { error: "not JSON" })
    }
    if (isOrder(order)) sendJson(response, 200, order)
    else sendJson(response, 400, { error: "not an order" })
  })
}

const sendCatalog = (response: Http.ServerResponse): void =>
  gzip(JSON.stringify(catalog), (error, bytes) => {
    if (error !== null) return void response.destroy(error)
    const encoding = { "content-encoding": "gzip", vary: "accept-encoding" }
    response.writeHead(200, {
      "content-type": "application/json",
      "server": "node-http",
      ...encoding,
      "content-length": bytes.length
    })
    response.end(bytes)
  })

Http.createServer((request, response) => {
  const { method, url = "/" } = request
  if (method === "GET" && url === "/") return send(response, 200, "text/plain; charset=utf-8", "Hello, world!")
  if (method === "POST" && url === "/orders") return postOrder(request, response)
  if (method === "GET" && url === "/catalog") return sendCatalog(response)
  const match = method === "GET" ? POST.exec(url) : null
  if (match === null) return sendJson(response, 404, { error: "not found" })
  const id = Number(match[1])
  const slug = decodeURIComponent(match[2]!)
  if (!Number.isSafeInteger(id)) return sendJson(response, 400, { error: "id is not an integer" })
  sendJson(response, 200, { id, slug, title: `Post ${slug} of user ${id}` })
}).listen(Number(process.env["PORT"]), "127.0.0.1")
