import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as SchemaGetter from "effect/SchemaGetter"
import * as Scope from "effect/Scope"
import * as v8 from "node:v8"
import * as Message from "../src/Message.ts"
import * as Mailbox from "../src/process/Mailbox.ts"
import * as Tracer from "../src/Tracer.ts"

const Hello = Message.make("hello", Schema.Struct({ text: Schema.String, at: Schema.optionalKey(Schema.Date) }))

/** A worker that is alone, and the reports of its tracer. */
const alone = () => {
  const reports: Array<readonly [Tracer.Origin, unknown]> = []
  const layer = Layer.merge(
    Layer.sync(Message.Messages, Mailbox.local),
    Tracer.layer((cause, origin) => Effect.sync(() => reports.push([origin, Cause.squash(cause)])))
  )
  return { layer, reports }
}

/** Collects values, and waits until there are so many. */
const collector = <A>() => {
  const values: Array<A> = []
  const settled = (count: number): Effect.Effect<ReadonlyArray<A>> =>
    Effect.suspend(() =>
      values.length < count ? Effect.andThen(Effect.yieldNow, settled(count)) : Effect.succeed(values)
    )
  return { values, add: (value: A) => Effect.sync(() => void values.push(value)), settled }
}

describe("Message.on", () => {
  it.effect("gets values as they were sent, in order, with the sender", () =>
    Effect.gen(function*() {
      const { add, settled } = collector<unknown>()
      yield* Message.on(Hello, (value, sender) => add([value, sender]))
      yield* Message.send(Hello, { text: "one", at: new Date(0) })
      yield* Message.send(Hello, { text: "two \u2028 \" \n é" }, { worker: 1 })
      assert.deepStrictEqual(yield* settled(2), [
        [{ text: "one", at: new Date(0) }, { worker: 1 }],
        [{ text: "two \u2028 \" \n é" }, { worker: 1 }]
      ])
    }).pipe(Effect.provide(alone().layer)))

  it.effect("handles one message after the other, though the first takes its time", () =>
    Effect.gen(function*() {
      const { add, settled } = collector<string>()
      const goOn = yield* Deferred.make<void>()
      yield* Message.on(Hello,
        ({ text }) => Effect.andThen(Effect.andThen(add(`begin ${text}`), Deferred.await(goOn)), add(`end ${text}`)))
      yield* Message.send(Hello, { text: "a" })
      yield* Message.send(Hello, { text: "b" })
      assert.deepStrictEqual(yield* settled(1), ["begin a"])
      yield* Deferred.succeed(goOn, undefined)
      assert.deepStrictEqual(yield* settled(4), ["begin a", "end a", "begin b", "end b"])
    }).pipe(Effect.provide(alone().layer)))

  it.effect("reports what a handler fails with or dies of, and goes on (kore §2.3)", () => {
    const { layer, reports } = alone()
    return Effect.gen(function*() {
      const { add, settled } = collector<string>()
      yield* Message.on(Hello, ({ text }): Effect.Effect<void, string> => {
        if (text === "throw") throw new Error("thrown")
        return text === "fail" ? Effect.fail("failed") : text === "interrupt" ? Effect.interrupt : add(text)
      })
      for (const text of ["fail", "throw", "interrupt", "last"]) yield* Message.send(Hello, { text })
      assert.deepStrictEqual(yield* settled(1), ["last"])
      assert.deepStrictEqual(reports.map(([{ kind, name }, error]) => [kind, name, error]), [
        ["message", "hello", "failed"],
        ["message", "hello", new Error("thrown")]
      ])
      assert.deepStrictEqual(reports[0]![0].details, { from: 1 })
    }).pipe(Effect.provide(layer))
  })

  it.effect("reports and drops what does not fit the Schema, and nobody dies", () => {
    const { layer, reports } = alone()
    return Effect.gen(function*() {
      const { add, settled } = collector<string>()
      // Another version of the app, which has another idea of the message.
      const Other = Message.make("hello", Schema.Struct({ text: Schema.Int }))
      yield* Message.on(Hello, ({ text }) => add(text))
      yield* Message.send(Other, { text: 1 })
      yield* Message.send(Hello, { text: "fits" })
      assert.deepStrictEqual(yield* settled(1), ["fits"])
      assert.lengthOf(reports, 1)
      assert.deepInclude(reports[0]![0], { kind: "message", name: "hello" })
      assert.include(String(reports[0]![1]),
        "The message \"hello\" of worker 1 does not fit its Schema: Expected string at [\"text\"].")
    }).pipe(Effect.provide(layer))
  })

  it.effect("executes nothing of what is sent (kore §15.3: unpickling does)", () => {
    const { layer } = alone()
    return Effect.gen(function*() {
      const Any = Message.make("any", Schema.Json)
      const { add, settled } = collector<unknown>()
      yield* Message.on(Any, add)
      yield* Message.send(Any, JSON.parse("{\"__proto__\":{\"polluted\":true},\"toJSON\":1}"))
      yield* settled(1)
      assert.isUndefined(({} as { polluted?: boolean }).polluted)
    }).pipe(Effect.provide(layer))
  })

  it.effect("several get every message, those of another name none", () =>
    Effect.gen(function*() {
      const { add, settled } = collector<string>()
      const Other = Message.make("other", Schema.Struct({ text: Schema.String }))
      yield* Message.on(Other, () => add("other"))
      yield* Message.on(Hello, ({ text }) => add(`1 ${text}`))
      yield* Message.on(Hello, ({ text }) => add(`2 ${text}`))
      yield* Message.send(Hello, { text: "a" })
      assert.sameMembers([...yield* settled(2)], ["1 a", "2 a"])
    }).pipe(Effect.provide(alone().layer)))

  it.effect("ends with its scope, in the middle of a message too, and others go on", () =>
    Effect.gen(function*() {
      const { add, settled, values } = collector<string>()
      const scope = yield* Scope.make()
      yield* Message.on(Hello, () => Effect.onInterrupt(Effect.andThen(add("begun"), Effect.never), () => add("over")))
        .pipe(Scope.provide(scope))
      yield* Message.send(Hello, { text: "a" })
      yield* Message.send(Hello, { text: "b" })
      yield* settled(1)
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual(values, ["begun", "over"])
      yield* Message.on(Hello, ({ text }) => add(text))
      yield* Message.send(Hello, { text: "c" })
      assert.deepStrictEqual(yield* settled(3), ["begun", "over", "c"])
    }).pipe(Effect.provide(alone().layer)))

  it.effect("gives each message a scope of its own", () =>
    Effect.gen(function*() {
      const { add, settled } = collector<string>()
      yield* Message.on(Hello, ({ text }) => Effect.andThen(Effect.addFinalizer(() => add(`after ${text}`)), add(text)))
      yield* Message.send(Hello, { text: "a" })
      yield* Message.send(Hello, { text: "b" })
      assert.deepStrictEqual(yield* settled(4), ["a", "after a", "b", "after b"])
    }).pipe(Effect.provide(alone().layer)))

  it.effect("as a Layer lives with it", () =>
    Effect.gen(function*() {
      const { add, settled } = collector<string>()
      yield* Layer.build(Message.layer(Hello, ({ text }) => add(text)))
      yield* Message.send(Hello, { text: "a" })
      assert.deepStrictEqual(yield* settled(1), ["a"])
    }).pipe(Effect.provide(alone().layer)))
})

