import { assert, describe, it } from "@effect/vitest"
import * as ByteSize from "effect/ByteSize"
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Formatter from "effect/Formatter"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import * as Config from "../src/Config.ts"
import type * as KoreError from "../src/KoreError.ts"

// What JavaScript users may write although TypeScript forbids it.
const untyped = (input: object): Config.Input => input

const resolve = (sources: Partial<Config.Sources>) => Config.resolve({ app: {}, env: {}, ...sources })

const problems = (sources: Partial<Config.Sources>): Effect.Effect<ReadonlyArray<string>, Config.Resolved> =>
  Effect.flip(resolve(sources)).pipe(Effect.map((error: KoreError.ConfigError) => error.problems.map(String)))

/** A configuration file with this content, in a directory that the test's scope removes. */
const fileWith = (content: string) =>
  Effect.acquireRelease(
    Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "kore-fx-config-"))),
    (directory) => Effect.sync(() => fs.rmSync(directory, { recursive: true }))
  ).pipe(Effect.map((directory) => {
    const file = path.join(directory, "kore.json")
    fs.writeFileSync(file, content)
    return file
  }))

describe("values", () => {
  it.effect("nobody says anything: every option has its default and says so", () =>
    Effect.gen(function*() {
      const { config, origins } = yield* resolve({})
      assert.deepStrictEqual(config, Config.defaults)
      assert.deepStrictEqual(origins.workers, { source: "default", key: "workers" })
      assert.strictEqual(config.workers, os.availableParallelism())
      assert.strictEqual(config.httpBodyMax, ByteSize.bytes(1_024_000))
      assert.isTrue(Duration.equals(config.httpHeaderTimeout, Duration.seconds(10)))
      assert.isUndefined(config.root)
    }))

  it.effect("a bare number is in Kore's unit of the option", () =>
    Effect.gen(function*() {
      const { config } = yield* resolve({ app: { httpHeaderTimeout: 5, httpRequestMs: 5, httpBodyMax: 5 } })
      assert.strictEqual(Duration.toMillis(config.httpHeaderTimeout), 5000)
      assert.strictEqual(Duration.toMillis(config.httpRequestMs), 5)
      assert.strictEqual(config.httpBodyMax, 5n)
    }))

  it.effect("sizes and durations take text with units, and Effect's own values", () =>
    Effect.gen(function*() {
      const { config } = yield* resolve({
        app: {
          httpBodyMax: "64 KiB",
          httpHeaderMax: ByteSize.kibibytes(8),
          curlRecvMax: "1MB",
          httpHeaderTimeout: "500 millis",
          httpBodyTimeout: Duration.minutes(2)
        }
      })
      assert.strictEqual(config.httpBodyMax, 65_536n)
      assert.strictEqual(config.httpHeaderMax, 8192n)
      assert.strictEqual(config.curlRecvMax, 1_000_000n)
      assert.strictEqual(Duration.toMillis(config.httpHeaderTimeout), 500)
      assert.strictEqual(Duration.toMillis(config.httpBodyTimeout), 120_000)
    }))

  it.effect("options that are on or off take words, booleans, 1 and 0", () =>
    Effect.gen(function*() {
      for (const on of [true, "yes", "true", "1", 1]) {
        assert.isTrue((yield* resolve({ app: untyped({ httpPrettyError: on }) })).config.httpPrettyError)
      }
      for (const off of [false, "no", "false", "0", 0]) {
        assert.isFalse((yield* resolve({ app: untyped({ workerSetAffinity: off }) })).config.workerSetAffinity)
      }
      assert.lengthOf(yield* problems({ app: untyped({ httpPrettyError: "maybe" }) }), 1)
    }))

  it.effect("a repeated option takes a list, one value, or text with commas", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual((yield* resolve({ app: { workerNoAccept: [1, 2] } })).config.workerNoAccept, [1, 2])
      assert.deepStrictEqual((yield* resolve({ app: { workerNoAccept: 3 } })).config.workerNoAccept, [3])
      const { config } = yield* resolve({
        env: { KORE_WORKER_NO_ACCEPT: "1, 2", KORE_HTTP_MEDIA_TYPE: "text/csv csv,image/avif avif avifs" }
      })
      assert.deepStrictEqual(config.workerNoAccept, [1, 2])
      assert.deepStrictEqual(config.httpMediaType, ["text/csv csv", "image/avif avif avifs"])
    }))

  it.effect("deployment \"dev\" is development", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* resolve({ app: { deployment: "dev" } })).config.deployment, "development")
    }))

  it.effect("a key with undefined counts as absent", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual((yield* resolve({ app: untyped({ workers: undefined }) })).config, Config.defaults)
    }))
})

