/**
 * The work of the peers that speak Promises, given their primitives.
 *
 * When to reach for it: `peers/promise.ts`, `peers/async-mutex.ts` and `peers/p-limit.ts` share it. What each program is
 * about is told where it is named the same in `effectPrograms.ts`.
 * What it is not: an async imitation of Effect. Nothing here can be interrupted, and no failure is reported.
 */
import type { Work } from "./Peer.ts"

const together = (fibers: number, program: (index: number) => Promise<void>): Promise<unknown> =>
  Promise.all(Array.from({ length: fibers }, (_, index) => program(index)))

/** So many async functions that do nothing but wait. */
export const waits = (fibers: number, wait: () => Promise<unknown>): Work => async (operations) => {
  let count = 0
  await together(fibers, async () => {
    for (let i = 0; i < operations / fibers; i++) {
      await wait()
      count++
    }
  })
  return count
}

type WithLock = (work: () => void | Promise<void>) => Promise<void>

export const freeLock = (withLock: WithLock): Work => async (operations) => {
  let count = 0
  const work = () => {
    count++
  }
  for (let i = 0; i < operations; i++) await withLock(work)
  return count
}

export const handOvers = (fibers: number, withLock: WithLock): Work => async (operations) => {
  let count = 0
  let last = -1
  const member = async (me: number): Promise<void> => {
    const work = () => {
      if (last !== me) count++
      last = me
    }
    for (let i = 0; i < operations / fibers; i++) await withLock(work)
  }
  const opening = withLock(() => new Promise((resolve) => setImmediate(resolve)))
  await Promise.all([opening, together(fibers, member)])
  return count
}

interface Queue {
  readonly push: (item: number) => Promise<void> | void
  readonly pop: () => Promise<number> | number
}

export const pingPong = (make: () => Queue): Work => async (operations) => {
  const there = make()
  const back = make()
  let count = 0
  const echo = async (): Promise<void> => {
    for (let i = 0; i < operations; i++) await back.push(await there.pop())
  }
  const caller = async (): Promise<void> => {
    for (let i = 0; i < operations; i++) {
      await there.push(i)
      if ((await back.pop()) === i) count++
    }
  }
  await Promise.all([echo(), caller()])
  return count
}

export const oneWay = (make: () => Queue): Work => async (operations) => {
  const queue = make()
  let count = 0
  const producer = async (): Promise<void> => {
    for (let i = 0; i < operations; i++) await queue.push(i)
  }
  const consumer = async (): Promise<void> => {
    for (let i = 0; i < operations; i++) if ((await queue.pop()) === i) count++
  }
  await Promise.all([producer(), consumer()])
  return count
}

export const synchronous = (i: number): number => i

export const yielding = async (i: number): Promise<number> => {
  await Promise.resolve()
  return i
}

export const gathers = (
  children: number,
  gather: (numbers: ReadonlyArray<number>) => Promise<ReadonlyArray<PromiseSettledResult<number>>>
): Work =>
async (operations) => {
  const numbers = Array.from({ length: children }, (_, i) => i)
  let count = 0
  for (let done = 0; done < operations; done += children) {
    const results = await gather(numbers)
    results.forEach((result, i) => {
      if (result.status === "fulfilled" && result.value === i) count++
    })
  }
  return count
}
