import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import * as Logger from "effect/Logger"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import * as Protocol from "../../src/process/Protocol.ts"
import * as Relay from "../../src/process/Relay.ts"
import * as Scheduler from "../../src/Scheduler.ts"
import { budgets, withBudget } from "../Interleaving.ts"

/** A worker process that only remembers what it is told; the system has what it is told when `written` is over. */
const attach = Effect.fnUntraced(function*(
  relay: Relay.Relay,
  worker: number,
  written: Effect.Effect<boolean> = Effect.succeed(true)
) {
  const told: Array<Protocol.ToWorker> = []
  const scope = yield* Scope.make()
  const process: Relay.Receiver = {
    post: (message) =>
      Effect.map(Effect.suspend(() => Effect.succeed(message)), (message) => {
        told.push(message)
        return written
      })
  }
  yield* Scope.provide(relay.attach(worker, process), scope)
  return { told, end: Scope.close(scope, Exit.void) }
})

const send = (id: number, to: { readonly worker?: number; readonly echo?: boolean } = {}, body = "") => ({
  _tag: "Send" as const,
  id,
  echo: true,
  name: "n",
  body,
  ...to
})
const deliver = (id: number, from: number) => ({ _tag: "Deliver" as const, id, from, name: "n", body: "" })
const taken = (id: number) => ({ _tag: "Taken" as const, id })
const settled = (id: number) => ({ _tag: "Settled" as const, id })

const logged = () => {
  const lines: Array<string> = []
  return { lines, layer: Logger.layer([Logger.make(({ message }) => lines.push(String(message)))]) }
}

