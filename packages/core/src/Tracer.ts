/**
 * The one place where a failure that nobody caught is reported.
 *
 * When to reach for it: whoever starts a fiber observes it and gives what it died of to `reportUnsafe`, because Effect
 * says nothing about a fiber that nobody joins. An app replaces the report with `layer`, to send it to a service say.
 * What it is not: a tracer of spans (Effect's `Tracer`), and no place for errors that have an answer, such as a 404.
 *
 * Every call reports once: what is reported is not remembered, so each failure has one caller. A cause that consists of
 * interruptions only is somebody's intention and is never reported.
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"

/**
 * Where an uncaught cause comes from.
 *
 * @example
 * ```ts
 * const origin: Tracer.Origin = { kind: "task", name: "welcome", id: 7, details: { user: "ada" } }
 * ```
 */
export interface Origin {
  /** What kind of work failed. The names are open: a package adds its own. */
  readonly kind: "request" | "task" | "timer" | "message" | "signal" | "worker" | "tracer" | (string & {})
  /** Which one, for people: a route's pattern, a task's name. */
  readonly name: string
  /** The id of the fiber or of the request. */
  readonly id: number | string
  /** What else helps: method and path, attempts, the client's address. Goes into the annotations of the log line. */
  readonly details?: Readonly<Record<string, unknown>> | undefined
}

/** The report of an app: gets the whole cause, may take its time and may fail. */
export type Report<R = never> = (cause: Cause.Cause<unknown>, origin: Origin) => Effect.Effect<unknown, unknown, R>

/**
 * The service that reports uncaught causes.
 *
 * Source: Kore, runtime §2.3 and §2.4 (`kore.tracer`).
 */
export class Tracer extends Context.Service<Tracer, {
  /** Reports a cause and waits for the report to be made. Never fails; going on without waiting does not stop it. */
  readonly report: (cause: Cause.Cause<unknown>, origin: Origin) => Effect.Effect<void>
  /** Reports a cause from plain code, such as the observer of a fiber. Never throws. */
  readonly reportUnsafe: (cause: Cause.Cause<unknown>, origin: Origin) => void
}>()("@kore-fx/core/Tracer") {}

/**
 * Reports a cause that nobody caught and waits for the report to be made.
 *
 * Never fails. A cause of interruptions only is not reported.
 *
 * @example
 * ```ts
 * const guarded = Effect.catchCause(
 *   Effect.fail("no coffee"),
 *   (cause) => Tracer.report(cause, { kind: "timer", name: "breakfast", id: 1 })
 * )
 * ```
 */
export const report = (cause: Cause.Cause<unknown>, origin: Origin): Effect.Effect<void, never, Tracer> =>
  Tracer.use((tracer) => tracer.report(cause, origin))

/**
 * Makes a tracer from an app's own report.
 *
 * If the report fails, throws or is interrupted, the original cause goes to the log as without it, and behind it what
 * the report died of. When the scope closes, reports that are still being made have `grace` (1 second) to end.
 *
 * @example
 * ```ts
 * const tracer = Tracer.make((cause, origin) => Effect.logFatal(origin.name, cause))
 * ```
 */
export const make = <R>(f: Report<R>): Effect.Effect<Tracer["Service"], never, R | Scope.Scope> =>
  Effect.gen(function*() {
    const context = yield* Effect.context<R>()
    const run = Effect.runForkWith(context)
    const unfinished = new Set<Fiber.Fiber<unknown, unknown>>()

    const start = (cause: Cause.Cause<unknown>, origin: Origin): Fiber.Fiber<unknown, unknown> => {
      const fiber = run(Effect.suspend(() => f(cause, origin)))
      unfinished.add(fiber)
      fiber.addObserver((exit) => {
        unfinished.delete(fiber)
        if (Exit.isSuccess(exit)) return
        log(context, cause, origin)
        log(context, exit.cause, { kind: "tracer", name: nameOf(origin), id: fiber.id })
      })
      return fiber
    }

    yield* Effect.addFinalizer(() =>
      unfinished.size === 0
        ? Effect.void
        : Effect.andThen(Effect.timeoutOption(Fiber.awaitAll(unfinished), grace), Fiber.interruptAll(unfinished))
    )
    return Tracer.of({
      report: (cause, origin) =>
        Effect.suspend(() =>
          Cause.hasInterruptsOnly(cause) ? Effect.void : Effect.asVoid(Fiber.await(start(cause, origin)))
        ),
      reportUnsafe: (cause, origin) => {
        if (!Cause.hasInterruptsOnly(cause)) start(cause, origin)
      }
    })
  })

/**
 * Provides a tracer that makes an app's own report; see `make`.
 *
 * @example
 * ```ts
 * const loud = Tracer.layer((cause, origin) => Effect.logFatal(origin.name, cause))
 * ```
 */
export const layer = <R>(f: Report<R>): Layer.Layer<Tracer, never, R> => Layer.effect(Tracer, make(f))

/**
 * Provides the tracer that workers have by default: one line at level Error through Effect's Logger, with the cause.
 *
 * @example
 * ```ts
 * const program = Effect.provide(Tracer.report(Cause.die("oops"), { kind: "task", name: "welcome", id: 7 }),
 *   Tracer.layerDefault)
 * ```
 */
export const layerDefault: Layer.Layer<Tracer> = Layer.effect(
  Tracer,
  Effect.map(Effect.context<never>(), (context) => {
    const reportUnsafe = (cause: Cause.Cause<unknown>, origin: Origin): void => {
      if (!Cause.hasInterruptsOnly(cause)) log(context, cause, origin)
    }
    return Tracer.of({ report: (cause, origin) => Effect.sync(() => reportUnsafe(cause, origin)), reportUnsafe })
  })
)

// --- private ---------------------------------------------------------------------------------------------------------

const grace = "1 second"

const nameOf = (origin: Origin): string => `${origin.kind} ${origin.name} (${origin.id})`

/** Loggers run at once, so the line is written when this returns. */
const log = (context: Context.Context<never>, cause: Cause.Cause<unknown>, origin: Origin): void => {
  const line = Effect.logError(`${nameOf(origin)} failed`, cause)
  const fiber = Effect.runForkWith(context)(
    origin.details === undefined ? line : Effect.annotateLogs(line, origin.details)
  )
  // A Logger that throws leaves only the bare console; nothing may be lost on the way to it.
  fiber.addObserver((exit) => {
    if (Exit.isFailure(exit)) console.error(`${nameOf(origin)} failed`, Cause.pretty(cause), Cause.pretty(exit.cause))
  })
}
