/** Fibers without a parent, started at once by `Effect.runFork`, under Effect's default scheduler. */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Programs from "../effectPrograms.ts"
import type { Work } from "../Peer.ts"

const run = (program: (operations: number) => Effect.Effect<number>): Work => (operations) =>
  Effect.runPromise(program(operations))

const create = (effect: Effect.Effect<void>): Effect.Effect<Fiber.Fiber<void>> =>
  Effect.sync(() => Effect.runFork(effect))

export const works: Record<string, Work> = {
  "task/create-finish": run(Programs.createAndFinish(create, Fiber.await)),
  "task/create-join": run(Programs.createAndJoin(create, Fiber.await))
}
