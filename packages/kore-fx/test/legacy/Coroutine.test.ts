import { assert, beforeEach, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import { Kore } from "kore-fx"
import { kore, reset, toApp } from "kore-fx/legacy"
import { ask, reported, routes, Said, start, text, turn, until } from "./TestApp.ts"

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

  it.effect("does not wait for what an async function awaits of others", () =>
    Effect.gen(function*() {
      const { reports } = yield* Said
      yield* until(() => reports.length === 1)
      assert.deepStrictEqual(yield* reported, ["Error: late"])
      assert.deepStrictEqual(seen, [true])
    }).pipe(inWorker(() => {
      const id = kore.task_create(async () => {
        await new Promise((resolve) => setTimeout(resolve, 1200))
        throw new Error("late")
      })
      kore.task_create(async () => {
        await kore.suspend(0)
        note(kore.task_kill(id))
      })
    })))

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

  it("with a limit says when it is full, and takes no other limit than a whole number", () => {
    const queue = kore.queue<number>(1)
    queue.push(1)
    assert.throws(() => queue.push(2), kore.RuntimeError, "queue.push: the queue is full, it holds 1 items")
    assert.throws(() => kore.queue(0), kore.RuntimeError, /limit 0, expected a whole number from 1/)
  })
})
