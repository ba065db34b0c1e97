import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as Mailbox from "../../src/process/Mailbox.ts"
import * as Protocol from "../../src/process/Protocol.ts"
import { budgets, withBudget } from "../Interleaving.ts"

type Sent = (typeof Protocol.Send)["Type"] | (typeof Protocol.Taken)["Type"]

/** A mailbox whose channel only remembers. As in the real one, it takes steps to write the line. */
const make = () => {
  const sent: Array<Sent> = []
  const mailbox = Mailbox.make(2, {
    post: (message) =>
      Effect.map(Effect.suspend(() => Effect.succeed(message)), (message) => {
        sent.push(message)
        return Effect.succeed(true)
      })
  })
  return { mailbox, sent }
}

const outgoing = (n: number, body = String(n)) => ({ name: "n", body, worker: undefined, echo: true })
const delivery = (id: number, name = "n") => ({ _tag: "Deliver" as const, id, from: 2, name, body: String(id) })
const bodies = (sent: ReadonlyArray<Sent>) => sent.flatMap((message) => message._tag === "Send" ? [message.body] : [])
const taken = (sent: ReadonlyArray<Sent>) => sent.flatMap((message) => message._tag === "Taken" ? [message.id] : [])
const start = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.forkChild(effect, { startImmediately: true })

describe("sending", () => {
  it.effect("waits when the window is full of messages, in the order of asking, for one that is settled", () =>
    Effect.gen(function*() {
      const { mailbox, sent } = make()
      const { messages } = Protocol.window
      for (let n = 1; n <= messages; n++) yield* mailbox.messages.send(outgoing(n))
      const first = yield* start(mailbox.messages.send(outgoing(-1)))
      const second = yield* start(mailbox.messages.send(outgoing(-2)))
      assert.lengthOf(sent, messages)
      yield* mailbox.settled({ _tag: "Settled", id: 7 })
      yield* Fiber.join(first)
      assert.isUndefined(second.pollUnsafe())
      yield* mailbox.settled({ _tag: "Settled", id: 7 }) // once more counts once
      yield* mailbox.settled({ _tag: "Settled", id: 1_000_000 })
      assert.isUndefined(second.pollUnsafe())
      yield* mailbox.settled({ _tag: "Settled", id: 1 })
      yield* Fiber.join(second)
      assert.deepStrictEqual(bodies(sent).slice(-2), ["-1", "-2"])
    }))

  it.effect("waits when the window is full of bytes, and a message that fills it alone goes alone", () =>
    Effect.gen(function*() {
      const { mailbox, sent } = make()
      const half = "x".repeat(Protocol.window.size / 2)
      yield* mailbox.messages.send(outgoing(1, half))
      const whole = yield* start(mailbox.messages.send(outgoing(2, half + half)))
      assert.lengthOf(sent, 1)
      yield* mailbox.settled({ _tag: "Settled", id: 1 })
      yield* Fiber.join(whole)
      const last = yield* start(mailbox.messages.send(outgoing(3)))
      assert.lengthOf(sent, 2)
      yield* mailbox.settled({ _tag: "Settled", id: 2 })
      yield* Fiber.join(last)
    }))

  it.effect("interrupted while it waits sends nothing, and the next one takes its place", () =>
    Effect.gen(function*() {
      const { mailbox, sent } = make()
      for (let n = 1; n <= Protocol.window.messages; n++) yield* mailbox.messages.send(outgoing(n))
      const waiting = yield* Effect.forEach([-1, -2, -3], (n) => start(mailbox.messages.send(outgoing(n))))
      // The one that waits for room, and the one behind it.
      yield* Fiber.interrupt(waiting[1]!)
      yield* Fiber.interrupt(waiting[0]!)
      yield* mailbox.settled({ _tag: "Settled", id: 1 })
      yield* Fiber.join(waiting[2]!)
      assert.deepStrictEqual(bodies(sent).slice(Protocol.window.messages), ["-3"])
    }))

  it.effect("interrupted at any step has taken room and sent, or has not taken room", () =>
    Effect.gen(function*() {
      for (const budget of budgets) {
        const { mailbox, sent } = make()
        yield* Fiber.interrupt(yield* start(withBudget(budget)(mailbox.messages.send(outgoing(1)))))
        for (const message of sent) yield* mailbox.settled({ _tag: "Settled", id: message.id })
        const before = sent.length
        // There is room for it in an empty window alone.
        yield* start(mailbox.messages.send(outgoing(2, "x".repeat(Protocol.window.size))))
        assert.lengthOf(sent, before + 1, `budget ${budget}`)
      }
    }))
})

