import { assert, describe, it } from "@effect/vitest"
import { SocketError } from "@kore-fx/core/SocketError"
import * as Effect from "effect/Effect"
import { kore } from "kore-fx/legacy"
import * as dgram from "node:dgram"
import * as fs from "node:fs"
import * as net from "node:net"
import * as os from "node:os"
import * as path from "node:path"
import * as v8 from "node:v8"
import * as vm from "node:vm"
import { inWorker, notes, routes, run, start, thrownBy, turn, until, untilWaiting, untyped } from "./TestApp.ts"

const { AF_INET, AF_INET6, AF_UNIX, SOCK_DGRAM, SOCK_NONBLOCK, SOCK_STREAM } = kore.socket

/** The system's code of what is thrown. */
const codeOf = async (f: () => unknown): Promise<string | undefined> => {
  const error = await thrownBy(f)
  assert.instanceOf(error, kore.RuntimeError)
  assert.instanceOf(error.cause, SocketError)
  return (error.cause as SocketError).code ?? (error.cause as SocketError).reason
}

const listening = (backlog?: number) => {
  const sock = kore.socket.socket(AF_INET, SOCK_STREAM)
  sock.bind(["127.0.0.1", 0])
  sock.listen(backlog)
  return sock
}

const stream = () => kore.socket_wrap(kore.socket.socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK))

/** Both ends of a connection. */
const pair = async () => {
  const sock = listening()
  const listener = kore.socket_wrap(sock)
  const client = stream()
  await client.connect(...sock.getsockname())
  return { sock, listener, client, server: await listener.accept() }
}

let names = 0
const abstractName = () => `@kore-fx-legacy-${process.pid}-${++names}`

const descriptors = () => fs.readdirSync("/proc/self/fd").length

const inDirectory = <A>(use: (directory: string) => Promise<A>): Promise<A> => {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), "kore-fx-"))
  return use(directory).finally(() => fs.rmSync(directory, { recursive: true }))
}

describe("kore.socket_wrap", () => {
  it.effect("kore.socket_wrap takes what kore.socket.socket makes, and Node's sockets and servers", () =>
    run(async () => {
      const server = net.createServer().listen(0, "127.0.0.1")
      await new Promise((resolve) => server.once("listening", resolve))
      const listener = kore.socket_wrap(server)
      // It is still connecting.
      const client = kore.socket_wrap(net.connect((server.address() as net.AddressInfo).port, "127.0.0.1"))
      await client.send("from Node")
      const accepted = await listener.accept()
      assert.strictEqual(String(await accepted.recv(100)), "from Node")

      const udp = dgram.createSocket("udp4").bind(0, "127.0.0.1")
      await new Promise((resolve) => udp.once("listening", resolve))
      const wrapped = kore.socket_wrap(udp)
      const own = kore.socket_wrap(kore.socket.socket(AF_INET, SOCK_DGRAM))
      await own.sendto("127.0.0.1", udp.address().port, "datagram")
      assert.strictEqual(String((await wrapped.recvfrom(100))![2]), "datagram")

      for (const end of [listener, client, accepted, wrapped]) end.close()
      server.close()
      udp.close()
    }).pipe(inWorker))

  it.effect("refuses what is no socket, what is not ready, and to be called where no worker runs", () => {
    assert.throws(() => kore.socket_wrap(new net.Socket()), kore.RuntimeError, "kore.socket_wrap needs a worker")
    return run(async () => {
      for (const value of [undefined, null, 3, {}, "socket", Buffer.alloc(1)]) {
        assert.throws(() => untyped.socket_wrap(value), kore.RuntimeError,
          /kore.socket_wrap got .+, expected a socket of/)
      }
      assert.strictEqual(await codeOf(() => kore.socket_wrap(new net.Socket()).recv(1)), "BadArgument")
      assert.strictEqual(await codeOf(() => kore.socket_wrap(net.createServer()).accept()), "BadArgument")
      assert.strictEqual(await codeOf(() => kore.socket_wrap(dgram.createSocket("udp4")).recvfrom(1)), "BadArgument")
    }).pipe(inWorker)
  })
})

