import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as dgram from "node:dgram"
import * as net from "node:net"
import * as path from "node:path"
import * as Socket from "../src/Socket.ts"
import {
  anyPort,
  directory,
  failure,
  pattern,
  receiveAll,
  start,
  text,
  uniqueName,
  until,
  waits
} from "./fixtures/socket.ts"

/** A server of Node's. */
const nodeServer = (target: { readonly port: number } | { readonly path: string }, options: net.ServerOpts = {}) =>
  Effect.acquireRelease(
    Effect.callback<net.Server>((resume) => {
      const server = net.createServer(options)
      server.listen({ ...target, ...("port" in target ? { host: "127.0.0.1" } : {}) }, () =>
        resume(Effect.succeed(server)))
    }),
    (server) => Effect.sync(() => server.close())
  )

/** A bound UDP socket of Node's. */
const nodeUdp = Effect.acquireRelease(
  Effect.callback<dgram.Socket>((resume) => {
    const socket = dgram.createSocket("udp4")
    socket.bind(0, "127.0.0.1", () => resume(Effect.succeed(socket)))
  }),
  (socket) =>
    Effect.sync(() => {
      try {
        socket.close()
      } catch {
        // closed by what wrapped it
      }
    })
)

describe("fromNet", () => {
  it.effect("a socket that is connecting is waited for, and then works as any other", () =>
    Effect.gen(function*() {
      const listener = yield* Socket.listen(anyPort)
      const { port } = listener.address as Socket.Inet
      const client = yield* Socket.fromNet(net.connect(port, "127.0.0.1"))
      const server = yield* Socket.accept(listener)
      assert.deepStrictEqual(client.remote, server.local)
      yield* Socket.send(client, "hello")
      assert.strictEqual(text(yield* Socket.recv(server, 10)), "hello")
      yield* Socket.close(server)
      assert.strictEqual(text(yield* Socket.recv(client, 10)), undefined)
    }))

  it.effect("fails as connect does, and no error ends the process", () =>
    Effect.gen(function*() {
      const listener = yield* Socket.listen(anyPort)
      const { port } = listener.address as Socket.Inet
      yield* Socket.close(listener)
      assert.strictEqual(yield* failure(Socket.fromNet(net.connect(port, "127.0.0.1"))), "System ECONNREFUSED")
    }))

  it.effect("interrupted while it connects, destroys it", () =>
    Effect.gen(function*() {
      const node = net.connect({ host: "localhost", port: 9 })
      const wrapping = yield* start(Effect.scoped(Socket.fromNet(node)))
      assert.deepStrictEqual(waits(), ["fromNet of a socket of Node that connects"])
      yield* Fiber.interrupt(wrapping)
      assert.isTrue(node.destroyed)
    }))

  it.effect("one that is not connected, or destroyed, is refused", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* failure(Socket.fromNet(new net.Socket())), "BadArgument")
      const listener = yield* Socket.listen(anyPort)
      const node = net.connect((listener.address as Socket.Inet).port, "127.0.0.1")
      yield* until(() => !node.pending)
      node.destroy()
      assert.match(yield* failure(Socket.fromNet(node)), /^(Closed|BadArgument)$/)
    }))

  it.effect("destroyed by its owner, operations fail with Closed", () =>
    Effect.gen(function*() {
      const listener = yield* Socket.listen(anyPort)
      const node = net.connect((listener.address as Socket.Inet).port, "127.0.0.1")
      const socket = yield* Socket.fromNet(node)
      const receiving = yield* start(failure(Socket.recv(socket, 1)))
      const sending = yield* start(failure(Effect.forever(Socket.send(socket, pattern(65_536)))))
      yield* until(() => waits().length === 2)
      node.destroy()
      assert.deepStrictEqual([yield* Fiber.join(receiving), yield* Fiber.join(sending)], ["Closed", "Closed"])
    }))

  it.effect("kore §13: with keep, close leaves it open, with what was not received and its owner's listeners", () =>
    Effect.gen(function*() {
      const listener = yield* Socket.listen(anyPort)
      const node = net.connect((listener.address as Socket.Inet).port, "127.0.0.1")
      const mine = () => {}
      node.on("error", mine)
      const scope = yield* Scope.make()
      const socket = yield* Scope.provide(Socket.fromNet(node, { onClose: "keep" }), scope)
      const server = yield* Socket.accept(listener)
      yield* Socket.send(server, "hello world")
      assert.strictEqual(text(yield* Socket.recv(socket, 5)), "hello")
      const pending = yield* start(failure(Effect.andThen(Socket.recv(socket, 100), Socket.recv(socket, 100))))
      yield* until(() => waits().length === 1)
      yield* Socket.send(server, "!")
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(yield* Fiber.join(pending), "Closed")
      assert.isFalse(node.destroyed)
      assert.deepStrictEqual(node.listeners("error"), [mine])
      node.write("still here")
      assert.strictEqual(text(yield* Socket.recv(server, 100)), "still here")
      let rest = ""
      node.on("data", (chunk) => (rest += chunk)).resume()
      yield* until(() => rest === "!")
      node.destroy()
    }))

  it.effect("with keep, what was read and not received goes back", () =>
    Effect.gen(function*() {
      const listener = yield* Socket.listen(anyPort)
      const node = net.connect((listener.address as Socket.Inet).port, "127.0.0.1")
      const socket = yield* Socket.fromNet(node, { onClose: "keep" })
      const server = yield* Socket.accept(listener)
      yield* Socket.send(server, "hello world")
      assert.strictEqual(text(yield* Socket.recv(socket, 6)), "hello ")
      yield* Socket.close(socket)
      assert.strictEqual(String(node.read()), "world")
      node.destroy()
    }))
})

