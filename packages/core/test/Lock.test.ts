import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as EffectScheduler from "effect/Scheduler"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import * as WaitList from "../src/internal/WaitList.ts"
import * as Lock from "../src/Lock.ts"

const start = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.forkChild(effect, { startImmediately: true })
const isFree = (lock: Lock.Lock) => Effect.map(Lock.holder(lock), Option.isNone)
const isDone = (fiber: Fiber.Fiber<unknown, unknown>) => fiber.pollUnsafe() !== undefined

/** Collects garbage, after the turn of the event loop that keeps what a WeakRef was asked for. */
const collectGarbage = Effect.andThen(
  Effect.callback<void>((resume) => {
    setImmediate(() => resume(Effect.void))
  }),
  Effect.sync(() => {
    setFlagsFromString("--expose-gc")
    runInNewContext("gc")()
  })
)

/** Lets every woken fiber run. */
const settle = Effect.forEach([1, 2, 3, 4], () => Effect.yieldNow, { discard: true })

/** A lock that a fiber holds until it is interrupted or let go. */
const held = Effect.gen(function*() {
  const lock = yield* Lock.make
  const gate = yield* Deferred.make<void>()
  const holder = yield* start(Lock.withLock(lock, Deferred.await(gate)))
  return { lock, holder, letGo: Effect.andThen(Deferred.succeed(gate, undefined), settle) }
})

/** A fiber that waits for the lock and then ends; tells its name when it has it. */
const asking = (lock: Lock.Lock, order: Array<string>, name: string) =>
  start(Lock.withLock(lock, Effect.sync(() => order.push(name))))

