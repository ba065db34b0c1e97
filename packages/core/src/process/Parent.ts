/**
 * The parent process: binds every socket, starts the workers, keeps them running, stops everything in order.
 *
 * When to reach for it: `Kore.main` runs it in the process that was started by hand.
 * What it is not: a place for application code, and it never accepts a connection. One worker is `Supervisor`'s matter.
 */
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import type * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Scope from "effect/Scope"
import * as fs from "node:fs"
import * as Config from "../Config.ts"
import type { KoreError, WorkerFatal } from "../KoreError.ts"
import * as Listener from "../Listener.ts"
import * as Log from "../Log.ts"
import * as Line from "../log/Line.ts"
import * as ParentDeath from "../native/ParentDeath.ts"
import * as Control from "./Control.ts"
import * as ControlServer from "./ControlServer.ts"
import * as PassOn from "./PassOn.ts"
import * as PidFile from "./PidFile.ts"
import * as Relay from "./Relay.ts"
import * as Roster from "./Roster.ts"
import * as Signal from "./Signal.ts"
import * as Spawner from "./Spawner.ts"
import * as Supervisor from "./Supervisor.ts"

/** What the parent needs to know of an app. */
export interface Options {
  /** The addresses to listen on, by server name. */
  readonly servers: Readonly<Record<string, Listener.Address>>
  readonly config: Config.Config
  /** What the processes of the app are called; default: `kore`. */
  readonly name?: string | undefined
  /** The app's file, for people who look for its server; default: the script that this process runs. */
  readonly file?: string | undefined
  /** What workers execute; without it, this process again. */
  readonly command?: Spawner.Command
  /** The loggers; without them, those of the configuration. */
  readonly log?: Layer.Layer<never>
  /** What was asked for and is not done, each a phrase such as `runas`; said in one line at start. */
  readonly notApplied?: ReadonlyArray<string>
}

/**
 * Runs a server until it is told to stop, and then stops it in order.
 *
 * SIGTERM, SIGINT, SIGQUIT, a worker's `shutdown`, and interruption: no connection is taken in any more, those taken in are served, each
 * worker has `shutdownTimeout` for it. A second such signal, half a second later or more, kills the workers. SIGUSR1 is
 * passed on to all workers, which open their access logs anew. SIGHUP and SIGUSR2 are noted and do nothing yet. When it
 * ends, however it ends, no worker is left.
 *
 * Fails with `ListenError` or `ConfigError` (pid file) when nothing was started, with `WorkerStartError` or
 * `WorkerDied` when workers do not stay up, with `WorkerFatal` when the app in one gave up. Kore: http §14 and §16.
 */
export const main = (options: Options): Effect.Effect<void, KoreError> =>
  Effect.scoped(serve(options)).pipe(Effect.provide(options.log ?? Log.layerConfig("parent", options.config)))

const stopSignals: ReadonlyArray<Signal.Name> = ["SIGTERM", "SIGINT", "SIGQUIT"]
const laterSignals: ReadonlyArray<Signal.Name> = ["SIGHUP", "SIGUSR2"]

// Terminals and package managers deliver one Ctrl-C twice: a second signal counts when it comes later than this.
const sameSignal = Duration.millis(500)

