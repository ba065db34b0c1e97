import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import * as TestClock from "effect/testing/TestClock"
import * as Config from "../../src/Config.ts"
import type * as Protocol from "../../src/process/Protocol.ts"
import { type Child, type Ended, Spawner, SpawnError } from "../../src/process/Spawner.ts"
import * as Supervisor from "../../src/process/Supervisor.ts"

const died: Ended = { _tag: "Ended", code: 1, signal: null }
const killed: Ended = { _tag: "Ended", code: null, signal: "SIGKILL" }

/** What a worker does by itself, as its messages and its end, with the milliseconds before each. */
type Script = ReadonlyArray<readonly [after: number, Protocol.FromWorker | Ended]>

/** A spawner without processes: the `n`th worker follows the `n`th script, and the last one for ever after. */
const make = (scripts: ReadonlyArray<Script | SpawnError>, options: { readonly drains?: boolean } = {}) => {
  const log: Array<string> = []
  let count = 0
  const spawner: Spawner["Service"] = {
    spawn: Effect.fnUntraced(function*() {
      const script = scripts[Math.min(count++, scripts.length - 1)]!
      log.push(`start ${yield* at}`)
      if (script instanceof SpawnError) return yield* script
      const messages = yield* Queue.unbounded<Protocol.FromWorker, Ended>()
      const end = yield* Deferred.make<Ended>()
      const finish = (ended: Ended) => Effect.andThen(Deferred.succeed(end, ended), Queue.fail(messages, ended))
      yield* Effect.forkScoped(Effect.forEach(script, ([after, event]) =>
        Effect.delay(
          event._tag === "Ended" ? finish(event) : Queue.offer(messages, event),
          after
        )))
      const send: Child["send"] = Effect.fnUntraced(function*(message) {
        log.push(`${message._tag} ${yield* at}`)
        if (options.drains === true) yield* Effect.forkDetach(Effect.delay(finish({ ...died, code: 0 }), 300))
        return true
      })
      const child: Child = {
        pid: count,
        receive: Queue.take(messages),
        ended: Deferred.await(end),
        send,
        post: (message) => Effect.map(send(message), Effect.succeed),
        kill: Effect.fnUntraced(function*(signal) {
          log.push(`${signal} ${yield* at}`)
          yield* finish({ ...killed, signal })
        })
      }
      return child
    })
  }
  return { log, spawner }
}

const at = Effect.clockWith((clock) => clock.currentTimeMillis)

const config: Config.Config = {
  ...Config.defaults,
  workerRestartLimit: 5,
  workerRestartPeriod: Duration.minutes(1),
  workerStartTimeout: Duration.seconds(10),
  shutdownTimeout: Duration.seconds(30),
  workerDeathPolicy: "restart"
}

/** Runs slot 3 in the background; at the end of the test it is forced to end, because no clock runs any more. */
const run = Effect.fnUntraced(function*(spawner: Spawner["Service"], options: Partial<Config.Config> = {}) {
  const statuses: Array<Supervisor.Status> = []
  const onStatus = (status: Supervisor.Status) => Effect.sync(() => void statuses.push(status))
  const force = yield* Deferred.make<void>()
  const heard: Array<string> = []
  const fiber = yield* Supervisor.run(3, {
    config: { ...config, ...options },
    onStatus,
    force: Deferred.await(force),
    attach: (_, { pid }) =>
      Effect.asVoid(Effect.acquireRelease(
        Effect.sync(() => heard.push(`attach ${pid}`)),
        () => Effect.sync(() => heard.push(`detach ${pid}`))
      )),
    onMessage: (worker, message) => Effect.sync(() => void heard.push(`${message._tag} of ${worker}`)),
    onFatal: (error) => Effect.sync(() => void heard.push(`fatal: ${error.reason}`))
  })
    .pipe(Effect.provideService(Spawner, spawner), Effect.forkScoped({ startImmediately: true }))
  yield* Effect.addFinalizer(() => Deferred.succeed(force, undefined))
  // The test's clock waits for fibers that it woke, not for those that were running before.
  yield* Effect.repeat(Effect.yieldNow, { times: 50 })
  return { fiber, statuses, force, heard }
})

const failure = (fiber: Fiber.Fiber<never, Error>) =>
  Effect.map(Effect.flip(Fiber.join(fiber)), (error) => error as object as Readonly<Record<string, unknown>>)