describe("precedence", () => {
  it.effect("the environment goes before the file, the file before the app", () =>
    Effect.gen(function*() {
      const file = yield* fileWith(`{ "workers": 2, "http_body_max": 2, "socketBacklog": 2 }`)
      const { config, origins } = yield* resolve({
        app: { workers: 1, httpBodyMax: 1, socketBacklog: 1, httpHeaderCount: 1 },
        env: { KORE_CONFIG: file, KORE_WORKERS: "3" }
      })
      assert.deepStrictEqual([config.workers, config.httpBodyMax, config.httpHeaderCount], [3, 2n, 1])
      assert.deepStrictEqual(origins.workers, { source: "environment", key: "KORE_WORKERS" })
      assert.deepStrictEqual(origins.httpBodyMax, { source: "file", key: "http_body_max", path: file })
      assert.deepStrictEqual(origins.socketBacklog, { source: "file", key: "socketBacklog", path: file })
      assert.deepStrictEqual(origins.httpHeaderCount, { source: "app", key: "httpHeaderCount" })
      assert.deepStrictEqual(origins.file, { source: "environment", key: "KORE_CONFIG" })
    }))

  it.effect("the path that was passed goes before KORE_CONFIG, and that before the app's file", () =>
    Effect.gen(function*() {
      const [first, second, third] = yield* Effect.forEach([1, 2, 3], (n) => fileWith(`{ "workers": ${n} }`))
      const app = { file: third! }
      const env = { KORE_CONFIG: second }
      assert.strictEqual((yield* resolve({ app })).config.workers, 3)
      assert.strictEqual((yield* resolve({ app, env })).config.workers, 2)
      const { config, origins } = yield* resolve({ app, env, file: first! })
      assert.strictEqual(config.workers, 1)
      assert.strictEqual(config.file, first)
      assert.strictEqual(origins.file.source, "argument")
    }))

  it.effect("the environment of the process is read when none is passed", () =>
    Effect.gen(function*() {
      yield* Effect.acquireRelease(
        Effect.sync(() => {
          process.env.KORE_WORKERS = "7"
        }),
        () =>
          Effect.sync(() => {
            delete process.env.KORE_WORKERS
          })
      )
      assert.strictEqual((yield* Config.resolve({ app: {} })).config.workers, 7)
    }))
})

