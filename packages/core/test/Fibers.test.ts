import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Scope from "effect/Scope"
import * as Fibers from "../src/Fibers.ts"
import * as Lock from "../src/Lock.ts"
import * as Queue from "../src/Queue.ts"
import * as Scheduler from "../src/Scheduler.ts"
import * as Suspend from "../src/Suspend.ts"
import * as Task from "../src/Task.ts"
import * as Tracer from "../src/Tracer.ts"
import * as Wait from "../src/Wait.ts"

const services = Layer.provide(Task.Tasks.layer, Tracer.layerDefault)

/** The rows of a task and of the fibers it started. */
const rowsOf = (task: Task.Task) =>
  Effect.map(Fibers.list, (rows) =>
    rows.filter((row) =>
      row.id === task.id && row.kind === "task" || row.parent?.kind === "task" && row.parent.id === task.id
    ))

const rowOf = (task: Task.Task) => Effect.map(rowsOf(task), (rows) => rows[0])

describe("list", () => {
  it.live("tells what each task waits for: time, a lock and its holder, a queue, a task, something outside", () =>
    Effect.gen(function*() {
      const lock = Lock.makeUnsafe()
      const queue = Queue.makeUnsafe<string>()
      const holder = yield* Task.create(Lock.withLock(lock, Suspend.suspend("1 hour")), { name: "holder" })
      yield* Effect.yieldNow
      const waiter = yield* Task.create(Lock.withLock(lock, Effect.void), { name: "waiter" })
      const taker = yield* Task.create(Queue.pop(queue), { name: "taker" })
      const joiner = yield* Task.create(holder.await, { name: "joiner" })
      const caller = yield* Task.create(
        Wait.on(Effect.never, () => ({ kind: "phone", what: "a call from ada" })),
        { name: "caller" }
      )
      yield* Suspend.suspend(0)

      const waits = Effect.fnUntraced(function*(task: Task.Task) {
        const row = yield* rowOf(task)
        assert(row !== undefined)
        assert.strictEqual(row.state, "suspended")
        assert.strictEqual(row.waits.length, 1)
        assert.isAtLeast(row.waits[0]!.since, 0)
        return row.waits[0]!
      })
      assert.strictEqual((yield* waits(holder)).kind, "suspend")
      assert.match((yield* waits(holder)).what, /^\d+ of 3600000 ms to go$/)
      assert.strictEqual((yield* waits(waiter)).kind, "lock")
      assert.match((yield* waits(waiter)).what, /held by fiber \d+/)
      assert.strictEqual((yield* waits(taker)).kind, "queue")
      assert.deepStrictEqual(
        (yield* waits(joiner)).what,
        `the end of task ${holder.id} (holder)`
      )
      assert.strictEqual((yield* waits(caller)).what, "a call from ada")
    }).pipe(Effect.provide(services)))

  it.live("a wait that has ended, or was interrupted, is in no row any more", () =>
    Effect.gen(function*() {
      const queue = Queue.makeUnsafe<string>()
      const gate = Deferred.makeUnsafe<void>()
      const task = yield* Task.create(Effect.andThen(
        Effect.all([
          Queue.pop(queue),
          Effect.timeoutOption(Suspend.suspend("1 hour"), "1 millis"),
          Effect.timeoutOption(Wait.on(Effect.never, () => ({ kind: "phone", what: "" })), "1 millis")
        ]),
        Deferred.await(gate)
      ))
      yield* Suspend.suspend(0)
      yield* Queue.push(queue, "item")
      while ((yield* rowsOf(task)).some((row) => row.waits.length > 0)) yield* Suspend.suspend(1)
      assert.deepStrictEqual((yield* rowOf(task))?.waits, [])
      yield* Deferred.succeed(gate, undefined)
      yield* task.await
      assert.deepStrictEqual(yield* rowsOf(task), [])
    }).pipe(Effect.provide(services)))

  it.live("shows the fibers that a task has forked under it, also those that do not say what they wait for", () =>
    Effect.gen(function*() {
      const task = yield* Task.create(Effect.gen(function*() {
        yield* Effect.forkChild(Suspend.suspend("1 hour"))
        yield* Effect.forkChild(Effect.never)
        return yield* Effect.never
      }))
      while (!(yield* rowsOf(task)).some((row) => row.waits.length > 0)) yield* Suspend.suspend(0)
      const [row, ...parts] = yield* rowsOf(task)
      assert.strictEqual(row?.kind, "task")
      assert.strictEqual(parts.length, 2)
      assert.deepStrictEqual(parts.map((part) => part.waits.length).sort((a, b) => a - b), [0, 1])
    }).pipe(Effect.provide(services)))

  it.live("the task that asks is running, the others are not; names, age and spans are told", () =>
    Effect.gen(function*() {
      const asking = yield* Task.create(
        Effect.withSpan(Effect.andThen(Task.setName("census"), Fibers.list), "counting", { attributes: {} }),
        { name: "asker" }
      )
      const exit = yield* asking.await
      assert(exit._tag === "Success")
      const row = exit.value.find((row) => row.kind === "task" && row.id === asking.id)
      assert(row !== undefined)
      assert.strictEqual(row.state, "running")
      assert.strictEqual(row.name, "census")
      assert.deepStrictEqual(row.spans, ["counting"])
      assert.isAtLeast(row.age, 0)
    }).pipe(Effect.provide(services)))

  it.live("shows what other packages keep, for as long as their scope is open", () =>
    Effect.gen(function*() {
      const fiber = yield* Effect.forkChild(Effect.never, { startImmediately: true })
      const root = { kind: "request", name: "GET /", id: 1, created: performance.now(), fiber }
      const seen = Effect.map(Fibers.list, (rows) => rows.some((row) => row.name === "GET /"))
      assert.isTrue(yield* Effect.scoped(Effect.andThen(Fibers.addSource({ roots: () => [root] }), seen)))
      assert.isFalse(yield* seen)
      yield* Fiber.interrupt(fiber)
    }).pipe(Effect.provide(services)))
})

