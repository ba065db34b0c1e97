import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as EffectScheduler from "effect/Scheduler"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import * as Scheduler from "../src/Scheduler.ts"
import * as Socket from "../src/Socket.ts"
import type { SocketError } from "../src/SocketError.ts"
import { anyPort, pattern, start, uniqueName } from "./fixtures/socket.ts"

const between = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

// Fewer operations than any step of a socket takes: the fiber yields in the middle of it.
const Budget = between(3, 14)
const SchedulerName = Schema.Literals(["default", "worker"])
const schedulers = { default: new EffectScheduler.MixedScheduler(), worker: Scheduler.make() }

const onScheduler = (name: "default" | "worker") => <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.provideService(effect, EffectScheduler.Scheduler, schedulers[name])

const yielding = (budget: number) => <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.provideService(effect, EffectScheduler.MaxOpsBeforeYield, budget)

const turns = (count: number) => Effect.forEach(Array.from({ length: count }), () => Scheduler.turn, { discard: true })

/** Two ends of connections that are made once: making one costs more than what is done with it. */
const listeners = { tcp: Socket.listen(anyPort), unix: Effect.suspend(() => Socket.listen({ path: uniqueName() })) }

const pair = (
  kind: keyof typeof listeners
): Effect.Effect<readonly [Socket.Stream, Socket.Stream], SocketError, Scope.Scope> =>
  Effect.gen(function*() {
    const listener = yield* listeners[kind]
    return [yield* Socket.connect(listener.address), yield* Socket.accept(listener)] as const
  })

/**
 * A receiver that may be interrupted at any moment. It records what it got in the step after the operation, and in the
 * same run of the fiber unless it is made to yield: that step is not the operation's any more.
 */
const recorder = (
  socket: Socket.Stream,
  maxBytes: number,
  received: Array<Buffer>,
  timeout: boolean
) =>
  Effect.map(
    timeout ? Socket.recv(socket, maxBytes, { timeout: "1 hour" }) : Socket.recv(socket, maxBytes),
    (bytes) => {
      if (Option.isSome(bytes)) received.push(bytes.value)
      return Option.isNone(bytes)
    }
  )

