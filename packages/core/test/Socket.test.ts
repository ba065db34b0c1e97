import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import * as net from "node:net"
import * as path from "node:path"
import * as Socket from "../src/Socket.ts"
import { SocketError } from "../src/SocketError.ts"
import {
  anyPort,
  descriptors,
  directory,
  failure,
  isDone,
  pair,
  pattern,
  receiveAll,
  receiveExactly,
  start,
  text,
  uniqueName,
  until,
  untilWaiting,
  waits
} from "./fixtures/socket.ts"

describe("a connection", () => {
  const targets: ReadonlyArray<readonly [string, Effect.Effect<Socket.Target, never, Scope.Scope>]> = [
    ["IPv4", Effect.succeed(anyPort)],
    ["IPv6", Effect.succeed({ host: "::1", port: 0 })],
    ["IPv6 in brackets", Effect.succeed({ host: "[::1]", port: 0 })],
    ["a host name", Effect.succeed({ host: "localhost", port: 0 })],
    ["a UNIX socket file", Effect.map(directory, (folder) => ({ path: path.join(folder, "x.sock") }))],
    ["an abstract UNIX socket", Effect.sync(() => ({ path: uniqueName() }))]
  ]
  for (const [name, target] of targets) {
    it.effect(`${name}: carries bytes both ways, and knows both ends`, () =>
      Effect.gen(function*() {
        const { client, server } = yield* pair(yield* target)
        yield* Socket.send(client, "question")
        assert.strictEqual(text(yield* Socket.recv(server, 100)), "question")
        yield* Socket.send(server, Buffer.from("answer"))
        assert.strictEqual(text(yield* Socket.recv(client, 100)), "answer")
        assert.deepStrictEqual(client.remote, server.local)
        if (client.local._tag === "Inet") assert.deepStrictEqual(server.remote, client.local)
        else assert.deepStrictEqual(server.remote, { _tag: "Unix", path: "" })
      }))
  }

  it.effect("an address that was received can be given as a target", () =>
    Effect.gen(function*() {
      const listener = yield* Socket.listen(anyPort)
      const client = yield* Socket.connect(listener.address)
      assert.strictEqual(Socket.format(client.remote), Socket.format(listener.address))
    }))
})