const serve = Effect.fnUntraced(function*(options: Options) {
  const { config, name = "kore" } = options
  const start = yield* now
  process.title = `${Line.escape(name)} [parent]`
  const signals = yield* Signal.subscribe([...stopSignals, "SIGUSR1", ...laterSignals])
  yield* Effect.logInfo(`kore-fx ${version()} starting, pid ${process.pid}, Node.js ${process.version}`)

  const sockets = yield* Effect.acquireRelease(Scope.make(), (scope, exit) => Scope.close(scope, exit))
  const bound = yield* Scope.provide(bindAll(options), sockets)
  if (config.pidfile !== undefined) yield* PidFile.acquire(config.pidfile)
  yield* sayNotApplied(options)

  const relay = yield* Relay.make(config.workers)
  const roster = yield* Roster.make(config.workers)
  const passOn = PassOn.make()
  yield* ControlServer.open({ setting: config.controlSocket, answers: answers(options, start, bound, roster), refuse })
  const force = yield* Latch.make()
  const spawner = Spawner.make(options.command ?? Spawner.sameCommand(), bound)
  const failure = yield* Deferred.make<never, KoreError>()
  const asked = yield* Deferred.make<number>()
  const fatal = yield* Deferred.make<never, WorkerFatal>()
  const announce = announcer(config.workers)
  const workers = superviseAll(failure, {
    config,
    force: force.await,
    onStatus: (status) => Effect.andThen(roster.onStatus(status), announce(status)),
    attach: (worker, child) =>
      Effect.all([roster.attach(worker, child), relay.attach(worker, child), passOn.attach(child)], { discard: true }),
    onMessage: (worker, message) => {
      switch (message._tag) {
        case "Shutdown":
          return Effect.asVoid(Deferred.succeed(asked, worker))
        case "Fibers":
          return roster.heard(worker, message)
        case "Send":
        case "Taken":
          return relay.heard(worker, message)
      }
    },
    onFatal: (error) => Effect.asVoid(Deferred.fail(fatal, error))
  })
  yield* Effect.acquireUseRelease(
    Effect.forkChild(Effect.provideService(workers, Spawner.Spawner, spawner)),
    () =>
      Effect.raceAllFirst([
        Deferred.await(failure),
        stopSignal(signals, passOn),
        Effect.flatMap(Deferred.await(asked), (worker) => Effect.logInfo(`told to stop by worker ${worker}`))
      ]),
    (running) =>
      Effect.gen(function*() {
        yield* Effect.logInfo(`draining: what runs has ${Duration.format(config.shutdownTimeout)} to finish`)
        yield* Effect.forEach(bound, Listener.stopAccepting, { discard: true })
        // The workers have the sockets too: what is queued stays, and the addresses are free as soon as they are done.
        yield* Scope.close(sockets, Exit.void)
        const impatience = yield* Effect.forkChild(secondSignal(signals, passOn, force))
        yield* Fiber.interrupt(running)
        yield* Fiber.interrupt(impatience)
        yield* Effect.logInfo("stopped")
      })
  )
  // One gave up while it was being stopped.
  if (Deferred.isDoneUnsafe(fatal)) return yield* Deferred.await(fatal)
})

// --- starting --------------------------------------------------------------------------------------------------------

const bindAll = ({ config, servers }: Options) =>
  Effect.forEach(Object.entries(servers), ([name, address]) =>
    Effect.tap(
      Listener.bind(name, address, { backlog: config.socketBacklog }),
      (bound) => Effect.logInfo(`server ${name} listens on ${Listener.label(bound.address)}`)
    ))

// A slot that gives up ends alone: the others drain only after the door is closed.
const superviseAll = (failure: Deferred.Deferred<never, KoreError>, options: Supervisor.Options) => {
  const ids = Array.from({ length: options.config.workers }, (_, index) => index + 1)
  return Effect.forEach(
    ids,
    (id) => Effect.catchCause(Supervisor.run(id, options), (cause) => Deferred.failCause(failure, cause)),
    { concurrency: "unbounded", discard: true }
  )
}

// One line when all workers are ready for the first time, then one for each that comes back.
const announcer = (workers: number) => {
  const ready = new Map<number, number>()
  let announced = false
  return (status: Supervisor.Status): Effect.Effect<void> => {
    if (status._tag !== "Ready") return Effect.void
    ready.set(status.worker, status.pid)
    if (announced) return Effect.logInfo(`worker ${status.worker} ready again (pid ${status.pid})`)
    if (ready.size < workers) return Effect.void
    announced = true
    const each = [...ready].sort(([a], [b]) => a - b).map(([worker, pid]) => `${worker} (pid ${pid})`)
    return Effect.logInfo(`${workers === 1 ? "worker" : "workers"} ready: ${each.join(", ")}`)
  }
}

