import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as ChildProcess from "node:child_process"
import * as fs from "node:fs"
import * as net from "node:net"
import * as path from "node:path"
import type { ListenError } from "../src/KoreError.ts"
import * as Listener from "../src/Listener.ts"
import * as TestApp from "./fixtures/TestApp.ts"

const tcp = (host: string, port = 0): Listener.Address => ({ _tag: "Tcp", host, port, tls: false })
const unix = (path: string): Listener.Address => ({ _tag: "Unix", path, tls: false })
const bind = (address: Listener.Address) => Listener.bind("main", address, { backlog: 16 })
const failure = (address: Listener.Address): Effect.Effect<ListenError, Listener.Bound, Scope.Scope> =>
  Effect.flip(bind(address))

const connect = (where: net.NetConnectOpts): Effect.Effect<net.Socket, string> =>
  Effect.callback((resume) => {
    const socket = net.connect(where)
    socket.once("connect", () => resume(Effect.succeed(socket)))
    socket.on("error", (error: NodeJS.ErrnoException) => resume(Effect.fail(error.code ?? error.message)))
    return Effect.sync(() => socket.destroy())
  })

const portOf = (bound: Listener.Bound): number => bound.address._tag === "Tcp" ? bound.address.port : 0

describe("label", () => {
  const cases: ReadonlyArray<readonly [Listener.Address, string]> = [
    [tcp("127.0.0.1", 8888), "http://127.0.0.1:8888"],
    [{ ...tcp("example.org", 443), tls: true }, "https://example.org:443"],
    [tcp("::1", 80), "http://[::1]:80"],
    [tcp("[::1]", 80), "http://[::1]:80"],
    [unix("/tmp/x.sock"), "unix:/tmp/x.sock"],
    [unix("@name"), "unix:@name"]
  ]
  for (const [address, text] of cases) {
    it(text, () => assert.strictEqual(Listener.label(address), text))
  }
})

describe("bind", () => {
  for (const host of ["127.0.0.1", "::1", "[::1]"]) {
    it.live(`${host}: listens, and port 0 becomes the port that the system chose`, () =>
      Effect.gen(function*() {
        const bound = yield* bind(tcp(host))
        assert.isAbove(portOf(bound), 0)
        const client = yield* connect({ host: host.replace(/[[\]]/g, ""), port: portOf(bound) })
        client.destroy()
      }))
  }

  it.live("a host name becomes its address", () =>
    Effect.gen(function*() {
      const bound = yield* bind(tcp("localhost"))
      assert.include(["127.0.0.1", "::1"], bound.address._tag === "Tcp" ? bound.address.host : "")
    }))

  it.live("an IPv6 address takes no IPv4 connections", () =>
    Effect.gen(function*() {
      const bound = yield* bind(tcp("::"))
      assert.strictEqual(yield* Effect.flip(connect({ host: "127.0.0.1", port: portOf(bound) })), "ECONNREFUSED")
      yield* bind(tcp("0.0.0.0", portOf(bound)))
    }))

  it.live("the end of the scope frees the address", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const bound = yield* Scope.provide(bind(tcp("127.0.0.1")), scope)
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(yield* Effect.flip(connect({ host: "127.0.0.1", port: portOf(bound) })), "ECONNREFUSED")
      yield* bind(bound.address)
    }))

  it.live("as many may wait as the backlog says", () =>
    Effect.gen(function*() {
      const directory = yield* TestApp.directory
      // Nobody accepts. A UNIX socket refuses at once who finds no place, where TCP would let him try for a minute.
      const places = Effect.fnUntraced(function*(backlog: number) {
        const file = path.join(directory, `${backlog}.sock`)
        yield* Listener.bind("main", unix(file), { backlog })
        const another: Effect.Effect<number> = Effect.matchEffect(connect({ path: file }), {
          onFailure: () => Effect.succeed(0),
          onSuccess: () => Effect.map(another, (n) => n + 1)
        })
        return yield* another
      })
      // Linux has a place more than it was told.
      assert.strictEqual((yield* places(25)) - (yield* places(5)), 20)
    }))

  it.live("a failure leaves no descriptor behind", () =>
    Effect.gen(function*() {
      const bound = yield* bind(tcp("127.0.0.1"))
      yield* failure(bound.address)
      const before = fs.readdirSync("/proc/self/fd").length
      for (let i = 0; i < 20; i++) yield* failure(bound.address)
      assert.strictEqual(fs.readdirSync("/proc/self/fd").length, before)
    }))

  it.live("a process that is started by hand does not inherit the socket", () =>
    Effect.gen(function*() {
      const bound = yield* bind(tcp("127.0.0.1"))
      const listing = ChildProcess.execFileSync("ls", ["-l", "/proc/self/fd"], { encoding: "utf8" })
      assert.notInclude(listing, fs.readlinkSync(`/proc/self/fd/${bound.descriptor}`))
    }))
})

