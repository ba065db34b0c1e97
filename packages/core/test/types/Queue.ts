/** What the types of queues promise, checked by compiling this. */
import type * as Effect from "effect/Effect"
import * as Queue from "../../src/Queue.ts"

const open = Queue.makeUnsafe<number>()
const closable = Queue.makeUnsafe<number, Queue.QueueClosed>()

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false
const check = <_ extends true>(): void => {}

/** Popping from a queue that is never closed cannot fail; from one that can be closed, it fails with that and no other. */
export const pops = [Queue.pop(open), Queue.pop(closable)] as const
check<Equal<typeof pops, readonly [Effect.Effect<number>, Effect.Effect<number, Queue.QueueClosed>]>>()

// @ts-expect-error nobody who pops from it expects it to be closed
export const closed = Queue.close(open)

// @ts-expect-error a queue fails with nothing else
export const failing = Queue.makeUnsafe<number, Error>()

// @ts-expect-error it would never drop
export const unbounded = Queue.makeUnsafe<number>({ strategy: "dropping" })

// @ts-expect-error not an item of this queue
export const pushed = Queue.push(open, "one")
