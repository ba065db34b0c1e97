/** Deadlines fire on a quiet server (A15), and a drain loses nothing. The clock of the test drives them all. */
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as fs from "node:fs"
import * as Net from "node:net"
import * as os from "node:os"
import { HttpServerResponse } from "../../src/internal/effectHttp.ts"
import { BATCH, Deadlines, make, RESOLUTION } from "../../src/transport/Deadline.ts"
import * as Transport from "../../src/transport/Transport.ts"
import {
  Client,
  get,
  handlerOf,
  insidesOf,
  post,
  read,
  Record,
  serve,
  type Served,
  settings,
  text,
  turns,
  type Work
} from "./harness.ts"

const byPath: Work = (request) => Effect.succeed(text(request.url))

// A deadline fires at its time or up to two ticks later, never before.
const late = 2 * RESOLUTION

/** Moves the clock to just before a deadline, sees that nothing happens, then beyond it. */
const fires = Effect.fnUntraced(function*(client: Client, milliseconds: number) {
  const before = client.received
  yield* TestClock.adjust(milliseconds - 1)
  yield* turns(10)
  assert.isFalse(client.ended || client.closed, "too early")
  assert.strictEqual(client.received, before)
  yield* TestClock.adjust(late + 1)
  yield* client.until(({ closed, ended }) => ended || closed)
})

const refusal = (client: Client) => read(client.received).messages.at(-1)

