/**
 * `kore.task_create`, `task_kill`, `task_id`: coroutines that go on by themselves.
 *
 * When to reach for it: work that outlives the handler that starts it, or that somebody else may end.
 * What it is not: a way to wait for a result. Source: Kore, runtime §6 and §2.5.
 */
import * as CoreTask from "@kore-fx/core/Task"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { check, type Coroutine, describe, nameOf } from "./Coroutine.ts"
import { RuntimeError } from "./errors.ts"
import { type EarlyTask, registry, services } from "./internal/Registry.ts"
import * as Run from "./internal/Run.ts"

const create = (coroutine: Coroutine<unknown>): CoreTask.Id => {
  const context = services()
  const name = nameOf(coroutine)
  const effect = Run.start(name ?? "task", coroutine)
  return Context.get(context, CoreTask.Tasks).createUnsafe(context, effect, { name }).id
}

/**
 * Starts a coroutine as a task of the worker and returns the task's id.
 *
 * Nothing of it runs before the caller waits or ends. What it throws is reported once, through the tracer. Called at
 * import or in `configure`, it runs once in every worker; its id is then a number below zero.
 *
 * @throws RuntimeError for a Promise, which has started already, and for what is no coroutine.
 *
 * @example
 * ```ts
 * import { kore } from "kore-fx/legacy"
 *
 * function* coro(id: number) {
 *   yield kore.suspend(1000)
 *   kore.log(kore.LOG_INFO, `i am coro ${id}`)
 * }
 *
 * const generator = kore.task_create(coro(1))
 * const thunk = kore.task_create(async () => {
 *   await kore.suspend(1000)
 * })
 * ```
 */
export const task_create = (coroutine: Coroutine<unknown>): number => {
  check("kore.task_create", coroutine)
  if (registry.running !== undefined) return create(coroutine)
  if (registry.closed) throw new RuntimeError("kore.task_create needs a worker, and none runs here")
  const { tasks } = registry.declaration
  const id = -1 - tasks.length
  tasks.push({ id, coroutine })
  return id
}

/** Creates the tasks that were created before the worker ran. */
export const createEarly = (tasks: ReadonlyArray<EarlyTask>): void => {
  for (const { coroutine, id } of tasks) registry.early.set(id, create(coroutine))
}

/**
 * Kills the task with this id. True if it was alive, false if it had ended or never was.
 *
 * It is over when its `finally` blocks are, which may wait; this does not wait for them. What they do before they wait
 * has happened when this returns, in a generator; in an async function it happens in the same turn of the event loop.
 * The task of a handler may be killed too; its client then gets 503.
 *
 * @throws RuntimeError for the task's own id: let it return instead.
 *
 * @example
 * ```ts
 * import { kore } from "kore-fx/legacy"
 *
 * const id = kore.task_create(() => kore.suspend(60_000))
 * kore.task_create(function* kill() {
 *   yield kore.suspend(5000)
 *   kore.task_kill(id)
 * })
 * ```
 */
export const task_kill = (id: number): boolean => {
  if (!Number.isInteger(id)) throw new RuntimeError(`kore.task_kill got ${describe(id)}, expected the id of a task`)
  const real = registry.early.get(id) ?? id
  if (registry.running === undefined) return unplan(id)
  if (Option.contains(Run.now(CoreTask.currentId), real)) {
    throw new RuntimeError("kore.task_kill got the id of the task that calls it: a task ends by returning")
  }
  const end = Effect.runForkWith(Run.context())(CoreTask.kill(real)).pollUnsafe()
  return end === undefined || (end._tag === "Success" && end.value)
}

// A task that was created at import or in `configure` and has not been started.
const unplan = (id: number): boolean => {
  const { tasks } = registry.declaration
  const index = tasks.findIndex((task) => task.id === id)
  if (index < 0) return false
  tasks[index] = { id, coroutine: Effect.void }
  return true
}

/**
 * The id of the task that this code is part of. A handler that is `async` or a generator is a task as well.
 *
 * @throws RuntimeError outside of tasks.
 *
 * @example
 * ```ts
 * import { kore } from "kore-fx/legacy"
 *
 * kore.task_create(async () => kore.log(kore.LOG_INFO, `task ${kore.task_id()}`))
 * ```
 */
export const task_id = (): number => {
  const id = Run.now(CoreTask.currentId)
  if (Option.isNone(id)) throw new RuntimeError("kore.task_id was called outside of a task")
  for (const [early, real] of registry.early) if (real === id.value) return early
  return id.value
}
