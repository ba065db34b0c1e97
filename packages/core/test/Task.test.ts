import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as EffectScheduler from "effect/Scheduler"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import { AsyncLocalStorage } from "node:async_hooks"
import * as Scheduler from "../src/Scheduler.ts"
import * as Task from "../src/Task.ts"
import * as Tracer from "../src/Tracer.ts"

interface Report {
  readonly cause: string
  readonly origin: Tracer.Origin
}

/** Runs with tasks, and a tracer that collects what it is given. */
const withTasks = <A, E, R>(f: (reports: Array<Report>) => Effect.Effect<A, E, R | Task.Tasks>) =>
  Effect.suspend(() => {
    const reports: Array<Report> = []
    const tracer = Tracer.layer((cause, origin) =>
      Effect.sync(() => reports.push({ cause: String(Cause.squash(cause)), origin }))
    )
    return Effect.provide(f(reports), Layer.provide(Task.Tasks.layer, tracer))
  })

/** A cleanup that itself waits. */
const slowly = (events: Array<string>) =>
  Effect.andThen(Effect.sleep("1 second"), Effect.sync(() => events.push("cleaned up")))

const never = Effect.never

describe("create", () => {
  it.effect("gives a task with an id, a name and its result", () =>
    withTasks(() =>
      Effect.gen(function*() {
        const task = yield* Task.create(Effect.succeed("done"), { name: "quick" })
        assert.strictEqual(task.name, "quick")
        assert.deepStrictEqual(yield* task.await, Exit.succeed("done"))
        const nameless = yield* Task.create(Effect.void)
        assert.isAbove(nameless.id, task.id)
        assert.strictEqual(nameless.name, `task-${nameless.id}`)
      })
    ))

  it.effect("runs nothing of the task before the creator suspends, and then tasks in order", () =>
    withTasks(() =>
      Effect.gen(function*() {
        const order: Array<string> = []
        for (const name of ["a", "b", "c"]) yield* Task.create(Effect.sync(() => order.push(name)))
        assert.deepStrictEqual(order, [])
        yield* Effect.yieldNow
        assert.deepStrictEqual(order, ["a", "b", "c"])
      })
    ))

  it.effect("a task survives the end and the interruption of the fiber that created it", () =>
    withTasks(() =>
      Effect.gen(function*() {
        const ended: Array<string> = []
        const work = (name: string) => Effect.andThen(Effect.sleep("1 second"), Effect.sync(() => ended.push(name)))
        yield* Fiber.join(yield* Effect.forkChild(Task.create(work("of the ended"))))
        const request = yield* Effect.forkChild(Effect.andThen(Task.create(work("of the interrupted")), never))
        yield* Effect.yieldNow
        yield* Fiber.interrupt(request)
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(ended, ["of the ended", "of the interrupted"])
      })
    ))

  it.effect("a task has the services of its creator", () =>
    withTasks(() => {
      class User extends Context.Service<User, string>()("test/User") {}
      return Effect.gen(function*() {
        const task = yield* Task.create(User)
        assert.deepStrictEqual(yield* task.await, Exit.succeed("ada"))
      }).pipe(Effect.provideService(User, "ada"))
    }))

  it.effect("a task has a scope of its own, which closes when it ends and not with the request's", () =>
    withTasks(() =>
      Effect.gen(function*() {
        const events: Array<string> = []
        const work = Effect.gen(function*() {
          yield* Effect.addFinalizer((exit) => Effect.sync(() => events.push(`released on ${exit._tag}`)))
          yield* Effect.sleep("1 second")
          events.push("worked")
        })
        const task = yield* Effect.scoped(Task.create(work))
        yield* TestClock.adjust("1 second")
        yield* task.await
        assert.deepStrictEqual(events, ["worked", "released on Success"])
      })
    ))

  it.effect("a chain of 20,000 tasks that each create the next does not nest", () =>
    withTasks(() =>
      Effect.gen(function*() {
        const end = yield* Deferred.make<void>()
        const chain = (n: number): Effect.Effect<unknown, never, Task.Tasks> =>
          n === 0 ? Deferred.succeed(end, undefined) : Task.create(Effect.suspend(() => chain(n - 1)))
        yield* chain(20_000)
        yield* Deferred.await(end)
      })
    ))

  describe("and waiting for it at once, as a worker does", () => {
    const onWorker = <A, E>(effect: Effect.Effect<A, E, Task.Tasks>) =>
      Effect.provideService(withTasks(() => effect), EffectScheduler.Scheduler, Scheduler.make())

    it.effect("begins the tasks before it first, and starts none twice", () =>
      onWorker(Effect.gen(function*() {
        const order: Array<string> = []
        const task = (name: string) => Task.create(Effect.sync(() => order.push(name)))
        yield* task("a")
        yield* (yield* task("b")).await
        yield* (yield* task("c")).await
        yield* task("d")
        const killed = yield* task("killed")
        yield* killed.kill
        yield* (yield* task("e")).await
        yield* Scheduler.turn
        assert.deepStrictEqual(order, ["a", "b", "c", "d", "e"])
      })))

    it.effect("10,000 tasks deep does not nest", () =>
      onWorker(Effect.gen(function*() {
        const sum = (n: number): Effect.Effect<number, never, Task.Tasks> =>
          n === 0 ? Effect.succeed(0) : Effect.flatMap(
            Task.create(Effect.suspend(() => sum(n - 1))),
            (task) => Effect.flatMap(task.await, (exit) => Exit.isSuccess(exit) ? Effect.succeed(exit.value + 1) : exit)
          )
        assert.strictEqual(yield* sum(10_000), 10_000)
      })))

    it.effect("for ever lets the event loop turn", () =>
      onWorker(Effect.gen(function*() {
        let hasTurned = false
        setImmediate(() => {
          hasTurned = true
        })
        let tasks = 0
        while (!hasTurned) {
          yield* (yield* Task.create(Effect.void)).await
          tasks++
        }
        assert.isAtMost(tasks, 2 * Scheduler.wakesPerTurn)
      })))

    it.effect("a task that suspends ends the wait when it ends, and one that kills its waiter does so", () =>
      onWorker(Effect.gen(function*() {
        const slow = yield* Task.create(Effect.as(Scheduler.turn, "done"))
        assert.deepStrictEqual(yield* slow.await, Exit.succeed("done"))
        const waiter: Task.Task<unknown> = yield* Task.create(Effect.gen(function*() {
          yield* (yield* Task.create(Effect.suspend(() => waiter.kill))).await
          return yield* Effect.never
        }))
        assert.isTrue(Exit.hasInterrupts(yield* waiter.await))
      })))
  })

  it.effect("interrupting the wait for a task leaves the task alone", () =>
    withTasks(() =>
      Effect.gen(function*() {
        const task = yield* Task.create(Effect.as(Effect.sleep("1 second"), "done"))
        yield* Fiber.interrupt(yield* Effect.forkChild(task.await, { startImmediately: true }))
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(yield* task.await, Exit.succeed("done"))
      })
    ))
})

