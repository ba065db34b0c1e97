/**
 * Signals of the operating system as Effects.
 *
 * When to reach for it: an app wants to know of a signal, say SIGUSR2 to write its statistics; a process must do
 * something else than die when one arrives.
 * What it is not: a way to send them; that is `process.kill`. SIGPIPE needs nothing: Node.js ignores it.
 *
 * A signal goes to every subscription of the process it was sent to, and nobody else's is taken away. What the processes
 * of a server do with signals themselves:
 *
 * | signal | parent | worker |
 * | --- | --- | --- |
 * | SIGTERM, SIGQUIT | stops the server in order; the second one kills what still runs | drains and ends, and is replaced; the second one kills it |
 * | SIGINT | as SIGTERM | ignored: a terminal sends it to the parent too, which stops the workers |
 * | SIGUSR1 | passed on to all workers | access logs are opened anew; the app may subscribe |
 * | SIGHUP, SIGUSR2 | noted, and nothing yet | ignored, unless the app subscribes |
 *
 * So an app in a worker that subscribes to SIGTERM or SIGQUIT is told, and the worker drains all the same. Until the
 * subscription ends, with the worker's Layer at the latest, a second one does not kill the worker: it goes to the app.
 * The parent stops its workers by message, not by signal; to do something at the end, an app adds a finalizer.
 */
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as os from "node:os"

/**
 * The signals that can be subscribed to on every system that kore-fx runs on.
 *
 * @example
 * ```ts
 * const statistics: Signal.Name = "SIGUSR2"
 * ```
 */
export type Name = (typeof names)[number]

/** The signals that can be subscribed to on every system that kore-fx runs on. */
export const names = [
  "SIGHUP",
  "SIGINT",
  "SIGQUIT",
  "SIGTRAP",
  "SIGABRT",
  "SIGUSR1",
  "SIGUSR2",
  "SIGPIPE",
  "SIGALRM",
  "SIGTERM",
  "SIGCHLD",
  "SIGCONT",
  "SIGTSTP",
  "SIGTTIN",
  "SIGTTOU",
  "SIGURG",
  "SIGXCPU",
  "SIGXFSZ",
  "SIGVTALRM",
  "SIGPROF",
  "SIGWINCH",
  "SIGIO",
  "SIGSYS"
] as const

/** A signal cannot be subscribed to: there is none of that name or number, or the system lets nobody have it. */
export class SignalError extends Schema.TaggedError<SignalError>()("SignalError", {
  /** What was asked for. */
  signal: Schema.Unknown,
  /** Why it cannot be had: a sentence without its full stop. */
  reason: Schema.String
}) {
  override get message(): string {
    return `Signal ${
      String(this.signal)
    } cannot be subscribed to: ${this.reason}. Expected the name of a signal such as ` +
      `SIGUSR2, or its number on this system. Choose one of ${names.join(", ")}.`
  }
}

/**
 * Finds the name of a signal from its name or its number on this system.
 *
 * Fails with `SignalError` for one that does not exist, for SIGKILL and SIGSTOP, which no process can catch, and for
 * SIGSEGV, SIGBUS, SIGFPE and SIGILL, after which no JavaScript can run.
 * Source: Kore, runtime §5 (`sigtrap`).
 *
 * @example
 * ```ts
 * const program = Signal.parse(12) // "SIGUSR2" on Linux
 * ```
 */
export const parse = (signal: string | number): Effect.Effect<NodeJS.Signals, SignalError> =>
  Effect.suspend(() => {
    const known = Object.entries(os.constants.signals).find(([name, number]) => name === signal || number === signal)
    const name = known?.[0] as NodeJS.Signals | undefined
    if (name === undefined) return refuse(signal, "this system has no such signal")
    if (uncatchable.has(name)) return refuse(signal, "no process can catch it")
    if (faults.has(name)) return refuse(signal, "the process is broken when it comes, and can run no JavaScript")
    return Effect.succeed(name)
  })

