import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import * as ChildProcess from "node:child_process"
import * as dgram from "node:dgram"
import * as fs from "node:fs"
import * as net from "node:net"
import * as path from "node:path"
import { fileURLToPath } from "node:url"
import { Worker } from "node:worker_threads"
import * as Socket from "../src/Socket.ts"
import type { SocketError } from "../src/SocketError.ts"
import {
  descriptors,
  directory,
  failure,
  isDone,
  pattern,
  start,
  text,
  uniqueName,
  until,
  untilWaiting,
  waits
} from "./fixtures/socket.ts"

type Made = Effect.Effect<Socket.Datagram, SocketError, Scope.Scope>

interface Kind {
  readonly make: Made
  readonly makeWithPeer: (peer: Socket.Datagram) => Made
  readonly largest: number
}

const kinds: Readonly<Record<string, Kind>> = {
  "UDP over IPv4": {
    make: Socket.udp({ host: "127.0.0.1" }),
    makeWithPeer: (peer) => Socket.udp({ peer: peer.local as Socket.Inet }),
    largest: 65_507
  },
  "UDP over IPv6": {
    make: Socket.udp({ host: "::1" }),
    makeWithPeer: (peer) => Socket.udp({ peer: peer.local as Socket.Inet }),
    largest: 65_507
  },
  "UNIX with a free name": {
    make: Socket.unixDatagram(),
    makeWithPeer: (peer) => Socket.unixDatagram({ peer: peer.local as Socket.Unix }),
    largest: 100_000
  },
  "UNIX with an @name": {
    make: Effect.suspend(() => Socket.unixDatagram({ path: uniqueName() })),
    makeWithPeer: (peer) => Socket.unixDatagram({ peer: peer.local as Socket.Unix }),
    largest: 100_000
  },
  "UNIX with a file": {
    make: Effect.flatMap(directory, (folder) => Socket.unixDatagram({ path: path.join(folder, "x.sock") })),
    makeWithPeer: (peer) => Socket.unixDatagram({ peer: peer.local as Socket.Unix }),
    largest: 100_000
  }
}