describe("laws of a stream", () => {
  for (const kind of ["tcp", "unix"] as const) {
    it.effect.prop(
      `${kind}: what is received is what was sent, in order, whatever is asked for and whoever is interrupted`,
      {
        writes: Schema.Array(between(0, 40)).check(Schema.isMaxLength(8)),
        reads: Schema.NonEmptyArray(Schema.Struct({
          maxBytes: between(1, 30),
          // After how many turns it is interrupted; not at all where it is over 3.
          interrupted: between(0, 6),
          timeout: Schema.Boolean
        })).check(Schema.isMaxLength(8)),
        pauses: Schema.Array(between(0, 2)).check(Schema.isMaxLength(8)),
        scheduler: SchedulerName
      },
      ({ pauses, reads, scheduler, writes }) =>
        onScheduler(scheduler)(Effect.scoped(Effect.gen(function*() {
          const [client, server] = yield* pair(kind)
          const sent = pattern(writes.reduce((sum, length) => sum + length, 0))
          const sending = yield* start(Effect.gen(function*() {
            let at = 0
            for (const [index, length] of writes.entries()) {
              yield* turns(pauses[index] ?? 0)
              yield* Socket.send(client, sent.subarray(at, at += length))
            }
            yield* Socket.end(client)
          }))
          const received: Array<Buffer> = []
          for (let index = 0, ended = false; !ended; index++) {
            const { interrupted, maxBytes, timeout } = reads[index % reads.length]!
            const before = received.length
            const receiving = yield* start(recorder(server, maxBytes, received, timeout))
            // The first time around everybody may be interrupted; later, only every other, or it might not end.
            if (interrupted <= 3 && (index < reads.length || index % 2 === 0)) {
              yield* turns(interrupted)
              receiving.interruptUnsafe()
            }
            const exit = yield* Fiber.await(receiving)
            if (exit._tag === "Success") ended = exit.value
            // One that was interrupted has taken nothing.
            else assert.strictEqual(received.length, before)
            if (received.length > before) assert.isAtMost(received.at(-1)!.length, maxBytes)
          }
          yield* Fiber.join(sending)
          assert.isTrue(sent.equals(Buffer.concat(received)))
        }))),
      { arbitrary: { runs: 1000, size: 30 }, timeout: 120_000 }
    )
  }

  it.effect.prop(
    "nothing is lost between the operation and its result, wherever a fiber yields, is interrupted or times out",
    {
      tries: Schema.NonEmptyArray(Schema.Struct({
        budget: Budget,
        turns: between(0, 4),
        end: Schema.Literals(["interrupt", "timeout", "both"])
      })).check(Schema.isMaxLength(12)),
      pieces: between(1, 9),
      scheduler: SchedulerName
    },
    ({ pieces, scheduler, tries }) =>
      onScheduler(scheduler)(Effect.scoped(Effect.gen(function*() {
        const [client, server] = yield* pair("unix")
        const sent = pattern(36)
        const sending = yield* start(Effect.gen(function*() {
          for (let at = 0; at < sent.length; at += pieces) {
            yield* Socket.send(client, sent.subarray(at, at + pieces))
            yield* Scheduler.turn
          }
          yield* Socket.end(client)
        }))
        const received: Array<Buffer> = []
        const timed = Socket.recv(server, 2, { timeout: "1 second" })
        const endless = Socket.recv(server, 2)
        for (const { budget, end, turns: count } of tries) {
          // The operation alone is the fiber: what it returned is what the fiber ended with.
          const operation: Effect.Effect<Option.Option<Buffer>, unknown> = end === "interrupt" ? endless : timed
          const receiving = yield* start(yielding(budget)(operation))
          yield* turns(count)
          if (end !== "interrupt") yield* TestClock.adjust("1 second")
          if (end !== "timeout") receiving.interruptUnsafe()
          const exit = yield* Fiber.await(receiving)
          if (exit._tag === "Success" && Option.isSome(exit.value)) received.push(exit.value.value)
        }
        for (let rest = yield* Socket.recv(server, 7); Option.isSome(rest); rest = yield* Socket.recv(server, 7)) {
          received.push(rest.value)
        }
        yield* Fiber.join(sending)
        assert.isTrue(sent.equals(Buffer.concat(received)))
      }))),
    { arbitrary: { runs: 1000, size: 30 }, timeout: 120_000 }
  )

  it.effect.prop(
    "a send is whole or not at all, wherever a fiber yields or is interrupted",
    {
      sends: Schema.NonEmptyArray(Schema.Struct({
        length: between(1, 300_000),
        interrupted: between(0, 4),
        budget: Budget
      })).check(Schema.isMaxLength(6)),
      scheduler: SchedulerName
    },
    ({ scheduler, sends }) =>
      onScheduler(scheduler)(Effect.scoped(Effect.gen(function*() {
        const [client, server] = yield* pair("unix")
        const sending: Array<Fiber.Fiber<void, SocketError>> = []
        for (const [index, { budget, length }] of sends.entries()) {
          sending.push(yield* start(yielding(budget)(Socket.send(client, Buffer.alloc(length, index + 1)))))
        }
        for (const [index, { interrupted }] of sends.entries()) {
          if (interrupted > 2) continue
          yield* turns(interrupted)
          sending[index]!.interruptUnsafe()
        }
        const ending = yield* start(Socket.end(client))
        const received: Array<number> = []
        for (
          let some = yield* Socket.recv(server, 65_536);
          Option.isSome(some);
          some = yield* Socket.recv(server, 65_536)
        ) {
          // Runs of equal bytes.
          for (const byte of some.value) {
            if (received.length === 0 || received.at(-2) !== byte) received.push(byte, 1)
            else received[received.length - 1]!++
          }
        }
        yield* Fiber.join(ending)
        const numbers = received.filter((_, index) => index % 2 === 0)
        assert.strictEqual(new Set(numbers).size, numbers.length)
        for (const [index, number] of numbers.entries()) {
          assert.strictEqual(received[index * 2 + 1], sends[number - 1]!.length)
        }
        for (const [index, fiber] of sending.entries()) {
          const exit = yield* Fiber.await(fiber)
          if (exit._tag === "Success") assert.include(numbers, index + 1)
        }
      }))),
    { arbitrary: { runs: 300, size: 30 }, timeout: 120_000 }
  )
})

describe("laws of datagrams", () => {
  it.effect.prop(
    "UNIX: every datagram is received once, whole and in order, whoever is interrupted",
    {
      lengths: Schema.Array(between(0, 20)).check(Schema.isMaxLength(15)),
      receives: Schema.NonEmptyArray(Schema.Struct({ interrupted: between(0, 6), budget: Budget })).check(
        Schema.isMaxLength(8)
      ),
      scheduler: SchedulerName
    },
    ({ lengths, receives, scheduler }) =>
      onScheduler(scheduler)(Effect.scoped(Effect.gen(function*() {
        const socket = yield* Socket.unixDatagram()
        const sent = [...lengths.map((length, index) => `${index}:${"x".repeat(length)}`), "end"]
        const sending = yield* start(
          Effect.forEach(sent, (data) => Socket.sendto(socket, socket.local, data), { discard: true })
        )
        const received: Array<string> = []
        for (let index = 0; received.at(-1) !== "end"; index++) {
          const { budget, interrupted } = receives[index % receives.length]!
          const receiving = yield* start(yielding(budget)(Socket.recvfrom(socket, 100)))
          if (interrupted <= 3 && (index < receives.length || index % 2 === 0)) {
            yield* turns(interrupted)
            receiving.interruptUnsafe()
          }
          const exit = yield* Fiber.await(receiving)
          if (exit._tag === "Success") received.push(exit.value.data.toString())
        }
        yield* Fiber.join(sending)
        assert.deepStrictEqual(received, sent)
      }))),
    { arbitrary: { runs: 1000, size: 30 }, timeout: 120_000 }
  )
})
