import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as fs from "node:fs"
import * as path from "node:path"
import * as Socket from "../src/Socket.ts"
import { anyPort, descriptors, directory, failure, receiveAll, text, uniqueName, until } from "./fixtures/socket.ts"

describe("a socket that is made step by step", () => {
  const addresses: ReadonlyArray<
    readonly ["inet" | "inet6" | "unix", Effect.Effect<Socket.Target, never, Scope.Scope>]
  > = [
    ["inet", Effect.succeed(anyPort)],
    ["inet6", Effect.succeed({ host: "::1", port: 0 })],
    ["unix", Effect.map(directory, (folder) => ({ path: path.join(folder, "x.sock") }))],
    ["unix", Effect.sync(() => ({ path: uniqueName() }))]
  ]
  for (const [family, address] of addresses) {
    it.effect(`${family}: binds, listens and connects`, () =>
      Effect.gen(function*() {
        const before = descriptors()
        const target = yield* address
        yield* Effect.scoped(Effect.gen(function*() {
          const made = yield* Socket.make(family, "stream")
          yield* Socket.bind(made, target)
          const listener = yield* Socket.listen(made)
          const unconnected = yield* Socket.make(family, "stream")
          if (family === "inet") yield* Socket.bind(unconnected, { host: "127.0.0.1", port: 0 })
          const client = yield* Socket.connect(listener.address, { socket: unconnected })
          const server = yield* Socket.accept(listener)
          yield* Socket.send(client, "hello")
          yield* Socket.end(client)
          assert.strictEqual((yield* receiveAll(server)).toString(), "hello")
          yield* Socket.send(server, "bye")
          assert.strictEqual(text(yield* Socket.recv(client, 10)), "bye")
        }))
        if ("path" in target) assert.isFalse(fs.existsSync(target.path))
        yield* until(() => descriptors() === before)
      }))

    it.effect(`${family}: becomes a datagram socket`, () =>
      Effect.gen(function*() {
        const made = yield* Socket.make(family, "datagram")
        yield* Socket.bind(made, yield* address)
        const server = yield* Socket.toDatagram(made)
        const client = yield* Socket.toDatagram(yield* Socket.make(family, "datagram"), { peer: server.local })
        yield* Socket.send(client, "question")
        const { address: from, data } = yield* Socket.recvfrom(server, 100)
        assert.strictEqual(data.toString(), "question")
        yield* Socket.sendto(server, from, "answer")
        assert.strictEqual(text(yield* Socket.recv(client, 100)), "answer")
      }))
  }

  it.effect("options are the system's, set before it connects", () =>
    Effect.gen(function*() {
      const made = yield* Socket.make("inet", "stream")
      yield* Socket.setOption(made, 1, 9, 1)
      yield* Socket.setOption(made, 1, 13, Buffer.from([1, 0, 0, 0, 0, 0, 0, 0])) // SO_LINGER: reset on close
      const listener = yield* Socket.listen(anyPort)
      const client = yield* Socket.connect(listener.address, { socket: made })
      const server = yield* Socket.accept(listener)
      yield* Socket.close(client)
      assert.strictEqual(yield* failure(Socket.recv(server, 1)), "System ECONNRESET")
      const other = yield* Socket.make("inet", "stream")
      assert.strictEqual(yield* failure(Socket.setOption(other, 1, 9999, 1)), "System ENOPROTOOPT")
    }))

  it.effect("refused: the error of connect, and no descriptor is left", () =>
    Effect.gen(function*() {
      const listener = yield* Socket.listen(anyPort)
      yield* Socket.close(listener)
      const before = descriptors()
      const made = yield* Socket.make("inet", "stream")
      assert.strictEqual(yield* failure(Socket.connect(listener.address, { socket: made })), "System ECONNREFUSED")
      yield* until(() => descriptors() === before)
    }))

  it.effect("a name is resolved to the family", () =>
    Effect.gen(function*() {
      const listener = yield* Socket.listen(anyPort)
      const { port } = listener.address as Socket.Inet
      const made = yield* Socket.make("inet", "stream")
      const client = yield* Socket.connect({ host: "localhost", port }, { socket: made })
      assert.deepStrictEqual(client.remote, listener.address)
    }))

  it.effect("what does not fit is refused, and it stays as it was", () =>
    Effect.gen(function*() {
      const made = yield* Socket.make("inet", "stream")
      assert.strictEqual(yield* failure(Socket.make("ipx" as never, "stream")), "BadArgument")
      assert.strictEqual(yield* failure(Socket.bind(made, { host: "::1", port: 0 })), "BadArgument")
      assert.strictEqual(yield* failure(Socket.bind(made, { path: "/tmp/x" })), "BadArgument")
      assert.strictEqual(yield* failure(Socket.toDatagram(made)), "BadArgument")
      assert.strictEqual(yield* failure(Socket.connect({ path: "/tmp/x" }, { socket: made })), "BadArgument")
      assert.strictEqual(yield* failure(Socket.bind(made, { host: "192.0.2.1", port: 0 })), "System EADDRNOTAVAIL")
      const listener = yield* Socket.listen(made)
      assert.strictEqual(yield* failure(Socket.connect(listener.address, { socket: made })), "BadArgument")
      const { host, port } = listener.address as Socket.Inet
      assert.strictEqual(host, "0.0.0.0")
      yield* Socket.connect({ host: "127.0.0.1", port })
      yield* Socket.accept(listener)
    }))

  it.effect("closed with its scope while it is nothing, with its file and its descriptor", () =>
    Effect.gen(function*() {
      const file = path.join(yield* directory, "x.sock")
      const before = descriptors()
      const made = yield* Effect.scoped(
        Effect.tap(Socket.make("unix", "stream"), (made) =>
          Effect.map(Socket.bind(made, { path: file }), () => assert.isTrue(fs.existsSync(file))))
      )
      assert.isFalse(fs.existsSync(file))
      assert.strictEqual(descriptors(), before)
      assert.strictEqual(yield* failure(Socket.listen(made)), "Closed")
    }))

  it.effect("what it became outlives its own scope, and belongs to the scope of the call", () =>
    Effect.gen(function*() {
      const listener = yield* Socket.listen(anyPort)
      const inner = yield* Scope.make()
      const made = yield* Scope.provide(Socket.make("inet", "stream"), inner)
      const client = yield* Socket.connect(listener.address, { socket: made })
      yield* Scope.close(inner, Exit.void)
      const server = yield* Socket.accept(listener)
      yield* Socket.send(client, "x")
      assert.strictEqual(text(yield* Socket.recv(server, 1)), "x")
    }))
})
