import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as EffectScheduler from "effect/Scheduler"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import * as ChildProcess from "node:child_process"
import * as net from "node:net"
import { fileURLToPath } from "node:url"
import * as Fibers from "../src/Fibers.ts"
import * as WaitList from "../src/internal/WaitList.ts"
import * as Scheduler from "../src/Scheduler.ts"
import * as Socket from "../src/Socket.ts"
import { SocketError } from "../src/SocketError.ts"
import * as Tracer from "../src/Tracer.ts"
import {
  anyPort,
  descriptors,
  directory,
  failure,
  isDone,
  receiveAll,
  start,
  text,
  uniqueName,
  until,
  untilWaiting,
  waits
} from "./fixtures/socket.ts"

interface Report {
  readonly cause: string
  readonly origin: Tracer.Origin
}

/** Runs with a listener, and a tracer that collects what it is given. */
const withListener = <A, E, R>(
  f: (listener: Socket.Listener, reports: Array<Report>) => Effect.Effect<A, E, R>,
  target: Socket.Target = anyPort
) =>
  Effect.suspend(() => {
    const reports: Array<Report> = []
    const tracer = Tracer.layer((cause, origin) =>
      Effect.sync(() => reports.push({ cause: Cause.prettyErrors(cause).map(({ message }) => message).join(), origin }))
    )
    return Effect.provide(Effect.flatMap(Socket.listen(target), (listener) => f(listener, reports)), tracer)
  })

const connect = (listener: Socket.Listener) => Socket.connect(listener.address)

const isRefused = (listener: Socket.Listener) =>
  Effect.map(failure(Socket.connect(listener.address)), (reason) => reason === "System ECONNREFUSED")

/** Sends back what it receives, to the end. */
const echo = (socket: Socket.Stream) =>
  Effect.gen(function*() {
    for (let data = yield* Socket.recv(socket, 1024); Option.isSome(data); data = yield* Socket.recv(socket, 1024)) {
      yield* Socket.send(socket, data.value)
    }
  })

const ask = (socket: Socket.Stream, question: string) =>
  Effect.andThen(Socket.send(socket, question), Effect.map(Socket.recv(socket, 1024), text))

/** The rows of connections. */
const connections = Effect.map(Fibers.list, (rows) => rows.filter(({ kind }) => kind === "connection"))

const untilConnections = (count: number): Effect.Effect<void> =>
  Effect.flatMap(connections, ({ length }) =>
    length === count ? Effect.void : Effect.andThen(Scheduler.turn, untilConnections(count)))

/** What fibers wait for at servers: for room, or for the end. */
const serverWaits = (): ReadonlyArray<string> =>
  Array.from(WaitList.values(), (entry) => entry.describe()).flatMap(({ kind, what }) =>
    kind === "connection" ? [what] : []
  )

/** Waits for something, and says so when it is interrupted. */
const held = (events: Array<string>, name: string) =>
  Effect.onInterrupt(
    Effect.andThen(Effect.sync(() => events.push(`${name} begun`)), Effect.never),
    () => Effect.sync(() => events.push(`${name} interrupted`))
  )

