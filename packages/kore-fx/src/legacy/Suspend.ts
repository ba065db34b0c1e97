/**
 * `kore.suspend`: lets time pass.
 *
 * When to reach for it: a coroutine pauses, or lets all others go first.
 * What it is not: a timer. Source: Kore, runtime §8.
 */
import * as CoreSuspend from "@kore-fx/core/Suspend"
import { Awaitable } from "./Awaitable.ts"
import { describe } from "./Coroutine.ts"
import { RuntimeError } from "./errors.ts"

/**
 * Suspends the coroutine for at least so many milliseconds, counted from the `await`.
 *
 * 0 or less lets the event loop make one turn. Coroutines that end at the same time go on in the order of their
 * `await`.
 *
 * @throws RuntimeError for anything but a finite number.
 *
 * @example
 * ```ts
 * import { kore } from "kore-fx/legacy"
 *
 * const slow = async (req: kore.Request) => {
 *   await kore.suspend(1000)
 *   req.response(200, "rested")
 * }
 * ```
 */
export const suspend = (milliseconds: number): Awaitable<void> => {
  if (!Number.isFinite(milliseconds)) {
    throw new RuntimeError(`kore.suspend got ${describe(milliseconds)}, expected a number of milliseconds`)
  }
  return new Awaitable(CoreSuspend.suspend(milliseconds))
}