describe("Message.send", () => {
  it.effect("without echo sends nothing when nobody else is there", () =>
    Effect.gen(function*() {
      const { add, settled } = collector<string>()
      yield* Message.on(Hello, ({ text }) => add(text))
      yield* Message.send(Hello, { text: "a" }, { echo: false })
      yield* Message.send(Hello, { text: "b" }, { worker: 1, echo: false })
      assert.deepStrictEqual(yield* settled(1), ["b"])
    }).pipe(Effect.provide(alone().layer)))

  it.effect("to a worker that does not exist fails, also for what is no number (kore §15.3: sends to all)", () =>
    Effect.gen(function*() {
      for (const worker of [0, 2, NaN, "1" as unknown as number, null as unknown as number]) {
        const error = yield* Effect.flip(Message.send(Hello, { text: "a" }, { worker }))
        assert.strictEqual(error._tag, "UnknownWorker")
        assert.include(error.message, `worker ${worker}, which does not exist: there is worker 1 alone.`)
      }
    }).pipe(Effect.provide(alone().layer)))

  it.effect("of a value that does not fit fails in the sender, and names what", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(Message.send(Hello, { text: 1 as unknown as string }))
      assert.strictEqual(error._tag, "EncodeError")
      assert.match(error.message, /"hello" does not fit its Schema: Expected string at \["text"\]\. Nothing was sent\./)
    }).pipe(Effect.provide(alone().layer)))

  it.effect("of a value whose Schema throws is a defect of the sender alone", () =>
    Effect.gen(function*() {
      const Bad = Message.make("bad", Schema.String.pipe(Schema.decodeTo(Schema.String, {
        decode: SchemaGetter.passthrough(),
        encode: SchemaGetter.transform((): string => {
          throw new Error("thrown")
        })
      })))
      const exit = yield* Effect.exit(Message.send(Bad, "a"))
      assert.include(Exit.isFailure(exit) ? Cause.pretty(exit.cause) : "", "thrown")
    }).pipe(Effect.provide(alone().layer)))

  it.effect("takes as much as a line of the channel has room for, counted in bytes as they travel", () =>
    Effect.gen(function*() {
      const Text = Message.make("text", Schema.String)
      const limit = 16 * 1024 * 1024 - 1024
      // Quotes of the name and of the value, and those of the value once more with their backslashes.
      const around = 6 + 6
      yield* Message.send(Text, "x".repeat(limit - around))
      for (const text of ["x".repeat(limit - around + 1), "é".repeat(limit / 2), "\"".repeat(limit / 4)]) {
        const error = yield* Effect.flip(Message.send(Text, text))
        assert.strictEqual(error._tag, "TooLong")
        assert.include(error.message, `one may have ${limit}`)
      }
    }).pipe(Effect.provide(alone().layer)))

  it.effect("carries a structured clone of 5 MB as text (kore §15.3)", () =>
    Effect.gen(function*() {
      const Raw = Message.make("kore.sendobj", Schema.String)
      const { add, settled } = collector<string>()
      yield* Message.on(Raw, add)
      const object = { bytes: Buffer.alloc(5_000_000, 7), when: new Date(0), map: new Map([["a", 1n]]) }
      yield* Message.send(Raw, v8.serialize(object).toString("base64"))
      assert.deepStrictEqual(v8.deserialize(Buffer.from((yield* settled(1))[0]!, "base64")), object)
    }).pipe(Effect.provide(alone().layer)))
})