describe("connect", () => {
  it.effect("nobody listens: ECONNREFUSED, with the address and what to do", () =>
    Effect.gen(function*() {
      const listener = yield* Socket.listen(anyPort)
      yield* Socket.close(listener)
      const error = yield* Effect.flip(Socket.connect(listener.address))
      assert.deepInclude(error, { operation: "connect", reason: "System", code: "ECONNREFUSED" })
      assert.strictEqual(
        error.message,
        `connect to ${Socket.format(listener.address)} failed: connection refused (ECONNREFUSED). A server listens ` +
          `there, and can be reached. Nobody listens there: start the server, or correct the address. ` +
          `[KORE_SOCKET_SYSTEM]`
      )
    }))

  it.effect("no socket at the path: ENOENT", () =>
    Effect.gen(function*() {
      const folder = yield* directory
      assert.strictEqual(yield* failure(Socket.connect({ path: path.join(folder, "x") })), "System ENOENT")
      assert.strictEqual(yield* failure(Socket.connect({ path: uniqueName() })), "System ECONNREFUSED")
    }))

  it.effect("kore §13: an unknown host is an error that names it, and not the local host", () =>
    Effect.gen(function*() {
      const listener = yield* Socket.listen({ host: "0.0.0.0", port: 0 })
      const { port } = listener.address as Socket.Inet
      const error = yield* Effect.flip(Socket.connect({ host: "kore-fx.invalid", port }))
      assert.strictEqual(error.reason, "UnknownHost")
      assert.include(["ENOTFOUND", "EAI_AGAIN"], error.code)
      assert.include(error.message, "the host name \"kore-fx.invalid\" has no address")
    }))

  const bad: ReadonlyArray<readonly [string, unknown]> = [
    ["no address", undefined],
    ["no host", { port: 80 }],
    ["an empty host", { host: "", port: 80 }],
    ["port 0", { host: "127.0.0.1", port: 0 }],
    ["port 65536", { host: "127.0.0.1", port: 65_536 }],
    ["a port of text", { host: "127.0.0.1", port: "80" }],
    ["a port that is not whole", { host: "127.0.0.1", port: 80.5 }],
    ["an empty path", { path: "" }],
    ["a path that is too long", { path: `/tmp/${"x".repeat(200)}` }],
    ["a path with a zero byte", { path: "/tmp/a\0b" }],
    ["a path that is no text", { path: 7 }]
  ]
  for (const [name, target] of bad) {
    it.effect(`${name} is refused`, () =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(Socket.connect(target as Socket.Target))
        assert.strictEqual(error.reason, "BadArgument")
        assert.match(error.message, /^connect to .* was refused: .*\. .*\. Correct the argument; nothing was done/)
      }))
  }

  /** A server whose queue is full: the system does not even answer. */
  const silent = Effect.gen(function*() {
    const listener = yield* Socket.listen(anyPort, { backlog: 1 })
    yield* Socket.connect(listener.address)
    yield* Socket.connect(listener.address)
    return listener.address
  })

  it.effect("gives up after its timeout, which it names with the address, and its descriptor with it", () =>
    Effect.gen(function*() {
      const address = yield* silent
      const before = descriptors()
      const what = `connect to ${Socket.format(address)}`
      const connecting = yield* start(Effect.flip(Socket.connect(address, { timeout: "3 seconds" })))
      assert.deepStrictEqual(waits(), [what])
      yield* TestClock.adjust("3 seconds")
      const error = yield* Fiber.join(connecting)
      assert.isTrue(Cause.isTimeoutError(error))
      assert.strictEqual(error.message, `${what} timed out after 3s. The attempt was given up.`)
      assert.deepStrictEqual(waits(), [])
      yield* until(() => descriptors() === before)
    }))

  it.effect("interrupted, gives up the attempt and its descriptor", () =>
    Effect.gen(function*() {
      const address = yield* silent
      const before = descriptors()
      const connecting = yield* start(Effect.scoped(Socket.connect(address)))
      assert.deepStrictEqual(waits(), [`connect to ${Socket.format(address)}`])
      yield* Fiber.interrupt(connecting)
      assert.deepStrictEqual(waits(), [])
      yield* until(() => descriptors() === before)
    }))

  it.effect("interrupted while a name is resolved, ignores the answer", () =>
    Effect.gen(function*() {
      const before = descriptors()
      const connecting = yield* start(Effect.scoped(Socket.connect({ host: "localhost", port: 9 })))
      yield* Fiber.interrupt(connecting)
      assert.deepStrictEqual(waits(), [])
      yield* until(() => descriptors() === before)
    }))

  it.effect("failed attempts leave no descriptor and nothing in the scope", () =>
    Effect.gen(function*() {
      const listener = yield* Socket.listen(anyPort)
      yield* Socket.close(listener)
      const scope = yield* Scope.make()
      const before = descriptors()
      for (let i = 0; i < 20; i++) yield* Effect.exit(Scope.provide(Socket.connect(listener.address), scope))
      yield* until(() => descriptors() === before)
      assert.strictEqual(scope.state._tag, "Empty")
    }))
})

