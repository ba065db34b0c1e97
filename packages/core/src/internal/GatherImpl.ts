/**
 * Several effects on their way: which have begun, which have ended, and how.
 *
 * When to reach for it: only through `Gather`, which says what is promised.
 * What it is not: public.
 *
 * Written for speed. A child that does not wait costs a fiber, but no turn of the scheduler; one that does, an observer
 * more. The next child is started by the observer of the one that ended, not by the fiber that gathers: that is woken
 * once.
 */
import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as FiberPrivate from "./FiberPrivate.ts"
import type * as WaitLine from "./WaitLine.ts"
import * as WaitList from "./WaitList.ts"

type AnyEffect = Effect.Effect<any, any, any>
type AnyFiber = Fiber.Fiber<any, any>

/** How many children may begin before everybody else gets a turn: as many as a fiber may take steps, by default. */
const startsPerTurn = 2048

export class Gathering extends WaitList.Entry {
  readonly since = performance.now()
  private readonly effects: ReadonlyArray<AnyEffect>
  private readonly limit: number
  private readonly failsFast: boolean
  private readonly start: (effect: AnyEffect) => AnyFiber
  /** Exits, or values when it fails fast. */
  private readonly results: Array<unknown>
  private readonly children: Array<AnyFiber | undefined>
  private begun = 0
  private running = 0
  private ended = 0
  private isAdvancing = false
  /** No child begins any more. */
  private isStopped = false
  /** What children failed with after it was decided to stop, but for the interruption itself. */
  private readonly late: Array<Cause.Reason<any>> = []
  private failure: Cause.Cause<any> | undefined = undefined
  private resume: WaitLine.Resume<any, any> | undefined = undefined

  constructor(fiber: AnyFiber, effects: ReadonlyArray<AnyEffect>, limit: number, failsFast: boolean) {
    super(fiber)
    this.effects = effects
    this.limit = limit
    this.failsFast = failsFast
    // As a fork of Effect's would: what a finalizer gathers is as safe as the finalizer.
    const options = { uninterruptible: FiberPrivate.isUninterruptible(fiber) }
    const run = Effect.runForkWith(fiber.context as Context.Context<any>)
    this.start = (effect) => run(effect, options)
    this.results = Array.from({ length: effects.length })
    this.children = Array.from({ length: effects.length })
  }

  /** Runs them, in the fiber that gathers. */
  get run(): Effect.Effect<any, any> {
    // The frame stops everything in the very step in which the fiber is interrupted.
    return Effect.onExitPrimitive(Effect.callback<any, any>(this.begin), this.leave)
  }

  private readonly begin = (resume: WaitLine.Resume<any, any>): undefined => {
    this.startChildren()
    if (this.isDone) {
      resume(this.result)
      return undefined
    }
    this.resume = resume
    WaitList.add(this)
    return undefined
  }

  describe(): WaitList.Description {
    return { kind: "gather", what: `gather, ${this.ended} of ${this.effects.length} ended` }
  }

  private readonly advance = (): void => {
    // A child that begins may end another one on the spot.
    if (this.isAdvancing) return
    this.startChildren()
    if (this.resume === undefined || !this.isDone) return
    const { resume } = this
    this.resume = undefined
    WaitList.remove(this)
    resume(this.result)
  }

  private startChildren(): void {
    let left = startsPerTurn
    this.isAdvancing = true
    while (!this.isStopped && this.begun < this.effects.length && this.running < this.limit) {
      if (left-- === 0) {
        this.fiber.currentDispatcher.scheduleTask(this.advance, 1)
        break
      }
      this.startChild(this.begun++)
    }
    this.isAdvancing = false
  }

  private startChild(index: number): void {
    this.running++
    const child = this.start(this.effects[index]!)
    const exit = child.pollUnsafe()
    if (exit !== undefined) return this.settle(index, exit)
    this.children[index] = child
    // One that began inside of this one may have failed.
    if (this.isStopped) child.interruptUnsafe(this.fiber.id)
    child.addObserver((exit) => {
      this.children[index] = undefined
      this.settle(index, exit)
      this.advance()
    })
  }

  private settle(index: number, exit: Exit.Exit<unknown, unknown>): void {
    this.running--
    this.ended++
    if (exit._tag === "Success") {
      this.results[index] = this.failsFast ? exit.value : exit
    } else if (this.isStopped) {
      this.late.push(...exit.cause.reasons.filter((reason) => !Cause.isInterruptReason(reason)))
    } else if (this.failsFast) {
      this.failure = exit.cause
      this.stop()
    } else {
      this.results[index] = exit
    }
  }

  private stop(): void {
    this.isStopped = true
    for (const child of this.children) child?.interruptUnsafe(this.fiber.id)
  }

  private get isDone(): boolean {
    return this.isStopped ? this.running === 0 : this.ended === this.effects.length
  }

  private get result(): Exit.Exit<any, any> {
    if (this.failure === undefined) return Exit.succeed(this.results)
    return Exit.failCause(
      this.late.length === 0 ? this.failure : Cause.combine(this.failure, Cause.fromReasons(this.late))
    )
  }

  /** Interrupts all children and waits until they have ended, when the fiber is interrupted before. */
  private readonly leave = (): Effect.Effect<void> | undefined => {
    if (this.isDone) return undefined
    WaitList.remove(this)
    this.resume = undefined
    this.stop()
    return Effect.andThen(
      Effect.callback<void>((resume) => {
        if (this.isDone) resume(Effect.void)
        else this.resume = () => resume(Effect.void)
      }),
      Effect.suspend(() => {
        // Their failures are values that nobody is there to read, but a defect is not to get lost.
        const defects = this.late.filter(Cause.isDieReason)
        return defects.length === 0 ? Effect.void : Effect.failCause(Cause.fromReasons<never>(defects))
      })
    )
  }
}