describe("bind fails with the server, the address and what to do", () => {
  it.live("in use: who has it", () =>
    Effect.gen(function*() {
      const bound = yield* bind(tcp("127.0.0.1"))
      const error = yield* failure(bound.address)
      assert.deepInclude(error, { server: "main", address: Listener.label(bound.address), reason: "EADDRINUSE" })
      assert.match(error.message, new RegExp(`\\(pid ${process.pid}\\) listens there: stop it, or choose another port`))
    }))

  it.live("an address of another machine", () =>
    Effect.gen(function*() {
      const error = yield* failure(tcp("192.0.2.1", 80))
      assert.deepInclude(error, { address: "http://192.0.2.1:80", reason: "EADDRNOTAVAIL" })
    }))

  it.live("a name that nobody has", () =>
    Effect.gen(function*() {
      const error = yield* failure(tcp("kore-fx.invalid"))
      assert.match(error.reason, /^the host name "kore-fx.invalid" has no address \((ENOTFOUND|EAI_AGAIN)\)$/)
    }))

  for (const port of [-1, 65_536, 80.5, NaN]) {
    it.live(`port ${port}`, () =>
      Effect.gen(function*() {
        assert.strictEqual((yield* failure(tcp("127.0.0.1", port))).reason, `${port} is not a port`)
      }))
  }
})

describe("a UNIX socket", () => {
  it.live("has a file while the scope is open", () =>
    Effect.gen(function*() {
      const file = path.join(yield* TestApp.directory, "x.sock")
      const scope = yield* Scope.make()
      yield* Scope.provide(bind(unix(file)), scope)
      ;(yield* connect({ path: file })).destroy()
      yield* Scope.close(scope, Exit.void)
      assert.isFalse(fs.existsSync(file))
    }))

  it.live("replaces a file that nobody listens on", () =>
    Effect.gen(function*() {
      const file = path.join(yield* TestApp.directory, "x.sock")
      // A process that is killed leaves its file.
      const then = "() => process.kill(process.pid, 'SIGKILL')"
      const script = `require("net").createServer().listen(${JSON.stringify(file)}, ${then})`
      ChildProcess.spawnSync(process.execPath, ["-e", script])
      assert.isTrue(fs.existsSync(file))
      yield* bind(unix(file))
      ;(yield* connect({ path: file })).destroy()
    }))

  it.live("does not replace one that somebody listens on", () =>
    Effect.gen(function*() {
      const file = path.join(yield* TestApp.directory, "x.sock")
      yield* bind(unix(file))
      const error = yield* failure(unix(file))
      assert.deepInclude(error, { address: `unix:${file}`, reason: "EADDRINUSE" })
      assert.match(error.message, new RegExp(`\\(pid ${process.pid}\\) listens there: stop it, or choose another path`))
      ;(yield* connect({ path: file })).destroy()
    }))

  it.live("does not replace a file of another kind", () =>
    Effect.gen(function*() {
      const file = path.join(yield* TestApp.directory, "x.sock")
      fs.writeFileSync(file, "precious")
      assert.strictEqual((yield* failure(unix(file))).reason, "a file that is no socket is there")
      assert.strictEqual(fs.readFileSync(file, "utf8"), "precious")
    }))

  it.live("does not remove a file that took its place", () =>
    Effect.gen(function*() {
      const file = path.join(yield* TestApp.directory, "x.sock")
      const scope = yield* Scope.make()
      yield* Scope.provide(bind(unix(file)), scope)
      fs.rmSync(file)
      yield* bind(unix(file))
      yield* Scope.close(scope, Exit.void)
      ;(yield* connect({ path: file })).destroy()
    }))

  it.live("has a path of 107 bytes and no more", () =>
    Effect.gen(function*() {
      const directory = yield* TestApp.directory
      const longest = path.join(directory, "é".repeat(60)).slice(0, 200)
      const fits = Buffer.from(longest).subarray(0, 106).toString().replace(/\ufffd/g, "")
      const exact = fits.padEnd(fits.length + 107 - Buffer.byteLength(fits), "x")
      assert.strictEqual(Buffer.byteLength(exact), 107)
      yield* bind(unix(exact))
      ;(yield* connect({ path: exact })).destroy()
      const error = yield* failure(unix(`${exact}x`))
      assert.strictEqual(error.reason, "its path has 108 bytes, and the system allows 107")
      assert.strictEqual((yield* failure(unix(""))).reason, "its path is empty")
    }))

  it.live("with an abstract name has no file", () =>
    Effect.gen(function*() {
      const name = `kore-fx-${process.pid}`
      yield* bind(unix(`@${name}`))
      ;(yield* connect({ path: `\0${name}` })).destroy()
      assert.isFalse(fs.existsSync(`@${name}`))
      assert.strictEqual((yield* failure(unix(`@${name}`))).reason, "EADDRINUSE")
    }))
})

