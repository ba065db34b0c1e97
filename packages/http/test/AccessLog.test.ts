import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Logger from "effect/Logger"
import * as Runtime from "effect/Runtime"
import * as Scope from "effect/Scope"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import * as AccessLog from "../src/AccessLog.ts"
import { HttpServerResponse } from "../src/internal/effectHttp.ts"
import { get, serve, text, turns } from "./transport/harness.ts"

const directory = Effect.acquireRelease(
  Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "kore-fx-"))),
  (path) => Effect.sync(() => fs.rmSync(path, { recursive: true }))
)

const linesOf = (file: string): ReadonlyArray<string> => fs.readFileSync(file, "utf8").split("\n").slice(0, -1)

const until = (holds: () => boolean): Effect.Effect<void> =>
  Effect.suspend(() => holds() ? Effect.void : Effect.andThen(turns(1), until(holds)))

const entry: AccessLog.Entry = {
  time: 0,
  duration: 0,
  address: "192.0.2.7",
  port: 1,
  isEncrypted: false,
  method: "GET",
  target: "/",
  version: "1.1",
  host: "example.com",
  status: 200,
  bytes: 0,
  referer: undefined,
  userAgent: undefined,
  ending: "complete"
}

/** A log in a scope of its own. */
const opened = Effect.fnUntraced(function*(options: AccessLog.Options) {
  const scope = yield* Scope.make()
  const log = yield* Scope.provide(AccessLog.open(options), scope)
  return { log, close: Scope.close(scope, Exit.void) }
})

describe("an access log", () => {
  it.effect("appends to what is there, and has written everything when its scope is closed", () =>
    Effect.gen(function*() {
      const file = path.join(yield* directory, "access.log")
      fs.writeFileSync(file, "old\n")
      const { close, log } = yield* opened({ path: file, format: ({ target }) => String(target) })
      for (let i = 0; i < 5_000; i++) log.log({ ...entry, target: `/${i}` })
      yield* close
      assert.deepStrictEqual(linesOf(file), ["old", ...Array.from({ length: 5_000 }, (_, i) => `/${i}`)])
    }))

  it.effect("is nobody's but its owner's to write, and open while its scope is", () =>
    Effect.gen(function*() {
      const file = path.join(yield* directory, "access.log")
      const descriptors = () =>
        fs.readdirSync("/proc/self/fd").filter((fd) => {
          try {
            return fs.readlinkSync(`/proc/self/fd/${fd}`) === file
          } catch {
            return false
          }
        }).length
      const { close } = yield* opened({ path: file })
      assert.strictEqual(fs.statSync(file).mode & 0o777, 0o644 & ~process.umask())
      assert.strictEqual(descriptors(), 1)
      yield* close
      assert.strictEqual(descriptors(), 0)
    }))

  it.effect("A14: makes one line of whatever a format gives, and Kore's where it throws, which is reported once", () =>
    Effect.gen(function*() {
      const file = path.join(yield* directory, "access.log")
      const reported: Array<unknown> = []
      const logger = Logger.layer([Logger.make(({ message }) => void reported.push(message))])
      const { close, log } = yield* opened({
        path: file,
        format: ({ target }) => {
          if (target === "/throws") throw new Error("no thanks")
          return "a\nb\r\u2028c ü"
        }
      }).pipe(Effect.provide(logger))
      for (const target of ["/", "/throws", "/throws"]) log.log({ ...entry, target })
      yield* turns(10)
      yield* close
      const lines = linesOf(file)
      assert.strictEqual(lines[0], "a\\nb\\r\\u2028c ü")
      assert.strictEqual(lines.length, 3)
      assert.include(lines[1]!, "\"GET /throws HTTP/1.1\"")
      assert.strictEqual(reported.length, 1)
      assert.match(String(reported[0]), /format of the access log .* has thrown.*no thanks/s)
    }))

  it.effect("that cannot be opened is an error that names file and code, and no worker is tried again", () =>
    Effect.gen(function*() {
      const file = path.join(yield* directory, "no folder", "access.log")
      const error = yield* Effect.flip(Effect.scoped(AccessLog.open({ path: file })))
      assert.strictEqual(error._tag, "AccessLogError")
      assert.include(error.message, file)
      assert.include(error.message, "ENOENT")
      assert.strictEqual(error[Runtime.errorExitCode], 2)
      assert.strictEqual(new AccessLog.AccessLogError({ path: file, code: "EMFILE", cause: "" })[Runtime.errorExitCode],
        1)
    }))

  it.each(
    [
      [{ path: "" }, TypeError, "path"],
      [{ path: "a\0b" }, TypeError, "path"],
      [{ path: "a", format: "xml" }, TypeError, "format"],
      [{ path: "a", flush: "2 minutes" }, RangeError, "flush"],
      [{ path: "a", flush: "soon" }, RangeError, "flush"],
      [{ path: "a", buffer: 100 }, RangeError, "buffer"],
      [{ path: "a", buffer: "much" }, RangeError, "buffer"]
    ] as const
  )("refuses %j", (options, type, name) => {
    assert.throws(() => AccessLog.open(options as AccessLog.Options), type, `the option ${name} of an access log is`)
  })
})

