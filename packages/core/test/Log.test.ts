import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as ChildProcess from "node:child_process"
import { fileURLToPath } from "node:url"
import * as Config from "../src/Config.ts"
import * as Log from "../src/Log.ts"
import * as SyslogDaemon from "./log/SyslogDaemon.ts"

/** What an effect writes to standard output and standard error. */
const written = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    const stdout = yield* captured(process.stdout)
    const stderr = yield* captured(process.stderr)
    yield* effect
    return { stdout: stdout.join(""), stderr: stderr.join("") }
  }).pipe(Effect.scoped)

const captured = (stream: NodeJS.WriteStream) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => {
        const { write } = stream
        const chunks: Array<string> = []
        stream.write = ((chunk: string) => chunks.push(chunk) > 0) as typeof write
        return { write, chunks }
      }),
      ({ write }) => Effect.sync(() => (stream.write = write))
    ),
    ({ chunks }) => chunks
  )

const line = (text: string) => `1970-01-01 00:00:00.000 UTC proc=[parent] log=[${text}]\n`

const everyLevel = Effect.forEach(
  ["Fatal", "Error", "Warn", "Info", "Debug", "Trace"] as const,
  (level) => Effect.logWithLevel(level)(level),
  { discard: true }
)

/** What is written of one line for each level. */
const levelsOf = (layer: ReturnType<typeof Log.layer>) =>
  Effect.map(written(Effect.provide(everyLevel, layer)), ({ stdout }) =>
    [...stdout.matchAll(/log=\[(?:\w+: )?(\w+)\]/g)].map(([, level]) => level))

describe("layer", () => {
  it.effect("writes Kore's line to standard output if nothing else is said", () =>
    Effect.gen(function*() {
      const output = yield* written(Effect.provide(Effect.log("hello"), Log.layer("parent")))
      assert.deepStrictEqual(output, { stdout: line("hello"), stderr: "" })
    }))

  it.effect("writes where and in the form it is told to", () =>
    Effect.gen(function*() {
      const output = yield* written(
        Effect.provide(Effect.log("hello"), Log.layer("parent", { to: "stderr", format: "json" }))
      )
      assert.strictEqual(output.stdout, "")
      assert.include(JSON.parse(output.stderr), { process: "parent", message: "hello" })
    }))

  it.effect("writes to standard error, in the same form, what finds no syslog", () =>
    Effect.gen(function*() {
      const socket = yield* SyslogDaemon.socketPath
      const output = yield* written(
        Effect.provide(Effect.log("hello"), Log.layer("parent", { to: "syslog", format: "json", socket }))
      )
      const [why, what, ...more] = output.stderr.trim().split("\n").map((text) => JSON.parse(text) as object)
      assert.include(why, { level: "WARN", process: "parent" })
      assert.include(what, { level: "INFO", message: "hello" })
      assert.deepStrictEqual([more, output.stdout], [[], ""])
    }))

  it.effect("writes from its level on, by default from that of the fiber", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* levelsOf(Log.layer("parent")), ["Fatal", "Error", "Warn", "Info"])
      assert.deepStrictEqual(yield* levelsOf(Log.layer("parent", { level: "Error" })), ["Fatal", "Error"])
      assert.deepStrictEqual(yield* levelsOf(Log.layer("parent", { level: "None" })), [])
      assert.strictEqual((yield* levelsOf(Log.layer("parent", { level: "All" }))).length, 6)
    }))

  it.effect("goes on with a log call that throws, and writes why", () =>
    Effect.gen(function*() {
      const broken = Log.make("parent", () => {
        throw new Error("no paper")
      })
      const output = yield* written(
        Effect.andThen(Effect.log("hello"), Effect.log("again")).pipe(Effect.provide(Logger.layer([broken])))
      )
      assert.match(
        output.stderr,
        /^(.* proc=\[parent\] log=\[error: a log line could not be written: Error: no paper\]\n){2}$/
      )
    }))
})