describe("recv", () => {
  it.effect("takes what has arrived, as much as was asked for at most, and leaves the rest", () =>
    Effect.gen(function*() {
      const { client, server } = yield* pair()
      yield* Socket.send(client, "hello world")
      assert.strictEqual(text(yield* Socket.recv(server, 5)), "hello")
      assert.strictEqual(text(yield* Socket.recv(server, 1)), " ")
      assert.strictEqual(text(yield* Socket.recv(server, 1000)), "world")
    }))

  it.effect("does not suspend when something is there", () =>
    Effect.gen(function*() {
      const { client, server } = yield* pair()
      yield* Socket.send(client, "ab")
      yield* Socket.recv(server, 1)
      assert.isTrue(isDone(yield* start(Socket.recv(server, 1))))
    }))

  it.effect("the end is none, after everything that came before it, and stays none", () =>
    Effect.gen(function*() {
      const { client, server } = yield* pair()
      yield* Socket.send(client, "last words")
      yield* Socket.close(client)
      assert.strictEqual(text(yield* Socket.recv(server, 4)), "last")
      assert.strictEqual((yield* receiveAll(server)).toString(), " words")
      assert.isTrue(Option.isNone(yield* Socket.recv(server, 4)))
    }))

  for (const maxBytes of [0, -1, 1.5, NaN, Infinity, "10" as never]) {
    it.effect(`kore §13: ${maxBytes} bytes are refused, and nothing is lost`, () =>
      Effect.gen(function*() {
        const { client, server } = yield* pair()
        yield* Socket.send(client, "safe")
        const error = yield* Effect.flip(Socket.recv(server, maxBytes))
        assert.strictEqual(error.reason, "BadArgument")
        assert.include(error.message, `${maxBytes} is not a number of bytes. A whole number, 1 or more.`)
        assert.strictEqual(text(yield* Socket.recv(server, 10)), "safe")
      }))
  }

  it.effect("times out with what it waited for, takes nothing, and the socket stays usable", () =>
    Effect.gen(function*() {
      const { client, server } = yield* pair()
      const what = `recv from ${Socket.format(server.remote)}`
      const fiber = yield* start(Effect.flip(Socket.recv(server, 10, { timeout: "2 seconds" })))
      yield* untilWaiting(what)
      yield* TestClock.adjust("2 seconds")
      const error = yield* Fiber.join(fiber)
      assert.isTrue(Cause.isTimeoutError(error))
      assert.include(error.message, `${what} timed out after 2s. Nothing was taken`)
      yield* Socket.send(client, "late")
      assert.strictEqual(text(yield* Socket.recv(server, 10, { timeout: "2 seconds" })), "late")
    }))

  it.effect("interrupted, takes nothing", () =>
    Effect.gen(function*() {
      const { client, server } = yield* pair()
      const fiber = yield* start(Socket.recv(server, 10))
      yield* Fiber.interrupt(fiber)
      assert.deepStrictEqual(waits(), [])
      yield* Socket.send(client, "safe")
      assert.strictEqual(text(yield* Socket.recv(server, 10)), "safe")
    }))

  it.effect("a fiber interrupted after it was woken and before it took passes its turn on", () =>
    Effect.gen(function*() {
      const { client, server } = yield* pair()
      const first = yield* start(Socket.recv(server, 10))
      const second = yield* start(Socket.recv(server, 10))
      const node = (server as unknown as { readonly node: net.Socket }).node
      // The wake-up of the first is scheduled, and has not run: bytes arrive within one event.
      node.once("data", () => first.interruptUnsafe())
      yield* Socket.send(client, "safe")
      assert.strictEqual(text(yield* Fiber.join(second)), "safe")
      assert.isTrue(Exit.isFailure(yield* Fiber.await(first)))
    }))

  it.effect("kore §13: several fibers may wait, and are served in the order in which they asked", () =>
    Effect.gen(function*() {
      const { client, server } = yield* pair()
      const order: Array<string> = []
      const fibers = []
      for (const name of ["a", "b", "c"]) {
        fibers.push(
          yield* start(Effect.map(Socket.recv(server, 1), (bytes) => order.push(`${name}${text(bytes)}`)))
        )
      }
      yield* Socket.send(client, "123")
      yield* Fiber.awaitAll(fibers)
      assert.deepStrictEqual(order, ["a1", "b2", "c3"])
    }))

  it.effect("kore §13: a fiber may have pending operations on several sockets", () =>
    Effect.gen(function*() {
      const one = yield* pair()
      const two = yield* pair()
      const both = yield* start(Effect.all([Socket.recv(one.server, 9), Socket.recv(two.server, 9)], {
        concurrency: 2
      }))
      yield* Socket.send(two.client, "2")
      yield* Socket.send(one.client, "1")
      assert.deepStrictEqual((yield* Fiber.join(both)).map(text), ["1", "2"])
    }))

  it.effect("what arrived before the peer broke the connection off is received first, then ECONNRESET", () =>
    Effect.gen(function*() {
      const listener = yield* Socket.listen(anyPort)
      const { port } = listener.address as Socket.Inet
      const peer = net.connect(port, "127.0.0.1")
      const server = yield* Socket.accept(listener)
      peer.write("ab")
      // Reading has begun, so that the rest of it and the reset find this side at work.
      assert.strictEqual(text(yield* Socket.recv(server, 1)), "a")
      peer.resetAndDestroy()
      const node = (server as unknown as { readonly node: net.Socket }).node
      yield* until(() => node.destroyed)
      assert.strictEqual(text(yield* Socket.recv(server, 1)), "b")
      assert.strictEqual(yield* failure(Socket.recv(server, 1)), "System ECONNRESET")
      assert.strictEqual(yield* failure(Socket.send(server, "x")), "System ECONNRESET")
    }))
})

