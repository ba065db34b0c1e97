import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as path from "node:path"
import * as Cli from "./fixtures/Cli.ts"

const expected = `server main on http://127.0.0.1:8888
  host www.example.com
    GET HEAD  /
  host *.example.com
    GET HEAD  /
  host *
    POST      /users          body NewUser → 201 User
    GET HEAD  /search         query { q: String, page?: Int }
    GET HEAD  /tagged         headers { x-tag: "a" | "b" }
    GET HEAD  /users/me
    GET       /users/:id      path { id: Int } → 200 User
    HEAD      /users/:name
    GET HEAD  /files/*path
    GET HEAD  /^\\/([0-9]+)$/

server idle on unix:/tmp/kore-fx-idle.sock
  no routes: every request is answered with 404
`

describe("kore-fx routes", () => {
  it.live("prints what is answered in the order in which it is tried", () =>
    Effect.gen(function*() {
      const { code, stderr, stdout } = yield* Cli.run(["routes", "routes.ts"], { env: { PORT: undefined } })
      assert.strictEqual(stdout, expected)
      // The Layer is built for that, and closed again.
      assert.match(stderr, /the layer is built[^]*the layer is closed/)
      assert.strictEqual(code, 0)
    }))

  it.live("prints data, and nothing else on standard output", () =>
    Effect.gen(function*() {
      const { code, stderr, stdout } = yield* Cli.run(["routes", "--json", "routes.ts"])
      const { file, routes } = JSON.parse(stdout)
      assert.strictEqual(file, path.join(Cli.here, "routes.ts"))
      assert.strictEqual(routes.length, 10)
      assert.deepStrictEqual(routes[2], {
        server: "main",
        host: "*",
        methods: ["POST"],
        implied: [],
        pattern: "/users",
        kind: "path",
        body: "NewUser",
        success: "User",
        status: 201
      })
      assert.deepStrictEqual(routes[3].query, { "q": "String", "page?": "Int" })
      assert.deepStrictEqual(routes[3].implied, ["HEAD"])
      assert.strictEqual(routes[9].kind, "expression")
      // What the Layer logs.
      assert.match(stderr, /proc=\[inspect\] log=\[opened\]/)
      assert.strictEqual(code, 0)
    }))

  for (const file of ["selfRunning.ts", "both.ts", "late.ts"]) {
    it.live(`starts nothing of ${file}`, () =>
      Effect.gen(function*() {
        const { code, stderr, stdout } = yield* Cli.run(["routes", file])
        assert.match(stdout, /^server main on http:\/\/127\.0\.0\.1:0\n {2}host \*\n {4}GET HEAD {2}\/\n/)
        assert.notMatch(stdout, /starting|listens/)
        assert.strictEqual(stderr, "")
        assert.strictEqual(code, 0)
      }))
  }

  it.live("prints those of the old API, configured with the words behind --", () =>
    Effect.gen(function*() {
      const { code, stderr, stdout } = yield* Cli.run(["routes", "legacy.ts", "--", "more"])
      assert.match(stdout, /^server main on http:\/\/127\.0\.0\.1:0\n {2}host \*\n/)
      for (const path of ["/", "/args", "/more"]) assert.match(stdout, new RegExp(`GET HEAD .*${path.slice(1)}`))
      assert.notMatch(stdout, /starting|listens|cleanup/)
      assert.strictEqual(stderr, "")
      assert.strictEqual(code, 0)
      const thrown = yield* Cli.run(["routes", "legacy.ts", "--", "throw"])
      assert.match(thrown.stderr, /no throwing here/)
      assert.strictEqual(thrown.code, 2)
    }))

  it.live("ends although the app keeps its process alive", () =>
    Effect.gen(function*() {
      const { code, stdout } = yield* Cli.runIn({
        "app.ts": `export { app } from ${JSON.stringify(path.join(Cli.here, "exported.ts"))}\n` +
          "setInterval(() => {}, 1000)\n"
      }, ["routes", "app.ts"])
      assert.match(stdout, /^server main/)
      assert.strictEqual(code, 0)
    }))

  it.live("hands the words behind -- to the app", () =>
    Effect.gen(function*() {
      const { stderr } = yield* Cli.runIn({
        "app.ts": `export { app } from ${JSON.stringify(path.join(Cli.here, "exported.ts"))}\n` +
          "console.error(JSON.stringify(process.argv.slice(2)))\n"
      }, ["routes", "app.ts", "--json", "--", "one", "--two"])
      assert.strictEqual(stderr, "[\"one\",\"--two\"]\n")
    }))

  it.live("says why a Layer cannot be built", () =>
    Effect.gen(function*() {
      const { code, stderr, stdout } = yield* Cli.run(["routes", "failing.ts"])
      assert.match(stderr, /^The worker's Layer of failing\.ts could not be built: no database at db\.example:5432\n/)
      assert.match(stderr, /\[KORE_CLI_LAYER\]\n$/)
      assert.strictEqual(stdout, "")
      assert.strictEqual(code, 1)
    }))

  it.live("says which routes contradict each other", () =>
    Effect.gen(function*() {
      const { code, stderr, stdout } = yield* Cli.run(["routes", "contradictory.ts"])
      assert.match(stderr, /route GET \/users\/:name of domain "\*": GET \/users\/:id answers the same requests/)
      assert.match(stderr, /the domain "b\.example" attaches to the server "mian"/)
      assert.match(stderr, /\[KORE_CLI_CHECK\]\n$/)
      assert.strictEqual(stdout, "")
      assert.strictEqual(code, 2)
    }))

  it.live("says what is wrong with the options", () =>
    Effect.gen(function*() {
      const { code, stderr } = yield* Cli.run(["routes", "exported.ts"], { env: { KORE_WORKERS: "many" } })
      assert.match(stderr, /workers = many \(environment KORE_WORKERS\)[^]*\[KORE_CONFIG\]\n$/)
      assert.strictEqual(code, 2)
    }))
})
