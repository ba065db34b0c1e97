/**
 * One worker slot: starts a worker, waits until it is ready, notices its death, starts another one or gives up.
 *
 * When to reach for it: the parent runs one per worker; interrupting it drains the worker and ends it.
 * What it is not: aware of the other workers, of sockets or of signals; see `Parent`.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import type * as Config from "../Config.ts"
import { AppError, WorkerDied, WorkerFatal, WorkerStartError } from "../KoreError.ts"
import * as Protocol from "./Protocol.ts"
import * as Restart from "./Restart.ts"
import { type Child, type Ended, Spawner } from "./Spawner.ts"

/** What a slot is doing; for start-up lines and health data. */
export type Status =
  | { readonly _tag: "Starting"; readonly worker: number; readonly pid: number }
  | { readonly _tag: "Ready"; readonly worker: number; readonly pid: number }
  | { readonly _tag: "Stopping"; readonly worker: number; readonly pid: number }
  /** It died, and another one is started after the delay. */
  | { readonly _tag: "Waiting"; readonly worker: number; readonly delay: Duration.Duration; readonly reason: string }

/** What a slot needs to know. */
export interface Options {
  readonly config: Config.Config
  /** Told about every change, in order. */
  readonly onStatus: (status: Status) => Effect.Effect<void>
  /** Completes when patience is over: workers that drain are killed. */
  readonly force: Effect.Effect<void>
  /** Told about every process, before anything is heard of it, in a scope that closes when it is no more. */
  readonly attach: (worker: number, child: Child) => Effect.Effect<void, never, Scope.Scope>
  /** Gets every message that is not about the worker's own life, in order. */
  readonly onMessage: (worker: number, message: OtherMessage) => Effect.Effect<void>
  /** Told when a worker that is being stopped ends the server after all. */
  readonly onFatal: (error: WorkerFatal) => Effect.Effect<void>
}

/** A message about the worker's own life. */
type LifeMessage = Extract<Protocol.FromWorker, { readonly _tag: "Ready" | "Failed" | "Fatal" | "Stopping" }>

/** A message that is for somebody else than the supervisor. */
export type OtherMessage = Exclude<Protocol.FromWorker, LifeMessage>

/** Added to `shutdownTimeout` before a worker that drains is killed, so that its finalizers can run. */
export const shutdownMargin: Duration.Duration = Duration.seconds(5)

/**
 * Keeps a worker running in a slot.
 *
 * Interrupted, it tells the worker to drain and waits until it has ended; after `shutdownTimeout` and a margin of 5
 * seconds, or when `force` completes, it kills it. Under `restart` a worker that ends, also with status 0, is replaced;
 * see `Restart`.
 *
 * Fails with `WorkerFatal` when the worker's app ends the server, with `AppError` when another try would be no use, with
 * `WorkerStartError` when workers died too often, and under `terminate` with `WorkerDied` when a worker that was ready
 * dies. Kore: http §14.5, runtime §1.4.
 */
export const run = Effect.fnUntraced(function*(
  worker: number,
  options: Options
): Effect.fn.Return<never, AppError | WorkerStartError | WorkerDied | WorkerFatal, Spawner> {
  const { config } = options
  let history = Restart.none
  let attempts = 0
  while (true) {
    attempts++
    const death = yield* Effect.scoped(live(worker, options))
    if (death.fatal !== undefined) return yield* death.fatal
    history = Restart.add(history, yield* now, death.uptime, config)
    if (config.workerDeathPolicy === "terminate" && death.wasReady) {
      return yield* new WorkerDied({ worker, pid: death.pid, code: death.code, signal: death.signal })
    }
    if (death.isFinal) return yield* new AppError({ reason: death.reason })
    if (config.workerDeathPolicy === "terminate") {
      return yield* new WorkerStartError({ worker, attempts, reason: death.reason })
    }
    if (Restart.isExhausted(history, config)) {
      return yield* new WorkerStartError({ worker, attempts: history.deaths.length, reason: death.reason })
    }
    const delay = Restart.delay(history)
    const when = Duration.isZero(delay) ? "at once" : `in ${Duration.format(delay)}`
    yield* Effect.logError(`worker ${worker} (pid ${death.pid}) ended: ${death.reason}; restarting ${when}`)
    yield* options.onStatus({ _tag: "Waiting", worker, delay, reason: death.reason })
    yield* Effect.sleep(delay)
  }
})

