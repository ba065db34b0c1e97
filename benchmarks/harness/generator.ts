/**
 * The built-in load generator: a program that sends a scenario's request on keep-alive connections and counts complete
 * answers by their `content-length`.
 *
 * When to reach for it: `builtin.ts` runs `generator.ts <port> <scenario> <seconds>` and reads one line of JSON.
 * What it is not: a parser of HTTP. It trusts that every answer has a `content-length`, which the first one is checked for.
 */
import * as Net from "node:net"
import { byName } from "../scenarios/byName.ts"

const [port, name, seconds] = process.argv.slice(2)
const scenario = byName(name!)
const batch = Buffer.from(scenario.request.repeat(scenario.pipeline), "latin1")

const HEAD_END = Buffer.from("\r\n\r\n")
const OK = Buffer.from("HTTP/1.1 200 ")
const LENGTH = /\r\ncontent-length: *(\d+)/i

let requests = 0
let errors = 0
let ending = false

const connect = (): Net.Socket => {
  let rest: Buffer | undefined
  let due = scenario.pipeline
  const socket = Net.connect({ port: Number(port), host: "127.0.0.1", noDelay: true }, () => socket.write(batch))
  socket.on("data", (chunk: Buffer) => {
    if (rest !== undefined) chunk = Buffer.concat([rest, chunk])
    let at = 0
    while (at < chunk.length) {
      const end = chunk.indexOf(HEAD_END, at)
      if (end < 0) break
      const length = LENGTH.exec(chunk.toString("latin1", at, end))
      const next = end + HEAD_END.length + Number(length?.[1])
      if (!(next <= chunk.length)) break
      requests++
      if (chunk.compare(OK, 0, OK.length, at, at + OK.length) !== 0) errors++
      at = next
      if (--due > 0) continue
      due = scenario.pipeline
      socket.write(batch)
    }
    rest = at === chunk.length ? undefined : chunk.subarray(at)
  })
  socket.on("error", () => {})
  socket.on("close", () => {
    if (!ending) errors++
  })
  return socket
}

const start = performance.now()
const sockets = Array.from({ length: scenario.connections }, connect)

setTimeout(() => {
  ending = true
  for (const socket of sockets) socket.destroy()
  console.log(JSON.stringify({ requests, seconds: (performance.now() - start) / 1000, errors }))
}, Number(seconds) * 1000)
