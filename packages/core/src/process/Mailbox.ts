/**
 * A worker's end of the messages between workers: what `Message` sends goes through it to the parent, and what the
 * parent delivers goes to the handlers.
 *
 * When to reach for it: `Worker` makes one for its channel; `local` is the one of an app without other processes.
 * What it is not: the middle, which is `Relay`, or what users see, which is `Message`.
 *
 * Deliveries never keep the channel from being read: the parent's other messages come behind them. What bounds them is
 * the window of the senders, as a delivery counts as under way until every handler of this worker has begun with it.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Lock from "../Lock.ts"
import type * as Message from "../Message.ts"
import * as Queue from "../Queue.ts"
import * as Wait from "../Wait.ts"
import type * as Channel from "./Channel.ts"
import * as Protocol from "./Protocol.ts"

/** What goes to the parent. */
type Outgoing = (typeof Protocol.Send)["Type"] | (typeof Protocol.Taken)["Type"]

/** A worker's mailbox. */
export interface Mailbox {
  /** The service for the app. */
  readonly messages: Message.Messages["Service"]
  /** Takes a delivery of the parent. */
  readonly deliver: (message: (typeof Protocol.Deliver)["Type"]) => Effect.Effect<void>
  /** Learns from the parent that a message is not under way any more. */
  readonly settled: (message: (typeof Protocol.Settled)["Type"]) => Effect.Effect<void>
  /** Hands out what was delivered so far, and from now on at once: the app is built, its handlers are there. */
  readonly open: Effect.Effect<void>
}

/** Makes a mailbox over the channel to the parent. */
export const make = (workers: number, channel: Pick<Channel.Channel<Outgoing, never>, "post">): Mailbox => {
  const subscribers = new Subscribers((id) => Effect.asVoid(channel.post({ _tag: "Taken", id })))
  const window = new Window()
  const turn = Lock.makeUnsafe()
  let id = 0
  let waiting: Array<Delivery> | undefined = []

  const send = (message: Message.Outgoing): Effect.Effect<void> =>
    Effect.flatten(Lock.withLock(
      turn,
      // Room that is taken is given back when the message has been settled, so it has to be written then.
      Effect.uninterruptibleMask((restore) =>
        Effect.flatMap(restore(window.room(message)), () => {
          const { body, echo, name, worker } = message
          window.add(++id, Protocol.sizeOf(message))
          return channel.post({ _tag: "Send", id, echo, name, body, ...(worker === undefined ? {} : { worker }) })
        })
      )
    ))
  return {
    messages: { workers, send: (message) => Effect.asVoid(send(message)), subscribe: subscribers.subscribe },
    deliver: (delivery) =>
      Effect.suspend(() => {
        if (waiting === undefined) return subscribers.deliver(delivery)
        waiting.push(delivery)
        return Effect.void
      }),
    settled: ({ id }) => Effect.sync(() => window.remove(id)),
    open: Effect.uninterruptible(Effect.suspend(() => {
      // In one step, so that nothing that comes now gets in between; what nobody is there for can be told later.
      const unheard = (waiting ?? []).filter((delivery) => !subscribers.hand(delivery))
      waiting = undefined
      return Effect.forEach(unheard, subscribers.ignore, { discard: true })
    }))
  }
}

/** The service of an app that has no other processes: worker 1 is all there is, and hears itself. */
export const local = (): Message.Messages["Service"] => {
  const subscribers = new Subscribers(() => Effect.void)
  return {
    workers: 1,
    send: ({ body, echo, name, worker }) =>
      worker === undefined && !echo ? Effect.void : subscribers.deliver({ id: 0, from: 1, name, body }),
    subscribe: subscribers.subscribe
  }
}

// --- receiving -------------------------------------------------------------------------------------------------------

type Delivery = Omit<(typeof Protocol.Deliver)["Type"], "_tag">

/** A delivery in the queues of several subscriptions. */
interface Entry extends Delivery {
  /** How many of them have not begun with it. */
  left: number
}

