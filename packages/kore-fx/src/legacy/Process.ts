/**
 * `kore.worker`, `time`, `app`, `fatal`, `tracer`: small functions about the process.
 *
 * When to reach for it: through `kore`. What it is not: the processes themselves; core has those.
 * Source: Kore, runtime §5 and §2.4.
 */
import * as CoreWorker from "@kore-fx/core/process/Worker"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { describe } from "./Coroutine.ts"
import { RuntimeError } from "./errors.ts"
import { declaring, registry, type TracerCallback } from "./internal/Registry.ts"
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
 * Nothing is drained and no `finally` block runs.
 */
export const fatal = (reason: string): never => {
  write(Effect.logFatal(String(reason)))
  process.exit(1)
}

/**
 * Sets the function that gets every exception nobody caught: its class, the exception, and its stack as text.
 *
 * It may be `async`; when it throws itself, both exceptions go to the log. Once, at import or in `configure`.
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
export const tracer = (callback: TracerCallback): void => {
  const declaration = declaring("kore.tracer")
  if (typeof callback !== "function") {
    throw new RuntimeError(`kore.tracer got ${describe(callback)}, expected a function`)
  }
  if (declaration.tracer !== undefined) throw new RuntimeError("kore.tracer was called before: there is one tracer")
  declaration.tracer = callback
}