describe("problems", () => {
  it.effect("a bad value names option, value, source and what is allowed", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* problems({ env: { KORE_WORKERS: "0" } }), [
        "workers = 0 (environment KORE_WORKERS): expected an integer between 1 and 1024"
      ])
      assert.deepStrictEqual(yield* problems({ app: untyped({ workers: "two" }) }), [
        "workers = \"two\" (app): expected an integer between 1 and 1024"
      ])
      assert.deepStrictEqual(yield* problems({ env: { KORE_HTTP_BODY_MAX: "64 KB" } }), [
        "httpBodyMax = \"64 KB\" (environment KORE_HTTP_BODY_MAX): " +
        "expected a size from 0 B to 1 PiB, such as \"64 KiB\", or a number of bytes"
      ])
    }))

  it.effect("all problems of all sources are reported together, also those another source overrides", () =>
    Effect.gen(function*() {
      const file = yield* fileWith(`{ "workers": 0, "nonsense": 1 }`)
      const found = yield* problems({
        app: untyped({ workers: -1, deployment: "prod" }),
        env: { KORE_WORKERS: "2", KORE_HTTP_BODY_TIMEOUT: "soon" },
        file
      })
      assert.deepStrictEqual(found.map((line) => line.slice(0, line.indexOf(":"))), [
        "workers = -1 (app)",
        "deployment = \"prod\" (app)",
        `nonsense (file ${file})`,
        `workers = 0 (file ${file})`,
        "httpBodyTimeout = soon (environment KORE_HTTP_BODY_TIMEOUT)"
      ])
    }))

  it.effect("numbers that are none, infinite, negative or in another notation are refused", () =>
    Effect.gen(function*() {
      for (const value of [NaN, Infinity, -1, 1.5, null, "", " 1", "0x10", "1e1", {}, [], true, 2n]) {
        assert.lengthOf(yield* problems({ app: untyped({ workers: value }) }), 1, Formatter.format(value))
      }
      for (const value of [NaN, Infinity, -1, null, "", "Infinity", "10s", {}]) {
        assert.lengthOf(yield* problems({ app: untyped({ httpHeaderTimeout: value }) }), 1, Formatter.format(value))
      }
      for (const value of [NaN, Infinity, -1, 0.5, null, "", "64 kib", -1n, {}]) {
        assert.lengthOf(yield* problems({ app: untyped({ httpBodyMax: value }) }), 1, Formatter.format(value))
      }
    }))

  it.effect("a value that could break the server header is refused", () =>
    Effect.gen(function*() {
      for (const value of ["a\r\nb: c", "é", " a", "a ", "x".repeat(54)]) {
        assert.lengthOf(yield* problems({ app: { httpServerVersion: value } }), 1)
      }
      assert.strictEqual((yield* resolve({ app: { httpServerVersion: "" } })).config.httpServerVersion, "")
    }))

  it.effect("a value is told on one line and not at length", () =>
    Effect.gen(function*() {
      const [line] = yield* problems({ env: { KORE_DEPLOYMENT: `a\nb${"x".repeat(1000)}` } })
      assert.notInclude(line, "\n")
      assert.isBelow(line!.length, 250)
    }))

  it.effect("a misspelt option of an app is answered with the nearest name", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* problems({ app: untyped({ httpBdoyMax: 1 }) }), [
        "httpBdoyMax (app): expected the name of an option; did you mean httpBodyMax?"
      ])
      assert.deepStrictEqual(yield* problems({ app: untyped({ somethingElse: 1 }) }), [
        "somethingElse (app): expected the name of an option"
      ])
    }))

  it.effect("names that every object has are no options", () =>
    Effect.gen(function*() {
      const file = yield* fileWith(`{ "constructor": 1, "__proto__": 2, "toString": 3 }`)
      assert.lengthOf(yield* problems({ file }), 3)
    }))

  it.effect("Kore's name in an app is answered with the camelCase one, and works in a file", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* problems({ app: untyped({ pgsql_conn_max: 1 }) }), [
        "pgsql_conn_max (app): expected the name of an option; did you mean pgsqlConnMax?"
      ])
      const file = yield* fileWith(`{ "pgsql_conn_max": 9 }`)
      assert.strictEqual((yield* resolve({ file })).config.pgsqlConnMax, 9)
    }))

  it.effect("a misspelt variable is answered with the nearest one, and its value is not shown", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* problems({ env: { KORE_HTTP_BODYMAX: "1", KORE_DB_PASSWORD: "hunter2" } }), [
        "KORE_HTTP_BODYMAX (environment): expected the name of an option; did you mean KORE_HTTP_BODY_MAX?",
        "KORE_DB_PASSWORD (environment): expected the name of an option"
      ])
    }))

  it.effect("variables of others are left alone: PORT, KORE_FX_…, what Kubernetes sets for a service \"kore\"", () =>
    Effect.gen(function*() {
      const env = {
        PORT: "80",
        KOREAN: "1",
        KORE_FX_WORKER: "1",
        KORE_SERVICE_HOST: "10.0.0.1",
        KORE_SERVICE_PORT: "80",
        KORE_SERVICE_PORT_HTTP: "80",
        KORE_PORT: "tcp://10.0.0.1:80",
        KORE_PORT_80_TCP: "tcp://10.0.0.1:80",
        KORE_PORT_80_TCP_ADDR: "10.0.0.1"
      }
      assert.deepStrictEqual((yield* resolve({ env })).config, Config.defaults)
      assert.lengthOf(yield* problems({ env: { KORE_PORT: "8888" } }), 1)
    }))
})

describe("the file", () => {
  it.effect("a file that is missing or a directory is named, with who named it and why", () =>
    Effect.gen(function*() {
      const [line] = yield* problems({ env: { KORE_CONFIG: "/no/such/kore.json" } })
      assert.include(line, "file = /no/such/kore.json (environment KORE_CONFIG)")
      assert.include(line, "ENOENT")
      assert.include((yield* problems({ file: os.tmpdir() }))[0], "EISDIR")
    }))

  it.effect("JSON that is broken is named with its line", () =>
    Effect.gen(function*() {
      const file = yield* fileWith(`{\n  "workers": 2\n  "root": "/srv"\n}\n`)
      const [line] = yield* problems({ file })
      assert.include(line, file)
      assert.include(line, "line 3")
    }))

  it.effect("JSON that is no object is refused", () =>
    Effect.gen(function*() {
      for (const content of ["[]", "null", "2", "\"workers\""]) {
        const file = yield* fileWith(content)
        assert.include((yield* problems({ file }))[0], "one JSON object")
      }
    }))

  it.effect("an option under both of its names is refused, and a file cannot name another", () =>
    Effect.gen(function*() {
      const file = yield* fileWith(`{ "httpBodyMax": 1, "http_body_max": 2, "file": "other.json" }`)
      assert.deepStrictEqual(yield* problems({ file }), [
        `http_body_max (file ${file}): expected one value, and httpBodyMax gives it too`,
        `file (file ${file}): expected no other file: a file cannot name the next`
      ])
    }))

  it.effect("a byte order mark and a $schema are no problem", () =>
    Effect.gen(function*() {
      const file = yield* fileWith(`\uFEFF{ "$schema": "https://example.org/kore.json", "workers": 2 }`)
      assert.strictEqual((yield* resolve({ file })).config.workers, 2)
    }))
})

