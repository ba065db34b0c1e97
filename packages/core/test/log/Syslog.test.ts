import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import * as ChildProcess from "node:child_process"
import * as fs from "node:fs"
import * as Log from "../../src/Log.ts"
import * as Entry from "../../src/log/Entry.ts"
import * as Json from "../../src/log/Json.ts"
import * as Line from "../../src/log/Line.ts"
import * as Syslog from "../../src/log/Syslog.ts"
import * as Daemon from "./SyslogDaemon.ts"

/** A connection, and what it wrote elsewhere; each is Kore's line without its time. */
const connect = Effect.fnUntraced(function*(path: string) {
  const elsewhere: Array<string> = []
  const write = yield* Syslog.connect({
    path,
    process: "wrk 1",
    record: Line.record,
    instead: (entry) => elsewhere.push(textOf(Line.record(entry, Infinity)))
  })
  const log = (text: string) =>
    Effect.map(Effect.clockWith((clock) => clock.currentTimeMillis), (now) =>
      write(Entry.note("wrk 1", new Date(now), "Info", text)))
  return { log, elsewhere }
})

const textOf = (record: string): string => /log=\[(.*)\]$/.exec(record)![1]!
const texts = (daemon: Daemon.Daemon): ReadonlyArray<string> => daemon.read().map(textOf)

const openFiles = () => fs.readdirSync("/proc/self/fd").length

const absent = (path: string, why: string) =>
  `warn: no syslog daemon at ${path} (connect: ${why}): lines go to standard error until there is one`

describe("a record", () => {
  const records = (effect: Effect.Effect<void>, options: Log.Options = {}) =>
    Effect.gen(function*() {
      const path = yield* Daemon.socketPath
      const daemon = yield* Daemon.start(path)
      yield* Effect.provide(effect, Log.layer("wrk 1", { ...options, to: "syslog", socket: path }))
      return daemon.read()
    })

  it.effect("is as syslog(3) writes it: RFC 3164 without the host, in local time; the text is Kore's, without the time", () =>
    Effect.gen(function*() {
      const [record] = yield* records(Effect.log("hello"))
      const then = new Date(0)
      const two = (n: number) => String(n).padStart(2, "0")
      const time = `${two(then.getHours())}:${two(then.getMinutes())}:${two(then.getSeconds())}`
      const day = then.getDate() === 1 ? "Jan  1" : "Dec 31"
      assert.strictEqual(record, `<30>${day} ${time} kore[${process.pid}]: proc=[wrk 1] log=[hello]`)
    }))

  const priorities: ReadonlyArray<readonly [name: string, effect: Effect.Effect<void>, severity: number]> = [
    ["Fatal is LOG_CRIT", Effect.logFatal("x"), 2],
    ["Error is LOG_ERR", Effect.logError("x"), 3],
    ["Warn is LOG_WARNING", Effect.logWarning("x"), 4],
    ["Info is LOG_INFO", Effect.logInfo("x"), 6],
    ["Debug is LOG_DEBUG", Effect.logDebug("x"), 7],
    ["Trace is LOG_DEBUG", Effect.logTrace("x"), 7],
    ["kore §5: LOG_NOTICE stays 5", Effect.provideService(Effect.logInfo("x"), Log.Priority, 5), 5]
  ]
  for (const [name, effect, severity] of priorities) {
    it.effect(`has the facility daemon, and ${name}`, () =>
      Effect.gen(function*() {
        const [record] = yield* records(effect, { level: "All" })
        assert.strictEqual(/^<(\d+)>/.exec(record!)?.[1], String(3 * 8 + severity))
      }))
  }

  const facilities: ReadonlyArray<readonly [priority: number, value: number]> = [
    [1 << 3 | 6, 14],
    [23 << 3, 184],
    [24 << 3 | 1, 25],
    [-1, 31]
  ]
  for (const [priority, value] of facilities) {
    it.effect(`has the facility of priority ${priority}, if syslog knows it: <${value}>`, () =>
      Effect.gen(function*() {
        const [record] = yield* records(Effect.provideService(Effect.log("x"), Log.Priority, priority))
        assert.isTrue(record!.startsWith(`<${value}>`), record)
      }))
  }

  it.effect("is one object where JSON is asked for", () =>
    Effect.gen(function*() {
      const [record] = yield* records(Effect.annotateLogs(Effect.log("hello"), { user: 42 }), { format: "json" })
      const [, json] = /^<30>.{15} kore\[\d+\]: (.*)$/.exec(record!)!
      assert.include(JSON.parse(json!), { level: "INFO", process: "wrk 1", message: "hello", user: 42 })
    }))

  it.effect("has no byte that is a control character: http §17, kore: text is not escaped", () =>
    Effect.gen(function*() {
      const all = String.fromCharCode(...Array(0x100).keys())
      const path = yield* Daemon.socketPath
      const daemon = yield* Daemon.start(path)
      yield* Effect.provide(Effect.log(all), Log.layer("wrk 1", { to: "syslog", socket: path }))
      const [bytes] = daemon.readBytes()
      assert.isTrue(bytes!.every((byte) => byte >= 0x20 && byte !== 0x7f))
    }))

  for (const [name, record] of [["kore", Line.record], ["json", Json.record]] as const) {
    it.effect(`of ${name} has 8 KiB at most, and says how much was cut`, () =>
      Effect.gen(function*() {
        const path = yield* Daemon.socketPath
        const daemon = yield* Daemon.start(path)
        const write = yield* Syslog.connect({
          path,
          process: "wrk 1",
          record,
          instead: () => assert.fail("there is a daemon")
        })
        write(Entry.note("wrk 1", new Date(0), "Info", "é".repeat(10_000)))
        const [bytes] = daemon.readBytes()
        assert.isAtMost(bytes!.length, Syslog.mostBytes)
        assert.isAtLeast(bytes!.length, Syslog.mostBytes - 32)
        assert.match(String(bytes), /é… \(\d+ bytes cut\)/)
      }))
  }
})

