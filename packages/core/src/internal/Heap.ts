/**
 * A heap of things by their time, from which each can be taken out wherever it stands.
 *
 * When to reach for it: inside core, for deadlines that are often given up before their time.
 * What it is not: public, or stable: things of the same time come in no order.
 */

/** What the heap holds: a thing with a time and a place for the heap's index. */
export interface Item {
  readonly at: number
  index: number
}

/** A binary heap, the earliest first. Adding and removing take a logarithm of their number, looking takes nothing. */
export class Heap<I extends Item> {
  private readonly items: Array<I> = []

  /** The earliest, without taking it out. */
  get first(): I | undefined {
    return this.items[0]
  }

  add(item: I): void {
    this.items.push(item)
    this.rise(item, this.items.length - 1)
  }

  /** Takes out an item that is in the heap. */
  remove(item: I): void {
    const last = this.items.pop()!
    if (last === item) return
    // The last one fills the gap, and belongs above or below it.
    if (last.at < item.at) this.rise(last, item.index)
    else this.sink(last, item.index)
  }

  private rise(item: I, index: number): void {
    const { items } = this
    while (index > 0) {
      const above = (index - 1) >> 1
      if (items[above]!.at <= item.at) break
      this.place(items[above]!, index)
      index = above
    }
    this.place(item, index)
  }

  private sink(item: I, index: number): void {
    const { items } = this
    while (true) {
      let below = 2 * index + 1
      if (below >= items.length) break
      if (below + 1 < items.length && items[below + 1]!.at < items[below]!.at) below++
      if (items[below]!.at >= item.at) break
      this.place(items[below]!, index)
      index = below
    }
    this.place(item, index)
  }

  private place(item: I, index: number): void {
    this.items[index] = item
    item.index = index
  }
}
