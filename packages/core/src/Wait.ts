/**
 * What a fiber waits for, so that people can see it.
 *
 * When to reach for it: an Effect waits for something outside, a socket or a query say, and whoever looks at the
 * worker (`kore-fx ps`, `Fibers.list`) should be told what. Locks, queues and `Suspend` say so by themselves.
 * What it is not: a way to wait, or a span; nothing is recorded once the wait is over.
 */
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as WaitList from "./internal/WaitList.ts"

/**
 * What a fiber waits for.
 *
 * @example
 * ```ts
 * const description: Wait.Description = { kind: "socket", what: "recv from 127.0.0.1:5432" }
 * ```
 */
export type Description = WaitList.Description

/**
 * Runs an effect and lists its fiber as waiting for what is described, until the effect ends.
 *
 * Surround what only waits. An effect that takes something for good in its last step, an item of a queue say, must not
 * be surrounded: a fiber can be interrupted between that step and the end of this one, and the item is lost.
 * The description is made when somebody looks. An effect that does not suspend is better left alone: this costs about
 * 0.2 µs.
 * Source: Kore, runtime §5 (`corotrace`).
 *
 * @example
 * ```ts
 * const program = Wait.on(Effect.sleep("1 second"), () => ({ kind: "breakfast", what: "toast in toaster 2" }))
 * ```
 */
export const on = <A, E, R>(effect: Effect.Effect<A, E, R>, describe: () => Description): Effect.Effect<A, E, R> =>
  Effect.suspend(() => {
    let entry: Described | undefined
    // The frame goes first: a fiber can be interrupted between any two steps.
    return Effect.onExitPrimitive(
      Effect.withFiber((fiber) => {
        entry = new Described(fiber, describe)
        WaitList.add(entry)
        return effect
      }),
      () => {
        if (entry !== undefined) WaitList.remove(entry)
        return undefined
      }
    )
  })

class Described extends WaitList.Entry {
  readonly since = performance.now()
  readonly describe: () => Description

  constructor(fiber: Fiber.Fiber<unknown, unknown>, describe: () => Description) {
    super(fiber)
    this.describe = describe
  }
}
