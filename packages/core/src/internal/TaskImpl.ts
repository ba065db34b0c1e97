/**
 * A task and the table of all of them.
 *
 * When to reach for it: only through `Task`, which says what is promised.
 * What it is not: public.
 *
 * Written for speed: a task costs one fiber, which is made when its turn has come and not before, and a task that ends
 * without waiting leaves nothing behind. Until its turn it is an entry in a line. Whoever waits for the task whose turn
 * is next starts it on the spot: if it ends at once, nobody had to be suspended and woken.
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type * as Scheduler from "effect/Scheduler"
import * as Scope from "effect/Scope"
import { AsyncResource } from "node:async_hooks"
import type { Task } from "../Task.ts"
import type * as Tracer from "../Tracer.ts"
import * as IdTable from "./IdTable.ts"
import * as Millis from "./Millis.ts"
import * as Ring from "./Ring.ts"
import * as Roots from "./Roots.ts"
import * as RunQueue from "./RunQueue.ts"
import * as Trace from "./Trace.ts"
import * as WaitList from "./WaitList.ts"

/** The task a fiber runs in. Inherited by the fibers it starts, replaced in the tasks it creates. */
export const Current = Context.Reference<Entry | undefined>("@kore-fx/core/Task/Current", {
  defaultValue: () => undefined
})

/** What a task is made of that has not begun. */
interface Plan {
  readonly context: Context.Context<never>
  readonly effect: Effect.Effect<any, any, any>
  /** What AsyncLocalStorage holds for the creator, it holds for the task. */
  readonly creator: AsyncResource
}

const emptyScope = Scope.makeUnsafe()
const closedScope: Scope.Scope["state"] = { _tag: "Closed", exit: Exit.void }

/** The first step of every task, in which it may kill itself already. */
const begin = Effect.withFiber((fiber) => fiber.getRef(Current)!.begin(fiber))

let lastId = 0

export class Entry implements Task<any, any>, IdTable.Entry<Entry>, Roots.Root {
  link: Entry | undefined = undefined
  fiber: Fiber.Fiber<any, any> | undefined = undefined
  readonly id = ++lastId
  readonly created = Millis.coarse()
  private exit: Exit.Exit<any, any> | undefined = undefined
  private plan: Plan | undefined
  private givenName: string | undefined
  private waiting: Array<WaitForEnd> | undefined = undefined
  private readonly registry: Registry
  /** The task is its own scope, as every task has one and hardly any uses it. */
  state = emptyScope.state

  constructor(
    registry: Registry,
    context: Context.Context<never>,
    effect: Effect.Effect<any, any, any>,
    name: string | undefined
  ) {
    this.registry = registry
    this.givenName = name
    this.plan = { context, effect, creator: new AsyncResource("kore-fx/Task") }
  }

  get kind(): string {
    return "task"
  }

  get name(): string {
    return this.givenName ?? `task-${this.id}`
  }

  rename(name: string): void {
    this.givenName = name
  }

  get hasEnded(): boolean {
    return this.exit !== undefined
  }

  get kill(): Effect.Effect<boolean> {
    return this.registry.kill(() => this)
  }

  get await(): Effect.Effect<Exit.Exit<any, any>> {
    return Effect.suspend(() => {
      if (this.plan !== undefined) this.registry.startAhead(this)
      return this.exit === undefined ? this.waitForEnd : Effect.succeed(this.exit)
    })
  }

  private get waitForEnd(): Effect.Effect<Exit.Exit<any, any>> {
    return Effect.callback((resume) => {
      if (this.exit !== undefined) return resume(Effect.succeed(this.exit))
      const wait = new WaitForEnd(Fiber.getCurrent()!, this, resume)
      WaitList.add(wait)
      const waiting = this.waiting ??= []
      waiting.push(wait)
      return Effect.sync(() => {
        WaitList.remove(wait)
        const index = waiting.indexOf(wait)
        if (index >= 0) waiting.splice(index, 1)
      })
    })
  }

  /** Runs the task up to its first wait, unless it was killed before its turn. */
  start(): void {
    const creator = this.plan?.creator
    if (creator === undefined) return
    creator.runInAsyncScope(this.run, this, this.plan!.context)
    creator.emitDestroy()
  }

  private run(context: Context.Context<never>): void {
    const services = Context.add(Context.add(context, Current, this), Scope.Scope, this.scope)
    const fiber = Effect.runForkWith(services)(begin)
    const exit = fiber.pollUnsafe()
    if (exit !== undefined) return this.release(exit, services)
    this.fiber = fiber
    fiber.addObserver((exit) => this.release(exit, fiber.context))
  }

  begin(fiber: Fiber.Fiber<any, any>): Effect.Effect<any, any, any> {
    const { effect } = this.plan!
    this.plan = undefined
    this.fiber = fiber
    if (Trace.sink !== undefined) Trace.sink.running(this)
    return effect
  }

  private get scope(): Scope.Closeable {
    return this as unknown as Scope.Closeable
  }

  /** Closes the scope, if anything is in it; what a finalizer dies of is part of how the task ended. */
  private release(exit: Exit.Exit<any, any>, services: Context.Context<never>): void {
    if (this.state._tag === "Empty") {
      // Whoever adds to it now is too late, and runs its finalizer at once.
      this.state = closedScope
      return this.end(exit, services)
    }
    const closing = Effect.runForkWith(services)(Scope.close(this.scope, exit), { uninterruptible: true })
    closing.addObserver((closed) => {
      if (closed._tag === "Success") this.end(exit, services)
      else {this.end(exit._tag === "Success" ? closed : Exit.failCause(Cause.combine(exit.cause, closed.cause)),
          services)}
    })
  }

