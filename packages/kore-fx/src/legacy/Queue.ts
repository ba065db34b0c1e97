/**
 * `kore.queue`: what goes in first comes out first, from coroutine to coroutine.
 *
 * When to reach for it: one coroutine makes work and others take it.
 * What it is not: shared between workers. Source: Kore, runtime §11.
 */
import * as CoreQueue from "@kore-fx/core/Queue"
import * as Option from "effect/Option"
import { Awaitable } from "./Awaitable.ts"
import { describe } from "./Coroutine.ts"
import { RuntimeError } from "./errors.ts"
import * as Run from "./internal/Run.ts"

/** A queue of `A`. Made by `kore.queue`. */
export interface Queue<A> {
  /**
   * Puts an item at the end; the coroutine that waited first gets it. Always true.
   *
   * @throws RuntimeError when the queue has a limit and is full.
   */
  readonly push: (item: A) => true
  /** Takes the item that is next, waiting in line for one. */
  readonly pop: () => Awaitable<A>
  /** Takes the item that is next, or null if there is none. */
  readonly popnow: () => A | null
}

/**
 * Makes an empty queue that holds any number of items, or `limit` of them: a whole number from 1.
 *
 * @throws RuntimeError for any other limit.
 *
 * @example
 * ```ts
 * import { kore } from "kore-fx/legacy"
 *
 * const jobs = kore.queue<string>()
 *
 * kore.task_create(async () => {
 *   while (true) kore.log(kore.LOG_INFO, await jobs.pop())
 * })
 * ```
 */
export const queue = <A = any>(limit?: number): Queue<A> => {
  if (limit !== undefined && !(Number.isSafeInteger(limit) && limit >= 1)) {
    throw new RuntimeError(`kore.queue got the limit ${describe(limit)}, expected a whole number from 1, or none`)
  }
  const core = CoreQueue.makeUnsafe<A>({ capacity: limit })
  return {
    push: (item) => {
      if (!CoreQueue.pushUnsafe(core, item)) {
        throw new RuntimeError(`queue.push: the queue is full, it holds ${limit} items`)
      }
      return true
    },
    pop: () => new Awaitable(CoreQueue.pop(core)),
    popnow: () => Option.getOrNull(Run.now(CoreQueue.popNow(core)))
  }
}