// --- one life --------------------------------------------------------------------------------------------------------

// What is known of a worker while it lives. Times are milliseconds of the monotonic clock.
interface Life {
  readonly readySince?: number
  /** What it said, or what was found, that will end it. */
  readonly failure?: { readonly reason: string; readonly final?: boolean; readonly server?: boolean }
  /** When it is killed unless it gets on, and what is then said about it. */
  readonly deadline?: { readonly at: number; readonly reason: string }
}

// What is to be known about the end of a worker that nobody told to end.
interface Death {
  readonly pid: number
  readonly code: number | null
  readonly signal: string | null
  readonly reason: string
  /** Another try would end the same way. */
  readonly isFinal: boolean
  /** The worker's app ends the whole server. */
  readonly fatal: WorkerFatal | undefined
  readonly wasReady: boolean
  /** How long it was ready. */
  readonly uptime: number
}

// How long a worker that has said why it fails may take to exit.
const lastGasp = 1_000

// A process, and what is heard of it.
interface Heard {
  readonly child: Child
  readonly events: Queue.Queue<LifeMessage | Ended>
  /** Ends with the process, when all that it said was heard. */
  readonly ear: Fiber.Fiber<void>
}

const live = Effect.fnUntraced(function*(worker: number, options: Options) {
  const { config, onStatus } = options
  const spawned = yield* Effect.result(Effect.acquireRelease(
    start(worker, options),
    (heard, exit) => Exit.isSuccess(exit) ? Effect.void : stop(worker, heard, options)
  ))
  if (Result.isFailure(spawned)) return unborn(spawned.failure.reason)
  const { child, events } = spawned.success
  const { pid } = child
  yield* onStatus({ _tag: "Starting", worker, pid })

  let life = born(yield* now, config)
  while (true) {
    const event = yield* untilDeadline(Queue.take(events), life.deadline)
    const time = yield* now
    if (Option.isNone(event)) {
      life = late(life)
      yield* child.kill("SIGKILL")
    } else if (event.value._tag === "Ended") {
      return deathOf(worker, pid, life, event.value, time)
    } else {
      const { _tag } = event.value
      life = heard(life, event.value, time, config)
      if (_tag === "Ready" || _tag === "Stopping") yield* onStatus({ _tag, worker, pid })
    }
  }
})

// One fiber hears everything that the process says, also while it is being stopped: what is taken from the channel and
// then dropped by an interruption would be missed by another worker.
const start = Effect.fnUntraced(function*(worker: number, { attach, onMessage }: Options) {
  const child = yield* (yield* Spawner).spawn(worker)
  yield* attach(worker, child)
  const events = yield* Queue.unbounded<LifeMessage | Ended>()
  const listen: Effect.Effect<never, Ended> = Effect.forever(Effect.flatMap(child.receive, (message) => {
    switch (message._tag) {
      case "Ready":
      case "Failed":
      case "Fatal":
      case "Stopping":
        return Queue.offer(events, message)
      default:
        return onMessage(worker, message)
    }
  }))
  const ear = yield* Effect.forkScoped(
    Effect.catch(listen, (ended) => Effect.asVoid(Queue.offer(events, ended))).pipe(
      Effect.onError((cause) => Queue.failCause(events, cause))
    ),
    { startImmediately: true }
  )
  const found: Heard = { child, events, ear }
  return found
})

