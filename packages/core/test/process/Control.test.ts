import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import * as net from "node:net"
import * as path from "node:path"
import * as ControlClient from "../../src/process/ControlClient.ts"
import * as ControlDirectory from "../../src/process/ControlDirectory.ts"
import type * as FiberRow from "../../src/process/FiberRow.ts"
import * as TestApp from "../fixtures/TestApp.ts"

const row: FiberRow.FiberRow = {
  id: 7,
  parent: { kind: "request", id: 3 },
  kind: "task",
  name: "welcome",
  state: "suspended",
  since: 12,
  age: 345,
  waits: [{ kind: "lock", what: "lock ledger, held by fiber 12", since: 11 }],
  spans: ["inner", "outer"]
}

/** Starts an app with a control socket in a directory of its own. */
const start = Effect.fnUntraced(function*(setup: Parameters<typeof TestApp.start>[0] = {}) {
  const runtime = yield* TestApp.directory
  const app = yield* TestApp.start({
    ...setup,
    config: { ...setup.config, controlSocket: "auto" },
    env: { XDG_RUNTIME_DIR: runtime }
  })
  const directory = path.join(runtime, "kore-fx")
  return { app, directory, socket: ControlDirectory.socketOf(directory, app.pid) }
})

/** Sends bytes, and gives what comes back until the connection is closed. */
const exchange = (socket: string, bytes: string | Buffer, end = false): Effect.Effect<string> =>
  Effect.callback((resume) => {
    const client = net.connect(socket)
    let answer = ""
    client.on("connect", () => end ? client.end(bytes) : client.write(bytes))
    client.on("data", (data) => answer += String(data))
    client.on("error", () => {})
    client.on("close", () => resume(Effect.succeed(answer)))
    return Effect.sync(() => client.destroy())
  })