describe("a daemon that does not read", () => {
  // More than any queue of datagrams holds: Linux has 10 places, or as many as net.unix.max_dgram_qlen says.
  const many = 5000

  const flood = (log: (text: string) => Effect.Effect<void>) =>
    Effect.forEach(Array.from({ length: many }, (_, n) => `line ${n}`), log, { discard: true })

  it.effect("costs lines, in order and counted, and the next line that gets through says how many", () =>
    Effect.gen(function*() {
      const path = yield* Daemon.socketPath
      const daemon = yield* Daemon.start(path)
      const { elsewhere, log } = yield* connect(path)
      yield* flood(log)
      const first = texts(daemon)
      assert.isAbove(first.length, 0)
      assert.isBelow(first.length, many)
      assert.deepStrictEqual(first, first.map((_, n) => `line ${n}`))
      yield* log("after")
      yield* log("later")
      assert.deepStrictEqual(texts(daemon), [
        `warn: ${many - first.length} lines were dropped, because syslog had no room`,
        "after",
        "later"
      ])
      assert.deepStrictEqual(elsewhere, [])
    }))

  it.effect("is told when the log is closed, if no line comes any more", () =>
    Effect.gen(function*() {
      const path = yield* Daemon.socketPath
      const daemon = yield* Daemon.start(path)
      const first = yield* Effect.scoped(Effect.gen(function*() {
        const { log } = yield* connect(path)
        yield* flood(log)
        return texts(daemon)
      }))
      assert.deepStrictEqual(texts(daemon), [
        `warn: ${many - first.length} lines were dropped, because syslog had no room`
      ])
    }))

  it.effect("still has no room when the log is closed: standard error is told", () =>
    Effect.gen(function*() {
      const path = yield* Daemon.socketPath
      const daemon = yield* Daemon.start(path)
      const elsewhere = yield* Effect.scoped(Effect.gen(function*() {
        const { elsewhere, log } = yield* connect(path)
        yield* flood(log)
        return elsewhere
      }))
      assert.deepStrictEqual(elsewhere, [
        `warn: ${many - texts(daemon).length} lines were dropped, because syslog had no room`
      ])
    }))
})

