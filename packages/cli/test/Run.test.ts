import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import * as path from "node:path"
import * as Cli from "./fixtures/Cli.ts"

const served = (words: ReadonlyArray<string>, options?: Cli.Options) =>
  Effect.gen(function*() {
    const it = yield* Cli.spawn(["run", ...words], options)
    const port = yield* Cli.port(it)
    return { it, port, body: yield* Cli.get(port, "/") }
  })

const stopped = Effect.fnUntraced(function*(it: Cli.Process) {
  yield* it.kill("SIGTERM")
  const { code, stderr, stdout } = yield* it.ended
  assert.strictEqual(code, 0, stdout + stderr)
  assert.match(stdout, /told to stop by SIGTERM[^]*stopped/)
  // A start and a stop without trouble are quiet: no warning of Node, no error.
  assert.strictEqual(stderr, "")
})

describe("kore-fx run serves and stops in order", () => {
  for (
    const [kind, file, body] of [
      ["a file that exports an app", "exported.ts", "exported"],
      ["a file whose default export is an app", "defaultExport.ts", "exported"],
      ["a file that runs itself", "selfRunning.ts", "selfRunning"],
      ["a file that runs itself after a while", "late.ts", "exported"],
      ["a file of the old API that exports koreapp", "legacy.ts", "legacy"],
      ["a file of the old API that declares all at module level", "legacyModule.ts", "legacyModule"],
      ["a file of the old API that runs itself", "legacyRun.ts", "legacyRun"]
    ] as const
  ) {
    it.live(kind, () =>
      Effect.gen(function*() {
        const before = Date.now()
        const { body: answered, it } = yield* served([file])
        // Nobody waits for a program that has nothing to do.
        assert.isBelow(Date.now() - before, 9_000)
        assert.strictEqual(answered, body)
        yield* stopped(it)
      }))
  }

  it.live("a file that exports an app and runs itself, once", () =>
    Effect.gen(function*() {
      const { it } = yield* served(["both.ts"])
      yield* Effect.sleep(200)
      assert.strictEqual(it.stdout().match(/listens on/g)?.length, 1)
      assert.strictEqual(it.stdout().match(/workers? ready/g)?.length, 1)
      yield* stopped(it)
    }))

  it.live("a file by its path from elsewhere, with workers that know it after the app has changed the directory", () =>
    Effect.gen(function*() {
      const cwd = yield* Cli.directory({
        "sub/app.ts": `process.chdir("/")\nexport { app } from ${JSON.stringify(path.join(Cli.here, "exported.ts"))}\n`
      })
      const { body, it } = yield* served(["sub/app.ts"], { cwd })
      assert.strictEqual(body, "exported")
      yield* stopped(it)
    }))

  it.live("a file with a copy of the library of its own, which runs it", () =>
    Effect.gen(function*() {
      const text = fs.readFileSync(path.join(Cli.here, "exported.ts"), "utf8")
      const cwd = yield* Cli.directoryWithLibrary({
        "app.ts": text,
        "self.ts": `${text}\nimport { Kore } from "kore-fx"\nEffect.runFork(Kore.main(app))\n`.replace(" Kore,", "")
      })
      for (const file of ["app.ts", "self.ts"]) {
        const { body, it } = yield* served([file], { cwd })
        assert.strictEqual(body, "exported")
        assert.strictEqual(it.stdout().match(/starting/g)?.length, 1)
        yield* stopped(it)
      }
    }))

  it.live("until Ctrl-C", () =>
    Effect.gen(function*() {
      const { it } = yield* served(["exported.ts"])
      yield* it.kill("SIGINT")
      const { code, stdout } = yield* it.ended
      assert.match(stdout, /told to stop by SIGINT[^]*stopped/)
      assert.strictEqual(code, 0)
    }))

  it.live("CommonJS", () =>
    Effect.gen(function*() {
      const cwd = yield* Cli.directory({
        "app.cjs": "const { Kore, Server, Domain, Route, Response } = require(\"kore-fx\")\n" +
          "const Effect = require(\"effect/Effect\")\n" +
          "exports.app = Kore.app({ config: { workers: 1 },\n" +
          "  servers: { main: Server.tcp({ host: \"127.0.0.1\", port: 0, tls: false }) },\n" +
          "  worker: Domain.layer(\"*\", { attach: \"main\" }, [\n" +
          "    Route.get(\"/\", () => Effect.succeed(Response.text(\"cjs\")))]) })\n"
      })
      const { body, it } = yield* served(["app.cjs"], { cwd })
      assert.strictEqual(body, "cjs")
      yield* stopped(it)
    }))
})

describe("the words after the file", () => {
  for (const file of ["exported.ts", "selfRunning.ts"]) {
    it.live(`are the app's, flags too, as if Node had started ${file}`, () =>
      Effect.gen(function*() {
        const { it, port } = yield* served([file, "one", "--help", "-x", "--", "--workers=3"])
        const argv = JSON.parse(yield* Cli.get(port, "/argv"))
        assert.deepStrictEqual(argv.slice(1), [path.join(Cli.here, file), "one", "--help", "-x", "--", "--workers=3"])
        assert.strictEqual(path.basename(argv[0]), "node")
        yield* stopped(it)
      }))
  }

  it.live("are those of configure in the old API", () =>
    Effect.gen(function*() {
      const { it, port } = yield* served(["legacy.ts", "one", "--two"])
      assert.deepStrictEqual(JSON.parse(yield* Cli.get(port, "/args")), ["one", "--two"])
      yield* stopped(it)
      assert.match(it.stdout(), /cleanup after \["one","--two"\]/)
    }))

  it.live("begin after the file also where -- stands before it", () =>
    Effect.gen(function*() {
      const { it, port } = yield* served(["--", "exported.ts", "a"])
      assert.deepStrictEqual(JSON.parse(yield* Cli.get(port, "/argv")).slice(2), ["a"])
      yield* stopped(it)
    }))
})

