/** Effect as it is without kore-fx: its primitives under its default scheduler, tasks as children of a fiber. */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import * as Semaphore from "effect/Semaphore"
import * as Programs from "../effectPrograms.ts"
import type { Parking, Work } from "../Peer.ts"

const run = (program: (operations: number) => Effect.Effect<number>): Work => (operations) =>
  Effect.runPromise(program(operations))

const create = (effect: Effect.Effect<void>): Effect.Effect<Fiber.Fiber<void>> => Effect.forkChild(effect)

const sleep = (): Effect.Effect<void> => Effect.sleep("1 millis")

const semaphore = Semaphore.makeUnsafe(1)
const withLock = (effect: Effect.Effect<void>): Effect.Effect<void> => semaphore.withPermit(effect)

const queues = (make: Effect.Effect<Queue.Queue<number>>) => ({
  make,
  push: (queue: Queue.Queue<number>, item: number) => Queue.offer(queue, item),
  pop: (queue: Queue.Queue<number>) => Queue.take(queue)
})

const gather = (child: (i: number) => Effect.Effect<number>): Work =>
  run(Programs.gathers(
    10_000,
    (numbers) => Effect.forEach(numbers, (i) => Effect.exit(child(i)), { concurrency: 100 })
  ))

export const parking = (): Parking => {
  const fibers: Array<Fiber.Fiber<void>> = []
  let suspended = 0
  let ended = 0
  const hour = Effect.suspend(() => {
    suspended++
    return Effect.sleep("1 hour")
  })
  // Children would end with the fiber that started them.
  const park = Effect.fnUntraced(function*(count: number) {
    for (let i = 0; i < count; i++) fibers.push(yield* Effect.forkDetach(hour))
    // What was forked before runs before.
    yield* Fiber.await(yield* Effect.forkDetach(Effect.void))
  })
  const killNewest = Effect.fnUntraced(function*(times: number) {
    for (let i = 0; i < times; i++) {
      yield* Fiber.interrupt(fibers.pop()!)
      ended++
    }
  })
  return {
    park: (count) => Effect.runPromise(park(count)),
    killNewest: (times) => Effect.runPromise(killNewest(times)),
    cancelAll: () => Effect.runPromise(Fiber.interruptAll(fibers)),
    counts: async () => {
      ended += fibers.filter((fiber) => fiber.pollUnsafe() !== undefined).length
      return { suspended, ended }
    }
  }
}

export const works: Record<string, Work> = {
  "task/create-finish": run(Programs.createAndFinish(create, Fiber.await)),
  "task/create-join": run(Programs.createAndJoin(create, Fiber.await)),
  "suspend/turn-1": run(Programs.waits(1, () => Effect.yieldNow)),
  "suspend/turn-100": run(Programs.waits(100, () => Effect.yieldNow)),
  "suspend/sleep-10000": run(Programs.waits(10_000, sleep)),
  "lock/free": run(Programs.freeLock(withLock)),
  "lock/hand-over-2": run(Programs.handOvers(2, withLock)),
  "lock/hand-over-100": run(Programs.handOvers(100, withLock)),
  "queue/ping-pong": run(Programs.pingPong(queues(Queue.unbounded<number>()))),
  "queue/one-way": run(Programs.oneWay(queues(Queue.bounded<number>(100)))),
  "gather/synchronous": gather(Programs.synchronous),
  "gather/yielding": gather(Programs.yielding)
}