describe("a daemon that is not there", () => {
  it.effect("costs no line: the first says why, all go to standard error, and the daemon is told later", () =>
    Effect.gen(function*() {
      const path = yield* Daemon.socketPath
      const { elsewhere, log } = yield* connect(path)
      yield* log("one")
      yield* log("two")
      assert.deepStrictEqual(elsewhere, [absent(path, "no such file or directory (ENOENT)"), "one", "two"])
      const daemon = yield* Daemon.start(path)
      yield* TestClock.adjust("1 second")
      yield* log("three")
      assert.deepStrictEqual(texts(daemon), [
        "warn: 2 lines were written to standard error, because there was no syslog",
        "three"
      ])
      yield* log("four")
      assert.deepStrictEqual(texts(daemon), ["four"])
      assert.strictEqual(elsewhere.length, 3)
    }))

  it.effect("is news each time it leaves", () =>
    Effect.gen(function*() {
      const path = yield* Daemon.socketPath
      const { elsewhere, log } = yield* connect(path)
      const daemon = yield* Daemon.start(path)
      yield* TestClock.adjust("1 second")
      yield* log("one")
      yield* daemon.stop
      yield* log("two")
      yield* log("three")
      assert.deepStrictEqual(elsewhere, [
        absent(path, "no such file or directory (ENOENT)"),
        absent(path, "connection refused (ECONNREFUSED)"),
        "two",
        "three"
      ])
    }))

  // When a daemon comes, and at which second a line finds it; one line is logged each second.
  const arrivals = [[0, 1], [1, 3], [3, 7], [7, 15], [15, 31], [31, 61], [61, 91]] as const
  for (const [comes, found] of arrivals) {
    it.effect(`is looked for after 1, 2, 4 … 30 seconds: comes after second ${comes}, is found at ${found}`, () =>
      Effect.gen(function*() {
        const path = yield* Daemon.socketPath
        const { elsewhere, log } = yield* connect(path)
        let second = 0
        const nextSecond = Effect.suspend(() => Effect.andThen(TestClock.adjust("1 second"), log(`second ${++second}`)))
        while (second < comes) yield* nextSecond
        const daemon = yield* Daemon.start(path)
        while (second < found) yield* nextSecond
        assert.strictEqual(texts(daemon).at(-1), `second ${found}`)
        // The first line elsewhere says why the others are there.
        assert.strictEqual(elsewhere.length, 1 + found - 1)
      }))
  }

  it.effect("is looked for when the clock was set back", () =>
    Effect.gen(function*() {
      const path = yield* Daemon.socketPath
      yield* TestClock.setTime(100_000)
      const { log } = yield* connect(path)
      const daemon = yield* Daemon.start(path)
      yield* TestClock.setTime(50_000)
      yield* log("one")
      assert.deepStrictEqual(texts(daemon), ["one"])
    }))

  it.effect("was restarted: the next line connects anew and arrives", () =>
    Effect.gen(function*() {
      const path = yield* Daemon.socketPath
      const first = yield* Daemon.start(path)
      const { elsewhere, log } = yield* connect(path)
      yield* log("one")
      assert.deepStrictEqual(texts(first), ["one"])
      yield* first.stop
      const second = yield* Daemon.start(path)
      yield* log("two")
      assert.deepStrictEqual(texts(second), ["two"])
      assert.deepStrictEqual(elsewhere, [])
    }))

  it.effect("was killed and left its file", () =>
    Effect.gen(function*() {
      const path = yield* Daemon.socketPath
      const daemon = yield* Daemon.start(path)
      const { elsewhere, log } = yield* connect(path)
      yield* daemon.stop
      yield* log("one")
      assert.deepStrictEqual(elsewhere, [absent(path, "connection refused (ECONNREFUSED)"), "one"])
    }))

  it.effect("takes streams only: the reason is said", () =>
    Effect.gen(function*() {
      const { elsewhere, log } = yield* connect("/")
      yield* log("one")
      assert.deepStrictEqual(elsewhere, [absent("/", "connection refused (ECONNREFUSED)"), "one"])
    }))
})

describe("a socket", () => {
  it.effect("needs its path no more once it is open: a chroot does not cut it off", () =>
    Effect.gen(function*() {
      const path = yield* Daemon.socketPath
      const daemon = yield* Daemon.start(path)
      const { log } = yield* connect(path)
      fs.rmSync(path)
      yield* log("still here")
      assert.deepStrictEqual(texts(daemon), ["still here"])
    }))

  it.effect("is closed with the scope, also on interruption", () =>
    Effect.gen(function*() {
      const path = yield* Daemon.socketPath
      yield* Daemon.start(path)
      const layer = Log.layer("wrk 1", { to: "syslog", socket: path })
      const before = openFiles()
      yield* Effect.provide(Effect.log("hello"), layer)
      assert.strictEqual(openFiles(), before)
      const fiber = yield* Effect.forkChild(Effect.provide(Effect.andThen(Effect.log("hello"), Effect.never), layer), {
        startImmediately: true
      })
      assert.strictEqual(openFiles(), before + 1)
      yield* Fiber.interrupt(fiber)
      assert.strictEqual(openFiles(), before)
      assert.strictEqual(
        (yield* Effect.exit(Layer.build(layer).pipe(Effect.andThen(Effect.die("no")), Effect.scoped)))._tag,
        "Failure"
      )
      assert.strictEqual(openFiles(), before)
    }))

  it.effect("that was closed takes lines to standard error, and is not opened again", () =>
    Effect.gen(function*() {
      const path = yield* Daemon.socketPath
      yield* Daemon.start(path)
      const before = openFiles()
      const { elsewhere, log } = yield* Effect.scoped(connect(path))
      yield* log("late")
      assert.deepStrictEqual(elsewhere, ["late"])
      assert.strictEqual(openFiles(), before)
    }))

  it.effect("is not handed to programs that the process starts", () =>
    Effect.gen(function*() {
      const path = yield* Daemon.socketPath
      yield* Daemon.start(path)
      const before = sockets("/proc/self/fd")
      yield* connect(path)
      const [own, ...more] = sockets("/proc/self/fd").filter((name) => !before.includes(name))
      assert.deepStrictEqual(more, [])
      const script = "for file in /proc/self/fd/*; do readlink $file; done"
      const { stdout } = ChildProcess.spawnSync("/bin/sh", ["-c", script])
      assert.match(String(stdout), /\w+:\[\d+\]/)
      assert.notInclude(String(stdout), own!)
    }))
})

const sockets = (directory: string): ReadonlyArray<string> =>
  fs.readdirSync(directory).flatMap((name) => {
    try {
      const target = fs.readlinkSync(`${directory}/${name}`)
      return target.startsWith("socket:") ? [target] : []
    } catch {
      return [] // the directory itself, which is closed again
    }
  })
