/**
 * The clients of a soak: opens connections, sends a line on each, counts those that come back as they were sent.
 *
 * When to reach for it: `echo.ts` starts it as `echoClient.ts <port> <connections>`. It ends with its channel.
 * What it is not: made with kore-fx. What measures must not be what is measured.
 */
import { once } from "node:events"
import * as net from "node:net"
import type { Echoes } from "./echo.ts"

const [port, count] = process.argv.slice(2).map(Number) as [number, number]

/** So many connect at once; the others wait for their turn. */
const atOnce = 256

const connect = async (): Promise<net.Socket> => {
  const socket = net.connect(port, "127.0.0.1")
  await once(socket, "connect")
  return socket
}

const echoed = async (socket: net.Socket, line: string): Promise<boolean> => {
  let received = ""
  socket.setEncoding("latin1")
  socket.write(line)
  while (received.length < line.length) {
    const [chunk] = await once(socket, "data") as [string]
    received += chunk
  }
  return received === line
}

const sockets: Array<net.Socket> = []
const start = performance.now()
let left = count
await Promise.all(Array.from({ length: atOnce }, async () => {
  while (left-- > 0) sockets.push(await connect())
}))
const connected = performance.now()
const results = await Promise.allSettled(sockets.map((socket, index) => echoed(socket, `hello ${index}\n`)))
const done = performance.now()

const echoes: Echoes = {
  right: results.filter((result) => result.status === "fulfilled" && result.value).length,
  connecting: connected - start,
  echoing: done - connected
}
process.on("disconnect", () => {
  for (const socket of sockets) socket.end()
})
process.send!(echoes)