describe("workers", () => {
  it.live("load the app and nothing of the command line", () =>
    Effect.gen(function*() {
      const cwd = yield* Cli.directory({
        "watch.mjs": "import { registerHooks } from \"node:module\"\nimport { appendFileSync } from \"node:fs\"\n" +
          "const role = process.env.KORE_FX_WORKER === undefined ? \"parent\" : \"worker\"\n" +
          "registerHooks({ load(url, context, next) {\n" +
          "  if (/effect\\/\\w+\\/cli\\/Command|cli\\/src\\/Main|cli\\/src\\/internal\\/boot/.test(url))" +
          " appendFileSync(process.env.LOADED, `${role} ${url}\\n`)\n" +
          "  return next(url, context)\n} })\n",
        loaded: ""
      })
      const loaded = path.join(cwd, "loaded")
      const { it } = yield* served(["exported.ts"], {
        env: { LOADED: loaded },
        node: ["--import", path.join(cwd, "watch.mjs")]
      })
      yield* stopped(it)
      const lines = yield* Cli.readLines(loaded)
      const by = (role: string) => lines.filter((line) => line.startsWith(role)).map((line) => path.basename(line))
      assert.deepStrictEqual(by("parent").sort(), ["Command.js", "Main.ts"])
      assert.deepStrictEqual(by("worker"), ["boot.ts"])
    }))

  it.live("that cannot load the file tell the parent why, which makes no second try where that is no use", () =>
    Effect.gen(function*() {
      const { code, stderr, stdout } = yield* Cli.run(["run", "workerOnly.ts"], { env: { IN_WORKERS: "import" } })
      assert.strictEqual(code, 2)
      assert.match(stdout, /The app cannot run as it is: workerOnly\.ts: the package "not-in-a-worker" is not inst/)
      assert.match(stdout, /KORE_CLI_IMPORT/)
      assert.notMatch(stdout, /restarting/)
      assert.strictEqual(stderr, "")
    }))

  it.live("whose program throws are started again, as often as it is allowed", () =>
    Effect.gen(function*() {
      const { code, stderr, stdout } = yield* Cli.run(["run", "workerOnly.ts"], {
        env: { IN_WORKERS: "throw", KORE_WORKER_RESTART_LIMIT: "1" }
      })
      assert.strictEqual(code, 1)
      assert.match(stdout, /Worker 1 did not stay up \(2 attempts\): workerOnly\.ts:5:\d+: Error: not in a worker/)
      assert.match(stdout, /KORE_CLI_APP_THREW/)
      assert.strictEqual(stderr, "")
    }))

  it.live("are not what a process is because its environment says so", () =>
    Effect.gen(function*() {
      const { code, stderr, stdout } = yield* Cli.run(["run", "exported.ts"], { env: { KORE_FX_WORKER: "1" } })
      assert.strictEqual(code, 2)
      assert.strictEqual(stdout, "")
      assert.match(stderr, /KORE_FX_WORKER is set[^]*unset KORE_FX_WORKER \[KORE_CLI_USAGE\]/)
    }))
})

describe("what the app itself says", () => {
  it.live("about its options is said once, with status 2", () =>
    Effect.gen(function*() {
      for (const file of ["exported.ts", "selfRunning.ts"]) {
        const { code, stderr, stdout } = yield* Cli.run(["run", file], { env: { KORE_WORKERS: "0" } })
        assert.strictEqual(code, 2, stdout + stderr)
        assert.strictEqual((stdout + stderr).match(/KORE_CONFIG/g)?.length, 1)
        assert.match(stdout, /workers = 0 \(environment KORE_WORKERS\): expected/)
      }
    }))

  it.live("about configure of the old API is said once, with status 2", () =>
    Effect.gen(function*() {
      const { code, stderr, stdout } = yield* Cli.run(["run", "legacy.ts", "throw"])
      assert.strictEqual(code, 2, stdout + stderr)
      assert.strictEqual((stdout + stderr).match(/no throwing here/g)?.length, 1)
    }))

  it.live("about an address in use is said once, with status 2", () =>
    Effect.gen(function*() {
      const { it, port } = yield* served(["exported.ts"])
      const { code, stderr, stdout } = yield* Cli.run(["run", "exported.ts"], { env: { PORT: String(port) } })
      assert.strictEqual(code, 2, stdout + stderr)
      assert.strictEqual((stdout + stderr).match(/KORE_LISTEN/g)?.length, 1)
      yield* stopped(it)
    }))

  it.live("about a Layer that fails is said, with status 1", () =>
    Effect.gen(function*() {
      const { code, stderr, stdout } = yield* Cli.run(["run", "failing.ts"], {
        env: { KORE_WORKER_RESTART_LIMIT: "0" }
      })
      assert.strictEqual(code, 1, stdout + stderr)
      assert.match(stdout, /did not stay up[^\n]*no database at db\.example:5432/)
      assert.strictEqual(stderr, "")
    }))
})
