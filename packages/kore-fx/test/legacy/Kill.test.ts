import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { kore } from "kore-fx/legacy"
import { inWorker, notes, reported, Said, turn, until, untilWaiting, withStoppedTime } from "./TestApp.ts"

const fail = (message: string): never => {
  throw new Error(message)
}

type Op = () => PromiseLike<unknown>
type Form = (op: Op, note: (what: string) => void, before?: Op) => kore.Coroutine<void>

/** A victim in both forms: what it awaits, what its `finally` block awaits, and what it notes. */
const forms: Readonly<Record<string, Form>> = {
  generator: (op, note, before = () => kore.suspend(0)) =>
    function*() {
      yield before()
      note("begins")
      try {
        yield op()
        note("goes on")
      } finally {
        note("cleans up")
        yield kore.suspend(0)
        yield new Promise((resolve) => setTimeout(resolve, 1))
        note("is clean")
      }
    },
  "async function": (op, note, before = () => kore.suspend(0)) => async () => {
    await before()
    note("begins")
    try {
      await op()
      note("goes on")
    } finally {
      note("cleans up")
      await kore.suspend(0)
      await new Promise((resolve) => setTimeout(resolve, 1))
      note("is clean")
    }
  }
}

/** Something that a coroutine can be waiting for, and what must be so once it was killed. */
interface State {
  readonly op: Op
  /** What it has done before. */
  readonly before?: Op
  /** Waits until the victim does. */
  readonly isThere?: Effect.Effect<void>
  /** Lets happen what it waited for, and looks at what it left behind. */
  readonly after?: Effect.Effect<unknown>
}

const full = Effect.gen(function*() {
  const plain = kore.socket.socket(kore.socket.AF_INET, kore.socket.SOCK_STREAM)
  plain.bind(["127.0.0.1", 0])
  plain.listen(1)
  const [, port] = plain.getsockname()
  let connected = 0
  for (let i = 0; i < 2; i++) {
    kore.task_create(async () => {
      await stream().connect("127.0.0.1", port)
      connected++
    })
  }
  yield* until(() => connected === 2)
  return { plain, port }
})

const stream = () => kore.socket_wrap(kore.socket.socket(kore.socket.AF_INET, kore.socket.SOCK_STREAM))

/** Two ends of a connection, and what listens. */
const pair = Effect.callback<
  { readonly client: kore.Socket; readonly server: kore.Socket; readonly listener: kore.Socket }
>(
  (resume) => {
    const plain = kore.socket.socket(kore.socket.AF_INET, kore.socket.SOCK_STREAM)
    plain.bind(["127.0.0.1", 0])
    plain.listen()
    const listener = kore.socket_wrap(plain)
    kore.task_create(async () => {
      const client = stream()
      await client.connect(...plain.getsockname())
      resume(Effect.succeed({ client, server: await listener.accept(), listener }))
    })
  }
)

const isGone = (pid: number) =>
  until(() => {
    try {
      process.kill(pid, 0)
      return false
    } catch {
      return true
    }
  })