describe("types", () => {
  it("an app with a wrong name, unit or word does not compile", () => {
    const inputs: ReadonlyArray<Config.Input> = [
      { workers: 2, deployment: "dev", httpBodyMax: "64 KiB", httpHeaderTimeout: "5 seconds", workerNoAccept: [1] },
      // @ts-expect-error a name that is none
      { worker: 2 },
      // @ts-expect-error a unit that is none
      { httpBodyMax: "64 KB" },
      // @ts-expect-error a word that is none
      { workerDeathPolicy: "stop" },
      // @ts-expect-error the alias of another option
      { deployment: "restart" },
      // @ts-expect-error absent is not undefined
      { workers: undefined }
    ]
    assert.isNotEmpty(inputs)
  })

  it("what is resolved is typed by its meaning, with undefined only where there is no default", () => {
    const { deployment, httpBodyMax, pidfile, root, workerDeathPolicy } = Config.defaults
    const typed: readonly [
      "production" | "docker" | "development" | undefined,
      ByteSize.ByteSize,
      string | undefined,
      string | undefined,
      "restart" | "terminate"
    ] = [deployment, httpBodyMax, pidfile, root, workerDeathPolicy]
    assert.isNotEmpty(typed)
  })
})

describe("names and description", () => {
  it("Kore's names lead to options and back", () => {
    assert.deepStrictEqual(Config.fromLegacyName("http_body_max"), Option.some("httpBodyMax" as const))
    assert.deepStrictEqual(Config.fromLegacyName("worker_rlimit_nofiles"), Option.some("workerRlimitNofiles" as const))
    assert.deepStrictEqual(Config.fromLegacyName("httpBodyMax"), Option.none())
    assert.strictEqual(Config.toLegacyName("seccompTracing"), "seccomp_tracing")
  })

  it("one option can be read by itself", () => {
    assert.deepStrictEqual(Result.getOrThrow(Config.decode("workers", "4")), 4)
    const problem = Result.flip(Config.decode("workers", 0, { source: "app", key: "workers" })).pipe(Result.getOrThrow)
    assert.strictEqual(String(problem), "workers = 0 (app): expected an integer between 1 and 1024")
  })

  it.effect("a description tells value, source, text and what is not applied yet", () =>
    Effect.gen(function*() {
      const resolved = yield* resolve({ app: { tlsVersion: "1.3" }, env: { KORE_HTTP_BODY_MAX: "65536" } })
      const rows = new Map(Config.describe(resolved).map((row) => [row.option, row]))
      assert.deepStrictEqual(rows.get("httpBodyMax"), {
        option: "httpBodyMax",
        value: "64 KiB",
        source: "environment KORE_HTTP_BODY_MAX",
        origin: { source: "environment", key: "KORE_HTTP_BODY_MAX" },
        doc: "Bytes of a request's body, above which it gets 413. A size from 0 B to 1 PiB, such as \"64 KiB\", " +
          "or a number of bytes; default: 1000 KiB.",
        notApplied: undefined
      })
      assert.strictEqual(rows.get("tlsVersion")?.notApplied, "TLS")
      assert.strictEqual(rows.get("root")?.value, "none")
      assert.strictEqual(rows.size, Object.keys(Config.options).length)
    }))

  it.effect("the configuration is a service", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* Config.Current).workers, 2)
    }).pipe(Effect.provideService(Config.Current, { ...Config.defaults, workers: 2 })))

  it.effect("the failure prints as one readable text", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(resolve({ env: { KORE_WORKERS: "0" } }))
      assert.include(Cause.pretty(Cause.fail(error)), "workers = 0 (environment KORE_WORKERS)")
    }))
})
