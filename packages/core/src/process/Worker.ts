/**
 * A worker process: builds the app's Layer, says that it is ready, and drains when it is told to.
 *
 * When to reach for it: `Kore.main` runs it in a process that `Worker.isWorker` says is one.
 * What it is not: a supervisor. It never restarts anything; when it fails, it says why and ends.
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as net from "node:net"
import * as Config from "../Config.ts"
import * as KoreError from "../KoreError.ts"
import * as Listener from "../Listener.ts"
import * as Log from "../Log.ts"
import * as ParentDeath from "../native/ParentDeath.ts"
import * as Channel from "./Channel.ts"
import * as Environment from "./Environment.ts"
import * as Message from "./Message.ts"
import * as Signal from "./Signal.ts"

/** The worker that runs this code. Kore: `kore.worker()`, http §14.1. */
export class Worker extends Context.Service<Worker, {
  /** From 1; a worker that replaces another one has its id. */
  readonly id: number
  readonly pid: number
}>()("@kore-fx/core/process/Worker") {}

/** What a worker gives to its Layer, before the services of its caller. */
export type Provided = Worker | Config.Current | Listener.Listeners

const environment = Environment.take(process.env)

/** Whether this process was started as a worker. */
export const isWorker: boolean = environment !== undefined

/** What a worker runs. */
export interface Options<E, R> {
  readonly config: Config.Config
  /** The app with its servers on top. Closing its scope stops in order: the servers drain first. */
  readonly layer: Layer.Layer<never, E, Provided | R>
  /** More services for the Layer, such as tasks and a tracer; `Layer.empty` when there are none. */
  readonly services: Layer.Layer<R, E, Provided>
  /** The loggers; without them, Kore's line on standard output. */
  readonly log?: Layer.Layer<never>
}

/**
 * Runs the Layer from ready to drained.
 *
 * The parent's word, SIGTERM and SIGQUIT stop it in order; a second signal ends the process. SIGINT, SIGHUP, SIGUSR1
 * and SIGUSR2 have no effect, because a terminal sends them to parent and workers alike and the parent coordinates.
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
      Effect.provide(options.log ?? Log.layer(`wrk ${environment.worker}`)),
      Effect.ensuring(leave)
    )
  })

const work = Effect.fnUntraced(function*<E, R>(
  { listeners, parent, worker }: Environment.Environment,
  { config, layer, services }: Options<E, R>
) {
  process.title = `kore [wrk ${worker}]`
  yield* tieTo(parent)
  yield* Signal.ignore(["SIGINT", "SIGHUP", "SIGUSR1", "SIGUSR2"])
  const channel = yield* Channel.make(new net.Socket({ fd: Environment.channelDescriptor }), {
    sends: Message.fromWorker,
    receives: Message.toWorker,
    peer: "the parent"
  })
  const toldToStop = yield* Deferred.make<void>()
  yield* Effect.forkScoped(listenTo(channel, toldToStop), { startImmediately: true })
  yield* Effect.forkScoped(signalled(channel, toldToStop), { startImmediately: true })
  const stop = Deferred.await(toldToStop)

  const base = Context.make(Worker, { id: worker, pid: process.pid }).pipe(
    Context.add(Config.Current, config),
    Context.add(Listener.Listeners, new Map(listeners.map((bound) => [bound.name, bound])))
  )
  const app = Layer.build(Layer.provide(layer, services)).pipe(
    Effect.provideContext(base),
    Effect.tapCause((cause) => Cause.hasInterruptsOnly(cause) ? Effect.void : channel.send(failed(cause))),
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

type ParentChannel = Channel.Channel<Message.FromWorker, Message.ToWorker>

// Does what the parent says; when it is gone, so are we.
const listenTo = (channel: ParentChannel, toldToStop: Deferred.Deferred<void>): Effect.Effect<void> =>
  Effect.forever(Effect.flatMap(channel.receive, (message) => {
    switch (message._tag) {
      case "Drain":
        return Deferred.succeed(toldToStop, undefined)
    }
  })).pipe(Effect.catch(() => end))

// The parent is told about a signal that somebody sent to this process, because it will have to wait.
const signalled = (channel: ParentChannel, toldToStop: Deferred.Deferred<void>): Effect.Effect<void> =>
  Effect.gen(function*() {
    yield* Signal.wait(["SIGTERM", "SIGQUIT"])
    yield* Deferred.succeed(toldToStop, undefined)
    yield* channel.send({ _tag: "Stopping" })
  })

// A failure that its exit status calls the fault of what was asked for will be the same next time.
const failed = (cause: Cause.Cause<unknown>): Message.FromWorker => {
  const error = Cause.squash(cause)
  return { _tag: "Failed", reason: reasonOf(cause, error), final: KoreError.exitStatus(error) === 2 }
}

// A typed error speaks for itself; a defect needs its stack.
const reasonOf = (cause: Cause.Cause<unknown>, error: unknown): string => {
  const isTyped = Cause.hasFails(cause)
  if (isTyped && error instanceof Error) return error.message === "" ? error.name : error.message
  return Cause.pretty(cause)
}
