/**
 * The promise: a handler is interrupted when its client leaves, and only then. Complaints: honojs/node-server#107
 * (cancellation fires on success), srvx#152 (it never fires).
 *
 * A client leaves by RST or by closing its socket, which is FIN at first and RST for whatever is sent to it then;
 * `HalfClose` finds that out with timers of its own, so these tests take some real tenths of a second.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { HttpServerError, HttpServerResponse } from "../../src/internal/effectHttp.ts"
import { type Client, get, insidesOf, post, read, serve, type Served, text, turns, type Work } from "./harness.ts"

const piece = Buffer.alloc(10_000, "x")
const endless = Stream.fromEffectRepeat(Effect.succeed(piece))
const incomplete = post("/", "abc").replace("length: 3", "length: 30")

interface Point {
  readonly name: string
  /** What the handler waits for. */
  readonly work: Work
  readonly request: string
}

const points: ReadonlyArray<Point> = [
  { name: "a sleep", work: () => Effect.sleep("1 hour").pipe(Effect.as(text(""))), request: get("/") },
  { name: "a callback", work: () => Effect.callback<never>(() => Effect.void), request: get("/") },
  { name: "never", work: () => Effect.never, request: get("/") },
  {
    name: "a Deferred",
    work: () => Effect.flatMap(Deferred.make<never>(), Deferred.await),
    request: get("/")
  },
  {
    name: "a lock that another holds",
    work: () => Effect.flatMap(Semaphore.make(0), (lock) => lock.withPermits(1)(Effect.succeed(text("")))),
    request: get("/")
  },
  { name: "bytes of its body", work: (request) => Effect.map(request.bytes, () => text("")), request: incomplete },
  {
    name: "a piece of its body",
    work: (request) => Effect.as(Stream.runDrain(request.stream), text("")),
    request: incomplete
  },
  {
    name: "a child fiber",
    work: () => Effect.forEach([1, 2, 3], () => Effect.never, { concurrency: "unbounded" }).pipe(Effect.as(text(""))),
    request: get("/")
  },
  {
    name: "something after its body",
    work: (request) => Effect.andThen(request.bytes, Effect.never),
    request: post("/", "abc")
  }
]

const leavings: ReadonlyArray<readonly [name: string, leave: (client: Client) => void]> = [
  ["RST", (client) => client.reset()],
  ["close", (client) => client.leave()]
]

const everyWay = points.flatMap((point) => leavings.map(([name, leave]) => ({ ...point, leaving: name, leave })))

/** Adds a finalizer to a handler and counts how often it ran. */
const counted = (work: Work) => {
  const count = { finalized: 0 }
  const counting: Work = (request, connection) =>
    request.url === "/before"
      ? Effect.succeed(text("before"))
      : Effect.ensuring(work(request, connection), Effect.sync(() => void count.finalized++))
  return { count, counting }
}

/** Nothing is left: no fiber, no request, no connection. */
const nothingLeft = Effect.fnUntraced(function*({ connections, record }: Served) {
  while ((yield* connections) > 0) yield* turns(1)
  assert.strictEqual(record.fibers.size, 0, "fibers")
  assert.strictEqual(insidesOf(record).port.live, 0, "live requests")
  assert.deepStrictEqual(record.reported, [])
})

describe("a handler is interrupted when its client leaves while it waits for", () => {
  it.effect.each(everyWay)("$name ($leaving)", ({ leave, request, work }) =>
    Effect.gen(function*() {
      const { count, counting } = counted(work)
      const served = yield* serve(counting)
      const client = yield* served.connect
      client.send(request)
      yield* served.record.until(({ started }) => started.length === 1)
      yield* turns(5)
      leave(client)
      yield* served.record.until(({ ended }) => ended.length === 1)
      assert.match(served.record.outcomes[0]!, /interrupted$/)
      const { exit } = served.record.ended[0]!
      assert.isTrue(exit._tag === "Failure" && exit.cause.reasons.some((reason) =>
        reason.annotations.has(HttpServerError.ClientAbort.key)
      ), "annotated as the client's doing")
      yield* nothingLeft(served)
      assert.strictEqual(count.finalized, 1)
    }))

  it.effect.each(everyWay)("$name ($leaving), behind another request and before others",
    ({ leave, request, work }) =>
      Effect.gen(function*() {
        const { count, counting } = counted(work)
        const served = yield* serve(counting)
        const client = yield* served.connect
        client.send(get("/before"))
        yield* client.responses(1)
        const isComplete = request !== incomplete
        client.send(get("/before") + request + (isComplete ? get("/behind") + get("/behind") : ""))
        yield* served.record.until(({ started }) => started.length === 3)
        yield* turns(5)
        leave(client)
        yield* served.record.until(({ ended }) => ended.length === 3)
        assert.match(served.record.outcomes[2]!, /interrupted$/)
        yield* nothingLeft(served)
        assert.strictEqual(count.finalized, 1)
        assert.strictEqual(served.record.started.length, 3, "requests behind it do not start")
      }))
})

