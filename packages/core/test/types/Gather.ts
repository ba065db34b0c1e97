/** What the types of gather promise, checked by compiling this. */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Gather from "../../src/Gather.ts"

declare const A: Context.Key<"A", string>

const mixed = [Effect.succeed(1), Effect.fail("no" as const)] as const
const many = new Set([Effect.succeed(1)])

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false
const check = <_ extends true>(): void => {}

/** Of a tuple, each result has the type of its effect. */
export const exits: Effect.Effect<[Exit.Exit<number>, Exit.Exit<never, "no">]> = Gather.gather(mixed)
export const inline: Effect.Effect<[Exit.Exit<number>, Exit.Exit<string>]> = Gather.gather([
  Effect.succeed(1),
  Effect.succeed("one")
])

/** Of anything else that can be iterated, an array. */
export const array: Effect.Effect<Array<Exit.Exit<number>>> = Gather.gather(many, { concurrency: 2 })

/** Failing fast gives plain values, and fails with what any of them does. */
export const values: Effect.Effect<[number, never], "no"> = Gather.gather(mixed, { mode: "failFast" })

/** The services of all effects are asked for. */
export const services = Gather.gather([Effect.service(A), Effect.void])
check<Equal<Effect.Services<typeof services>, "A">>()

// @ts-expect-error effects are cold, Promises have begun already
export const promises = Gather.gather([Promise.resolve(1)])