describe("send", () => {
  it.effect("a text is sent as UTF-8, and nothing is fine too", () =>
    Effect.gen(function*() {
      const { client, server } = yield* pair()
      yield* Socket.send(client, "")
      yield* Socket.send(client, new Uint8Array(0))
      yield* Socket.send(client, "é€")
      yield* Socket.end(client)
      assert.deepStrictEqual(yield* receiveAll(server), Buffer.from("é€"))
    }))

  it.effect("does not suspend when the system takes all of it", () =>
    Effect.gen(function*() {
      const { client } = yield* pair()
      assert.isTrue(isDone(yield* start(Socket.send(client, "x"))))
    }))

  it.effect("what is neither bytes nor text is refused", () =>
    Effect.gen(function*() {
      const { client } = yield* pair()
      for (const data of [null, undefined, 7, {}, [1]]) {
        assert.strictEqual(yield* failure(Socket.send(client, data as never)), "BadArgument")
      }
    }))

  it.effect("waits for a slow peer, and has sent everything when it returns", () =>
    Effect.gen(function*() {
      const { client, server } = yield* pair()
      const data = pattern(16 * 1024 * 1024)
      const sending = yield* start(Effect.andThen(Socket.send(client, data), Socket.end(client)))
      yield* untilWaiting(`send to ${Socket.format(client.remote)}`)
      assert.isFalse(isDone(sending))
      assert.isTrue(data.equals(yield* receiveAll(server)))
      yield* Fiber.join(sending)
    }))

  it.effect("concurrent sends are not mixed, and go out in the order of the calls", () =>
    Effect.gen(function*() {
      const { client, server } = yield* pair()
      const parts = [4, 1, 3, 2].map((megabytes, index) => Buffer.alloc(megabytes * 1024 * 1024, index + 1))
      const fibers = []
      for (const part of parts) fibers.push(yield* start(Socket.send(client, part)))
      const expected = Buffer.concat(parts)
      assert.isTrue(expected.equals(yield* receiveExactly(server, expected.length)))
      yield* Fiber.awaitAll(fibers)
    }))

  for (const [how, give] of [["interrupted", "interrupt"], ["timed out", "timeout"]] as const) {
    it.effect(`${how} under way, all of it is sent, before what is sent next`, () =>
      Effect.gen(function*() {
        const { client, server } = yield* pair()
        const data = pattern(16 * 1024 * 1024)
        const sending = yield* start(
          give === "timeout" ? Socket.send(client, data, { timeout: "1 second" }) : Socket.send(client, data)
        )
        yield* untilWaiting(/^send to/)
        if (give === "timeout") {
          yield* TestClock.adjust("1 second")
          const error = yield* Effect.flip(Fiber.join(sending))
          assert.include((error as Error).message, `send to ${Socket.format(client.remote)} timed out after 1s.`)
        } else yield* Fiber.interrupt(sending)
        const next = yield* start(Effect.andThen(Socket.send(client, "next"), Socket.end(client)))
        const all = yield* receiveAll(server)
        yield* Fiber.join(next)
        assert.isTrue(all.equals(Buffer.concat([data, Buffer.from("next")])))
      }))
  }

  it.effect("interrupted in line, nothing of it is sent", () =>
    Effect.gen(function*() {
      const { client, server } = yield* pair()
      const data = pattern(16 * 1024 * 1024)
      const sending = yield* start(Socket.send(client, data))
      const waiting = yield* start(Socket.send(client, "never"))
      yield* untilWaiting(/^send to/, 2)
      yield* Fiber.interrupt(waiting)
      const all = yield* start(receiveAll(server))
      yield* Fiber.join(sending)
      yield* Socket.send(client, "after")
      yield* Socket.end(client)
      assert.isTrue((yield* Fiber.join(all)).equals(Buffer.concat([data, Buffer.from("after")])))
    }))

  it.effect("a peer that is gone: EPIPE or ECONNRESET, typed", () =>
    Effect.gen(function*() {
      const { client, server } = yield* pair()
      yield* Socket.close(server)
      const error = yield* Effect.flip(Effect.forever(Socket.send(client, pattern(65_536))))
      assert.include(["EPIPE", "ECONNRESET"], error.code)
      assert.deepInclude(error, { operation: "send", reason: "System", address: Socket.format(client.remote) })
    }))

  it.effect("a pending send fails when the peer breaks the connection off", () =>
    Effect.gen(function*() {
      const { client, server } = yield* pair()
      const sending = yield* start(failure(Socket.send(client, pattern(16 * 1024 * 1024))))
      yield* untilWaiting(/^send to/)
      yield* Socket.close(server)
      assert.match(yield* Fiber.join(sending), /^System (EPIPE|ECONNRESET)$/)
    }))
})

