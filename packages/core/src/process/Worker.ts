/**
 * A worker process: builds the app's Layer, says that it is ready, and drains when it is told to. And what an app may ask
 * of the worker that it runs in.
 *
 * When to reach for it: `Kore.main` runs it in a process that `Worker.isWorker` says is one. An app asks who it is
 * (`Worker.Worker`), stops its server (`shutdown`), or gives up (`fatal`, `fatalx`).
 * What it is not: a supervisor. It never restarts anything; when it fails, it says why and ends.
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as net from "node:net"
import * as Config from "../Config.ts"
import * as KoreError from "../KoreError.ts"
import * as Listener from "../Listener.ts"
import * as Log from "../Log.ts"
import * as Line from "../log/Line.ts"
import * as Message from "../Message.ts"
import * as ParentDeath from "../native/ParentDeath.ts"
import * as Channel from "./Channel.ts"
import * as Environment from "./Environment.ts"
import * as FiberRow from "./FiberRow.ts"
import { giveUp } from "./GiveUp.ts"
import * as Mailbox from "./Mailbox.ts"
import * as Protocol from "./Protocol.ts"
import * as Signal from "./Signal.ts"

/**
 * The worker that runs this code.
 *
 * Source: Kore, runtime §5 (`worker`, `shutdown`, `fatal`, `fatalx`).
 *
 * @example
 * ```ts
 * const program = Worker.Worker.use(({ id }) => Effect.log("in worker", id))
 * ```
 */
export class Worker extends Context.Service<Worker, {
  /** From 1; a worker that replaces another one has its id. */
  readonly id: number
  readonly pid: number
  /** See `shutdown`. */
  readonly shutdown: Effect.Effect<void>
  /** See `fatal`. */
  readonly fatal: (reason: string) => Effect.Effect<never>
  /** See `fatalx`. */
  readonly fatalx: (reason: string) => Effect.Effect<never>
}>()("@kore-fx/core/process/Worker") {}

/**
 * Asks the parent to stop the whole server in order, as SIGTERM to the parent does, and returns at once.
 *
 * Every worker drains, the one that asks too; the server ends with exit status 0. In `Kore.test` the app is drained and
 * released, and takes no further request.
 * Source: Kore, runtime §1.4 (`shutdown`).
 *
 * @example
 * ```ts
 * const program = Effect.andThen(Effect.log("the work is done"), Worker.shutdown)
 * ```
 */
export const shutdown: Effect.Effect<void, never, Worker> = Worker.use((worker) => worker.shutdown)

/**
 * Gives up: writes the reason to the log at level Fatal, and ends this worker at once with exit status 1.
 *
 * Nothing is drained and no finalizer runs; what this worker was doing is lost. What follows is the death policy's
 * matter: another worker is started, or the server stops. Waits at most a second, until the log line is out.
 * In `Kore.test` the fiber dies with `WorkerFatal`, and the app goes on.
 * Source: Kore, runtime §1.4 and §5 (`fatal`).
 *
 * @example
 * ```ts
 * const program = Effect.catch(Effect.fail("disk full"), (reason) => Worker.fatal(`cannot write: ${reason}`))
 * ```
 */
export const fatal = (reason: string): Effect.Effect<never, never, Worker> =>
  Worker.use((worker) => worker.fatal(reason))

/**
 * Gives up for the whole server: as `fatal`, and the other workers drain and the server ends with exit status 1.
 *
 * The parent fails with `WorkerFatal`, which names the worker and the reason. In `Kore.test` as `fatal`.
 * Source: Kore, runtime §1.4 and §5 (`fatalx`).
 *
 * @example
 * ```ts
 * const program = Effect.catch(Effect.fail("expired"), (reason) => Worker.fatalx(`no licence: ${reason}`))
 * ```
 */
export const fatalx = (reason: string): Effect.Effect<never, never, Worker> =>
  Worker.use((worker) => worker.fatalx(reason))

/** What a worker gives to its Layer, before the services of its caller. */
export type Provided = Worker | Config.Current | Listener.Listeners | Message.Messages

/**
 * What a worker gives to its Layer, for an app that runs without processes and sockets, as in a test: worker 1 is all
 * there is, it hears its own messages, and `fatal` and `fatalx` are defects.
 *
 * `shutdown` is what happens when the app asks for it; default: nothing.
 *
 * @example
 * ```ts
 * const program = Effect.provideContext(Effect.flatMap(Worker.Worker, ({ id }) => Effect.log(id)),
 *   Worker.local(Config.defaults)) // 1
 * ```
 */
