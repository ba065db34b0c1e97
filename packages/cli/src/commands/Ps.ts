/**
 * `kore-fx ps`: prints the servers that run, or what one of them does right now.
 *
 * What it is not: able to change anything. Servers of other users are not seen.
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { NoServer } from "../CliError.ts"
import { print, printJson } from "../internal/output.ts"
import { formatServer, formatServers, serverData, serversData } from "../internal/serverList.ts"
import { all, fibersOf, find, running } from "../internal/servers.ts"
import { paragraphs } from "../internal/text.ts"
import { json } from "./arguments.ts"

const list = Effect.fnUntraced(function*(json: boolean) {
  const servers = yield* all
  if (json) yield* printJson(serversData(servers))
  if (servers.length === 0) {
    return yield* new NoServer({ wanted: "No server of this user runs", hint: running(servers) })
  }
  if (!json) yield* print(formatServers(servers))
})

const show = Effect.fnUntraced(function*(wanted: string, json: boolean) {
  const server = yield* find(wanted)
  const fibers = yield* fibersOf(server)
  yield* json ? printJson(serverData(server, fibers)) : print(formatServer(server, fibers))
})

/** The command. */
export const ps = Command.make("ps", {
  server: Argument.String("server").pipe(
    Argument.withDescription("The process id of a server, the file of its app, or its control socket"),
    Argument.optional
  ),
  json
}, ({ json, server }) => Option.match(server, { onNone: () => list(json), onSome: (wanted) => show(wanted, json) }))
  .pipe(
    Command.withDescription(
      paragraphs(
        "Print the servers of this user that run, or the workers and fibers of one of them.",
        "For one server: every worker, its state and since when, and every fiber that is alive: tasks, requests, and what " +
          "they have started; what each is waiting for, and for how long. A worker whose event loop is blocked does not " +
          "answer, and that is what it is listed with.",
        "Asks the parent over a socket that only this user can open (the option controlSocket). Nothing is stopped for it."
      )
    ),
    Command.withShortDescription("Print what runs: servers, or the workers and fibers of one"),
    Command.withExamples([
      { command: "kore-fx ps", description: "The servers that run" },
      { command: "kore-fx ps app.ts", description: "The workers and fibers of the server that runs app.ts" },
      { command: "kore-fx ps 4711 --json", description: "The same for a process id, as data" }
    ])
  )
