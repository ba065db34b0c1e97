import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Logger from "effect/Logger"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import * as Tally from "../../src/process/Tally.ts"

const logged = () => {
  const lines: Array<string> = []
  return { lines, layer: Logger.layer([Logger.make(({ message }) => lines.push(String(message)))]) }
}

const sentence = (count: number, last: string) => `${count}, ${last}`

describe("a tally", () => {
  it.effect("says the first at once, the others when the second is over, and then nothing", () => {
    const { layer, lines } = logged()
    return Effect.gen(function*() {
      const tally = yield* Tally.make(sentence)
      yield* tally.say
      assert.deepStrictEqual(lines, [])
      for (const event of ["a", "b", "c"]) {
        tally.add(event)
        yield* tally.say
      }
      assert.deepStrictEqual(lines, ["1, a"])
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(lines, ["1, a", "2, c"])
      tally.add("d")
      yield* tally.say
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(lines, ["1, a", "2, c", "1, d"])
      yield* TestClock.adjust("1 minute")
      tally.add("e")
      assert.lengthOf(lines, 3)
      yield* tally.say
      assert.deepStrictEqual(lines.slice(3), ["1, e"])
    }).pipe(Effect.provide(layer))
  })

  it.effect("says at its end what has not been said", () => {
    const { layer, lines } = logged()
    return Effect.gen(function*() {
      const scope = yield* Scope.make()
      const tally = yield* Scope.provide(Tally.make(sentence), scope)
      for (const event of ["a", "b", "c"]) {
        tally.add(event)
        yield* tally.say
      }
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual(lines, ["1, a", "2, c"])
    }).pipe(Effect.provide(layer))
  })

  it.effect("goes on when a Logger throws", () => {
    const lines: Array<string> = []
    const failing = Logger.make(({ message }) => {
      if (lines.push(String(message)) === 1) throw new Error("disk full")
    })
    return Effect.gen(function*() {
      const tally = yield* Tally.make(sentence)
      tally.add("a")
      yield* tally.say
      tally.add("b")
      yield* tally.say
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(lines, ["1, a", "1, b"])
    }).pipe(Effect.provide(Logger.layer([failing])))
  })
})