describe("B39: SIGUSR1", () => {
  it.effect("opens every log anew, and no line is lost or halved, however busy it is", () =>
    Effect.gen(function*() {
      const folder = yield* directory
      const file = path.join(folder, "access.log")
      const other = path.join(folder, "other.log")
      const before = process.listenerCount("SIGUSR1")
      // Two who append to one file, as two workers do.
      const one = yield* opened({ path: file, flush: 0, format: ({ target }) => `one ${target}` })
      const two = yield* opened({ path: file, flush: 0, format: ({ target }) => `two ${target}` })
      const third = yield* opened({ path: other })
      assert.strictEqual(process.listenerCount("SIGUSR1"), before + 1)
      let count = 0
      for (let round = 0; round < 5; round++) {
        for (let burst = 0; burst < 20; burst++) {
          for (let i = 0; i < 10; i++) {
            for (const { log } of [one, two]) log.log({ ...entry, target: `/${count}` })
            count++
          }
          yield* turns(1)
        }
        fs.renameSync(file, `${file}.${round}`)
        process.emit("SIGUSR1", "SIGUSR1")
        yield* until(() => fs.existsSync(file))
      }
      fs.renameSync(other, `${other}.0`)
      process.emit("SIGUSR1", "SIGUSR1")
      yield* until(() => fs.existsSync(other))
      for (const { close } of [one, two, third]) yield* close
      assert.strictEqual(process.listenerCount("SIGUSR1"), before)
      const all = fs.readdirSync(folder).filter((name) => name.startsWith("access")).flatMap((name) =>
        linesOf(path.join(folder, name))
      )
      const expected = Array.from({ length: count }, (_, i) => [`one /${i}`, `two /${i}`]).flat()
      assert.sameMembers(all, expected)
    }))
})

describe("byHost", () => {
  const collector = () => {
    const targets: Array<string | undefined> = []
    return { targets, log: (ended: AccessLog.Entry) => void targets.push(ended.target) }
  }
  const send = (observer: ReturnType<typeof AccessLog.byHost>, ...hosts: ReadonlyArray<string | undefined>) => {
    for (const host of hosts) observer!({ ...entry, host, target: host })
  }

  it("gives a request to the log of its host, and none to the log of another", () => {
    const [exact, wildcard, rest] = [collector(), collector(), collector()]
    const observer = AccessLog.byHost([["a.example.com", exact], ["*.example.com", wildcard], ["*", rest], [
      "silent.example.com",
      undefined
    ]])
    send(observer, "A.example.com:80", "b.example.com", "silent.example.com", "elsewhere", undefined)
    assert.deepStrictEqual([exact, wildcard, rest].map(({ targets }) => targets), [
      ["A.example.com:80"],
      ["b.example.com"],
      ["elsewhere", undefined]
    ])
  })

  it("B32: gives what is for no host to the first log, where no domain is for all hosts", () => {
    const first = collector()
    const observer = AccessLog.byHost([["silent.example.com", undefined], ["a.example.com", first]])
    send(observer, "elsewhere", undefined, "silent.example.com", "a.example.com")
    assert.deepStrictEqual(first.targets, ["elsewhere", undefined, "a.example.com"])
  })

  it("does not log what is for no host where the domain for all hosts has no log", () => {
    const first = collector()
    send(AccessLog.byHost([["a.example.com", first], ["*", undefined]]), "elsewhere", undefined)
    assert.deepStrictEqual(first.targets, [])
  })

  it("is nobody where there is no log", () => {
    assert.isUndefined(AccessLog.byHost([["*", undefined]]))
    assert.isUndefined(AccessLog.byHost([]))
  })
})

describe("A9: a redirect with an access log", () => {
  it.effect("is answered, and so is everybody after it", () =>
    Effect.gen(function*() {
      const file = path.join(yield* directory, "access.log")
      const { close, log } = yield* opened({ path: file })
      const { connect } = yield* serve(
        (request) => Effect.succeed(request.path === "/old" ? HttpServerResponse.redirect("/new") : text("here")),
        {},
        log.log
      )
      const client = yield* connect
      for (let i = 1; i <= 3; i++) {
        client.send(get("/old") + get("/new"))
        const answers = yield* client.responses(2 * i)
        assert.deepStrictEqual(answers.slice(-2).map(({ status }) => status), [302, 200])
      }
      yield* close
      assert.deepStrictEqual(linesOf(file).map((line) => / "GET (\S+) HTTP\/1\.1" (\d+) /.exec(line)!.slice(1)),
        Array.from({ length: 3 }, () => [["/old", "302"], ["/new", "200"]]).flat())
    }))
})
