/**
 * Tasks: fibers that belong to the worker and have a name and an id.
 *
 * When to reach for it: a handler starts work that goes on after its answer, or that somebody else may end.
 * What it is not: a way to run several things and wait for them (`Gather`), or to repeat one (`Timer`).
 *
 * A task outlives the fiber that created it and ends at the latest with the worker. It has a scope of its own: what it
 * acquires is released when it ends, not with the request that created it. What it fails with is reported once, by the
 * Tracer, with its name and id.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as EffectScheduler from "effect/Scheduler"
import type * as Scope from "effect/Scope"
import * as Roots from "./internal/Roots.ts"
import * as TaskImpl from "./internal/TaskImpl.ts"
import * as Tracer from "./Tracer.ts"

/** The number of a task: from 1, ascending, never used again in a process. Kore: runtime §2.1. */
export type Id = number

/**
 * A running or finished task.
 *
 * @example
 * ```ts
 * const program = Effect.gen(function*() {
 *   const task: Task.Task<string> = yield* Task.create(Effect.succeed("done"), { name: "quick" })
 *   return yield* task.await // Exit.succeed("done")
 * })
 * ```
 */
export interface Task<out A = unknown, out E = unknown> {
  readonly id: Id
  /** As given, or `task-` and the id. */
  readonly name: string
  /** Waits for the task to end and tells how. Interrupting the wait leaves the task alone. */
  readonly await: Effect.Effect<Exit.Exit<A, E>>
  /** Ends the task; see `kill`. */
  readonly kill: Effect.Effect<boolean>
}

/** What `create` may be told. */
export interface Options {
  /** For people, in reports and lists. Need not be unique. */
  readonly name?: string | undefined
}

/**
 * The tasks of a worker. They end with the scope in which the service was made.
 *
 * @example
 * ```ts
 * const program = Effect.provide(
 *   Effect.flatMap(Task.create(Effect.log("hello")), (task) => task.await),
 *   Layer.provide(Task.Tasks.layer, Tracer.layerDefault)
 * )
 * ```
 */
export class Tasks extends Context.Service<Tasks, {
  /** Starts a task from plain code, with these services; see `create`. */
  readonly createUnsafe: <A, E, R>(
    context: Context.Context<Exclude<R, Scope.Scope>>,
    effect: Effect.Effect<A, E, R>,
    options?: Options
  ) => Task<A, E>
  /** Ends a task; see `kill`. */
  readonly kill: (id: Id) => Effect.Effect<boolean>
  /** Ends all tasks and waits for them; a task created later never runs. For whoever releases what tasks use. */
  readonly close: Effect.Effect<void>
}>()("@kore-fx/core/Task/Tasks") {
  /** Makes it. When the scope closes, all tasks are killed and waited for; a task created later never runs. */
  static readonly make: Effect.Effect<Tasks["Service"], never, Scope.Scope | Tracer.Tracer> = Effect.gen(function*() {
    const registry = new TaskImpl.Registry(yield* Tracer.Tracer, yield* EffectScheduler.Scheduler)
    yield* Roots.addSource(registry)
    yield* Effect.addFinalizer(() => registry.close)
    return Tasks.of({
      createUnsafe: registry.create,
      kill: (id) => registry.kill(() => registry.get(id)),
      close: registry.close
    })
  })

  /** Provides the tasks of a worker. */
  static readonly layer: Layer.Layer<Tasks, never, Tracer.Tracer> = Layer.effect(Tasks, Tasks.make)
}

/**
 * Starts a task that belongs to the worker.
 *
 * Nothing of it runs before the creator suspends or ends; then tasks begin in the order of their creation. It has the
 * creator's services, and a scope of its own. Never fails.
 * Source: Kore, runtime §6.
 *
 * @example
 * ```ts
 * const program = Task.create(Effect.delay(Effect.log("welcome"), "1 second"), { name: "welcome" })
 * ```
 */
export const create = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  options?: Options
): Effect.Effect<Task<A, E>, never, Exclude<R, Scope.Scope> | Tasks> =>
  // One step of the creator: interrupted between forking and registering, it would leave a fiber that nobody owns.
  Effect.withFiberSucceed((fiber) => {
    const context = fiber.context as Context.Context<Exclude<R, Scope.Scope> | Tasks>
    return Context.get(context, Tasks).createUnsafe(context, effect, options)
  })

/**
 * Ends the task with this id by interrupting it, and waits until its finalizers have run.
 *
 * True if it was alive, false if it had ended or never been: no error. Killed from inside, by the task itself or by a
 * fiber it started, it is not waited for and ends at its next step that can be interrupted.
 * Source: Kore, runtime §2.5.
 *
 * @example
 * ```ts
 * const program = Effect.gen(function*() {
 *   const task = yield* Task.create(Effect.never)
 *   return yield* Task.kill(task.id) // true
 * })
 * ```
 */
export const kill = (id: Id): Effect.Effect<boolean, never, Tasks> => Tasks.use((tasks) => tasks.kill(id))

/**
 * The id of the task this fiber runs in, also in the fibers that the task started; none outside of tasks.
 *
 * Source: Kore, runtime §5 (`task_id`).
 *
 * @example
 * ```ts
 * const program = Effect.flatMap(Task.currentId, (id) => Effect.log("in task", id))
 * ```
 */
export const currentId: Effect.Effect<Option.Option<Id>> = Effect.withFiberSucceed((fiber) =>
  Option.map(Option.fromUndefinedOr(fiber.getRef(TaskImpl.Current)), (task) => task.id)
)

/**
 * Gives a new name to the task this fiber runs in; does nothing outside of tasks.
 *
 * Reports and lists show it from now on. Source: Kore, runtime §5 (`coroname`).
 *
 * @example
 * ```ts
 * const program = Task.create(Effect.andThen(Task.setName("mail to ada"), Effect.sleep("1 second")))
 * ```
 */
export const setName = (name: string): Effect.Effect<void> =>
  Effect.withFiberSucceed((fiber) => fiber.getRef(TaskImpl.Current)?.rename(name))
