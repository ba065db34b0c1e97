/**
 * Running servers, their workers and fibers, as data and as text.
 *
 * When to reach for it: `kore-fx ps`.
 * What it is not: the asking; see `servers.ts`.
 *
 * What servers and their apps call things is printed with its control characters escaped: a terminal obeys those.
 */
import { escape } from "@kore-fx/core/log/Line"
import type * as Control from "@kore-fx/core/process/Control"
import type * as FiberRow from "@kore-fx/core/process/FiberRow"
import type { Answering, Found } from "./servers.ts"
import { columns, display, indent } from "./text.ts"

// --- all servers -----------------------------------------------------------------------------------------------------

/** One line for each server. */
export const formatServers = (servers: ReadonlyArray<Found>): string =>
  columns([
    ["PID", "NAME", "APP", "WORKERS", "UP"],
    ...servers.map(({ pid, status }) =>
      status._tag !== "Status" ? [String(pid), "?", status.message.split("\n")[0]!] : [
        String(pid),
        escape(status.name),
        status.file === undefined ? "-" : escape(display(status.file)),
        workersText(status.workers),
        elapsed(status.uptime)
      ]
    )
  ])

/** The servers as `kore-fx ps --json` prints them. */
export const serversData = (servers: ReadonlyArray<Found>) => ({
  servers: servers.map(({ path, pid, status }) =>
    status._tag === "Status"
      ? { ...described(status), socket: path, workers: status.workers }
      : { pid, socket: path, problem: status._tag }
  )
})

// `4 ready`, or what else they do.
const workersText = (workers: ReadonlyArray<Control.WorkerStatus>): string => {
  const counts = new Map<string, number>()
  for (const { state } of workers) counts.set(state, (counts.get(state) ?? 0) + 1)
  return [...counts].map(([state, count]) => `${count} ${state}`).join(", ")
}

// --- one server ------------------------------------------------------------------------------------------------------

/** The parent, its workers, and their fibers. */
export const formatServer = ({ status }: Answering, { workers }: Control.Fibers): string => {
  const facts = [
    ["app", status.file === undefined ? "-" : escape(display(status.file))],
    ["directory", escape(status.cwd)],
    ...status.servers.map(({ address, name }) => [`server ${escape(name)}`, escape(address)])
  ]
  const head = `${escape(status.name)} (pid ${status.pid}), kore-fx ${escape(status.version)}, up ${
    elapsed(status.uptime)
  }`
  const rows = workers.flatMap(({ fibers, worker }) => fibers.map((fiber) => fiberCells(worker, fiber)))
  const more = workers.flatMap(({ fibers, total, worker }) =>
    total > fibers.length && fibers.length > 0 ? [`and ${total - fibers.length} more in worker ${worker}`] : []
  )
  return [
    [head, indent(columns(facts), 2)].join("\n"),
    columns([["WORKER", "PID", "STATE", "SINCE", "FIBERS"], ...workers.map(workerCells)]),
    rows.length === 0
      ? "no fibers"
      : [columns([["WORKER", "ID", "KIND", "NAME", "STATE", "AGE", "SINCE", "WAITS FOR"], ...rows]), ...more].join("\n")
  ].join("\n\n")
}

/** The same as `kore-fx ps --json` prints it. */
export const serverData = ({ path, status }: Answering, { workers }: Control.Fibers) => ({
  ...described(status),
  socket: path,
  workers
})

const workerCells = ({ pid, problem, since, state, total, worker }: Control.WorkerFibers): ReadonlyArray<string> => [
  String(worker),
  pid === undefined ? "-" : String(pid),
  state,
  elapsed(since),
  problem === undefined ? String(total) : escape(problem)
]

const fiberCells = (
  worker: number,
  { age, id, kind, name, since, state, waits }: FiberRow.FiberRow
): ReadonlyArray<string> => [
  String(worker),
  String(id),
  escape(kind),
  escape(name),
  state,
  elapsed(age),
  // Since when is known only of what says what it waits for.
  waits.length === 0 ? "-" : elapsed(since),
  waits.map((wait) => escape(`${wait.kind}: ${wait.what}`)).join("; ")
]

const described = ({ argv, cwd, file, name, pid, servers, uptime, version }: Control.Status) => ({
  pid,
  name,
  version,
  file: file ?? null,
  argv,
  cwd,
  uptime,
  servers
})

// --- time ------------------------------------------------------------------------------------------------------------

const units: ReadonlyArray<readonly [name: string, millis: number]> = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1_000]
]

/** Milliseconds as people say it, in the two units that matter: `3m 2s`, `850ms`. */
export const elapsed = (millis: number): string => {
  const whole = Math.max(0, Math.floor(millis))
  const first = units.findIndex(([, size]) => whole >= size)
  if (first < 0) return `${whole}ms`
  const [name, size] = units[first]!
  const next = units[first + 1]
  const rest = next === undefined ? 0 : Math.floor(whole % size / next[1])
  return next === undefined || rest === 0 ? `${Math.floor(whole / size)}${name}`
    : `${Math.floor(whole / size)}${name} ${rest}${next[0]}`
}
