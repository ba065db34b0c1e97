import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import * as net from "node:net"
import * as path from "node:path"
import { elapsed } from "../src/internal/serverList.ts"
import * as Cli from "./fixtures/Cli.ts"

/** A directory for control sockets of its own, and the environment that says so. */
const runtime = Effect.map(Cli.directory({}), (directory) => ({
  directory: path.join(directory, "kore-fx"),
  env: { XDG_RUNTIME_DIR: directory }
}))

const start = Effect.fnUntraced(function*(file: string, env: Readonly<Record<string, string>>) {
  const server = yield* Cli.spawn(["run", file], { env })
  return { server, port: yield* Cli.port(server) }
})

/** Something that listens on a control socket, and says this to everybody. */
const impostor = (file: string, answer: string) =>
  Effect.acquireRelease(
    Effect.callback<net.Server>((resume) => {
      const server = net.createServer((socket) => void socket.end(answer))
      server.listen(file, () => resume(Effect.succeed(server)))
    }),
    (server) => Effect.sync(() => server.close())
  )

describe("kore-fx ps", () => {
  it.live("prints the servers that run", () =>
    Effect.gen(function*() {
      const { env } = yield* runtime
      const one = yield* start("exported.ts", env)
      const other = yield* start("waiting.ts", env)
      const { code, stderr, stdout } = yield* Cli.run(["ps"], { env })
      const [head, ...lines] = stdout.trimEnd().split("\n")
      assert.match(head!, /^PID +NAME +APP +WORKERS +UP$/)
      assert.lengthOf(lines, 2)
      const lineOf = (pid: number) => lines.find((line) => line.startsWith(`${pid} `)) ?? ""
      assert.match(lineOf(one.server.pid), /^\d+ +kore +exported\.ts +1 ready +\d\S*( \d+\w)?$/)
      // The terminal is not told to clear itself.
      assert.match(lineOf(other.server.pid), /^\d+ +shop\\x1b\[2J +waiting\.ts +1 ready +\d/)
      assert.deepStrictEqual([stderr, code], ["", 0])

      const data = JSON.parse((yield* Cli.run(["ps", "--json"], { env })).stdout)
      assert.lengthOf(data.servers, 2)
      const found = data.servers.find(({ pid }: { readonly pid: number }) => pid === one.server.pid)
      assert.deepInclude(found, { name: "kore", file: path.join(Cli.here, "exported.ts") })
      assert.strictEqual(found.servers[0].address, `http://127.0.0.1:${one.port}`)
      assert.strictEqual(found.workers[0].state, "ready")
    }))

  it.live("prints the workers and fibers of the one that is named by pid, file or socket", () =>
    Effect.gen(function*() {
      const { directory, env } = yield* runtime
      const { port, server } = yield* start("waiting.ts", env)
      const linked = yield* Cli.directory({})
      fs.symlinkSync(path.join(Cli.here, "waiting.ts"), path.join(linked, "link.ts"))
      const socket = path.join(directory, `${server.pid}.sock`)
      for (const name of [String(server.pid), "waiting.ts", path.join(linked, "link.ts"), socket]) {
        const { code, stderr, stdout } = yield* Cli.run(["ps", name], { env })
        assert.match(stdout, new RegExp(`^shop\\\\x1b\\[2J \\(pid ${server.pid}\\), kore-fx \\S+, up \\d`))
        assert.match(stdout, /\n {2}app +waiting\.ts\n/)
        assert.include(stdout, `http://127.0.0.1:${port}\n`)
        assert.match(stdout, /\nWORKER +PID +STATE +SINCE +FIBERS\n1 +\d+ +ready +\d\S*( \d+\w)? +\d+\n/)
        assert.match(stdout, /\nWORKER +ID +KIND +NAME +STATE +AGE +SINCE +WAITS FOR\n/)
        assert.match(stdout, /\n1 +\d+ +task +welcome +suspended +\d[^\n]* +lock: /)
        assert.match(stdout, /\n1 +\d+ +task +toast\\x07 +suspended +\d[^\n]* +breakfast: toast in toaster 2\n/)
        assert.deepStrictEqual([stderr, code], ["", 0])
      }
      const data = JSON.parse((yield* Cli.run(["ps", "waiting.ts", "--json"], { env })).stdout)
      assert.deepInclude(data, { pid: server.pid, name: "shop\u001b[2J", socket })
      const toast = data.workers[0].fibers.find(({ name }: { readonly name: string }) => name === "toast\u0007")
      assert.deepInclude(toast, { kind: "task", state: "suspended" })
      assert.strictEqual(toast.waits[0].what, "toast in toaster 2")
    }))

  it.live("says of a worker whose event loop is blocked that it does not answer", () =>
    Effect.gen(function*() {
      const { env } = yield* runtime
      const { port } = yield* start("waiting.ts", env)
      yield* Effect.forkScoped(Cli.get(port, "/block"), { startImmediately: true })
      const blocked = Cli.run(["ps", "waiting.ts"], { env }).pipe(
        Effect.filterOrFail(({ stdout }) =>
          /\n1 +\d+ +ready +\d\S*( \d+\w)? +does not answer\n\nno fibers\n/.test(stdout)
        ),
        Effect.eventually
      )
      assert.strictEqual((yield* blocked).code, 0)
    }))

  it.live("starts nothing and imports nothing of the app", () =>
    Effect.gen(function*() {
      const { env } = yield* runtime
      const { code, stderr, stdout } = yield* Cli.run(["ps", "failing.ts"], { env })
      assert.match(stderr, /^No server of this user runs failing\.ts\.\n/)
      assert.match(stderr, /None runs; start one: kore-fx run app\.ts \[KORE_CLI_NO_SERVER\]\n$/)
      assert.deepStrictEqual([stdout, code], ["", 1])
    }))
})

describe("kore-fx ps fails", () => {
  it.live("when none runs; a server that died is none", () =>
    Effect.gen(function*() {
      const { directory, env } = yield* runtime
      const { server } = yield* start("exported.ts", env)
      yield* server.kill("SIGKILL")
      yield* server.ended
      assert.lengthOf(fs.readdirSync(directory), 1)
      const { code, stderr, stdout } = yield* Cli.run(["ps"], { env })
      assert.match(stderr, /^No server of this user runs\.\nExpected: .*controlSocket.*\n.*\[KORE_CLI_NO_SERVER\]\n$/)
      assert.deepStrictEqual([stdout, code], ["", 1])
      const json = yield* Cli.run(["ps", "--json"], { env })
      assert.deepStrictEqual([JSON.parse(json.stdout), json.code], [{ servers: [] }, 1])
    }))

  it.live("when no such server runs, and says which do", () =>
    Effect.gen(function*() {
      const { env } = yield* runtime
      const { server } = yield* start("exported.ts", env)
      for (
        const [name, sentence] of [
          [String(process.pid), `Process ${process.pid} is no server of this user.`],
          ["nowhere.ts", "No server of this user runs nowhere.ts."]
        ]
      ) {
        const { code, stderr } = yield* Cli.run(["ps", name!], { env })
        assert.include(stderr, sentence!)
        assert.include(stderr, `These run:\n  ${server.pid}  kore  exported.ts [KORE_CLI_NO_SERVER]`)
        assert.strictEqual(code, 1)
      }
    }))

  it.live("when several run the same app, and lists them", () =>
    Effect.gen(function*() {
      const { env } = yield* runtime
      const pids = [(yield* start("exported.ts", env)).server.pid, (yield* start("exported.ts", env)).server.pid]
      const { code, stderr } = yield* Cli.run(["ps", "exported.ts"], { env })
      assert.match(stderr, /^2 servers run exported\.ts:\n/)
      for (const pid of pids) assert.match(stderr, new RegExp(`\\n {2}${pid} {2}kore {2}exported\\.ts\\n`))
      assert.match(stderr, new RegExp(`kore-fx ps ${Math.min(...pids)} \\[KORE_CLI_SEVERAL_SERVERS\\]\\n$`))
      assert.strictEqual(code, 1)
    }))

  it.live("when the directory of the sockets is open to others", () =>
    Effect.gen(function*() {
      const { directory, env } = yield* runtime
      yield* start("exported.ts", env)
      fs.chmodSync(directory, 0o755)
      const { code, stderr } = yield* Cli.run(["ps"], { env })
      assert.match(stderr, /kore-fx cannot be used: .*open to other users.*\n[^]*\[KORE_CLI_SERVER_FORBIDDEN\]\n$/)
      assert.strictEqual(code, 1)
    }))

  it.live("when the server is another version's; in the list it is a line", () =>
    Effect.gen(function*() {
      const { directory, env } = yield* runtime
      fs.mkdirSync(directory, { mode: 0o700 })
      yield* impostor(path.join(directory, "7.sock"), "{\"protocol\":2,\"version\":\"9.0.0\"}\n")
      yield* impostor(path.join(directory, "8.sock"), "hello\n")
      const list = yield* Cli.run(["ps"], { env })
      assert.match(list.stdout,
        /\n7 +\? +The server at \S+ is kore-fx 9\.0\.0, and this is the command of kore-fx \S+\.\n/)
      assert.match(list.stdout, /\n8 +\? +The server at \S+ is not kore-fx, /)
      assert.strictEqual(list.code, 0)
      const { code, stderr } = yield* Cli.run(["ps", "7"], { env })
      assert.match(stderr, /is kore-fx 9\.0\.0[^]*npx kore-fx ps[^]*\[KORE_CLI_SERVER_VERSION\]\n$/)
      assert.strictEqual(code, 1)
    }))

  it.live("when the server stands still", () =>
    Effect.gen(function*() {
      const { env } = yield* runtime
      const { server } = yield* start("exported.ts", env)
      yield* server.kill("SIGSTOP")
      const { code, stderr } = yield* Cli.run(["ps", String(server.pid)], { env })
      yield* server.kill("SIGCONT")
      assert.match(stderr, /does not answer\.\n[^]*kill -CONT[^]*\[KORE_CLI_SERVER_SILENT\]\n$/)
      assert.strictEqual(code, 1)
    }))

  it.live("when nobody listens on the socket that is named", () =>
    Effect.gen(function*() {
      const { directory, env } = yield* runtime
      const { server } = yield* start("exported.ts", env)
      const socket = path.join(directory, `${server.pid}.sock`)
      yield* server.kill("SIGKILL")
      yield* server.ended
      const { code, stderr } = yield* Cli.run(["ps", socket], { env })
      assert.match(stderr, /^Nobody listens on .*\.sock\.\n[^]*\[KORE_CLI_NO_SERVER\]\n$/)
      assert.strictEqual(code, 1)
    }))
})

describe("elapsed", () => {
  it("says a time in the two units that matter", () => {
    const second = 1_000
    const [minute, hour, day] = [60 * second, 3_600 * second, 86_400 * second]
    const cases: ReadonlyArray<readonly [millis: number, text: string]> = [
      [-1, "0ms"],
      [0.4, "0ms"],
      [999.9, "999ms"],
      [second, "1s"],
      [minute - 1, "59s"],
      [3 * minute + 2 * second, "3m 2s"],
      [2 * minute, "2m"],
      [hour + 59 * second, "1h"],
      [5 * hour + 6 * minute, "5h 6m"],
      [40 * day + 23 * hour, "40d 23h"]
    ]
    for (const [millis, text] of cases) assert.strictEqual(elapsed(millis), text)
  })
})
