/**
 * A coroutine that runs: the bridge between fibers, which can be interrupted, and Promises, which cannot.
 *
 * When to reach for it: `start` wherever the old API is given a coroutine; `current` in what plain code calls.
 * What it is not: a scheduler. Fibers do the work; this tells the code inside what becomes of its fiber.
 *
 * An AsyncLocalStorage carries the run, so that an `await` finds the one it belongs to. When the fiber is interrupted,
 * the run is killed: its pending `await kore.*` rejects with `Killed`, a generator gets `return()`, which Effect would
 * not call. What `finally` blocks await then works as ever, or they could not clean up. Nobody can tell them from a
 * `catch` block that goes on as if nothing had happened, so all of it together has `GRACE`; after that every
 * `await kore.*` rejects at once. Kore: runtime §2.5.
 */
import * as Tracer from "@kore-fx/core/Tracer"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import { AsyncLocalStorage } from "node:async_hooks"
import { type Coroutine, describe, isGenerator, isPending, isThenable } from "../Coroutine.ts"
import { Killed, RuntimeError } from "../errors.ts"
import { registry, services } from "./Registry.ts"

type AnyGenerator = Generator<unknown, any, unknown>
type AnyFiber = Fiber.Fiber<unknown, unknown>

/** How long a killed coroutine has to clean up, in milliseconds of real time. The end of a worker leaves it 5 seconds. */
const GRACE = 2_000
/** How often it may catch `Killed` after that and go on: a loop that never stops would block the worker. */
const REFUSALS = 100

const storage = new AsyncLocalStorage<Run>()

/** The run of a fiber, for Effects that must know whose they are. */
const Current = Context.Reference<Run | undefined>("kore-fx/legacy/Run", { defaultValue: () => undefined })

/** The run that plain code belongs to, if any. */
export const current = (): Run | undefined => storage.getStore()

/** The run that a fiber belongs to, if any. */
export const ofFiber = (fiber: AnyFiber): Run | undefined => fiber.getRef(Current)?.root

/** The services for what plain code asks for here. */
export const context = (): Context.Context<any> => current()?.context ?? services()

/**
 * The scope that ends with the coroutine that plain code belongs to.
 *
 * @throws RuntimeError outside of coroutines.
 */
export const ownScope = (call: string): Scope.Scope => {
  const run = current()
  if (run?.isCoroutine === true && registry.running !== undefined) return Context.get(run.context, Scope.Scope)
  throw new RuntimeError(
    `${call} was called outside of a coroutine, with which it would end. Call it in a task, or in a handler, a hook or ` +
      "a timer's callback that is async or a generator function itself"
  )
}

/** Runs an Effect that does not wait, and returns its value. */
export const now = <A>(effect: Effect.Effect<A, unknown, any>): A => Effect.runSyncWith(context())(effect)

/** As `now`, for an Effect that starts fibers, which is why it gets the worker's scheduler; it must not wait. */
export const atOnce = <A>(effect: Effect.Effect<A, unknown, any>, services = context()): A => {
  const exit = Effect.runForkWith(services)(effect).pollUnsafe()
  if (exit === undefined) throw new Error("an Effect waits that should not")
  if (exit._tag === "Success") return exit.value
  throw Cause.squash(exit.cause)
}

/** Runs an Effect for the coroutine that awaits it here. */
export const promise = <A>(effect: Effect.Effect<A, unknown>): Promise<A> =>
  new Promise((resolve, reject) => {
    const run = current()
    if (run !== undefined) return run.awaitFor(effect, resolve, reject)
    Effect.runForkWith(services())(effect).addObserver((exit) =>
      exit._tag === "Success" ? resolve(exit.value) : reject(thrown(exit.cause))
    )
  })

/**
 * Runs a coroutine in the fiber that evaluates this; it is a task's, a handler's or a hook's outermost one.
 *
 * `isCoroutine` says whether what the function calls before it first waits is part of a coroutine. It is in a task;
 * elsewhere it depends on the function.
 */
export const start = (name: string, coroutine: Coroutine<any>, isCoroutine = true): Effect.Effect<any, unknown> =>
  Effect.withFiber((fiber) => new Run(name).execute(fiber, coroutine, isCoroutine))

/** The same for a coroutine within another one, of which it is a part: they hold the same locks. */
export const startWithin = <A>(coroutine: Coroutine<A>): Effect.Effect<A, unknown> =>
  Effect.withFiber((fiber) => {
    const outer = fiber.getRef(Current)
    return new Run(outer?.name ?? "coroutine", outer?.root).execute(fiber, coroutine)
  })

/** Calls a function: gives its value, or the Effect of what is still to be run or awaited of it. */
export const call = (name: string, f: () => unknown): unknown => {
  const run = new Run(name)
  const result = run.enter(f)
  return isPending(result) ? run.resume(watched(result)) : result
}

/** A Promise that may reject before somebody awaits it, which would end the worker. It rejects for them all the same. */
export const watched = (result: unknown): unknown => {
  if (isPromise(result)) result.then(undefined, () => {})
  return result
}