describe("stopAccepting", () => {
  const serve = (bound: Listener.Bound) =>
    Effect.acquireRelease(
      Effect.callback<net.Server>((resume) => {
        const server = net.createServer((socket) => socket.on("error", () => {}).end("served"))
        server.listen({ fd: bound.descriptor }, () => resume(Effect.succeed(server)))
      }),
      (server) => Effect.sync(() => server.close())
    )
  const received = (socket: net.Socket): Effect.Effect<string, string> =>
    Effect.callback((resume) => {
      let text = ""
      socket.on("data", (data) => (text += data)).on("end", () => resume(Effect.succeed(text)))
      socket.on("error", (error: NodeJS.ErrnoException) => resume(Effect.fail(error.code ?? "")))
    })

  it.live("TCP: those who are queued are served, and nobody is queued any more", () =>
    Effect.gen(function*() {
      const bound = yield* bind(tcp("127.0.0.1"))
      const where = { host: "127.0.0.1", port: portOf(bound) }
      const queued = yield* Effect.all([connect(where), connect(where), connect(where)])
      yield* Listener.stopAccepting(bound)
      const late = yield* Effect.timeoutOption(connect(where), 300)
      assert.strictEqual(late._tag, "None")
      yield* serve(bound)
      assert.deepStrictEqual(yield* Effect.forEach(queued, received), ["served", "served", "served"])
      yield* Listener.untilEmpty(bound)
    }))

  it.live("UNIX: those who are queued are served, and the file is gone", () =>
    Effect.gen(function*() {
      const file = path.join(yield* TestApp.directory, "x.sock")
      const bound = yield* bind(unix(file))
      const queued = yield* Effect.all([connect({ path: file }), connect({ path: file })])
      yield* Listener.stopAccepting(bound)
      assert.strictEqual(yield* Effect.flip(connect({ path: file })), "ENOENT")
      yield* serve(bound)
      assert.deepStrictEqual(yield* Effect.forEach(queued, received), ["served", "served"])
    }))

  it.live("untilEmpty waits for those who are queued, and not for ever", () =>
    Effect.gen(function*() {
      const bound = yield* bind(tcp("127.0.0.1"))
      const started = Date.now()
      yield* Listener.untilEmpty(bound)
      assert.isBelow(Date.now() - started, 500)
      const client = yield* connect({ host: "127.0.0.1", port: portOf(bound) })
      yield* Listener.untilEmpty(bound)
      assert.isAtLeast(Date.now() - started, 990)
      client.destroy()
    }))
})