describe("serve", () => {
  it.effect("handles each connection in a fiber of its own: one that waits holds up nobody", () =>
    withListener((listener) =>
      Effect.gen(function*() {
        yield* start(Socket.serve(listener, echo))
        const slow = yield* connect(listener)
        const quick = yield* connect(listener)
        assert.strictEqual(yield* ask(quick, "quick"), "quick")
        assert.strictEqual(yield* ask(slow, "slow"), "slow")
      })
    ))

  it.effect("closes the stream, and what the handler acquired, when the handler has ended", () =>
    withListener((listener, reports) =>
      Effect.gen(function*() {
        const events: Array<string> = []
        const before = descriptors() + 1
        yield* start(Socket.serve(listener, (socket) =>
          Effect.gen(function*() {
            yield* Effect.addFinalizer(() => Effect.sync(() => events.push("released")))
            yield* Socket.send(socket, "hello")
            // Before the stream, which is still open.
            yield* Effect.addFinalizer(() => Effect.ignore(Socket.send(socket, " and goodbye")))
          })))
        yield* Effect.scoped(Effect.gen(function*() {
          assert.strictEqual(String(yield* receiveAll(yield* connect(listener))), "hello and goodbye")
        }))
        assert.deepStrictEqual(events, ["released"])
        yield* until(() => descriptors() <= before)
        assert.deepStrictEqual(reports, [])
      })
    ))

  it.effect("the handler has the services of whoever serves", () =>
    withListener((listener) => {
      class Greeting extends Context.Service<Greeting, string>()("test/Greeting") {}
      return Effect.gen(function*() {
        const serving = Socket.serve(listener, (socket) => Greeting.use((greeting) => Socket.send(socket, greeting)))
        yield* start(Effect.provideService(serving, Greeting, "good morning"))
        assert.strictEqual(String(yield* receiveAll(yield* connect(listener))), "good morning")
      })
    }))

  for (
    const [address, target] of [["a path", Effect.map(directory, (folder) => ({ path: `${folder}/x.sock` }))], [
      "an abstract name",
      Effect.sync(() => ({ path: uniqueName() }))
    ]] as const
  ) {
    it.effect(`serves ${address} too`, () =>
      Effect.flatMap(target, (target) =>
        withListener((listener) =>
          Effect.gen(function*() {
            yield* start(Socket.serve(listener, echo))
            assert.strictEqual(yield* ask(yield* connect(listener), "hello"), "hello")
            assert.deepStrictEqual((yield* connections).map(({ name }) => name), [
              `${target.path} from a client of ${target.path}`
            ])
          }), target)))
  }

  it.effect("serves a server of Node, which it closes in the end", () =>
    withListener(() =>
      Effect.gen(function*() {
        const node = net.createServer({ allowHalfOpen: true, pauseOnConnect: true }).listen(0, "127.0.0.1")
        yield* until(() => node.listening)
        const listener = yield* Socket.fromServer(node)
        const serving = yield* start(Socket.serve(listener, echo))
        assert.strictEqual(yield* ask(yield* connect(listener), "hello"), "hello")
        yield* start(Effect.andThen(untilWaiting(/^recv from/), TestClock.adjust("2 seconds")))
        yield* Fiber.interrupt(serving)
        assert.isFalse(node.listening)
      })
    ))

  for (const concurrency of [0, -1, 1.5, NaN]) {
    it.effect(`a concurrency of ${concurrency} is a defect, and the listener stays open`, () =>
      withListener((listener) =>
        Effect.gen(function*() {
          const exit = yield* Effect.exit(Socket.serve(listener, echo, { concurrency }))
          assert.include(String(Exit.isFailure(exit) && Cause.squash(exit.cause)), "Socket.serve got the concurrency")
          yield* connect(listener)
        })
      ))
  }
})