describe("kill", () => {
  it.effect("runs finalizers that wait, and returns when the task has ended", () =>
    withTasks(() =>
      Effect.gen(function*() {
        const events: Array<string> = []
        const task = yield* Task.create(Effect.ensuring(never, slowly(events)))
        yield* Effect.yieldNow
        const killer = yield* Effect.forkChild(
          Effect.tap(Task.kill(task.id), (alive) => Effect.sync(() => events.push(`killed ${alive}`)))
        )
        yield* TestClock.adjust("999 millis")
        assert.deepStrictEqual(events, [])
        yield* TestClock.adjust("1 millis")
        yield* Fiber.join(killer)
        assert.deepStrictEqual(events, ["cleaned up", "killed true"])
      })
    ))

  it.effect("kills a task through its handle, and is false once it has ended", () =>
    withTasks(() =>
      Effect.gen(function*() {
        const task = yield* Task.create(never)
        assert.isTrue(yield* task.kill)
        assert.isFalse(yield* task.kill)
      })
    ))

  it.effect("is false for ids that never were, and for tasks that have ended or were killed", () =>
    withTasks(() =>
      Effect.gen(function*() {
        const ended = yield* Task.create(Effect.void)
        yield* ended.await
        const killed = yield* Task.create(never)
        yield* Task.kill(killed.id)
        for (const id of [ended.id, killed.id, 0, -1, 1.5, 2 ** 70, Number.NaN]) assert.isFalse(yield* Task.kill(id))
      })
    ))

  it.effect("a task killed before its first step never runs", () =>
    withTasks((reports) =>
      Effect.gen(function*() {
        const task = yield* Task.create(Effect.die("ran"))
        assert.isTrue(yield* Task.kill(task.id))
        assert.isTrue(Exit.hasInterrupts(yield* task.await))
        yield* Effect.yieldNow
        assert.deepStrictEqual(reports, [])
      })
    ))

  it.effect("a task may kill itself: it ends, and its finalizers run", () =>
    withTasks(() =>
      Effect.gen(function*() {
        const events: Array<string> = []
        const suicide = Effect.gen(function*() {
          yield* Task.kill(Option.getOrThrow(yield* Task.currentId))
          events.push("went on")
        })
        const task = yield* Task.create(Effect.ensuring(suicide, Effect.sync(() => events.push("cleaned up"))))
        assert.isTrue(Exit.hasInterrupts(yield* task.await))
        assert.deepStrictEqual(events, ["cleaned up"])
      })
    ))

  it.effect("a task that kills itself where it cannot be interrupted goes on to the end of that region", () =>
    withTasks(() =>
      Effect.gen(function*() {
        const events: Array<string> = []
        const stubborn = Effect.uninterruptible(Effect.gen(function*() {
          yield* Task.kill(Option.getOrThrow(yield* Task.currentId))
          events.push("finished first")
        }))
        const task = yield* Task.create(Effect.andThen(stubborn, Effect.sync(() => events.push("went on"))))
        assert.isTrue(Exit.hasInterrupts(yield* task.await))
        assert.deepStrictEqual(events, ["finished first"])
      })
    ))

  it.effect("a task killed by a fiber that it started itself ends, and so does that fiber", () =>
    withTasks(() =>
      Effect.gen(function*() {
        const child = Effect.uninterruptible(
          Effect.flatMap(Task.currentId, (id) => Task.kill(Option.getOrThrow(id)))
        )
        const task = yield* Task.create(Effect.andThen(Effect.forkChild(child), never))
        assert.isTrue(Exit.hasInterrupts(yield* task.await))
      })
    ))

  it.effect("two tasks that kill each other both end", () =>
    withTasks(() =>
      Effect.gen(function*() {
        const ids: Array<Task.Id> = []
        const killOther = (other: number) =>
          Effect.andThen(Effect.yieldNow, Effect.suspend(() => Task.kill(ids[other]!)))
        const a = yield* Task.create(killOther(1))
        const b = yield* Task.create(killOther(0))
        ids.push(a.id, b.id)
        yield* a.await
        yield* b.await
      })
    ))
})

