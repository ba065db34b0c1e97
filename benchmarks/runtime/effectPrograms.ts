/**
 * The work of the peers that speak Effect, given their primitives.
 *
 * When to reach for it: `peers/kore-fx.ts` and `peers/effect.ts` share it, so that they do the same.
 * What it is not: clever. The loops are those of an app, and every effect is made anew where an app would make it anew.
 */
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"

type Program<R> = (operations: number) => Effect.Effect<number, never, R>

/** How many tasks are created before their creator waits for the last of them. */
const batch = 100

const together = <R>(
  fibers: number,
  program: (index: number) => Effect.Effect<void, never, R>
): Effect.Effect<void, never, R> =>
  Effect.forEach(Array.from({ length: fibers }, (_, index) => index), program, {
    concurrency: "unbounded",
    discard: true
  })

/** Tasks that are created and joined one after the other. */
export const createAndJoin = <T, R>(
  create: (effect: Effect.Effect<void>) => Effect.Effect<T, never, R>,
  join: (task: T) => Effect.Effect<unknown>
): Program<R> =>
  Effect.fnUntraced(function*(operations) {
    let count = 0
    const work = Effect.sync(() => {
      count++
    })
    for (let i = 0; i < operations; i++) yield* join(yield* create(work))
    return count
  })

/** Tasks that nobody joins, but for the last one of every batch. */
export const createAndFinish = <T, R>(
  create: (effect: Effect.Effect<void>) => Effect.Effect<T, never, R>,
  join: (task: T) => Effect.Effect<unknown>
): Program<R> =>
  Effect.fnUntraced(function*(operations) {
    let count = 0
    const work = Effect.sync(() => {
      count++
    })
    for (let i = 0; i < operations; i += batch) {
      for (let j = 1; j < batch; j++) yield* create(work)
      yield* join(yield* create(work))
    }
    return count
  })

/** So many fibers that do nothing but wait, `wait` made anew each time. */
export const waits = (fibers: number, wait: () => Effect.Effect<void>): Program<never> => (operations) =>
  Effect.suspend(() => {
    let count = 0
    const program = Effect.gen(function*() {
      for (let i = 0; i < operations / fibers; i++) {
        yield* wait()
        count++
      }
    })
    return Effect.map(together(fibers, () => program), () => count)
  })

type WithLock = (effect: Effect.Effect<void>) => Effect.Effect<void>

/** One fiber that takes a free lock. */
export const freeLock = (withLock: WithLock): Program<never> =>
  Effect.fnUntraced(function*(operations) {
    let count = 0
    const work = Effect.sync(() => {
      count++
    })
    for (let i = 0; i < operations; i++) yield* withLock(work)
    return count
  })

/** Fibers that stand in line for a lock, go to the end of the line and so on; the lock is never free. */
export const handOvers = (fibers: number, withLock: WithLock): Program<never> => (operations) =>
  Effect.suspend(() => {
    let count = 0
    let last = -1
    const member = Effect.fnUntraced(function*(me: number) {
      const work = Effect.sync(() => {
        if (last !== me) count++
        last = me
      })
      for (let i = 0; i < operations / fibers; i++) yield* withLock(work)
    })
    const opening = withLock(Effect.replicateEffect(Effect.yieldNow, 10, { discard: true }))
    return Effect.map(
      Effect.all([opening, together(fibers, member)], { concurrency: "unbounded", discard: true }),
      () => count
    )
  })

interface Queues<Q> {
  readonly make: Effect.Effect<Q>
  readonly push: (queue: Q, item: number) => Effect.Effect<unknown>
  readonly pop: (queue: Q) => Effect.Effect<number>
}

/** Two fibers that send each item there and back over two queues. */
export const pingPong = <Q>({ make, pop, push }: Queues<Q>): Program<never> =>
  Effect.fnUntraced(function*(operations) {
    const there = yield* make
    const back = yield* make
    let count = 0
    const echo = Effect.gen(function*() {
      for (let i = 0; i < operations; i++) yield* push(back, yield* pop(there))
    })
    const caller = Effect.gen(function*() {
      for (let i = 0; i < operations; i++) {
        yield* push(there, i)
        if ((yield* pop(back)) === i) count++
      }
    })
    yield* Effect.all([echo, caller], { concurrency: "unbounded", discard: true })
    return count
  })

/** A fiber that pushes and one that pops. */
export const oneWay = <Q>({ make, pop, push }: Queues<Q>): Program<never> =>
  Effect.fnUntraced(function*(operations) {
    const queue = yield* make
    let count = 0
    const producer = Effect.gen(function*() {
      for (let i = 0; i < operations; i++) yield* push(queue, i)
    })
    const consumer = Effect.gen(function*() {
      for (let i = 0; i < operations; i++) if ((yield* pop(queue)) === i) count++
    })
    yield* Effect.all([producer, consumer], { concurrency: "unbounded", discard: true })
    return count
  })

/** Children that only compute. */
export const synchronous = (i: number): Effect.Effect<number> => Effect.sync(() => i)

/** Children that let others go first, once. */
export const yielding = (i: number): Effect.Effect<number> => Effect.map(Effect.yieldNow, () => i)

/** Gathers so many children, time and again. */
export const gathers = <R>(
  children: number,
  gather: (numbers: ReadonlyArray<number>) => Effect.Effect<ReadonlyArray<Exit.Exit<number>>, never, R>
): Program<R> =>
  Effect.fnUntraced(function*(operations) {
    const numbers = Array.from({ length: children }, (_, i) => i)
    let count = 0
    for (let done = 0; done < operations; done += children) {
      const exits = yield* gather(numbers)
      exits.forEach((exit, i) => {
        if (exit._tag === "Success" && exit.value === i) count++
      })
    }
    return count
  })
