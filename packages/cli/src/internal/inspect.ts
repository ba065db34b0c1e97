/**
 * Looks into an app without starting it: its configuration, its servers, the domains and routes of its workers.
 *
 * The routes are known only when the Layer of a worker has been built, so it is built in this process and closed again.
 * It opens what it opens in a worker, such as a pool of connections; no address is bound, no process started.
 *
 * When to reach for it: `kore-fx routes` and `kore-fx check`.
 * What it is not: a way to serve; see `Kore.test`.
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import type { Config, Domain, Listener } from "kore-fx"
import { LayerFailed } from "../CliError.ts"
import { type AnyApp, load, type Loaded } from "./load.ts"
import { display } from "./text.ts"

/** An app as data, with what is known about where it comes from. */
export interface Inspected extends Omit<Loaded, "app" | "main"> {
  readonly app: AnyApp
}

/** Loads the app of a file to look at it. */
export const inspect = Effect.fnUntraced(function*(file: string, args: ReadonlyArray<string>) {
  const { app, kore, name } = yield* load("inspect", file, args)
  const inspected: Inspected = { file, kore, name, app: yield* app }
  return inspected
})

/** What the domains of an app ask its servers to serve, once its Layer is built; it is closed with the scope. */
export const registrations = Effect.fnUntraced(function*({ app, file, kore }: Inspected, config: Config.Config) {
  const { Kore, Log, Server, Worker } = kore
  const provided = Worker.local(config)
  const build = Effect.gen(function*() {
    const given = yield* Layer.build(Kore.services(app))
    const services = Context.merge(provided, given) as Context.Context<any>
    return yield* Effect.provideContext(Server.build(app.worker), services)
  })
  // Standard output is for the answer.
  const log = Logger.layer([Log.make("inspect", (line) => process.stderr.write(line))])
  return yield* Effect.provideContext(build, provided).pipe(
    Effect.provide(log),
    Effect.catchCause((cause) =>
      Cause.hasInterruptsOnly(cause)
        ? Effect.interrupt
        : Effect.fail(new LayerFailed({ file: display(file), reason: reasonOf(cause) }))
    )
  )
})

const reasonOf = (cause: Cause.Cause<unknown>): string => {
  const error = Cause.squash(cause)
  return Cause.hasFails(cause) && error instanceof Error && error.message !== "" ? error.message : Cause.pretty(cause)
}

/** What contradicts in the routes: domains without a server, routes that answer the same requests. */
export const routeProblems = Effect.fnUntraced(
  function*({ app, kore }: Inspected, domains: ReadonlyArray<Domain.Registration>) {
    const servers = Object.keys(app.servers)
    const unattached = domains
      .filter(({ attach }) => !servers.includes(attach))
      .map(({ attach, host }) => new kore.Server.AttachError({ host, attach, servers }))
    const errorOf = <A, E>(effect: Effect.Effect<A, E>) =>
      Effect.match(effect, { onFailure: (error) => [error], onSuccess: () => [] })
    const compiled = yield* Effect.forEach(new Set(domains.map(({ attach }) => attach)), (server) => {
      const hosts = kore.Server.byHost(domains.filter(({ attach }) => attach === server))
      return Effect.matchEffect(hosts, {
        onFailure: (error) => Effect.succeed([[error]]),
        onSuccess: (hosts) =>
          Effect.forEach(hosts, ([host, same]) => {
            const entries = same.flatMap(({ routes }) => routes.map((route) => ({ route, target: route })))
            return errorOf(kore.Router.make(host, entries))
          })
      })
    })
    return [...unattached, ...compiled.flat(2)].map((error) => error.message)
  }
)

/** What is wrong with the servers, as far as it can be told without binding them. */
export const serverProblems = Effect.fnUntraced(function*({ app, kore }: Inspected) {
  const problems: Array<string> = []
  const taken = new Map<string, string>()
  for (const [server, address] of Object.entries(app.servers)) {
    const label = kore.Listener.label(address)
    const fail = (reason: string, hint: string) =>
      problems.push(new kore.KoreError.ListenError({ server, address: label, reason, hint }).message)
    const tls = yield* Effect.result(kore.Kore.checkServers({ [server]: address }))
    if (tls._tag === "Failure") problems.push(tls.failure.message)
    const invalid = invalidity(address)
    if (invalid !== undefined) fail(invalid, "Choose a port from 0 to 65535; 0 finds a free one.")
    const first = taken.get(label)
    if (first !== undefined) fail(`server "${first}" has that address`, "Give each server an address of its own.")
    else if (address._tag === "Unix" || address.port !== 0) taken.set(label, server)
  }
  return problems
})

const invalidity = (address: Listener.Address): string | undefined =>
  address._tag === "Tcp" && !(Number.isInteger(address.port) && address.port >= 0 && address.port <= 65_535)
    ? `${address.port} is not a port`
    : undefined
