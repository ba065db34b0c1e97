/**
 * `kore-fx check`: tells whether an app would start, and with what options.
 *
 * What it is not: a start. No address is bound, no process started.
 */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import type { Config } from "kore-fx"
import { locate } from "../AppFile.ts"
import { CheckFailed } from "../CliError.ts"
import { inspect, type Inspected, registrations, routeProblems, serverProblems } from "../internal/inspect.ts"
import { print, printJson } from "../internal/output.ts"
import { columns, display, indent, paragraphs } from "../internal/text.ts"
import { args, file, json } from "./arguments.ts"

interface Report {
  readonly inspected: Inspected
  readonly options: ReadonlyArray<Config.Row>
  /** Routes by server; undefined when they were not looked at. */
  readonly routes: ReadonlyMap<string, number> | undefined
  readonly problems: ReadonlyArray<string>
}

// All that can be found is found, so that one run of the command is enough.
const examine = Effect.fnUntraced(function*(inspected: Inspected, withRoutes: boolean): Effect.fn.Return<Report> {
  const problems: Array<string> = [...yield* serverProblems(inspected)]
  const resolved = yield* Effect.result(inspected.kore.Config.resolve({ app: inspected.app.config }))
  if (resolved._tag === "Failure") {
    // Without options no Layer can be built.
    return { inspected, options: [], routes: undefined, problems: [resolved.failure.message, ...problems] }
  }
  const options = inspected.kore.Config.describe(resolved.success)
  if (!withRoutes) return { inspected, options, routes: undefined, problems }
  const routes = yield* Effect.scoped(Effect.gen(function*() {
    const domains = yield* registrations(inspected, resolved.success.config)
    problems.push(...yield* routeProblems(inspected, domains))
    return new Map(Object.keys(inspected.app.servers).map((server) => [
      server,
      domains.filter(({ attach }) => attach === server).reduce((sum, domain) => sum + domain.routes.length, 0)
    ]))
  })).pipe(Effect.catch((error) => Effect.sync(() => void problems.push(error.message))))
  return { inspected, options, routes, problems }
})

const later = ({ notApplied }: Config.Row): string => notApplied === undefined ? "" : `not applied yet (${notApplied})`

const format = ({ inspected: { app, file, kore, name }, options, routes }: Report): string => {
  const servers = Object.entries(app.servers).map(([server, address]) => {
    const count = routes?.get(server)
    const routesText = count === undefined ? "" : count === 1 ? "1 route" : `${count} routes`
    return [server, kore.Listener.label(address), routesText]
  })
  return [
    `${display(file)}${name === undefined ? "" : `, export ${name}`}`,
    `servers\n${servers.length === 0 ? "  none: nothing would be served" : indent(columns(servers), 2)}`,
    `options\n${indent(columns(options.map((row) => [row.option, row.value, row.source, later(row)])), 2)}`,
    "nothing is wrong; nothing was started"
  ].join("\n\n")
}

const data = ({ inspected: { app, file, kore }, options, problems, routes }: Report) => ({
  ok: problems.length === 0,
  file,
  problems,
  servers: Object.entries(app.servers).map(([name, address]) => ({
    name,
    address: kore.Listener.label(address),
    routes: routes?.get(name) ?? null
  })),
  options: options.map(({ notApplied, option, origin, source, value }) => ({
    option,
    value,
    source,
    origin,
    notApplied: notApplied ?? null
  }))
})

/** The command. */
export const check = Command.make("check", {
  file,
  args,
  json,
  routes: Flag.Boolean("routes").pipe(
    Flag.withDescription("Build the worker's Layer to check its routes; not with --no-routes"),
    Flag.withDefault(true)
  )
}, ({ args, file, json, routes }) =>
  Effect.gen(function*() {
    const inspected = yield* Effect.flatMap(locate(file), (path) => inspect(path, args)).pipe(
      Effect.tapError((error) => json ? printJson({ ok: false, file, problems: [error.message] }) : Effect.void)
    )
    const report = yield* examine(inspected, routes)
    if (json) yield* printJson(data(report))
    if (report.problems.length > 0) {
      return yield* new CheckFailed({ file: display(inspected.file), problems: indent(report.problems.join("\n"), 2) })
    }
    if (!json) yield* print(format(report))
  })).pipe(
    Command.withDescription(
      paragraphs(
        "Check an app without starting it, and print the options in force.",
        "Checks the options (of the app, the file and the environment), the servers and the routes. For the routes, " +
          "the Layer of a worker is built in this process, so it opens what it opens, and is closed again; " +
          "--no-routes leaves that out. No address is bound and no process started.",
        "Prints every option, its value and where the value comes from. Exit status: 0 when the app can start, else 2."
      )
    ),
    Command.withShortDescription("Check an app without starting it, and print the options in force"),
    Command.withExamples([
      { command: "kore-fx check app.ts", description: "Check everything" },
      { command: "kore-fx check app.ts --no-routes", description: "Leave out what needs the database" },
      { command: "KORE_WORKERS=0 kore-fx check app.ts", description: "With an option from the environment" }
    ])
  )
