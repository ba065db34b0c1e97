/**
 * A queue between fibers: what goes in first comes out first, and waits or is waited for.
 *
 * When to reach for it: one fiber makes work and others take it, or a callback of Node has something for a fiber.
 * What it is not: shared between workers (`Message`), heard by every reader (`Broadcast`), or a stream that ends.
 *
 * Promises, at whatever point a fiber is interrupted: a push that returned is in the queue and one that did not is not;
 * a pop that did not return has taken nothing; every item comes out once. Items come out in the order in which they
 * went in, to fibers in the order in which they asked.
 *
 * Why not Effect's Queue: there a woken fiber can find that a faster one took its item, and goes to the back of the
 * line. Here an item belongs to the waiting fiber from the moment of the push. Should that fiber be interrupted before
 * it runs, the item goes back to the front, ahead of all younger ones.
 */
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type * as Types from "effect/Types"
import * as Impl from "./internal/QueueImpl.ts"

/** What marks a queue. */
export const TypeId: typeof Impl.TypeId = Impl.TypeId

/**
 * A queue of `A`. Made by `make`.
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
export interface Queue<in out A> {
  readonly [TypeId]: Types.Invariant<A>
}

/**
 * Makes an empty queue.
 *
 * `capacity` is the number of items it holds before a push waits: a whole number, 1 or more (default: no bound).
 * Anything else dies with a RangeError. Items that come back from interrupted fibers may exceed the capacity.
 *
 * @example
 * ```ts
 * const program = Effect.flatMap(Queue.make<string>(), (queue) => Queue.push(queue, "hello"))
 * ```
 */
export const make = <A>(options?: { readonly capacity?: number | undefined }): Effect.Effect<Queue<A>> =>
  Effect.sync(() => makeUnsafe(options))

/**
 * Makes an empty queue outside of Effect, for a constant of a module. Throws a RangeError as `make` dies with one.
 *
 * @example
 * ```ts
 * const jobs = Queue.makeUnsafe<string>({ capacity: 1000 })
 * ```
 */
export const makeUnsafe = <A>(options?: { readonly capacity?: number | undefined }): Queue<A> => {
  const capacity = options?.capacity ?? Infinity
  if (capacity !== Infinity && !(Number.isSafeInteger(capacity) && capacity >= 1)) {
    throw new RangeError(
      `A queue got the capacity ${capacity}. Expected a whole number, 1 or more, or none for a queue without a bound.`
    )
  }
  return new Impl.QueueImpl<A>(capacity)
}

const impl = <A>(queue: Queue<A>): Impl.QueueImpl<A> => queue as Impl.QueueImpl<A>

/**
 * Puts an item at the end of the queue, waiting in line for room if the queue is bounded and full.
 *
 * Interruptible while it waits; then the item is not in the queue. Without a bound it never suspends.
 * Source: Kore, runtime §11.
 *
 * @example
 * ```ts
 * const jobs = Queue.makeUnsafe<string>()
 * const program = Queue.push(jobs, "sweep")
 * ```
 */
export const push = <A>(queue: Queue<A>, item: Types.NoInfer<A>): Effect.Effect<void> => impl(queue).push(item)

/**
 * Takes the item that is next, waiting in line for one if the queue is empty.
 *
 * Does not suspend while there are items. Interruptible while it waits; then no item is taken.
 * Source: Kore, runtime §11.
 *
 * @example
 * ```ts
 * const jobs = Queue.makeUnsafe<string>()
 * const worker = Effect.forever(Effect.flatMap(Queue.pop(jobs), (job) => Effect.log("doing", job)))
 * ```
 */
export const pop = <A>(queue: Queue<A>): Effect.Effect<A> => impl(queue).pop

/**
 * Takes the item that is next, or `Option.none()` if there is none to be had without waiting.
 *
 * An item that has been handed to a waiting fiber, or that a fiber waits to push, is not to be had.
 * Source: Kore, runtime §11 (`popnow`).
 *
 * @example
 * ```ts
 * const jobs = Queue.makeUnsafe<string>()
 * const next = Effect.map(Queue.popNow(jobs), Option.getOrElse(() => "rest"))
 * ```
 */
export const popNow = <A>(queue: Queue<A>): Effect.Effect<Option.Option<A>> =>
  Effect.sync(() => impl(queue).takeOption())

/**
 * How many items are in the queue. Items handed to a waiting fiber and items of waiting pushes do not count.
 *
 * @example
 * ```ts
 * const count = Queue.size(Queue.makeUnsafe<string>())
 * ```
 */
export const size = <A>(queue: Queue<A>): Effect.Effect<number> => Effect.sync(() => impl(queue).size)

/**
 * Puts an item at the end of the queue from plain code, a callback of Node say; tells whether there was room for it.
 *
 * @example
 * ```ts
 * const lines = Queue.makeUnsafe<string>({ capacity: 1000 })
 * const onLine = (line: string) => Queue.pushUnsafe(lines, line)
 * ```
 */
export const pushUnsafe = <A>(queue: Queue<A>, item: Types.NoInfer<A>): boolean => {
  const self = impl(queue)
  const room = self.hasRoom
  if (room) self.add(item)
  return room
}
