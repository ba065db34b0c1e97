/** The primitives of kore-fx, with the services and the scheduler that `Kore.main` gives to a worker. */
import * as Gather from "@kore-fx/core/Gather"
import * as Lock from "@kore-fx/core/Lock"
import * as Queue from "@kore-fx/core/Queue"
import * as Scheduler from "@kore-fx/core/Scheduler"
import * as Suspend from "@kore-fx/core/Suspend"
import * as Task from "@kore-fx/core/Task"
import * as Tracer from "@kore-fx/core/Tracer"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as References from "effect/References"
import * as Scope from "effect/Scope"
import * as Programs from "../effectPrograms.ts"
import type { Parking, Work } from "../Peer.ts"

// As in `Kore.main`. The scheduler comes first: `Tasks` starts tasks with that under which it was made.
const services = Task.Tasks.layer.pipe(
  Layer.provideMerge(Tracer.layerDefault),
  Layer.provideMerge(Layer.merge(Scheduler.layer, Layer.succeed(References.TracerEnabled, false)))
)

/** A worker of its own: its tasks end with its scope. */
const makeWorker = (scope: Scope.Scope): Effect.Effect<Context.Context<Task.Tasks>> =>
  // Flat, as a worker's is.
  Effect.map(Layer.buildWithScope(services, scope), (context) => Context.makeUnsafe(new Map(context.mapUnsafe)))

const worker = Effect.runSync(makeWorker(Scope.makeUnsafe()))

const run = (program: (operations: number) => Effect.Effect<number, never, Task.Tasks>): Work => (operations) =>
  Effect.runPromiseWith(worker)(program(operations))

const create = (effect: Effect.Effect<void>): Effect.Effect<Task.Task<void>, never, Task.Tasks> => Task.create(effect)
const join = (task: Task.Task<void>): Effect.Effect<unknown> => task.await

const lock = Lock.makeUnsafe()
const withLock = (effect: Effect.Effect<void>): Effect.Effect<void> => Lock.withLock(lock, effect)

const queues = (make: Effect.Effect<Queue.Queue<number>>) => ({
  make,
  push: (queue: Queue.Queue<number>, item: number) => Queue.push(queue, item),
  pop: (queue: Queue.Queue<number>) => Queue.pop(queue)
})

const gather = (child: (i: number) => Effect.Effect<number>): Work =>
  run(Programs.gathers(10_000, (numbers) => Gather.gather(numbers.map(child), { concurrency: 100 })))

export const parking = (): Parking => {
  const scope = Scope.makeUnsafe()
  const context = Effect.runSync(makeWorker(scope))
  const runHere = Effect.runPromiseWith(context)
  const ids: Array<Task.Id> = []
  let suspended = 0
  let killed = 0
  const hour = Effect.suspend(() => {
    suspended++
    return Suspend.suspend("1 hour")
  })
  const park = Effect.fnUntraced(function*(count: number) {
    for (let i = 0; i < count; i++) ids.push((yield* Task.create(hour)).id)
    // Tasks begin in the order of their creation.
    yield* (yield* Task.create(Effect.void)).await
  })
  const killNewest = Effect.fnUntraced(function*(times: number) {
    for (let i = 0; i < times; i++) if (yield* Task.kill(ids.pop()!)) killed++
  })
  const counts = Effect.gen(function*() {
    let ended = killed
    for (const id of ids) if (!(yield* Task.kill(id))) ended++
    return { suspended, ended }
  })
  return {
    park: (count) => runHere(park(count)),
    killNewest: (times) => runHere(killNewest(times)),
    cancelAll: () => runHere(Context.get(context, Task.Tasks).close),
    counts: () => runHere(counts)
  }
}

export const works: Record<string, Work> = {
  "task/create-finish": run(Programs.createAndFinish(create, join)),
  "task/create-join": run(Programs.createAndJoin(create, join)),
  "suspend/turn-1": run(Programs.waits(1, () => Suspend.suspend(0))),
  "suspend/turn-100": run(Programs.waits(100, () => Suspend.suspend(0))),
  "suspend/sleep-10000": run(Programs.waits(10_000, () => Suspend.suspend("1 millis"))),
  "lock/free": run(Programs.freeLock(withLock)),
  "lock/hand-over-2": run(Programs.handOvers(2, withLock)),
  "lock/hand-over-100": run(Programs.handOvers(100, withLock)),
  "queue/ping-pong": run(Programs.pingPong(queues(Queue.make<number>()))),
  "gather/synchronous": gather(Programs.synchronous),
  "gather/yielding": gather(Programs.yielding),
  "queue/one-way": run(Programs.oneWay(queues(Queue.make<number>({ capacity: 100 }))))
}

/** Whether the event loop makes a turn while so many tasks are created and the last of them is joined. */
const needsTurn = async (tasks: number): Promise<boolean> => {
  let hasTurned = false
  const turned = setImmediate(() => {
    hasTurned = true
  })
  await Effect.runPromiseWith(worker)(Effect.gen(function*() {
    for (let i = 1; i < tasks; i++) yield* create(Effect.void)
    yield* join(yield* create(Effect.void))
  }))
  clearImmediate(turned)
  return hasTurned
}

// Only a worker's scheduler starts a task without a turn and lets the loop turn after `wakesPerTurn` of them.
if (await needsTurn(1) || !(await needsTurn(2 * Scheduler.wakesPerTurn))) {
  throw new Error("the tasks of kore-fx run under another scheduler than a worker's")
}