describe("a control socket", () => {
  it.live("is in a directory for this user only, and gone when the server is", () =>
    Effect.gen(function*() {
      const { app, directory, socket } = yield* start()
      yield* TestApp.ready(app)
      assert.strictEqual(fs.statSync(directory).mode & 0o777, 0o700)
      assert.isTrue(fs.statSync(socket).isSocket())
      assert.strictEqual(fs.statSync(socket).mode & 0o777, 0o600)
      assert.deepStrictEqual(yield* ControlClient.sockets(directory), [{ pid: app.pid, path: socket }])
      yield* app.kill("SIGTERM")
      assert.deepStrictEqual(yield* app.ended, { code: 0, signal: null })
      assert.deepStrictEqual(fs.readdirSync(directory), [])
      assert.strictEqual((yield* Effect.flip(ControlClient.status(socket)))._tag, "NotRunning")
    }))

  it.live("tells who the server is, and what its workers do", () =>
    Effect.gen(function*() {
      const { app, socket } = yield* start({ name: "shop", second: "hang" })
      yield* app.expect(/listens on/)
      const starting = yield* Effect.eventually(Effect.delay(ControlClient.status(socket), 10))
      assert.deepInclude(starting, { name: "shop", pid: app.pid, cwd: process.cwd(), protocol: 1 })
      assert.match(starting.file!, /fixtures\/app\.ts$/)
      assert.strictEqual(starting.argv[1], starting.file)
      assert.lengthOf(starting.servers, 1)
      assert.match(starting.servers[0]!.address, /^http:\/\/127\.0\.0\.1:\d+$/)
      assert.isAtLeast(starting.uptime, 0)
      const oneReady = ControlClient.status(socket).pipe(
        Effect.filterOrFail(({ workers }) => workers[0]?.state === "ready"),
        Effect.delay(10),
        Effect.eventually
      )
      const { workers } = yield* oneReady
      assert.deepStrictEqual(workers.map(({ state, worker }) => [worker, state]), [[1, "ready"], [2, "starting"]])
      for (const { pid } of workers) assert.isTrue(TestApp.isRunning(pid!))
    }))

  it.live("tells of a worker that waits to be started again", () =>
    Effect.gen(function*() {
      const { app, socket } = yield* start({ second: "exit", config: { workerRestartLimit: 1000 } })
      // From the second death on it waits; the pauses grow.
      yield* app.expect(/restarting in 1s/)
      const { workers } = yield* ControlClient.status(socket)
      assert.deepInclude(workers[1]!, { worker: 2, state: "waiting" })
      assert.notProperty(workers[1]!, "pid")
      const { workers: [, second] } = yield* ControlClient.fibers(socket)
      assert.strictEqual(second!.problem, "has no process")
    }))

  it.live("gives the fibers of each worker, and says which does not answer", () =>
    Effect.gen(function*() {
      const direct = yield* TestApp.directory
      const { app, socket } = yield* start({ direct, fibers: [row] })
      const { pids } = yield* TestApp.ready(app)
      yield* TestApp.ask(TestApp.socketOf(direct, 2), "block")
      const { workers } = yield* ControlClient.fibers(socket)
      assert.deepInclude(workers[0]!, { worker: 1, pid: pids[0]!, state: "ready", fibers: [row], total: 1 })
      assert.deepInclude(workers[1]!, { worker: 2, pid: pids[1]!, fibers: [], total: 0, problem: "does not answer" })
    }))

  it.live("sends as many fibers as there is room for, and the number of all", () =>
    Effect.gen(function*() {
      const { app, socket } = yield* start({
        config: { workers: 1 },
        fibers: [row],
        fibersTimes: 100_000
      })
      yield* TestApp.ready(app)
      const { workers: [worker] } = yield* ControlClient.fibers(socket)
      assert.strictEqual(worker!.total, 100_000)
      const size = JSON.stringify(row).length + 1
      assert.strictEqual(worker!.fibers.length, Math.floor(4 * 1024 * 1024 / size))
    }))

  it.live("removes those that dead servers have left, and leaves those of living ones", () =>
    Effect.gen(function*() {
      const first = yield* start()
      yield* TestApp.ready(first.app)
      yield* first.app.kill("SIGKILL")
      yield* first.app.ended
      assert.isTrue(fs.existsSync(first.socket))
      const env = { XDG_RUNTIME_DIR: path.dirname(first.directory) }
      const config = { workers: 1, controlSocket: "auto" }
      const second = yield* TestApp.start({ config, env })
      yield* TestApp.ready(second)
      const third = yield* TestApp.start({ config, env })
      yield* TestApp.ready(third)
      assert.sameMembers(fs.readdirSync(first.directory), [`${second.pid}.sock`, `${third.pid}.sock`])
      assert.strictEqual((yield* ControlClient.status(ControlDirectory.socketOf(first.directory, second.pid))).pid,
        second.pid)
    }))
})

