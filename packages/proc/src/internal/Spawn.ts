/**
 * From a command to a running process that belongs to a scope.
 *
 * When to reach for it: only through `Proc`, which says what is promised.
 * What it is not: public.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import type * as Proc from "../Proc.ts"
import { ProcError } from "../ProcError.ts"
import * as Guard from "./Guard.ts"
import * as Plan from "./Plan.ts"
import * as Process from "./Process.ts"
import { SocketPair } from "./SocketPair.ts"

/** Starts it; see `Proc.spawn`. The last argument is the limit in bytes where the options name none. */
export const spawn = (
  command: Proc.Command,
  options: Proc.Options,
  defaultMaxOutput = Infinity
): Effect.Effect<Process.Process, ProcError, Scope.Scope> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function*() {
      const scope = yield* Effect.scope
      const plan = yield* Effect.fromResult(Plan.make(command, options))
      const fail = (error: Pick<ProcError, "reason" | "code" | "detail">) =>
        Effect.fail(new ProcError({ command: plan.command, ...error }))
      const { forceKillAfter = "1 second", killSignal = "SIGTERM", name, output, stdin = "pipe" } = options
      if (!Process.isSignal(killSignal)) {
        return yield* fail({ reason: "SignalFailed", code: "EINVAL", detail: String(killSignal) })
      }
      const maxOutput = options.maxOutput === undefined ? defaultMaxOutput : Process.bytesOf(options.maxOutput)
      if (maxOutput === undefined) {
        return yield* fail({ reason: "BadArgument", detail: `maxOutput is ${String(options.maxOutput)}` })
      }
      const timeout = options.timeout === undefined ? undefined : Duration.fromInputUnsafe(options.timeout)
      yield* guarded

      const merged = output === "separate" ? undefined : new SocketPair()
      const opened = merged === undefined ? Effect.void :
        Effect.catch(restore(merged.open), (code) =>
          fail({ reason: "NotStarted", code, detail: "there is no pipe for its output" }))
      const start = Process.start(plan, {
        name,
        stdin,
        merged,
        maxOutput,
        killSignal,
        forceKillAfter: Duration.fromInputUnsafe(forceKillAfter)
      })
      const proc = yield* Effect.onError(
        Effect.andThen(opened, start),
        () => Effect.sync(() => merged?.destroy())
      )
      yield* Scope.addFinalizer(scope, proc.close)
      if (timeout !== undefined && Duration.isFinite(timeout)) {
        const expire = Effect.andThen(Effect.sleep(timeout), Effect.sync(() => proc.expire(timeout)))
        proc.endsWith(yield* Effect.forkIn(Effect.interruptible(expire), scope))
      }
      return proc
    })
  )

// --- private ---------------------------------------------------------------------------------------------------------

let isTold = false

/** Starts the guard; tells once if that cannot be. */
const guarded: Effect.Effect<void> = Effect.suspend(() => {
  const problem = Guard.start()
  if (problem === undefined || isTold) return Effect.void
  isTold = true
  return Effect.logWarning(
    `Child processes will outlive this process if it is killed: the guard that prevents it does not run, as ${problem}.`
  )
})