describe("a task that fails", () => {
  it.effect("is reported once, with its name and id", () =>
    withTasks((reports) =>
      Effect.gen(function*() {
        const failed = yield* Task.create(Effect.fail("no coffee"), { name: "breakfast" })
        const died = yield* Task.create(Effect.die("no kitchen"))
        yield* failed.await
        yield* failed.await
        yield* died.await
        assert.deepStrictEqual(reports, [
          { cause: "no coffee", origin: { kind: "task", name: "breakfast", id: failed.id } },
          { cause: "no kitchen", origin: { kind: "task", name: died.name, id: died.id } }
        ])
      })
    ))

  it.effect("has been reported when kill returns, if it fails while it is killed", () =>
    withTasks((reports) =>
      Effect.gen(function*() {
        const task = yield* Task.create(Effect.ensuring(never, Effect.die("stuck door")))
        yield* Effect.yieldNow
        assert.isTrue(yield* Task.kill(task.id))
        assert.deepStrictEqual(reports.map((report) => report.cause), ["stuck door"])
      })
    ))

  it.effect("is not reported when it succeeds or is killed", () =>
    withTasks((reports) =>
      Effect.gen(function*() {
        yield* (yield* Task.create(Effect.void)).await
        yield* (yield* Task.create(never)).kill
        assert.deepStrictEqual(reports, [])
      })
    ))
})

describe("currentId", () => {
  it.effect("is the id of the task, also in fibers that the task starts, and none outside", () =>
    withTasks(() =>
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* Task.currentId, Option.none())
        const outer = yield* Task.create(
          Effect.all([
            Task.currentId,
            Effect.flatMap(Effect.forkChild(Task.currentId), Fiber.join),
            Effect.flatMap(Task.create(Task.currentId), (inner) => Effect.map(inner.await, (exit) => [inner.id, exit]))
          ])
        )
        const [own, child, inner] = yield* Effect.flatten(outer.await)
        assert.deepStrictEqual(own, Option.some(outer.id))
        assert.deepStrictEqual(child, Option.some(outer.id))
        assert.deepStrictEqual(inner, [inner[0], Exit.succeed(Option.some(inner[0]))])
        assert.notStrictEqual(inner[0], outer.id)
      })
    ))
})

describe("setName", () => {
  it.effect("renames the task it runs in, for lists and reports, and does nothing outside (kore §5: coroname raises)", () =>
    withTasks((reports) =>
      Effect.gen(function*() {
        yield* Task.setName("nobody")
        const task = yield* Task.create(Effect.andThen(Task.setName("mail to ada"), Effect.fail("no stamps")))
        yield* task.await
        assert.strictEqual(task.name, "mail to ada")
        assert.strictEqual(reports[0]?.origin.name, "mail to ada")
      })
    ))
})