describe("what is asked", () => {
  const questions: ReadonlyArray<readonly [name: string, bytes: string | Buffer, reason: RegExp]> = [
    ["bytes that are no text", Buffer.from("deadbeef0a", "hex"), /expected one of/],
    ["text that is no JSON", "hello\n", /expected one of .*"Status".*"Fibers".*, got hello/],
    ["an unknown question", "{\"_tag\":\"Kill\"}\n", /expected one of/],
    ["an empty line", "\n", /expected one of/],
    ["a line that is too long", `${"x".repeat(5_000)}\n`, /longer than 4096 bytes/],
    ["bytes without an end", "x".repeat(100_000), /longer than 4096 bytes/]
  ]
  it.live("is answered with a reason when it is no question, and the server lives", () =>
    Effect.gen(function*() {
      const { app, socket } = yield* start({ config: { workers: 1 } })
      yield* TestApp.ready(app)
      for (const [name, bytes, reason] of questions) {
        const answer = JSON.parse(yield* exchange(socket, bytes))
        assert.strictEqual(answer._tag, "Refused", name)
        assert.match(answer.reason, reason)
        assert.strictEqual(answer.pid, app.pid)
      }
      assert.match(JSON.parse(yield* exchange(socket, "{\"_tag\":\"Status\"}", true)).reason, /no line feed/)
      // A client that says nothing, and one that leaves.
      yield* Effect.scoped(Effect.acquireRelease(
        Effect.sync(() => net.connect(socket)),
        (client) => Effect.sync(() => client.destroy())
      ))
      assert.strictEqual((yield* ControlClient.status(socket)).pid, app.pid)
      yield* app.kill("SIGTERM")
      assert.deepStrictEqual(yield* app.ended, { code: 0, signal: null })
    }))

  it.live("by many at once is answered to all, and a silent client keeps nobody from stopping the server", () =>
    Effect.gen(function*() {
      const { app, socket } = yield* start({ config: { workers: 1 } })
      yield* TestApp.ready(app)
      const silent = net.connect(socket)
      yield* Effect.addFinalizer(() => Effect.sync(() => silent.destroy()))
      const all = yield* Effect.forEach(Array.from({ length: 30 }), () => ControlClient.status(socket), {
        concurrency: "unbounded"
      })
      assert.lengthOf(all, 30)
      yield* app.kill("SIGTERM")
      assert.deepStrictEqual(yield* app.ended, { code: 0, signal: null })
    }))

  it.live("of a server that stands still is not answered; of something else is another version", () =>
    Effect.gen(function*() {
      const { app, socket } = yield* start({ config: { workers: 1 } })
      yield* TestApp.ready(app)
      yield* app.kill("SIGSTOP")
      assert.strictEqual((yield* Effect.flip(ControlClient.status(socket)))._tag, "NoAnswer")
      yield* app.kill("SIGCONT")
      const file = path.join(yield* TestApp.directory, "other.sock")
      const strangers = [["{\"version\":\"9.0.0\"}\n", "kore-fx 9.0.0"], ["HTTP/1.1 400\n", "something"]] as const
      for (const [answer, version] of strangers) {
        const server = net.createServer((client) => void client.end(answer))
        yield* Effect.acquireRelease(
          Effect.callback<void>((resume) => {
            server.listen(file, () => resume(Effect.void))
          }),
          () => Effect.sync(() => server.close())
        ).pipe(
          Effect.andThen(Effect.flip(ControlClient.status(file))),
          Effect.tap((error) =>
            Effect.sync(() => {
              assert.strictEqual(error._tag, "OtherVersion")
              assert.include(error.message, version)
            })
          ),
          Effect.scoped
        )
      }
    }))
})

describe("the option controlSocket", () => {
  it.live("off: there is none", () =>
    Effect.gen(function*() {
      const runtime = yield* TestApp.directory
      const app = yield* TestApp.start({
        config: { workers: 1, controlSocket: "off" },
        env: { XDG_RUNTIME_DIR: runtime }
      })
      yield* TestApp.ready(app)
      assert.deepStrictEqual(fs.readdirSync(runtime), [])
    }))

  it.live("a path: it is there, for this user only", () =>
    Effect.gen(function*() {
      const file = path.join(yield* TestApp.directory, "control.sock")
      const app = yield* TestApp.start({ config: { workers: 1, controlSocket: file } })
      yield* TestApp.ready(app)
      assert.strictEqual(fs.statSync(file).mode & 0o777, 0o600)
      assert.strictEqual((yield* ControlClient.status(file)).pid, app.pid)
      const second = yield* TestApp.start({ config: { workers: 1, controlSocket: file } })
      assert.deepStrictEqual(yield* second.ended, { code: 2, signal: null })
      assert.include(second.output(),
        `controlSocket = ${file} (at start): expected a path where a socket can be made, ` +
          `but another server listens on ${file}`)
      yield* app.kill("SIGTERM")
      yield* app.ended
      assert.isFalse(fs.existsSync(file))
    }))

  it.live("a path that cannot be used: an error that says why, and what was there stays", () =>
    Effect.gen(function*() {
      const directory = yield* TestApp.directory
      const file = path.join(directory, "notes.txt")
      fs.writeFileSync(file, "mine")
      for (
        const [controlSocket, reason] of [[file, "is a file that is no socket"], ["@kore", "abstract"], [
          path.join(directory, "no/such.sock"),
          "ENOENT"
        ], [`/${"x".repeat(200)}`, "bytes, and the system allows"]]
      ) {
        const app = yield* TestApp.start({ config: { workers: 1, controlSocket: controlSocket! } })
        assert.deepStrictEqual(yield* app.ended, { code: 2, signal: null })
        assert.include(app.output(), reason!)
      }
      assert.strictEqual(fs.readFileSync(file, "utf8"), "mine")
    }))

  it.live("auto where the directory is not safe: one warning, and the server runs", () =>
    Effect.gen(function*() {
      const runtime = yield* TestApp.directory
      fs.mkdirSync(path.join(runtime, "kore-fx"), { mode: 0o700 })
      fs.chmodSync(path.join(runtime, "kore-fx"), 0o755)
      const app = yield* TestApp.start({
        config: { workers: 1, controlSocket: "auto" },
        env: { XDG_RUNTIME_DIR: runtime }
      })
      yield* TestApp.ready(app)
      assert.lengthOf(app.output().match(/warn: no control socket, so kore-fx ps will not find this server: /g) ?? [],
        1)
      assert.include(app.output(), "is open to other users (mode 755, expected 700)")
      assert.deepStrictEqual(fs.readdirSync(path.join(runtime, "kore-fx")), [])
    }))
})