for (const [name, { largest, make, makeWithPeer }] of Object.entries(kinds)) {
  describe(name, () => {
    it.effect("carries datagrams one by one, with the sender's address, to which an answer can be sent", () =>
      Effect.gen(function*() {
        const one = yield* make
        const two = yield* make
        yield* Socket.sendto(one, two.local, "first")
        yield* Socket.sendto(one, two.local, Buffer.from("second"))
        const first = yield* Socket.recvfrom(two, 100)
        assert.strictEqual(first.data.toString(), "first")
        assert.deepStrictEqual(first.address, one.local)
        assert.strictEqual((yield* Socket.recvfrom(two, 100)).data.toString(), "second")
        yield* Socket.sendto(two, first.address, "answer")
        assert.strictEqual((yield* Socket.recvfrom(one, 100)).data.toString(), "answer")
      }))

    it.effect("kore §13: an empty datagram is one, and no end", () =>
      Effect.gen(function*() {
        const one = yield* make
        const two = yield* make
        yield* Socket.sendto(one, two.local, "")
        yield* Socket.sendto(one, two.local, new Uint8Array(0))
        yield* Socket.sendto(one, two.local, "x")
        assert.deepInclude(yield* Socket.recvfrom(two, 100), { size: 0, data: Buffer.alloc(0), address: one.local })
        assert.strictEqual(text(yield* Socket.recv(two, 100)), "")
        assert.strictEqual(text(yield* Socket.recv(two, 100)), "x")
      }))

    it.effect("kore §13: a datagram that is cut tells its size, and the next one is whole", () =>
      Effect.gen(function*() {
        const one = yield* make
        const two = yield* make
        yield* Socket.sendto(one, two.local, "hello world")
        yield* Socket.sendto(one, two.local, "next")
        const cut = yield* Socket.recvfrom(two, 5)
        assert.deepInclude(cut, { data: Buffer.from("hello"), size: 11 })
        assert.deepInclude(yield* Socket.recvfrom(two, 5), { data: Buffer.from("next"), size: 4 })
      }))

    it.effect("carries large ones, and refuses what is too large, which sends nothing", () =>
      Effect.gen(function*() {
        const one = yield* make
        const two = yield* make
        assert.strictEqual(yield* failure(Socket.sendto(one, two.local, pattern(10_000_000))), "System EMSGSIZE")
        yield* Socket.sendto(one, two.local, pattern(largest))
        const { data, size } = yield* Socket.recvfrom(two, 10_000_000)
        assert.strictEqual(size, largest)
        assert.isTrue(pattern(largest).equals(data))
      }))

    it.effect("with a peer: send and recv, and nobody else is heard", () =>
      Effect.gen(function*() {
        const server = yield* make
        const stranger = yield* make
        const client = yield* makeWithPeer(server)
        assert.deepStrictEqual(client.remote, server.local)
        yield* Socket.send(client, "question")
        const { address, data } = yield* Socket.recvfrom(server, 100)
        assert.strictEqual(data.toString(), "question")
        yield* Effect.exit(Socket.sendto(stranger, address, "noise"))
        yield* Socket.sendto(server, address, "answer")
        assert.strictEqual(text(yield* Socket.recv(client, 100)), "answer")
        assert.strictEqual(yield* failure(Socket.sendto(client, server.local, "x")), "System EISCONN")
      }))

    it.effect("without a peer, send fails", () =>
      Effect.gen(function*() {
        assert.match(yield* failure(Socket.send(yield* make, "x")), /^System (EDESTADDRREQ|ENOTCONN)$/)
      }))

    it.effect("recvfrom times out, and takes nothing", () =>
      Effect.gen(function*() {
        const socket = yield* make
        const what = `recvfrom on ${Socket.format(socket.local)}`
        const receiving = yield* start(Effect.flip(Socket.recvfrom(socket, 100, { timeout: "5 seconds" })))
        assert.deepStrictEqual(waits(), [what])
        yield* TestClock.adjust("5 seconds")
        const error = yield* Fiber.join(receiving)
        assert.isTrue(Cause.isTimeoutError(error))
        assert.include(error.message, `${what} timed out after 5s.`)
        assert.deepStrictEqual(waits(), [])
        yield* Socket.sendto(socket, socket.local, "safe")
        assert.strictEqual((yield* Socket.recvfrom(socket, 100)).data.toString(), "safe")
      }))

    it.effect("recvfrom interrupted takes nothing, and those who wait are served in order", () =>
      Effect.gen(function*() {
        const socket = yield* make
        const order: Array<string> = []
        const receive = (name: string) =>
          start(Effect.map(Socket.recvfrom(socket, 100), ({ data }) => order.push(`${name}${data.toString()}`)))
        const gone = yield* receive("gone")
        const others = [yield* receive("a"), yield* receive("b"), yield* receive("c")]
        yield* Fiber.interrupt(gone)
        for (const number of [1, 2, 3]) yield* Socket.sendto(socket, socket.local, `${number}`)
        yield* Fiber.awaitAll(others)
        assert.deepStrictEqual(order, ["a1", "b2", "c3"])
      }))

    it.effect("bad lengths, data and addresses are refused", () =>
      Effect.gen(function*() {
        const socket = yield* make
        for (const maxBytes of [0, -1, 1.5, NaN]) {
          assert.strictEqual(yield* failure(Socket.recvfrom(socket, maxBytes)), "BadArgument")
        }
        for (const data of [undefined, null, 7, {}]) {
          assert.strictEqual(yield* failure(Socket.sendto(socket, socket.local, data as never)), "BadArgument")
        }
        const targets: ReadonlyArray<unknown> = [
          undefined,
          {},
          { host: "127.0.0.1", port: 0 },
          { host: "127.0.0.1", port: "80" },
          { host: "", port: 80 },
          { path: "" },
          socket.local._tag === "Unix" ? { host: "127.0.0.1", port: 80 } : { path: "/tmp/x" }
        ]
        for (const target of targets) {
          assert.strictEqual(yield* failure(Socket.sendto(socket, target as Socket.Target, "x")), "BadArgument")
        }
      }))

    it.effect("close wakes who waits, is idempotent, and frees the descriptors", () =>
      Effect.gen(function*() {
        yield* Effect.scoped(make)
        const before = descriptors()
        yield* Effect.scoped(Effect.gen(function*() {
          const socket = yield* make
          const pending: ReadonlyArray<Fiber.Fiber<string, unknown>> = [
            yield* start(failure(Socket.recvfrom(socket, 1))),
            yield* start(failure(Socket.recv(socket, 1)))
          ]
          yield* Socket.close(socket)
          yield* Socket.close(socket)
          assert.deepStrictEqual(yield* Effect.forEach(pending, (fiber) => Fiber.join(fiber)), ["Closed", "Closed"])
          assert.strictEqual(yield* failure(Socket.recvfrom(socket, 1)), "Closed")
          assert.strictEqual(yield* failure(Socket.sendto(socket, socket.local, "x")), "Closed")
        }))
        const fiber = yield* start(Effect.scoped(Effect.andThen(make, Effect.never)))
        yield* until(() => descriptors() > before)
        yield* Fiber.interrupt(fiber)
        yield* until(() => descriptors() === before)
      }))

    it.effect("an address that is taken: EADDRINUSE, and no descriptor is left", () =>
      Effect.gen(function*() {
        const socket = yield* make
        const { local } = socket
        const again: Made = local._tag === "Inet" ? Socket.udp(local) : Socket.unixDatagram(local)
        const before = descriptors()
        const error = yield* Effect.flip(again)
        assert.deepInclude(error, { reason: "System", code: "EADDRINUSE", address: Socket.format(local) })
        yield* until(() => descriptors() === before)
      }))
  })
}