describe("on a quiet server", () => {
  it.effect("a connection that sends nothing is closed without a word after httpHeaderTimeout", () =>
    Effect.gen(function*() {
      const { connect, sync } = yield* serve(byPath)
      const client = yield* connect
      yield* sync
      yield* fires(client, 10_000)
      assert.strictEqual(client.received, "")
    }))

  it.effect("a head that does not become complete is 408", () =>
    Effect.gen(function*() {
      const { connect, sync } = yield* serve(byPath)
      const client = yield* connect
      client.send("GET / HTTP/1.1\r\nhost: a\r\n")
      yield* sync
      yield* fires(client, 10_000)
      assert.strictEqual(refusal(client)!.status, 408)
      assert.strictEqual(refusal(client)!.headers["connection"], "close")
    }))

  it.effect("trickling bytes does not extend the time for a head", () =>
    Effect.gen(function*() {
      const { connect, sync } = yield* serve(byPath)
      const client = yield* connect
      client.send("GET / HTTP/1.1\r\n")
      yield* sync
      for (let i = 0; i < 9; i++) {
        client.send(`x-${i}: y\r\n`)
        yield* sync
        yield* TestClock.adjust("1 second")
      }
      assert.isFalse(client.ended)
      yield* TestClock.adjust("2 seconds")
      yield* client.until(({ ended }) => ended)
      assert.strictEqual(refusal(client)!.status, 408)
    }))

  it.effect("a refusal of HEAD that came too late has no body", () =>
    Effect.gen(function*() {
      const { connect, sync } = yield* serve(byPath)
      const client = yield* connect
      client.send("HEAD / HTTP/1.1\r\n")
      yield* sync
      yield* fires(client, 10_000)
      assert.strictEqual(read(client.received, ["HEAD"]).rest, "")
    }))

  it.effect("a body that does not become complete is 408 for the handler that waits for it", () =>
    Effect.gen(function*() {
      const { connect, record, sync } = yield* serve((request) => Effect.map(request.text, text))
      const client = yield* connect
      client.send(post("/", "abc").slice(0, -1))
      yield* record.until(({ started }) => started.length === 1)
      yield* sync
      yield* fires(client, 60_000)
      assert.strictEqual(refusal(client)!.status, 408)
      assert.strictEqual(refusal(client)!.headers["connection"], "close")
      assert.deepStrictEqual(record.reported, [])
      assert.strictEqual(record.fibers.size, 0)
    }))

  it.effect("a body that does not become complete while the handler does something else ends the connection after it", () =>
    Effect.gen(function*() {
      const { connect, record, sync } = yield* serve((request) =>
        Effect.as(Effect.sleep("2 minutes"), text(request.url))
      )
      const client = yield* connect
      client.send(post("/", "abc").slice(0, -1))
      yield* record.until(({ started }) => started.length === 1)
      yield* sync
      yield* TestClock.adjust("2 minutes")
      yield* client.until(({ ended }) => ended)
      assert.deepStrictEqual(
        read(client.received).messages.map(({ headers, status }) => [status, headers["connection"]]),
        [
          [200, "close"]
        ]
      )
    }))

  it.effect("a body that is thrown away has no more time than one that is read", () =>
    Effect.gen(function*() {
      const { connect } = yield* serve(byPath)
      const client = yield* connect
      client.send(post("/", "abc").slice(0, -1))
      yield* client.responses(1)
      yield* fires(client, 60_000)
    }))

  it.effect("a body that the application does not take is not the client's fault", () =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<void>()
      const { connect, record, sync } = yield* serve((request) =>
        Effect.andThen(Deferred.await(gate), Effect.map(request.bytes, ({ length }) => text(String(length)))), {
        bodyMax: 10_000_000
      })
      const client = yield* connect
      client.send(`POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5000000\r\n\r\n`)
      client.send(Buffer.alloc(4_999_999))
      yield* record.until(({ started }) =>
        started.length === 1
      )
      yield* sync
      yield* TestClock.adjust("10 minutes")
      assert.isFalse(client.ended || client.closed)
      yield* Deferred.succeed(gate, undefined)
      client.send("x")
      assert.strictEqual((yield* client.responses(1))[0]!.body, "5000000")
    }))

  it.effect("but once it takes it, the client's clock runs again", () =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<void>()
      const { connect, record, sync } = yield* serve((request) =>
        Effect.andThen(Deferred.await(gate), Effect.map(request.bytes, ({ length }) => text(String(length)))), {
        bodyMax: 10_000_000
      })
      const client = yield* connect
      client.send(`POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1000000\r\n\r\n`)
      client.send(Buffer.alloc(999_999))
      yield* record.until(({ started }) =>
        started.length === 1
      )
      yield* sync
      yield* TestClock.adjust("10 minutes")
      yield* Deferred.succeed(gate, undefined)
      const { body } = insidesOf(record)
      while (body!.size < 999_999) yield* turns(1)
      yield* TestClock.adjust("62 seconds")
      yield* client.until(({ ended }) => ended)
      assert.strictEqual(refusal(client)!.status, 408)
    }))

  it.effect("an idle connection is closed without a word after httpKeepaliveTime", () =>
    Effect.gen(function*() {
      const { connect, connections } = yield* serve(byPath)
      const client = yield* connect
      client.send(get("/"))
      yield* client.responses(1)
      yield* fires(client, 20_000)
      assert.strictEqual(read(client.received).messages.length, 1)
      assert.strictEqual(yield* connections, 1)
      yield* TestClock.adjust("4 seconds")
      while ((yield* connections) > 0) yield* turns(1)
    }))

  it.effect("no deadline runs while a handler works", () =>
    Effect.gen(function*() {
      const { connect, record } = yield* serve(() => Effect.as(Effect.sleep("1 hour"), text("at last")))
      const client = yield* connect
      client.send(get("/"))
      yield* record.until(({ started }) => started.length === 1)
      yield* TestClock.adjust("1 hour")
      assert.strictEqual((yield* client.responses(1))[0]!.body, "at last")
    }))

  it.effect("a client that does not read its response is cut off after httpWriteTimeout without progress", () =>
    Effect.gen(function*() {
      const endless = Stream.fromEffectRepeat(Effect.succeed(Buffer.alloc(100_000)))
      const served = yield* serve(() => Effect.succeed(HttpServerResponse.stream(endless)))
      const client = yield* served.connect
      client.socket.pause()
      client.send(get("/"))
      yield* served.record.until(({ started }) => started.length === 1)
      yield* turns(200)
      yield* TestClock.adjust("29 seconds")
      assert.strictEqual(served.record.fibers.size, 1)
      yield* TestClock.adjust("33 seconds")
      yield* served.record.until(({ fibers }) => fibers.size === 0)
      while ((yield* served.connections) > 0) yield* turns(1)
      assert.strictEqual(insidesOf(served.record).port.live, 0)
    }))

  it.effect("a client that reads slowly but does read keeps its connection", () =>
    Effect.gen(function*() {
      const served = yield* serve(() => Effect.succeed(HttpServerResponse.uint8Array(Buffer.alloc(30_000_000))))
      const client = yield* served.connect
      client.socket.pause()
      client.send(get("/"))
      yield* served.record.until(({ started }) => started.length === 1)
      for (let i = 0; i < 5; i++) {
        const target = client.received.length + 4_000_000
        client.socket.resume()
        yield* client.until(({ received }) => received.length >= target)
        client.socket.pause()
        yield* turns(20)
        yield* TestClock.adjust("25 seconds")
        assert.isFalse(client.closed)
      }
      client.socket.resume()
      yield* client.until(({ received }) => received.length > 30_000_000)
    }))

  it.effect("a last response that is not read is cut off too", () =>
    Effect.gen(function*() {
      const served = yield* serve(() => Effect.succeed(HttpServerResponse.uint8Array(Buffer.alloc(30_000_000))))
      const client = yield* served.connect
      client.socket.pause()
      client.send(get("/", "connection: close"))
      yield* served.record.until(({ started }) => started.length === 1)
      yield* turns(50)
      yield* TestClock.adjust("29 seconds")
      assert.strictEqual(yield* served.connections, 1)
      yield* TestClock.adjust("33 seconds")
      while ((yield* served.connections) > 0) yield* turns(1)
    }))

  it.effect("a client that does not close after the last response is waited for two seconds", () =>
    Effect.gen(function*() {
      const { connect, connections, sync } = yield* serve(byPath)
      const client = yield* connect
      client.send(get("/", "connection: close"))
      yield* client.until(({ ended }) => ended)
      yield* TestClock.adjust(1_999)
      yield* sync
      assert.isFalse(client.closed)
      yield* TestClock.adjust(late + 1)
      while ((yield* connections) > 0) yield* turns(1)
    }))

  it.effect("which has not ticked for a year, a deadline and the date are right", () =>
    Effect.gen(function*() {
      const { connect, sync } = yield* serve(byPath)
      yield* TestClock.adjust("365 days")
      const client = yield* connect
      yield* sync
      client.send(get("/"))
      const [answer] = yield* client.responses(1)
      assert.strictEqual(answer!.headers["date"], "Fri, 01 Jan 1971 00:00:00 GMT")
      yield* TestClock.adjust(1_000)
      client.send(get("/"))
      assert.strictEqual((yield* client.responses(2))[1]!.headers["date"], "Fri, 01 Jan 1971 00:00:01 GMT")
      client.send("GET / HTTP/1.1\r\n")
      yield* sync
      yield* fires(client, 10_000)
      assert.strictEqual(refusal(client)?.status, 408)
    }))

  it.effect("the clock of the deadlines ticks for the first of them, and while it is used", () =>
    Effect.gen(function*() {
      let ticks = 0
      const clock = yield* Clock.Clock
      const counting = new Proxy(clock, {
        get: (target, key) => {
          if (key !== "sleep") return Reflect.get(target, key)
          return (duration: Duration.Duration) => Effect.tap(clock.sleep(duration), () => Effect.sync(() => ticks++))
        }
      })
      const deadlines = yield* Effect.provideService(make, Clock.Clock, counting)
      yield* TestClock.adjust("1 day")
      assert.strictEqual(ticks, 0)
      let expired = 0
      const timed = { deadline: Number.POSITIVE_INFINITY, expire: () => void expired++ }
      deadlines.add(timed)
      timed.deadline = deadlines.after(86_400_000)
      yield* turns(1)
      yield* TestClock.adjust(86_400_000)
      assert.strictEqual(expired, 0)
      assert.isAtMost(ticks, 3)
      yield* TestClock.adjust(RESOLUTION)
      assert.strictEqual(expired, 1)
      timed.deadline = Number.POSITIVE_INFINITY
      ticks = 0
      for (let half = 0; half < 20; half++) {
        assert.include(deadlines.date, "Jan 1970")
        yield* turns(1)
        yield* TestClock.adjust(RESOLUTION)
      }
      assert.isAtLeast(ticks, 19)
    }))

  it.effect("one connection whose end throws does not stop the clock of the others", () =>
    Effect.gen(function*() {
      const deadlines = new Deadlines(yield* Clock.Clock)
      const expired: Array<string> = []
      const uncaught = process.listeners("uncaughtException")
      process.removeAllListeners("uncaughtException")
      const caught: Array<unknown> = []
      process.once("uncaughtException", (error) => void caught.push(error))
      deadlines.add({
        deadline: 0,
        expire: () => {
          throw new Error("a bug")
        }
      })
      deadlines.add({ deadline: 0, expire: () => void expired.push("second") })
      deadlines.tick()
      yield* turns(2)
      for (const listener of uncaught) process.on("uncaughtException", listener)
      assert.deepStrictEqual(expired, ["second"])
      assert.strictEqual(caught.length, 1)
    }))

  it.effect("a thousand that expire at once leave room for others, and one that gets more time meanwhile has it", () =>
    Effect.gen(function*() {
      const deadlines = new Deadlines(yield* Clock.Clock)
      let expired = 0
      const all = Array.from({ length: 1000 }, () => ({ deadline: 0, expire: () => void expired++ }))
      for (const timed of all) deadlines.add(timed)
      deadlines.tick()
      assert.strictEqual(expired, BATCH)
      all[998]!.deadline = deadlines.after(1000)
      deadlines.remove(all[999]!)
      while (expired < 998) yield* turns(1)
      yield* turns(5)
      assert.strictEqual(expired, 998)
    }))
})

