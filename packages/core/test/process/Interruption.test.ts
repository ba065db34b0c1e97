import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import { fileURLToPath } from "node:url"
import * as Config from "../../src/Config.ts"
import * as Parent from "../../src/process/Parent.ts"
import * as TestApp from "../fixtures/TestApp.ts"

describe("Parent.main in a fiber of another program", () => {
  it.live("interruption stops the workers in order, and nothing is left", () =>
    Effect.gen(function*() {
      let output = ""
      const log = Logger.layer([Logger.make(({ message }) => void (output += `${String(message)}]\n`))])
      const { config } = yield* Config.resolve({ app: { workers: 2, shutdownTimeout: "5 seconds" }, env: {} })
      const fiber = yield* Effect.forkChild(Parent.main({
        servers: { main: { _tag: "Tcp", host: "127.0.0.1", port: 0, tls: false } },
        config,
        command: {
          file: process.execPath,
          execArgv: [],
          args: [fileURLToPath(new URL("../fixtures/app.ts", import.meta.url))],
          env: { PATH: process.env["PATH"] }
        },
        log
      }))
      while (!/workers ready/.test(output)) yield* Effect.sleep(10)
      const port = Number(/127\.0\.0\.1:(\d+)/.exec(output)![1])
      const pids = [...output.matchAll(/\d \(pid (\d+)\)/g)].map((match) => Number(match[1]))
      assert.strictEqual(pids.length, 2)
      const slow = yield* Effect.forkChild(TestApp.ask(port, "slow 300"), { startImmediately: true })
      yield* Effect.sleep(50)
      yield* Fiber.interrupt(fiber)
      for (const pid of pids) assert.isFalse(TestApp.isRunning(pid))
      assert.include(pids, Number(yield* Fiber.join(slow)))
      assert.strictEqual(yield* TestApp.ask(port, "pid"), "ECONNREFUSED")
      assert.match(output, /draining.*\n(.*\n)*stopped/)
    }))
})
