/**
 * From a command to a running process that belongs to a scope.
 *
 * When to reach for it: only through `Proc`, which says what is promised.
 * What it is not: public.
 */
import * as SocketPair from "@kore-fx/core/SocketPair"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import type * as Proc from "../Proc.ts"
import { ProcError } from "../ProcError.ts"
import * as Guard from "./Guard.ts"
import * as Plan from "./Plan.ts"
import * as Process from "./Process.ts"

/** Starts it; see `Proc.spawn`. The last argument is the limit in bytes where the options name none. */
export const spawn = (
  command: Proc.Command,
  options: Proc.Options,
  defaultMaxOutput = Infinity
): Effect.Effect<Process.Process, ProcError, Scope.Scope> =>
  Effect.uninterruptible(
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

      const start = Effect.gen(function*() {
        const merged = output === "separate" ? undefined : yield* Effect.catch(SocketPair.make, (error) =>
          fail({
            reason: "NotStarted",
            code: error.code ?? "ENOTSUP",
            detail: `there is no pipe for its output${error.code === undefined ? `, as ${error.detail}` : ""}`
          }))
        const proc = yield* Process.start(plan, {
          name,
          stdin,
          merged,
          maxOutput,
          killSignal,
          forceKillAfter: Duration.fromInputUnsafe(forceKillAfter)
        })
        yield* Effect.addFinalizer(() => proc.close)
        if (merged !== undefined) yield* merged.given
        return proc
      })
      // Of its own: a command that could not be started leaves nothing to the other one, and one that has closed already
      // closes nothing under the hands of what starts.
      const own = yield* Scope.make()
      const proc = yield* Effect.onError(Scope.provide(start, own), (cause) => Scope.close(own, Exit.failCause(cause)))
      yield* Scope.addFinalizerExit(scope, (exit) => Scope.close(own, exit))
      if (timeout !== undefined && Duration.isFinite(timeout)) {
        const expire = Effect.andThen(Effect.sleep(timeout), Effect.sync(() => proc.expire(timeout)))
        proc.endsWith(yield* Effect.forkIn(Effect.interruptible(expire), scope))
      }
      return proc
    })
  )

// --- private ---------------------------------------------------------------------------------------------------------

let told: string | undefined

/** Starts the guard; tells if that cannot be, and again when it is another problem or a new one. */
const guarded: Effect.Effect<void> = Effect.suspend(() => {
  const problem = Guard.start()
  const isNews = problem !== told
  told = problem
  if (problem === undefined || !isNews) return Effect.void
  return Effect.logWarning(
    `Child processes will outlive this process if it is killed: the guard that prevents it does not run, as ${problem}.`
  )
})