describe("a socket", () => {
  it.effect("recv gives what has arrived, and null at the end", () =>
    run(async () => {
      const { client, server } = await pair()
      await server.send("hello world")
      const first = await client.recv(5)
      assert.instanceOf(first, Buffer)
      assert.strictEqual(String(first), "hello")
      assert.strictEqual(String(await client.recv(100)), " world")
      server.close()
      assert.isNull(await client.recv(100))
      assert.isNull(await client.recv(100))
    }).pipe(inWorker))

  it.live("recv after its timeout throws kore.TimeoutError, and the socket stays usable", () =>
    run(async () => {
      const { client, server } = await pair()
      const error = await thrownBy(() => client.recv(100, 5))
      assert.instanceOf(error, kore.TimeoutError)
      assert.notInstanceOf(error, kore.RuntimeError)
      assert.strictEqual((error.cause as { readonly _tag: string })._tag, "TimeoutError")
      assert.instanceOf(await thrownBy(() => client.recv(100, 0)), kore.TimeoutError)
      await server.send("late")
      assert.strictEqual(String(await client.recv(100, 10_000)), "late")
      await server.send("later")
      assert.strictEqual(String(await client.recv(100, -1)), "later")
      for (const timeout of [-2, NaN, "5"]) {
        assert.include((await thrownBy(() => client.recv(1, timeout as never))).message, "sock.recv got the timeout")
      }
    }).pipe(inWorker))

  it.effect("kore §13: no number of bytes is an exception, and nothing is lost", () =>
    run(async () => {
      const { client, server } = await pair()
      await server.send("kept")
      for (const maxlen of [0, -1, 1.5, NaN, "10", undefined]) {
        assert.strictEqual(await codeOf(() => client.recv(maxlen as never)), "BadArgument")
        assert.strictEqual(await codeOf(() => client.recvfrom(maxlen as never)), "BadArgument")
      }
      assert.strictEqual(String(await client.recv(100)), "kept")
    }).pipe(inWorker))

  it.effect("recvfrom gives [address, port, data], on UNIX sockets [address, data]", () =>
    run(async () => {
      const plain = kore.socket.socket(AF_INET, SOCK_DGRAM)
      plain.bind(["127.0.0.1", 0])
      const server = kore.socket_wrap(plain)
      const client = kore.socket_wrap(kore.socket.socket(AF_INET, SOCK_DGRAM))
      await client.sendto("127.0.0.1", await portOf(server, plain), "question")
      const [address, port, data] = (await server.recvfrom(100))!
      assert.deepStrictEqual([address, String(data)], ["127.0.0.1", "question"])
      await server.sendto(address, port, "")
      // kore §13: an empty datagram is one, and no end.
      assert.strictEqual((await client.recv(100))!.length, 0)

      const name = abstractName()
      const unix = kore.socket.socket(AF_UNIX, SOCK_DGRAM)
      unix.bind(name)
      const receiver = kore.socket_wrap(unix)
      const sender = kore.socket.socket(AF_UNIX, SOCK_DGRAM)
      const senderName = abstractName()
      sender.bind(senderName)
      await kore.socket_wrap(sender).sendto(name, "from a name")
      const [from, text] = (await receiver.recvfrom<kore.ReceivedUnix>(100))!
      assert.deepStrictEqual([from, String(text)], [senderName, "from a name"])
    }).pipe(inWorker))

  it.effect("recvfrom of a stream gives what recv does with the peer, and null at the end", () =>
    run(async () => {
      const { client, server, sock } = await pair()
      await server.send("hello")
      const [address, port, data] = (await client.recvfrom(100))!
      assert.deepStrictEqual([address, port, String(data)], [...sock.getsockname(), "hello"])
      await server.send("again")
      const [, , again, ancillary] = (await client.recvmsg(100))!
      assert.deepStrictEqual([String(again), ancillary], ["again", []])
      server.close()
      assert.isNull(await client.recvfrom(100))
      assert.isNull(await client.recvmsg(100))
    }).pipe(inWorker))

  it.effect("recvmsg gives ancillary data too", () =>
    run(async () => {
      const unix = kore.socket.socket(AF_UNIX, SOCK_DGRAM)
      const name = abstractName()
      unix.bind(name)
      // SO_PASSCRED: every message tells who sent it.
      unix.setsockopt(kore.socket.SOL_SOCKET, 16, 1)
      const receiver = kore.socket_wrap(unix)
      await kore.socket_wrap(kore.socket.socket(AF_UNIX, SOCK_DGRAM)).sendto(name, "who am I")
      const [, data, ancillary] = (await receiver.recvmsg<kore.ReceivedUnix>(100))!
      assert.strictEqual(String(data), "who am I")
      const [length, level, type, credentials] = ancillary[0]!
      // SOL_SOCKET, SCM_CREDENTIALS: pid, uid, gid.
      assert.deepStrictEqual([ancillary.length, length, level, type], [1, 12, 1, 2])
      assert.deepStrictEqual(
        [credentials.readInt32LE(0), credentials.readInt32LE(4), credentials.readInt32LE(8)],
        [process.pid, process.getuid!(), process.getgid!()]
      )
      const udp = kore.socket.socket(AF_INET, SOCK_DGRAM)
      udp.bind(["127.0.0.1", 0])
      const server = kore.socket_wrap(udp)
      await server.sendto("127.0.0.1", await portOf(server, udp), "nothing comes along")
      assert.deepStrictEqual((await server.recvmsg(7))!.slice(2).map(String), ["nothing", ""])
    }).pipe(inWorker))

  it.effect("send has sent everything when it returns, text as UTF-8", () =>
    run(async () => {
      const { client, server } = await pair()
      const size = 8 * 1024 * 1024
      const [, received] = await kore.gather(
        async () => {
          await client.send("tëxt")
          await client.send(Buffer.alloc(size, 7))
          client.close()
        },
        async () => {
          const chunks: Array<Buffer> = []
          for (let data = await server.recv(65536); data !== null; data = await server.recv(65536)) chunks.push(data)
          return Buffer.concat(chunks)
        }
      )
      assert.instanceOf(received, Buffer)
      assert.strictEqual((received as Buffer).subarray(0, 5).toString(), "tëxt")
      assert.strictEqual((received as Buffer).length, size + 5)
      for (const data of [7, null, undefined, {}]) {
        assert.strictEqual(await codeOf(() => server.send(data as never)), "BadArgument")
      }
    }).pipe(inWorker))

  it.effect("end ends what is sent, after what was sent before, and nothing else", () =>
    run(async () => {
      const { client, server } = await pair()
      const size = 4 * 1024 * 1024
      const results = await kore.gather(
        async () => {
          await client.send(Buffer.alloc(size))
          await client.end()
        },
        async () => {
          let received = 0
          for (let data = await server.recv(65536); data !== null; data = await server.recv(65536)) {
            received += data.length
          }
          return received
        }
      )
      assert.deepStrictEqual(results, [undefined, size])
      await server.send("the answer")
      assert.strictEqual(String(await client.recv(100)), "the answer")
      await client.end()
      assert.strictEqual(await codeOf(() => client.send("more")), "Ended")
      await server.end()
      assert.isNull(await client.recv(100))
      client.close()
      assert.strictEqual(await codeOf(() => client.end()), "Closed")
    }).pipe(inWorker))

  it.effect("send to a peer that is gone is an exception with the system's code", () =>
    run(async () => {
      const { client, server } = await pair()
      server.close()
      const code = await codeOf(async () => {
        while (true) await client.send(Buffer.alloc(65536))
      })
      assert.include(["EPIPE", "ECONNRESET"], code)
    }).pipe(inWorker))

  it.effect("sendto takes address, port and data, the port as text too", () =>
    run(async () => {
      const plain = kore.socket.socket(AF_INET, SOCK_DGRAM)
      plain.bind(["127.0.0.1", 0])
      const server = kore.socket_wrap(plain)
      const port = await portOf(server, plain)
      await server.sendto("127.0.0.1", port, "number")
      await server.sendto("127.0.0.1", String(port), Buffer.from("text"))
      assert.strictEqual(String(await server.recv(100)), "number")
      assert.strictEqual(String(await server.recv(100)), "text")
      // kore §13: there 65535 is refused, and an unknown host is everybody.
      await server.sendto("127.0.0.1", 65535, "to nobody")
      for (const bad of [0, 65536, -1, "many", "", null]) {
        assert.strictEqual(await codeOf(() => server.sendto("127.0.0.1", bad as never, "x")), "BadArgument")
      }
      assert.isString(await codeOf(() => server.sendto("no-such-host.invalid", 7, "x")))
    }).pipe(inWorker))

  it.effect("sendto on a UNIX socket takes path and data", () =>
    run(() =>
      inDirectory(async (directory) => {
        const file = path.join(directory, "service.sock")
        const plain = kore.socket.socket(AF_UNIX, SOCK_DGRAM)
        plain.bind(file)
        const server = kore.socket_wrap(plain)
        const client = kore.socket_wrap(kore.socket.socket(AF_UNIX, SOCK_DGRAM))
        await client.sendto(file, "hello world")
        assert.strictEqual(String(await server.recv(100)), "hello world")
        assert.strictEqual(await codeOf(() => client.sendto(path.join(directory, "nobody"), "x")), "ENOENT")
        server.close()
        assert.deepStrictEqual(fs.readdirSync(directory), [])
      })
    ).pipe(inWorker))

  it.effect("accept gives a socket of its own, which close closes", () =>
    run(async () => {
      const { client, listener, server, sock } = await pair()
      const second = stream()
      await second.connect(...sock.getsockname())
      const accepted = await listener.accept()
      await second.send("second")
      await client.send("first")
      assert.strictEqual(String(await accepted.recv(100)), "second")
      assert.strictEqual(String(await server.recv(100)), "first")
      assert.isTrue(accepted.close())
      assert.isNull(await second.recv(100))
      await client.send("still there")
      assert.strictEqual(String(await server.recv(100)), "still there")
    }).pipe(inWorker))

  it.effect("one that was accepted outlives the coroutine that accepted it", () =>
    Effect.gen(function*() {
      const { note, seen } = notes()
      yield* run(async () => {
        const sock = listening()
        const listener = kore.socket_wrap(sock)
        kore.task_create(function*() {
          const client = yield* listener.accept()
          kore.task_create(async () => {
            await kore.suspend(0)
            note(String(await client.recv(100)))
          })
        })
        const client = stream()
        await client.connect(...sock.getsockname())
        await client.send("hello")
      })
      yield* until(() => seen.length === 1)
      assert.deepStrictEqual(seen, ["hello"])
    }).pipe(inWorker))

  it.effect("connect takes host and port, also a name, and says why it failed", () =>
    run(async () => {
      const sock = listening()
      const [, port] = sock.getsockname()
      const byName = stream()
      await byName.connect("localhost", String(port))
      await byName.send("x")
      const closed = listening()
      const [, nobody] = closed.getsockname()
      closed.close()
      assert.strictEqual(await codeOf(() => stream().connect("127.0.0.1", nobody)), "ECONNREFUSED")
      // kore §13: there the text says EOF, and an unknown name is the local host.
      assert.match((await thrownBy(() => stream().connect("127.0.0.1", nobody))).message,
        /connect to 127.0.0.1:\d+ failed/)
      assert.strictEqual(
        ((await thrownBy(() => stream().connect("no-such-host.invalid", port))).cause as SocketError).reason,
        "UnknownHost"
      )
      for (const bad of [undefined, 0, 65536, "x"]) {
        assert.strictEqual(await codeOf(() => stream().connect("127.0.0.1", bad as never)), "BadArgument")
      }
    }).pipe(inWorker))

  it.effect("connect takes a path, and @name for the abstract namespace", () =>
    run(() =>
      inDirectory(async (directory) => {
        for (const address of [path.join(directory, "x.sock"), abstractName()]) {
          const plain = kore.socket.socket(AF_UNIX, SOCK_STREAM)
          plain.bind(address)
          plain.listen()
          assert.strictEqual(plain.getsockname(), address)
          const listener = kore.socket_wrap(plain)
          const client = kore.socket_wrap(kore.socket.socket(AF_UNIX, SOCK_STREAM))
          await client.connect(address)
          const server = await listener.accept()
          await client.send("hello")
          assert.deepStrictEqual((await server.recvfrom<kore.ReceivedUnix>(100))!.map(String), ["null", "hello"])
        }
        const nobody = kore.socket_wrap(kore.socket.socket(AF_UNIX, SOCK_STREAM))
        assert.strictEqual(await codeOf(() => nobody.connect(path.join(directory, "nobody"))), "ENOENT")
      })
    ).pipe(inWorker))

  it.effect("connect of a datagram socket names its peer", () =>
    run(async () => {
      const plain = kore.socket.socket(AF_INET, SOCK_DGRAM)
      plain.bind(["127.0.0.1", 0])
      const server = kore.socket_wrap(plain)
      const port = await portOf(server, plain)
      const client = kore.socket_wrap(kore.socket.socket(AF_INET, SOCK_DGRAM))
      await client.connect("127.0.0.1", port)
      await client.send("question")
      const [address, from] = (await server.recvfrom(100))!
      await server.sendto(address, from, "answer")
      assert.strictEqual(String(await client.recv(100)), "answer")
    }).pipe(inWorker))

  it.effect("close returns true, also again, and leaves a wrapped socket open", () =>
    run(async () => {
      const server = net.createServer().listen(0, "127.0.0.1")
      await new Promise((resolve) => server.once("listening", resolve))
      const node = net.connect((server.address() as net.AddressInfo).port, "127.0.0.1")
      const listener = kore.socket_wrap(server)
      const client = kore.socket_wrap(node)
      const accepted = await listener.accept()
      await client.recv(1, 0).then(undefined, () => {})
      assert.deepStrictEqual([client.close(), client.close(), listener.close()], [true, true, true])
      assert.isFalse(node.destroyed)
      assert.isTrue(server.listening)
      // It is its owner's again, and works.
      const data = new Promise((resolve) => node.once("data", resolve))
      node.resume()
      await accepted.send("for Node")
      assert.strictEqual(String(await data), "for Node")
      // What was accepted is closed with its socket.
      accepted.close()
      await new Promise((resolve) => node.once("close", resolve))
      server.close()
    }).pipe(inWorker))

  it.effect("kore §13: close wakes who waits with an exception, and what is tried later is one", () =>
    run(async () => {
      const { client, listener, sock } = await pair()
      kore.task_create(async () => {
        await kore.suspend(0)
        client.close()
        listener.close()
      })
      const results = await kore.gather(() => client.recv(100), () => listener.accept())
      for (const result of results) assert.strictEqual(await codeOf(() => Promise.reject(result as Error)), "Closed")
      for (const use of [() => client.recv(1), () => client.send("x"), () => listener.accept()]) {
        assert.strictEqual(await codeOf(use), "Closed")
      }
      // Either of the two may be closed, in any order.
      sock.close()
      sock.close()
    }).pipe(inWorker))

  it.effect("kore §13: one coroutine may wait for several sockets, and several for one", () =>
    run(async () => {
      const { client, server } = await pair()
      const other = await pair()
      const received = kore.gather(
        () => client.recv(1),
        () => client.recv(1),
        () => other.client.recv(1)
      )
      kore.task_create(async () => {
        await kore.suspend(0)
        await server.send("ab")
        await other.server.send("c")
      })
      assert.deepStrictEqual((await received).map(String), ["a", "b", "c"])
    }).pipe(inWorker))

  it.effect("one of another kind says so", () =>
    run(async () => {
      const { client, listener } = await pair()
      const udp = kore.socket_wrap(kore.socket.socket(AF_INET, SOCK_DGRAM))
      assert.strictEqual(await codeOf(() => client.accept()), "EOPNOTSUPP")
      assert.strictEqual(await codeOf(() => client.sendto("127.0.0.1", 7, "x")), "EOPNOTSUPP")
      assert.strictEqual(await codeOf(() => listener.recv(1)), "EOPNOTSUPP")
      assert.strictEqual(await codeOf(() => udp.accept()), "EOPNOTSUPP")
      assert.strictEqual(await codeOf(() => udp.end()), "EOPNOTSUPP")
      assert.strictEqual(await codeOf(() => listener.end()), "EOPNOTSUPP")
      assert.strictEqual(await codeOf(() => stream().recv(1)), "ENOTCONN")
      assert.strictEqual(await codeOf(() => client.connect("127.0.0.1", 7)), "EINVAL")
    }).pipe(inWorker))

  it.effect("is closed with the worker, after its coroutines, and after workerstop", () =>
    Effect.gen(function*() {
      const { note, seen } = notes()
      let client: kore.Socket | undefined
      const before = descriptors()
      yield* Effect.scoped(Effect.gen(function*() {
        yield* run(async () => {
          const ends = await pair()
          client = ends.client
        })
        kore.task_create(async () => {
          try {
            await client!.recv(1)
          } catch (error) {
            note((error as Error).name)
          }
        })
        yield* untilWaiting("socket")
      }).pipe(Effect.provide(start({
        ...routes(() => {}),
        async workerstop() {
          await client!.send("goodbye")
          note("sent")
        }
      }))))
      assert.deepStrictEqual(seen, ["Killed", "sent"])
      yield* until(() => descriptors() <= before)
    }))

  it.effect("kore §13: is closed when nobody has it any more, as in Python", () =>
    Effect.gen(function*() {
      v8.setFlagsFromString("--expose-gc")
      const gc = vm.runInNewContext("gc") as () => void
      const server = net.createServer((socket) => socket.resume()).listen(0, "127.0.0.1")
      yield* Effect.callback<void>((resume) => void server.once("listening", () => resume(Effect.void)))
      const { port } = server.address() as net.AddressInfo
      let left = 0
      server.on("connection", (socket) => socket.on("close", () => left++))
      const connected = async () => {
        const socket = stream()
        await socket.connect("127.0.0.1", port)
        return socket
      }
      // One that is waited for is not forgotten, and neither is one that somebody has.
      const kept: Array<kore.Socket> = []
      kore.task_create(async () => void await (await connected()).recv(1))
      kore.task_create(async () => void kept.push(await connected()))
      yield* run(async () => {
        for (let i = 0; i < 10; i++) await connected()
      })
      yield* untilWaiting("socket")
      yield* Effect.suspend(() => {
        gc()
        return turn
      }).pipe(Effect.repeat({ until: () => left === 10 }))
      yield* turn
      gc()
      yield* turn
      assert.deepStrictEqual([left, kept.length], [10, 1])
      server.close()
    }).pipe(inWorker))
})

