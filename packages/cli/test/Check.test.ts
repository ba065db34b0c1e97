import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as path from "node:path"
import * as Cli from "./fixtures/Cli.ts"

describe("kore-fx check", () => {
  it.live("prints the servers, and every option with its value and where that comes from", () =>
    Effect.gen(function*() {
      const cwd = yield* Cli.directory({
        "kore.json": "{ \"httpBodyMax\": \"2 MiB\", \"http_header_count\": 50, \"workers\": 7 }"
      })
      const { code, stderr, stdout } = yield* Cli.run(["check", "routes.ts"], {
        env: { KORE_CONFIG: path.join(cwd, "kore.json"), KORE_WORKERS: "4", PORT: undefined }
      })
      const line = (option: string) => stdout.split("\n").find((text) => text.trim().startsWith(`${option} `)) ?? ""
      assert.match(stdout, /^routes\.ts, export app\n/)
      assert.match(stdout, /\n {2}main {2}http:\/\/127\.0\.0\.1:8888 +10 routes\n/)
      assert.match(stdout, /\n {2}idle {2}unix:\/tmp\/kore-fx-idle\.sock +0 routes\n/)
      assert.match(line("workers"), /workers +4 +environment KORE_WORKERS$/)
      assert.match(line("httpBodyMax"), /httpBodyMax +2 MiB +file \S+kore\.json$/)
      assert.match(line("httpHeaderCount"), /httpHeaderCount +50 +file /)
      assert.match(line("deployment"), /deployment +development +app +not applied yet \(privileges\)$/)
      assert.match(line("shutdownTimeout"), /shutdownTimeout +30 seconds +default$/)
      assert.match(line("tlsVersion"), /default +not applied yet \(TLS\)$/)
      assert.match(stdout, /nothing is wrong; nothing was started\n$/)
      assert.match(stderr, /the layer is built[^]*the layer is closed/)
      assert.strictEqual(code, 0)
    }))

  it.live("prints the same as data", () =>
    Effect.gen(function*() {
      const { code, stdout } = yield* Cli.run(["check", "routes.ts", "--json"], { env: { KORE_WORKERS: "4" } })
      const report = JSON.parse(stdout)
      assert.isTrue(report.ok)
      assert.deepStrictEqual(report.problems, [])
      assert.strictEqual(report.file, path.join(Cli.here, "routes.ts"))
      assert.deepStrictEqual(report.servers[1], { name: "idle", address: "unix:/tmp/kore-fx-idle.sock", routes: 0 })
      assert.deepStrictEqual(report.options.find(({ option }: { readonly option: string }) => option === "workers"), {
        option: "workers",
        value: "4",
        source: "environment KORE_WORKERS",
        origin: { source: "environment", key: "KORE_WORKERS" },
        notApplied: null
      })
      assert.strictEqual(code, 0)
    }))

  it.live("starts and binds nothing: the address may be in use", () =>
    Effect.gen(function*() {
      const it = yield* Cli.spawn(["run", "exported.ts"])
      const port = yield* Cli.port(it)
      const { code, stderr, stdout } = yield* Cli.run(["check", "selfRunning.ts"], { env: { PORT: String(port) } })
      assert.strictEqual(code, 0, stderr)
      assert.notMatch(stdout, /starting|listens/)
      assert.strictEqual(stderr, "")
    }))

  it.live("leaves the Layer alone with --no-routes", () =>
    Effect.gen(function*() {
      const { code, stderr, stdout } = yield* Cli.run(["check", "--no-routes", "failing.ts"])
      assert.match(stdout, /main {2}http:\/\/127\.0\.0\.1:0\n/)
      assert.strictEqual(stderr, "")
      assert.strictEqual(code, 0)
    }))

  it.live("finds all that is wrong in one go", () =>
    Effect.gen(function*() {
      const { code, stderr, stdout } = yield* Cli.run(["check", "contradictory.ts"])
      assert.match(stderr, /^contradictory\.ts would not start:\n/)
      assert.match(stderr, /Server "other" cannot listen on http:\/\/127\.0\.0\.1:8888: server "main" has that address/)
      assert.match(stderr, /Server "secure" [^\n]*TLS is not available in this version/)
      assert.match(stderr, /Server "secure" [^\n]*70000 is not a port/)
      assert.match(stderr, /GET \/users\/:id answers the same requests/)
      assert.match(stderr, /attaches to the server "mian", but the app declares "main", "other", "secure"/)
      assert.match(stderr, /\[KORE_CLI_CHECK\]\n$/)
      assert.strictEqual(stdout, "")
      assert.strictEqual(code, 2)
    }))

  it.live("says what is wrong with the options, and still looks at the servers", () =>
    Effect.gen(function*() {
      const { code, stderr } = yield* Cli.run(["check", "exported.ts"], {
        env: { KORE_WORKRES: "2", KORE_HTTP_BODY_MAX: "much", PORT: "eighty" }
      })
      assert.match(stderr, /KORE_WORKRES \(environment\): expected [^\n]* did you mean KORE_WORKERS\?/)
      assert.match(stderr, /httpBodyMax = much \(environment KORE_HTTP_BODY_MAX\): expected/)
      assert.match(stderr, /NaN is not a port/)
      assert.strictEqual(code, 2)
    }))

  it.live("says so when the Layer cannot be built", () =>
    Effect.gen(function*() {
      const { code, stderr } = yield* Cli.run(["check", "failing.ts"])
      assert.match(stderr, /no database at db\.example:5432[^]*\[KORE_CLI_LAYER\][^]*\[KORE_CLI_CHECK\]\n$/)
      assert.strictEqual(code, 2)
    }))

  it.live("says all that as data too", () =>
    Effect.gen(function*() {
      const contradictory = yield* Cli.run(["check", "--json", "contradictory.ts"])
      const report = JSON.parse(contradictory.stdout)
      assert.isFalse(report.ok)
      assert.strictEqual(report.problems.length, 5)
      assert.strictEqual(contradictory.code, 2)
      const missing = yield* Cli.run(["check", "--json", "nothing.ts"])
      assert.match(JSON.parse(missing.stdout).problems[0], /^nothing\.ts does not exist\./)
      assert.strictEqual(missing.code, 2)
    }))
})
