import { assert, beforeEach, describe, it } from "@effect/vitest"
import * as Message from "@kore-fx/core/Message"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { kore, reset } from "kore-fx/legacy"
import { services } from "../../src/legacy/internal/Registry.ts"
import { notes, reported, routes, Said, start, turn, until, untyped } from "./TestApp.ts"
import * as TestProcess from "./TestProcess.ts"

beforeEach(reset)

/** A worker whose `onmsg` is this. */
const receiving = (onmsg: (value: any) => unknown) => Effect.provide(start({ ...routes(() => {}), onmsg }))

/** What is thrown, and its tagged error. */
const refused = (f: () => unknown): unknown => {
  try {
    f()
  } catch (error) {
    assert.instanceOf(error, kore.RuntimeError)
    return (error as Error).cause
  }
  throw new Error("nothing was thrown")
}

/** What each worker has logged of `onmsg`. */
const received = (output: string, worker: number): ReadonlyArray<string> =>
  [...output.matchAll(/proc=\[wrk (\d)\] log=\[onmsg (.*)\]/g)]
    .filter(([, from]) => Number(from) === worker).map(([, , value]) => value!)

describe("kore.sendobj", () => {
  it.effect("onmsg gets what sendobj sends, in order, and may be async or a generator", () =>
    Effect.gen(function*() {
      for (const form of ["plain", "async", "generator"]) {
        reset()
        const { note, seen } = notes()
        const forms: Record<string, (value: number) => unknown> = {
          plain: note,
          async: async (value) => {
            await kore.suspend(0)
            note(value)
          },
          generator: function*(value) {
            yield kore.suspend(0)
            note(value)
          }
        }
        yield* Effect.gen(function*() {
          for (let i = 0; i < 10; i++) kore.sendobj(i)
          assert.deepStrictEqual(seen, [])
          yield* until(() => seen.length === 10)
          assert.deepStrictEqual(seen, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
        }).pipe(receiving(forms[form]!))
      }
    }))

  it.effect("is a structured clone", () => {
    const { note, seen } = notes()
    return Effect.gen(function*() {
      class Point {
        readonly x = 1
        readonly y = 2
      }
      const cycle: Record<string, unknown> = { name: "cycle" }
      cycle["self"] = cycle
      const values = [
        undefined,
        null,
        NaN,
        7n,
        "tëxt\0",
        [1, [2]],
        { a: { b: undefined } },
        new Map([["k", new Set([1])]]),
        new Date(0),
        /x/g,
        Buffer.from("bytes"),
        new Float64Array([1.5])
      ]
      for (const value of values) kore.sendobj(value)
      kore.sendobj(cycle)
      kore.sendobj(new TypeError("no"))
      kore.sendobj(new Point())
      yield* until(() => seen.length === values.length + 3)
      assert.deepStrictEqual(seen.slice(0, values.length), values)
      const [clone, error, point] = seen.slice(values.length) as [any, Error, unknown]
      assert.strictEqual(clone.self, clone)
      assert.notStrictEqual(clone, cycle)
      assert.deepStrictEqual([error.name, error.message, error instanceof TypeError], ["TypeError", "no", true])
      // kore §15.3: a pickle would bring the class, and with it code, along.
      assert.deepStrictEqual(point, { x: 1, y: 2 })
      assert.notInstanceOf(point, Point)
    }).pipe(receiving(note))
  })

  it.effect("kore §15.3: 5 MB work, and what is too long is an exception", () => {
    const { note, seen } = notes()
    return Effect.gen(function*() {
      kore.sendobj(Buffer.alloc(5_000_000, 7))
      yield* until(() => seen.length === 1)
      assert.isTrue(Buffer.alloc(5_000_000, 7).equals(seen[0] as Buffer))
      kore.sendobj(Buffer.alloc(12_000_000))
      assert.instanceOf(refused(() => kore.sendobj(Buffer.alloc(13_000_000))), Message.TooLong)
      yield* until(() => seen.length === 2)
    }).pipe(receiving(note))
  })

  it.effect("of what cannot be cloned is an exception in the sender", () => {
    const { note, seen } = notes()
    return Effect.gen(function*() {
      for (const value of [() => 1, { f: () => 1 }, Symbol("x"), Promise.resolve(), new WeakMap()]) {
        assert.throws(() => kore.sendobj(value), kore.RuntimeError, /^kore.sendobj got what cannot be sent: .*cloned/)
      }
      yield* turn
      assert.deepStrictEqual(seen, [])
    }).pipe(receiving(note))
  })

  it.effect("kore §15.3: to a worker that does not exist is an exception, also for what is no number", () => {
    const { note, seen } = notes()
    return Effect.gen(function*() {
      for (const worker of [0, -1, 2, 3, 1.5, NaN, "1", null, true]) {
        assert.instanceOf(refused(() => untyped.sendobj("x", { worker })), Message.UnknownWorker)
      }
      assert.throws(() => untyped.sendobj("x", { wroker: 1 }), kore.RuntimeError, "did you mean \"worker\"?")
      kore.sendobj("here", { worker: 1 })
      kore.sendobj("here too", { worker: undefined })
      yield* until(() => seen.length === 2)
      assert.deepStrictEqual(seen, ["here", "here too"])
    }).pipe(receiving(note))
  })

  it.effect("what arrives and is no object is reported and dropped, and the next one arrives", () => {
    const { note, seen } = notes()
    // As another worker would send it that does not play by the rules.
    const Sent = Message.make("kore.sendobj", Schema.String)
    const app = { ...routes(() => {}), onmsg: note }
    return Effect.gen(function*() {
      const { reports } = yield* Said
      for (const body of ["", "no base64 §", Buffer.from("no object").toString("base64")]) {
        const messages = Context.get(services(), Message.Messages) as Message.Messages["Service"]
        yield* Effect.provideService(Message.send(Sent, body), Message.Messages, messages)
      }
      kore.sendobj("fine")
      yield* until(() => seen.length === 1)
      assert.deepStrictEqual(seen, ["fine"])
      assert.strictEqual(reports.length, 3)
      for (const { origin } of reports) assert.deepStrictEqual([origin.kind, origin.name], ["message", "kore.sendobj"])
    }).pipe(Effect.provide(start(app)))
  })

  it.effect("is lost by a worker without onmsg", () =>
    Effect.gen(function*() {
      kore.sendobj("lost")
      yield* turn
      assert.deepStrictEqual(yield* reported, [])
    }).pipe(Effect.provide(start(routes(() => {})))))

  it.effect("reports what onmsg throws, with the kind message, and the next one arrives", () => {
    const { note, seen } = notes()
    return Effect.gen(function*() {
      const { reports } = yield* Said
      for (const value of ["plain", "async", "fine"]) kore.sendobj(value)
      yield* until(() => seen.length === 1)
      assert.deepStrictEqual(yield* reported, ["Error: plain", "Error: async"])
      assert.deepStrictEqual(reports.map(({ origin }) => origin.kind), ["message", "message"])
    }).pipe(receiving((value) => {
      if (value === "plain") throw new Error("plain")
      if (value === "async") return Promise.reject(new Error("async"))
      note(value)
    }))
  })

  it.effect("works from handlers, timers, hooks and onmsg itself, and from a coroutine that is killed next", () => {
    const { note, seen } = notes()
    return Effect.gen(function*() {
      kore.timer(() => kore.sendobj("timer"), 0, kore.TIMER_ONESHOT)
      const id = kore.task_create(() => {
        kore.sendobj("task")
        return kore.suspend(1e9)
      })
      yield* until(() => seen.includes("task"))
      kore.task_kill(id)
      yield* until(() => seen.length === 4)
      assert.sameMembers(seen, ["workerstart", "timer", "task", "answer to timer"])
    }).pipe(Effect.provide(start({
      ...routes(() => {}),
      workerstart: () => kore.sendobj("workerstart"),
      onmsg(value: string) {
        note(value)
        if (value === "timer") kore.sendobj("answer to timer")
      }
    })))
  })

  it("needs a worker", () => {
    assert.throws(() => kore.sendobj(1), kore.RuntimeError, "kore.sendobj needs a worker, and none runs here")
  })

  it.live("sendobj reaches every worker once, the sender too", () =>
    Effect.gen(function*() {
      const app = yield* TestProcess.start("processes", "three")
      const from = (yield* app.get("/all")).split(" ")[1]
      for (const worker of [1, 2, 3]) yield* app.expect(new RegExp(`\\[wrk ${worker}\\] log=\\[onmsg {"all":2`))
      yield* app.get("/one/1")
      for (const worker of [1, 2, 3]) yield* app.expect(new RegExp(`\\[wrk ${worker}\\] log=\\[onmsg "end"`))
      for (const worker of [1, 2, 3]) {
        assert.deepStrictEqual(received(app.output(), worker).filter((value) => value.includes("all")), [
          `{"all":1,"from":${from}}`,
          `{"all":2,"from":${from}}`
        ])
      }
    }))

  it.live("sendobj to one worker reaches that one alone, also the sender itself", () =>
    Effect.gen(function*() {
      const app = yield* TestProcess.start("processes", "three")
      for (const worker of [1, 2, 3]) yield* app.get(`/one/${worker}`)
      for (const worker of [1, 2, 3]) {
        yield* app.expect(new RegExp(`(\\[wrk ${worker}\\] log=\\[onmsg "end"[^]*){3}`))
        assert.deepStrictEqual(
          received(app.output(), worker).filter((value) => value !== "\"end\""),
          [`{"one":"${worker}"}`]
        )
      }
    }))
})
