/**
 * The floor: `node:net` that writes canned bytes and reads nothing of what it gets.
 *
 * Every request is known to have the same length, so counting bytes is enough to know how many answers are due. The
 * answer has the length of kore-fx's, header for header.
 */
import * as Net from "node:net"
import { byName } from "../scenarios/byName.ts"

const { body, contentType, request } = byName(process.env["SCENARIO"] ?? "hello")

const answer = "HTTP/1.1 200 OK\r\nconnection: keep-alive\r\nkeep-alive: timeout=20\r\n" +
  `content-type: ${contentType}\r\nserver: raw-net\r\ndate: Tue, 24 Nov 2026 09:30:00 GMT\r\n` +
  `content-length: ${body.length}\r\n\r\n${body}`

Net.createServer({ noDelay: true }, (socket) => {
  let received = 0
  socket.on("data", (chunk) => {
    received += chunk.length
    const due = Math.floor(received / request.length)
    received -= due * request.length
    if (due > 0) socket.write(due === 1 ? answer : answer.repeat(due), "latin1")
  })
  socket.on("error", () => socket.destroy())
}).listen(Number(process.env["PORT"]), "127.0.0.1")