// What happens next to a worker; none when the deadline passes first.
const untilDeadline = (
  next: Effect.Effect<LifeMessage | Ended>,
  deadline: Life["deadline"]
): Effect.Effect<Option.Option<LifeMessage | Ended>> => {
  if (deadline === undefined) return Effect.asSome(next)
  return Effect.flatMap(now, (time) => Effect.timeoutOption(next, Math.max(0, deadline.at - time)))
}

const born = (time: number, { workerStartTimeout }: Config.Config): Life => ({
  deadline: {
    at: time + Duration.toMillis(workerStartTimeout),
    reason: `it was not ready within ${Duration.format(workerStartTimeout)}`
  }
})

const heard = (life: Life, message: LifeMessage, time: number, config: Config.Config): Life => {
  switch (message._tag) {
    case "Ready":
      return { readySince: time }
    case "Failed":
    case "Fatal":
      return { ...life, failure: message, deadline: { at: time + lastGasp, reason: message.reason } }
    case "Stopping": {
      const patience = patienceOf(config)
      const reason = `it was told to stop, and had not ended after ${Duration.format(patience)}`
      return { ...life, deadline: { at: time + Duration.toMillis(patience), reason } }
    }
  }
}

const late = ({ deadline, ...life }: Life): Life =>
  life.failure !== undefined || deadline === undefined ? life : { ...life, failure: deadline }

const deathOf = (
  worker: number,
  pid: number,
  { failure, readySince }: Life,
  { code, signal }: Ended,
  time: number
): Death => ({
  pid,
  code,
  signal,
  reason: failure?.reason ?? (signal === null ? `it exited with status ${code}` : `it was killed by ${signal}`),
  isFinal: failure?.final === true,
  fatal: failure?.server === true
    ? new WorkerFatal({ worker, reason: failure.reason })
    : failure === undefined
    ? wordless(worker, code)
    : undefined,
  wasReady: readySince !== undefined,
  uptime: readySince === undefined ? 0 : time - readySince
})

// The worker ended the server and could not say so.
const wordless = (worker: number, code: number | null): WorkerFatal | undefined =>
  code === Protocol.fatalStatus
    ? new WorkerFatal({ worker, reason: "its own log line tells why, because it could not reach the parent" })
    : undefined

const unborn = (reason: string): Death => ({
  pid: 0,
  code: null,
  signal: null,
  reason,
  isFinal: false,
  fatal: undefined,
  wasReady: false,
  uptime: 0
})

// Tells a worker to end and waits until it has; at the latest, it is killed.
const stop = Effect.fnUntraced(
  function*(worker: number, { child, ear, events }: Heard, { config, force, onFatal, onStatus }: Options) {
    yield* onStatus({ _tag: "Stopping", worker, pid: child.pid })
    const drained = yield* Effect.gen(function*() {
      // One that cannot be reached by message may hear the signal.
      if (!(yield* child.send({ _tag: "Drain" }))) yield* child.kill("SIGTERM")
      return yield* Fiber.await(ear)
    }).pipe(
      Effect.timeoutOption(patienceOf(config)),
      Effect.raceFirst(Effect.as(force, Option.none()))
    )
    if (Option.isNone(drained)) {
      yield* Effect.logWarning(`worker ${worker} (pid ${child.pid}) has not ended: killing it`)
      yield* child.kill("SIGKILL")
      yield* child.ended
    }
    for (const event of yield* Queue.clear(events)) {
      const fatal = event._tag === "Fatal" && event.server
        ? new WorkerFatal({ worker, reason: event.reason })
        : event._tag === "Ended"
        ? wordless(worker, event.code)
        : undefined
      if (fatal !== undefined) yield* onFatal(fatal)
    }
  }
)

const patienceOf = (config: Config.Config): Duration.Duration => Duration.sum(config.shutdownTimeout, shutdownMargin)

const now = Effect.map(Clock.monotonicTimeNanos, (nanos) => Number(nanos / 1_000_000n))