describe("kore.socket", () => {
  it.effect("kore.socket makes sockets of both families and types, with bind, listen, setsockopt, setblocking and close", () =>
    run(async () => {
      for (const [family, address] of [[AF_INET, "127.0.0.1"], [AF_INET6, "::1"]] as const) {
        const sock = kore.socket.socket(family, SOCK_STREAM | SOCK_NONBLOCK)
        sock.setblocking(false)
        sock.setblocking(true)
        sock.setsockopt(kore.socket.SOL_SOCKET, kore.socket.SO_REUSEADDR, 1)
        sock.setsockopt(kore.socket.SOL_SOCKET, kore.socket.SO_KEEPALIVE, Buffer.from([1, 0, 0, 0]))
        sock.bind([address, 0])
        sock.listen(10)
        const [host, port] = sock.getsockname()
        assert.strictEqual(host, address)
        assert.isAbove(port, 0)
        const client = kore.socket_wrap(kore.socket.socket(family, SOCK_STREAM))
        await client.connect(host, port)
        sock.close()
        sock.close()
        assert.strictEqual(await codeOf(() => kore.socket_wrap(sock).accept()), "Closed")

        const udp = kore.socket.socket(family, SOCK_DGRAM)
        udp.bind([address, 0])
        const datagrams = kore.socket_wrap(udp)
        await datagrams.sendto(address, await portOf(datagrams, udp), "hello")
        assert.strictEqual(String(await datagrams.recv(100)), "hello")
        udp.close()
      }
    }).pipe(inWorker))

  it.effect("a socket that is bound to all addresses has an empty host", () =>
    Effect.sync(() => {
      const sock = kore.socket.socket(AF_INET, SOCK_STREAM)
      sock.bind(["", 0])
      sock.listen()
      assert.strictEqual(sock.getsockname()[0], "0.0.0.0")
    }).pipe(inWorker))

  it.effect("refuses what the system does not have, with its code", () =>
    run(async () => {
      for (const [family, type] of [[0, 1], [AF_INET, 3], ["inet", "stream"], [AF_INET, undefined]]) {
        assert.throws(() => untyped.socket.socket(family, type), kore.RuntimeError, "kore.socket.socket got the family")
      }
      const sock = listening()
      const other = kore.socket.socket(AF_INET, SOCK_STREAM)
      assert.strictEqual(await codeOf(() => other.bind(sock.getsockname())), "EADDRINUSE")
      assert.strictEqual(await codeOf(() => other.setsockopt(kore.socket.SOL_SOCKET, 12345, 1)), "ENOPROTOOPT")
      assert.strictEqual(await codeOf(() => other.getsockname()), "EINVAL")
      assert.strictEqual(await codeOf(() => other.listen(0)), "BadArgument")
      assert.strictEqual(await codeOf(() => sock.bind(["127.0.0.1", 0])), "EINVAL")
      assert.strictEqual(await codeOf(() => kore.socket.socket(AF_UNIX, SOCK_STREAM).bind(7 as never)), "BadArgument")
      assert.throws(() => other.bind(["localhost", 80]), kore.RuntimeError, "expected an IP address")
      assert.throws(() => other.bind("127.0.0.1" as never), kore.RuntimeError, "expected an address and a port")
    }).pipe(inWorker))

  it("needs a worker", () => {
    assert.throws(() => kore.socket.socket(AF_INET, SOCK_STREAM), kore.RuntimeError,
      "kore.socket.socket needs a worker, and none runs here: call it from workerstart on")
  })
})

/** The port that the system has chosen: known once the socket does something. */
const portOf = async (socket: kore.Socket, plain: kore.PlainSocket): Promise<number> => {
  await socket.recv(1, 0).then(undefined, () => {})
  return plain.getsockname()[1]
}