describe("a drain", () => {
  /** Starts to drain and returns a way to see whether it is done. */
  const draining = (served: Served) =>
    Effect.map(Effect.forkChild(served.drain, { startImmediately: true }), (fiber) => ({
      isDone: () => fiber.pollUnsafe() !== undefined
    }))

  it.effect("lets a request in flight finish, with connection: close", () =>
    Effect.gen(function*() {
      const served = yield* serve(() => Effect.as(Effect.sleep("3 seconds"), text("finished")))
      const client = yield* served.connect
      client.send(get("/"))
      yield* served.record.until(({ started }) => started.length === 1)
      const drain = yield* draining(served)
      yield* TestClock.adjust("2 seconds")
      assert.isFalse(drain.isDone())
      yield* TestClock.adjust("1 second")
      const [answer] = yield* client.responses(1)
      assert.strictEqual(answer!.body, "finished")
      assert.strictEqual(answer!.headers["connection"], "close")
      client.leave()
      while (!drain.isDone()) yield* turns(1)
      assert.deepStrictEqual(served.record.outcomes, ["GET / answered"])
    }))

  it.effect("lets a streamed response finish", () =>
    Effect.gen(function*() {
      const body = Stream.concat(
        Stream.make(Buffer.from("one")),
        Stream.unwrap(Effect.as(Effect.sleep("2 seconds"), Stream.make(Buffer.from("two"))))
      )
      const served = yield* serve(() => Effect.succeed(HttpServerResponse.stream(body)))
      const client = yield* served.connect
      client.send(get("/"))
      yield* client.until(({ received }) => received.includes("one"))
      yield* draining(served)
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual((yield* client.responses(1))[0]!.body, "onetwo")
      yield* TestClock.adjust("2 seconds")
      yield* client.until(({ ended }) => ended)
    }))

  it.effect("closes idle connections without a word, but serves a request that was on its way", () =>
    Effect.gen(function*() {
      const served = yield* serve(byPath)
      const [idle, late] = yield* Effect.all([served.connect, served.connect])
      for (const client of [idle, late]) {
        client.send(get("/first"))
        yield* client.responses(1)
      }
      const drain = yield* draining(served)
      late.send(get("/second"))
      const [, second] = yield* late.responses(2)
      assert.strictEqual(second!.body, "/second")
      assert.strictEqual(second!.headers["connection"], "close")
      const before = idle.received
      yield* TestClock.adjust("2 seconds")
      yield* idle.until(({ ended }) => ended)
      assert.strictEqual(idle.received, before)
      idle.leave()
      late.leave()
      while (!drain.isDone()) yield* turns(1)
    }))

  it.effect("serves a connection that was just accepted", () =>
    Effect.gen(function*() {
      const served = yield* serve(byPath)
      const drain = yield* draining(served)
      const client = yield* served.connect
      client.send(get("/"))
      const [answer] = yield* client.responses(1)
      assert.deepStrictEqual([answer!.status, answer!.headers["connection"]], [200, "close"])
      client.leave()
      yield* TestClock.adjust("200 millis")
      while (!drain.isDone()) yield* turns(1)
    }))

  it.effect("takes no new connections when it is over", () =>
    Effect.gen(function*() {
      const served = yield* serve(byPath)
      const drain = yield* draining(served)
      yield* TestClock.adjust("1 second")
      while (!drain.isDone()) yield* turns(1)
      const code = yield* Effect.callback<string>((resume) => {
        Net.connect(served.tcpPort, "127.0.0.1").on("error",
          (error: NodeJS.ErrnoException) => resume(Effect.succeed(error.code!)))
      })
      assert.strictEqual(code, "ECONNREFUSED")
    }))

  it.effect("after the grace time interrupts the handler, and its client gets 503", () =>
    Effect.gen(function*() {
      let finalized = 0
      const served = yield* serve(() => Effect.ensuring(Effect.never, Effect.sync(() => void finalized++)))
      const client = yield* served.connect
      client.send(get("/"))
      yield* served.record.until(({ started }) => started.length === 1)
      const drain = yield* draining(served)
      yield* TestClock.adjust(4_999)
      assert.strictEqual(finalized, 0)
      yield* TestClock.adjust(1)
      assert.strictEqual(finalized, 1)
      const [answer] = yield* client.responses(1)
      assert.deepStrictEqual([answer!.status, answer!.headers["connection"]], [503, "close"])
      assert.deepStrictEqual(served.record.outcomes, ["GET / interrupted"])
      client.leave()
      while (!drain.isDone()) yield* turns(1)
      assert.strictEqual(served.record.fibers.size, 0)
    }))

  it.effect("after the grace time breaks a streamed response", () =>
    Effect.gen(function*() {
      const served = yield* serve(() =>
        Effect.succeed(HttpServerResponse.stream(Stream.concat(Stream.make(Buffer.from("half")), Stream.never)))
      )
      const client = yield* served.connect
      client.send(get("/"))
      yield* client.until(({ received }) => received.includes("half"))
      const drain = yield* draining(served)
      yield* TestClock.adjust("6 seconds")
      yield* client.until(({ ended }) => ended)
      assert.isFalse(read(client.received).messages[0]!.complete)
      assert.deepStrictEqual(served.record.reported, [])
      client.leave()
      while (!drain.isDone()) yield* turns(1)
    }))

  it.effect("does not wait for a handler that cannot be interrupted", () =>
    Effect.gen(function*() {
      const served = yield* serve(() => Effect.uninterruptible(Effect.as(Effect.sleep("1 hour"), text("late"))))
      const client = yield* served.connect
      client.send(get("/"))
      yield* served.record.until(({ started }) => started.length === 1)
      const drain = yield* draining(served)
      yield* TestClock.adjust("7 seconds")
      yield* client.until(({ closed, ended }) => ended || closed)
      while (!drain.isDone()) yield* turns(1)
      assert.strictEqual(served.record.fibers.size, 1)
      yield* TestClock.adjust("1 hour")
    }))

  it.effect("cuts a client that does not read and a head that does not end", () =>
    Effect.gen(function*() {
      const served = yield* serve(() => Effect.succeed(HttpServerResponse.uint8Array(Buffer.alloc(30_000_000))))
      const [reader, writer] = yield* Effect.all([served.connect, served.connect])
      reader.socket.pause()
      reader.send(get("/"))
      writer.send("GET /")
      yield* served.record.until(({ started }) => started.length === 1)
      yield* served.sync
      const drain = yield* draining(served)
      yield* TestClock.adjust("10 seconds")
      while (!drain.isDone()) yield* turns(1)
      assert.strictEqual(yield* served.connections, 0)
    }))

  it.effect("asked for twice is one drain, and both wait for it", () =>
    Effect.gen(function*() {
      const served = yield* serve(() => Effect.as(Effect.sleep("3 seconds"), text("finished")))
      const client = yield* served.connect
      client.send(get("/"))
      yield* served.record.until(({ started }) => started.length === 1)
      const [one, two] = yield* Effect.all([draining(served), draining(served)])
      yield* TestClock.adjust("2 seconds")
      assert.isFalse(one.isDone() || two.isDone())
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* client.responses(1))[0]!.body, "finished")
      client.leave()
      while (!one.isDone() || !two.isDone()) yield* turns(1)
    }))

  it.effect("is what closing the scope does, and it ends though a drain before it was given up", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const listening = yield* Transport.listen({ host: "127.0.0.1", port: 0 }, settings, {
        handle: () => {},
        report: () => {}
      }).pipe(Scope.provide(scope))
      const first = yield* Effect.forkChild(listening.drain, { startImmediately: true })
      first.interruptUnsafe()
      const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void), { startImmediately: true })
      yield* turns(2)
      assert.isUndefined(closing.pollUnsafe())
      yield* TestClock.adjust("1 second")
      while (closing.pollUnsafe() === undefined) yield* turns(1)
    }))
})