export class Run {
  readonly name: string
  /** The run of the task, the handler or the hook that this one is part of. */
  readonly root: Run
  /** What `await kore.*` runs with. */
  context: Context.Context<any> = services()
  /** What is acquired now can be released with it. */
  isCoroutine = false
  /** It was killed and has had its time: nothing that it awaits is waited for any more. */
  private isOver = false
  private killed = false
  /** It was killed, and nothing has told it so yet. */
  private isUnaware = false
  /** The fibers that the coroutine awaits. */
  private readonly waiting = new Set<AnyFiber>()
  private grace: NodeJS.Timeout | undefined = undefined
  private refusals = 0
  private onAbandoned: (() => void) | undefined = undefined
  private onExpired: (() => void) | undefined = undefined

  constructor(name: string, root?: Run) {
    this.name = name
    this.root = root ?? this
  }

  /** Calls a function as part of the coroutine. */
  enter<A>(f: () => A): A {
    return storage.run(this, f)
  }

  /** Runs a coroutine in a fiber. */
  execute(fiber: AnyFiber, coroutine: Coroutine<any>, isCoroutine = true): Effect.Effect<any, unknown> {
    this.context = Context.add(fiber.context as Context.Context<any>, Current, this)
    const settled = typeof coroutine === "function" ? this.call(coroutine, isCoroutine) : this.settle(coroutine, true)
    return Effect.provideService(settled, Current, this)
  }

  // In one step: a fiber can be interrupted between any two, and would leave an async function that nobody can kill.
  private call(f: () => unknown, isCoroutine: boolean): Effect.Effect<any, unknown> {
    return Effect.callback((resume) => {
      this.isCoroutine = isCoroutine
      const result = this.enter(f)
      this.isCoroutine = true
      if (isPromise(result)) return this.attend(result, true, resume)
      resume(this.settle(result, true))
    })
  }

  /** Goes on, in the fiber that evaluates this, with what a function returned that was called before. */
  resume(result: unknown): Effect.Effect<any, unknown> {
    return Effect.withFiber((fiber) => this.execute(fiber, () => result))
  }

  // The value of a generator, a Promise, an Effect, or of what is none of them. `isOwn`: it is the coroutine itself, and
  // not something that it awaits.
  private settle(result: unknown, isOwn: boolean): Effect.Effect<any, unknown> {
    if (isPromise(result)) return Effect.callback((resume) => this.attend(result, isOwn, resume))
    if (isGenerator(result)) return this.drive(result, isOwn)
    return Effect.isEffect(result) ? result as Effect.Effect<any, unknown> : Effect.succeed(result)
  }

  /** Awaits an Effect for the code of the coroutine. */
  awaitFor<A>(
    effect: Effect.Effect<A, unknown>,
    resolve: (value: A) => void,
    reject: (error: unknown) => void
  ): void {
    if (this.isOver) return this.refuse(reject)
    if (this.isUnaware) return this.reject(new Killed(), reject)
    const fiber = Effect.runForkWith(this.context)(effect)
    this.waiting.add(fiber)
    fiber.addObserver((exit) => {
      this.waiting.delete(fiber)
      if (exit._tag === "Success") return resolve(exit.value)
      const error = thrown(exit.cause)
      if (this.isOver && error instanceof Killed) this.refuse(reject)
      else this.reject(error, reject)
    })
  }

  private reject(error: unknown, reject: (error: unknown) => void): void {
    if (error instanceof Killed) this.isUnaware = false
    reject(error)
  }

  // One that does not take no for an answer is left waiting for ever.
  private refuse(reject: (error: unknown) => void): void {
    if (++this.refusals <= REFUSALS) reject(new Killed())
    else this.onAbandoned?.()
  }

  // --- being killed --------------------------------------------------------------------------------------------------

  /** Lets what the coroutine awaits reject, once, and gives it time to clean up. */
  kill(): void {
    this.grace ??= setTimeout(this.expire, GRACE)
    if (this.killed) return
    this.killed = true
    this.isUnaware = true
    this.interruptAll()
  }

  private interruptAll(): void {
    for (const fiber of [...this.waiting]) fiber.interruptUnsafe()
  }

  private readonly expire = (): void => {
    this.isOver = true
    if (this.waiting.size === 0) return this.onExpired?.()
    // What it awaits ends as soon as it can.
    this.grace = setTimeout(this.expire, GRACE)
    this.interruptAll()
  }

  /** The coroutine, or what it awaited when it was killed, has cleaned up or is left alone. */
  ended(isOwn: boolean): void {
    clearTimeout(this.grace)
    this.grace = undefined
    this.onExpired = undefined
    this.isOver ||= isOwn
  }

  /** Reports what a killed coroutine fails with after nobody waits for it any more. */
  failedLate(error: unknown): void {
    const tracer = Context.getOption(this.context, Tracer.Tracer)
    if (error instanceof Killed || tracer._tag === "None") return
    tracer.value.reportUnsafe(Cause.die(error), { kind: "task", name: this.name, id: "killed" })
  }

  // --- async functions -----------------------------------------------------------------------------------------------

