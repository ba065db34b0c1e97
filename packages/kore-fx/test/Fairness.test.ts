/**
 * Who runs when, seen from outside: requests on their whole way through transport, router and handler, beside tasks,
 * locks and timers. The scheduler's own promises are in core.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { Domain, Kore, Lock, Queue, Response, Route, Server, Suspend, Task, Timer } from "kore-fx"

const servers = { main: Server.tcp({ host: "127.0.0.1", port: 0, tls: false }) }

/** An app with one route, and whatever else its worker does. */
const start = <E>(
  route: Route.Route<never, never>,
  beside: Layer.Layer<never, E, Kore.Provided> = Layer.empty
) =>
  Effect.provide(
    Kore.test(Kore.app({ servers, worker: Layer.merge(Domain.layer("*", { attach: "main" }, [route]), beside) }))
  )

const get = (url: string): Effect.Effect<string, unknown, HttpClient.HttpClient> =>
  Effect.flatMap(HttpClient.get(url), (response) => response.text)

const getAll = (names: ReadonlyArray<string>) =>
  Effect.forEach(names, (name) => Effect.forkChild(get(`/${name}`), { startImmediately: true }))

/** One turn of the event loop, without going through any scheduler. */
const turn = Effect.callback<void>((resume) => void setImmediate(() => resume(Effect.void)))

const until = (condition: () => boolean): Effect.Effect<void> =>
  Effect.suspend(() => condition() ? Effect.void : Effect.andThen(turn, until(condition)))

const numbered = (count: number): ReadonlyArray<string> => Array.from({ length: count }, (_, i) => String(i + 1))

describe("a worker", () => {
  it.live("kore §1.6: eight handlers that pass one lock along are answered although the next timer is an hour away", () => {
    const names = numbered(8)
    const asked: Array<string> = []
    const passed: Array<string> = []
    const lock = Lock.makeUnsafe()
    const gate = Queue.makeUnsafe<string>()
    const holder = Lock.withLock(lock, Effect.andThen(Effect.sync(() => asked.push("the holder")), Queue.pop(gate)))
    const beside = Layer.effectDiscard(
      Effect.andThen(Timer.make(Effect.void, "1 hour"), Task.create(holder))
    )
    const pass = Route.get("/:name", { path: { name: Schema.String } }, function*({ path }) {
      asked.push(path.name)
      yield* Lock.withLock(lock, Effect.sync(() => passed.push(path.name)))
      return Response.text(path.name)
    })
    return Effect.gen(function*() {
      yield* until(() => asked.length === 1)
      const answers = yield* getAll(names)
      yield* until(() => asked.length === 1 + names.length)
      assert.deepStrictEqual(passed, [])
      yield* Queue.push(gate, "open")
      // From now on nothing comes in: what goes on does so by itself.
      yield* turn
      assert.deepStrictEqual(passed, names)
      assert.deepStrictEqual(yield* Effect.forEach(answers, Fiber.join), names)
    }).pipe(start(pass, beside))
  })

  it.live("kore §1.6: two tasks that wake each other for ever do not keep a request waiting", () => {
    // For ever, unless nobody else gets a turn: a test that hung would say nothing.
    const enough = 1_000_000
    let wakes = 0
    const there = Queue.makeUnsafe<void>()
    const back = Queue.makeUnsafe<void>()
    const bounce = (from: Queue.Queue<void>, to: Queue.Queue<void>) =>
      Effect.whileLoop({
        while: () => wakes < enough,
        body: () => Effect.andThen(Queue.pop(from), Queue.push(to, undefined)),
        step: () => void wakes++
      })
    const beside = Layer.effectDiscard(Effect.all([
      Task.create(bounce(there, back)),
      Task.create(bounce(back, there)),
      Queue.push(there, undefined)
    ]))
    const waiting = Route.get("/", function*() {
      yield* Suspend.suspend(0)
      return Response.text("answered")
    })
    return Effect.gen(function*() {
      yield* until(() => wakes > 0)
      assert.strictEqual(yield* get("/"), "answered")
      assert.isBelow(wakes, enough)
      const before = wakes
      yield* until(() => wakes > before)
    }).pipe(start(waiting, beside))
  })

  it.live("kore §1.6: requests begin in the order in which they came", () => {
    const names = numbered(100)
    const begun: Array<string> = []
    const gate = Queue.makeUnsafe<string>()
    const begin = Route.get("/:name", { path: { name: Schema.String } }, function*({ path }) {
      begun.push(path.name)
      yield* Queue.pop(gate)
      return Response.text(path.name)
    })
    return Effect.gen(function*() {
      const answers = yield* getAll(names)
      // All of them have begun before the first one is answered.
      yield* until(() => begun.length === names.length)
      assert.deepStrictEqual(begun, names)
      yield* Effect.forEach(names, (name) => Queue.push(gate, name))
      assert.deepStrictEqual(yield* Effect.forEach(answers, Fiber.join), names)
    }).pipe(start(begin))
  })
})
