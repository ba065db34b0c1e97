import { kore } from "kore-fx/legacy"

class EchoApp {
  configure() {
    kore.config.workers = 1
    kore.config.deployment = "dev"
  }

  workerstart() {
    const plain = kore.socket.socket(kore.socket.AF_INET, kore.socket.SOCK_STREAM)
    plain.setsockopt(kore.socket.SOL_SOCKET, kore.socket.SO_REUSEADDR, 1)
    plain.bind(["127.0.0.1", Number(process.env["PORT"] ?? 8888)])
    plain.listen()
    kore.log(kore.LOG_INFO, `echo listens on ${plain.getsockname().join(":")}`)
    kore.task_create(this.accept(kore.socket_wrap(plain)))
  }

  // Killed, because the worker stops, it closes the door first.
  *accept(listener: kore.Socket) {
    try {
      while (true) {
        try {
          kore.task_create(this.echo(yield* listener.accept()))
        } catch (error) {
          // The system may have run out of something: it may go better later.
          kore.log(kore.LOG_ERR, String(error))
          yield* kore.suspend(1000)
        }
      }
    } finally {
      listener.close()
    }
  }

  /** Sends back what it receives, to the end of the stream. */
  *echo(client: kore.Socket) {
    try {
      // A client that does not read makes the send wait, and nobody else.
      for (let data = yield* client.recv(65536); data !== null; data = yield* client.recv(65536)) {
        yield* client.send(data)
      }
    } catch (error) {
      kore.log(kore.LOG_INFO, String(error))
    } finally {
      client.close()
    }
  }
}

export const koreapp = new EchoApp()

if (import.meta.main) kore.run(koreapp)