describe("a handler that fails", () => {
  const failures: ReadonlyArray<readonly [how: string, Effect.Effect<void, unknown, Scope.Scope>, report: string]> = [
    ["fails", Effect.fail("no coffee"), "no coffee"],
    ["dies", Effect.die(new Error("a bug")), "a bug"],
    ["throws before it is an Effect", Effect.suspend(() => {
      throw new Error("thrown")
    }), "thrown"],
    ["ends well, and dies in a finalizer", Effect.addFinalizer(() => Effect.die(new Error("a late bug"))), "a late bug"]
  ]
  for (const [how, effect, report] of failures) {
    it.effect(`${how}: is reported once, with its connection, and ends nobody else`, () =>
      withListener((listener, reports) =>
        Effect.gen(function*() {
          const handle = (socket: Socket.Stream) =>
            Effect.flatMap(Socket.recv(socket, 100), (data) => text(data) === "bad" ? effect : echo(socket))
          const serving = yield* start(Socket.serve(listener, handle, { name: "tea" }))
          const good = yield* connect(listener)
          const bad = yield* connect(listener)
          yield* Socket.send(good, "good")
          yield* Socket.send(bad, "bad")
          assert.strictEqual(String(yield* receiveAll(bad)), "")
          yield* until(() => reports.length > 0)
          assert.strictEqual(yield* ask(good, "still here"), "still here")
          assert.strictEqual(reports.length, 1)
          assert.strictEqual(reports[0]!.cause, report)
          assert.deepInclude(reports[0]!.origin, {
            kind: "connection",
            name: `tea from ${Socket.format(bad.local)}`
          })
          assert.isFalse(isDone(serving))
        })
      ))
  }

  it.effect("fails and dies in a finalizer: is one report of both", () =>
    withListener((listener, reports) =>
      Effect.gen(function*() {
        yield* start(Socket.serve(listener, () =>
          Effect.andThen(Effect.addFinalizer(() => Effect.die(new Error("late"))), Effect.fail("early"))))
        yield* receiveAll(yield* connect(listener))
        yield* until(() =>
          reports.length > 0
        )
        assert.deepStrictEqual(reports.map(({ cause }) => cause), ["early,late"])
      })
    ))

  it.effect("a function that throws is a defect of its connection", () =>
    withListener((listener, reports) =>
      Effect.gen(function*() {
        yield* start(Socket.serve(listener, (): Effect.Effect<void> => {
          throw new Error("not even an Effect")
        }))
        yield* receiveAll(yield* connect(listener))
        yield* until(() => reports.length > 0)
        assert.deepStrictEqual(reports.map(({ cause }) => cause), ["not even an Effect"])
      })
    ))

  it.effect("the reset of its peer is its end, and nobody's fault", () =>
    withListener((listener, reports) =>
      Effect.gen(function*() {
        const exits: Array<string> = []
        yield* start(Socket.serve(listener, (socket) =>
          Effect.onExit(Effect.andThen(Socket.send(socket, "hello"), echo(socket)), (exit) =>
            Effect.sync(() =>
              exits.push(exit._tag === "Failure" ? String((Cause.squash(exit.cause) as SocketError).code) : "ended")
            ))))
        const node = net.connect((listener.address as Socket.Inet).port, "127.0.0.1")
        yield* untilConnections(1)
        node.resetAndDestroy()
        yield* until(() =>
          exits.length === 1
        )
        yield* untilConnections(0)
        assert.deepStrictEqual(exits, ["ECONNRESET"])
        assert.strictEqual(yield* Effect.map(Socket.recv(yield* connect(listener), 100), text), "hello")
        assert.deepStrictEqual(reports, [])
      })
    ))

  it.effect("a peer that receives no more is its end, and nobody's fault", () =>
    withListener((listener, reports) =>
      Effect.gen(function*() {
        let code = ""
        yield* start(Socket.serve(listener, (socket) =>
          Effect.onError(Effect.forever(Socket.send(socket, Buffer.alloc(65536))), (cause) =>
            Effect.sync(() =>
              void (code = String((Cause.squash(cause) as SocketError).code))
            ))))
        yield* Socket.close(yield* connect(listener))
        yield* until(() =>
          code !== ""
        )
        yield* untilConnections(0)
        assert.include(["EPIPE", "ECONNRESET"], code)
        assert.deepStrictEqual(reports, [])
      })
    ))

  it.effect("the reset of another socket than its own is a failure as any other", () =>
    withListener((listener, reports) =>
      Effect.gen(function*() {
        const other = yield* Socket.listen(anyPort)
        // Closed with a byte that nobody received: that is a reset.
        yield* start(Effect.scoped(Effect.flatMap(Socket.accept(other), () => untilWaiting(/^recv from/))))
        yield* start(Socket.serve(listener, () =>
          Effect.gen(function*() {
            const upstream = yield* Socket.connect(other.address)
            yield* Socket.send(upstream, "x")
            yield* Socket.recv(upstream, 1)
          })))
        yield* receiveAll(yield* connect(listener))
        yield* until(() => reports.length > 0)
        assert.include(reports[0]!.cause, `recv from ${Socket.format(other.address)} failed`)
        assert.include(reports[0]!.cause, "ECONNRESET")
      })
    ))

  it.effect("a stream that the handler itself has closed is a mistake", () =>
    withListener((listener, reports) =>
      Effect.gen(function*() {
        yield* start(
          Socket.serve(listener, (socket) => Effect.andThen(Socket.close(socket), Socket.send(socket, "too late")))
        )
        yield* receiveAll(yield* connect(listener))
        yield* until(() => reports.length > 0)
        assert.include(reports[0]!.cause, "this side has closed the socket")
      })
    ))

  it.effect("one that interrupts itself is reported to nobody", () =>
    withListener((listener, reports) =>
      Effect.gen(function*() {
        yield* start(Socket.serve(listener, () => Effect.interrupt))
        yield* receiveAll(yield* connect(listener))
        yield* untilConnections(0)
        assert.deepStrictEqual(reports, [])
      })
    ))
})