describe("fromServer", () => {
  it.effect("accepts what Node takes in, TCP and UNIX, and says where", () =>
    Effect.gen(function*() {
      const name = uniqueName()
      const targets = [{ port: 0 }, { path: path.join(yield* directory, "x.sock") }, { path: `\0${name.slice(1)}` }]
      for (const target of targets) {
        const listener = yield* Socket.fromServer(yield* nodeServer(target))
        const client = yield* Socket.connect(listener.address)
        const server = yield* Socket.accept(listener)
        yield* Socket.send(client, "hello")
        yield* Socket.end(client)
        assert.strictEqual((yield* receiveAll(server)).toString(), "hello")
      }
    }))

  it.effect("at most 128 wait, and those who come then are closed", () =>
    Effect.gen(function*() {
      const listener = yield* Socket.fromServer(yield* nodeServer({ port: 0 }))
      const arrived = (listener as unknown as { readonly arrived: { readonly length: number } }).arrived
      const clients = yield* Effect.forEach(Array.from({ length: 130 }), () => Socket.connect(listener.address))
      yield* until(() => arrived.length === 128)
      assert.strictEqual((yield* Effect.exit(Socket.recv(clients[129]!, 1)))._tag, "Success")
      for (let i = 0; i < 128; i++) yield* Socket.accept(listener)
      yield* Socket.connect(listener.address)
      yield* Socket.accept(listener)
    }))

  it.effect("close wakes who waits and closes the server, or keeps it", () =>
    Effect.gen(function*() {
      for (const onClose of ["close", "keep"] as const) {
        const server = yield* nodeServer({ port: 0 })
        const listener = yield* Socket.fromServer(server, { onClose })
        const accepting = yield* start(failure(Socket.accept(listener)))
        yield* Socket.close(listener)
        assert.strictEqual(yield* Fiber.join(accepting), "Closed")
        assert.strictEqual(server.listening, onClose === "keep")
        assert.strictEqual(server.listenerCount("connection"), 0)
      }
    }))

  it.effect("a server that does not listen is refused, and one closed by its owner wakes who waits", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* failure(Socket.fromServer(net.createServer())), "BadArgument")
      const server = yield* nodeServer({ port: 0 })
      const listener = yield* Socket.fromServer(server)
      const accepting = yield* start(failure(Socket.accept(listener)))
      server.close()
      assert.strictEqual(yield* Fiber.join(accepting), "Closed")
    }))
})

describe("fromDgram", () => {
  it.effect("sends and receives, and knows where it is", () =>
    Effect.gen(function*() {
      const node = yield* nodeUdp
      const socket = yield* Socket.fromDgram(node)
      assert.deepStrictEqual(socket.local, { _tag: "Inet", host: "127.0.0.1", port: node.address().port })
      const client = yield* Socket.udp({ peer: socket.local })
      yield* Socket.send(client, "question")
      const { address, data } = yield* Socket.recvfrom(socket, 100)
      assert.strictEqual(data.toString(), "question")
      yield* Socket.sendto(socket, address, "answer")
      assert.strictEqual(text(yield* Socket.recv(client, 100)), "answer")
    }))

  it.effect("close wakes who waits and closes it, or keeps it", () =>
    Effect.gen(function*() {
      for (const onClose of ["close", "keep"] as const) {
        const node = yield* nodeUdp
        const socket = yield* Socket.fromDgram(node, { onClose })
        const receiving = yield* start(failure(Socket.recv(socket, 1)))
        yield* Socket.close(socket)
        assert.strictEqual(yield* Fiber.join(receiving), "Closed")
        if (onClose === "keep") assert.isAbove(node.address().port, 0)
        else assert.throws(() => node.address())
        assert.strictEqual(node.listenerCount("message"), 0)
      }
    }))

  it.effect("one that is not bound is refused, and one closed by its owner wakes who waits", () =>
    Effect.gen(function*() {
      const unbound = dgram.createSocket("udp4")
      assert.strictEqual(yield* failure(Socket.fromDgram(unbound)), "BadArgument")
      unbound.close()
      const node = yield* nodeUdp
      const socket = yield* Socket.fromDgram(node)
      const receiving = yield* start(failure(Socket.recv(socket, 1)))
      node.close()
      assert.strictEqual(yield* Fiber.join(receiving), "Closed")
    }))
})