const states: Readonly<Record<string, Effect.Effect<State>>> = {
  "in suspend": Effect.succeed({
    op: () => kore.suspend(1000),
    after: TestClock.adjust("1 minute")
  }),

  "waiting for a lock": Effect.sync(() => {
    const lock = kore.lock()
    const held = kore.queue<void>()
    let next = false
    kore.task_create(async () => {
      await lock.with(() => held.pop())
    })
    return {
      op: () => lock.acquire(),
      isThere: untilWaiting("lock"),
      after: Effect.suspend(() => {
        kore.task_create(async () => {
          await lock.acquire()
          next = true
        })
        held.push()
        return until(() => next)
      })
    }
  }),

  "holding a lock": Effect.sync(() => {
    const lock = kore.lock()
    let next = false
    return {
      before: () => lock.acquire(),
      op: () => kore.suspend(1000),
      after: Effect.suspend(() => {
        kore.task_create(async () => {
          await lock.acquire()
          next = true
        })
        return until(() => next)
      })
    }
  }),

  "inside of lock.with": Effect.sync(() => {
    const lock = kore.lock()
    return {
      op: () => lock.with(() => kore.suspend(1000)),
      after: Effect.sync(() => assert.isTrue(lock.trylock()))
    }
  }),

  "in queue.pop": Effect.sync(() => {
    const queue = kore.queue<string>()
    return {
      op: () => queue.pop(),
      isThere: untilWaiting("queue"),
      after: Effect.sync(() => {
        queue.push("for others")
        assert.strictEqual(queue.popnow(), "for others")
      })
    }
  }),

  "behind a queue.push": Effect.sync(() => {
    const queue = kore.queue<string>(1)
    return {
      op: () => {
        queue.push("pushed")
        return kore.suspend(1000)
      },
      after: Effect.sync(() => {
        assert.strictEqual(queue.popnow(), "pushed")
        assert.isNull(queue.popnow())
      })
    }
  }),

  "in gather": Effect.sync(() => {
    const queue = kore.queue<number>()
    return {
      op: () => kore.gather(() => queue.pop(), () => kore.suspend(1000), async () => void await queue.pop()),
      isThere: untilWaiting("gather"),
      after: Effect.sync(() => {
        queue.push(1)
        assert.strictEqual(queue.popnow(), 1)
      })
    }
  }),

  "in proc.recv": Effect.sync(() => {
    let proc: kore.Proc | undefined
    return {
      op: () => (proc = kore.proc("sleep 1000")).recv(100),
      isThere: untilWaiting("process"),
      after: Effect.suspend(() => isGone(proc!.pid!))
    }
  }),

  "in proc.send": Effect.sync(() => {
    let proc: kore.Proc | undefined
    return {
      op: () => (proc = kore.proc("sleep 1000")).send(Buffer.alloc(8 * 1024 * 1024)),
      isThere: untilWaiting("process"),
      after: Effect.suspend(() => isGone(proc!.pid!))
    }
  }),

  "in proc.reap": Effect.sync(() => {
    let proc: kore.Proc | undefined
    return {
      op: () => (proc = kore.proc("sleep 1000")).reap(),
      isThere: untilWaiting("process"),
      after: Effect.suspend(() => isGone(proc!.pid!))
    }
  }),

  "in sock.recv": Effect.map(pair, ({ client, server }) => ({
    op: () => client.recv(100),
    isThere: untilWaiting("socket"),
    after: Effect.callback((resume) => {
      kore.task_create(async () => {
        await server.send("for others")
        assert.strictEqual(String(await client.recv(100)), "for others")
        resume(Effect.void)
      })
    })
  })),

  "in sock.send": Effect.map(pair, ({ client }) => ({
    op: () => client.send(Buffer.alloc(64 * 1024 * 1024)),
    isThere: untilWaiting("socket")
  })),

  "in sock.accept": Effect.map(pair, ({ client, listener }) => ({
    op: () => listener.accept(),
    isThere: untilWaiting("socket"),
    after: Effect.callback((resume) => {
      kore.task_create(async () => {
        listener.close()
        client.close()
        resume(Effect.void)
      })
    })
  })),

  "in sock.connect": Effect.map(full, ({ plain, port }) => ({
    op: () => stream().connect("127.0.0.1", port),
    isThere: untilWaiting("socket"),
    after: Effect.sync(() => plain.close())
  })),

  "behind a sendobj": Effect.sync(() => ({
    op: () => {
      kore.sendobj("sent")
      return kore.suspend(1000)
    }
  })),

  "waiting for a Promise": Effect.succeed({
    op: () => new Promise(() => {})
  })
}

