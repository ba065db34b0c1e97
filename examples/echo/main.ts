import { Effect, Layer, Option, Schedule, type Scope } from "effect"
import { Kore, Socket, type SocketError, Task } from "kore-fx"

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

/** A task of a client: waits until one is there, and leaves waiting for the next one to another task. */
const client = (
  listener: Socket.Listener
): Effect.Effect<void, SocketError.SocketError, Scope.Scope | Task.Tasks> =>
  Effect.gen(function*() {
    const socket = yield* Socket.accept(listener).pipe(
      // The system may have run out of something: it may go better later.
      Effect.retry(Schedule.spaced("1 second")),
      // The worker stops: the door is closed first.
      Effect.onInterrupt(() => Socket.close(listener))
    )
    const peer = Socket.format(socket.remote)
    yield* Task.create(client(listener), { name: "next client" })
    yield* Task.setName(`client ${peer}`)
    yield* Effect.catch(echo(socket), (error) => Effect.log(error.message))
  })

const server = Layer.effectDiscard(Effect.gen(function*() {
  const listener = yield* Socket.listen({ host: "127.0.0.1", port: Number(process.env["PORT"] ?? 8888) })
  yield* Effect.log(`echo listens on ${Socket.format(listener.address)}`)
  yield* Task.create(client(listener), { name: "next client" })
}))

export const app = Kore.app({ config: { workers: 1, deployment: "development" }, servers: {}, worker: server })

if (import.meta.main) Effect.runFork(Kore.main(app))