describe("a streamed response ends when its client leaves", () => {
  const streamed: ReadonlyArray<readonly [name: string, body: Stream.Stream<Uint8Array>, read: boolean]> = [
    ["while it waits for the client to read", endless, false],
    ["while it waits for its next piece", Stream.concat(Stream.make(piece), Stream.never), true],
    ["before its first piece", Stream.never, true]
  ]
  const cases = streamed.flatMap(([name, body, reading]) =>
    leavings.map(([leaving, leave]) => ({ name, body, reading, leaving, leave }))
  )

  it.effect.each(cases)("$name ($leaving)", ({ body, leave, reading }) =>
    Effect.gen(function*() {
      let finalized = 0
      let scoped = 0
      const served = yield* serve(() =>
        Effect.succeed(HttpServerResponse.stream(Stream.ensuring(body, Effect.sync(() => void finalized++)).pipe(
          Stream.concat(Stream.sync(() => {
            scoped++
            return piece
          }))
        )))
      )
      const client = yield* served.connect
      if (!reading) client.socket.pause()
      client.send(get("/"))
      yield* served.record.until(({ started }) => started.length === 1)
      yield* turns(50)
      assert.strictEqual(served.record.fibers.size, 1)
      leave(client)
      yield* served.record.until(({ fibers }) => fibers.size === 0)
      assert.strictEqual(finalized, 1)
      assert.strictEqual(scoped, 0)
      yield* nothingLeft(served)
    }))

  it.effect("of known length, on its next write", () =>
    Effect.gen(function*() {
      const served = yield* serve(() =>
        Effect.succeed(HttpServerResponse.stream(
          Stream.fromEffectRepeat(Effect.as(turns(5), Buffer.from("x"))),
          { contentLength: 1_000_000_000 }
        ))
      )
      const client = yield* served.connect
      client.send(get("/"))
      yield* client.until(({ received }) => received.endsWith("xx"))
      client.leave()
      yield* served.record.until(({ fibers }) => fibers.size === 0)
      yield* nothingLeft(served)
    }))
})

describe("finalizers", () => {
  it.effect("of an interrupted handler run to their end, however long they take", () =>
    Effect.gen(function*() {
      const steps: Array<string> = []
      const served = yield* serve(() =>
        Effect.onInterrupt(Effect.never, () =>
          Effect.sync(() => steps.push("begins")).pipe(
            Effect.andThen(Effect.sleep("1 minute")),
            Effect.andThen(Effect.sync(() => steps.push("ends")))
          ))
      )
      const client = yield* served.connect
      client.send(get("/"))
      yield* served.record.until(({ started }) => started.length === 1)
      client.reset()
      while (steps.length === 0) yield* turns(1)
      assert.strictEqual(insidesOf(served.record).port.live, 0, "the request is over, its cleaning up is not")
      yield* TestClock.adjust("1 minute")
      yield* served.record.until(({ fibers }) => fibers.size === 0)
      assert.deepStrictEqual(steps, ["begins", "ends"])
      yield* nothingLeft(served)
    }))

  it.effect("that run when the client leaves are not interrupted themselves", () =>
    Effect.gen(function*() {
      const steps: Array<string> = []
      const served = yield* serve(() =>
        Effect.ensuring(
          Effect.succeed(text("")),
          Effect.sleep("1 minute").pipe(Effect.andThen(Effect.sync(() => steps.push("closed"))))
        )
      )
      const client = yield* served.connect
      client.send(get("/"))
      yield* served.record.until(({ started }) => started.length === 1)
      client.reset()
      while ((yield* served.connections) > 0) yield* turns(1)
      assert.deepStrictEqual(steps, [])
      yield* TestClock.adjust("1 minute")
      yield* served.record.until(({ fibers }) => fibers.size === 0)
      assert.deepStrictEqual(steps, ["closed"])
    }))

  it.effect("an uninterruptible handler runs to its end, and its answer goes nowhere", () =>
    Effect.gen(function*() {
      const served = yield* serve(() => Effect.uninterruptible(Effect.as(Effect.sleep("1 minute"), text("late"))))
      const client = yield* served.connect
      client.send(get("/"))
      yield* served.record.until(({ started }) => started.length === 1)
      client.reset()
      while ((yield* served.connections) > 0) yield* turns(1)
      assert.strictEqual(served.record.fibers.size, 1)
      yield* TestClock.adjust("1 minute")
      yield* served.record.until(({ fibers }) => fibers.size === 0)
      yield* nothingLeft(served)
    }))
})

