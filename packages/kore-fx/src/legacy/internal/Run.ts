/**
 * A coroutine that runs: the bridge between fibers, which can be interrupted, and Promises, which cannot.
 *
 * When to reach for it: `start` wherever the old API is given a coroutine; `current` in what plain code calls.
 * What it is not: a scheduler. Fibers do the work; this tells the code inside what becomes of its fiber.
 *
 * An AsyncLocalStorage carries the run, so that an `await` finds the one it belongs to. When the fiber is interrupted,
 * the run is killed: the pending `await kore.*` rejects with `Killed`, `finally` blocks run, and every later one
 * rejects at once. A generator gets `return()`, which Effect would not call. Kore: runtime §2.5.
 */
import * as Tracer from "@kore-fx/core/Tracer"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import { AsyncLocalStorage } from "node:async_hooks"
import { type Coroutine, describe, isGenerator, isThenable } from "../Coroutine.ts"
import { Killed, RuntimeError } from "../errors.ts"
import { services } from "./Registry.ts"

type AnyGenerator = Generator<unknown, any, unknown>

/** How long a killed async function has to end before nobody waits for it any more, in milliseconds. */
const GRACE = 1_000
/** How often a killed coroutine may catch `Killed` and go on: a loop that never stops would block the worker. */
const REFUSALS = 100

const storage = new AsyncLocalStorage<Run>()

/** The run of a fiber, for Effects that must know whose they are. */
const Current = Context.Reference<Run | undefined>("kore-fx/legacy/Run", { defaultValue: () => undefined })

/** The run that plain code belongs to, if any. */
export const current = (): Run | undefined => storage.getStore()

/** The run that a fiber belongs to, if any. */
export const ofFiber = (fiber: Fiber.Fiber<unknown, unknown>): Run | undefined => fiber.getRef(Current)?.root

/** The services for what plain code asks for here. */
export const context = (): Context.Context<any> => current()?.context ?? services()

/** Runs an Effect that does not wait, and returns its value. */
export const now = <A>(effect: Effect.Effect<A, unknown, any>): A => Effect.runSyncWith(context())(effect)

/** Runs an Effect for the coroutine that awaits it here. */
export const promise = <A>(effect: Effect.Effect<A, unknown>): Promise<A> =>
  new Promise((resolve, reject) => {
    const run = current()
    if (run?.killed === true) return run.refuse(reject)
    const fiber = Effect.runForkWith(context())(effect)
    run?.waiting.add(fiber)
    fiber.addObserver((exit) => {
      run?.waiting.delete(fiber)
      if (exit._tag === "Success") resolve(exit.value)
      else if (run?.killed === true) run.refuse(reject)
      else reject(thrown(exit.cause))
    })
  })

/** Runs a coroutine in the fiber that evaluates this; it is a task's, a handler's or a hook's outermost one. */
export const start = (name: string, coroutine: Coroutine<any>): Effect.Effect<any, unknown> =>
  Effect.withFiber((fiber) => new Run(name).execute(fiber, coroutine))

/** The same for a coroutine within another one, of which it is a part: they hold the same locks. */
export const startWithin = <A>(coroutine: Coroutine<A>): Effect.Effect<A, unknown> =>
  Effect.withFiber((fiber) => {
    const outer = fiber.getRef(Current)
    return new Run(outer?.name ?? "coroutine", outer?.root).execute(fiber, coroutine)
  })

export class Run {
  readonly name: string
  /** The run of the task, the handler or the hook that this one is part of. */
  readonly root: Run
  /** What `await kore.*` runs with. */
  context: Context.Context<any> = services()
  killed = false
  /** The fibers that the coroutine awaits. */
  readonly waiting = new Set<Fiber.Fiber<unknown, unknown>>()
  private refusals = 0
  private onAbandoned: (() => void) | undefined = undefined

  constructor(name: string, root?: Run) {
    this.name = name
    this.root = root ?? this
  }

  /** Calls a function as part of the coroutine. */
  enter<A>(f: () => A): A {
    return storage.run(this, f)
  }

  /** Runs a coroutine in a fiber. */
  execute(fiber: Fiber.Fiber<unknown, unknown>, coroutine: Coroutine<any>): Effect.Effect<any, unknown> {
    this.context = Context.add(fiber.context as Context.Context<any>, Current, this)
    const result = typeof coroutine === "function" ? this.enter(coroutine) : coroutine
    return Effect.provideService(this.settle(result), Current, this)
  }

  /** Goes on, in the fiber that evaluates this, with what a function returned that was called before. */
  resume(result: unknown): Effect.Effect<any, unknown> {
    return Effect.withFiber((fiber) => this.execute(fiber, () => result))
  }

