import { assert, beforeEach, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { kore, reset } from "kore-fx/legacy"
import { inWorker, routes, run, Said, start, turn, until, untyped } from "./TestApp.ts"

beforeEach(reset)

describe("tracing", () => {
  it.effect("kore.coroname names the task in reports and in the lines of corotrace, and is an error outside of tasks", () =>
    Effect.gen(function*() {
      const { lines, reports } = yield* Said
      assert.throws(() => kore.coroname("outside"), kore.RuntimeError, "kore.coroname was called outside of a task")
      kore.corotrace(1)
      const id = kore.task_create(async () => {
        kore.coroname("mail to ada")
        await kore.suspend(0)
        throw new Error("no stamps")
      })
      yield* until(() => reports.length === 1)
      assert.deepStrictEqual([reports[0]!.origin.id, reports[0]!.origin.name], [id, "mail to ada"])
      assert.include(lines, `task ${id} (mail to ada) finished`)
      kore.corotrace(0)
    }).pipe(inWorker))

  it.effect("kore.coroname refuses what is no text", () =>
    run(async () => {
      for (const name of [7, null, undefined, {}]) {
        assert.throws(() => untyped.coroname(name), kore.RuntimeError, /kore.coroname got .+, expected a string/)
      }
    }).pipe(inWorker))

  it.effect("kore.corotrace logs created, running, suspended, woken, finished and killed, until it is switched off", () =>
    Effect.gen(function*() {
      const { lines } = yield* Said
      const steps = (id: number) =>
        lines.filter((line) => line.startsWith(`task ${id} `)).map((line) => /\) (\w+)/.exec(line)![1])
      kore.task_create(() => {})
      yield* turn
      assert.deepStrictEqual(lines, [])
      kore.corotrace(1)
      // Again, it changes nothing.
      kore.corotrace(255)
      const queue = kore.queue<void>()
      const finished = kore.task_create(() => queue.pop())
      const killed = kore.task_create(function*() {
        yield queue.pop()
      })
      yield* until(() => steps(killed).includes("suspended"))
      kore.task_kill(killed)
      queue.push()
      yield* until(() => steps(finished).includes("finished"))
      assert.deepStrictEqual(steps(finished), ["created", "running", "suspended", "woken", "finished"])
      assert.sameMembers(steps(killed), ["created", "running", "suspended", "woken", "killed"])
      kore.corotrace(0)
      kore.corotrace(0)
      const silent = lines.length
      kore.task_create(() => kore.suspend(0))
      yield* turn
      yield* TestClock.adjust("1 second")
      assert.strictEqual(lines.length, silent)
    }).pipe(inWorker))

  it.effect("kore.corotrace in configure is on from the start of the worker, and ends with it", () =>
    Effect.gen(function*() {
      yield* Effect.gen(function*() {
        const { lines } = yield* Said
        yield* until(() => lines.some((line) => line.endsWith("(early) finished")))
      }).pipe(Effect.provide(start({
        configure() {
          kore.corotrace(1)
          routes(() => {}).configure()
          kore.task_create(function early() {})
        }
      })))
      reset()
      yield* Effect.gen(function*() {
        const { lines } = yield* Said
        kore.task_create(() => {})
        yield* turn
        assert.deepStrictEqual(lines, [])
      }).pipe(inWorker)
    }))

  it("kore.corotrace refuses what is no level", () => {
    for (const level of [-1, 256, 1.5, NaN, "1", true, null, undefined]) {
      assert.throws(() => untyped.corotrace(level), kore.RuntimeError, "expected a whole number from 0 to 255")
    }
  })
})