describe("layerConfig", () => {
  it.effect("does what the options say", () =>
    Effect.gen(function*() {
      const socket = yield* SyslogDaemon.socketPath
      const daemon = yield* SyslogDaemon.start(socket)
      const { config } = yield* Config.resolve({
        app: { logTo: "syslog", logFormat: "json", logLevel: "Warn" },
        env: { KORE_LOG_SOCKET: socket }
      })
      yield* Effect.provide(everyLevel, Log.layerConfig("wrk 1", config))
      const records = daemon.read()
      assert.strictEqual(records.length, 3)
      assert.match(records[0]!, /^<26>.*"level":"FATAL"/)
    }))

  it.effect("writes from Info on to standard output if nobody says anything", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(
        yield* levelsOf(Log.layerConfig("parent", Config.defaults)),
        ["Fatal", "Error", "Warn", "Info"]
      )
    }))
})

describe("layerEarly", () => {
  const early = (app: object, env: Readonly<Record<string, string | undefined>>) =>
    written(Effect.provide(Effect.log("hello"), Log.layerEarly("parent", app, env)))

  it.effect("takes the environment before the app, and the app before the default", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* early({}, {}), { stdout: line("hello"), stderr: "" })
      assert.match((yield* early({ logFormat: "json" }, {})).stdout, /^\{/)
      assert.deepStrictEqual(
        yield* early({ logFormat: "json", logTo: "stderr" }, { KORE_LOG_FORMAT: "kore" }),
        { stdout: "", stderr: line("hello") }
      )
      assert.deepStrictEqual(yield* early({}, { KORE_LOG_LEVEL: "Error" }), { stdout: "", stderr: "" })
    }))

  it.effect("passes over what is not valid: the line that says so must be written", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(
        yield* early({ logTo: "stderr", logFormat: 7, workers: -1 }, { KORE_LOG_TO: "printer", KORE_LOG_LEVEL: "" }),
        { stdout: "", stderr: line("hello") }
      )
    }))
})

describe("priorities", () => {
  it("a level's priority gives the level again; Trace, which syslog has not, gives Debug", () => {
    for (const level of LogLevel.values) {
      if (level === "All" || level === "None") continue
      assert.strictEqual(Log.levelOf(Log.priorityOf(level)), level === "Trace" ? "Debug" : level)
    }
  })

  it("a priority gives the nearest level, whatever its facility", () => {
    const levels = ["Fatal", "Fatal", "Fatal", "Error", "Warn", "Info", "Info", "Debug"]
    for (const [priority, level] of levels.entries()) {
      assert.strictEqual(Log.levelOf(priority), level)
      assert.strictEqual(Log.levelOf(16 << 3 | priority), level)
    }
  })
})

describe("a reader that goes away", () => {
  /** Runs a script whose reader leaves after the first line; its exit status and what it says on standard error. */
  const left = (body: string) =>
    Effect.callback<string>((resume) => {
      const script = `
        import * as Effect from "effect/Effect"
        import * as Log from ${JSON.stringify(new URL("../src/Log.ts", import.meta.url).href)}
        const line = Effect.log("x".repeat(1000))
        Effect.runCallback(${body}, { onExit: (exit) => console.error(exit._tag) })`
      const cwd = fileURLToPath(new URL("..", import.meta.url))
      const child = ChildProcess.spawn(process.execPath, ["--input-type=module", "-e", script], {
        cwd,
        stdio: ["ignore", "pipe", "pipe"]
      })
      let errors = ""
      child.stdout.once("data", () => child.stdout.destroy())
      child.stderr.on("data", (data) => (errors += data))
      child.on("close", (code) => resume(Effect.succeed(`${code} ${errors.trim()}`)))
      return Effect.sync(() => child.kill("SIGKILL"))
    })

  it.live("costs lines and not the process", () =>
    Effect.gen(function*() {
      const body = `Effect.repeat(Effect.andThen(line, Effect.sleep(1)), { times: 300 }).pipe(
        Effect.provide(Log.layer("parent")))`
      assert.strictEqual(yield* left(body), "0 Success")
    }))

  it.live("costs not the process either when the scope of the logger closes before the error comes", () =>
    Effect.gen(function*() {
      const body = `Effect.repeat(Effect.andThen(Effect.provide(line, Log.layer("parent")), Effect.sleep(1)),
        { times: 300 })`
      assert.strictEqual(yield* left(body), "0 Success")
    }))
})
