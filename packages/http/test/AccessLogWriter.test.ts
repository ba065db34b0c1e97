import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Logger from "effect/Logger"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import type { File } from "../src/access-log/File.ts"
import * as Writer from "../src/access-log/Writer.ts"
import { turns } from "./transport/harness.ts"

const failure = (code: string): NodeJS.ErrnoException => Object.assign(new Error(code), { code })

/** A disk whose files are texts, and which does what a test tells it. */
class Disk {
  /** What is in each file that was opened, in that order. */
  readonly files: Array<string> = []
  readonly closed: Array<number> = []
  /** The pieces that were written, one for each call. */
  readonly writes: Array<string> = []
  /** How many bytes it takes at once. */
  room = Number.POSITIVE_INFINITY
  /** The code that writes fail with. */
  fault: string | undefined = undefined
  openFault: string | undefined = undefined
  /** What an opening waits for. */
  openGate: Effect.Effect<void> = Effect.void
  /** What a write waits for. */
  gate: Effect.Effect<void> = Effect.void

  readonly open: Effect.Effect<File, NodeJS.ErrnoException> = Effect.suspend(() =>
    Effect.andThen(this.openGate, this.opened)
  )

  private readonly opened: Effect.Effect<File, NodeJS.ErrnoException> = Effect.suspend(() => {
    if (this.openFault !== undefined) return Effect.fail(failure(this.openFault))
    const index = this.files.push("") - 1
    return Effect.succeed({
      write: (bytes, offset) =>
        Effect.andThen(this.gate, Effect.suspend(() => {
          if (this.fault !== undefined) return Effect.fail(failure(this.fault))
          const piece = Buffer.from(bytes.subarray(offset, offset + this.room)).toString()
          this.files[index] += piece
          this.writes.push(piece)
          return Effect.succeed(Buffer.byteLength(piece))
        })),
      close: Effect.sync(() => void this.closed.push(index))
    })
  })
}

const opened = Effect.fnUntraced(function*(options: Partial<Writer.Options> = {}) {
  const disk = new Disk()
  const warnings: Array<string> = []
  const logger = Logger.layer([Logger.make(({ message }) => void warnings.push(String(message)))])
  const scope = yield* Scope.make()
  const writer = yield* Writer.make(disk.open, { name: "test.log", interval: 1_000, limit: 1_000, ...options }).pipe(
    Scope.provide(scope),
    Effect.provide(logger)
  )
  yield* Effect.addFinalizer(() => Scope.close(scope, Exit.void))
  return { disk, warnings, writer, close: Scope.close(scope, Exit.void) }
})

// A fiber that is woken goes on in a later turn.
const settle = turns(10)
const after = (time: Duration.Input) => Effect.andThen(TestClock.adjust(time), settle)

describe("lines", () => {
  it.effect("B32: are written at once after a pause, then together, a second later", () =>
    Effect.gen(function*() {
      const { disk, writer } = yield* opened()
      yield* settle
      writer.append("1\n")
      yield* settle
      assert.deepStrictEqual(disk.writes, ["1\n"])
      writer.append("2\n")
      writer.append("3\n")
      yield* after("900 millis")
      assert.deepStrictEqual(disk.writes, ["1\n"])
      yield* after("100 millis")
      assert.deepStrictEqual(disk.writes, ["1\n", "2\n3\n"])
      yield* after("1 hour")
      writer.append("4\n")
      yield* settle
      assert.deepStrictEqual(disk.writes, ["1\n", "2\n3\n", "4\n"])
    }))

  it.effect("do not wait for the second when there is much of them", () =>
    Effect.gen(function*() {
      const { disk, writer } = yield* opened({ limit: 1_000_000 })
      writer.append("1\n")
      yield* settle
      const line = `${"x".repeat(9_999)}\n`
      for (let i = 0; i < 7; i++) writer.append(line)
      yield* settle
      assert.strictEqual(disk.files[0]!.length, 70_002)
    }))

  it.effect("are whole though the disk takes them in pieces", () =>
    Effect.gen(function*() {
      const { disk, writer } = yield* opened()
      disk.room = 3
      writer.append("first ä\n")
      writer.append("second\n")
      yield* settle
      assert.strictEqual(disk.files[0], "first ä\nsecond\n")
    }))

  it.effect("all of them are written when the scope closes, and the file is closed", () =>
    Effect.gen(function*() {
      const { close, disk, warnings, writer } = yield* opened()
      writer.append("1\n")
      yield* settle
      writer.append("2\n")
      writer.append("3\n")
      yield* close
      assert.deepStrictEqual(disk.writes, ["1\n", "2\n3\n"])
      assert.deepStrictEqual(disk.closed, [0])
      assert.deepStrictEqual(warnings, [])
    }))

  it.effect("that come while a write is under way at the end are written too", () =>
    Effect.gen(function*() {
      const { close, disk, writer } = yield* opened()
      const gate = yield* Deferred.make<void>()
      disk.gate = Deferred.await(gate)
      writer.append("1\n")
      yield* settle
      writer.append("2\n")
      const closing = yield* Effect.forkChild(close, { startImmediately: true })
      yield* settle
      assert.isUndefined(closing.pollUnsafe())
      yield* Deferred.succeed(gate, undefined)
      yield* settle
      assert.strictEqual(disk.files[0], "1\n2\n")
      assert.deepStrictEqual(disk.closed, [0])
    }))
})

