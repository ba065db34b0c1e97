import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as TestClock from "effect/testing/TestClock"
import { Kore } from "kore-fx"
import * as Load from "../../tools/Load.ts"
import * as RunningApp from "../../tools/RunningApp.ts"
import { app } from "./app.ts"

const file = new URL("main.ts", import.meta.url).pathname
const tour = RunningApp.start([file])

const text = (url: string) =>
  Effect.flatMap(HttpClient.get(url), (response) => response.text).pipe(Effect.provide(FetchHttpClient.layer))

// Real processes need real time; whatever is waited for is waited for by condition, never by a delay.
const until = (condition: () => boolean): Effect.Effect<void> =>
  Effect.suspend(() => condition() ? Effect.void : Effect.andThen(Effect.sleep("10 millis"), until(condition)))

describe("the tour with two workers", () => {
  it.live("both workers serve", () =>
    Effect.gen(function*() {
      const app = yield* tour
      const seen = yield* Load.start(app.port, 32)
      yield* until(() => seen.byBody.size === 2)
      assert.deepStrictEqual(
        [...seen.byBody.keys()].sort(),
        [...(yield* app.workers)].map(([id, pid]) => `worker ${id}, pid ${pid}\n`)
      )
    }))

  it.live("kill -9 of a worker under load loses only its own connections, and it is back", () =>
    Effect.gen(function*() {
      const app = yield* tour
      const clients = 32
      const seen = yield* Load.start(app.port, clients)
      yield* until(() => seen.byBody.size === 2 && seen.acquainted === clients)
      const before = (yield* app.workers).get(1)!
      process.kill(before, "SIGKILL")
      yield* app.logged(/worker 1 ready again/)
      const after = (yield* app.workers).get(1)!
      assert.notStrictEqual(after, before)
      // The new worker serves new connections.
      const newcomers = yield* Load.start(app.port, clients)
      yield* until(() => newcomers.byBody.has(`worker 1, pid ${after}\n`))
      // Requests were lost on its connections only, and every connection knew by then whose it was.
      assert.deepStrictEqual([...seen.lostAfter.keys()], [`worker 1, pid ${before}\n`])
      assert.strictEqual(seen.refused, 0)
    }))

  it.live("SIGTERM under load loses no request, and the server ends with status 0", () =>
    Effect.gen(function*() {
      const app = yield* tour
      const seen = yield* Load.start(app.port, 64)
      yield* until(() => seen.byBody.size === 2)
      yield* app.signal("SIGTERM")
      assert.deepStrictEqual(yield* app.ended, { code: 0, signal: null })
      assert.strictEqual(seen.lost, 0)
      // Every client learned from an answer that its connection would end.
      assert.isAtLeast(seen.closed, 1)
    }))

  it.live("kill -9 of the parent leaves no process", () =>
    Effect.gen(function*() {
      const app = yield* tour
      const workers = [...(yield* app.workers).values()]
      assert.strictEqual(workers.length, 2)
      yield* app.signal("SIGKILL")
      yield* until(() => !workers.some(RunningApp.isRunning))
    }))

  it.live("KORE_WORKERS in the environment overrides the app", () =>
    Effect.gen(function*() {
      const app = yield* RunningApp.start([file], { env: { KORE_WORKERS: "1" } })
      assert.strictEqual((yield* app.workers).size, 1)
      assert.match(yield* text(app.url), /^worker 1, pid \d+\n$/)
    }))
})

describe("the tour in the test's process", () => {
  it.effect("answers typed routes", () =>
    Effect.gen(function*() {
      const response = yield* HttpClient.get("/users/1")
      assert.deepStrictEqual(yield* response.json, { id: 1, name: "ada" })
    }).pipe(Effect.provide(Kore.test(app))))

  it.effect("a dish whose guest left is for the next one", () =>
    Effect.gen(function*() {
      const get = (url: string) => Effect.flatMap(HttpClient.get(url), (response) => response.text)
      const guest = yield* Effect.forkChild(get("/pickup"))
      yield* turns
      yield* Fiber.interrupt(guest)
      yield* turns
      const cook = yield* Effect.forkChild(get("/cook/soup"))
      yield* turns
      yield* TestClock.adjust("100 millis")
      assert.strictEqual(yield* Fiber.join(cook), "soup is ready\n")
      assert.strictEqual(yield* get("/pickup"), "soup\n")
    }).pipe(Effect.provide(Kore.test(app))))
})

// Lets what is on its way between client and server arrive: connections in memory move with the event loop.
const turns = Effect.repeat(Effect.callback<void>((resume) => void setImmediate(() => resume(Effect.void))), {
  times: 100
})
