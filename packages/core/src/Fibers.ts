/**
 * The fibers of this worker, alive: what each is, what it waits for, and since when.
 *
 * When to reach for it: to see why a worker hangs, or what it is busy with; `kore-fx ps` prints the list.
 * What it is not: a profiler, or a history. A row tells what was true when it was made, and keeping it costs nothing
 * before somebody asks.
 *
 * Known are the tasks, the requests that wait, the connections of `Socket.serve`, the fibers that these have forked, and
 * every fiber that waits for something of kore-fx. A fiber that waits for something else, an `Effect.sleep` or a Promise say, has no `waits`; the
 * branches of an `Effect.all` are seen only while they wait for something of kore-fx.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import * as FiberPrivate from "./internal/FiberPrivate.ts"
import * as Roots from "./internal/Roots.ts"
import { Current } from "./internal/TaskImpl.ts"
import * as Trace from "./internal/Trace.ts"
import * as WaitList from "./internal/WaitList.ts"
import type { FiberRow, FiberWait } from "./process/FiberRow.ts"

/**
 * One fiber as the list shows it; times are in milliseconds.
 *
 * The id is that of the task for a task, of the request for a request, and else of the fiber. `since` is the time since
 * the oldest of its waits began, and 0 for one that runs.
 */
export type Row = FiberRow

/**
 * A fiber that somebody started by itself, and keeps a table of.
 *
 * Source: Kore, runtime §2.1, where requests and tasks are coroutines alike.
 */
export type Root = Roots.Root

/** A table of such fibers: what it holds, and what a Context says about whom it was made for. */
export type Source = Roots.Source

/**
 * Adds a table to what `list` shows, until the scope closes; for packages that start fibers of their own.
 *
 * @example
 * ```ts
 * const jobs = new Set<Fibers.Root>()
 * const program = Fibers.addSource({ roots: () => jobs })
 * ```
 */
export const addSource: (source: Source) => Effect.Effect<void, never, Scope.Scope> = Roots.addSource

/**
 * Lists the fibers of this process: first those that somebody started by itself, in the order of their age, each
 * followed by the fibers that it has started.
 *
 * Never fails. Source: Kore, runtime §5 (`corotrace`).
 *
 * @example
 * ```ts
 * const program = Effect.flatMap(Fibers.list, (rows) =>
 *   Effect.forEach(rows, (row) => Effect.log(row.kind, row.name, row.state, row.waits)))
 * ```
 */
export const list: Effect.Effect<ReadonlyArray<Row>> = Effect.withFiberSucceed((self) => new Listing(self).rows())

/**
 * Logs every step of tasks and of waits until the scope closes: created, running, suspended, woken, finished, killed.
 *
 * One line at level Info for each, through the loggers of the fiber that asked. For hunting one bug: it slows a worker
 * down. What a Logger wakes or starts while it writes such a line, a fiber that waits in a `Queue` for what is to be
 * written say, is its own and is not followed: lines about it would make lines without end.
 * Source: Kore, runtime §5 (`corotrace`).
 *
 * @example
 * ```ts
 * const program = Effect.scoped(Effect.andThen(Fibers.trace, Suspend.suspend("1 second")))
 * ```
 */
export const trace: Effect.Effect<void, never, Scope.Scope> = Effect.withFiber((fiber) => {
  const run = Effect.runForkWith(fiber.context)
  const ofLogger = new WeakSet<object>()
  let isWriting = false
  const say = (who: Roots.Root | AnyFiber, text: string): void => {
    if (isWriting) ofLogger.add(who)
    if (isWriting || ofLogger.has(who)) return
    isWriting = true
    run(Effect.logInfo(text))
    isWriting = false
  }
  const ofRoot = (step: string) => (root: Roots.Root) => say(root, `${label(root)} ${step}`)
  const ofWait = (step: string) => (wait: WaitList.Wait) => {
    const { kind, what } = wait.describe()
    const task = Context.get(wait.fiber.context, Current)
    if (task !== undefined && ofLogger.has(task)) return
    const owner = task === undefined ? `fiber ${wait.fiber.id}` : label(task)
    say(wait.fiber, `${owner} ${step}: ${kind} ${what}`)
  }
  const sink: Trace.Sink = {
    created: ofRoot("created"),
    running: ofRoot("running"),
    suspended: ofWait("suspended"),
    woken: ofWait("woken"),
    finished: ofRoot("finished"),
    killed: ofRoot("killed")
  }
  return Effect.asVoid(Effect.acquireRelease(
    Effect.sync(() => Trace.add(sink)),
    () => Effect.sync(() => Trace.remove(sink))
  ))
})