  /** Interrupts the task; one that has not begun never will. */
  interrupt(by: number): void {
    if (this.fiber !== undefined) return this.fiber.interruptUnsafe(by)
    const { plan } = this
    if (plan === undefined) return
    this.plan = undefined
    plan.creator.emitDestroy()
    this.end(Exit.interrupt(by), plan.context)
  }

  private end(exit: Exit.Exit<any, any>, context: Context.Context<never>): void {
    const { waiting } = this
    this.exit = exit
    this.fiber = undefined
    this.waiting = undefined
    this.registry.ended(this, exit, context)
    if (waiting !== undefined) { for (const wait of waiting) wait.end(exit) }
  }
}

// What else Effect looks for in a scope.
for (const [key, value] of Object.entries(emptyScope)) if (key !== "state") Reflect.set(Entry.prototype, key, value)

class WaitForEnd extends WaitList.Entry {
  readonly since = Millis.coarse()
  private readonly task: Entry
  private readonly resume: (effect: Effect.Effect<Exit.Exit<any, any>>) => void

  constructor(
    fiber: Fiber.Fiber<unknown, unknown>,
    task: Entry,
    resume: (effect: Effect.Effect<Exit.Exit<any, any>>) => void
  ) {
    super(fiber)
    this.task = task
    this.resume = resume
  }

  end(exit: Exit.Exit<any, any>): void {
    WaitList.remove(this)
    // In its turn: tasks that wait for one another in a long chain would end inside of each other.
    this.fiber.currentDispatcher.scheduleTask(() => this.resume(Effect.succeed(exit)), 0)
  }

  describe(): WaitList.Description {
    return { kind: "task", what: `the end of task ${this.task.id} (${this.task.name})` }
  }
}

// A task that is started inside of a wait for it may itself wait for one; each takes some of the stack.
const deepest = 16

export class Registry implements Roots.Source {
  private readonly tasks = new IdTable.IdTable<Entry>()
  private readonly unstarted = new Ring.Ring<Entry>()
  private readonly tracer: Tracer.Tracer["Service"]
  private readonly dispatcher: Scheduler.SchedulerDispatcher
  /** How often `startNext` is to be called: as often as tasks wait for their turn, or more. */
  private turns = 0
  /** How deep tasks are that were started inside of a wait for them. */
  private depth = 0
  private closed = false

  constructor(tracer: Tracer.Tracer["Service"], scheduler: Scheduler.Scheduler) {
    this.tracer = tracer
    this.dispatcher = scheduler.makeDispatcher()
  }

  readonly roots = (): Iterable<Roots.Root> => this.tasks.values()

  readonly create = (
    context: Context.Context<never>,
    effect: Effect.Effect<any, any, any>,
    options?: { readonly name?: string | undefined }
  ): Entry => {
    const task = new Entry(this, context, effect, options?.name)
    this.tasks.add(task)
    if (Trace.sink !== undefined) Trace.sink.created(task)
    if (this.closed) {
      task.interrupt(task.id)
    } else {
      // The creator goes on first, and a chain of tasks that create tasks does not nest.
      this.unstarted.push(task)
      if (this.turns < this.unstarted.length) {
        this.turns++
        this.dispatcher.scheduleTask(this.startNext, 0)
      }
    }
    return task
  }

  private readonly startNext = (): void => {
    this.turns--
    if (this.unstarted.length > 0) this.unstarted.shift().start()
  }

  /** Starts a task inside of a wait for it, if it is the next and the event loop can do without a turn. */
  startAhead(task: Entry): void {
    const { dispatcher, unstarted } = this
    if (unstarted.length === 0 || unstarted.first !== task || this.depth === deepest) return
    if (!(dispatcher instanceof RunQueue.RunQueue) || !dispatcher.takeRoom()) return
    unstarted.shift()
    this.depth++
    task.start()
    this.depth--
  }

  readonly get = (id: number): Entry | undefined => this.tasks.get(id)

  ended(task: Entry, exit: Exit.Exit<unknown, unknown>, context: Context.Context<never>): void {
    this.tasks.remove(task)
    const isKilled = exit._tag === "Failure" && Cause.hasInterruptsOnly(exit.cause)
    if (Trace.sink !== undefined) Trace.sink[isKilled ? "killed" : "finished"](task)
    if (exit._tag === "Success" || isKilled) return
    this.tracer.reportUnsafe(exit.cause, Roots.originOf(task, context))
  }

  kill(find: () => Entry | undefined): Effect.Effect<boolean> {
    return Effect.withFiber((fiber) => {
      const task = find()
      if (task === undefined || task.hasEnded) return Effect.succeed(false)
      task.interrupt(fiber.id)
      // From inside, waiting for the end would be part of what has to end first.
      return task.hasEnded || fiber.getRef(Current) === task ? Effect.succeed(true) : Effect.as(task.await, true)
    })
  }

  /** Kills all tasks and waits for them, but for the one that is closing: it cannot end before it has closed. */
  readonly close: Effect.Effect<void> = Effect.withFiber((fiber) => {
    this.closed = true
    const own = fiber.getRef(Current)
    const tasks = this.tasks.values()
    for (const task of tasks) task.interrupt(fiber.id)
    return Effect.forEach(tasks.filter((task) => task !== own), (task) => task.await, { discard: true })
  })
}