describe("UDP", () => {
  it.effect("kore §13: port 65535 is a port, and an unknown host an error and not everybody", () =>
    Effect.gen(function*() {
      const socket = yield* Socket.udp({ host: "127.0.0.1" })
      yield* Socket.sendto(socket, { host: "127.0.0.1", port: 65_535 }, "x")
      const error = yield* Effect.flip(Socket.sendto(socket, { host: "kore-fx.invalid", port: 9 }, "x"))
      assert.deepInclude(error, { reason: "UnknownHost", operation: "sendto" })
    }))

  it.effect("sends to a host name", () =>
    Effect.gen(function*() {
      const socket = yield* Socket.udp({ host: "127.0.0.1" })
      yield* Socket.sendto(socket, { host: "localhost", port: socket.local.port }, "x")
      assert.strictEqual(text(yield* Socket.recv(socket, 1)), "x")
    }))

  it.effect("an address of the other IP version is refused", () =>
    Effect.gen(function*() {
      const socket = yield* Socket.udp()
      assert.strictEqual(socket.local.host, "0.0.0.0")
      assert.strictEqual(yield* failure(Socket.sendto(socket, { host: "::1", port: 9 }, "x")), "BadArgument")
    }))

  it.effect("what nobody receives is bounded, and what is thrown away is counted", () =>
    Effect.gen(function*() {
      const one = yield* Socket.udp({ host: "127.0.0.1" })
      const two = yield* Socket.udp({ host: "127.0.0.1" })
      const queue = (two as unknown as { readonly arrived: { readonly length: number } }).arrived
      let sent = 0
      while (two.dropped < 10) {
        yield* Socket.sendto(one, two.local, "x")
        sent++
        // One by one, or the kernel would throw away what comes too fast.
        yield* until(() => queue.length + two.dropped === sent)
      }
      assert.strictEqual(queue.length, 1024)
      for (let i = 0; i < 1024; i++) yield* Socket.recv(two, 1)
      yield* Socket.sendto(one, two.local, "after")
      assert.strictEqual(text(yield* Socket.recv(two, 10)), "after")
      assert.strictEqual(two.dropped, 10)
    }))

  it.effect("a peer that is not there is told once, and the socket goes on", () =>
    Effect.gen(function*() {
      const gone = yield* Effect.scoped(Effect.map(Socket.udp({ host: "127.0.0.1" }), ({ local }) => local))
      const socket = yield* Socket.udp({ peer: gone })
      const receiving = yield* start(failure(Socket.recv(socket, 10)))
      yield* Socket.send(socket, "anybody?")
      assert.strictEqual(yield* Fiber.join(receiving), "System ECONNREFUSED")
      const server = yield* Socket.udp(gone)
      yield* Effect.retry(Socket.send(socket, "hello"), { times: 3 })
      yield* Socket.recvfrom(server, 10)
      yield* Socket.sendto(server, socket.local, "here")
      assert.strictEqual(text(yield* Socket.recv(socket, 10)), "here")
    }))

  it.effect("with a peer: what strangers sent before it was connected is not received", () =>
    Effect.gen(function*() {
      const peer = yield* Socket.udp({ host: "127.0.0.1" })
      const node = yield* Effect.acquireRelease(
        Effect.callback<dgram.Socket>((resume) => {
          const socket = dgram.createSocket("udp4")
          socket.bind(0, "127.0.0.1", () => {
            socket.connect(peer.local.port, peer.local.host, () => resume(Effect.succeed(socket)))
          })
        }),
        (socket) => Effect.sync(() => socket.close())
      )
      const socket = yield* Socket.fromDgram(node, { onClose: "keep" })
      // As Node says it of one that the kernel had queued: this cannot be timed.
      const { host, port } = peer.local
      for (const from of [{ address: host, port: port === 9 ? 10 : 9 }, { address: "127.0.0.2", port }]) {
        node.emit("message", Buffer.from("noise"), from)
      }
      yield* Socket.sendto(peer, socket.local, "answer")
      assert.strictEqual(text(yield* Socket.recv(socket, 100)), "answer")
      assert.strictEqual(socket.dropped, 0)
    }))

  it.effect("the peer is told as senders are, however it was named", () =>
    Effect.gen(function*() {
      const server = yield* Socket.udp({ host: "::1" })
      const client = yield* Socket.udp({ host: "::1", peer: { host: "[0:0:0:0:0:0:0:1]", port: server.local.port } })
      assert.deepStrictEqual(client.remote, server.local)
      yield* Socket.sendto(server, client.local, "answer")
      assert.strictEqual(text(yield* Socket.recv(client, 100)), "answer")
    }))

  it.effect("carries no descriptors", () =>
    Effect.gen(function*() {
      const socket = yield* Socket.udp({ host: "127.0.0.1" })
      const sent = Socket.sendto(socket, socket.local, "x", { descriptors: [0] })
      assert.strictEqual(yield* failure(sent), "BadArgument")
    }))
})

