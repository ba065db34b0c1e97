import { assert, beforeEach, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import { Kore } from "kore-fx"
import { kore, reset, toApp } from "kore-fx/legacy"
import { inspect } from "node:util"
import { ask, reported, routes, run, Said, start, text, turn, until, untilWaiting, withStoppedTime } from "./TestApp.ts"

const seen: Array<unknown> = []
const note = (what: unknown) => void seen.push(what)

beforeEach(() => {
  seen.length = 0
  reset()
})

const fail = (message: string): never => {
  throw new Error(message)
}

/** Runs a function in a worker, outside of any coroutine, and then the test. */
const inWorker = (workerstart: () => unknown) => Effect.provide(start({ workerstart, ...routes(() => {}) }))

/** As `start`, but without forgetting what the test has declared. */
const declared = (app: object) => Layer.unwrap(Effect.map(toApp(app), (app) => Kore.test(app)))

describe("an awaitable", () => {
  it.effect("is cold, and works with await, yield, yield* and as an Effect", () =>
    Effect.gen(function*() {
      const op = kore.suspend(1000)
      yield* TestClock.adjust("1 minute")
      const fiber = yield* Effect.forkChild(Effect.andThen(op, Effect.sync(() => note("effect"))))
      kore.task_create(async () => {
        await op
        note("await")
      })
      kore.task_create(function*() {
        yield op
        note("yield")
      })
      kore.task_create(function*() {
        yield* op
        note("yield*")
      })
      yield* turn
      yield* TestClock.adjust("999 millis")
      yield* turn
      assert.deepStrictEqual(seen, [])
      yield* TestClock.adjust("1 millis")
      yield* until(() => seen.length === 4)
      assert.sameMembers(seen, ["effect", "await", "yield", "yield*"])
      assert.isDefined(fiber.pollUnsafe())
    }).pipe(inWorker(() => {})))

  it("of suspend refuses what is no number of milliseconds", () => {
    for (const value of [NaN, Infinity, "5", undefined, null]) {
      assert.throws(() => kore.suspend(value as number), kore.RuntimeError, /expected a number of milliseconds/)
    }
  })

  it.effect("kore §2.1: what one coroutine makes another may await, and is the one that is woken", () =>
    Effect.gen(function*() {
      const queue = kore.queue<string>()
      let op: kore.Awaitable<string> | undefined
      kore.task_create(async () => {
        op = queue.pop()
        await kore.suspend(0)
        note("maker")
      })
      kore.task_create(async () => note(`other ${await op!}`))
      yield* untilWaiting("queue")
      yield* until(() => seen.includes("maker"))
      queue.push("item")
      yield* until(() => seen.length === 2)
      assert.deepStrictEqual(seen, ["maker", "other item"])
    }).pipe(inWorker(() => {})))

  it.effect("kore §2.1: a generator may yield a Promise, and waits for it", () =>
    Effect.gen(function*() {
      const gate = Promise.withResolvers<string>()
      kore.task_create(function*(): Generator<any, void, string> {
        note("before")
        note(yield gate.promise)
      })
      yield* until(() => seen.length === 1)
      yield* turn
      assert.deepStrictEqual(seen, ["before"])
      gate.resolve("after")
      yield* until(() => seen.length === 2)
      assert.deepStrictEqual(seen, ["before", "after"])
    }).pipe(inWorker(() => {})))

  it.effect("kore §2.1: an awaitable can be printed, inspected and compared, which does not start it", () =>
    Effect.gen(function*() {
      const queue = kore.queue<string>()
      queue.push("kept")
      const op = queue.pop()
      assert.isString(String(op))
      assert.isString(inspect(op))
      assert.isString(JSON.stringify(op))
      assert.isFalse(Object.is(op, queue.pop()))
      yield* turn
      assert.strictEqual(queue.popnow(), "kept")
    }).pipe(inWorker(() => {})))

  it.effect("kore §8: suspend takes fractions, more than 2³¹ - 1, and less than 0 as 0", () =>
    Effect.gen(function*() {
      for (const millis of [0.5, 2 ** 32, -5, -(2 ** 32)]) {
        kore.task_create(async () => {
          await kore.suspend(millis)
          note(millis)
        })
      }
      yield* until(() => seen.length === 2)
      assert.deepStrictEqual(seen, [-5, -(2 ** 32)])
      yield* TestClock.adjust("1 millis")
      yield* until(() => seen.length === 3)
      yield* TestClock.adjust("1 minute")
      yield* turn
      assert.deepStrictEqual(seen.slice(2), [0.5])
    }).pipe(inWorker(() => {})))

  it.effect("kore §8: awaited again, suspend lets the time pass again", () =>
    Effect.gen(function*() {
      const op = kore.suspend(1000)
      kore.task_create(async () => {
        await op
        note("once")
        await op
        note("twice")
      })
      yield* turn
      yield* TestClock.adjust("1 second")
      yield* until(() => seen.length === 1)
      yield* turn
      assert.deepStrictEqual(seen, ["once"])
      yield* TestClock.adjust("1 second")
      yield* until(() => seen.length === 2)
    }).pipe(inWorker(() => {})))

  it.effect("gives its value and throws its failure where it is awaited, in a generator too", () =>
    Effect.gen(function*() {
      yield* until(() => seen.length === 3)
      assert.deepStrictEqual(seen, [7, "Error: no", "caught"])
    }).pipe(inWorker(() => {
      const queue = kore.queue<number>()
      queue.push(7)
      kore.task_create(function*() {
        note(yield queue.pop())
        try {
          yield Effect.die(new Error("no"))
        } catch (error) {
          note(String(error))
        }
        try {
          yield Promise.reject(new Error("a promise"))
        } catch {
          note("caught")
        }
      })
    })))
})

describe("kore.task_create", () => {
  it.effect("takes generators, functions of all kinds and Effects; nothing runs before the caller ends", () =>
    Effect.gen(function*() {
      yield* until(() => seen.length === 6)
      assert.deepStrictEqual(seen, ["caller", "generator", "function", "generator function", "async", "effect"])
    }).pipe(inWorker(() => {
      kore.task_create((function*() {
        note("generator")
        yield kore.suspend(0)
      })())
      kore.task_create(() => note("function"))
      kore.task_create(function*() {
        note("generator function")
        yield kore.suspend(0)
      })
      kore.task_create(async () => note("async"))
      kore.task_create(Effect.sync(() => note("effect")))
      note("caller")
    })))

  it("refuses a Promise and says why, and what is no coroutine at all", () => {
    assert.throws(
      () => kore.task_create(Promise.resolve(1) as never),
      kore.RuntimeError,
      /got a Promise: it has already started and cannot be killed. Pass a function, \(\) => coro\(1\)/
    )
    assert.throws(() => kore.task_create(7 as never), kore.RuntimeError, /got 7, expected a function, a generator/)
  })

  it.effect("kore §6: task_create of what is no coroutine is an exception, and the worker lives on", () =>
    Effect.gen(function*() {
      for (const value of [undefined, null, 7, "coro", {}, [], Symbol("x"), Promise.resolve(), [function*() {}]]) {
        assert.throws(() => kore.task_create(value as never), kore.RuntimeError, "kore.task_create got")
      }
      kore.task_create(() => note("lives"))
      yield* until(() => seen.length === 1)
      assert.deepStrictEqual(yield* reported, [])
    }).pipe(inWorker(() => {})))

  it.effect("kore §6: a generator that has run already is an exception of the task, which does nothing", () =>
    Effect.gen(function*() {
      const { reports } = yield* Said
      const generator = (function*() {
        note("runs")
        yield kore.suspend(0)
      })()
      kore.task_create(generator)
      kore.task_create(generator)
      yield* until(() => reports.length === 1)
      assert.match((yield* reported)[0]!, /^RuntimeError: task got a generator that has run already/)
      assert.deepStrictEqual(seen, ["runs"])
    }).pipe(inWorker(() => {})))

  it.effect("reports what a task throws once, with its name", () =>
    Effect.gen(function*() {
      const { reports } = yield* Said
      yield* until(() => reports.length === 2)
      assert.deepStrictEqual(yield* reported, ["Error: generator", "Error: named"])
      assert.deepStrictEqual([reports[1]!.origin.kind, reports[1]!.origin.name], ["task", "welcome"])
    }).pipe(inWorker(() => {
      kore.task_create(async function welcome() {
        throw new Error("named")
      })
      kore.task_create((function*() {
        yield Effect.void
        throw new Error("generator")
      })())
    })))

  it.effect("at import or in configure creates the task in the worker, where its id still holds", () => {
    const early = kore.task_create(async () => {
      note(`import ${kore.task_id()}`)
    })
    return Effect.gen(function*() {
      yield* TestClock.adjust("1 second")
      yield* until(() => seen.includes("killed"))
      assert.deepStrictEqual(seen, [`import ${early}`, "long", "killed"])
    }).pipe(Effect.provide(declared({
      configure() {
        routes(() => {}).configure()
        const long = kore.task_create((function*() {
          try {
            note("long")
            yield kore.suspend(1e9)
          } finally {
            note("killed")
          }
        })())
        const never = kore.task_create(() => note("never"))
        assert.isTrue(kore.task_kill(never))
        kore.task_create(function*() {
          yield kore.suspend(1000)
          kore.task_kill(long)
        })
      }
    })))
  })
})

describe("kore.task_kill", () => {
  it.effect("has run a generator's finally blocks when it returns, and those of an async function soon after", () =>
    Effect.gen(function*() {
      yield* turn
      yield* ask("/kill")
      assert.deepStrictEqual(seen.slice(0, 4), ["generator", true, "returned", true])
      yield* until(() => seen.length === 5)
      assert.strictEqual(seen[4], "async")
    }).pipe(Effect.provide(start(routes((domain) => {
      let generator = 0
      let asynchronous = 0
      domain.route("/start", (req) => req.response(200, ""))
      domain.route("/kill", async (req) => {
        generator = kore.task_create(function*() {
          try {
            yield kore.suspend(1e9)
          } finally {
            note("generator")
          }
        })
        asynchronous = kore.task_create(async () => {
          try {
            await kore.suspend(1e9)
          } finally {
            note("async")
          }
        })
        await kore.suspend(0)
        note(kore.task_kill(generator))
        note("returned")
        note(kore.task_kill(asynchronous))
        req.response(200, "")
      })
    })))))

  it.effect("is false for a task that has ended or never was, and refuses the own id", () =>
    Effect.gen(function*() {
      yield* until(() => seen.length === 3)
      assert.deepStrictEqual(seen.slice(0, 2), [false, false])
      assert.match(String(seen[2]), /the id of the task that calls it/)
    }).pipe(inWorker(() => {
      const id = kore.task_create(() => {})
      kore.task_create(async () => {
        await kore.suspend(0)
        note(kore.task_kill(id))
        note(kore.task_kill(123_456))
        try {
          kore.task_kill(kore.task_id())
        } catch (error) {
          note(error)
        }
      })
    })))

  it.effect("reports what a finally block throws, and awaits what it awaits of others", () =>
    Effect.gen(function*() {
      const { reports } = yield* Said
      yield* until(() => seen.includes("slow end") && reports.length === 2)
      assert.sameMembers([...yield* reported], ["Error: in finally", "Error: in finally"])
    }).pipe(inWorker(() => {
      const ids = [
        kore.task_create(async () => {
          try {
            await kore.suspend(1e9)
          } finally {
            await new Promise((resolve) => setTimeout(resolve, 10))
            note("slow end")
          }
        }),
        kore.task_create(async () => {
          try {
            await kore.suspend(1e9)
          } finally {
            fail("in finally")
          }
        }),
        kore.task_create(function*() {
          try {
            yield kore.suspend(1e9)
          } finally {
            fail("in finally")
          }
        })
      ]
      kore.task_create(async () => {
        await kore.suspend(0)
        for (const id of ids) kore.task_kill(id)
      })
    })))

  it.effect("reaches an async function that a generator awaits", () =>
    Effect.gen(function*() {
      yield* until(() => seen.length === 2)
      assert.sameMembers(seen, ["generator", "Killed"])
    }).pipe(inWorker(() => {
      const inner = async () => {
        await Promise.resolve(kore.suspend(1e9)).catch((error: Error) => note(error.name))
      }
      const id = kore.task_create(function*() {
        try {
          yield inner()
        } finally {
          note("generator")
        }
      })
      kore.task_create(async () => {
        await kore.suspend(0)
        kore.task_kill(id)
      })
    })))

  it.effect("waits two seconds for what an async function awaits of others, and reports what comes later", () =>
    withStoppedTime((pass) =>
      Effect.gen(function*() {
        const gate = Promise.withResolvers<void>()
        const id = kore.task_create(async () => {
          note("begins")
          await gate.promise
        })
        yield* until(() => seen.length === 1)
        assert.isTrue(kore.task_kill(id))
        pass(1999)
        yield* turn
        assert.isTrue(kore.task_kill(id))
        pass(1)
        yield* until(() => !kore.task_kill(id))
        assert.deepStrictEqual(yield* reported, [])
        gate.reject(new Error("late"))
        const { reports } = yield* Said
        yield* until(() => reports.length === 1)
        assert.deepStrictEqual(yield* reported, ["Error: late"])
      })
    ).pipe(inWorker(() => {})))

  it.effect("kore §2.5: a finally block may await what others do, and is waited for", () =>
    Effect.gen(function*() {
      const gate = Promise.withResolvers<void>()
      const ids = [
        kore.task_create(async () => {
          try {
            await kore.suspend(1e9)
          } finally {
            await gate.promise
            note("async")
          }
        }),
        kore.task_create(function*() {
          try {
            yield kore.suspend(1e9)
          } finally {
            yield gate.promise
            note("generator")
          }
        })
      ]
      yield* turn
      for (const id of ids) kore.task_kill(id)
      yield* turn
      assert.deepStrictEqual(ids.map(kore.task_kill), [true, true])
      assert.deepStrictEqual(seen, [])
      gate.resolve()
      yield* until(() => ids.every((id) => !kore.task_kill(id)))
      assert.sameMembers(seen, ["async", "generator"])
    }).pipe(inWorker(() => {})))

  it.effect("kore §2.5: task_kill of a negative or huge number kills nobody", () =>
    Effect.gen(function*() {
      const id = kore.task_create(() => kore.suspend(1e9))
      yield* turn
      for (const other of [-1, -id, id + 2 ** 53, 2 ** 70, Number.MAX_SAFE_INTEGER]) {
        assert.isFalse(kore.task_kill(other))
      }
      for (const other of [1.5, NaN, Infinity, "1", null, undefined]) {
        assert.throws(() => kore.task_kill(other as number), kore.RuntimeError, "expected the id of a task")
      }
      assert.isTrue(kore.task_kill(id))
    }).pipe(inWorker(() => {})))

  it.effect("ends a handler, whose client gets 503", () =>
    Effect.gen(function*() {
      const { status } = yield* ask("/")
      assert.strictEqual(status, 503)
      assert.deepStrictEqual(seen, ["handler killed"])
    }).pipe(Effect.provide(start(routes((domain) =>
      domain.route("/", async () => {
        const id = kore.task_id()
        kore.task_create(() => kore.task_kill(id))
        try {
          await kore.suspend(1e9)
        } finally {
          note("handler killed")
        }
      })
    )))))
})

describe("kore.task_id", () => {
  it.effect("is the id that task_create gave, also after an await, and an error outside of tasks", () =>
    Effect.gen(function*() {
      yield* until(() => seen.length === 4)
      const [outside, id, ...inside] = seen
      assert.match(String(outside), /outside of a task/)
      assert.deepStrictEqual(inside, [id, id])
    }).pipe(inWorker(() => {
      try {
        kore.task_id()
      } catch (error) {
        note(error)
      }
      note(kore.task_create(async () => {
        note(kore.task_id())
        await kore.suspend(0)
        note(kore.task_id())
      }))
    })))
})

describe("kore.lock", () => {
  it.effect("lets one in at a time, in order, by await using, with, and acquire and release", () =>
    Effect.gen(function*() {
      yield* turn
      for (let i = 0; i < 3; i++) {
        yield* TestClock.adjust("1 second")
        yield* turn
      }
      assert.deepStrictEqual(seen, ["using", "with", "released"])
    }).pipe(inWorker(() => {
      const lock = kore.lock()
      kore.task_create(async () => {
        await using _ = await lock.acquire()
        await kore.suspend(1000)
        note("using")
      })
      kore.task_create(async () => {
        await lock.with(async () => {
          await kore.suspend(1000)
          note("with")
        })
      })
      kore.task_create(async () => {
        await lock.acquire()
        await kore.suspend(1000)
        note("released")
        lock.release()
      })
    })))

  it.effect("refuses a release by others, a release of a free lock, and the holder who asks again", () =>
    Effect.gen(function*() {
      yield* until(() => seen.length === 5)
      assert.deepStrictEqual(seen.map(String), [
        "RuntimeError: lock.release of a lock that is free",
        "RuntimeError: a coroutine asked for a lock that it holds already, and would wait for itself for ever",
        "false",
        "RuntimeError: lock.release of a lock that another coroutine holds",
        "true"
      ])
    }).pipe(inWorker(() => {
      const lock = kore.lock()
      const attempt = async (f: () => unknown) => note(await Promise.resolve().then(f).catch((error: unknown) => error))
      kore.task_create(async () => {
        await attempt(() => lock.release())
        await lock.acquire()
        await attempt(() => lock.with(() => lock.acquire()))
        note(lock.trylock())
        kore.task_create(async () => {
          await attempt(() => lock.release())
          await lock.acquire()
          note(true)
        })
        await kore.suspend(0)
        lock.release()
      })
    })))

  it.effect("comes back from a coroutine that is killed or ends with it, also as a generator", () =>
    Effect.gen(function*() {
      yield* until(() => seen.length === 5)
      assert.deepStrictEqual(seen, ["generator", "ends", "async", "waiter", true])
    }).pipe(inWorker(() => {
      const lock = kore.lock()
      const generator = kore.task_create(function*() {
        yield lock.acquire()
        note("generator")
        yield kore.suspend(1e9)
      })
      kore.task_create(async () => {
        await lock.acquire()
        note("ends")
      })
      const asynchronous = kore.task_create(async () => {
        await lock.acquire()
        note("async")
        await kore.suspend(1e9)
      })
      const gone = kore.task_create(async () => {
        await lock.acquire()
        note("nobody gets here")
      })
      kore.task_create(async () => {
        await lock.with(() => note("waiter"))
        note(lock.trylock())
      })
      kore.task_create(async () => {
        await kore.suspend(0)
        kore.task_kill(gone)
        kore.task_kill(generator)
        while (!seen.includes("async")) await kore.suspend(0)
        kore.task_kill(asynchronous)
      })
    })))

  it.effect("trylock takes a lock that is free, and is false for one that is held, by the coroutine itself too", () =>
    run(async () => {
      const lock = kore.lock()
      assert.isTrue(lock.trylock())
      assert.isFalse(lock.trylock())
      const [other] = await kore.gather(() => lock.trylock())
      assert.isFalse(other)
      lock.release()
      assert.isTrue(lock.trylock())
    }).pipe(inWorker(() => {})))

  it.effect("kore §2.2: outside of tasks acquire waits its turn like anybody", () =>
    Effect.gen(function*() {
      const lock = kore.lock()
      const queue = kore.queue<void>()
      kore.task_create(async () => {
        await lock.with(() => queue.pop())
        note("task")
      })
      yield* untilWaiting("queue")
      const outside = Promise.resolve(lock.acquire()).then((held) => {
        note("outside")
        held[Symbol.dispose]()
      })
      yield* untilWaiting("lock")
      queue.push()
      yield* Effect.promise(() => outside)
      assert.sameMembers(seen, ["task", "outside"])
      assert.isTrue(lock.trylock())
    }).pipe(inWorker(() => {})))

  it.effect("kore §2.2: outside of tasks trylock takes the lock, and is false the second time", () =>
    Effect.sync(() => {
      const lock = kore.lock()
      assert.isTrue(lock.trylock())
      assert.isFalse(lock.trylock())
      lock.release()
      assert.isTrue(lock.trylock())
    }).pipe(inWorker(() => {})))

  it.effect("kore §2.2: outside of tasks release of a lock that a task holds is an exception", () =>
    Effect.gen(function*() {
      const lock = kore.lock()
      kore.task_create(function*() {
        yield lock.acquire()
        note("holds")
        yield kore.suspend(1e9)
      })
      yield* until(() => seen.length === 1)
      assert.throws(() => lock.release(), kore.RuntimeError, "lock.release of a lock that another coroutine holds")
      assert.isFalse(lock.trylock())
    }).pipe(inWorker(() => {})))

  it.effect("kore §10: a coroutine that releases and asks again goes behind those that wait", () =>
    Effect.gen(function*() {
      const lock = kore.lock()
      const rounds = (name: string) => async () => {
        for (let round = 1; round <= 2; round++) {
          await lock.acquire()
          note(`${name} ${round}`)
          await kore.suspend(0)
          lock.release()
        }
      }
      for (const name of ["a", "b", "c"]) kore.task_create(rounds(name))
      yield* until(() => seen.length === 6)
      assert.deepStrictEqual(seen, ["a 1", "b 1", "c 1", "a 2", "b 2", "c 2"])
    }).pipe(inWorker(() => {})))

  it.effect("kore §10: acquire that is not awaited takes no place in the line", () =>
    run(async () => {
      const lock = kore.lock()
      const forgotten = lock.acquire()
      const other = kore.lock().acquire()
      assert.isTrue(lock.trylock())
      lock.release()
      await kore.gather(() => lock.with(() => note("inside")))
      assert.deepStrictEqual(seen, ["inside"])
      assert.notStrictEqual(forgotten, other)
    }).pipe(inWorker(() => {})))

  it.effect("passes what the locked work returns or throws", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* text("/"), "200 7 Error: no")
    }).pipe(Effect.provide(start(routes((domain) =>
      domain.route("/", async (req) => {
        const lock = kore.lock()
        const seven = await lock.with(async () => 7)
        const error = await Promise.resolve(lock.with(() => {
          throw new Error("no")
        })).catch(String)
        req.response(200, `${seven} ${error}`)
      })
    )))))
})