describe("nobody else is interrupted", () => {
  it.effect("a handler that has answered, though its client leaves at once", () =>
    Effect.gen(function*() {
      const served = yield* serve(() => Effect.as(turns(2), text("answer")))
      for (let i = 0; i < 50; i++) {
        const client = yield* served.connect
        client.send(get("/"))
        yield* client.responses(1)
        if (i % 2 === 0) client.reset()
        else client.leave()
      }
      yield* served.record.until(({ ended }) => ended.length === 50)
      assert.isTrue(served.record.outcomes.every((outcome) => outcome === "GET / answered"))
      yield* nothingLeft(served)
    }))

  it.effect("work that goes on after the answer in the same fiber", () =>
    Effect.gen(function*() {
      let done = false
      const served = yield* serve((request, connection) =>
        Effect.gen(function*() {
          yield* turns(2)
          connection.respond(request, text("answered"))
          yield* Effect.sleep("1 second")
          done = true
          return yield* Effect.interrupt
        })
      )
      const client = yield* served.connect
      client.send(get("/"))
      yield* client.responses(1)
      client.reset()
      while ((yield* served.connections) > 0) yield* turns(1)
      yield* TestClock.adjust("1 second")
      assert.isTrue(done)
    }))

  it.effect("a client that has shut its sending side and waits longer than any probe", () =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<void>()
      const served = yield* serve(() => Effect.as(Deferred.await(gate), text("worth waiting for")))
      const client = yield* served.connect
      client.send(get("/"))
      client.halfClose()
      yield* client.until(({ received }) => read(received).interim >= 3)
      assert.deepStrictEqual(served.record.outcomes, [])
      yield* Deferred.succeed(gate, undefined)
      yield* client.until(({ ended }) => ended)
      assert.deepStrictEqual(read(client.received).messages.map(({ body }) => body), ["worth waiting for"])
      assert.deepStrictEqual(served.record.outcomes, ["GET / answered"])
      yield* nothingLeft(served)
    }))

  it.effect("a half-closed client of a chunked response gets it unchanged", () =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<void>()
      const body = Stream.concat(
        Stream.make(Buffer.from("one")),
        Stream.unwrap(Effect.as(Deferred.await(gate), Stream.make(Buffer.from("two"))))
      )
      const served = yield* serve(() => Effect.succeed(HttpServerResponse.stream(body)))
      const client = yield* served.connect
      client.send(get("/"))
      client.halfClose()
      yield* client.until(({ received }) => received.endsWith("one\r\n00"))
      yield* Deferred.succeed(gate, undefined)
      yield* client.until(({ ended }) => ended)
      assert.deepStrictEqual(read(client.received).messages.map(({ body }) => body), ["onetwo"])
      yield* nothingLeft(served)
    }))

  it.effect("the other requests of the worker", () =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<void>()
      const served = yield* serve((request) => Effect.as(Deferred.await(gate), text(request.url)))
      const clients = yield* Effect.forEach(Array.from({ length: 10 }), () => served.connect)
      for (const [i, client] of clients.entries()) client.send(get(`/${i}`))
      yield* served.record.until(({ started }) => started.length === 10)
      for (const client of clients.slice(0, 5)) client.reset()
      yield* served.record.until(({ ended }) => ended.length === 5)
      yield* Deferred.succeed(gate, undefined)
      for (const client of clients.slice(5)) yield* client.responses(1)
      const outcomes = served.record.outcomes
      assert.strictEqual(outcomes.filter((outcome) => outcome.endsWith("interrupted")).length, 5)
      assert.strictEqual(outcomes.filter((outcome) => outcome.endsWith("answered")).length, 5)
    }))

  it.effect("an interruption that the handler makes itself is not the client's", () =>
    Effect.gen(function*() {
      const served = yield* serve(() => Effect.interrupt)
      const client = yield* served.connect
      client.send(get("/"))
      const [answer] = yield* client.responses(1)
      assert.strictEqual(answer!.status, 503)
      const { exit } = served.record.ended[0]!
      assert.isTrue(exit._tag === "Failure" && Cause.hasInterruptsOnly(exit.cause))
      assert.isFalse(exit._tag === "Failure" && exit.cause.reasons.some((reason) =>
        reason.annotations.has(HttpServerError.ClientAbort.key)
      ))
    }))
})
