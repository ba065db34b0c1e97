/**
 * `kore.coroname` and `kore.corotrace`: names for coroutines, and a log line for every step of them.
 *
 * When to reach for it: to hunt one bug. What coroutines wait for right now is better seen with `kore-fx ps`.
 * What it is not: a trace of requests. Source: Kore, runtime §5.
 */
import * as Fibers from "@kore-fx/core/Fibers"
import * as Task from "@kore-fx/core/Task"
import * as Context from "effect/Context"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import { describe } from "./Coroutine.ts"
import { RuntimeError } from "./errors.ts"
import { declaring, registry } from "./internal/Registry.ts"
import * as Run from "./internal/Run.ts"

/**
 * Gives a name to the task that this code is part of; reports, lists and `kore.corotrace` show it from now on.
 *
 * @throws RuntimeError outside of tasks, and for what is no text.
 *
 * @example
 * ```ts
 * import { kore } from "kore-fx/legacy"
 *
 * kore.task_create(function*() {
 *   kore.coroname("mail to ada")
 *   yield kore.suspend(1000)
 * })
 * ```
 */
export const coroname = (name: string): void => {
  if (typeof name !== "string") throw new RuntimeError(`kore.coroname got ${describe(name)}, expected a string`)
  if (Option.isNone(Run.now(Task.currentId))) throw new RuntimeError("kore.coroname was called outside of a task")
  Run.now(Task.setName(name))
}

/**
 * Logs every step of tasks and of what they wait for from now on, or no longer with 0.
 *
 * Created, running, suspended, woken, finished, killed: a line each, at level Info. It slows the worker down. At import
 * or in `configure`, it is on from the start of every worker.
 *
 * @throws RuntimeError for anything but a whole number from 0 to 255.
 *
 * @example
 * ```ts
 * import { kore } from "kore-fx/legacy"
 *
 * kore.corotrace(1)
 * ```
 */
export const corotrace = (level: number): void => {
  if (!Number.isInteger(level) || level < 0 || level > 255) {
    throw new RuntimeError(`kore.corotrace got ${describe(level)}, expected a whole number from 0 to 255`)
  }
  if (registry.running === undefined) declaring("kore.corotrace").trace = level
  else trace(registry.running, level)
}

let tracing: Scope.Closeable | undefined

/** Begins or ends the trace of the running worker, with which it ends. */
export const trace = (worker: Context.Context<any>, level: number): void => {
  const on = level > 0
  if (on === (tracing?.state._tag === "Open")) return
  if (tracing !== undefined) Run.atOnce(Scope.close(tracing, Exit.void), worker)
  if (!on) return
  tracing = Scope.forkUnsafe(Context.get(worker, Scope.Scope))
  Run.atOnce(Scope.provide(Fibers.trace, tracing), worker)
}