describe("concurrency", () => {
  it.effect("never more connections than that, and all in the end", () =>
    withListener((listener) =>
      Effect.gen(function*() {
        let inside = 0
        let most = 0
        // Nobody is served before there are ten.
        const counted = (socket: Socket.Stream) =>
          Effect.acquireUseRelease(
            Effect.sync(() => most = Math.max(most, ++inside)),
            () => Effect.andThen(until(() => most >= 10), echo(socket)),
            () => Effect.sync(() => inside--)
          )
        yield* start(Socket.serve(listener, counted, { concurrency: 10 }))
        const client = (number: number) =>
          Effect.scoped(Effect.flatMap(connect(listener), (socket) => ask(socket, `${number}`)))
        const numbers = Array.from({ length: 200 }, (_, number) => number)
        const answers = yield* Effect.forEach(numbers, client, { concurrency: 50 })
        assert.deepStrictEqual(answers, numbers.map(String))
        assert.strictEqual(most, 10)
      })
    ))

  it.effect("who comes then waits until a connection ends, and is told nothing", () =>
    withListener((listener) =>
      Effect.gen(function*() {
        yield* start(Socket.serve(listener, echo, { concurrency: 2, name: "small" }))
        const first = yield* connect(listener)
        yield* connect(listener)
        yield* until(() => serverWaits().length > 0)
        assert.deepStrictEqual(serverWaits(), ["the end of one of 2 connections of small"])
        const third = yield* connect(listener)
        const answer = yield* start(ask(third, "third"))
        yield* untilWaiting(`recv from ${Socket.format(listener.address)}`)
        assert.strictEqual((yield* connections).length, 2)
        yield* Socket.close(first)
        assert.strictEqual(yield* Fiber.join(answer), "third")
        assert.strictEqual((yield* connections).length, 2)
      })
    ))
})

