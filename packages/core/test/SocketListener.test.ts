import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as EffectScheduler from "effect/Scheduler"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import * as ChildProcess from "node:child_process"
import * as fs from "node:fs"
import * as net from "node:net"
import * as path from "node:path"
import * as Socket from "../src/Socket.ts"
import {
  anyPort,
  descriptors,
  directory,
  failure,
  receiveAll,
  start,
  text,
  uniqueName,
  until,
  untilWaiting,
  waits
} from "./fixtures/socket.ts"

/** How many connections were taken in and wait to be accepted. */
const arrived = (listener: Socket.Listener): number =>
  (listener as unknown as { readonly arrived: { readonly length: number } }).arrived.length

/** How many connections wait in the kernel of a TCP listener: the receive queue of a socket that listens. */
const queued = (listener: Socket.Listener): number => {
  const { port } = listener.address as Socket.Inet
  const local = `0100007F:${port.toString(16).toUpperCase().padStart(4, "0")}`
  const line = fs.readFileSync("/proc/net/tcp", "utf8").split("\n").find((line) =>
    line.includes(` ${local} 00000000:0000 0A`)
  )
  return Number.parseInt(/ 0A [0-9A-F]{8}:([0-9A-F]{8}) /.exec(line ?? "")?.[1] ?? "0", 16)
}

/** Which socket a descriptor of this process is. */
const socketOf = (descriptor: string): string | undefined => {
  try {
    return /^socket:.*/.exec(fs.readlinkSync(`/proc/self/fd/${descriptor}`))?.[0]
  } catch {
    return undefined // it was the one for reading the directory
  }
}

/** Answers a connection with a word and closes it. */
const echo = (socket: Socket.Stream) =>
  Effect.gen(function*() {
    const bytes = yield* Socket.recv(socket, 100)
    if (bytes._tag === "Some") yield* Socket.send(socket, bytes.value)
  })

describe("accept", () => {
  it.effect("gives the connections in the order in which they came, with the peer's address", () =>
    Effect.gen(function*() {
      const listener = yield* Socket.listen(anyPort)
      const clients = []
      for (let i = 0; i < 3; i++) clients.push(yield* Socket.connect(listener.address))
      for (const client of clients) {
        assert.deepStrictEqual((yield* Socket.accept(listener)).remote, client.local)
      }
    }))

  it.effect("several fibers may wait, and are served in the order in which they asked", () =>
    Effect.gen(function*() {
      const listener = yield* Socket.listen(anyPort)
      const order: Array<number> = []
      const fibers = []
      for (const number of [1, 2, 3]) {
        fibers.push(yield* start(Effect.tap(Socket.accept(listener), () => Effect.sync(() => order.push(number)))))
      }
      for (let i = 0; i < 3; i++) yield* Socket.connect(listener.address)
      yield* Fiber.awaitAll(fibers)
      assert.deepStrictEqual(order, [1, 2, 3])
    }))

  it.effect("times out, and loses nobody", () =>
    Effect.gen(function*() {
      const listener = yield* Socket.listen(anyPort)
      const what = `accept on ${Socket.format(listener.address)}`
      const accepting = yield* start(Effect.flip(Socket.accept(listener, { timeout: "1 minute" })))
      assert.deepStrictEqual(waits(), [what])
      yield* TestClock.adjust("1 minute")
      const error = yield* Fiber.join(accepting)
      assert.isTrue(Cause.isTimeoutError(error))
      assert.include(error.message, `${what} timed out after 1m. Nobody was taken in, and nobody was lost.`)
      const client = yield* Socket.connect(listener.address)
      assert.deepStrictEqual((yield* Socket.accept(listener, { timeout: "1 minute" })).remote, client.local)
    }))

  it.effect("interrupted, loses nobody", () =>
    Effect.gen(function*() {
      const listener = yield* Socket.listen(anyPort)
      const accepting = yield* start(Socket.accept(listener))
      yield* Fiber.interrupt(accepting)
      const client = yield* Socket.connect(listener.address)
      yield* until(() => arrived(listener) === 1)
      const next = yield* start(Socket.accept(listener))
      assert.deepStrictEqual((yield* Fiber.join(next)).remote, client.local)
    }))

  // The check for a pending interruption sits in other places when a fiber yields at almost every step.
  it.effect("interrupted anywhere, a connection was either accepted and closed, or is still there", () =>
    Effect.gen(function*() {
      const listener = yield* Socket.listen(anyPort)
      const before = descriptors() + 1
      for (let budget = 3; budget < 12; budget++) {
        for (let turns = 0; turns < 8; turns++) {
          yield* Effect.scoped(Effect.gen(function*() {
            const client = yield* Socket.connect(listener.address)
            const accepting = yield* start(Effect.provideService(
              Effect.scoped(Effect.andThen(Socket.accept(listener), Effect.never)),
              EffectScheduler.MaxOpsBeforeYield,
              budget
            ))
            for (let turn = 0; turn < turns; turn++) yield* Effect.yieldNow
            yield* Fiber.interrupt(accepting)
            const gone = yield* start(Socket.recv(client, 1))
            const accepted = yield* start(Socket.accept(listener))
            yield* until(() => gone.pollUnsafe() !== undefined || accepted.pollUnsafe() !== undefined)
            yield* Fiber.interruptAll([gone, accepted])
          }))
        }
      }
      yield* until(() => descriptors() <= before)
    }))

  it.effect("a client that is gone before it is accepted ends the process of nobody", () =>
    Effect.gen(function*() {
      const listener = yield* Socket.listen(anyPort)
      const { port } = listener.address as Socket.Inet
      const first = yield* start(Socket.accept(listener))
      const client = net.connect(port, "127.0.0.1")
      yield* Fiber.join(first)
      const gone = net.connect(port, "127.0.0.1")
      yield* until(() => arrived(listener) === 1)
      gone.resetAndDestroy()
      client.destroy()
      const socket = yield* Socket.accept(listener)
      assert.strictEqual(yield* failure(Effect.forever(Socket.recv(socket, 1))), "System ECONNRESET")
    }))
})