describe("end", () => {
  it.effect("the peer receives the end, and can still send", () =>
    Effect.gen(function*() {
      const { client, server } = yield* pair()
      yield* Socket.send(client, "question")
      yield* Socket.end(client)
      yield* Socket.end(client)
      assert.strictEqual((yield* receiveAll(server)).toString(), "question")
      yield* Socket.send(server, "answer")
      yield* Socket.end(server)
      assert.strictEqual((yield* receiveAll(client)).toString(), "answer")
      assert.strictEqual(yield* failure(Socket.send(client, "more")), "Ended")
    }))

  it.effect("waits for what is being sent", () =>
    Effect.gen(function*() {
      const { client, server } = yield* pair()
      const data = pattern(16 * 1024 * 1024)
      yield* start(Socket.send(client, data))
      yield* untilWaiting(/^send to/)
      const ending = yield* start(Socket.end(client))
      assert.isFalse(isDone(ending))
      assert.isTrue(data.equals(yield* receiveAll(server)))
      yield* Fiber.join(ending)
    }))
})

describe("end, twice at once", () => {
  it.effect("the second does nothing, whoever waits for what is being sent", () =>
    Effect.gen(function*() {
      const { client, server } = yield* pair()
      const data = pattern(16 * 1024 * 1024)
      yield* start(Socket.send(client, data))
      yield* untilWaiting(/^send to/)
      const ends = [yield* start(Socket.end(client)), yield* start(Socket.end(client))]
      yield* untilWaiting(/^end of/, 2)
      assert.isTrue(data.equals(yield* receiveAll(server)))
      yield* Effect.forEach(ends, (end) => Fiber.join(end))
      assert.strictEqual(yield* failure(Socket.send(client, "more")), "Ended")
    }))
})

describe("close", () => {
  it.effect("again does nothing, and what is tried later fails with Closed", () =>
    Effect.gen(function*() {
      const { client } = yield* pair()
      yield* Socket.close(client)
      yield* Socket.close(client)
      assert.strictEqual(yield* failure(Socket.recv(client, 1)), "Closed")
      for (const use of [Socket.send(client, "x"), Socket.send(client, ""), Socket.end(client)]) {
        assert.strictEqual(yield* failure(use), "Closed")
      }
      const error = yield* Effect.flip(Socket.recv(client, 1))
      assert.strictEqual(
        error.message,
        `recv from ${Socket.format(client.remote)} failed: this side has closed the socket. An open socket: it is ` +
          `closed with its scope, or by Socket.close. Keep the scope open for as long as the socket is used. ` +
          `[KORE_SOCKET_CLOSED]`
      )
    }))

  it.effect("kore §13: wakes pending receives and sends with a typed error, not as if they were done", () =>
    Effect.gen(function*() {
      const { client } = yield* pair()
      const pending: Array<Fiber.Fiber<string, unknown>> = []
      for (let i = 0; i < 3; i++) pending.push(yield* start(failure(Socket.recv(client, 1))))
      for (let i = 0; i < 3; i++) {
        pending.push(yield* start(failure(Socket.send(client, pattern(16 * 1024 * 1024)))))
      }
      yield* untilWaiting(/^send to/, 3)
      yield* Socket.close(client)
      assert.deepStrictEqual(yield* Effect.forEach(pending, (fiber) => Fiber.join(fiber)),
        Array.from({ length: 6 }, () => "Closed"))
    }))

  it.effect("what was sent before is delivered", () =>
    Effect.gen(function*() {
      const { client, server } = yield* pair()
      const receiving = yield* start(receiveAll(server))
      yield* Socket.send(client, pattern(1024 * 1024))
      yield* Socket.close(client)
      assert.isTrue(pattern(1024 * 1024).equals(yield* Fiber.join(receiving)))
    }))

  it.effect("the end of the scope closes, however it ends, and frees the descriptors", () =>
    Effect.gen(function*() {
      yield* Effect.scoped(pair())
      const before = descriptors()
      const uses: ReadonlyArray<Effect.Effect<unknown, string>> = [Effect.void, Effect.fail("no"), Effect.die("no")]
      for (const use of uses) {
        let kept: Socket.Stream | undefined
        yield* Effect.exit(Effect.scoped(Effect.tap(pair(), ({ client }) => {
          kept = client
          return use
        })))
        assert.strictEqual(yield* failure(Socket.recv(kept!, 1)), "Closed")
      }
      const fiber = yield* start(Effect.scoped(Effect.andThen(pair(), Effect.never)))
      yield* until(() => descriptors() === before + 2)
      yield* Fiber.interrupt(fiber)
      yield* until(() => descriptors() === before)
    }))

  it.effect("closed early, a socket is taken out of its scope", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const { client, server } = yield* Scope.provide(pair(), scope)
      yield* Socket.close(client)
      yield* Socket.close(server)
      const { state } = scope
      assert.strictEqual(state._tag, "Empty")
    }))

  it.effect("made in a scope that is closed already, it is closed at once", () =>
    Effect.gen(function*() {
      const listener = yield* Socket.listen(anyPort)
      const scope = yield* Scope.make()
      yield* Scope.close(scope, Exit.void)
      const client = yield* Scope.provide(Socket.connect(listener.address), scope)
      assert.strictEqual(yield* failure(Socket.send(client, "x")), "Closed")
    }))
})

