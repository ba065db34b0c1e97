/**
 * What the functions of the old API return that have to wait: an Effect that also has `then`.
 *
 * When to reach for it: `await x` in an `async` function, `yield x` or `yield* x` in a generator, or anywhere in
 * Effect. What it is not: a Promise. It is cold: nothing happens before it is awaited, and each time anew.
 */
import type * as Effect from "effect/Effect"
import * as Effectable from "effect/Effectable"
import type { RuntimeError } from "./errors.ts"
import * as Run from "./internal/Run.ts"

/**
 * Something to await, that has not begun.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { kore } from "kore-fx/legacy"
 *
 * const asynchronous = async () => {
 *   await kore.suspend(100)
 * }
 *
 * function* generator() {
 *   yield kore.suspend(100)
 * }
 *
 * const effect = Effect.andThen(kore.suspend(100), Effect.log("later"))
 * ```
 */
export class Awaitable<out A, out E = RuntimeError> extends Effectable.Class<A, E> implements PromiseLike<A> {
  readonly #effect: Effect.Effect<A, E>

  constructor(effect: Effect.Effect<A, E>) {
    super()
    this.#effect = effect
  }

  override asEffect(): Effect.Effect<A, E> {
    return this.#effect
  }

  then<B = A, C = never>(
    onFulfilled?: ((value: A) => B | PromiseLike<B>) | null,
    onRejected?: ((error: any) => C | PromiseLike<C>) | null
  ): Promise<B | C> {
    return Run.promise<A>(this).then(onFulfilled, onRejected)
  }
}
