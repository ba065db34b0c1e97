import { assert, describe, it } from "@effect/vitest"
import * as Log from "@kore-fx/core/Log"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import type * as LogLevel from "effect/LogLevel"
import * as References from "effect/References"
import { Kore } from "kore-fx"
import { kore, reset, toApp } from "kore-fx/legacy"
import { routes } from "./TestApp.ts"

interface Line {
  readonly level: string
  readonly message: string
  readonly priority: number
}

/** What a worker writes when its log is JSON. */
const logged = (workerstart: () => void, minimum: LogLevel.LogLevel = "Info") =>
  Effect.gen(function*() {
    reset()
    const app = yield* toApp({ ...routes(() => {}), workerstart }, { args: [] })
    const lines: Array<Line> = []
    const logger = Log.make("test", (line) => lines.push(JSON.parse(line) as Line), "json")
    const layer = Layer.merge(Logger.layer([logger]), Layer.succeed(References.MinimumLogLevel, minimum))
    yield* Effect.scoped(Layer.build(Layer.provide(Kore.test(app), layer)))
    return lines
  })

/** What is written to standard output where no worker runs. */
const outside = (declare: () => void) =>
  Effect.acquireUseRelease(
    Effect.sync(() => {
      reset()
      const lines: Array<string> = []
      const { write } = process.stdout
      process.stdout.write = ((line: string) => lines.push(line) > 0) as typeof write
      return { lines, write }
    }),
    ({ lines }) =>
      Effect.sync(() => {
        declare()
        return lines
      }),
    ({ write }) => Effect.sync(() => (process.stdout.write = write))
  )

describe("kore.log", () => {
  it.effect("has the level of its priority, and keeps the priority: LOG_NOTICE stays 5", () =>
    Effect.gen(function*() {
      const lines = yield* logged(() => {
        for (let priority = 0; priority < 8; priority++) kore.log(priority, `priority ${priority}`)
      })
      const levels = ["FATAL", "FATAL", "FATAL", "ERROR", "WARN", "INFO", "INFO", "INFO"]
      assert.deepStrictEqual(
        lines.map(({ level, message, priority }) => ({ level, message, priority })),
        levels.map((level, priority) => ({ level, message: `priority ${priority}`, priority }))
      )
    }))

  it.effect("kore §5: any int is a priority; its last three bits are the severity", () =>
    Effect.gen(function*() {
      const lines = yield* logged(() => {
        for (const priority of [-1, 16 << 3 | 3, 2_147_483_647, -2_147_483_648]) kore.log(priority, "x")
      })
      assert.deepStrictEqual(lines.map(({ priority }) => priority), [7, 3, 7, 0])
    }))

  it.effect("is filtered by level if somebody asks for that", () =>
    Effect.gen(function*() {
      const lines = yield* logged(() => {
        for (let priority = 0; priority < 8; priority++) kore.log(priority, "x")
      }, "Warn")
      assert.deepStrictEqual(lines.map(({ priority }) => priority), [0, 1, 2, 3, 4])
    }))

  it.effect("kore §5: a text with NUL is no error, and one line", () =>
    Effect.gen(function*() {
      const lines = yield* outside(() => kore.log(kore.LOG_INFO, "a\0b\nc"))
      assert.strictEqual(lines.length, 1)
      assert.match(lines[0]!, /UTC proc=\[parent\] log=\[a\\x00b\\nc\]\n$/)
    }))

  it.effect("follows the options of the log from the moment they are assigned", () =>
    Effect.gen(function*() {
      const lines = yield* outside(() => {
        kore.log(kore.LOG_INFO, "before")
        kore.config.log_format = "json"
        kore.log(kore.LOG_INFO, "after")
        kore.config.log_level = "Error"
        kore.log(kore.LOG_INFO, "not at all")
      })
      assert.strictEqual(lines.length, 2)
      assert.match(lines[0]!, /log=\[before\]/)
      assert.include(JSON.parse(lines[1]!), { process: "parent", message: "after", priority: 6 })
    }))

  it("refuses what is no int, and what is no text", () => {
    for (const priority of ["6", 1.5, NaN, 2 ** 31, true, null, 6n, undefined]) {
      assert.throws(() => kore.log(priority as never, "x"), kore.RuntimeError, "kore.log got the priority")
    }
    for (const text of [7, null, undefined, {}, Buffer.from("x")]) {
      assert.throws(() => kore.log(kore.LOG_INFO, text as never), kore.RuntimeError, "expected a string")
    }
  })
})
