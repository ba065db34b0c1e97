/**
 * A queue between fibers: what goes in first comes out first, and waits or is waited for.
 *
 * When to reach for it: one fiber makes work and others take it, or a callback of Node has something for a fiber.
 * What it is not: shared between workers (`Message`), or heard by every reader (`Broadcast`).
 *
 * Promises, at whatever point a fiber is interrupted or runs out of time: a push that returned true is in the queue and
 * one that did not return is not; a pop that did not return has taken nothing; every item comes out once. Items come
 * out in the order in which they went in, to fibers in the order in which they asked.
 *
 * The end is part of the type, as with Effect's Queue: a `Queue<A>` is never closed, and popping from it cannot fail. A
 * `Queue<A, QueueClosed>` can be closed: what is in it still comes out, and then those who pop are told.
 *
 * Why not Effect's Queue: there a woken fiber can find that a faster one took its item, and goes to the back of the
 * line. Here an item belongs to the waiting fiber from the moment of the push. Should that fiber be interrupted before
 * it runs, the item goes back to the front, ahead of all younger ones.
 */
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Types from "effect/Types"
import * as Impl from "./internal/QueueImpl.ts"

/** What marks a queue. */
export const TypeId: typeof Impl.TypeId = Impl.TypeId

/**
 * A queue of `A`. Made by `make`. `E` is `QueueClosed` if it can be closed, and nothing if not.
 *
 * Source: Kore, runtime §11.
 *
 * @example
 * ```ts
 * const program = Effect.gen(function*() {
 *   const queue: Queue.Queue<string> = yield* Queue.make<string>({ capacity: 100 })
 *   yield* Queue.push(queue, "hello")
 *   return yield* Queue.pop(queue) // "hello"
 * })
 * ```
 */
export interface Queue<in out A, in out E = never> {
  readonly [TypeId]: { readonly _A: Types.Invariant<A>; readonly _E: Types.Invariant<E> }
}

/**
 * The queue is closed and empty: what was in it has been taken, and nothing more will come.
 *
 * @example
 * ```ts
 * const jobs = Queue.makeUnsafe<string, Queue.QueueClosed>()
 * const worker = Effect.catchTag(
 *   Effect.forever(Effect.flatMap(Queue.pop(jobs), (job) => Effect.log("doing", job))),
 *   "QueueClosed",
 *   () => Effect.log("all done")
 * )
 * ```
 */
export class QueueClosed extends Schema.TaggedError<QueueClosed>()("QueueClosed", {
  /** The name of the queue, if it has one. */
  queue: Schema.optionalKey(Schema.String)
}) {
  override get message(): string {
    const which = this.queue === undefined ? "The queue" : `The queue ${this.queue}`
    return `${which} is closed and empty: all that was in it has been taken, and nothing more will come. ` +
      "A fiber that pops expects this in the end, and stops."
  }
}

/**
 * What `make` may be told.
 *
 * @example
 * ```ts
 * const latest: Queue.Options = { capacity: 10, strategy: "sliding", name: "latest prices" }
 * ```
 */
export type Options =
  | {
    /** For people, in lists and errors. */
    readonly name?: string | undefined
    /** How many items it holds: a whole number, 1 or more (default: no bound). */
    readonly capacity?: number | undefined
    /** What a push does when the queue is full: `suspend` (the default) waits for room. */
    readonly strategy?: "suspend" | undefined
  }
  | {
    readonly name?: string | undefined
    readonly capacity: number
    /** `dropping` drops the item that is pushed, `sliding` the oldest one in the queue. Neither ever waits. */
    readonly strategy: "dropping" | "sliding"
  }

/**
 * Makes an empty queue. `make<A, QueueClosed>()` makes one that can be closed.
 *
 * A capacity that is not a whole number from 1, and a strategy that drops without one, die with a RangeError. Items that
 * come back from interrupted fibers may exceed the capacity.
 *
 * @example
 * ```ts
 * const program = Effect.flatMap(Queue.make<string>(), (queue) => Queue.push(queue, "hello"))
 * const jobs = Queue.make<string, Queue.QueueClosed>({ capacity: 100, name: "jobs" })
 * ```
 */
export const make = <A, E extends QueueClosed = never>(options?: Options): Effect.Effect<Queue<A, E>> =>
  Effect.sync(() => makeUnsafe(options))

/**
 * Makes an empty queue outside of Effect, for a constant of a module. Throws a RangeError as `make` dies with one.
 *
 * @example
 * ```ts
 * const jobs = Queue.makeUnsafe<string>({ capacity: 1000 })
 * ```
 */
export const makeUnsafe = <A, E extends QueueClosed = never>(options?: Options): Queue<A, E> => {
  const { capacity = Infinity, name, strategy = "suspend" } = options ?? {}
  if (capacity !== Infinity) atLeastOne("A queue got the capacity", capacity, "none for a queue without a bound")
  if (capacity === Infinity && strategy !== "suspend") {
    throw new RangeError(`A queue got the strategy ${strategy} and no capacity. Expected one, or it never drops.`)
  }
  const closedError = Effect.suspend(() => Effect.fail(new QueueClosed(name === undefined ? {} : { queue: name })))
  return new Impl.QueueImpl<A>({ capacity, strategy, name, closedError })
}

const atLeastOne = (what: string, count: number, otherwise: string): void => {
  if (Number.isSafeInteger(count) && count >= 1) return
  throw new RangeError(`${what} ${count}. Expected a whole number, 1 or more, or ${otherwise}.`)
}

const impl = <A>(queue: Queue<A, any>): Impl.QueueImpl<A> => queue as Impl.QueueImpl<A>

