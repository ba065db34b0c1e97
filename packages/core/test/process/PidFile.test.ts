import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as fs from "node:fs"
import * as path from "node:path"
import * as PidFile from "../../src/process/PidFile.ts"
import * as TestApp from "../fixtures/TestApp.ts"

const file = Effect.map(TestApp.directory, (directory) => path.join(directory, "kore.pid"))
const ours = `${process.pid}\n`
// Process ids end below this one on Linux.
const nobody = 2 ** 22 + 1

describe("a pid file", () => {
  it.effect("is there with our id while the scope is open, and leaves nothing else", () =>
    Effect.gen(function*() {
      const pidfile = yield* file
      const scope = yield* Scope.make()
      yield* Scope.provide(PidFile.acquire(pidfile), scope)
      assert.strictEqual(fs.readFileSync(pidfile, "utf8"), ours)
      assert.deepStrictEqual(fs.readdirSync(path.dirname(pidfile)), ["kore.pid"])
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual(fs.readdirSync(path.dirname(pidfile)), [])
    }))

  for (const content of [`${nobody}\n`, ours, "", "what?\n", "-1\n", "0\n"]) {
    it.effect(`replaces one with ${JSON.stringify(content)}, whose process is gone`, () =>
      Effect.gen(function*() {
        const pidfile = yield* file
        fs.writeFileSync(pidfile, content)
        yield* PidFile.acquire(pidfile)
        assert.strictEqual(fs.readFileSync(pidfile, "utf8"), ours)
      }))
  }

  it.effect("of a running process is an error that names it, and stays", () =>
    Effect.gen(function*() {
      const pidfile = yield* file
      fs.writeFileSync(pidfile, `${process.ppid}\n`)
      const error = yield* Effect.flip(PidFile.acquire(pidfile))
      assert.strictEqual(error._tag, "ConfigError")
      assert.include(error.message, `pidfile = ${pidfile}`)
      assert.include(error.message, `process ${process.ppid} runs: stop it`)
      assert.strictEqual(fs.readFileSync(pidfile, "utf8"), `${process.ppid}\n`)
    }))

  it.effect("that somebody has taken over is not removed", () =>
    Effect.gen(function*() {
      const pidfile = yield* file
      const scope = yield* Scope.make()
      yield* Scope.provide(PidFile.acquire(pidfile), scope)
      fs.writeFileSync(pidfile, "1\n")
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(fs.readFileSync(pidfile, "utf8"), "1\n")
    }))

  it.effect("that cannot be written is an error", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(PidFile.acquire("/nonexistent/kore.pid"))
      assert.include(error.message, "a file that can be written (ENOENT)")
    }))
})
