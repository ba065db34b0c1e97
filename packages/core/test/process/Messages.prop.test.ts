import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Mailbox from "../../src/process/Mailbox.ts"
import type * as Protocol from "../../src/process/Protocol.ts"
import * as Relay from "../../src/process/Relay.ts"

const workers = 3
const Worker = Schema.Literals([1, 2, 3])

const Action = Schema.Union([
  Schema.TaggedStruct("Send", { from: Worker, to: Schema.Literals(["all", "others", 1, 2, 3]) }),
  /** The oldest message on the way to or from the parent arrives. */
  Schema.TaggedStruct("Arrive", { worker: Worker, at: Schema.Literals(["worker", "parent"]) }),
  /** The worker's app is built. */
  Schema.TaggedStruct("Open", { worker: Worker }),
  /** The worker dies, and another one is started. */
  Schema.TaggedStruct("Restart", { worker: Worker })
])

type Up = Parameters<Relay.Relay["heard"]>[1]

interface Sent {
  readonly life: Life
  readonly n: number
  readonly to: "all" | "others" | number
}

/** One worker process from its start to its end. */
interface Life {
  readonly worker: number
  readonly mailbox: Mailbox.Mailbox
  readonly up: Array<Up>
  readonly down: Array<Protocol.ToWorker>
  readonly got: Array<string>
  readonly end: Effect.Effect<void>
  sent: number
  settled: number
}

/** Parent and workers, with messages that arrive when the test says so. */
const make = Effect.gen(function*() {
  const relay = yield* Relay.make(workers)
  const lives: Array<Life> = []
  const current = new Map<number, Life>()
  const sent: Array<Sent> = []

  const begin = Effect.fnUntraced(function*(worker: number) {
    const [up, down]: [Array<Up>, Array<Protocol.ToWorker>] = [[], []]
    const post = <A>(link: Array<A>) => (message: A) =>
      Effect.sync(() => {
        link.push(message)
        return Effect.succeed(true)
      })
    const mailbox = Mailbox.make(workers, { post: post(up) })
    const scope = yield* Scope.make()
    yield* Scope.provide(relay.attach(worker, { post: post(down) }), scope)
    const life: Life = {
      worker,
      mailbox,
      up,
      down,
      got: [],
      end: Scope.close(scope, Exit.void),
      sent: 0,
      settled: 0
    }
    const take = yield* Scope.provide(mailbox.messages.subscribe("n"), scope)
    yield* Effect.forever(Effect.flatMap(take, ({ body }) => Effect.sync(() => life.got.push(body)))).pipe(
      Effect.forkIn(scope, { startImmediately: true })
    )
    lives.push(life)
    current.set(worker, life)
  })

  const arrive = Effect.fnUntraced(function*(life: Life, at: "worker" | "parent") {
    if (at === "parent") {
      const message = life.up.shift()
      if (message !== undefined) yield* relay.heard(life.worker, message)
      return message !== undefined
    }
    const message = life.down.shift()
    if (message?._tag === "Deliver") yield* life.mailbox.deliver(message)
    if (message?._tag === "Settled") {
      life.settled++
      yield* life.mailbox.settled(message)
    }
    return message !== undefined
  })

  const act = Effect.fnUntraced(function*(action: typeof Action.Type) {
    if (action._tag === "Send") {
      const life = current.get(action.from)!
      const { to } = action
      const n = ++life.sent
      sent.push({ life, n, to })
      yield* life.mailbox.messages.send({
        name: "n",
        body: `${lives.indexOf(life)} ${n}`,
        worker: typeof to === "number" ? to : undefined,
        echo: to === "all"
      })
    } else if (action._tag === "Arrive") yield* arrive(current.get(action.worker)!, action.at)
    else if (action._tag === "Open") yield* current.get(action.worker)!.mailbox.open
    else {
      const life = current.get(action.worker)!
      // What a process wrote before its end is read; what it has not read is gone.
      while (yield* arrive(life, "parent"));
      yield* life.end
      yield* begin(action.worker)
    }
  })

  const settle = Effect.gen(function*() {
    for (let isMoving = true; isMoving;) {
      isMoving = false
      yield* Effect.forEach([1, 2, 3, 4], () => Effect.yieldNow)
      for (const life of current.values()) {
        for (const at of ["worker", "parent"] as const) if (yield* arrive(life, at)) isMoving = true
      }
    }
  })

  for (let worker = 1; worker <= workers; worker++) yield* begin(worker)
  return { act, current, lives, sent, settle }
})

const isFor = ({ life, to }: Sent, worker: number): boolean =>
  to === "all" || to === worker || (to === "others" && life.worker !== worker)

describe("messages between workers that die at any time", () => {
  it.effect.prop(
    "arrive in the order of their sender and once, all of them in workers that did not die, and none stays under way",
    { actions: Schema.Array(Action).check(Schema.isMinLength(20), Schema.isMaxLength(60)) },
    ({ actions }) =>
      Effect.gen(function*() {
        const { act, current, lives, sent, settle } = yield* make
        for (const action of actions) yield* act(action)
        for (const { mailbox } of current.values()) yield* mailbox.open
        yield* settle
        const died = new Set<number>(actions.flatMap((action) => action._tag === "Restart" ? [action.worker] : []))
        for (const receiver of lives) {
          for (const [index, sender] of lives.entries()) {
            const expected: ReadonlyArray<number> = sent
              .filter((one) => one.life === sender && isFor(one, receiver.worker)).map(({ n }) => n)
            const got: ReadonlyArray<number> = receiver.got.map((body) => body.split(" ").map(Number)).filter((
              [from]
            ) => from === index)
              .map(([, n]) => n!)
            if (!died.has(receiver.worker)) assert.deepStrictEqual(got, expected)
            // In order, and each once at most.
            assert.deepStrictEqual(got, expected.filter((n) => got.includes(n)))
          }
        }
        for (const life of current.values()) assert.strictEqual(life.settled, life.sent)
      }),
    { arbitrary: { runs: 1000 } }
  )
})