describe("withLock", () => {
  it.effect("gives the result of the effect, in both notations", () =>
    Effect.gen(function*() {
      const lock = Lock.makeUnsafe()
      assert.strictEqual(yield* Lock.withLock(lock, Effect.succeed(1)), 1)
      assert.strictEqual(yield* Effect.succeed(2).pipe(Lock.withLock(lock)), 2)
      assert.isTrue(yield* isFree(lock))
    }))

  it.effect("does not suspend when the lock is free", () =>
    Effect.gen(function*() {
      const lock = yield* Lock.make
      assert.isTrue(isDone(yield* start(Lock.withLock(lock, Effect.void))))
    }))

  it.effect("serves waiters in the order in which they asked", () =>
    Effect.gen(function*() {
      const { letGo, lock } = yield* held
      const order: Array<string> = []
      for (const name of ["a", "b", "c"]) yield* asking(lock, order, name)
      assert.strictEqual(yield* Lock.waiting(lock), 3)
      yield* letGo
      assert.deepStrictEqual(order, ["a", "b", "c"])
      assert.isTrue(yield* isFree(lock))
    }))

  // There a task that releases and asks again in a loop ran all of its rounds before any waiter.
  it.effect("kore §10: a fiber that releases and asks again goes behind those that wait", () =>
    Effect.gen(function*() {
      const lock = yield* Lock.make
      const order: Array<string> = []
      const loop = (name: string) =>
        Effect.forEach([1, 2, 3],
          () => Lock.withLock(lock, Effect.andThen(Effect.sync(() => order.push(name)), Effect.yieldNow)))
      yield* Effect.all([loop("a"), loop("b")], { concurrency: 2 })
      assert.deepStrictEqual(order, ["a", "b", "a", "b", "a", "b"])
    }))

  it.effect("kore §2.5: release on interrupt hands the lock to the next waiter", () =>
    Effect.gen(function*() {
      const { holder, lock } = yield* held
      const order: Array<string> = []
      const next = yield* asking(lock, order, "next")
      yield* Fiber.interrupt(holder)
      yield* Fiber.join(next)
      assert.deepStrictEqual(order, ["next"])
    }))

  for (const [how, failure] of [["fails", Effect.fail("no")], ["dies", Effect.die("no")]] as const) {
    it.effect(`releases when the work ${how}, and passes the failure on`, () =>
      Effect.gen(function*() {
        const lock = yield* Lock.make
        const exit = yield* Effect.exit(Lock.withLock(lock, failure))
        assert.deepStrictEqual<unknown>(exit, yield* Effect.exit(failure))
        assert.isTrue(yield* isFree(lock))
      }))
  }

  it.effect("an interrupted waiter leaves no trace", () =>
    Effect.gen(function*() {
      const { letGo, lock } = yield* held
      const order: Array<string> = []
      yield* asking(lock, order, "first")
      const second = yield* asking(lock, order, "second")
      yield* asking(lock, order, "third")
      yield* Fiber.interrupt(second)
      assert.strictEqual(yield* Lock.waiting(lock), 2)
      yield* letGo
      assert.deepStrictEqual(order, ["first", "third"])
    }))

  // There the wake-up is lost: the lock is free, and those that wait sleep on.
  it.effect("kore §10: a waiter interrupted between getting the lock and running passes it on", () =>
    Effect.gen(function*() {
      const { holder, lock } = yield* held
      const order: Array<string> = []
      const first = yield* asking(lock, order, "first")
      const second = yield* asking(lock, order, "second")
      holder.interruptUnsafe()
      assert.deepStrictEqual(yield* Lock.holder(lock), Option.some(first.id))
      first.interruptUnsafe()
      assert.deepStrictEqual(yield* Lock.holder(lock), Option.some(second.id))
      yield* Fiber.join(second)
      assert.deepStrictEqual(order, ["second"])
      assert.isTrue(yield* isFree(lock))
    }))

  it.effect("wakes exactly one waiter per release", () =>
    Effect.gen(function*() {
      const { letGo, lock } = yield* held
      const inside: Array<number> = []
      for (let n = 0; n < 5; n++) {
        yield* start(Lock.withLock(lock, Effect.andThen(Effect.sync(() => inside.push(n)), Effect.never)))
      }
      yield* letGo
      assert.deepStrictEqual(inside, [0])
      assert.strictEqual(yield* Lock.waiting(lock), 4)
    }))

  it.effect("lets a waiter that cannot be interrupted go on waiting, and serves it", () =>
    Effect.gen(function*() {
      const { letGo, lock } = yield* held
      const order: Array<string> = []
      const stubborn = yield* start(Effect.uninterruptible(Lock.withLock(lock, Effect.sync(() => order.push("in")))))
      stubborn.interruptUnsafe()
      assert.strictEqual(yield* Lock.waiting(lock), 1)
      yield* letGo
      assert.deepStrictEqual(order, ["in"])
      assert.isTrue(yield* isFree(lock))
    }))

  it.effect("kore §10: a fiber that asks for the lock it holds dies instead of waiting for itself, and still holds it", () =>
    Effect.gen(function*() {
      const lock = yield* Lock.make
      yield* Lock.withLock(lock, Effect.gen(function*() {
        const exit = yield* Effect.exit(Lock.withLock(lock, Effect.void))
        assert.isTrue(Exit.isFailure(exit) && Cause.squash(exit.cause) instanceof Lock.LockReentered)
        assert.isFalse(yield* isFree(lock))
      }))
      assert.isTrue(yield* isFree(lock))
    }))

  it.effect("kore §10: an acquire that is never run takes no place in the line", () =>
    Effect.gen(function*() {
      const lock = yield* Lock.make
      const unused = Lock.acquire(lock)
      assert.isTrue(isDone(yield* start(Lock.withLock(lock, Effect.void))))
      assert.isTrue(Effect.isEffect(unused) && (yield* isFree(lock)))
    }))

  it.effect("a line of 20,000 waiters is served without nesting", () =>
    Effect.gen(function*() {
      const { letGo, lock } = yield* held
      const order: Array<string> = []
      const fibers = []
      for (let n = 0; n < 20_000; n++) fibers.push(yield* asking(lock, order, "in"))
      yield* letGo
      yield* Fiber.awaitAll(fibers)
      assert.strictEqual(order.length, 20_000)
    }))

  // The check for a pending interruption sits in other places when a fiber yields at almost every step.
  it.effect("is released by a fiber that was made to yield and interrupted right after taking it", () =>
    Effect.gen(function*() {
      const lock = yield* Lock.make
      for (let budget = 3; budget < 12; budget++) {
        for (let turns = 0; turns < 12; turns++) {
          const fiber = yield* start(Effect.provideService(
            Effect.forever(Lock.withLock(lock, Effect.void)),
            EffectScheduler.MaxOpsBeforeYield,
            budget
          ))
          for (let turn = 0; turn < turns; turn++) yield* Effect.yieldNow
          yield* Fiber.interrupt(fiber)
          assert.isTrue(yield* isFree(lock))
        }
      }
    }))
})

describe("withLockIfAvailable", () => {
  it.effect("runs the effect if the lock is free, and releases", () =>
    Effect.gen(function*() {
      const lock = yield* Lock.make
      assert.deepStrictEqual(yield* Lock.withLockIfAvailable(lock, Effect.succeed(1)), Option.some(1))
      assert.deepStrictEqual(yield* Effect.exit(Lock.withLockIfAvailable(lock)(Effect.fail("no"))), Exit.fail("no"))
      assert.isTrue(yield* isFree(lock))
    }))

  it.effect("does nothing and does not wait if the lock is held, by another fiber or this one", () =>
    Effect.gen(function*() {
      const { lock } = yield* held
      assert.deepStrictEqual(yield* Lock.withLockIfAvailable(lock, Effect.die("ran")), Option.none())
      assert.isFalse(yield* isFree(lock))
      const own = yield* Lock.make
      yield* Lock.withLock(own, Effect.gen(function*() {
        assert.deepStrictEqual(yield* Lock.withLockIfAvailable(own, Effect.die("ran")), Option.none())
        assert.isFalse(yield* isFree(own))
      }))
    }))
})