describe("accepting that fails", () => {
  const broken = (listener: Socket.Listener) =>
    (listener as unknown as { fail: (error: SocketError) => void }).fail(
      new SocketError({
        operation: "accept",
        reason: "System",
        code: "EMFILE",
        address: Socket.format(listener.address),
        detail: "too many open files"
      })
    )

  it.effect("is tried again every second, and reported once until somebody was accepted", () =>
    withListener((listener, reports) =>
      Effect.gen(function*() {
        const serving = yield* start(Socket.serve(listener, echo, { name: "echo" }))
        const pauses = () => serverWaits().includes("a second, to accept on echo again")
        const again = Effect.gen(function*() {
          yield* untilWaiting(/^accept on/)
          broken(listener)
          yield* until(pauses)
          yield* TestClock.adjust("999 millis")
          assert.isTrue(pauses())
          yield* TestClock.adjust("1 millis")
        })
        yield* again
        yield* again
        assert.strictEqual(reports.length, 1)
        assert.include(reports[0]!.cause, "too many open files (EMFILE)")
        assert.deepInclude(reports[0]!.origin, { kind: "listener", name: "echo" })
        assert.strictEqual(yield* ask(yield* connect(listener), "hello"), "hello")
        yield* again
        assert.strictEqual(reports.length, 2)
        assert.isFalse(isDone(serving))
      })
    ))

  it.live("a process without a descriptor left goes on, and serves as soon as it has one", () =>
    Effect.gen(function*() {
      const file = fileURLToPath(new URL("fixtures/serving.ts", import.meta.url))
      const child = yield* Effect.acquireRelease(
        Effect.sync(() =>
          ChildProcess.spawn("sh", ["-c", "ulimit -n 64; exec \"$0\" \"$1\"", process.execPath, file], {
            stdio: ["ignore", "pipe", "inherit"]
          })
        ),
        (child) => Effect.sync(() => child.kill("SIGKILL"))
      )
      let output = ""
      child.stdout.on("data", (chunk) => output += String(chunk))
      yield* until(() => /port \d+/.test(output))
      const address = { host: "127.0.0.1", port: Number(/port (\d+)/.exec(output)![1]) }
      const answers = yield* Effect.scoped(Effect.forEach(
        Array.from({ length: 100 }),
        () => Effect.flatMap(Socket.connect(address), (socket) => Effect.exit(ask(socket, "hello"))),
        { concurrency: "unbounded" }
      ))
      const served = answers.filter((exit) => exit._tag === "Success" && exit.value === "hello").length
      assert.isAbove(served, 10)
      assert.isBelow(served, 64)
      const last = Effect.scoped(Effect.flatMap(Socket.connect(address), (socket) => ask(socket, "again")))
      yield* Effect.repeat(Effect.option(last), {
        until: (answer) => Option.isSome(answer) && answer.value === "again"
      })
      assert.isNull(child.exitCode)
      assert.notInclude(output, "report connection")
    }))
})

