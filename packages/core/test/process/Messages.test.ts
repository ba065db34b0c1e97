import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestApp from "../fixtures/TestApp.ts"

const startDirect = Effect.fnUntraced(function*(workers = 2) {
  const direct = yield* TestApp.directory
  const app = yield* TestApp.start({ config: { workers }, direct })
  return { app, direct, ...yield* TestApp.ready(app) }
})

const numbers = (heard: ReadonlyArray<string>, from: number) =>
  heard.filter((line) => line.startsWith(`${from} `)).map((line) => Number(line.split(" ")[1]))

describe("a message", () => {
  it.live("to all reaches every worker once, the sender too unless it does not want to (kore §15.3)", () =>
    Effect.gen(function*() {
      const { direct } = yield* startDirect(3)
      assert.strictEqual(yield* TestApp.send(direct, 2, { text: "all" }), "sent")
      assert.strictEqual(yield* TestApp.send(direct, 2, { text: "others", options: { echo: false } }), "sent")
      // Sent last, so what was to come has come before it.
      assert.strictEqual(yield* TestApp.send(direct, 2, { text: "end" }), "sent")
      for (const worker of [1, 2, 3]) {
        const heard = yield* TestApp.heard(direct, worker, worker === 2 ? 2 : 3)
        assert.deepStrictEqual(heard, ["2 0 all", ...worker === 2 ? [] : ["2 0 others"], "2 0 end"])
      }
    }))

  it.live("to one reaches that one alone, the sender too", () =>
    Effect.gen(function*() {
      const { direct } = yield* startDirect()
      yield* TestApp.send(direct, 1, { text: "you", options: { worker: 2 } })
      yield* TestApp.send(direct, 1, { text: "me", options: { worker: 1 } })
      yield* TestApp.send(direct, 1, { text: "end" })
      assert.deepStrictEqual(yield* TestApp.heard(direct, 1, 2), ["1 0 me", "1 0 end"])
      assert.deepStrictEqual(yield* TestApp.heard(direct, 2, 2), ["1 0 you", "1 0 end"])
    }))

  it.live("to a worker that does not exist is an error that says which do (kore §15.3: off by two)", () =>
    Effect.gen(function*() {
      const { direct } = yield* startDirect()
      for (const worker of [0, 3, 4, -1, 1.5]) {
        const answer = yield* TestApp.send(direct, 1, { text: "?", options: { worker } })
        assert.include(answer, `is for worker ${worker}, which does not exist: there are workers 1 to 2.`)
      }
    }))

  it.live("of 5 MB arrives", () =>
    Effect.gen(function*() {
      const { direct } = yield* startDirect()
      yield* TestApp.ask(TestApp.socketOf(direct, 1), "flood 5000000")
      for (const worker of [1, 2]) assert.deepStrictEqual(yield* TestApp.heard(direct, worker, 1), ["1 0 5000000"])
    }))

  it.live("that is too long is an error of the sender, and nobody dies", () =>
    Effect.gen(function*() {
      const { app, direct } = yield* startDirect()
      const answer = yield* TestApp.send(direct, 1, { text: "\"", repeat: 6 * 1024 * 1024 })
      assert.include(answer, "bytes, and one may have 16776192. Nothing was sent.")
      yield* TestApp.send(direct, 1, { text: "end" })
      assert.deepStrictEqual(yield* TestApp.heard(direct, 2, 1), ["1 0 end"])
      assert.notMatch(app.output(), /ended|warn: dropped/)
    }))
})

describe("messages", () => {
  it.live("of several senders arrive in the order of each, all of them", () =>
    Effect.gen(function*() {
      const { direct } = yield* startDirect(3)
      // More than a window holds.
      const times = 3_000
      const sent = yield* Effect.forEach([1, 2, 3], (worker) => TestApp.send(direct, worker, { text: "n", times }), {
        concurrency: "unbounded"
      })
      assert.deepStrictEqual(sent, ["sent", "sent", "sent"])
      const expected = Array.from({ length: times }, (_, n) => n)
      for (const worker of [1, 2, 3]) {
        const heard = yield* TestApp.heard(direct, worker, 3 * times)
        assert.lengthOf(heard, 3 * times)
        for (const from of [1, 2, 3]) assert.deepStrictEqual(numbers(heard, from), expected)
      }
    }))

  it.live("for a worker that stands still make the sender wait, and its death lets it go on; what is lost is said", () =>
    Effect.gen(function*() {
      const { app, direct, pids: [, second] } = yield* startDirect()
      yield* app.kill("SIGSTOP", second)
      const sending = yield* Effect.forkChild(
        TestApp.send(direct, 1, { text: "n", times: 3_000, options: { worker: 2 } }),
        { startImmediately: true }
      )
      // Others are served meanwhile.
      yield* TestApp.ask(TestApp.socketOf(direct, 1), "pid")
      assert.isUndefined(sending.pollUnsafe())
      yield* app.kill("SIGKILL", second)
      assert.strictEqual(yield* Fiber.join(sending), "sent")
      const [, count] = yield* app.expect(/warn: (\d+) messages for worker 2 were lost: the worker did not run/)
      yield* app.expect(/worker 2 ready again/)
      const heard = yield* TestApp.heard(direct, 2, 3_000 - Number(count))
      assert.deepStrictEqual(numbers(heard, 1), Array.from({ length: heard.length }, (_, n) => n + Number(count)))
    }))
})