interface Subscription {
  readonly queue: Queue.Queue<Entry>
  /** What is in the queue, or on its way out of it. */
  readonly owed: Set<Entry>
}

class Subscribers {
  private readonly byName = new Map<string, Set<Subscription>>()
  private readonly taken: (id: number) => Effect.Effect<void>

  constructor(taken: (id: number) => Effect.Effect<void>) {
    this.taken = taken
  }

  deliver(delivery: Delivery): Effect.Effect<void> {
    return Effect.suspend(() => this.hand(delivery) ? Effect.void : this.ignore(delivery))
  }

  /** Puts it into the queues of those that are there for it; false when nobody is. */
  hand({ body, from, id, name }: Delivery): boolean {
    const subscriptions = this.byName.get(name)
    if (subscriptions === undefined) return false
    const entry: Entry = { id, from, name, body, left: subscriptions.size }
    for (const { owed, queue } of subscriptions) {
      owed.add(entry)
      Queue.pushUnsafe(queue, entry)
    }
    return true
  }

  /** Tells that nobody is there for it, and so nobody is to wait for it. */
  readonly ignore = ({ id }: Delivery): Effect.Effect<void> => this.taken(id)

  readonly subscribe = (name: string): Effect.Effect<Effect.Effect<Message.Incoming>, never, Scope.Scope> =>
    Effect.map(
      Effect.acquireRelease(Effect.sync(() => this.add(name)), (subscription) => this.remove(name, subscription)),
      (subscription) =>
        Effect.flatMap(Queue.pop(subscription.queue),
          (entry) => Effect.as(this.begin(subscription, entry), { from: entry.from, body: entry.body }))
    )

  private add(name: string): Subscription {
    const subscription: Subscription = { queue: Queue.makeUnsafe(), owed: new Set() }
    const others = this.byName.get(name)
    if (others === undefined) this.byName.set(name, new Set([subscription]))
    else others.add(subscription)
    return subscription
  }

  // A subscription that ends has begun with everything: nobody is to wait for it.
  private remove(name: string, subscription: Subscription): Effect.Effect<void> {
    return Effect.suspend(() => {
      const all = this.byName.get(name)
      all?.delete(subscription)
      if (all?.size === 0) this.byName.delete(name)
      return Effect.forEach([...subscription.owed], (entry) => this.begin(subscription, entry), { discard: true })
    })
  }

  // What has left `owed` is told here or never.
  private begin({ owed }: Subscription, entry: Entry): Effect.Effect<void> {
    return Effect.uninterruptible(Effect.suspend(() => {
      if (!owed.delete(entry)) return Effect.void
      return --entry.left === 0 ? this.taken(entry.id) : Effect.void
    }))
  }
}

// --- sending ---------------------------------------------------------------------------------------------------------

/** What is under way, and who waits for room: one at a time, as sending takes turns. */
class Window {
  private readonly sizes = new Map<number, number>()
  private size = 0
  private wake: (() => void) | undefined

  /** Waits until the message may be sent; an empty window has room for every one. */
  room(message: Message.Outgoing): Effect.Effect<void> {
    return Effect.suspend(() => {
      const size = Protocol.sizeOf(message)
      if (this.has(size)) return Effect.void
      const wait = Effect.callback<void>((resume) => {
        const wake = () => {
          if (this.has(size)) resume(Effect.void)
        }
        this.wake = wake
        return Effect.sync(() => {
          if (this.wake === wake) this.wake = undefined
        })
      })
      return Wait.on(wait, () => ({ kind: "message", what: `room to send ${message.name}` }))
    })
  }

  add(id: number, size: number): void {
    this.wake = undefined
    this.sizes.set(id, size)
    this.size += size
  }

  remove(id: number): void {
    this.size -= this.sizes.get(id) ?? 0
    if (this.sizes.delete(id)) this.wake?.()
  }

  private has(size: number): boolean {
    const { messages, size: most } = Protocol.window
    return this.sizes.size === 0 || (this.sizes.size < messages && this.size + size <= most)
  }
}