describe("the end of a task", () => {
  it.effect("a finalizer that dies is part of how the task ended, and is reported with it", () =>
    withTasks((reports) =>
      Effect.gen(function*() {
        const dies = Effect.addFinalizer(() => Effect.die("no mop"))
        const succeeded = yield* Task.create(dies)
        const failed = yield* Task.create(Effect.andThen(dies, Effect.fail("no coffee")))
        const killed = yield* Task.create(Effect.andThen(dies, never))
        yield* Effect.yieldNow
        assert.isTrue(yield* killed.kill)
        for (const task of [succeeded, failed, killed]) assert.isTrue(Exit.hasDies(yield* task.await))
        assert.isTrue(Exit.hasFails(yield* failed.await))
        assert.isTrue(Exit.hasInterrupts(yield* killed.await))
        assert.deepStrictEqual(new Set(reports.map((report) => report.origin.id)),
          new Set([succeeded.id, failed.id, killed.id]))
      })
    ))

  it.effect("a task is alive until its finalizers have run, and a second kill waits for them too", () =>
    withTasks(() =>
      Effect.gen(function*() {
        const events: Array<string> = []
        const task = yield* Task.create(
          Effect.andThen(Effect.addFinalizer(() => Effect.orDie(slowly(events))), Effect.void)
        )
        yield* Effect.yieldNow
        const kills = yield* Effect.forkChild(Effect.all([task.kill, Task.kill(task.id)], { concurrency: 2 }), {
          startImmediately: true
        })
        assert.deepStrictEqual(events, [])
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(yield* Fiber.join(kills), [true, true])
        assert.deepStrictEqual(events, ["cleaned up"])
        assert.isFalse(yield* task.kill)
      })
    ))

  it.effect("what a detached fiber acquires in the scope of a task that has ended is released at once", () =>
    withTasks(() =>
      Effect.gen(function*() {
        const events: Array<string> = []
        const gate = yield* Deferred.make<void>()
        const late = Effect.andThen(Deferred.await(gate), Effect.addFinalizer(() =>
          Effect.sync(() => events.push("released"))
        ))
        const task = yield* Task.create(Effect.forkDetach(late))
        const detached = yield* Effect.flatMap(task.await, (exit) => exit)
        yield* Deferred.succeed(gate, undefined)
        yield* Fiber.join(detached)
        assert.deepStrictEqual(events, ["released"])
      })
    ))

  it.effect("whoever waits for a task that is killed before its turn is told so", () =>
    withTasks(() =>
      Effect.gen(function*() {
        const task = yield* Task.create(Effect.die("never ran"))
        const waiting = yield* Effect.forkChild(task.await, { startImmediately: true })
        assert.isTrue(yield* task.kill)
        assert.isTrue(Exit.hasInterrupts(yield* Fiber.join(waiting)))
      })
    ))

  it.effect("a task has what AsyncLocalStorage held for its creator", () =>
    withTasks(() =>
      Effect.gen(function*() {
        const storage = new AsyncLocalStorage<string>()
        const tasks = yield* Task.Tasks
        const read = Effect.sync(() => storage.getStore())
        const task = storage.run("ada", () => tasks.createUnsafe(Context.empty(), read))
        assert.deepStrictEqual(yield* task.await, Exit.succeed("ada"))
      })
    ))
})

describe("the worker's scope", () => {
  it.effect("ends all tasks when it closes, and waits for their finalizers", () =>
    Effect.gen(function*() {
      const events: Array<string> = []
      const worker = yield* Effect.forkChild(withTasks(() =>
        Effect.gen(function*() {
          for (let n = 0; n < 3; n++) yield* Task.create(Effect.ensuring(never, slowly(events)))
          yield* Effect.yieldNow
        })
      ))
      yield* TestClock.adjust("999 millis")
      assert.deepStrictEqual(events, [])
      yield* TestClock.adjust("1 millis")
      yield* Fiber.join(worker)
      assert.strictEqual(events.length, 3)
    }))

  it.effect("a task created while it closes never runs", () =>
    Effect.gen(function*() {
      const events: Array<string> = []
      yield* withTasks(() =>
        Effect.gen(function*() {
          const late = Effect.flatMap(Task.create(Effect.sync(() => events.push("ran"))), (task) => task.await)
          const cleanup = Effect.andThen(late, Effect.sync(() => events.push("cleaned up")))
          yield* Task.create(Effect.ensuring(never, cleanup))
          yield* Effect.yieldNow
        })
      )
      assert.deepStrictEqual(events, ["cleaned up"])
    }))

  it.effect("may be closed from inside a task", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const tasks = yield* Scope.provide(Task.Tasks.make, scope).pipe(Effect.provide(Tracer.layerDefault))
      const others: Array<Task.Task> = []
      const task = tasks.createUnsafe(Context.empty(), Scope.close(scope, Exit.void))
      others.push(tasks.createUnsafe(Context.empty(), never))
      assert.isTrue(Exit.hasInterrupts(yield* task.await))
      assert.isTrue(Exit.hasInterrupts(yield* others[0]!.await))
    }))
})