describe("acquire", () => {
  it.effect("holds the lock until the scope closes, and then wakes the next waiter", () =>
    Effect.gen(function*() {
      const lock = yield* Lock.make
      const scope = yield* Scope.make()
      yield* Scope.provide(Lock.acquire(lock), scope)
      const order: Array<string> = []
      const next = yield* asking(lock, order, "next")
      yield* settle
      assert.deepStrictEqual(order, [])
      yield* Scope.close(scope, Exit.void)
      yield* Fiber.join(next)
      assert.isTrue(yield* isFree(lock))
    }))

  it.effect("an interrupted waiter leaves no trace, before and after it was given the lock", () =>
    Effect.gen(function*() {
      const { holder, lock } = yield* held
      const early = yield* start(Effect.scoped(Lock.acquire(lock)))
      const late = yield* start(Effect.scoped(Lock.acquire(lock)))
      early.interruptUnsafe()
      assert.strictEqual(yield* Lock.waiting(lock), 1)
      holder.interruptUnsafe()
      assert.deepStrictEqual(yield* Lock.holder(lock), Option.some(late.id))
      late.interruptUnsafe()
      yield* settle
      assert.isTrue(yield* isFree(lock))
    }))

  it.effect("releases at once when the scope is closed already", () =>
    Effect.gen(function*() {
      const lock = yield* Lock.make
      const scope = yield* Scope.make()
      yield* Scope.close(scope, Exit.void)
      yield* Scope.provide(Lock.acquire(lock), scope)
      assert.isTrue(yield* isFree(lock))
    }))

  it.effect("acquireIfAvailable holds a free lock, and says so when it is not free", () =>
    Effect.gen(function*() {
      const lock = yield* Lock.make
      yield* Effect.scoped(Effect.gen(function*() {
        assert.isTrue(yield* Lock.acquireIfAvailable(lock))
        assert.isFalse(yield* Lock.acquireIfAvailable(lock))
      }))
      assert.isTrue(yield* isFree(lock))
    }))
})

describe("a lock's timeout", () => {
  for (
    const [how, waiting] of [
      ["withLock", (lock: Lock.Lock) => Lock.withLock(lock, Effect.void)],
      ["acquire", (lock: Lock.Lock) => Effect.scoped(Lock.acquire(lock))],
      ["acquire, of its own,", (lock: Lock.Lock) => Effect.scoped(Lock.acquire(lock, { timeout: "1 second" }))]
    ] as const
  ) {
    it.effect(`kore §10: a wait that ${how} gives up in time leaves no trace`, () =>
      Effect.gen(function*() {
        const { letGo, lock } = yield* held
        const order: Array<string> = []
        yield* asking(lock, order, "first")
        const patient = yield* start(Effect.exit(
          how.startsWith("acquire,") ? waiting(lock) : Effect.timeout(waiting(lock), "1 second")
        ))
        yield* asking(lock, order, "last")
        assert.strictEqual(yield* Lock.waiting(lock), 3)
        yield* TestClock.adjust("1 second")
        const exit = yield* Fiber.join(patient)
        assert.isTrue(Exit.isFailure(exit) && Cause.isTimeoutError(Cause.squash(exit.cause)))
        assert.strictEqual(yield* Lock.waiting(lock), 2)
        yield* letGo
        assert.deepStrictEqual(order, ["first", "last"])
        assert.isTrue(yield* isFree(lock))
      }))
  }

  it.effect("around withLock ends the work as well, and releases", () =>
    Effect.gen(function*() {
      const lock = yield* Lock.make
      const slow = yield* start(Effect.exit(Effect.timeout(Lock.withLock(lock, Effect.never), "1 second")))
      yield* TestClock.adjust("1 second")
      assert.isTrue(Exit.isFailure(yield* Fiber.join(slow)))
      assert.isTrue(yield* isFree(lock))
    }))

  it.effect("around acquire limits the wait and not the work, and the lock is released with the scope", () =>
    Effect.gen(function*() {
      const lock = yield* Lock.make
      const work = Effect.andThen(Effect.sleep("1 minute"), Effect.succeed("done"))
      const patient = yield* start(
        Effect.scoped(Effect.andThen(Effect.timeout(Lock.acquire(lock), "1 second"), work))
      )
      yield* TestClock.adjust("59 seconds")
      assert.isFalse(yield* isFree(lock))
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* Fiber.join(patient), "done")
      assert.isTrue(yield* isFree(lock))
    }))

  it.effect("of acquire limits the wait and not the work; whoever asked is the holder, and the error says who holds it", () =>
    Effect.gen(function*() {
      const lock = yield* Lock.makeNamed("ledger")
      const acquire = Lock.acquire(lock, { timeout: "1 second" })
      const patient = yield* start(Effect.scoped(Effect.gen(function*() {
        yield* acquire
        const again = yield* Effect.exit(acquire)
        yield* Effect.sleep("1 minute")
        return { again, holder: yield* Lock.holder(lock), self: yield* Effect.fiberId }
      })))
      const late = yield* start(Effect.flip(Effect.scoped(acquire)))
      yield* TestClock.adjust("1 second")
      const error = yield* Fiber.join(late)
      assert.match(error.message,
        new RegExp(`^The wait for lock ledger timed out after 1s. It is held by fiber ${patient.id}`))
      const next = yield* start(Effect.scoped(Lock.acquire(lock, { timeout: "1 hour" })))
      yield* TestClock.adjust("59 seconds")
      const { again, holder, self } = yield* Fiber.join(patient)
      assert.deepStrictEqual(holder, Option.some(self))
      assert.isTrue(Exit.isFailure(again) && Cause.squash(again.cause) instanceof Lock.LockReentered)
      yield* Fiber.join(next)
      assert.isTrue(yield* isFree(lock))
    }))

  it.effect("that comes at the moment the lock does loses nothing", () =>
    Effect.gen(function*() {
      const lock = yield* Lock.make
      const holder = yield* start(Lock.withLock(lock, Effect.sleep("1 second")))
      const patient = yield* start(Effect.exit(Effect.timeout(Lock.withLock(lock, Effect.void), "1 second")))
      const last = yield* start(Lock.withLock(lock, Effect.void))
      yield* TestClock.adjust("1 second")
      yield* Fiber.awaitAll([holder, patient, last])
      assert.isTrue(yield* isFree(lock))
    }))
})