describe("a disk", () => {
  it.effect("that is slower than the lines costs lines and no memory, and says how many, now and then", () =>
    Effect.gen(function*() {
      const { disk, warnings, writer } = yield* opened({ limit: 10 })
      const gate = yield* Deferred.make<void>()
      disk.gate = Deferred.await(gate)
      writer.append("1234\n")
      yield* settle
      for (let i = 0; i < 100; i++) writer.append("5678\n")
      yield* settle
      assert.strictEqual(warnings.length, 1)
      assert.match(warnings[0]!, /test\.log has dropped 99 lines: its disk is slower/)
      writer.append("more\n")
      yield* after("9 seconds")
      assert.strictEqual(warnings.length, 1)
      yield* after("1 second")
      assert.match(warnings[1]!, /has dropped a line/)
      yield* Deferred.succeed(gate, undefined)
      yield* after("1 second")
      assert.strictEqual(disk.files[0], "1234\n5678\n")
    }))

  it.effect("that is full is tried again, and what waited is written; it is said once", () =>
    Effect.gen(function*() {
      const { disk, warnings, writer } = yield* opened()
      disk.fault = "ENOSPC"
      writer.append("1\n")
      yield* settle
      writer.append("2\n")
      yield* after("10 seconds")
      assert.strictEqual(warnings.length, 1)
      assert.match(warnings[0]!, /test\.log cannot be written \(ENOSPC\)/)
      disk.fault = undefined
      yield* after("3 seconds")
      assert.strictEqual(disk.files[0], "1\n2\n")
      assert.match(warnings[1]!, /is written again/)
    }))

  it.effect("that is full at the end does not hold it up, and what is lost is said", () =>
    Effect.gen(function*() {
      const { close, disk, warnings, writer } = yield* opened()
      disk.fault = "ENOSPC"
      writer.append("1234\n")
      yield* close
      assert.match(warnings.at(-1)!, /ends without its last 5 bytes/)
      assert.deepStrictEqual(disk.closed, [0])
    }))

  it.effect("that does not answer at the end holds it up for three seconds", () =>
    Effect.gen(function*() {
      const { close, disk, warnings, writer } = yield* opened()
      disk.gate = Effect.never
      writer.append("1234\n")
      yield* settle
      const closing = yield* Effect.forkChild(close, { startImmediately: true })
      yield* after("2900 millis")
      assert.isUndefined(closing.pollUnsafe())
      yield* after("100 millis")
      assert.isDefined(closing.pollUnsafe())
      assert.match(warnings.at(-1)!, /ends without its last 5 bytes/)
    }))
})

describe("B39: a writer that is told to open its file anew", () => {
  it.effect("does so at once, goes on there, and closes the old file", () =>
    Effect.gen(function*() {
      const { disk, writer } = yield* opened()
      writer.append("1\n")
      yield* settle
      writer.append("2\n")
      writer.reopen()
      writer.append("3\n")
      yield* settle
      assert.deepStrictEqual(disk.files, ["1\n", "2\n3\n"])
      assert.deepStrictEqual(disk.closed, [0])
      yield* after("1 minute")
      writer.reopen()
      yield* settle
      assert.strictEqual(disk.files.length, 3)
    }))

  it.effect("does so once more when it is told to while it opens it", () =>
    Effect.gen(function*() {
      const { disk, writer } = yield* opened()
      const gate = yield* Deferred.make<void>()
      disk.openGate = Deferred.await(gate)
      writer.reopen()
      yield* settle
      writer.reopen()
      yield* Deferred.succeed(gate, undefined)
      yield* settle
      assert.strictEqual(disk.files.length, 3)
    }))

  it.effect("writes a line whole that the old file has half of", () =>
    Effect.gen(function*() {
      const { disk, writer } = yield* opened()
      disk.room = 6
      writer.append("first\n")
      yield* settle
      disk.gate = Effect.sync(() => {
        // It breaks after the first piece of the next batch.
        if (disk.writes.length === 2) disk.fault = "EIO"
      })
      writer.append("two\n")
      writer.append("three\n")
      yield* after("1 second")
      assert.strictEqual(disk.files[0], "first\ntwo\nth")
      disk.gate = Effect.void
      disk.fault = undefined
      writer.reopen()
      yield* settle
      assert.deepStrictEqual(disk.files, ["first\ntwo\nth", "three\n"])
    }))

  it.effect("goes on in the old file when the new one cannot be opened, and says so", () =>
    Effect.gen(function*() {
      const { disk, warnings, writer } = yield* opened()
      disk.openFault = "EACCES"
      writer.append("1\n")
      writer.reopen()
      yield* settle
      assert.deepStrictEqual(disk.files, ["1\n"])
      assert.match(warnings[0]!, /could not be opened anew \(EACCES\): it goes on in the old file/)
    }))

  it.effect("at its very end does both", () =>
    Effect.gen(function*() {
      const { close, disk, writer } = yield* opened()
      writer.append("1\n")
      yield* settle
      writer.append("2\n")
      writer.reopen()
      yield* close
      assert.deepStrictEqual(disk.files, ["1\n", "2\n"])
      assert.deepStrictEqual(disk.closed, [0, 1])
    }))
})