describe("a failed task", () => {
  it.live("is reported with the request it served", () =>
    Effect.gen(function*() {
      const origins: Array<Tracer.Origin> = []
      const tracer = Tracer.layer((_, origin) => Effect.sync(() => origins.push(origin)))
      const Request = Context.Reference<string>("test/Request", { defaultValue: () => "" })
      yield* Effect.gen(function*() {
        yield* Fibers.addSource({
          roots: () => [],
          describe: (context) => {
            const request = Context.get(context, Request)
            return request === "" ? undefined : { request }
          }
        })
        const failing = Effect.flatMap(Task.create(Effect.fail("oops")), (task) => task.await)
        const failingLater = Effect.flatMap(Task.create(Effect.andThen(Effect.yieldNow, Effect.fail("oops"))),
          (task) => task.await)
        yield* Effect.provideService(failing, Request, "GET /a")
        yield* Effect.provideService(failingLater, Request, "GET /b")
        yield* failing
      }).pipe(Effect.scoped, Effect.provide(Layer.provide(Task.Tasks.layer, tracer)))
      assert.deepStrictEqual(origins.map((origin) => origin.details), [
        { request: "GET /a" },
        { request: "GET /b" },
        undefined
      ])
    }))
})

describe("trace", () => {
  it.live("logs every step of a task and of its waits until its scope closes (kore §5: corotrace)", () => {
    const lines: Array<string> = []
    const logger = Logger.make(({ message }) => void lines.push(String(message)))
    return Effect.gen(function*() {
      yield* Effect.scoped(Effect.gen(function*() {
        yield* Fibers.trace
        const task = yield* Task.create(Suspend.suspend("1 millis"), { name: "nap" })
        yield* task.await
        const killed = yield* Task.create(Effect.never, { name: "doomed" })
        yield* Effect.yieldNow
        yield* killed.kill
      }))
      yield* Effect.flatMap(Task.create(Effect.void, { name: "unseen" }), (task) => task.await)
      const of = (name: string) => lines.filter((line) => line.includes(`(${name})`) && line.startsWith("task"))
      const steps = (name: string) => of(name).map((line) => line.replace(/^task \d+ \(\w+\) /, ""))
      assert.deepStrictEqual(steps("nap"), [
        "created",
        "running",
        "suspended: suspend 1 of 1 ms to go",
        "woken: suspend 0 of 1 ms to go",
        "finished"
      ])
      assert.deepStrictEqual(steps("doomed"), ["created", "running", "killed"])
      assert.deepStrictEqual(of("unseen"), [])
    }).pipe(Effect.provide(Layer.merge(services, Logger.layer([logger]))))
  })

  it.live("two that overlap are both told, each until its own scope closes", () => {
    const of = (name: string) =>
      Effect.gen(function*() {
        const lines: Array<string> = []
        const scope = yield* Scope.make()
        const logger = Logger.layer([Logger.make(({ message }) => void lines.push(`${name}: ${String(message)}`))])
        yield* Fibers.trace.pipe(Scope.provide(scope), Effect.provide(logger))
        return { lines, close: Scope.close(scope, Exit.void) }
      })
    const task = (name: string) => Effect.flatMap(Task.create(Effect.void, { name }), (task) => task.await)
    return Effect.gen(function*() {
      const first = yield* of("first")
      const second = yield* of("second")
      yield* task("seen by both")
      yield* first.close
      yield* task("seen by one")
      yield* second.close
      yield* task("seen by none")
      const names = (lines: ReadonlyArray<string>) =>
        lines.filter((line) => line.endsWith("finished")).map((line) => /\((.*)\)/.exec(line)?.[1])
      assert.deepStrictEqual(names(first.lines), ["seen by both"])
      assert.deepStrictEqual(names(second.lines), ["seen by both", "seen by one"])
    }).pipe(Effect.provide(services))
  })

  it.live("through a Logger that waits in a Queue, or for a Lock, tells nothing of that and ends", () =>
    Effect.gen(function*() {
      const lines: Array<string> = []
      const queue = Queue.makeUnsafe<string>()
      const lock = Lock.makeUnsafe()
      const run = Effect.runForkWith(yield* Effect.context<never>())
      const writer = Effect.forever(Effect.map(Queue.pop(queue), (line) => lines.push(line)))
      yield* Effect.forkScoped(writer, { startImmediately: true })
      const holding = yield* Effect.forkScoped(Lock.withLock(lock, Effect.never), { startImmediately: true })
      const logger = Logger.make(({ message }) => {
        Queue.pushUnsafe(queue, String(message))
        run(Lock.withLock(lock, Effect.void))
      })
      yield* Fibers.trace.pipe(Effect.provide(Logger.layer([logger])))
      yield* Effect.flatMap(Task.create(Suspend.suspend("1 millis"), { name: "nap" }), (task) => task.await)
      // Room for lines about what the Logger did with these.
      yield* Effect.repeat(Scheduler.turn, { times: 50 })
      assert.match(lines.join("\n"), /task \d+ \(nap\) finished/)
      assert.deepStrictEqual(lines.filter((line) => /queue|lock/i.test(line)), [])
      // Those who stood in line for it go on.
      yield* Fiber.interrupt(holding)
      yield* Effect.repeat(Scheduler.turn, { times: 50 })
      assert.deepStrictEqual(lines.filter((line) => /queue|lock/i.test(line)), [])
    }).pipe(Effect.scoped, Effect.provide(services)))
})