describe("what people see of a lock", () => {
  const waits = (fiber: Fiber.Fiber<unknown, unknown>) => WaitList.values().filter((wait) => wait.fiber === fiber)

  it.effect("a waiter is listed with the lock's name and its holder, since it began to wait, and until it has the lock", () =>
    Effect.gen(function*() {
      const lock = yield* Lock.makeNamed("ledger")
      const gate = yield* Deferred.make<void>()
      const holder = yield* start(Lock.withLock(lock, Deferred.await(gate)))
      const before = Math.trunc(performance.now())
      const waiter = yield* start(Lock.withLock(lock, Effect.never))
      const [wait, ...others] = waits(waiter)
      assert.deepStrictEqual(others, [])
      assert.deepStrictEqual(wait!.describe(), { kind: "lock", what: `lock ledger, held by fiber ${holder.id}` })
      assert.isAtLeast(wait!.since, before - 1)
      assert.isAtMost(wait!.since, performance.now())
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.join(holder)
      assert.deepStrictEqual(waits(waiter), [])
      yield* Fiber.interrupt(waiter)
    }))

  it.effect("a waiter that gives up is listed no more, and a lock without a name is a lock", () =>
    Effect.gen(function*() {
      const { holder, lock } = yield* held
      const waiter = yield* start(Effect.scoped(Lock.acquire(lock)))
      assert.deepStrictEqual(waits(waiter).map((wait) => wait.describe().what), [`lock, held by fiber ${holder.id}`])
      yield* Fiber.interrupt(waiter)
      assert.deepStrictEqual(waits(waiter), [])
    }))

  it.effect("the defect of a fiber that asks twice names the lock", () =>
    Effect.gen(function*() {
      const lock = Lock.makeUnsafe({ name: "ledger" })
      const exit = yield* Effect.exit(Lock.withLock(lock, Lock.withLock(lock, Effect.void)))
      const error = Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined
      assert.isTrue(error instanceof Lock.LockReentered && error.message.includes("lock ledger"))
    }))

  it.effect("a thousand locks that were waited for once are not kept", () =>
    Effect.gen(function*() {
      const refs: Array<WeakRef<Lock.Lock>> = []
      for (let n = 0; n < 1000; n++) {
        const { holder, lock } = yield* held
        const waiter = yield* start(Lock.withLock(lock, Effect.void))
        yield* Fiber.interruptAll([waiter, holder])
        refs.push(new WeakRef(lock))
      }
      yield* collectGarbage
      assert.isAtMost(refs.filter((ref) => ref.deref() !== undefined).length, 100)
    }))
})