  /** The value of what a function of the coroutine returned: of a generator, a Promise, an Effect, or itself. */
  settle(result: unknown): Effect.Effect<any, unknown> {
    if (Effect.isEffect(result)) return result as Effect.Effect<any, unknown>
    if (isGenerator(result)) return this.drive(result)
    return isThenable(result) ? this.wait(result) : Effect.succeed(result)
  }

  /** Rejects an `await` of a killed coroutine; one that does not take no for an answer is left waiting for ever. */
  refuse(reject: (error: unknown) => void): void {
    if (++this.refusals <= REFUSALS) reject(new Killed())
    else this.onAbandoned?.()
  }

  /** Lets every `await kore.*` of the coroutine reject from now on. */
  kill(): void {
    this.killed = true
    for (const fiber of this.waiting) fiber.interruptUnsafe()
  }

  // --- async functions -----------------------------------------------------------------------------------------------

  private wait(promise: PromiseLike<unknown>): Effect.Effect<any> {
    return Effect.callback((resume) => {
      let end: Exit.Exit<unknown> | undefined
      let onEnd: (exit: Exit.Exit<unknown>) => void = resume
      const ended = (exit: Exit.Exit<unknown>): void => onEnd(end = exit)
      promise.then((value) => ended(Exit.succeed(value)), (error) => ended(Exit.die(error)))
      return Effect.callback<void>((resume) => {
        const timer = setTimeout(() => {
          onEnd = (exit) => {
            if (exit._tag === "Failure") this.failedLate(Cause.squash(exit.cause))
          }
          resume(Effect.void)
        }, GRACE)
        onEnd = (exit) => {
          clearTimeout(timer)
          resume(lastWords(exit))
        }
        this.onAbandoned = () => onEnd(Exit.die(ignoredKilled(this.name)))
        this.kill()
        if (end !== undefined) onEnd(end)
      })
    })
  }

  /** Reports what a killed coroutine fails with after nobody waits for it any more. */
  failedLate(error: unknown): void {
    const tracer = Context.getOption(this.context, Tracer.Tracer)
    if (error instanceof Killed || tracer._tag === "None") return
    tracer.value.reportUnsafe(Cause.die(error), { kind: "task", name: this.name, id: "killed" })
  }

  // --- generators ----------------------------------------------------------------------------------------------------

  private drive(generator: AnyGenerator): Effect.Effect<any, unknown> {
    const advance = (step: IteratorResult<unknown, unknown>): Effect.Effect<unknown, unknown> =>
      step.done === true ? Effect.succeed(step.value) : Effect.matchCauseEffect(this.awaited(step.value), {
        onSuccess: (value) => advance(this.enter(() => generator.next(value))),
        onFailure: (cause) => advance(this.enter(() => generator.throw(thrown(cause))))
      })
    return Effect.onInterrupt(
      Effect.suspend(() => advance(this.enter(() => generator.next()))),
      () => Effect.sync(() => this.close(generator))
    )
  }

  // What a generator yields is what an async function awaits.
  private awaited(value: unknown): Effect.Effect<unknown, unknown> {
    if (isThenable(value) && !Effect.isEffect(value)) {
      return Effect.callback((resume) => {
        value.then((value) => resume(Effect.succeed(value)), (error) => resume(Effect.die(error)))
      })
    }
    if (Effect.isEffect(value) || isGenerator(value)) return this.settle(value)
    return Effect.die(
      new RuntimeError(`${this.name} yielded ${describe(value)}, expected an awaitable, a coroutine or a Promise`)
    )
  }

  private close(generator: AnyGenerator): void {
    this.kill()
    try {
      let step = this.enter(() => generator.return(undefined))
      for (let i = 0; step.done !== true; i++) {
        if (i === REFUSALS) throw ignoredKilled(this.name)
        step = this.enter(() => generator.throw(new Killed()))
      }
    } catch (error) {
      if (!(error instanceof Killed)) throw error
    }
  }
}

// What code catches of a cause.
const thrown = (cause: Cause.Cause<unknown>): unknown =>
  Cause.hasInterruptsOnly(cause) ? new Killed() : Cause.squash(cause)

// Being killed is no failure; anything else that a `finally` block throws is.
const lastWords = (exit: Exit.Exit<unknown>): Exit.Exit<void> =>
  exit._tag === "Success" || Cause.squash(exit.cause) instanceof Killed ? Exit.void : Exit.failCause(exit.cause)

const ignoredKilled = (name: string): RuntimeError =>
  new RuntimeError(`${name} was killed, but caught kore.Killed ${REFUSALS} times and went on: it was abandoned`)