describe("slow readers", () => {
  it.effect("a stream that nobody receives from holds less than 256 KiB, and then its sender waits", () =>
    Effect.gen(function*() {
      const { client, server } = yield* pair()
      const sending = yield* start(Effect.forever(Socket.send(client, pattern(65_536))))
      // Reading has begun.
      yield* Socket.recv(server, 1)
      const node = (server as unknown as { readonly node: net.Socket }).node
      const held = () =>
        node.readableLength + (server as unknown as { readonly received: { readonly size: number } }).received.size
      yield* until(() => node.isPaused() && waits().some((what) => what.startsWith("send to")))
      const read = node.bytesRead
      assert.isBelow(held(), 256 * 1024)
      // More does not come, however long it is waited for.
      for (let i = 0; i < 50; i++) yield* Effect.yieldNow
      yield* until(() => node.bytesRead === read)
      assert.isFalse(isDone(sending))
      yield* Fiber.interrupt(sending)
    }))

  it.effect("blocks only itself: the others go on", () =>
    Effect.gen(function*() {
      const slow = yield* pair()
      const quick = yield* pair()
      const sending = yield* start(Effect.forever(Socket.send(slow.client, pattern(65_536))))
      yield* untilWaiting(`send to ${Socket.format(slow.client.remote)}`)
      for (let i = 0; i < 100; i++) {
        yield* Socket.send(quick.client, `${i}`)
        assert.strictEqual(text(yield* Socket.recv(quick.server, 10)), `${i}`)
      }
      assert.isFalse(isDone(sending))
      yield* Fiber.interrupt(sending)
    }))
})

describe("what fibers wait for", () => {
  it.effect("is listed with the operation and the address, and no longer than they wait", () =>
    Effect.gen(function*() {
      const listener = yield* Socket.listen(anyPort)
      const where = Socket.format(listener.address)
      const accepting = yield* start(Socket.accept(listener))
      assert.deepStrictEqual(waits(), [`accept on ${where}`])
      const client = yield* Socket.connect(listener.address)
      yield* Fiber.join(accepting)
      const receiving = yield* start(Socket.recv(client, 1))
      assert.deepStrictEqual(waits(), [`recv from ${where}`])
      yield* Fiber.interrupt(receiving)
      assert.deepStrictEqual(waits(), [])
    }))

  it.effect("a client of a UNIX socket, which has no name, is named by where it is", () =>
    Effect.gen(function*() {
      const name = uniqueName()
      const { server } = yield* pair({ path: name })
      const receiving = yield* start(Socket.recv(server, 1))
      assert.deepStrictEqual(waits(), [`recv from a client of ${name}`])
      yield* Fiber.interrupt(receiving)
    }))
})

describe("SocketError", () => {
  it("is an error of Effect's kind, with a tag to catch", () => {
    const error = new SocketError({ operation: "recv", reason: "Closed", address: "x" })
    assert.strictEqual(error._tag, "SocketError")
    assert.instanceOf(error, Error)
  })
})