export const local = (
  config: Config.Config,
  shutdown: Effect.Effect<void> = Effect.void
): Context.Context<Provided> => {
  const dies = (reason: string) => Effect.die(new KoreError.WorkerFatal({ worker: 1, reason }))
  return Context.make(Worker, { id: 1, pid: process.pid, shutdown, fatal: dies, fatalx: dies }).pipe(
    Context.add(Config.Current, config),
    Context.add(Listener.Listeners, new Map()),
    Context.add(Message.Messages, Mailbox.local())
  )
}

const environment = Environment.take(process.env)

/** Whether this process was started as a worker. */
export const isWorker: boolean = environment !== undefined

/** What a worker runs. */
export interface Options<E, R> {
  readonly config: Config.Config
  /** What the processes of the app are called; default: `kore`. */
  readonly name?: string | undefined
  /** The app with its servers on top. Closing its scope stops in order: the servers drain first. */
  readonly layer: Layer.Layer<never, E, Provided | R>
  /** More services for the Layer, such as tasks and a tracer; `Layer.empty` when there are none. */
  readonly services: Layer.Layer<R, E, Provided>
  /** The fibers of this worker, for `kore-fx ps`; default: none. */
  readonly fibers?: Effect.Effect<ReadonlyArray<FiberRow.FiberRow>, never, Provided | R>
  /** The loggers; without them, those of the configuration. */
  readonly log?: Layer.Layer<never>
}

/**
 * Runs the Layer from ready to drained.
 *
 * The parent's word, SIGTERM and SIGQUIT stop it in order; a second signal ends the process. SIGINT, SIGHUP, SIGUSR1
 * and SIGUSR2 have no effect of their own, because a terminal sends them to parent and workers alike and the parent
 * coordinates; SIGUSR1 comes from there too, for all who have subscribed to it.
 * When the parent is gone, the process is killed at once, by the kernel where it can, also when the event loop is
 * blocked.
 *
 * When it is done the process ends within half a second, with the exit status that the caller has set.
 *
 * Fails as the Layer fails, after it told the parent: the caller sets the exit status, and prints nothing, for the
 * parent does.
 */
export const main = <E, R>(options: Options<E, R>): Effect.Effect<void, E> =>
  Effect.suspend(() => {
    if (environment === undefined) return Effect.die(new Error("Worker.main in a process that is no worker"))
    return Effect.scoped(work(environment, options)).pipe(
      Effect.provide(options.log ?? Log.layerConfig(`wrk ${environment.worker}`, options.config)),
      Effect.ensuring(leave)
    )
  })

const work = Effect.fnUntraced(function*<E, R>(
  { listeners, parent, worker }: Environment.Environment,
  options: Options<E, R>
) {
  const { config, fibers = Effect.succeed([]), layer, name = "kore" } = options
  process.title = `${Line.escape(name)} [wrk ${worker}]`
  yield* tieTo(parent)
  yield* Signal.ignore(["SIGINT", "SIGHUP", "SIGUSR1", "SIGUSR2"])
  const channel = yield* Channel.make(new net.Socket({ fd: Environment.channelDescriptor }), {
    sends: Protocol.fromWorker,
    receives: Protocol.toWorker,
    peer: "the parent"
  })
  const mailbox = Mailbox.make(config.workers, channel)
  const toldToStop = yield* Deferred.make<void>()
  const given = yield* Deferred.make<Context.Context<Provided | R>>()
  const answer = Effect.flatMap(Deferred.await(given), (context) => Effect.provideContext(fibers, context))
  yield* Effect.forkScoped(listenTo(channel, toldToStop, mailbox, answer), { startImmediately: true })
  yield* Effect.forkScoped(signalled(channel, toldToStop), { startImmediately: true })
  const stop = Deferred.await(toldToStop)

  const base = Context.make(Worker, self(worker, channel)).pipe(
    Context.add(Config.Current, config),
    Context.add(Listener.Listeners, new Map(listeners.map((bound) => [bound.name, bound]))),
    Context.add(Message.Messages, mailbox.messages)
  )
  // What the list of fibers may use is there before the app is built, which may take its time.
  const ready = Layer.effectDiscard(
    Effect.flatMap(Effect.context<Provided | R>(), (context) => Deferred.succeed(given, context))
  )
  const app = Layer.build(Layer.provide(Layer.merge(ready, layer), options.services)).pipe(
    Effect.provideContext(base),
    Effect.tapCause((cause) => Cause.hasInterruptsOnly(cause) ? Effect.void : channel.send(failed(cause))),
    Effect.andThen(mailbox.open),
    Effect.andThen(channel.send({ _tag: "Ready" })),
    Effect.andThen(stop)
  )
  yield* Effect.scoped(Effect.raceFirst(app, stop))
})

