/**
 * Plain Promises: async functions, timers of Node, a mutex and a queue of a few lines.
 *
 * The mutex and the queue are correct and first come, first served, and nothing more: a waiter cannot be interrupted,
 * and no length is bounded but that of the queue.
 */
import type { Parking, Work } from "../Peer.ts"
import * as Programs from "../promisePrograms.ts"

// --- task --------------------------------------------------------------------------------------------------------------

const batch = 100

const createAndFinish: Work = async (operations) => {
  let count = 0
  const work = async (): Promise<void> => {
    count++
  }
  for (let i = 0; i < operations; i += batch) {
    for (let j = 1; j < batch; j++) void work()
    await work()
  }
  return count
}

const createAndJoin: Work = async (operations) => {
  let count = 0
  const work = async (): Promise<void> => {
    count++
  }
  for (let i = 0; i < operations; i++) await work()
  return count
}

// --- suspend -----------------------------------------------------------------------------------------------------------

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

const sleep = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1))

// --- lock --------------------------------------------------------------------------------------------------------------

interface Link<A> {
  readonly value: A
  next: Link<A> | undefined
}

/** First in, first out, in constant time; `Array.shift` moves what is behind. */
class Line<A> {
  private first: Link<A> | undefined = undefined
  private last: Link<A> | undefined = undefined
  length = 0

  push(value: A): void {
    const link: Link<A> = { value, next: undefined }
    if (this.last === undefined) this.first = link
    else this.last.next = link
    this.last = link
    this.length++
  }

  shift(): A | undefined {
    const link = this.first
    if (link === undefined) return undefined
    this.first = link.next
    if (link.next === undefined) this.last = undefined
    this.length--
    return link.value
  }
}

/** First come, first served; who releases hands over to the next. */
class Mutex {
  private held = false
  private readonly waiting = new Line<() => void>()

  async runExclusive<A>(work: () => A | Promise<A>): Promise<A> {
    if (this.held) await new Promise<void>((resolve) => this.waiting.push(resolve))
    else this.held = true
    try {
      return await work()
    } finally {
      const next = this.waiting.shift()
      if (next === undefined) this.held = false
      else next()
    }
  }
}

const mutex = new Mutex()
const withLock = (work: () => void | Promise<void>): Promise<void> => mutex.runExclusive(work)

// --- queue -------------------------------------------------------------------------------------------------------------

/** First in, first out, for items and for those who wait; gives and takes without a Promise where nobody has to wait. */
class Queue {
  private readonly capacity: number
  private readonly items = new Line<number>()
  private readonly takers = new Line<(item: number) => void>()
  private readonly pushers = new Line<() => void>()

  constructor(capacity = Infinity) {
    this.capacity = capacity
  }

  push(item: number): Promise<void> | void {
    const taker = this.takers.shift()
    if (taker !== undefined) return taker(item)
    if (this.items.length < this.capacity) return this.items.push(item)
    return new Promise((resolve) => {
      this.pushers.push(() => {
        this.items.push(item)
        resolve()
      })
    })
  }

  pop(): Promise<number> | number {
    if (this.items.length === 0) return new Promise((resolve) => this.takers.push(resolve))
    const item = this.items.shift()!
    this.pushers.shift()?.()
    return item
  }
}

// --- parked ------------------------------------------------------------------------------------------------------------

interface Parked {
  readonly cancel: () => void
  readonly end: Promise<void>
}

/** Each task keeps what it takes to end it: its timer, and the rest of its function. */
export const parking = (): Parking => {
  const tasks: Array<Parked> = []
  let suspended = 0
  let ended = 0

  const start = (): Parked => {
    let cancel: () => void
    const wait = new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, 3_600_000)
      cancel = () => {
        clearTimeout(timer)
        resolve()
      }
    })
    const task = async (): Promise<void> => {
      suspended++
      await wait
      ended++
    }
    return { end: task(), cancel: cancel! }
  }

  return {
    park: async (count) => {
      for (let i = 0; i < count; i++) tasks.push(start())
    },
    killNewest: async (times) => {
      for (let i = 0; i < times; i++) {
        const task = tasks.pop()!
        task.cancel()
        await task.end
      }
    },
    cancelAll: async () => {
      for (const task of tasks) task.cancel()
      await Promise.all(tasks.splice(0).map((task) => task.end))
    },
    counts: async () => ({ suspended, ended })
  }
}

export const works: Record<string, Work> = {
  "task/create-finish": createAndFinish,
  "task/create-join": createAndJoin,
  "suspend/turn-1": Programs.waits(1, turn),
  "suspend/turn-100": Programs.waits(100, turn),
  "suspend/sleep-10000": Programs.waits(10_000, sleep),
  "lock/free": Programs.freeLock(withLock),
  "lock/hand-over-2": Programs.handOvers(2, withLock),
  "lock/hand-over-100": Programs.handOvers(100, withLock),
  "queue/ping-pong": Programs.pingPong(() => new Queue()),
  "queue/one-way": Programs.oneWay(() => new Queue(100))
}