// --- private ---------------------------------------------------------------------------------------------------------

const label = (root: Roots.Root): string => `${root.kind} ${root.id} (${root.name})`

type AnyFiber = Fiber.Fiber<unknown, unknown>

class Listing {
  private readonly now = performance.now()
  private readonly waits = new Map<AnyFiber, Array<WaitList.Wait>>()
  private readonly self: AnyFiber

  constructor(self: AnyFiber) {
    this.self = self
    for (const wait of WaitList.values()) {
      const waits = this.waits.get(wait.fiber)
      if (waits === undefined) this.waits.set(wait.fiber, [wait])
      else waits.push(wait)
    }
  }

  rows(): ReadonlyArray<Row> {
    const rows: Array<Row> = []
    const roots = Roots.values().sort((a, b) => a.created - b.created || a.id - b.id)
    const byTask = new Map<unknown, Array<AnyFiber>>()
    const rootFibers = new Set(roots.map((root) => root.fiber))
    const seen = new Set<AnyFiber>()
    for (const fiber of this.waits.keys()) {
      if (rootFibers.has(fiber)) continue
      const task = Context.get(fiber.context, Current)
      const fibers = byTask.get(task)
      if (fibers === undefined) byTask.set(task, [fiber])
      else fibers.push(fiber)
    }
    for (const root of roots) {
      rows.push(this.row(root.fiber, { id: root.id, kind: root.kind, name: root.name, age: this.now - root.created }))
      const parts = FiberPrivate.descendants(root.fiber).concat(byTask.get(root) ?? [])
      for (const fiber of parts) {
        if (seen.has(fiber) || rootFibers.has(fiber)) continue
        seen.add(fiber)
        rows.push(this.row(fiber, { ...partOf(fiber), parent: { kind: root.kind, id: root.id } }))
      }
    }
    for (const fiber of this.waits.keys()) {
      if (!seen.has(fiber) && !rootFibers.has(fiber)) rows.push(this.row(fiber, partOf(fiber)))
    }
    return rows
  }

  private row(
    fiber: AnyFiber | undefined,
    identity: {
      readonly id: number
      readonly parent?: NonNullable<FiberRow["parent"]>
      readonly kind: string
      readonly name: string
      readonly age?: number
    }
  ): Row {
    const waits: ReadonlyArray<FiberWait> = (fiber === undefined ? [] : this.waits.get(fiber) ?? []).map((wait) => ({
      ...wait.describe(),
      since: Math.max(0, Math.round(this.now - wait.since))
    }))
    const since = Math.max(0, ...waits.map((wait) => wait.since))
    return {
      ...identity,
      age: Math.max(0, Math.round(identity.age ?? since)),
      state: fiber === this.self ? "running" : "suspended",
      since,
      waits,
      spans: fiber === undefined ? [] : spansOf(fiber)
    }
  }
}

const partOf = (fiber: AnyFiber) => ({ id: fiber.id, kind: "fiber", name: `fiber-${fiber.id}` })

const spansOf = (fiber: AnyFiber): ReadonlyArray<string> => {
  const names: Array<string> = []
  let { span } = fiber.cache
  while (span?._tag === "Span") {
    names.push(span.name)
    span = span.parent._tag === "Some" ? span.parent.value : undefined
  }
  return names
}
