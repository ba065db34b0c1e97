/**
 * Two connected sockets of this process: a child writes its output and its errors into one, we read the other.
 *
 * When to reach for it: only through `Process`, for `output: "merged"`.
 * What it is not: what Node gives a child by itself. That are two pipes, and what came first cannot be told of two.
 * Node offers no pipe(2) nor socketpair(2), but a process can connect to itself.
 *
 * There is one listening socket, made at the first need. On Linux its name is abstract: no file, nothing to clean up,
 * and it works after chroot. Elsewhere it is in a directory of our own. A connection says a secret first, and one that
 * does not is closed: nobody else can get between the two ends.
 */
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"
import * as crypto from "node:crypto"
import * as fs from "node:fs"
import * as net from "node:net"
import * as os from "node:os"
import * as path from "node:path"
import { codeOf } from "./ProcessGroup.ts"

const secretLength = 16

// How long a connection may take to say its secret, in milliseconds.
const patience = 1000

// Fewer than the system lets wait for a listening socket; it refuses more.
const connecting = Semaphore.makeUnsafe(100)

let listener: Listener | undefined

/** A pair; `open` it once. */
export class SocketPair {
  private inner: net.Socket | undefined
  private outer: net.Socket | undefined

  /** The end to read. */
  get reading(): net.Socket {
    return this.inner!
  }

  /** The end to give away; close ours then with `given`. */
  get writing(): net.Socket {
    return this.outer!
  }

  /** Connects it; fails with the system's code. */
  readonly open: Effect.Effect<void, string> = Semaphore.withPermit(connecting, Effect.callback((resume) => {
    const server = listener ??= new Listener()
    const fail = (error: Error) => {
      server.forget(secret)
      resume(Effect.fail(codeOf(error)))
    }
    const secret = server.expect((socket) => {
      this.inner = socket
      resume(Effect.void)
    }, fail)
    this.outer = net.connect({ path: server.path }, () => this.outer!.write(secret, "latin1"))
    this.outer.on("error", fail)
    return Effect.sync(() => server.forget(secret))
  }))

  /** Closes our copy of the end that a child has. */
  given(): void {
    this.outer?.destroy()
  }

  destroy(): void {
    this.outer?.destroy()
    this.inner?.destroy()
  }
}

class Listener {
  readonly path: string
  private readonly server: net.Server
  private readonly expected = new Map<string, readonly [(socket: net.Socket) => void, (error: Error) => void]>()

  constructor() {
    const name = crypto.randomUUID()
    if (process.platform === "linux") this.path = `\0kore-fx-proc-${name}`
    else {
      const directory = fs.mkdtempSync(path.join(os.tmpdir(), "kore-fx-"))
      this.path = path.join(directory, "output")
      process.once("exit", () => fs.rmSync(directory, { recursive: true, force: true }))
    }
    this.server = net.createServer((socket) => this.greet(socket))
    this.server.on("error", (error) => {
      listener = undefined
      for (const [, fail] of this.expected.values()) fail(error)
    })
    this.server.listen({ path: this.path, exclusive: true })
    this.server.unref()
  }

  expect(found: (socket: net.Socket) => void, failed: (error: Error) => void): string {
    const secret = crypto.randomBytes(secretLength).toString("latin1")
    this.expected.set(secret, [found, failed])
    return secret
  }

  forget(secret: string): void {
    this.expected.delete(secret)
  }

  private greet(socket: net.Socket): void {
    const drop = () => socket.destroy()
    socket.on("error", drop)
    socket.setTimeout(patience, drop)
    socket.once("data", (secret) => {
      const waiting = this.expected.get(secret.toString("latin1"))
      if (waiting === undefined) return drop()
      this.expected.delete(secret.toString("latin1"))
      socket.setTimeout(0)
      socket.removeAllListeners("timeout").pause()
      waiting[0](socket)
    })
  }
}