  /**
   * Waits for a Promise, and gives what is to be done when the wait is interrupted: going on to wait, for its `finally`
   * blocks. For those of the coroutine's own Promise in any case, for those of another one if a function of the
   * coroutine made it, which shows in that it awaits something here.
   */
  private attend(
    promise: PromiseLike<unknown>,
    isOwn: boolean,
    resume: (exit: Exit.Exit<any>) => void
  ): Effect.Effect<void> {
    let end: Exit.Exit<unknown> | undefined
    let onEnd: (exit: Exit.Exit<unknown>) => void = resume
    const settled = (exit: Exit.Exit<unknown>): void => onEnd(end = exit)
    promise.then((value) => settled(Exit.succeed(value)), (error) => settled(Exit.die(error)))
    return Effect.callback<void>((resume) => {
      const leave = () => {
        this.ended(isOwn)
        onEnd = (exit) => {
          if (exit._tag === "Failure") this.failedLate(Cause.squash(exit.cause))
        }
        resume(Effect.void)
      }
      onEnd = (exit) => {
        this.ended(isOwn)
        resume(lastWords(exit))
      }
      if (end !== undefined) return onEnd(end)
      if (this.isOver || !(isOwn || this.waiting.size > 0)) return leave()
      this.onAbandoned = () => onEnd(Exit.die(ignoredKilled(this.name)))
      this.onExpired = leave
      this.kill()
    })
  }

  // --- generators ----------------------------------------------------------------------------------------------------

  private drive(generator: AnyGenerator, isOwn: boolean): Effect.Effect<any, unknown> {
    return Effect.suspend(() => {
      if (begun.has(generator)) return Effect.die(ranBefore(this.name))
      begun.add(generator)
      return Effect.onInterrupt(
        Effect.suspend(() => this.advance(generator, this.enter(() => generator.next()))),
        () => this.close(generator, isOwn) as Effect.Effect<void>
      )
    })
  }

  private advance(generator: AnyGenerator, step: IteratorResult<unknown, unknown>): Effect.Effect<unknown, unknown> {
    if (step.done === true) return Effect.succeed(step.value)
    return Effect.matchCauseEffect(this.awaited(step.value), {
      onSuccess: (value) => this.advance(generator, this.enter(() => generator.next(value))),
      onFailure: (cause) =>
        this.refusals > REFUSALS
          ? Effect.failCause(cause)
          : this.advance(generator, this.enter(() => generator.throw(thrown(cause))))
    })
  }

  // What a generator yields is what an async function awaits.
  private awaited(value: unknown): Effect.Effect<unknown, unknown> {
    if (!Effect.isEffect(value) && !isGenerator(value) && !isThenable(value)) {
      return Effect.die(
        new RuntimeError(`${this.name} yielded ${describe(value)}, expected an awaitable, a coroutine or a Promise`)
      )
    }
    const effect = this.settle(value, false)
    return this.killed ? this.inGrace(effect) : effect
  }

  // The fiber of a killed generator cannot be interrupted any more; what it awaits must be.
  private inGrace(effect: Effect.Effect<unknown, unknown>): Effect.Effect<unknown, unknown> {
    return Effect.callback((resume) => {
      const reject = (error: unknown) => resume(Effect.die(error))
      this.onAbandoned = () => reject(ignoredKilled(this.name))
      this.awaitFor(effect, (value) => resume(Effect.succeed(value)), reject)
    })
  }

  private close(generator: AnyGenerator, isOwn: boolean): Effect.Effect<unknown, unknown> {
    return Effect.suspend(() => {
      this.kill()
      this.isUnaware = false
      return Effect.onExit(
        Effect.catchCauseIf(
          Effect.suspend(() => this.advance(generator, this.enter(() => generator.return(undefined)))),
          (cause) => Cause.squash(cause) instanceof Killed,
          () => Effect.void
        ),
        () => Effect.sync(() => this.ended(isOwn))
      )
    })
  }
}

/** An Effect of the old API can be awaited as well, but is not run by that. */
const isPromise = (u: unknown): u is PromiseLike<unknown> => isThenable(u) && !Effect.isEffect(u) && !isGenerator(u)

/** Generators that have been run: each can be once, as a coroutine of Python. */
const begun = new WeakSet<AnyGenerator>()

const ranBefore = (name: string): RuntimeError =>
  new RuntimeError(`${name} got a generator that has run already: make another one, by calling its function again`)

// What code catches of a cause.
const thrown = (cause: Cause.Cause<unknown>): unknown =>
  Cause.hasInterruptsOnly(cause) ? new Killed() : Cause.squash(cause)

// Being killed is no failure; anything else that a `finally` block throws is.
const lastWords = (exit: Exit.Exit<unknown>): Exit.Exit<void> =>
  exit._tag === "Success" || Cause.squash(exit.cause) instanceof Killed ? Exit.void : Exit.failCause(exit.cause)

const ignoredKilled = (name: string): RuntimeError =>
  new RuntimeError(`${name} was killed, but caught kore.Killed ${REFUSALS} times and went on: it was abandoned`)