describe("back-pressure", () => {
  it.effect("nobody is taken in before somebody accepts, and 16 at most beyond those", () =>
    Effect.gen(function*() {
      const listener = yield* Socket.listen(anyPort)
      yield* Effect.forEach(Array.from({ length: 100 }), () => Socket.connect(listener.address), { concurrency: 10 })
      assert.strictEqual(arrived(listener), 0)
      assert.strictEqual(queued(listener), 100)
      yield* Socket.accept(listener)
      yield* until(() => arrived(listener) === 16)
      for (let i = 0; i < 20; i++) yield* Effect.yieldNow
      assert.strictEqual(arrived(listener), 16)
      assert.strictEqual(queued(listener), 83)
      for (let i = 0; i < 99; i++) {
        yield* Socket.accept(listener)
        assert.isAtMost(arrived(listener), 16)
      }
      assert.strictEqual(queued(listener), 0)
    }))

  it.effect("a server of ten fibers serves ten at once, and all in the end", () =>
    Effect.gen(function*() {
      const listener = yield* Socket.listen(anyPort)
      let inside = 0
      let most = 0
      const handle = Effect.acquireUseRelease(
        Effect.sync(() => most = Math.max(most, ++inside)),
        () => Effect.flatMap(Socket.accept(listener), echo),
        () => Effect.sync(() => inside--)
      )
      yield* Effect.forkChild(
        Effect.replicateEffect(Effect.forever(Effect.scoped(handle)), 10, { concurrency: "unbounded", discard: true })
      )
      const ask = (number: number) =>
        Effect.scoped(Effect.gen(function*() {
          const socket = yield* Socket.connect(listener.address)
          yield* Socket.send(socket, `${number}`)
          return (yield* receiveAll(socket)).toString()
        }))
      const numbers = Array.from({ length: 200 }, (_, number) => number)
      const answers = yield* Effect.forEach(numbers, ask, { concurrency: 50 })
      assert.deepStrictEqual(answers, numbers.map(String))
      assert.strictEqual(most, 10)
    }))

  it.effect("500 connections at once are echoed, and all descriptors are free again", () =>
    Effect.gen(function*() {
      const listener = yield* Socket.listen(anyPort)
      const before = descriptors()
      yield* Effect.scoped(Effect.gen(function*() {
        const accepting = yield* start(
          Effect.forEach(Array.from({ length: 500 }), () => Socket.accept(listener), { concurrency: 1 })
        )
        const clients = yield* Effect.forEach(
          Array.from({ length: 500 }, (_, number) => number),
          (number) => Effect.map(Socket.connect(listener.address), (socket) => ({ number, socket })),
          { concurrency: 100 }
        )
        const servers = yield* Fiber.join(accepting)
        assert.isAtLeast(descriptors(), before + 1000)
        yield* Effect.forEach(clients, ({ number, socket }) => Socket.send(socket, `hello ${number}`))
        yield* Effect.forEach(servers, echo, { concurrency: "unbounded" })
        const answers = yield* Effect.forEach(clients, ({ socket }) => Socket.recv(socket, 100))
        assert.deepStrictEqual(answers.map(text), clients.map(({ number }) => `hello ${number}`))
      }))
      // The one that Node has of the listener while it takes in connections.
      yield* until(() => descriptors() <= before + 1)
    }), 60_000)
})

