/**
 * The places options are written in: the app, a file, the environment.
 *
 * When to reach for it: through `Config.resolve` only.
 * What it is not: validation. Values are collected as they were written; only names are checked here.
 */
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import { ConfigProblem } from "../KoreError.ts"
import { nearest } from "./nearest.ts"
import { byLegacyName, byName, byVariable, type Name } from "./options.ts"

/** Where the value of an option comes from. */
export interface Origin {
  /** The kind of place; `argument` is the path of the file, given to `Config.resolve`. */
  readonly source: "default" | "app" | "file" | "environment" | "argument"
  /** The name under which the value stands there: `httpBodyMax`, `http_body_max`, `KORE_HTTP_BODY_MAX`. */
  readonly key: string
  /** The path of the file, when it is a file. */
  readonly path?: string
}

/** The text of an origin: `environment KORE_WORKERS`. */
export const formatOrigin = ({ key, path, source }: Origin): string => {
  switch (source) {
    case "environment":
      return `environment ${key}`
    case "file":
      return `file ${path}`
    default:
      return source
  }
}

/** A value as it was written, and where. */
export interface Given {
  readonly value: unknown
  readonly origin: Origin
}

/** What one source says. */
export interface Reading {
  readonly values: ReadonlyMap<Name, Given>
  readonly problems: ReadonlyArray<ConfigProblem>
}

/** What a source says that is not there. */
export const nothing: Reading = { values: new Map(), problems: [] }

const unknownName = (option: string, source: string, names: Iterable<string>, suggestion = nearest(option, names)) =>
  new ConfigProblem({
    option,
    source,
    expected: "the name of an option",
    ...(suggestion === undefined ? {} : { suggestion })
  })

/** Reads the options of an app. Only camelCase names are options; Kore's names are answered with those. */
export const fromApp = (app: object): Reading => {
  const values = new Map<Name, Given>()
  const problems: Array<ConfigProblem> = []
  for (const [key, value] of Object.entries(app)) {
    // What TypeScript forbids, JavaScript does: a key with `undefined` counts as absent.
    if (value === undefined) continue
    const name = byName.get(key)
    if (name === undefined) problems.push(unknownName(key, "app", byName.keys(), byLegacyName.get(key)))
    else values.set(name, { value, origin: { source: "app", key } })
  }
  return { values, problems }
}

// Kubernetes announces a service called "kore" to every pod in variables that look like ours.
const kubernetes = (key: string, value: string): boolean =>
  /_SERVICE_(HOST|PORT(_\w+)?)$|_PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$/.test(key) ||
  (key.endsWith("_PORT") && /^(tcp|udp|sctp):\/\//.test(value))

/** Reads the variables that begin with `KORE_`, except those that begin with `KORE_FX_`, which are internal. */
export const fromEnvironment = (env: Readonly<Record<string, string | undefined>>): Reading => {
  const values = new Map<Name, Given>()
  const problems: Array<ConfigProblem> = []
  for (const [key, value] of Object.entries(env)) {
    if (value === undefined || !key.startsWith("KORE_") || key.startsWith("KORE_FX_")) continue
    const name = byVariable.get(key)
    if (name !== undefined) values.set(name, { value, origin: { source: "environment", key } })
    else if (!kubernetes(key, value)) problems.push(unknownName(key, "environment", byVariable.keys()))
  }
  return { values, problems }
}

const reason = (cause: unknown): string => cause instanceof Error ? cause.message : String(cause)

/** Reads a JSON file; `given` says who named the file. Both camelCase and Kore's names are options. */
export const fromFile = Effect.fnUntraced(function*(path: string, given: Origin): Effect.fn.Return<Reading> {
  const unusable = (expected: string): Reading => ({
    values: new Map(),
    problems: [new ConfigProblem({ option: "file", value: path, source: formatOrigin(given), expected })]
  })
  return yield* Effect.try({
    try: () => fs.readFileSync(path, "utf8"),
    catch: (cause) => unusable(`a file that can be read (${reason(cause)})`)
  }).pipe(
    Effect.flatMap((text) =>
      Effect.try({
        // Editors on Windows begin a file with a byte order mark, which JSON does not allow.
        try: (): unknown => JSON.parse(text.replace(/^\uFEFF/, "")),
        // The message of V8 tells line and column.
        catch: (cause) => unusable(`a file of JSON (${reason(cause)})`)
      })
    ),
    Effect.filterOrFail(
      (json): json is object => typeof json === "object" && json !== null && !Array.isArray(json),
      () => unusable("a file with one JSON object, such as { \"workers\": 2 }")
    ),
    Effect.map((json) => fromJson(path, json)),
    Effect.catch(Effect.succeed)
  )
})

const fromJson = (path: string, json: object): Reading => {
  const values = new Map<Name, Given>()
  const problems: Array<ConfigProblem> = []
  const source = `file ${path}`
  for (const [key, value] of Object.entries(json)) {
    const name = byName.get(key) ?? byLegacyName.get(key)
    const earlier = name === undefined ? undefined : values.get(name)
    // For editors, which find the schema of a file by it.
    if (key === "$schema") continue
    if (name === undefined) problems.push(unknownName(key, source, byName.keys()))
    else if (name === "file") {
      problems.push(new ConfigProblem({ option: key, source, expected: "no other file: a file cannot name the next" }))
    } else if (earlier !== undefined) {
      const expected = `one value, and ${earlier.origin.key} gives it too`
      problems.push(new ConfigProblem({ option: key, source, expected }))
    } else values.set(name, { value, origin: { source: "file", key, path } })
  }
  return { values, problems }
}
