/**
 * Signals that the parent passes on to its workers.
 *
 * When to reach for it: `Parent` does, for SIGUSR1: a worker that is starting, ready or draining gets it.
 * What it is not: a signal of the system. That would end a worker that is not far enough to expect it, so it goes as a
 * message, and is one again in the worker. Source: Kore, runtime §1.5 (USR1 is forwarded to all workers).
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as Protocol from "./Protocol.ts"
import type { Child } from "./Spawner.ts"

/** The signals that are passed on. */
export type Signal = (typeof Protocol.Signalled)["Type"]["signal"]

/** Who gets signals. */
export interface PassOn {
  /** Passes signals on to this process too, until the scope closes. */
  readonly attach: (process: Pick<Child, "post">) => Effect.Effect<void, never, Scope.Scope>
  /** Passes a signal on, without waiting; succeeds with the number of processes that it was sent to. */
  readonly send: (signal: Signal) => Effect.Effect<number>
}

/** Makes one for no processes. */
export const make = (): PassOn => {
  const processes = new Set<Pick<Child, "post">>()
  return {
    attach: (process) =>
      Effect.asVoid(Effect.acquireRelease(
        Effect.sync(() => processes.add(process)),
        () => Effect.sync(() => processes.delete(process))
      )),
    send: (signal) =>
      Effect.as(
        Effect.forEach(processes, (process) => process.post({ _tag: "Signalled", signal }), { discard: true }),
        processes.size
      )
  }
}
