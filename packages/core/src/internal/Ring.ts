/**
 * A first-in, first-out buffer in one array that is reused: nothing is allocated per item.
 *
 * When to reach for it: inside core, where items pass through on a hot path.
 * What it is not: public, or a queue that waits; see `Queue`.
 */

const smallest = 16
// A burst may grow the array; once drained, one larger than this is given back.
const kept = 1024

const slots = <A>(length: number): Array<A | undefined> => Array.from({ length })

/** A growing ring. `length` items, oldest at `head`; the array's size is always a power of two. */
export class Ring<A> {
  length = 0
  private head = 0
  private items: Array<A | undefined> = slots(smallest)

  /** Adds an item at the end. */
  push(item: A): void {
    if (this.length === this.items.length) this.grow()
    this.items[(this.head + this.length++) & (this.items.length - 1)] = item
  }

  /** The oldest item, without taking it. Call it only while `length` is above 0. */
  get first(): A {
    return this.items[this.head] as A
  }

  /** Takes the oldest item. Call it only while `length` is above 0. */
  shift(): A {
    const item = this.items[this.head] as A
    this.items[this.head] = undefined
    this.head = (this.head + 1) & (this.items.length - 1)
    if (--this.length === 0 && this.items.length > kept) {
      this.items = slots(smallest)
      this.head = 0
    }
    return item
  }

  private grow(): void {
    const next = slots<A>(this.items.length * 2)
    for (let i = 0; i < this.length; i++) next[i] = this.items[(this.head + i) & (this.items.length - 1)]
    this.items = next
    this.head = 0
  }
}