describe("listening", () => {
  it.effect("on a UNIX socket serves it, breaks what breaks, and removes it in the end", () =>
    Effect.gen(function*() {
      const path = `${os.tmpdir()}/kore-fx-${process.pid}.sock`
      const scope = yield* Scope.make()
      const record = new Record()
      const failing = Stream.concat(Stream.make(Buffer.from("half")), Stream.fail(new Error("the source broke")))
      const handler = handlerOf(record, yield* Effect.context<Scope.Scope>(), (request) =>
        Effect.succeed(
          request.url === "/" ? text(String(request.source.remoteAddress)) : HttpServerResponse.stream(failing)
        ))
      yield* Transport.listen({ path }, settings, handler).pipe(Scope.provide(scope))
      const client = new Client(Net.connect(path))
      client.send(`${get("/")}GET /broken HTTP/1.0\r\n\r\n`)
      yield* client.until(({ closed }) => closed)
      assert.strictEqual(read(client.received).messages[0]!.body, "undefined")
      assert.deepStrictEqual(record.reported, ["the source broke"])
      const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void), { startImmediately: true })
      yield* TestClock.adjust("1 second")
      while (closing.pollUnsafe() === undefined) yield* turns(1)
      assert.isFalse(fs.existsSync(path))
    }))

  it.effect("on an address that is taken fails with TransportError and its code", () =>
    Effect.gen(function*() {
      const { tcpPort } = yield* serve(byPath)
      const error = yield* Effect.flip(
        Transport.listen({ host: "127.0.0.1", port: tcpPort }, settings, { handle: () => {}, report: () => {} })
      )
      assert.strictEqual(error.code, "EADDRINUSE")
      assert.include(error.message, String(tcpPort))
    }))
})
