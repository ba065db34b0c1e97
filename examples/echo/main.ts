import { Effect, Layer, Option } from "effect"
import { Kore, Socket } from "kore-fx"

/** Sends back what it receives, to the end of the stream. */
const echo = Effect.fnUntraced(function*(socket: Socket.Stream) {
  // However it ends: what is on its way is sent, and the client receives the end.
  yield* Effect.addFinalizer(() => Effect.ignore(Effect.timeout(Socket.end(socket), "1 second")))
  while (true) {
    const data = yield* Socket.recv(socket, 65536)
    if (Option.isNone(data)) return
    // A client that does not read makes this wait, and nobody else.
    yield* Socket.send(socket, data.value)
  }
})

const server = Layer.effectDiscard(Effect.gen(function*() {
  const port = Number(process.env["PORT"] ?? 8888)
  // Every worker listens by itself, which only Linux divides among several.
  const listener = yield* Socket.listen({ host: "127.0.0.1", port }, { reusePort: process.platform === "linux" })
  yield* Effect.log(`echo listens on ${Socket.format(listener.address)}`)
  yield* Effect.forkScoped(Socket.serve(listener, echo, { name: "echo", concurrency: 1_000, drain: "1 second" }))
}))

export const app = Kore.app({ config: { workers: 1, deployment: "development" }, servers: {}, worker: server })

if (import.meta.main) Effect.runFork(Kore.main(app))