// --- private ---------------------------------------------------------------------------------------------------------

// The kernel kills us with the parent from here on; whether it is too late for that only we can tell.
const tieTo = (parent: number): Effect.Effect<void> =>
  Effect.andThen(
    Effect.ignore(ParentDeath.kill),
    Effect.suspend(() => process.ppid === parent ? Effect.void : end)
  )

// An orphan holds connections that nobody will ever stop. There is no order to keep to: the parent kept none.
const end = Effect.sync(() => void process.kill(process.pid, "SIGKILL"))

// A timer or a socket that the app has forgotten would keep the process, and its parent waiting. This timer does not keep
// it, so it rings only when something else does; the exit status is the caller's.
const leave = Effect.sync(() => void setTimeout(() => process.exit(), 500).unref())

type ParentChannel = Channel.Channel<Protocol.FromWorker, Protocol.ToWorker>

// Does what the parent says; when it is gone, so are we.
const listenTo = (
  channel: ParentChannel,
  toldToStop: Deferred.Deferred<void>,
  mailbox: Mailbox.Mailbox,
  fibers: Effect.Effect<ReadonlyArray<FiberRow.FiberRow>>
): Effect.Effect<void, never, Scope.Scope> =>
  Effect.forever(Effect.flatMap(channel.receive, (message): Effect.Effect<unknown, never, Scope.Scope> => {
    switch (message._tag) {
      case "Drain":
        return Deferred.succeed(toldToStop, undefined)
      case "Signalled":
        return raise(message.signal)
      case "Deliver":
        return mailbox.deliver(message)
      case "Settled":
        return mailbox.settled(message)
      case "ListFibers":
        // Looking may take its time; what the parent says next does not wait for it.
        return Effect.forkScoped(tellFibers(channel, message, fibers))
    }
  })).pipe(Effect.catch(() => end))

// To all who have subscribed, as if the system had delivered it. What one of them throws is uncaught, as it is then.
const raise = (signal: NodeJS.Signals): Effect.Effect<void> =>
  Effect.sync(() => void setImmediate(() => process.emit(signal, signal)))

const tellFibers = (
  channel: ParentChannel,
  { id, size }: (typeof Protocol.ListFibers)["Type"],
  fibers: Effect.Effect<ReadonlyArray<FiberRow.FiberRow>>
): Effect.Effect<void> =>
  fibers.pipe(
    Effect.map((all) => ({ _tag: "Fibers" as const, id, rows: FiberRow.bounded(all, size), total: all.length })),
    Effect.catchCause((cause) =>
      Effect.succeed({ _tag: "Fibers" as const, id, rows: [], total: 0, problem: Cause.pretty(cause).slice(0, 1000) })
    ),
    Effect.flatMap(channel.send),
    Effect.asVoid
  )

// The parent is told about a signal that somebody sent to this process, because it will have to wait.
const signalled = (channel: ParentChannel, toldToStop: Deferred.Deferred<void>): Effect.Effect<void> =>
  Effect.gen(function*() {
    yield* Signal.wait(["SIGTERM", "SIGQUIT"])
    yield* Deferred.succeed(toldToStop, undefined)
    yield* channel.send({ _tag: "Stopping" })
  })

// --- what the app may ask for ----------------------------------------------------------------------------------------

// The worker as its app sees it.
const self = (id: number, channel: ParentChannel): Worker["Service"] => ({
  id,
  pid: process.pid,
  shutdown: Effect.asVoid(channel.post({ _tag: "Shutdown" })),
  fatal: (reason) => giveUp(channel, String(reason), false),
  fatalx: (reason) => giveUp(channel, String(reason), true)
})

// --- failing ---------------------------------------------------------------------------------------------------------

// A failure that its exit status calls the fault of what was asked for will be the same next time.
const failed = (cause: Cause.Cause<unknown>): Protocol.FromWorker => {
  const error = Cause.squash(cause)
  return { _tag: "Failed", reason: reasonOf(cause, error), final: KoreError.exitStatus(error) === 2 }
}

// A typed error speaks for itself; a defect needs its stack.
const reasonOf = (cause: Cause.Cause<unknown>, error: unknown): string => {
  const isTyped = Cause.hasFails(cause)
  if (isTyped && error instanceof Error) return error.message === "" ? error.name : error.message
  return Cause.pretty(cause)
}
