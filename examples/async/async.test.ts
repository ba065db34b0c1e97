import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import { Kore } from "kore-fx"
import * as ChildProcess from "node:child_process"
import * as RunningApp from "../../tools/RunningApp.ts"
import { app as tested } from "./main.ts"

const get = (url: string) =>
  Effect.gen(function*() {
    const response = yield* HttpClient.get(url)
    return `${response.status} ${yield* response.text}`
  }).pipe(Effect.provide(FetchHttpClient.layer))

// Real processes need real time; whatever is waited for is waited for by condition, never by a delay.
const until = (condition: Effect.Effect<boolean>): Effect.Effect<void> =>
  Effect.flatMap(condition, (holds) =>
    holds ? Effect.void : Effect.andThen(Effect.sleep("10 millis"), until(condition)))

/** Whether nothing runs of the group that a process leads; a zombie does not. */
const isGone = (pid: number) =>
  Effect.sync(() => {
    const { stdout } = ChildProcess.spawnSync("ps", ["-eo", "pgid=,stat="], { encoding: "utf8" })
    return !new RegExp(`^ *${pid} +[^Z]`, "m").test(stdout)
  })

const child = (app: RunningApp.RunningApp) => Effect.map(app.logged(/child (\d+) runs/), ([, pid]) => Number(pid))

for (const style of ["main", "legacy"]) {
  describe(`${style}.ts`, () => {
    const start = (env: Readonly<Record<string, string>> = {}) =>
      RunningApp.start([new URL(`${style}.ts`, import.meta.url).pathname], { env })

    it.live("answers as its README says, and stops with status 0", () =>
      Effect.gen(function*() {
        const app = yield* start()
        assert.strictEqual(yield* get(`${app.url}/lock/10`), "200 was alone for 10 ms\n")
        assert.strictEqual(yield* get(`${app.url}/queue/hello`), "200 HELLO! (job 1)\n")
        assert.strictEqual(yield* get(`${app.url}/proc/0/60`), "200 sleeping for 0\nawake\nexit code 3\n")
        assert.strictEqual(yield* get(`${app.url}/socket/ada`), "200 hello ada\n")
        assert.strictEqual(yield* get(`${app.url}/gather`), "200 1\n4\nfailed: 3 is unlucky\n16\n")
        assert.strictEqual(
          yield* get(`${app.url}/kill`),
          "200 it runs\nkilled: true\nits finalizer ran\nkilled again: false\n"
        )
        yield* app.signal("SIGTERM")
        assert.deepStrictEqual(yield* app.ended, { code: 0, signal: null })
      }))

    it.live("lets one request at a time through the lock", () =>
      Effect.gen(function*() {
        const app = yield* start()
        yield* Effect.replicateEffect(get(`${app.url}/lock/20`), 5, { concurrency: "unbounded" })
        const seen = [...(yield* app.log).matchAll(/inside|outside/g)].map(([word]) => word)
        assert.deepStrictEqual(seen, Array.from({ length: 10 }, (_, n) => n % 2 === 0 ? "inside" : "outside"))
      }))

    it.live("a client that leaves gives the lock to the next one", () =>
      Effect.gen(function*() {
        const app = yield* start()
        const holder = yield* Effect.forkChild(get(`${app.url}/lock/3600000`))
        yield* app.logged(/inside for 3600000 ms/)
        const next = yield* Effect.forkChild(get(`${app.url}/lock/1`))
        // Sent after `next`, and answered: `next` waits in line.
        assert.strictEqual(yield* get(`${app.url}/queue/meanwhile`), "200 MEANWHILE! (job 1)\n")
        yield* Fiber.interrupt(holder)
        assert.strictEqual(yield* Fiber.join(next), "200 was alone for 1 ms\n")
        assert.notMatch(yield* app.log, /outside again[^]*inside for 1 ms/)
      }))

    it.live("gives every client of the queue the answer to its own question", () =>
      Effect.gen(function*() {
        const app = yield* start()
        const words = Array.from({ length: 50 }, (_, n) => `word${n}x`)
        const answers = yield* Effect.forEach(words, (word) => get(`${app.url}/queue/${word}`), {
          concurrency: "unbounded"
        })
        for (const [n, word] of words.entries()) assert.include(answers[n], `200 ${word.toUpperCase()}! `)
      }))

    it.live("answers 504 when the child takes too long, and the child is gone", () =>
      Effect.gen(function*() {
        const app = yield* start()
        const answer = yield* Effect.forkChild(get(`${app.url}/proc/3600/1`))
        const pid = yield* child(app)
        assert.isFalse(yield* isGone(pid))
        assert.strictEqual(yield* Fiber.join(answer), "504 it takes too long\n")
        yield* until(isGone(pid))
      }))

    it.live("a child ends with the client that asked for it", () =>
      Effect.gen(function*() {
        const app = yield* start()
        const client = yield* Effect.forkChild(get(`${app.url}/proc/3600/3600`))
        const pid = yield* child(app)
        yield* Fiber.interrupt(client)
        yield* until(isGone(pid))
      }))

    it.live("no child is left when the server has stopped", () =>
      Effect.gen(function*() {
        const app = yield* start({ KORE_SHUTDOWN_TIMEOUT: "0 seconds" })
        yield* Effect.forkChild(Effect.exit(get(`${app.url}/proc/3600/3600`)))
        const pid = yield* child(app)
        yield* app.signal("SIGTERM")
        assert.deepStrictEqual(yield* app.ended, { code: 0, signal: null })
        assert.isTrue(yield* isGone(pid))
      }))

    it.live("no child is left when the worker is killed, and a new worker answers", () =>
      Effect.gen(function*() {
        const app = yield* start()
        yield* Effect.forkChild(Effect.exit(get(`${app.url}/proc/3600/3600`)))
        const pid = yield* child(app)
        process.kill((yield* app.workers).get(1)!, "SIGKILL")
        yield* until(isGone(pid))
        yield* app.logged(/worker 1 ready again/)
        assert.strictEqual(yield* get(`${app.url}/socket/ada`), "200 hello ada\n")
      }))
  })
}

it.effect("the app is tested without processes", () =>
  Effect.gen(function*() {
    const response = yield* HttpClient.get("/kill")
    assert.strictEqual(yield* response.text, "it runs\nkilled: true\nits finalizer ran\nkilled again: false\n")
  }).pipe(Effect.provide(Kore.test(tested))))
