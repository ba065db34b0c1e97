/**
 * Fibers that take from something that fills by itself: one at a time, in the order of asking, without a loss.
 *
 * When to reach for it: events of Node fill something, a socket, a pipe or a watcher say, and fibers want what is there.
 * What it is not: a lock, which is held while something is done; here a turn is one step. Nor a queue (`Queue`), which
 * keeps what was put in: what there is to take is yours, and may be anything.
 *
 * Promises: who asked first takes first; an operation that did not return, be it interrupted, late or failed, has taken
 * nothing; whoever leaves holds nobody up.
 *
 * A fiber can be made to yield, and be interrupted, between any two of its steps. So what is taken is taken in the very
 * last step, which hands it to whoever asked, and looks again whether it is there. Do not wrap anything around `take`
 * that adds a step after it, or it can be lost there.
 */
import type * as Cause from "effect/Cause"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Types from "effect/Types"
import * as Missed from "./internal/Missed.ts"
import * as Impl from "./internal/TurnsImpl.ts"
import type * as Wait from "./Wait.ts"

/** What marks turns. */
export const TypeId: typeof Impl.TypeId = Impl.TypeId

/**
 * The fibers that take from one thing. Made by `makeUnsafe`.
 *
 * @example
 * ```ts
 * import * as Turns from "@kore-fx/core/Turns"
 *
 * const letters: Array<string> = []
 * const turns: Turns.Turns = Turns.makeUnsafe({ isReady: () => letters.length > 0 })
 * ```
 */
export interface Turns<out E = never> {
  readonly [TypeId]: { readonly _E: Types.Covariant<E> }
}

/**
 * What `makeUnsafe` is told.
 *
 * @example
 * ```ts
 * import type * as Turns from "@kore-fx/core/Turns"
 *
 * const options: Turns.Options<RangeError> = {
 *   isReady: () => true,
 *   isError: (thrown) => thrown instanceof RangeError
 * }
 * ```
 */
export interface Options<E> {
  /** Whether a step would find something to take, or an error to tell. */
  readonly isReady: () => boolean
  /** Runs whenever a fiber begins to wait. Default: nothing. */
  readonly onWait?: (() => void) | undefined
  /** Which of the things that a step throws are errors of the operation; all others are defects. Default: none. */
  readonly isError?: ((thrown: unknown) => thrown is E) | undefined
}

/**
 * Makes turns, with nobody in line.
 *
 * @example
 * ```ts
 * import * as Turns from "@kore-fx/core/Turns"
 * import { createInterface } from "node:readline"
 *
 * const lines: Array<string> = []
 * const turns = Turns.makeUnsafe({ isReady: () => lines.length > 0 })
 * createInterface(process.stdin).on("line", (line) => {
 *   lines.push(line)
 *   Turns.signal(turns)
 * })
 *
 * const step = () => lines.shift() ?? Turns.miss()
 * const line = Turns.take(turns, step, { describe: () => ({ kind: "terminal", what: "a line" }) })
 * ```
 */
export const makeUnsafe = <E = never>({ isError, isReady, onWait = ignore }: Options<E>): Turns<E> =>
  new Impl.TurnsImpl<E>({ isReady, onWait, isError: isError ?? isNone })

/**
 * Calls whoever is first, if there is something to take; to be called whenever `isReady` may have become true.
 *
 * The fiber takes in its turn of the scheduler, not in here. Cheap when nobody waits.
 *
 * @example
 * ```ts
 * import * as Turns from "@kore-fx/core/Turns"
 *
 * let isOpen = false
 * const turns = Turns.makeUnsafe({ isReady: () => isOpen })
 * const open = () => {
 *   isOpen = true
 *   Turns.signal(turns)
 * }
 * ```
 */
export const signal = (turns: Turns<unknown>): void => impl(turns).signal()