describe("UNIX datagrams", () => {
  it.effect("a receiver without room makes senders wait, and everything arrives in order", () =>
    Effect.gen(function*() {
      const one = yield* Socket.unixDatagram()
      const two = yield* Socket.unixDatagram()
      const sending = yield* start(
        Effect.forEach(Array.from({ length: 200 }, (_, number) => number), (number) =>
          Socket.sendto(one, two.local, `${number}`), { discard: true })
      )
      assert.isFalse(isDone(sending))
      for (let number = 0; number < 200; number++) {
        assert.strictEqual(text(yield* Socket.recv(two, 10)), `${number}`)
      }
      yield* Fiber.join(sending)
    }))

  it.effect("with a peer: what strangers sent before and after is not received, and its descriptors are closed", () =>
    Effect.gen(function*() {
      const folder = yield* directory
      const inner = yield* Scope.make()
      const path = `${folder}/peer.sock`
      const peer = yield* Scope.provide(Socket.unixDatagram({ path }), inner)
      const stranger = yield* Socket.unixDatagram()
      const made = yield* Socket.make("unix", "datagram")
      const own = { path: uniqueName() }
      yield* Socket.bind(made, own)
      yield* Socket.sendto(stranger, own, "noise", { descriptors: [0] })
      yield* Socket.sendto(peer, own, "early")
      // By another path than its own.
      fs.symlinkSync(path, `${folder}/link`)
      const socket = yield* Socket.toDatagram(made, { peer: { path: `${folder}/link` } })
      const before = descriptors()
      const message = yield* Socket.recvmsg(socket as Socket.Datagram<Socket.Unix>, 100)
      assert.strictEqual(message.data.toString(), "early")
      assert.strictEqual(descriptors(), before)
      // A peer that is gone: the kernel lets strangers in again.
      yield* Scope.close(inner, Exit.void)
      assert.strictEqual(yield* failure(Socket.send(socket, "anybody?")), "System ECONNREFUSED")
      const receiving = yield* start(Socket.recv(socket, 100))
      yield* Socket.sendto(stranger, own, "noise")
      const again = yield* Socket.unixDatagram({ path })
      yield* Socket.sendto(again, own, "back")
      assert.strictEqual(text(yield* Fiber.join(receiving)), "back")
    }))

  it.effect("has its peer before it has a name that strangers could send to, with credentials too", () =>
    Effect.gen(function*() {
      const taken = yield* Socket.unixDatagram()
      const peer = { path: uniqueName() }
      // Both are wrong; the first to be told was done first.
      const error = yield* Effect.flip(Socket.unixDatagram({ path: taken.local.path, peer }))
      assert.deepInclude(error, { code: "ECONNREFUSED", address: peer.path })
      const file = path.join(yield* directory, "x.sock")
      const other = yield* Socket.unixDatagram({ path: peer.path })
      const socket = yield* Socket.unixDatagram({ path: file, peer, credentials: true })
      assert.deepStrictEqual([socket.local.path, socket.remote?.path], [file, peer.path])
      yield* Socket.sendto(other, socket.local, "x")
      assert.isTrue(Option.isSome((yield* Socket.recvmsg(socket, 1)).credentials))
    }))

  it.effect("so does a peer", () =>
    Effect.gen(function*() {
      const server = yield* Socket.unixDatagram()
      const client = yield* Socket.unixDatagram({ peer: server.local })
      const sending = yield* start(Effect.replicateEffect(Socket.send(client, "x"), 100, { discard: true }))
      assert.isFalse(isDone(sending))
      for (let i = 0; i < 100; i++) yield* Socket.recv(server, 10)
      yield* Fiber.join(sending)
    }))

  it.effect("a sender that waits can be interrupted, times out, is woken by close, and leaves no descriptor", () =>
    Effect.gen(function*() {
      const one = yield* Socket.unixDatagram()
      const two = yield* Socket.unixDatagram()
      const fill = yield* start(Effect.forever(Socket.sendto(one, two.local, "x")))
      yield* untilWaiting(`sendto ${two.local.path}`)
      yield* Fiber.interrupt(fill)
      const before = descriptors()
      const interrupted = yield* start(Socket.sendto(one, two.local, "x"))
      const timed = yield* start(Effect.flip(Socket.sendto(one, two.local, "x", { timeout: "1 second" })))
      const closed = yield* start(failure(Socket.sendto(one, two.local, "x")))
      assert.strictEqual(descriptors(), before + 3)
      yield* Fiber.interrupt(interrupted)
      yield* TestClock.adjust("1 second")
      assert.isTrue(Cause.isTimeoutError(yield* Fiber.join(timed)))
      assert.strictEqual(descriptors(), before + 1)
      yield* Socket.close(one)
      assert.strictEqual(yield* Fiber.join(closed), "Closed")
      assert.strictEqual(descriptors(), before - 1)
    }))

  it.effect("a receiver that goes away while senders wait fails them", () =>
    Effect.gen(function*() {
      const one = yield* Socket.unixDatagram()
      const two = yield* Socket.unixDatagram()
      const sending = yield* start(failure(Effect.forever(Socket.sendto(one, two.local, "x"))))
      yield* Socket.close(two)
      assert.strictEqual(yield* Fiber.join(sending), "System ECONNREFUSED")
    }))

  it.effect("nobody there: the system's code, with what to do", () =>
    Effect.gen(function*() {
      const socket = yield* Socket.unixDatagram()
      const folder = yield* directory
      assert.strictEqual(yield* failure(Socket.sendto(socket, { path: uniqueName() }, "x")), "System ECONNREFUSED")
      const error = yield* Effect.flip(Socket.sendto(socket, { path: path.join(folder, "x") }, "x"))
      assert.strictEqual(
        error.message,
        `sendto ${folder}/x failed: no such file or directory (ENOENT). A datagram leaves this machine, or reaches its ` +
          `socket on it. There is no socket at that path: start the server, or correct the path. [KORE_SOCKET_SYSTEM]`
      )
    }))

  it.effect("a file is there while the socket is, a file left over is replaced, any other is not", () =>
    Effect.gen(function*() {
      const folder = yield* directory
      const file = path.join(folder, "x.sock")
      yield* Effect.scoped(Effect.andThen(
        Socket.unixDatagram({ path: file }),
        Effect.sync(() => assert.isTrue(fs.existsSync(file)))
      ))
      assert.isFalse(fs.existsSync(file))
      // A socket that is closed, and whose file somebody kept.
      yield* Effect.scoped(Effect.andThen(
        Socket.unixDatagram({ path: file }),
        Effect.sync(() => fs.renameSync(file, `${file}.kept`))
      ))
      fs.renameSync(`${file}.kept`, file)
      yield* Socket.unixDatagram({ path: file })
      fs.writeFileSync(path.join(folder, "precious"), "gold")
      assert.strictEqual(
        yield* failure(Socket.unixDatagram({ path: path.join(folder, "precious") })),
        "System EADDRINUSE"
      )
      assert.strictEqual(fs.readFileSync(path.join(folder, "precious"), "utf8"), "gold")
      // A stream socket is somebody's, even if it takes no datagrams.
      const stream = path.join(folder, "stream.sock")
      yield* Socket.listen({ path: stream })
      assert.strictEqual(yield* failure(Socket.unixDatagram({ path: stream })), "System EADDRINUSE")
    }))

  it.effect("talks with another process, and tells its credentials", () =>
    Effect.gen(function*() {
      const socket = yield* Socket.unixDatagram({ credentials: true })
      const program = fileURLToPath(new URL("./fixtures/socketSender.ts", import.meta.url))
      const child = ChildProcess.spawn(process.execPath, [program, socket.local.path], { stdio: "inherit" })
      const message = yield* Socket.recvmsg(socket, 100)
      assert.deepStrictEqual(message.credentials, Option.some({
        pid: child.pid!,
        uid: process.getuid!(),
        gid: process.getgid!()
      }))
      assert.strictEqual(message.data.toString(), `${child.pid}`)
      assert.match(message.address.path, /^@[0-9a-f]{5}$/)
      yield* Effect.callback<void>((resume) => {
        if (child.exitCode !== null) resume(Effect.void)
        else child.once("close", () => resume(Effect.void))
      })
    }))

  it.effect("recvmsg: descriptors arrive, work, are closed on exec, and belong to the receiver", () =>
    Effect.gen(function*() {
      const one = yield* Socket.unixDatagram()
      const two = yield* Socket.unixDatagram()
      const listener = yield* Socket.listen({ host: "127.0.0.1", port: 0 })
      const client = yield* Socket.connect(listener.address)
      const server = yield* Socket.accept(listener)
      const node = (server as unknown as { readonly node: net.Socket }).node as unknown as {
        readonly _handle: { readonly fd: number }
      }
      const before = descriptors()
      yield* Socket.sendto(one, two.local, "here", { descriptors: [node._handle.fd, 0] })
      const { ancillary, credentials, data, descriptors: received, isAncillaryCut } = yield* Socket.recvmsg(two, 100)
      assert.strictEqual(data.toString(), "here")
      assert.isTrue(Option.isNone(credentials))
      assert.isFalse(isAncillaryCut)
      assert.deepStrictEqual(ancillary.map(({ data, level, type }) => [level, type, data.length]), [[1, 1, 8]])
      assert.strictEqual(received.length, 2)
      assert.strictEqual(descriptors(), before + 2)
      for (const descriptor of received) {
        assert.match(fs.readFileSync(`/proc/self/fdinfo/${descriptor}`, "utf8"), /^flags:\s+02\d{6}$/m)
      }
      fs.closeSync(received[1]!)
      const passed = yield* Socket.fromNet(new net.Socket({ fd: received[0]! }))
      yield* Socket.send(passed, "through another descriptor")
      assert.strictEqual(text(yield* Socket.recv(client, 100)), "through another descriptor")
    }))

  it.effect("descriptors that come along with what is received without them are closed", () =>
    Effect.gen(function*() {
      const one = yield* Socket.unixDatagram()
      const two = yield* Socket.unixDatagram()
      const before = descriptors()
      for (let i = 0; i < 5; i++) {
        yield* Socket.sendto(one, two.local, "x", { descriptors: [0, 1, 2] })
        yield* Socket.recvfrom(two, 10)
      }
      assert.strictEqual(descriptors(), before)
    }))

  it.effect("more than fits is told, and what does not fit is closed", () =>
    Effect.gen(function*() {
      const one = yield* Socket.unixDatagram()
      const two = yield* Socket.unixDatagram({ credentials: true })
      const before = descriptors()
      yield* Socket.sendto(one, two.local, "x", { descriptors: Array.from({ length: 253 }, () => 0) })
      const message = yield* Socket.recvmsg(two, 10)
      assert.isTrue(message.isAncillaryCut)
      assert.isAbove(message.descriptors.length, 200)
      assert.strictEqual(descriptors(), before + message.descriptors.length)
      for (const descriptor of message.descriptors) fs.closeSync(descriptor)
    }))

  it.effect("a bad descriptor sends nothing: EBADF", () =>
    Effect.gen(function*() {
      const socket = yield* Socket.unixDatagram()
      const sent = Socket.sendto(socket, socket.local, "x", { descriptors: [99_999] })
      assert.strictEqual(yield* failure(sent), "System EBADF")
    }))

  it.effect("a closed socket's number, used by another socket, is not mistaken for it", () =>
    Effect.gen(function*() {
      for (let i = 0; i < 20; i++) {
        const scope = yield* Scope.make()
        const first = yield* Scope.provide(Socket.unixDatagram(), scope)
        const waiting = yield* start(failure(Socket.recv(first, 1)))
        yield* Scope.close(scope, Exit.void)
        assert.strictEqual(yield* Fiber.join(waiting), "Closed")
        yield* Effect.scoped(Effect.gen(function*() {
          const second = yield* Socket.unixDatagram()
          const receiving = yield* start(Socket.recv(second, 1))
          yield* Socket.sendto(second, second.local, "x")
          assert.strictEqual(text(yield* Fiber.join(receiving)), "x")
        }))
      }
    }))

  it.live("in a worker thread of Node: not supported, with the reason, and no abort when it ends", () =>
    Effect.gen(function*() {
      const module = new URL("../src/Socket.ts", import.meta.url).href
      const effect = import.meta.resolve("effect/Effect")
      const program = `
        const { parentPort } = require("node:worker_threads")
        Promise.all([import(${JSON.stringify(effect)}), import(${JSON.stringify(module)})]).then(([Effect, Socket]) =>
          Effect.runPromise(Effect.flip(Effect.scoped(Socket.unixDatagram())))
            .then((error) => parentPort.postMessage(error.message)))`
      const worker = yield* Effect.acquireRelease(
        Effect.sync(() => new Worker(program, { eval: true, execArgv: [] })),
        (worker) => Effect.promise(() => worker.terminate())
      )
      const message = yield* Effect.callback<string>((resume) => {
        worker.once("message", (message: string) => resume(Effect.succeed(message)))
        worker.once("error", (error) => resume(Effect.die(error)))
      })
      assert.match(message,
        /^unixDatagram on an unnamed socket is not possible here: a worker thread of Node.js cannot/)
    }))
})