describe("restart", () => {
  it.effect("is at once first, then after 100 ms, doubling, and the limit ends it with name, count and reason", () =>
    Effect.gen(function*() {
      const { log, spawner } = make([[[0, { _tag: "Failed", reason: "no database" }], [0, died]]])
      const { fiber } = yield* run(spawner)
      yield* TestClock.adjust("1 minute")
      const error = yield* failure(fiber)
      assert.deepInclude(error, { _tag: "WorkerStartError", worker: 3, attempts: 6, reason: "no database" })
      assert.deepStrictEqual(log, ["start 0", "start 0", "start 100", "start 300", "start 700", "start 1500"])
    }))

  it.effect("waits 5 seconds at most", () =>
    Effect.gen(function*() {
      const { log, spawner } = make([[[0, died]]])
      yield* run(spawner, { workerRestartLimit: 1000 })
      yield* TestClock.adjust("21300 millis")
      assert.deepStrictEqual(log.slice(-4), ["start 6300", "start 11300", "start 16300", "start 21300"])
    }))

  it.effect("is at once again after a worker that was ready for 10 seconds", () =>
    Effect.gen(function*() {
      const { log, spawner } = make([
        [[0, died]],
        [[0, died]],
        [[0, { _tag: "Ready" }], [10_000, killed]],
        [[0, { _tag: "Ready" }]]
      ])
      const { statuses } = yield* run(spawner)
      yield* TestClock.adjust("30 seconds")
      assert.deepStrictEqual(log, ["start 0", "start 0", "start 100", "start 10100"])
      assert.deepStrictEqual(statuses.at(-1), { _tag: "Ready", worker: 3, pid: 4 })
    }))

  it.effect("goes on for ever when deaths are rare", () =>
    Effect.gen(function*() {
      const { log, spawner } = make([[[0, { _tag: "Ready" }], [15_000, died]]])
      const { fiber } = yield* run(spawner)
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(log.length, 241)
      assert.isUndefined(fiber.pollUnsafe())
    }))

  it.effect("follows an exit with status 0 too", () =>
    Effect.gen(function*() {
      const { log, spawner } = make([[[0, { _tag: "Ready" }], [500, { ...died, code: 0 }]], [[0, { _tag: "Ready" }]]])
      yield* run(spawner)
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(log, ["start 0", "start 500"])
    }))

  it.effect("follows a start for which the system has no room", () =>
    Effect.gen(function*() {
      const { log, spawner } = make([new SpawnError({ reason: "EAGAIN" }), [[0, { _tag: "Ready" }]]])
      const { statuses } = yield* run(spawner)
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(log, ["start 0", "start 0"])
      assert.deepStrictEqual(statuses.map((status) => status._tag), ["Waiting", "Starting", "Ready"])
    }))

  it.effect("does not follow a failure that is final", () =>
    Effect.gen(function*() {
      const { spawner } = make([[[0, { _tag: "Failed", reason: "no such option", final: true }], [0, died]]])
      const { fiber } = yield* run(spawner)
      yield* TestClock.adjust("1 second")
      assert.deepInclude(yield* failure(fiber), { _tag: "AppError", reason: "no such option" })
    }))

  it.effect("does not follow a death under terminate", () =>
    Effect.gen(function*() {
      const { spawner } = make([[[0, { _tag: "Ready" }], [0, killed]]])
      const { fiber } = yield* run(spawner, { workerDeathPolicy: "terminate" })
      yield* TestClock.adjust("1 second")
      const death = { _tag: "WorkerDied", worker: 3, pid: 1, code: null, signal: "SIGKILL" }
      assert.deepInclude(yield* failure(fiber), death)
    }))
})

describe("a worker that ends the server", () => {
  it.effect("is not restarted, under any policy, and the error has its reason", () =>
    Effect.gen(function*() {
      for (const workerDeathPolicy of ["restart", "terminate"] as const) {
        const { log, spawner } = make([[
          [0, { _tag: "Ready" }],
          [10, { _tag: "Fatal", reason: "no licence", server: true }],
          [0, died]
        ]])
        const { fiber } = yield* run(spawner, { workerDeathPolicy })
        yield* TestClock.adjust("1 minute")
        assert.deepInclude(yield* failure(fiber), { _tag: "WorkerFatal", worker: 3, reason: "no licence" })
        assert.lengthOf(log, 1)
      }
    }))

  it.effect("is recognised by its exit status when its message has not come", () =>
    Effect.gen(function*() {
      const { spawner } = make([[[0, { _tag: "Ready" }], [10, { ...died, code: 114 }]]])
      const { fiber } = yield* run(spawner)
      yield* TestClock.adjust("1 minute")
      assert.deepInclude(yield* failure(fiber), { _tag: "WorkerFatal", worker: 3 })
    }))

  it.effect("and does not exit is killed", () =>
    Effect.gen(function*() {
      const { log, spawner } = make([[[0, { _tag: "Fatal", reason: "no licence", server: true }]]])
      const { fiber } = yield* run(spawner)
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(log, ["start 0", "SIGKILL 1000"])
      assert.deepInclude(yield* failure(fiber), { _tag: "WorkerFatal", reason: "no licence" })
    }))

  it.effect("while it is being stopped is told, by message or by status", () =>
    Effect.gen(function*() {
      for (const end of [{ _tag: "Fatal", reason: "no licence", server: true }, { ...died, code: 114 }] as const) {
        const { spawner } = make([[[0, { _tag: "Ready" }], [100, end], [0, { ...died, code: 114 }]]])
        const { fiber, heard } = yield* run(spawner)
        const stopped = yield* Effect.forkChild(Fiber.interrupt(fiber), { startImmediately: true })
        yield* TestClock.adjust("1 minute")
        yield* Fiber.join(stopped)
        assert.match(heard.find((line) => line.startsWith("fatal")) ?? "",
          end._tag === "Fatal" ? /no licence/ : /its own/)
      }
    }))

  it.effect("not, but only itself, is restarted with its reason", () =>
    Effect.gen(function*() {
      const { log, spawner } = make([
        [[0, { _tag: "Ready" }], [10, { _tag: "Fatal", reason: "disk full", server: false }], [0, died]],
        [[0, { _tag: "Ready" }]]
      ])
      const { statuses } = yield* run(spawner)
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(log, ["start 0", "start 10"])
      assert.deepInclude(statuses[2]!, { _tag: "Waiting", reason: "disk full" })
    }))
})

