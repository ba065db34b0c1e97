/**
 * Ties the life of a process to its parent's, by the kernel: it works when the event loop does not.
 *
 * When to reach for it: a worker calls it before it does anything else.
 * What it is not: a way to stop in order. The process is killed on the spot; macOS has nothing of the kind.
 */
import * as Effect from "effect/Effect"
import * as os from "node:os"
import * as Libc from "./Libc.ts"
import * as Platform from "./Platform.ts"

/** Whether this operating system can do it. */
export const isSupported: boolean = Platform.current?.prctl !== undefined

/**
 * Lets the kernel kill this process with SIGKILL when its parent ends, however it ends.
 *
 * Does nothing where it is not supported. A parent that ended before the call is not noticed.
 */
export const kill: Effect.Effect<void, Libc.CallError> = Effect.suspend(() => {
  const option = Platform.current?.prctl?.PR_SET_PDEATHSIG
  if (option === undefined) return Effect.void
  return Effect.asVoid(Libc.call("prctl", (libc) => libc.prctl(option, os.constants.signals.SIGKILL)))
})