const sayNotApplied = ({ config, notApplied = [] }: Options): Effect.Effect<void> => {
  const facts = [...notApplied]
  const backlogLimit = systemBacklog()
  // The default is a wish; only what somebody asked for is missed.
  if (config.socketBacklog > backlogLimit && config.socketBacklog !== Config.defaults.socketBacklog) {
    facts.push(`socketBacklog ${config.socketBacklog} (net.core.somaxconn allows ${backlogLimit})`)
  }
  if (process.getuid?.() === 0) facts.push("a user of their own for the workers (they run as root)")
  if (!ParentDeath.isSupported) facts.push("death of the workers with the parent by the kernel (not on this system)")
  return facts.length === 0 ? Effect.void : Effect.logWarning(`not applied: ${facts.join("; ")}`)
}

const systemBacklog = (): number => {
  try {
    return Number(fs.readFileSync("/proc/sys/net/core/somaxconn", "utf8"))
  } catch {
    return Infinity // not Linux
  }
}

const version = (): string => {
  try {
    const file = fs.readFileSync(new URL("../../package.json", import.meta.url), "utf8")
    return (JSON.parse(file) as { readonly version: string }).version
  } catch {
    return "(bundled)"
  }
}

// --- answering -------------------------------------------------------------------------------------------------------

const envelope = { protocol: Control.version, version: version(), pid: process.pid }

const refuse = (reason: string): Control.Refused => ({ _tag: "Refused", ...envelope, reason })

const answers = (
  { file = process.argv[1], name = "kore" }: Options,
  start: number,
  bound: ReadonlyArray<Listener.Bound>,
  roster: Roster.Roster
): ControlServer.Answers => {
  const facts = {
    name,
    ...(file === undefined ? {} : { file }),
    argv: process.argv,
    cwd: process.cwd(),
    servers: bound.map(({ address, name }) => ({ name, address: Listener.label(address) }))
  }
  const status = Effect.gen(function*() {
    const uptime = (yield* now) - start
    return { _tag: "Status" as const, ...envelope, ...facts, uptime, workers: yield* roster.workers }
  })
  const fibers = Effect.map(roster.fibers, (workers) => ({ _tag: "Fibers" as const, ...envelope, workers }))
  return (request) => request._tag === "Status" ? status : fibers
}

const now = Effect.map(Clock.monotonicTimeNanos, (nanos) => Number(nanos / 1_000_000n))

// --- stopping --------------------------------------------------------------------------------------------------------

// Waits for a signal to stop; one for the workers is passed on, and those that we shall know later are answered.
const stopSignal = (signals: Queue.Dequeue<NodeJS.Signals>, passOn: PassOn.PassOn): Effect.Effect<void> =>
  Effect.flatMap(Queue.take(signals), (signal) =>
    (stopSignals as ReadonlyArray<string>).includes(signal)
      ? Effect.logInfo(`told to stop by ${signal}`)
      : Effect.andThen(otherSignal(signal, passOn), stopSignal(signals, passOn)))

const otherSignal = (signal: NodeJS.Signals, passOn: PassOn.PassOn): Effect.Effect<void> =>
  signal === "SIGUSR1"
    ? Effect.flatMap(passOn.send(signal),
      (count) => Effect.logInfo(`${signal} passed on to ${count === 1 ? "1 worker" : `${count} workers`}`))
    : Effect.logWarning(`${signal} ignored: what it stands for is not available yet`)

const secondSignal = (
  signals: Queue.Dequeue<NodeJS.Signals>,
  passOn: PassOn.PassOn,
  force: Latch.Latch
): Effect.Effect<void> =>
  Effect.gen(function*() {
    yield* Effect.sleep(sameSignal)
    for (const signal of yield* Queue.clear(signals)) {
      if (!(stopSignals as ReadonlyArray<string>).includes(signal)) yield* otherSignal(signal, passOn)
    }
    yield* stopSignal(signals, passOn)
    yield* Effect.logWarning("told to stop again: not waiting any longer")
    yield* force.open
  })