describe("kore.queue", () => {
  it.effect("hands items over in order, to those who wait in order", () =>
    Effect.gen(function*() {
      yield* until(() => seen.length === 5)
      assert.deepStrictEqual(seen, ["a 1", "b 2", 3, null, "a 4"])
    }).pipe(inWorker(() => {
      const queue = kore.queue<number>()
      kore.task_create(async () => {
        note(`a ${await queue.pop()}`)
        await kore.suspend(0)
        note(`a ${await queue.pop()}`)
      })
      kore.task_create(async () => {
        note(`b ${await queue.pop()}`)
      })
      kore.task_create(async () => {
        await kore.suspend(0)
        queue.push(1)
        queue.push(2)
        queue.push(3)
        await kore.suspend(0)
        note(queue.popnow())
        note(queue.popnow())
        queue.push(4)
      })
    })))

  it.effect("loses nothing to a waiter that is killed", () =>
    Effect.gen(function*() {
      yield* until(() => seen.length === 1)
      assert.deepStrictEqual(seen, ["item"])
    }).pipe(inWorker(() => {
      const queue = kore.queue<string>()
      const id = kore.task_create(async () => note(`killed ${await queue.pop()}`))
      kore.task_create(async () => {
        await kore.suspend(0)
        queue.push("item")
        kore.task_kill(id)
        note(await queue.pop())
      })
    })))

  it.effect("popnow gives the next item or null, and never what a waiting coroutine was handed", () =>
    Effect.gen(function*() {
      const queue = kore.queue<string>()
      assert.isNull(queue.popnow())
      kore.task_create(async () => note(await queue.pop()))
      yield* untilWaiting("queue")
      assert.isTrue(queue.push("handed"))
      assert.isNull(queue.popnow())
      queue.push("next")
      assert.strictEqual(queue.popnow(), "next")
      assert.isNull(queue.popnow())
      yield* until(() => seen.length === 1)
      assert.deepStrictEqual(seen, ["handed"])
    }).pipe(inWorker(() => {})))

  it.effect("kore §11: a burst of pushes wakes every consumer", () =>
    Effect.gen(function*() {
      const queue = kore.queue<number>()
      for (const name of ["a", "b", "c"]) {
        kore.task_create(async () => {
          while (true) note(`${name} ${await queue.pop()}`)
        })
      }
      yield* untilWaiting("queue", 3)
      for (let i = 1; i <= 3; i++) queue.push(i)
      yield* until(() => seen.length === 3)
      yield* untilWaiting("queue", 3)
      for (let i = 4; i <= 6; i++) queue.push(i)
      yield* until(() => seen.length === 6)
      assert.deepStrictEqual(seen, ["a 1", "b 2", "c 3", "a 4", "b 5", "c 6"])
    }).pipe(inWorker(() => {})))

  it.effect("kore §11: pop that is not awaited takes no place in the line", () =>
    Effect.gen(function*() {
      const queue = kore.queue<string>()
      void queue.pop()
      kore.task_create(async () => note(await queue.pop()))
      yield* untilWaiting("queue")
      queue.push("item")
      yield* until(() => seen.length === 1)
      assert.deepStrictEqual(seen, ["item"])
    }).pipe(inWorker(() => {})))

  it.effect("kore §2.2: outside of tasks pop gets what is pushed", () =>
    Effect.gen(function*() {
      const queue = kore.queue<string>()
      const popped = Promise.resolve(queue.pop())
      yield* untilWaiting("queue")
      queue.push("item")
      assert.strictEqual(yield* Effect.promise(() => popped), "item")
    }).pipe(inWorker(() => {})))

  it("with a limit says when it is full, and takes no other limit than a whole number", () => {
    const queue = kore.queue<number>(1)
    queue.push(1)
    assert.throws(() => queue.push(2), kore.RuntimeError, "queue.push: the queue is full, it holds 1 items")
    assert.throws(() => kore.queue(0), kore.RuntimeError, /limit 0, expected a whole number from 1/)
  })
})