describe("close", () => {
  it.effect("wakes who waits, is idempotent, and frees the address and the descriptors", () =>
    Effect.gen(function*() {
      const before = descriptors()
      const listener = yield* Socket.listen(anyPort)
      const pending = [yield* start(failure(Socket.accept(listener))), yield* start(failure(Socket.accept(listener)))]
      yield* untilWaiting(/^accept on/, 2)
      yield* Socket.close(listener)
      yield* Socket.close(listener)
      assert.deepStrictEqual(yield* Effect.forEach(pending, (fiber) => Fiber.join(fiber)), ["Closed", "Closed"])
      assert.strictEqual(yield* failure(Socket.accept(listener)), "Closed")
      assert.strictEqual(yield* failure(Socket.connect(listener.address)), "System ECONNREFUSED")
      yield* Socket.close(yield* Socket.listen(listener.address))
      yield* until(() => descriptors() === before)
    }))

  it.effect("closes those who wait to be accepted, and leaves those who were", () =>
    Effect.gen(function*() {
      const listener = yield* Socket.listen(anyPort)
      const accepted = yield* Socket.connect(listener.address)
      const waiting = yield* Socket.connect(listener.address)
      const server = yield* Socket.accept(listener)
      yield* until(() => arrived(listener) === 1)
      yield* Socket.close(listener)
      assert.strictEqual((yield* Effect.exit(receiveAll(waiting)))._tag, "Success")
      yield* Socket.send(server, "still here")
      assert.strictEqual(text(yield* Socket.recv(accepted, 100)), "still here")
    }))
})

describe("listen", () => {
  it.effect("fails with the code, the address and what to do", () =>
    Effect.gen(function*() {
      const listener = yield* Socket.listen(anyPort)
      const error = yield* Effect.flip(Socket.listen(listener.address))
      assert.deepInclude(error, { operation: "listen", code: "EADDRINUSE", address: Socket.format(listener.address) })
      assert.include(error.message, "address already in use (EADDRINUSE)")
      assert.include(error.message, "choose another port (0 finds a free one) or path")
      assert.strictEqual(yield* failure(Socket.listen({ host: "192.0.2.1", port: 0 })), "System EADDRNOTAVAIL")
      const unknown = yield* Effect.flip(Socket.listen({ host: "kore-fx.invalid", port: 0 }))
      assert.strictEqual(unknown.reason, "UnknownHost")
    }))

  it.effect("failures leave no descriptor", () =>
    Effect.gen(function*() {
      const listener = yield* Socket.listen(anyPort)
      const before = descriptors()
      for (let i = 0; i < 20; i++) yield* Effect.exit(Socket.listen(listener.address))
      assert.strictEqual(descriptors(), before)
    }))

  it.effect("an IPv6 address takes no IPv4 connections", () =>
    Effect.gen(function*() {
      const listener = yield* Socket.listen({ host: "::", port: 0 })
      const { port } = listener.address as Socket.Inet
      assert.strictEqual(yield* failure(Socket.connect({ host: "127.0.0.1", port })), "System ECONNREFUSED")
      yield* Socket.connect({ host: "::1", port })
    }))

  for (const backlog of [0, -1, 1.5, NaN]) {
    it.effect(`a backlog of ${backlog} is refused`, () =>
      Effect.gen(function*() {
        assert.strictEqual(yield* failure(Socket.listen(anyPort, { backlog })), "BadArgument")
      }))
  }

  it.effect("bounds how many wait in the kernel by the backlog, before and after the first accept", () =>
    Effect.gen(function*() {
      const listener = yield* Socket.listen({ path: uniqueName() }, { backlog: 1 })
      const connect = Effect.map(Effect.exit(Socket.connect(listener.address)), Exit.isSuccess)
      // A UNIX socket queues one more than its backlog.
      assert.deepStrictEqual(yield* Effect.replicateEffect(connect, 4), [true, true, false, false])
      let connected = 2
      yield* Socket.accept(listener)
      while (arrived(listener) < 16) {
        if (yield* connect) connected++
        yield* Effect.yieldNow
      }
      while (yield* connect) connected++
      assert.strictEqual(connected, 1 + 16 + 2)
    }))

  it.effect("with reusePort several listen on one port, and each connection comes to one of them", () =>
    Effect.gen(function*() {
      const first = yield* Socket.listen(anyPort, { reusePort: true })
      const second = yield* Socket.listen(first.address, { reusePort: true })
      assert.deepStrictEqual(second.address, first.address)
      const accepted = [0, 0]
      for (const [index, listener] of [first, second].entries()) {
        yield* start(Effect.forever(Effect.tap(Socket.accept(listener), () => Effect.sync(() => accepted[index]!++))))
      }
      yield* Effect.forEach(Array.from({ length: 64 }), () => Socket.connect(first.address))
      yield* until(() => accepted[0]! + accepted[1]! === 64)
      // By the clients' ports: that all of them fall to one is as likely as 63 times heads.
      assert.isAbove(Math.min(...accepted), 0)
      yield* Socket.close(first)
      yield* Socket.connect(second.address)
      yield* until(() => accepted[0]! + accepted[1]! === 65)
    }))

  it.effect("a port is shared only when all of them say so", () =>
    Effect.gen(function*() {
      const shared = yield* Socket.listen(anyPort, { reusePort: true })
      assert.strictEqual(yield* failure(Socket.listen(shared.address)), "System EADDRINUSE")
      const alone = yield* Socket.listen(anyPort)
      assert.strictEqual(yield* failure(Socket.listen(alone.address, { reusePort: true })), "System EADDRINUSE")
    }))

  it.effect("a path is not shared, nor what is bound already; nothing is done", () =>
    Effect.gen(function*() {
      const before = descriptors()
      const error = yield* Effect.flip(Socket.listen({ path: uniqueName() }, { reusePort: true }))
      assert.deepInclude(error, { operation: "listen", reason: "BadArgument" })
      assert.include(error.message, "listeners cannot share a path")
      assert.strictEqual(descriptors(), before)
      const made = yield* Socket.make("inet", "stream")
      yield* Socket.bind(made, anyPort)
      assert.strictEqual(yield* failure(Socket.listen(made, { reusePort: true })), "BadArgument")
      yield* Socket.connect((yield* Socket.listen(made)).address)
    }))

  it.effect("a process that is started by hand does not inherit it", () =>
    Effect.gen(function*() {
      const listener = yield* Socket.listen(anyPort)
      yield* start(Socket.accept(listener))
      const own = fs.readdirSync("/proc/self/fd").map(socketOf).filter((socket) => socket !== undefined)
      assert.isAtLeast(own.length, 2)
      const listing = ChildProcess.execFileSync("ls", ["-l", "/proc/self/fd"], { encoding: "utf8" })
      for (const socket of own) assert.notInclude(listing, socket)
    }))
})

