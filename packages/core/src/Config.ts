/**
 * The configuration of a server: every option of Kore and our own, where each value may be written, and what it means.
 *
 * When to reach for it: `Config.resolve` once at start; `Config.Current` in whatever needs an option; `Config.describe`
 * to show people what is in force and why.
 * What it is not: the configuration of an application, for which Effect has its own `Config`. Neither is it a parser of
 * Kore's configuration files, which are programs of another language.
 *
 * A value in the environment (`KORE_HTTP_BODY_MAX`) goes before one in the file, that before one in the app, and that
 * before the default. Sizes and durations are text with units or bare numbers in Kore's unit of that option.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Formatter from "effect/Formatter"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Definition from "./config/Definition.ts"
import { byLegacyName, type Name, names, type Options, options } from "./config/options.ts"
import * as Source from "./config/Source.ts"
import { ConfigError, ConfigProblem } from "./KoreError.ts"

export {
  /** Every option by its name: what it takes, its default, what it does. */
  options
}

export type {
  /** The name of an option: `httpBodyMax`. */
  Name,
  /** The type of the table of options. */
  Options
}

/** Where the value of an option comes from. */
export type Origin = Source.Origin

type InputOf<D extends Definition.Any> = D["kind"]["schema"]["Encoded"]
type ValueOf<D extends Definition.Any> = D["kind"]["schema"]["Type"] | D["default"]

/**
 * The options as a program writes them, all of them optional; nothing is validated yet.
 *
 * @example
 * ```ts
 * const input: Config.Input = { workers: 2, httpBodyMax: "64 KiB", httpHeaderTimeout: "5 seconds" }
 * ```
 */
export type Input = { readonly [K in keyof Options]?: InputOf<Options[K]> }

type Values = { readonly [K in keyof Options]: ValueOf<Options[K]> }

/** The options in force: every one has its value, or `undefined` where it has no default and nobody gave one. */
export interface Config extends Values {}

/** The configuration in force, as parent and workers see it. */
export class Current extends Context.Service<Current, Config>()("@kore-fx/core/Config/Current") {}

/** A configuration together with where each of its values comes from. */
export interface Resolved {
  readonly config: Config
  readonly origins: Readonly<Record<Name, Origin>>
}

// The casts here and in `resolve`: no type follows what a loop over the table puts under each of its names.
/** The configuration when nobody says anything: for tests, and to build others from. */
export const defaults: Config = Object.fromEntries(names.map((name) => [name, options[name].default])) as any as Config

/**
 * The name of the option that Kore calls by this name.
 *
 * @example
 * ```ts
 * Config.fromLegacyName("http_body_max") // Option.some("httpBodyMax")
 * ```
 */
export const fromLegacyName = (legacyName: string): Option.Option<Name> =>
  Option.fromUndefinedOr(byLegacyName.get(legacyName))

/** Kore's name of an option: `http_body_max` for `httpBodyMax`. */
export const toLegacyName = (name: Name): string => Definition.legacyName(name)

// A value as people would recognise it: what they wrote, on one line, and not too much of it.
const render = (value: unknown, origin: Origin): string => {
  const quoted = Formatter.format(value).replace(/\s+/g, " ")
  const text = origin.source === "environment" && typeof value === "string" && /^[!-~]+$/.test(value) ? value : quoted
  return text.length > 80 ? `${text.slice(0, 79)}…` : text
}

/**
 * Reads one value of one option, as `resolve` does; the problem names the option, the value and what is allowed.
 *
 * @example
 * ```ts
 * Config.decode("httpBodyMax", "64 KiB", { source: "app", key: "http_body_max" }) // a success with 65536n
 * ```
 */
export const decode = <N extends Name>(
  name: N,
  value: unknown,
  origin: Origin = { source: "app", key: name }
): Result.Result<Config[N], ConfigProblem> =>
  Result.fromOption(Definition.decode<any, any, any>(options[name], value), () =>
    new ConfigProblem({
      option: name,
      value: render(value, origin),
      source: Source.formatOrigin(origin),
      expected: options[name].kind.expected
    }))

/** What `resolve` reads. */
export interface Sources {
  /** The options of the app, as `App.config` holds them. */
  readonly app: Input
  /** The environment; without one, that of the process. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** The path of the file; without one, the option `file` names it (`KORE_CONFIG` in the environment). */
  readonly file?: string
}

/**
 * Finds the value of every option and where it comes from.
 *
 * Fails with every problem there is in any source, also in values that another source overrides: unknown names, values
 * that are not allowed, a file that cannot be read. Reads the file and the environment once, when it runs.
 *
 * @example
 * ```ts
 * const program = Effect.gen(function*() {
 *   const { config } = yield* Config.resolve({ app: { workers: 2 }, env: { KORE_HTTP_BODY_MAX: "64 KiB" } })
 *   return config.httpBodyMax // 65536n
 * })
 * ```
 */
export const resolve = Effect.fnUntraced(
  function*({ app, env = process.env, file }: Sources): Effect.fn.Return<Resolved, ConfigError> {
    const argument: Source.Reading = file === undefined
      ? Source.nothing
      : { values: new Map([["file", { value: file, origin: { source: "argument", key: "file" } }]]), problems: [] }
    const outside = [argument, Source.fromEnvironment(env)]
    const program = Source.fromApp(app)

    // The file comes between the environment and the app, and either of them may name it.
    const named = [...outside, program].find(({ values }) => values.has("file"))?.values.get("file")
    const path = named === undefined ? undefined : Result.getOrUndefined(decode("file", named.value, named.origin))
    const fromFile = named === undefined || path === undefined
      ? Source.nothing
      : yield* Source.fromFile(path, named.origin)

    const config: Record<string, unknown> = { ...defaults }
    const origins: Record<string, Origin> = Object.fromEntries(names.map((key) => [key, { source: "default", key }]))
    const problems: Array<ConfigProblem> = []
    // From the weakest source to the strongest, so that each overwrites the one before.
    for (const reading of [program, fromFile, ...outside.toReversed()]) {
      problems.push(...reading.problems)
      for (const [name, { origin, value }] of reading.values) {
        const result = decode(name, value, origin)
        if (Result.isFailure(result)) problems.push(result.failure)
        else {
          config[name] = result.success
          origins[name] = origin
        }
      }
    }
    if (problems.length > 0) return yield* new ConfigError({ problems })
    return { config: config as any as Config, origins: origins as Record<Name, Origin> }
  }
)

/** One line of `kore-fx check`. */
export interface Row {
  readonly option: Name
  /** The value as text; an environment variable with that text means the same. `none` when there is no value. */
  readonly value: string
  /** Where the value comes from, as text: `environment KORE_WORKERS`. */
  readonly source: string
  /** The same as data; `origin.source` is `default` when nobody asked for the value. */
  readonly origin: Origin
  /** What the option does, what it takes, its default. */
  readonly doc: string
  /** The capability that will apply the option, such as `TLS`; `undefined` when it is applied. */
  readonly notApplied: string | undefined
}

/** Describes every option in force, in the order of the tables. */
export const describe = ({ config, origins }: Resolved): ReadonlyArray<Row> =>
  names.map((option) => {
    const definition: Definition.Any = options[option]
    return {
      option,
      value: Definition.formatValue(definition, config[option]),
      source: Source.formatOrigin(origins[option]),
      origin: origins[option],
      doc: Definition.documentation(definition),
      notApplied: definition.later
    }
  })