describe("the directory", () => {
  const problemIn = (directory: string) => Effect.flip(ControlDirectory.prepare(directory))

  it.effect("is made, once, for this user only", () =>
    Effect.gen(function*() {
      const directory = path.join(yield* TestApp.directory, "kore-fx")
      yield* ControlDirectory.prepare(directory)
      yield* ControlDirectory.prepare(directory)
      assert.strictEqual(fs.statSync(directory).mode & 0o777, 0o700)
    }))

  it.effect("is not used when it is a link, a file, open to others, or another user's", () =>
    Effect.gen(function*() {
      const around = yield* TestApp.directory
      const at = (name: string) => path.join(around, name)
      fs.mkdirSync(at("real"), { mode: 0o700 })
      fs.symlinkSync(at("real"), at("link"))
      assert.include(yield* problemIn(at("link")), "is a symbolic link")
      fs.writeFileSync(at("file"), "")
      assert.include(yield* problemIn(at("file")), "is no directory")
      for (const mode of [0o710, 0o702, 0o755, 0o1777]) {
        fs.chmodSync(at("real"), mode)
        assert.include(yield* problemIn(at("real")), `(mode ${mode.toString(8)}, expected 700)`)
      }
      fs.chmodSync(at("real"), 0o700)
      yield* ControlDirectory.check(at("real"))
      if (process.getuid?.() === 0) {
        fs.chownSync(at("real"), 12345, 12345)
        assert.include(yield* problemIn(at("real")), "belongs to another user (12345)")
      }
      assert.include(yield* problemIn(at("no/such")), "cannot be made (ENOENT)")
    }))

  it.effect("is not used where others could replace it", () =>
    Effect.gen(function*() {
      const around = yield* TestApp.directory
      const directory = path.join(around, "kore-fx")
      fs.chmodSync(around, 0o777)
      assert.include(yield* problemIn(directory), `${around} lets other users replace what is in it (mode 777)`)
      fs.chmodSync(around, 0o1777)
      yield* ControlDirectory.check(directory)
    }))

  it.effect("is in XDG_RUNTIME_DIR when that is an absolute path, else it bears the user's id", () =>
    Effect.sync(() => {
      assert.strictEqual(ControlDirectory.location({ XDG_RUNTIME_DIR: "/run/user/7" }), "/run/user/7/kore-fx")
      for (const XDG_RUNTIME_DIR of [undefined, "", "run"]) {
        assert.match(ControlDirectory.location({ XDG_RUNTIME_DIR }), new RegExp(`/kore-fx-${process.getuid?.()}$`))
      }
    }))

  it.effect("is checked by those who ask, before they believe what is in it", () =>
    Effect.gen(function*() {
      const directory = path.join(yield* TestApp.directory, "kore-fx")
      assert.deepStrictEqual(yield* ControlClient.sockets(directory), [])
      yield* ControlDirectory.prepare(directory)
      for (const name of ["12.sock", "7.sock", "x.sock", "07.sock", "7.sock.old"]) {
        fs.writeFileSync(path.join(directory, name), "")
      }
      assert.deepStrictEqual((yield* ControlClient.sockets(directory)).map(({ pid }) => pid), [7, 12])
      fs.chmodSync(directory, 0o777)
      assert.include((yield* Effect.flip(ControlClient.sockets(directory))).message, "is open to other users")
    }))
})