describe("the end", () => {
  it.effect("interrupted, it refuses who comes, and lets connections end by themselves", () =>
    withListener((listener, reports) =>
      Effect.gen(function*() {
        const serving = yield* start(Socket.serve(listener, echo, { name: "echo" }))
        const client = yield* connect(listener)
        assert.strictEqual(yield* ask(client, "before"), "before")
        const stopping = yield* start(Fiber.interrupt(serving))
        assert.isTrue(yield* isRefused(listener))
        assert.deepStrictEqual(serverWaits(), ["the end of 1 connections of echo"])
        assert.strictEqual(yield* ask(client, "meanwhile"), "meanwhile")
        assert.isFalse(isDone(stopping))
        yield* Socket.end(client)
        assert.strictEqual(String(yield* receiveAll(client)), "")
        yield* Fiber.join(stopping)
        assert.deepStrictEqual(yield* connections, [])
        assert.deepStrictEqual(reports, [])
      })
    ))

  it.effect("interrupts who has not ended in time, and waits for finalizers", () =>
    withListener((listener, reports) =>
      Effect.gen(function*() {
        const events: Array<string> = []
        const handle = (socket: Socket.Stream) =>
          Effect.gen(function*() {
            yield* Effect.addFinalizer(() =>
              Effect.andThen(Effect.sleep("1 second"), Effect.sync(() => events.push("cleaned up")))
            )
            yield* Effect.addFinalizer(() => Effect.ignore(Socket.send(socket, "goodbye")))
            return yield* held(events, "handler")
          })
        const serving = yield* start(Socket.serve(listener, handle, { drain: "10 seconds" }))
        const client = yield* connect(listener)
        yield* until(() => events.length === 1)
        const stopping = yield* start(Fiber.interrupt(serving))
        yield* TestClock.adjust("9 seconds")
        assert.deepStrictEqual(events, ["handler begun"])
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(events, ["handler begun", "handler interrupted"])
        assert.strictEqual(yield* Effect.map(Socket.recv(client, 100), text), "goodbye")
        assert.isFalse(isDone(stopping))
        yield* TestClock.adjust("1 second")
        yield* Fiber.join(stopping)
        assert.deepStrictEqual(events, ["handler begun", "handler interrupted", "cleaned up"])
        assert.strictEqual(String(yield* receiveAll(client)), "")
        assert.deepStrictEqual(reports, [])
      })
    ))

  it.effect("a drain of 0 interrupts at once, one without end never", () =>
    withListener((listener) =>
      Effect.gen(function*() {
        const events: Array<string> = []
        const end = yield* Deferred.make<void>()
        const at = (drain: 0 | "Infinity") => (listener: Socket.Listener) =>
          Effect.gen(function*() {
            const handle = () => Effect.raceFirst(Deferred.await(end), held(events, `${drain}`))
            const serving = yield* start(Socket.serve(listener, handle, { drain }))
            yield* connect(listener)
            yield* until(() => events.includes(`${drain} begun`))
            return yield* start(Fiber.interrupt(serving))
          })
        yield* Fiber.join(yield* at(0)(listener))
        assert.deepStrictEqual(events, ["0 begun", "0 interrupted"])
        const stopping = yield* at("Infinity")(yield* Socket.listen(anyPort))
        yield* TestClock.adjust("30 days")
        assert.isFalse(isDone(stopping))
        // The test could not end either.
        yield* Deferred.succeed(end, undefined)
        yield* Fiber.join(stopping)
      })
    ))

  it.effect("the listener closed under it ends it in the same way, with success", () =>
    withListener((listener) =>
      Effect.gen(function*() {
        const serving = yield* start(Socket.serve(listener, echo))
        const client = yield* connect(listener)
        assert.strictEqual(yield* ask(client, "before"), "before")
        yield* Socket.close(listener)
        assert.strictEqual(yield* ask(client, "meanwhile"), "meanwhile")
        yield* Socket.close(client)
        assert.deepStrictEqual(yield* Fiber.await(serving), Exit.void)
      })
    ))

  it.effect("the listener closed while nobody else is accepted ends it too", () =>
    withListener((listener) =>
      Effect.gen(function*() {
        const events: Array<string> = []
        const serving = yield* start(Socket.serve(listener, () => held(events, "handler"), { concurrency: 1 }))
        yield* connect(listener)
        yield* until(() => serverWaits().length > 0)
        yield* Socket.close(listener)
        yield* until(() => serverWaits().some((what) => what.startsWith("the end of 1 connections")))
        yield* TestClock.adjust("2 seconds")
        assert.deepStrictEqual(yield* Fiber.await(serving), Exit.void)
        assert.deepStrictEqual(events, ["handler begun", "handler interrupted"])
      })
    ))

  it.effect("a listener that is closed already ends it at once", () =>
    withListener((listener) =>
      Effect.gen(function*() {
        yield* Socket.close(listener)
        yield* Socket.serve(listener, echo)
      })
    ))

  it.effect("the end of the scope is an interruption: the server has ended before the scope has", () =>
    withListener((listener) =>
      Effect.gen(function*() {
        const events: Array<string> = []
        const scope = yield* Scope.make()
        yield* Scope.provide(Effect.forkScoped(Socket.serve(listener, () => held(events, "handler"))), scope)
        yield* connect(listener)
        yield* until(() => events.length === 1)
        const closing = yield* start(Scope.close(scope, Exit.void))
        yield* TestClock.adjust("2 seconds")
        yield* Fiber.join(closing)
        assert.deepStrictEqual(events, ["handler begun", "handler interrupted"])
        assert.isTrue(yield* isRefused(listener))
      })
    ))

  it.effect("a connection may end its own server", () =>
    withListener((listener) =>
      Effect.gen(function*() {
        const stop = yield* Deferred.make<Fiber.Fiber<void>>()
        const serving = yield* start(
          Socket.serve(listener, () => Effect.flatMap(Deferred.await(stop), Fiber.interrupt))
        )
        yield* Deferred.succeed(stop, serving)
        yield* connect(listener)
        yield* until(() => serverWaits().length > 0)
        yield* TestClock.adjust("2 seconds")
        yield* Fiber.await(serving)
        assert.deepStrictEqual(yield* connections, [])
      })
    ))

  it.effect("interrupted before its first step, a connection is closed all the same", () =>
    withListener((_, reports) =>
      Effect.gen(function*() {
        for (let turns = 0; turns < 5; turns++) {
          yield* Effect.scoped(Effect.gen(function*() {
            const listener = yield* Socket.listen(anyPort)
            const serving = yield* start(Socket.serve(listener, () => Effect.never, { drain: 0 }))
            yield* untilWaiting(/^accept on/)
            const client = yield* connect(listener)
            // It was called, and stands in the line of those who run: next it accepts, and starts a connection.
            yield* until(() => !waits().some((what) => what.startsWith("accept on")))
            for (let turn = 0; turn < turns; turn++) yield* Effect.yieldNow
            yield* Fiber.interrupt(serving)
            const end = yield* Effect.exit(Socket.recv(client, 1))
            assert.isTrue(end._tag === "Failure" || Option.isNone(end.value))
          }))
        }
        assert.deepStrictEqual(reports, [])
      })
    ))

  // The check for a pending interruption sits in other places when a fiber yields at almost every step.
  it.effect("interrupted anywhere, every client is at its end and every descriptor free", () =>
    withListener((_, reports) =>
      Effect.gen(function*() {
        const before = descriptors()
        for (let budget = 3; budget < 12; budget++) {
          for (let turns = 0; turns < 10; turns++) {
            yield* Effect.scoped(Effect.gen(function*() {
              const listener = yield* Socket.listen(anyPort)
              const serving = yield* start(Effect.provideService(
                Socket.serve(listener, () => Effect.never, { drain: 0 }),
                EffectScheduler.MaxOpsBeforeYield,
                budget
              ))
              const client = yield* connect(listener)
              for (let turn = 0; turn < turns; turn++) yield* Effect.yieldNow
              yield* Fiber.interrupt(serving)
              // It may not have begun.
              yield* Socket.close(listener)
              // Accepted or not: the end, or a reset.
              const end = yield* Effect.exit(Socket.recv(client, 1))
              assert.isTrue(end._tag === "Failure" || Option.isNone(end.value))
            }))
          }
        }
        yield* until(() => descriptors() <= before)
        assert.deepStrictEqual(reports, [])
      })
    ))
})

describe("the list of fibers", () => {
  it.effect("has a row for each connection, with the server, the peer and what it waits for", () =>
    withListener((listener) =>
      Effect.gen(function*() {
        yield* start(Socket.serve(listener, echo, { name: "echo" }))
        const client = yield* connect(listener)
        const peer = Socket.format(client.local)
        yield* untilWaiting(`recv from ${peer}`)
        const rows = yield* connections
        assert.strictEqual(rows.length, 1)
        assert.deepInclude(rows[0], { kind: "connection", name: `echo from ${peer}`, state: "suspended" })
        assert.deepStrictEqual(rows[0]!.waits.map(({ kind, what }) => ({ kind, what })), [
          { kind: "socket", what: `recv from ${peer}` }
        ])
        yield* Socket.close(client)
        yield* untilConnections(0)
      })
    ))

  it.effect("without a name, the server is its address", () =>
    withListener((listener) =>
      Effect.gen(function*() {
        yield* start(Socket.serve(listener, echo))
        const client = yield* connect(listener)
        yield* untilConnections(1)
        const [row] = yield* connections
        assert.strictEqual(row!.name, `${Socket.format(listener.address)} from ${Socket.format(client.local)}`)
      })
    ))
})