/**
 * Puts an item at the end of the queue; tells whether it is in.
 *
 * False when the queue is closed, also while it waits for room, or full and of the strategy `dropping`; then the item is
 * the caller's again. With `suspend` it waits in line for room, and can be interrupted; then the item is not in the
 * queue. Without a bound it never suspends. Never fails.
 * Source: Kore, runtime §11.
 *
 * @example
 * ```ts
 * const jobs = Queue.makeUnsafe<string>()
 * const program = Queue.push(jobs, "sweep")
 * ```
 */
export const push = <A, E>(queue: Queue<A, E>, item: Types.NoInfer<A>): Effect.Effect<boolean> => impl(queue).push(item)

/**
 * Takes the item that is next, waiting in line for one if the queue is empty.
 *
 * Does not suspend while there are items. Interruptible while it waits; then no item is taken. Fails with `QueueClosed`
 * once the queue is closed and empty.
 * Source: Kore, runtime §11.
 *
 * @example
 * ```ts
 * const jobs = Queue.makeUnsafe<string>()
 * const worker = Effect.forever(Effect.flatMap(Queue.pop(jobs), (job) => Effect.log("doing", job)))
 * ```
 */
export const pop = <A, E>(queue: Queue<A, E>): Effect.Effect<A, E> => impl(queue).pop

/**
 * Takes the items that are there, `max` of them at most, waiting in line for the first one if the queue is empty.
 *
 * For work that is cheaper by the batch. `max` is a whole number, 1 or more, or Infinity; anything else dies with a
 * RangeError. Otherwise as `pop`.
 *
 * @example
 * ```ts
 * const lines = Queue.makeUnsafe<string>()
 * const writer = Effect.forever(Effect.flatMap(Queue.popUpTo(lines, 100), (batch) => Effect.log(batch.join("\n"))))
 * ```
 */
export const popUpTo = <A, E>(queue: Queue<A, E>, max: number): Effect.Effect<[A, ...Array<A>], E> =>
  Effect.suspend(() => {
    if (max !== Infinity) atLeastOne("Queue.popUpTo got", max, "Infinity")
    return impl(queue).popUpTo(max)
  })

/**
 * Takes the item that is next, or `Option.none()` if there is none to be had without waiting.
 *
 * An item that has been handed to a waiting fiber, or that a fiber waits to push, is not to be had. Never fails.
 * Source: Kore, runtime §11 (`popnow`).
 *
 * @example
 * ```ts
 * const jobs = Queue.makeUnsafe<string>()
 * const next = Effect.map(Queue.popNow(jobs), Option.getOrElse(() => "rest"))
 * ```
 */
export const popNow = <A, E>(queue: Queue<A, E>): Effect.Effect<Option.Option<A>> =>
  Effect.sync(() => impl(queue).takeOption())

/**
 * How many items are in the queue. Items handed to a waiting fiber and items of waiting pushes do not count.
 *
 * @example
 * ```ts
 * const count = Queue.size(Queue.makeUnsafe<string>())
 * ```
 */
export const size = <A, E>(queue: Queue<A, E>): Effect.Effect<number> => Effect.sync(() => impl(queue).size)

/**
 * Closes the queue: nothing goes in any more, and what is in it still comes out. False if it was closed already.
 *
 * Pushes that wait for room give false, and so does every later one. Those who pop get what is left, and `QueueClosed`
 * then. Does not wait; see `awaitDrained`.
 *
 * @example
 * ```ts
 * const jobs = Queue.makeUnsafe<string, Queue.QueueClosed>()
 * const finish = Effect.andThen(Queue.close(jobs), Queue.awaitDrained(jobs))
 * ```
 */
export const close = <A>(queue: Queue<A, QueueClosed>): Effect.Effect<boolean> => Effect.sync(() => closeUnsafe(queue))

/**
 * Whether the queue has been closed. There may still be items in it.
 *
 * @example
 * ```ts
 * const jobs = Queue.makeUnsafe<string, Queue.QueueClosed>()
 * const tooLate = Queue.isClosed(jobs)
 * ```
 */
export const isClosed = <A, E>(queue: Queue<A, E>): Effect.Effect<boolean> => Effect.sync(() => impl(queue).isClosed)

/**
 * Waits until the queue is closed and its last item has been taken. Interruptible; never fails.
 *
 * What was taken may still be being worked on.
 *
 * @example
 * ```ts
 * const jobs = Queue.makeUnsafe<string, Queue.QueueClosed>()
 * const program = Effect.andThen(Queue.awaitDrained(jobs), Effect.log("the last job has begun"))
 * ```
 */
export const awaitDrained = <A>(queue: Queue<A, QueueClosed>): Effect.Effect<void> => impl(queue).awaitDrained

/**
 * Puts an item into the queue from plain code, a callback of Node say; tells whether it is in.
 *
 * False when the queue is closed, or full and of any strategy but `sliding`. Never waits.
 *
 * @example
 * ```ts
 * const lines = Queue.makeUnsafe<string>({ capacity: 1000 })
 * const onLine = (line: string) => Queue.pushUnsafe(lines, line)
 * ```
 */
export const pushUnsafe = <A, E>(queue: Queue<A, E>, item: Types.NoInfer<A>): boolean => impl(queue).offer(item)

/**
 * Closes the queue from plain code, the end of a stream of Node say; see `close`.
 *
 * @example
 * ```ts
 * const lines = Queue.makeUnsafe<string, Queue.QueueClosed>()
 * const onEnd = () => Queue.closeUnsafe(lines)
 * ```
 */
export const closeUnsafe = <A>(queue: Queue<A, QueueClosed>): boolean => impl(queue).close()
