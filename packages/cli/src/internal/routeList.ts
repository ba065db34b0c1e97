/**
 * The routes of an app in the order in which they are tried, as data and as text.
 *
 * When to reach for it: `kore-fx routes`.
 * What it is not: the router, whose rules it follows; see `Router` of `@kore-fx/http`.
 */
import type { Domain, Route } from "kore-fx"
import type { Inspected } from "./inspect.ts"
import { schemaName, schemaNames } from "./schemaName.ts"
import { columns, indent } from "./text.ts"

/** One route as `kore-fx routes --json` prints it. */
export interface Row {
  readonly server: string
  readonly host: string
  readonly methods: ReadonlyArray<string>
  /** Methods that are answered without being declared: HEAD where GET is. */
  readonly implied: ReadonlyArray<string>
  /** A path such as `/users/:id`, or a regular expression such as `/^\/([0-9]+)$/`. */
  readonly pattern: string
  readonly kind: "path" | "expression"
  /** Schemas by name, where the route declares any. */
  readonly path?: Readonly<Record<string, string>>
  readonly query?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  readonly success?: string
  /** The status of a returned value. */
  readonly status?: number
}

type AnyRoute = Route.Route<any, any>

// Exact names before wildcards, longer wildcards before shorter, `*` last.
const hostRank = (host: string): number => host === "*" ? Infinity : host.startsWith("*.") ? 1 / host.length : 0

// 0 for a path without parameters, then one digit for each segment: text, `:name`, `*name`; expressions last.
const rank = ({ pattern }: AnyRoute): string => {
  if (typeof pattern !== "string") return "2"
  const digits = pattern.slice(1).split("/").map((segment) =>
    segment.startsWith(":") ? "1" : segment.startsWith("*") ? "2" : "0"
  )
  return digits.every((digit) => digit === "0") ? "0" : `1${digits.join("")}`
}

const compare = <A extends number | string>(a: A, b: A): number => a < b ? -1 : a > b ? 1 : 0

const shape = ({ pattern }: AnyRoute): string =>
  typeof pattern === "string" ? pattern.replace(/\/([:*])[^/]*/g, "/$1") : String(pattern)

/** The rows, server by server, host by host, the most specific route first. */
export const rowsOf = ({ app }: Inspected, domains: ReadonlyArray<Domain.Registration>): ReadonlyArray<Row> =>
  Object.keys(app.servers).flatMap((server) => {
    const own = domains.filter(({ attach }) => attach === server)
    const hosts = [...new Set(own.map(({ host }) => host))].sort((a, b) => compare(hostRank(a), hostRank(b)))
    return hosts.flatMap((host) => {
      const routes = own.filter((domain) => domain.host === host).flatMap((domain) => domain.routes)
      const heads = new Set(routes.filter(({ methods }) => methods.includes("HEAD")).map(shape))
      return routes
        .toSorted((a, b) => compare(rank(a), rank(b)))
        .map((route) => rowOf(server, host, route, !heads.has(shape(route))))
    })
  })

const rowOf = (server: string, host: string, route: AnyRoute, noHead: boolean): Row => {
  const { body, headers, path, query, status, success } = route.spec
  const present = {
    path: schemaNames(path),
    query: schemaNames(query),
    headers: schemaNames(headers),
    body: body && schemaName(body),
    success: success && schemaName(success),
    status: success && (status ?? 200)
  }
  return {
    server,
    host,
    methods: route.methods,
    implied: noHead && route.methods.includes("GET") ? ["HEAD"] : [],
    pattern: String(route.pattern),
    kind: typeof route.pattern === "string" ? "path" : "expression",
    ...Object.fromEntries(Object.entries(present).filter(([, value]) => value !== undefined))
  }
}

const fields = (part: string, schemas: Readonly<Record<string, string>> | undefined): ReadonlyArray<string> => {
  if (schemas === undefined) return []
  return [`${part} { ${Object.entries(schemas).map(([name, schema]) => `${name}: ${schema}`).join(", ")} }`]
}

const declared = (row: Row): string => {
  const takes = [
    ...fields("path", row.path),
    ...fields("query", row.query),
    ...fields("headers", row.headers),
    ...row.body === undefined ? [] : [`body ${row.body}`]
  ]
  return [takes.join(", "), row.success === undefined ? "" : `→ ${row.status} ${row.success}`].filter(Boolean).join(" ")
}

/** The rows as text: a line for each server and host, and one for each route. */
export const formatRows = ({ app, kore }: Inspected, rows: ReadonlyArray<Row>): string =>
  Object.entries(app.servers).map(([server, address]) => {
    const own = rows.filter((row) => row.server === server)
    const hosts = [...new Set(own.map(({ host }) => host))].map((host) => {
      const lines = own.filter((row) => row.host === host)
        .map((row) => [[...row.methods, ...row.implied].join(" "), row.pattern, declared(row)])
      return indent(`host ${host}\n${indent(columns(lines), 2)}`, 2)
    })
    const title = `server ${server} on ${kore.Listener.label(address)}`
    return [title, ...hosts.length === 0 ? ["  no routes: every request is answered with 404"] : hosts].join("\n")
  }).join("\n\n")