describe("what is not about the worker's life", () => {
  it.effect("is passed on in order, from the start to the end of its drain", () =>
    Effect.gen(function*() {
      const { spawner } = make([[
        [0, { _tag: "Shutdown" }],
        [0, { _tag: "Ready" }],
        [10, { _tag: "Taken", id: 1 }],
        [990, { _tag: "Taken", id: 2 }]
      ]], { drains: true })
      const { fiber, heard } = yield* run(spawner)
      yield* TestClock.adjust("900 millis")
      const stopped = yield* Effect.forkChild(Fiber.interrupt(fiber), { startImmediately: true })
      yield* TestClock.adjust("1 minute")
      yield* Fiber.join(stopped)
      assert.deepStrictEqual(heard, ["attach 1", "Shutdown of 3", "Taken of 3", "Taken of 3", "detach 1"])
    }))
})

describe("patience", () => {
  it.effect("a worker that is not ready in time is killed, which counts as a death", () =>
    Effect.gen(function*() {
      const { log, spawner } = make([[]])
      const { fiber } = yield* run(spawner, { workerRestartLimit: 0 })
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(log, ["start 0", "SIGKILL 10000"])
      assert.deepInclude(yield* failure(fiber), { attempts: 1, reason: "it was not ready within 10s" })
    }))

  it.effect("a worker that failed and does not exit is killed", () =>
    Effect.gen(function*() {
      const { log, spawner } = make([[[100, { _tag: "Failed", reason: "no database" }]]])
      const { fiber } = yield* run(spawner, { workerRestartLimit: 0 })
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(log, ["start 0", "SIGKILL 1100"])
      assert.deepInclude(yield* failure(fiber), { reason: "no database" })
    }))

  it.effect("a worker that stops by itself has as long as one that is told to", () =>
    Effect.gen(function*() {
      const { log, spawner } = make([[[0, { _tag: "Ready" }], [1_000, { _tag: "Stopping" }]], [[0, { _tag: "Ready" }]]])
      yield* run(spawner)
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(log, ["start 0", "SIGKILL 36000", "start 36000"])
    }))
})

describe("interruption", () => {
  it.effect("drains the worker and waits for its end", () =>
    Effect.gen(function*() {
      const { log, spawner } = make([[[0, { _tag: "Ready" }]]], { drains: true })
      const { fiber, statuses } = yield* run(spawner)
      yield* TestClock.adjust("1 second")
      const stopped = yield* Effect.forkChild(Fiber.interrupt(fiber), { startImmediately: true })
      yield* TestClock.adjust("299 millis")
      assert.isUndefined(stopped.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      yield* Fiber.join(stopped)
      assert.deepStrictEqual(log, ["start 0", "Drain 1000"])
      assert.strictEqual(statuses.at(-1)?._tag, "Stopping")
      assert.isTrue(Exit.isFailure(yield* Fiber.await(fiber)))
    }))

  it.effect("kills a worker that does not end, 5 seconds after its time", () =>
    Effect.gen(function*() {
      const { log, spawner } = make([[[0, { _tag: "Ready" }]]])
      const { fiber } = yield* run(spawner)
      const stopped = yield* Effect.forkChild(Fiber.interrupt(fiber), { startImmediately: true })
      yield* TestClock.adjust("1 minute")
      yield* Fiber.join(stopped)
      assert.deepStrictEqual(log, ["start 0", "Drain 0", "SIGKILL 35000"])
    }))

  it.effect("kills at once when it is forced to", () =>
    Effect.gen(function*() {
      const { log, spawner } = make([[[0, { _tag: "Ready" }]]])
      const { fiber, force } = yield* run(spawner)
      const stopped = yield* Effect.forkChild(Fiber.interrupt(fiber), { startImmediately: true })
      yield* TestClock.adjust("2 seconds")
      yield* Deferred.succeed(force, undefined)
      yield* Fiber.join(stopped)
      assert.deepStrictEqual(log, ["start 0", "Drain 0", "SIGKILL 2000"])
    }))

  it.effect("while it waits to restart starts nothing any more", () =>
    Effect.gen(function*() {
      const { log, spawner } = make([[[0, died]]])
      const { fiber } = yield* run(spawner)
      yield* TestClock.adjust("50 millis")
      yield* Fiber.interrupt(fiber)
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(log, ["start 0", "start 0"])
    }))
})