/**
 * When a wait is given up, and what it fails with then.
 *
 * @example
 * ```ts
 * import type * as Turns from "@kore-fx/core/Turns"
 * import * as Cause from "effect/Cause"
 *
 * const deadline: Turns.Deadline = {
 *   after: "1 second",
 *   error: () => new Cause.TimeoutError("Nobody wrote anything. Ask again.")
 * }
 * ```
 */
export type Deadline = Impl.Deadline

/**
 * How a fiber waits for its turn.
 *
 * @example
 * ```ts
 * import type * as Turns from "@kore-fx/core/Turns"
 *
 * const waiting: Turns.Waiting = { describe: () => ({ kind: "terminal", what: "a line" }) }
 * ```
 */
export interface Waiting {
  /** What whoever looks at the worker is told (`Wait`). */
  readonly describe: () => Wait.Description
  /** Counts from asking, by the Clock. A fiber that has been called is not late any more. Default: no limit. */
  readonly deadline?: Deadline | undefined
}

/**
 * Runs a step when it is this fiber's turn and there is something to take, and gives what the step returns.
 *
 * The step runs once and at once, or after a wait. It may find nothing after all: `miss()` has the fiber wait on, behind
 * those who came since. It may throw what `isError` knows, which is what the operation fails with.
 *
 * @example
 * ```ts
 * import * as Turns from "@kore-fx/core/Turns"
 *
 * const letters = ["a", "b"]
 * const turns = Turns.makeUnsafe({ isReady: () => letters.length > 0 })
 * const letter = Turns.take(turns, () => letters.shift() ?? Turns.miss(), {
 *   describe: () => ({ kind: "mail", what: "a letter" })
 * })
 * ```
 */
export const take: {
  <A, E>(
    turns: Turns<E>,
    step: () => A,
    waiting: Waiting & { readonly deadline?: undefined }
  ): Effect.Effect<A, E>
  <A, E>(turns: Turns<E>, step: () => A, waiting: Waiting): Effect.Effect<A, E | Cause.TimeoutError>
} = <A, E>(
  turns: Turns<E>,
  step: () => A,
  { deadline, describe }: Waiting
): Effect.Effect<A, any> => impl(turns).taking({ step, describe, deadline })

/**
 * Ends a step that found nothing to take: the fiber goes on to wait.
 *
 * @example
 * ```ts
 * import * as Turns from "@kore-fx/core/Turns"
 *
 * const step = (letters: Array<string>) => letters.shift() ?? Turns.miss()
 * ```
 */
export const miss = (): never => {
  throw Missed.missed
}

/**
 * The deadline of an operation that has a timeout, with an error that says what timed out, and what to do then.
 *
 * @example
 * ```ts
 * import * as Turns from "@kore-fx/core/Turns"
 *
 * const deadline = Turns.deadline(() => "Waiting for a letter", "1 second", "Nothing is lost: ask again.")
 * ```
 */
export const deadline = (
  what: () => string,
  timeout: Duration.Input | undefined,
  advice: string
): Deadline | undefined =>
  timeout === undefined ? undefined : { after: timeout, error: () => Impl.timeoutError(what(), timeout, advice) }

/**
 * Gives up at its deadline an effect that takes nothing: one whose result may get lost.
 *
 * `take` has a deadline of its own, after which nothing has been taken.
 *
 * @example
 * ```ts
 * import * as Turns from "@kore-fx/core/Turns"
 *
 * const deadline = Turns.deadline(() => "Waiting for a letter", "1 second", "Nothing is lost: ask again.")
 * const wait = Turns.until(Effect.never, deadline)
 * ```
 */
export const until = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  deadline: Deadline | undefined
): Effect.Effect<A, E | Cause.TimeoutError, R> =>
  deadline === undefined ? effect : Effect.timeoutOrElse(effect, {
    duration: deadline.after,
    orElse: () => Effect.fail(deadline.error())
  })

// --- private ---------------------------------------------------------------------------------------------------------

const impl = <E>(turns: Turns<E>): Impl.TurnsImpl<E> => turns as Impl.TurnsImpl<E>

const ignore = (): void => {}

const isNone = (_thrown: unknown): _thrown is never => false
