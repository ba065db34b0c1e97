/**
 * `kore.worker`, `time`, `app`, `fatal`, `fatalx`, `shutdown`, `sigtrap`, `setname`, `tracer`: small functions about the
 * process.
 *
 * When to reach for it: through `kore`. What it is not: the processes themselves; core has those.
 * Source: Kore, runtime §5, §1.4, §1.5 and §2.4.
 */
import * as Protocol from "@kore-fx/core/process/Protocol"
import * as Signal from "@kore-fx/core/process/Signal"
import * as CoreWorker from "@kore-fx/core/process/Worker"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { describe } from "./Coroutine.ts"
import { RuntimeError } from "./errors.ts"
import * as Failure from "./internal/Failure.ts"
import { declaring, inWorker, registry, type TracerCallback } from "./internal/Registry.ts"
import * as Run from "./internal/Run.ts"
import { write } from "./Log.ts"

/** The number of this worker, from 1; null in the parent, and in a worker before its hooks run. */
export const worker = (): number | null => {
  const { running } = registry
  return running === undefined ? null : Context.get(running, CoreWorker.Worker).id
}

/** Milliseconds of a clock that only goes forward; what it counts from means nothing. */
export const time = (): number => Run.now(Effect.map(Clock.monotonicTimeNanos, (nanos) => Number(nanos / 1_000_000n)))

/**
 * Without an argument, what was stored last in this process, or null; with one, stores it and returns true.
 *
 * @example
 * ```ts
 * import { kore } from "kore-fx/legacy"
 *
 * kore.app({ started: kore.time() })
 * const stored = kore.app()
 * ```
 */
export const app: {
  (): any
  (value: unknown): true
} = (...args: Array<unknown>): any => {
  if (args.length === 0) return registry.stored
  registry.stored = args[0]
  return true
}

/**
 * Writes the reason to the log and ends this process at once, with exit status 1; in a worker, the death policy
 * follows.
 *
 * Nothing is drained and no `finally` block runs. In `Kore.test` it throws core's `WorkerFatal`, and the app goes on.
 *
 * @example
 * ```ts
 * import { kore } from "kore-fx/legacy"
 *
 * const check = (isUsable: boolean) => {
 *   if (!isUsable) kore.fatal("worker going dead")
 * }
 * ```
 */
export const fatal = (reason: string): never => giveUp(CoreWorker.fatal(String(reason)), String(reason), 1)

/**
 * As `kore.fatal`, and ends the whole server: the other workers drain, and its exit status is 1.
 *
 * @example
 * ```ts
 * import { kore } from "kore-fx/legacy"
 *
 * const check = (isLicensed: boolean) => {
 *   if (!isLicensed) kore.fatalx("no licence")
 * }
 * ```
 */
export const fatalx = (reason: string): never =>
  giveUp(CoreWorker.fatalx(String(reason)), String(reason), Protocol.fatalStatus)

// Core waits until its message to the parent is out, and whoever calls this must not go on meanwhile: the log line and,
// where the channel has room, the message are written by then. The exit status tells the parent in any case.
const giveUp = (effect: Effect.Effect<never, never, CoreWorker.Worker>, reason: string, status: number): never => {
  if (registry.running === undefined) {
    write(Effect.logFatal(reason))
    process.exit(1)
  }
  const exit = Effect.runForkWith(registry.running)(effect).pollUnsafe()
  if (exit?._tag === "Failure") throw Cause.squash(exit.cause)
  return process.exit(status)
}

/**
 * Asks for the whole server to stop in order, as SIGTERM to its parent does, and returns true at once.
 *
 * Every worker drains, this one too; the exit status is 0. In `Kore.test` the app drains.
 *
 * @throws RuntimeError where no worker runs.
 *
 * @example
 * ```ts
 * import { kore } from "kore-fx/legacy"
 *
 * const stop = (req: kore.Request) => {
 *   kore.shutdown()
 *   req.response(200, "bye")
 * }
 * ```
 */
export const shutdown = (): true => {
  Effect.runForkWith(inWorker("kore.shutdown"))(CoreWorker.shutdown)
  return true
}

/**
 * Has every worker, or the one that calls it, hand one more signal to the app's `signal` hook instead of dying of it.
 *
 * SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1 and SIGUSR2 reach the hook in any case; SIGTERM and SIGQUIT end the worker
 * all the same. Called in a worker, it is for that worker; at import or in `configure`, for all.
 *
 * @throws RuntimeError for a number that is no signal on this system, and for signals that nobody can catch.
 *
 * @example
 * ```ts
 * import * as os from "node:os"
 * import { kore } from "kore-fx/legacy"
 *
 * class MyApp {
 *   configure() {
 *     kore.sigtrap(os.constants.signals.SIGWINCH)
 *   }
 *   signal(signo: number) {
 *     kore.log(kore.LOG_INFO, `signal ${signo}`)
 *   }
 * }
 * ```
 */
export const sigtrap = (signo: number): void => {
  if (typeof signo !== "number") throw new RuntimeError(`kore.sigtrap got ${describe(signo)}, expected a number`)
  const signal = Failure.now(Signal.parse(signo))
  if (registry.trap === undefined) declaring("kore.sigtrap").signals.add(signal)
  else registry.trap(signal)
}

/**
 * Names the processes of the server: `<name> [parent]`, `<name> [wrk 1]`. Default: `kore`. At import or in `configure`.
 *
 * @throws RuntimeError for what is no text, or empty.
 *
 * @example
 * ```ts
 * import { kore } from "kore-fx/legacy"
 *
 * kore.setname("shop")
 * ```
 */
export const setname = (name: string): void => {
  const declaration = declaring("kore.setname")
  if (typeof name !== "string" || name === "") {
    throw new RuntimeError(`kore.setname got ${describe(name)}, expected a string that is not empty`)
  }
  declaration.name = name
}

/**
 * Sets the function that gets every exception nobody caught: its class, the exception, and its stack as text.
 *
 * It may be `async`; when it throws itself, both exceptions go to the log. Once, at import or in `configure`. Always
 * true.
 *
 * @throws RuntimeError when there is one already, or the argument is no function.
 *
 * @example
 * ```ts
 * import { kore } from "kore-fx/legacy"
 *
 * kore.tracer((etype, value, traceback) => {
 *   kore.log(kore.LOG_ERR, `${etype.name}: ${value}, ${traceback}`)
 * })
 * ```
 */
export const tracer = (callback: TracerCallback): true => {
  const declaration = declaring("kore.tracer")
  if (typeof callback !== "function") {
    throw new RuntimeError(`kore.tracer got ${describe(callback)}, expected a function`)
  }
  if (declaration.tracer !== undefined) throw new RuntimeError("kore.tracer was called before: there is one tracer")
  declaration.tracer = callback
  return true
}