describe("a UNIX socket", () => {
  it.effect("has a file while it listens, and replaces one that nobody listens on", () =>
    Effect.gen(function*() {
      const file = path.join(yield* directory, "x.sock")
      // A process that is killed leaves its file.
      const then = "() => process.kill(process.pid, 'SIGKILL')"
      ChildProcess.spawnSync(process.execPath, ["-e",
        `require("net").createServer().listen(${JSON.stringify(file)}, ${then})`])
      assert.isTrue(fs.existsSync(file))
      const scope = yield* Scope.make()
      const listener = yield* Scope.provide(Socket.listen({ path: file }), scope)
      assert.deepStrictEqual(listener.address, { _tag: "Unix", path: file })
      yield* Socket.connect(listener.address)
      yield* Socket.accept(listener)
      assert.isTrue(fs.existsSync(file))
      yield* Scope.close(scope, Exit.void)
      assert.isFalse(fs.existsSync(file))
    }))

  it.effect("does not replace one that somebody listens on, or a file of another kind", () =>
    Effect.gen(function*() {
      const folder = yield* directory
      const file = path.join(folder, "x.sock")
      yield* Socket.listen({ path: file })
      assert.strictEqual(yield* failure(Socket.listen({ path: file })), "System EADDRINUSE")
      yield* Socket.connect({ path: file })
      fs.writeFileSync(path.join(folder, "precious"), "gold")
      const error = yield* Effect.flip(Socket.listen({ path: path.join(folder, "precious") }))
      assert.include(error.message, "a file that is no socket is there (EADDRINUSE)")
      assert.strictEqual(fs.readFileSync(path.join(folder, "precious"), "utf8"), "gold")
    }))

  it.effect("an abstract one has no file", () =>
    Effect.gen(function*() {
      const name = uniqueName()
      const listener = yield* Socket.listen({ path: name })
      yield* Socket.connect({ path: name })
      yield* Socket.accept(listener)
      assert.isFalse(fs.existsSync(name))
    }))
})