/**
 * Collects signals in the order in which they arrive, until the scope closes; none is lost between two takes.
 *
 * While it is subscribed to, a signal does not end the process: SIGTERM does not, SIGUSR1 opens no debugger. The system
 * itself may deliver several of one kind that follow each other at once as one. Names that are written out are checked
 * by the compiler; other text and numbers fail with `SignalError`, before anything is subscribed to.
 * Source: Kore, runtime §1.5 and §5 (`sigtrap`).
 *
 * @example
 * ```ts
 * import * as EffectQueue from "effect/Queue"
 *
 * const program = Effect.gen(function*() {
 *   const signals = yield* Signal.subscribe(["SIGUSR2"])
 *   return yield* Effect.forever(Effect.flatMap(EffectQueue.take(signals), (signal) => Effect.log("got", signal)))
 * })
 * ```
 */
export const subscribe: {
  (signals: ReadonlyArray<Name>): Effect.Effect<Queue.Dequeue<NodeJS.Signals>, never, Scope.Scope>
  (
    signals: ReadonlyArray<string | number>
  ): Effect.Effect<Queue.Dequeue<NodeJS.Signals>, SignalError, Scope.Scope>
} = (signals: ReadonlyArray<string | number>): Effect.Effect<Queue.Dequeue<NodeJS.Signals>, never, Scope.Scope> =>
  Effect.gen(function*() {
    const queue = yield* Queue.unbounded<NodeJS.Signals>()
    yield* listen(signals, (signal) => void Queue.offerUnsafe(queue, signal))
    return queue
  })

/**
 * Waits for the first of some signals; a second one has its usual effect again. Fails as `subscribe` does.
 *
 * @example
 * ```ts
 * const program = Effect.andThen(Signal.wait(["SIGUSR2"]), Effect.log("got it"))
 * ```
 */
export const wait: {
  (signals: ReadonlyArray<Name>): Effect.Effect<NodeJS.Signals>
  (signals: ReadonlyArray<string | number>): Effect.Effect<NodeJS.Signals, SignalError>
} = (signals: ReadonlyArray<string | number>): Effect.Effect<NodeJS.Signals> =>
  Effect.scoped(Effect.flatMap(subscribe(signals as ReadonlyArray<Name>), Queue.take))

/**
 * Lets some signals have no effect until the scope closes. Fails as `subscribe` does.
 *
 * @example
 * ```ts
 * const deaf = Effect.scoped(Effect.andThen(Signal.ignore(["SIGHUP"]), Effect.never))
 * ```
 */
export const ignore: {
  (signals: ReadonlyArray<Name>): Effect.Effect<void, never, Scope.Scope>
  (signals: ReadonlyArray<string | number>): Effect.Effect<void, SignalError, Scope.Scope>
} = (signals: ReadonlyArray<string | number>): Effect.Effect<void, never, Scope.Scope> => listen(signals, () => {})

// --- private ---------------------------------------------------------------------------------------------------------

const uncatchable: ReadonlySet<string> = new Set(["SIGKILL", "SIGSTOP"])
const faults: ReadonlySet<string> = new Set(["SIGSEGV", "SIGBUS", "SIGFPE", "SIGILL"])

const refuse = (signal: string | number, reason: string): Effect.Effect<never, SignalError> =>
  Effect.fail(new SignalError({ signal, reason }))

// The signatures above say where it can fail.
const checked = (signals: ReadonlyArray<string | number>): Effect.Effect<ReadonlyArray<NodeJS.Signals>> =>
  Effect.forEach(signals, parse) as unknown as Effect.Effect<ReadonlyArray<NodeJS.Signals>>

const listen = (
  signals: ReadonlyArray<string | number>,
  listener: (signal: NodeJS.Signals) => void
): Effect.Effect<void, never, Scope.Scope> =>
  Effect.flatMap(checked(signals), (found) =>
    Effect.acquireRelease(
      Effect.sync(() => {
        for (const signal of found) {
          process.on(signal, listener)
        }
      }),
      () =>
        Effect.sync(() => {
          for (const signal of found) {
            process.off(signal, listener)
          }
        })
    ))
