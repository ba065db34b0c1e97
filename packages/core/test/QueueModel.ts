/**
 * What a queue should do, in plain arrays.
 *
 * Fibers are numbers. What has been woken runs in `settle`, in the order of waking.
 */

export type Strategy = "suspend" | "dropping" | "sliding"

export type Outcome = number | boolean | "closed" | "interrupted" | ReadonlyArray<number>

interface Item {
  readonly value: number
  /** In the order in which items were handed to fibers. */
  readonly number: number
}

interface Taker {
  readonly id: number
  /** How many items it takes; undefined for a pop of one. */
  readonly max: number | undefined
}

export class QueueModel {
  items: Array<Item> = []
  /** By fiber: what it came to. */
  readonly ended = new Map<number, Outcome>()
  isClosed = false
  private takers: Array<Taker> = []
  private pushers: Array<{ readonly id: number; readonly value: number }> = []
  private entering: number | undefined = undefined
  private readonly handed = new Map<number, Item>()
  private woken: Array<{ readonly id: number; readonly run: () => void }> = []
  private handedOut = 0
  private readonly capacity: number
  private readonly strategy: Strategy

  constructor(capacity: number, strategy: Strategy) {
    this.capacity = capacity
    this.strategy = strategy
  }

  push(id: number, value: number): void {
    if (this.isClosed) return this.end(id, false)
    if (this.strategy === "suspend") {
      const hasRoom = this.items.length < this.capacity && this.entering === undefined && this.pushers.length === 0
      if (!hasRoom) return void this.pushers.push({ id, value })
    } else if (this.items.length >= this.capacity) {
      if (this.strategy === "dropping") return this.end(id, false)
      while (this.items.length >= this.capacity) this.items.shift()
    }
    this.add(value)
    this.end(id, true)
  }

  pop(id: number, max?: number): void {
    if (this.items.length > 0) this.end(id, this.batch([this.take()], max))
    else if (this.isDrained) this.end(id, "closed")
    else this.takers.push({ id, max })
  }

  take(): number {
    const { value } = this.items.shift()!
    this.letIn()
    this.endIfDrained()
    return value
  }

  close(): void {
    if (this.isClosed) return
    this.isClosed = true
    for (const { id } of this.pushers.splice(0)) this.wake(id, () => this.end(id, false))
    this.endIfDrained()
  }

  interrupt(id: number): void {
    const item = this.handed.get(id)
    this.handed.delete(id)
    this.takers = this.takers.filter((other) => other.id !== id)
    this.pushers = this.pushers.filter((other) => other.id !== id)
    this.woken = this.woken.filter((other) => other.id !== id)
    this.end(id, "interrupted")
    if (this.entering === id) {
      this.entering = undefined
      this.letIn()
    }
    if (item === undefined) return
    const taker = this.takers.shift()
    if (taker === undefined) this.items = [...this.items, item].sort((a, b) => a.number - b.number)
    else this.hand(taker, item)
  }

  /** Runs all that has been woken. */
  settle(): void {
    for (let next = this.woken.shift(); next !== undefined; next = this.woken.shift()) next.run()
  }

  /** Those that have not ended, oldest first. */
  pending(count: number): ReadonlyArray<number> {
    return Array.from({ length: count }, (_, id) => id).filter((id) => !this.ended.has(id))
  }

  private end(id: number, outcome: Outcome): void {
    this.ended.set(id, outcome)
  }

  private wake(id: number, run: () => void): void {
    this.woken.push({ id, run })
  }

  private batch(batch: Array<number>, max: number | undefined): Outcome {
    if (max === undefined) return batch[0]!
    while (batch.length < max && this.items.length > 0) batch.push(this.take())
    return batch
  }

  private add(value: number): void {
    const taker = this.takers.shift()
    // An item in the queue is younger than all that were handed out before it, and comes behind them.
    if (taker === undefined) this.items.push({ value, number: Infinity })
    else this.hand(taker, { value, number: this.handedOut++ })
  }

  private hand(taker: Taker, item: Item): void {
    this.handed.set(taker.id, item)
    this.wake(taker.id, () => {
      this.handed.delete(taker.id)
      this.endIfDrained()
      this.end(taker.id, this.batch([item.value], taker.max))
    })
  }

  private letIn(): void {
    if (this.entering !== undefined || this.items.length >= this.capacity) return
    const pusher = this.pushers.shift()
    if (pusher === undefined) return
    this.entering = pusher.id
    this.wake(pusher.id, () => {
      this.entering = undefined
      if (this.isClosed) return this.end(pusher.id, false)
      this.add(pusher.value)
      this.end(pusher.id, true)
      this.letIn()
    })
  }

  private get isDrained(): boolean {
    return this.isClosed && this.items.length === 0 && this.handed.size === 0
  }

  private endIfDrained(): void {
    if (!this.isDrained) return
    for (const { id } of this.takers.splice(0)) this.wake(id, () => this.end(id, "closed"))
  }
}
