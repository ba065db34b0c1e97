/**
 * Signals of the operating system as Effects.
 *
 * When to reach for it: a process must do something else than die when a signal arrives.
 * What it is not: a way to send them; that is `process.kill`. SIGPIPE needs nothing: Node.js ignores it.
 */
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"

/**
 * Collects signals in the order in which they arrive, until the scope closes; none is lost between two takes.
 *
 * While it is subscribed to, a signal has no other effect: SIGTERM does not end the process, SIGUSR1 opens no debugger.
 */
export const subscribe = (
  signals: ReadonlyArray<NodeJS.Signals>
): Effect.Effect<Queue.Dequeue<NodeJS.Signals>, never, Scope.Scope> =>
  Effect.gen(function*() {
    const queue = yield* Queue.unbounded<NodeJS.Signals>()
    yield* listen(signals, (signal) => void Queue.offerUnsafe(queue, signal))
    return queue
  })

/** Waits for the first of some signals; a second one has its usual effect again. */
export const wait = (signals: ReadonlyArray<NodeJS.Signals>): Effect.Effect<NodeJS.Signals> =>
  Effect.scoped(Effect.flatMap(subscribe(signals), Queue.take))

/** Lets some signals have no effect until the scope closes. */
export const ignore = (signals: ReadonlyArray<NodeJS.Signals>): Effect.Effect<void, never, Scope.Scope> =>
  listen(signals, () => {})

const listen = (signals: ReadonlyArray<NodeJS.Signals>, listener: (signal: NodeJS.Signals) => void) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      for (const signal of signals) process.on(signal, listener)
    }),
    () =>
      Effect.sync(() => {
        for (const signal of signals) process.off(signal, listener)
      })
  )