describe("a coroutine that is killed", () => {
  for (const [form, make] of Object.entries(forms)) {
    for (const [name, state] of Object.entries(states)) {
      // What others do cannot be rejected: an async function learns of its end at its next `await kore.*`.
      if (name === "waiting for a Promise" && form === "async function") continue
      it.effect(`${name}: the finally block of ${form === "generator" ? "a" : "an"} ${form} runs once, and may wait`, () =>
        Effect.gen(function*() {
          const { note, seen } = notes()
          const { after = Effect.void, before, isThere = turn, op } = yield* state
          const id = kore.task_create(make(op, note, before))
          yield* until(() => seen.includes("begins"))
          yield* isThere
          assert.isTrue(kore.task_kill(id))
          yield* until(() => seen.includes("is clean"))
          yield* after
          yield* turn
          yield* until(() => !kore.task_kill(id))
          assert.deepStrictEqual(seen, ["begins", "cleans up", "is clean"])
          assert.deepStrictEqual(yield* reported, [])
        }).pipe(inWorker))
    }

    it.effect(`before it has begun: nothing of a${form === "generator" ? "" : "n"} ${form} runs`, () =>
      Effect.gen(function*() {
        const { note, seen } = notes()
        const id = kore.task_create(make(() => kore.suspend(0), note))
        assert.isTrue(kore.task_kill(id))
        yield* turn
        assert.isFalse(kore.task_kill(id))
        assert.deepStrictEqual(seen, [])
      }).pipe(inWorker))

    it.effect(`twice: the second time changes nothing for a${form === "generator" ? "" : "n"} ${form} that cleans up`, () =>
      Effect.gen(function*() {
        const { note, seen } = notes()
        const id = kore.task_create(make(() => kore.suspend(1e9), note))
        yield* until(() => seen.includes("begins"))
        yield* turn
        assert.isTrue(kore.task_kill(id))
        yield* until(() => seen.includes("cleans up"))
        assert.isTrue(kore.task_kill(id))
        yield* until(() => !kore.task_kill(id))
        assert.deepStrictEqual(seen, ["begins", "cleans up", "is clean"])
      }).pipe(inWorker))
  }

  it.effect("inside a finally block that waits: the wait ends, and no block runs twice", () =>
    Effect.gen(function*() {
      const { note, seen } = notes()
      const ids = [
        kore.task_create(function*() {
          try {
            try {
              note("generator")
            } finally {
              note("generator, inner")
              yield kore.suspend(1e9)
              note("not reached")
            }
          } finally {
            note("generator, outer")
            yield kore.suspend(0)
            note("generator, done")
          }
        }),
        kore.task_create(async () => {
          try {
            try {
              note("async")
            } finally {
              note("async, inner")
              await kore.suspend(1e9)
              note("not reached")
            }
          } finally {
            note("async, outer")
            await kore.suspend(0)
            note("async, done")
          }
        })
      ]
      yield* until(() => seen.length === 4)
      yield* turn
      for (const id of ids) kore.task_kill(id)
      yield* until(() => ids.every((id) => !kore.task_kill(id)))
      assert.deepStrictEqual(seen.filter((what) => String(what).startsWith("generator")), [
        "generator",
        "generator, inner",
        "generator, outer",
        "generator, done"
      ])
      assert.deepStrictEqual(seen.filter((what) => String(what).startsWith("async")), [
        "async",
        "async, inner",
        "async, outer",
        "async, done"
      ])
    }).pipe(inWorker))

  it.effect("kore §2.5: children of a gather end before the finally block of their parent", () =>
    Effect.gen(function*() {
      const { note, seen } = notes()
      const child = (name: string) => async () => {
        try {
          await kore.suspend(1e9)
        } finally {
          await kore.suspend(0)
          note(name)
        }
      }
      const id = kore.task_create(async () => {
        try {
          await kore.gather(child("first"), child("second"), () => note("begun"))
        } finally {
          await kore.suspend(0)
          note("parent")
        }
      })
      yield* until(() => seen.length === 1)
      kore.task_kill(id)
      yield* until(() => seen.includes("parent"))
      assert.deepStrictEqual(seen, ["begun", "first", "second", "parent"])
    }).pipe(inWorker))

  it.effect("kore §2.5: an async function that a generator awaits ends before the generator's finally block", () =>
    Effect.gen(function*() {
      const { note, seen } = notes()
      const inner = async () => {
        try {
          await kore.suspend(1e9)
        } finally {
          await kore.suspend(0)
          note("inner")
        }
      }
      const id = kore.task_create(function*() {
        try {
          yield inner()
        } finally {
          yield kore.suspend(0)
          note("outer")
        }
      })
      yield* turn
      kore.task_kill(id)
      yield* until(() => seen.includes("outer"))
      assert.deepStrictEqual(seen, ["inner", "outer"])
    }).pipe(inWorker))

  it.effect("while it awaits what others do learns of it at its next await", () =>
    Effect.gen(function*() {
      const { note, seen } = notes()
      const gate = Promise.withResolvers<void>()
      const id = kore.task_create(async () => {
        note("begins")
        await gate.promise
        try {
          await kore.suspend(0)
        } catch (error) {
          note((error as Error).name)
        }
      })
      yield* until(() => seen.length === 1)
      assert.isTrue(kore.task_kill(id))
      gate.resolve()
      yield* until(() => !kore.task_kill(id))
      assert.deepStrictEqual(seen, ["begins", "Killed"])
    }).pipe(inWorker))

  it.effect("does not wait for a Promise that a generator yields: its finally block runs at once", () =>
    Effect.gen(function*() {
      const { note, seen } = notes()
      const gate = Promise.withResolvers<void>()
      const id = kore.task_create(function*() {
        try {
          note("begins")
          yield gate.promise
        } finally {
          note("cleans up")
        }
      })
      yield* until(() => seen.length === 1)
      assert.isTrue(kore.task_kill(id))
      assert.deepStrictEqual(seen, ["begins", "cleans up"])
      assert.isFalse(kore.task_kill(id))
      // What becomes of it is not lost.
      gate.reject(new Error("late"))
      const { reports } = yield* Said
      yield* until(() => reports.length === 1)
      assert.deepStrictEqual(yield* reported, ["Error: late"])
    }).pipe(inWorker))

  it.effect("and has ended cannot be gone on with: what it left running is refused", () =>
    Effect.gen(function*() {
      const { note, seen } = notes()
      const gate = Promise.withResolvers<void>()
      const left = async () => {
        await gate.promise
        await kore.suspend(0).then(() => note("goes on"), (error: Error) => note(error.name))
      }
      const ids = [
        kore.task_create(async () => {
          void left()
          await kore.suspend(1e9)
        }),
        kore.task_create(function*() {
          void left()
          yield kore.suspend(1e9)
        })
      ]
      yield* turn
      for (const id of ids) kore.task_kill(id)
      yield* until(() => ids.every((id) => !kore.task_kill(id)))
      gate.resolve()
      yield* until(() => seen.length === 2)
      assert.deepStrictEqual(seen, ["Killed", "Killed"])
    }).pipe(inWorker))

  it.effect("has two seconds to clean up; then every await rejects, and it ends", () =>
    withStoppedTime((pass) =>
      Effect.gen(function*() {
        const { note, seen } = notes()
        const ids = [
          kore.task_create(async () => {
            try {
              await kore.suspend(1e9)
            } finally {
              await kore.suspend(1e9).then(undefined, (error: Error) => note(`async ${error.name}`))
              await kore.suspend(0).then(undefined, (error: Error) => note(`async ${error.name}`))
            }
          }),
          kore.task_create(function*() {
            try {
              yield kore.suspend(1e9)
            } finally {
              try {
                yield kore.suspend(1e9)
              } catch (error) {
                note(`generator ${(error as Error).name}`)
              }
              try {
                yield kore.suspend(0)
              } catch (error) {
                note(`generator ${(error as Error).name}`)
              }
            }
          })
        ]
        yield* turn
        for (const id of ids) kore.task_kill(id)
        yield* turn
        pass(1999)
        yield* turn
        assert.deepStrictEqual(seen, [])
        pass(1)
        yield* until(() => ids.every((id) => !kore.task_kill(id)))
        assert.sameMembers(seen, ["async Killed", "async Killed", "generator Killed", "generator Killed"])
        assert.deepStrictEqual(yield* reported, [])
      })
    ).pipe(inWorker))

  it.effect("and catches Killed for ever is abandoned, and reported", () =>
    withStoppedTime((pass) =>
      Effect.gen(function*() {
        const ids = [
          kore.task_create(async function stubborn() {
            while (true) await kore.suspend(1e9).then(undefined, () => {})
          }),
          kore.task_create(function* obstinate() {
            while (true) {
              try {
                yield kore.suspend(1e9)
              } finally {
                // oxlint-disable-next-line no-unsafe-finally -- this is what it is about
                continue
              }
            }
          })
        ]
        yield* turn
        for (const id of ids) kore.task_kill(id)
        yield* turn
        pass(2000)
        yield* until(() => ids.every((id) => !kore.task_kill(id)))
        assert.sameMembers([...yield* reported], [
          "RuntimeError: stubborn was killed, but caught kore.Killed 100 times and went on: it was abandoned",
          "RuntimeError: obstinate was killed, but caught kore.Killed 100 times and went on: it was abandoned"
        ])
      })
    ).pipe(inWorker))

  it.effect("kore §1.4: the finally blocks of every task run once when the worker stops, wherever it waits", () =>
    Effect.gen(function*() {
      const { note, seen } = notes()
      yield* Effect.scoped(Effect.gen(function*() {
        const lock = kore.lock()
        const queue = kore.queue<void>()
        assert.isTrue(lock.trylock())
        const ops: ReadonlyArray<() => PromiseLike<unknown>> = [
          () => kore.suspend(1e9),
          () => queue.pop(),
          () => lock.acquire(),
          () => kore.gather(() => queue.pop()),
          () => kore.proc("sleep 1000").reap()
        ]
        for (const op of ops) {
          kore.task_create(async () => {
            note("begins")
            try {
              await op()
            } finally {
              await kore.suspend(0)
              note("is clean")
            }
          })
          kore.task_create(function*() {
            note("begins")
            try {
              yield op()
            } finally {
              yield kore.suspend(0)
              note("is clean")
            }
          })
        }
        yield* untilWaiting("process", 2)
        yield* turn
      }).pipe(inWorker))
      assert.deepStrictEqual(seen, [
        ...Array.from({ length: 10 }, () => "begins"),
        ...Array.from({ length: 10 }, () => "is clean")
      ])
    }))

  it.effect("what it throws while it cleans up is reported once", () =>
    Effect.gen(function*() {
      const { reports } = yield* Said
      const victims = [
        function* generator(): Generator<any, void, any> {
          try {
            yield kore.suspend(1e9)
          } finally {
            yield kore.suspend(0)
            fail("in a generator")
          }
        },
        async () => {
          try {
            await kore.suspend(1e9)
          } finally {
            await kore.suspend(0)
            fail("in an async function")
          }
        }
      ]
      const ids = victims.map((victim) => kore.task_create(victim))
      yield* turn
      for (const id of ids) kore.task_kill(id)
      yield* until(() => reports.length === 2)
      yield* turn
      assert.sameMembers([...yield* reported], ["Error: in a generator", "Error: in an async function"])
    }).pipe(inWorker))
})