describe("receiving", () => {
  it.effect("keeps what comes before the app is built, and hands it out in order then", () =>
    Effect.gen(function*() {
      const { mailbox, sent } = make()
      yield* mailbox.deliver(delivery(1))
      const take = yield* mailbox.messages.subscribe("n")
      yield* mailbox.deliver(delivery(2))
      assert.deepStrictEqual(taken(sent), [])
      yield* mailbox.open
      yield* mailbox.deliver(delivery(3))
      const got = [yield* take, yield* take, yield* take]
      assert.deepStrictEqual(got, [1, 2, 3].map((id) => ({ from: 2, body: String(id) })))
      assert.deepStrictEqual(taken(sent), [1, 2, 3])
    }))

  it.effect("hands out in order, whatever comes while it does so", () =>
    Effect.gen(function*() {
      const { mailbox } = make()
      const take = yield* mailbox.messages.subscribe("n")
      for (let id = 1; id <= 20; id++) yield* mailbox.deliver(delivery(id))
      const opening = yield* start(withBudget(3)(mailbox.open))
      yield* mailbox.deliver(delivery(21))
      yield* Fiber.join(opening)
      yield* mailbox.deliver(delivery(22))
      const got = yield* Effect.forEach(Array.from({ length: 22 }), () => take)
      assert.deepStrictEqual(got.map(({ body }) => Number(body)), Array.from({ length: 22 }, (_, index) => index + 1))
    }))

  it.effect("interrupted at any step has said that it has begun when the subscription is over", () =>
    Effect.gen(function*() {
      for (const budget of budgets) {
        const { mailbox, sent } = make()
        yield* mailbox.open
        const scope = yield* Scope.make()
        const take = yield* Scope.provide(mailbox.messages.subscribe("n"), scope)
        yield* mailbox.deliver(delivery(1))
        yield* Fiber.interrupt(yield* start(withBudget(budget)(take)))
        yield* Scope.close(scope, Exit.void)
        assert.deepStrictEqual(taken(sent), [1], `budget ${budget}`)
      }
    }))

  it.effect("says that it has begun when every handler has", () =>
    Effect.gen(function*() {
      const { mailbox, sent } = make()
      yield* mailbox.open
      const [one, other] = [yield* mailbox.messages.subscribe("n"), yield* mailbox.messages.subscribe("n")]
      yield* mailbox.deliver(delivery(1))
      yield* one
      assert.deepStrictEqual(taken(sent), [])
      yield* other
      assert.deepStrictEqual(taken(sent), [1])
    }))

  it.effect("lets nobody wait for what no handler is there for, or is there for no more", () =>
    Effect.gen(function*() {
      const { mailbox, sent } = make()
      yield* mailbox.open
      yield* mailbox.deliver(delivery(1, "other"))
      assert.deepStrictEqual(taken(sent), [1])
      const scope = yield* Scope.make()
      const take = yield* Scope.provide(mailbox.messages.subscribe("n"), scope)
      for (const id of [2, 3, 4]) yield* mailbox.deliver(delivery(id))
      yield* take
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual(taken(sent), [1, 2, 3, 4])
      yield* mailbox.deliver(delivery(5))
      assert.deepStrictEqual(taken(sent), [1, 2, 3, 4, 5])
    }))
})
