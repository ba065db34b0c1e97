/**
 * SIGUSR1 for those who hold files that somebody else moves away: they open them anew.
 *
 * When to reach for it: an access log asks for it while it is open.
 * What it is not: how the signal gets here. The parent passes it on to its workers; see `Parent`.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

// One listener for all: Node warns of a leak where a process has more than ten.
const listeners = new Set<() => void>()

const onSignal = (): void => {
  for (const listener of listeners) listener()
}

/**
 * Calls `listener` whenever the process gets SIGUSR1, until the scope closes.
 *
 * Node opens no debugger on that signal meanwhile. Source: Kore, http §16 and §17.1 (B39).
 */
export const onReopen = (listener: () => void): Effect.Effect<void, never, Scope.Scope> =>
  Effect.asVoid(Effect.acquireRelease(
    Effect.sync(() => {
      if (listeners.size === 0) process.on("SIGUSR1", onSignal)
      listeners.add(listener)
    }),
    () =>
      Effect.sync(() => {
        listeners.delete(listener)
        if (listeners.size === 0) process.off("SIGUSR1", onSignal)
      })
  ))