describe("a relay", () => {
  it.effect("delivers to those it is for, and tells the sender when all have begun", () =>
    Effect.gen(function*() {
      const relay = yield* Relay.make(3)
      const [one, two, three] = [yield* attach(relay, 1), yield* attach(relay, 2), yield* attach(relay, 3)]
      yield* relay.heard(1, send(7, { echo: false }))
      yield* relay.heard(1, send(8, { worker: 2 }))
      assert.deepStrictEqual(two.told, [deliver(1, 1), deliver(2, 1)])
      assert.deepStrictEqual(three.told, [deliver(1, 1)])
      yield* relay.heard(2, taken(2))
      yield* relay.heard(2, taken(1))
      yield* relay.heard(2, taken(1))
      assert.deepStrictEqual(one.told, [settled(8)])
      yield* relay.heard(3, taken(1))
      assert.deepStrictEqual(one.told, [settled(8), settled(7)])
    }))

  it.effect("lets nobody wait for a worker that has no process, and counts what is lost", () => {
    const { layer, lines } = logged()
    return Effect.gen(function*() {
      const relay = yield* Relay.make(2)
      const one = yield* attach(relay, 1)
      const two = yield* attach(relay, 2)
      yield* relay.heard(1, send(1, { worker: 2 }))
      yield* two.end
      yield* relay.heard(1, send(2, { worker: 2 }))
      assert.deepStrictEqual(one.told, [settled(1), settled(2)])
      assert.deepStrictEqual(lines, [])
      yield* attach(relay, 2)
      assert.deepStrictEqual(lines, ["2 messages for worker 2 were lost: the worker did not run"])
    }).pipe(Effect.provide(layer))
  })

  it.effect("says at its end what was lost and has not been said", () => {
    const { layer, lines } = logged()
    return Effect.gen(function*() {
      const scope = yield* Scope.make()
      const relay = yield* Scope.provide(Relay.make(2), scope)
      yield* attach(relay, 1)
      yield* relay.heard(1, send(1, { echo: false }))
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual(lines, ["a message for worker 2 was lost: the worker did not run"])
    }).pipe(Effect.provide(layer))
  })

  it.effect("says once a second for each worker how much it dropped or lost, and forgets nothing", () => {
    const { layer, lines } = logged()
    const { messages } = Protocol.window
    const flood = (relay: Relay.Relay, worker: number, count: number) =>
      Effect.forEach(Array.from({ length: count }), () => relay.heard(worker, send(1, { worker: 3 })))
    return Effect.gen(function*() {
      const scope = yield* Scope.make()
      const relay = yield* Scope.provide(Relay.make(3), scope)
      yield* attach(relay, 1)
      yield* attach(relay, 2)
      const three = yield* attach(relay, 3)
      yield* flood(relay, 1, messages + 5)
      yield* flood(relay, 2, messages + 3)
      assert.deepStrictEqual(lines.splice(0), [
        "dropped from worker 1 a message beyond its window: n",
        "dropped from worker 2 a message beyond its window: n"
      ])
      yield* TestClock.adjust("999 millis")
      yield* flood(relay, 1, 1)
      assert.deepStrictEqual(lines, [])
      yield* TestClock.adjust("1 millis")
      assert.deepStrictEqual(lines.splice(0), [
        "dropped from worker 1 5 messages beyond its window, the last: n",
        "dropped from worker 2 2 messages beyond its window, the last: n"
      ])
      yield* flood(relay, 1, 7)
      yield* three.end
      const again = yield* attach(relay, 3)
      assert.deepStrictEqual(lines.splice(0), [
        `${2 * messages} messages for worker 3 were lost: the worker did not run`
      ])
      // It dies again at once.
      yield* relay.heard(2, send(1, { worker: 3 }))
      yield* again.end
      yield* relay.heard(2, send(2, { worker: 3 }))
      yield* attach(relay, 3)
      assert.deepStrictEqual(lines, [])
      yield* Scope.close(scope, Exit.void)
      assert.sameMembers(lines, [
        "2 messages for worker 3 were lost: the worker did not run",
        "dropped from worker 1 7 messages beyond its window, the last: n"
      ])
    }).pipe(Effect.provide(layer))
  })

  it.effect("does not take a new process for the one that sent", () =>
    Effect.gen(function*() {
      const relay = yield* Relay.make(2)
      const old = yield* attach(relay, 1)
      yield* attach(relay, 2)
      yield* relay.heard(1, send(1, { worker: 2 }))
      yield* old.end
      const young = yield* attach(relay, 1)
      yield* relay.heard(2, taken(1))
      assert.deepStrictEqual(young.told, [])
    }))

  it.effect("takes no more from a sender than the window, whatever the sender thinks of it", () => {
    const { layer, lines } = logged()
    return Effect.gen(function*() {
      const relay = yield* Relay.make(2)
      yield* attach(relay, 1)
      const two = yield* attach(relay, 2)
      for (let id = 1; id <= Protocol.window.messages + 1; id++) yield* relay.heard(1, send(id, { worker: 2 }))
      assert.lengthOf(two.told, Protocol.window.messages)
      assert.deepStrictEqual(lines, ["dropped from worker 1 a message beyond its window: n"])
      yield* relay.heard(2, taken(1))
      yield* TestClock.adjust("1 second")
      yield* relay.heard(1, send(2_000, { worker: 2 }, "x".repeat(Protocol.window.size)))
      assert.lengthOf(lines, 2)
      yield* relay.heard(1, send(2_001, { worker: 2 }))
      assert.lengthOf(two.told, Protocol.window.messages + 1)
    }).pipe(Effect.provide(layer))
  })

  it.effect("keeps no more answers for a sender that does not read than the window, and gives them when it reads", () => {
    const { layer, lines } = logged()
    const { messages } = Protocol.window
    return Effect.gen(function*() {
      const relay = yield* Relay.make(1)
      const reads = yield* Latch.make()
      const one = yield* attach(relay, 1, Effect.as(reads.await, true))
      // To nobody: each is settled at once.
      for (let id = 1; id <= 5 * messages; id++) yield* relay.heard(1, send(id, { worker: 99 }))
      assert.deepStrictEqual(one.told, [settled(1)])
      assert.deepStrictEqual(lines, ["dropped from worker 1 a message beyond its window: n"])
      yield* TestClock.adjust("1 second")
      assert.strictEqual(lines[1], `dropped from worker 1 ${4 * messages - 2} messages beyond its window, the last: n`)
      yield* reads.open
      while (one.told.length <= messages) yield* Scheduler.turn
      assert.deepStrictEqual(one.told, Array.from({ length: messages + 1 }, (_, index) => settled(index + 1)))
    }).pipe(Effect.provide(layer))
  })

  it.effect("takes what an honest sender sends when it has an answer, also before the system says that it has it", () => {
    const { layer, lines } = logged()
    return Effect.gen(function*() {
      const relay = yield* Relay.make(2)
      const one = yield* attach(relay, 1, Effect.never)
      const two = yield* attach(relay, 2)
      const { messages } = Protocol.window
      for (let id = 1; id <= messages; id++) yield* relay.heard(1, send(id, { worker: 2 }))
      yield* relay.heard(2, taken(1))
      assert.deepStrictEqual(one.told, [settled(1)])
      yield* relay.heard(1, send(messages + 1, { worker: 2 }))
      assert.lengthOf(two.told, messages + 1)
      assert.deepStrictEqual(lines, [])
    }).pipe(Effect.provide(layer))
  })

  it.effect("interrupted at any step while it hears what a worker has begun with tells the sender all the same", () =>
    Effect.gen(function*() {
      for (const budget of budgets) {
        const relay = yield* Relay.make(2)
        const one = yield* attach(relay, 1)
        yield* attach(relay, 2)
        yield* relay.heard(1, send(1, { worker: 2 }))
        const hearing = Effect.suspend(() => relay.heard(2, taken(1)))
        yield* Fiber.interrupt(yield* Effect.forkChild(withBudget(budget)(hearing), { startImmediately: true }))
        yield* relay.heard(2, taken(1))
        while (one.told.length === 0) yield* Scheduler.turn
        assert.deepStrictEqual(one.told, [settled(1)], `budget ${budget}`)
      }
    }))

  it.effect("for a worker that does not exist, which a broken worker may ask for, goes on", () =>
    Effect.gen(function*() {
      const relay = yield* Relay.make(1)
      const one = yield* attach(relay, 1)
      yield* relay.heard(1, send(1, { worker: 2 }))
      yield* relay.heard(2, send(1))
      yield* relay.heard(2, taken(1))
      assert.deepStrictEqual(one.told, [settled(1)])
    }))
})
