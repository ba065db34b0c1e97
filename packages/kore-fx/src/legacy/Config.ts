/**
 * `kore.config`: the options of the server, under Kore's names.
 *
 * When to reach for it: at import or in `configure`.
 * What it is not: a second table of options. Every option is core's, checked by `Config.decode` when it is assigned.
 *
 * A bare number is in Kore's unit of the option; text with a unit (`"64 KiB"`, `"10 seconds"`) works too. Reading gives
 * the value in force, in Kore's unit, with what the environment and a file say. Source: Kore, http §2.
 */
import * as CoreConfig from "@kore-fx/core/Config"
import { nearest } from "@kore-fx/core/config/nearest"
import { ConfigError, ConfigProblem } from "@kore-fx/core/KoreError"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import { RuntimeError } from "./errors.ts"
import { declaring, registry } from "./internal/Registry.ts"

type Snake<S extends string> = S extends `${infer Head}${infer Tail}`
  ? Head extends Lowercase<Head> ? `${Head}${Snake<Tail>}` : `_${Lowercase<Head>}${Snake<Tail>}`
  : S

/** The name of an option in Kore: `http_body_max`. */
export type Name = Snake<CoreConfig.Name>

/** Every option by Kore's name, as it may be assigned; null is read where nobody gave a value. */
export type Config = {
  -readonly [K in CoreConfig.Name as Snake<K>]-?:
    | NonNullable<CoreConfig.Input[K]>
    | (undefined extends CoreConfig.Config[K] ? null : never)
}

const known: ReadonlyArray<string> = (Object.keys(CoreConfig.options) as Array<CoreConfig.Name>)
  .map(CoreConfig.toLegacyName)

const nameOf = (key: string): CoreConfig.Name =>
  Option.getOrElse(CoreConfig.fromLegacyName(key), () => {
    const suggestion = nearest(key, known)
    throw failure(new ConfigProblem({
      option: key,
      source: "kore.config",
      expected: "the name of an option",
      ...(suggestion === undefined ? {} : { suggestion })
    }))
  })

const failure = (problem: ConfigProblem): RuntimeError => {
  const value = problem.value === undefined ? "" : ` = ${problem.value}`
  const suggestion = problem.suggestion === undefined ? "" : `; did you mean ${problem.suggestion}?`
  return new RuntimeError(`kore.config.${problem.option}${value}: expected ${problem.expected}${suggestion}`, {
    cause: new ConfigError({ problems: [problem] })
  })
}

const write = (key: string, value: unknown): void => {
  const declaration = declaring(`kore.config.${key} = …`)
  const name = nameOf(key)
  const result = CoreConfig.decode(name, value, { source: "app", key })
  if (Result.isFailure(result)) {
    throw failure(new ConfigProblem({ ...result.failure, option: key, source: "kore.config" }))
  }
  // Kore adds to its lists with every assignment.
  const { config } = declaration
  config[name] = Array.isArray(result.success) ? [...config[name] as Array<unknown> ?? [], ...result.success] : value
}

const inForce = (): CoreConfig.Config => {
  if (registry.running !== undefined) return Context.get(registry.running, CoreConfig.Current)
  const exit = Effect.runSyncExit(CoreConfig.resolve({ app: registry.declaration.config }))
  if (Exit.isSuccess(exit)) return exit.value.config
  const error = Cause.squash(exit.cause)
  throw new RuntimeError(error instanceof Error ? error.message : String(error), { cause: error })
}

// The value as a number in Kore's unit, or as it is. What the unit is, reading the number 1 tells.
const legacyValue = (name: CoreConfig.Name, value: unknown): unknown => {
  if (value === undefined) return null
  if (typeof value === "bigint") return Number(value)
  if (!Duration.isDuration(value)) return value
  const unit = CoreConfig.decode(name, 1)
  return Result.isSuccess(unit) && Duration.isDuration(unit.success)
    ? Duration.toMillis(value) / Duration.toMillis(unit.success)
    : value
}

const read = (key: string): unknown => {
  const name = nameOf(key)
  return legacyValue(name, inForce()[name])
}

// What the language asks any object for.
const asked = new Set([...Object.getOwnPropertyNames(Object.prototype), "then", "toJSON"])

/**
 * The options.
 *
 * Assigning checks the value at once.
 *
 * @throws RuntimeError for an unknown option, for a value that is not allowed (it names option, value and what is
 * allowed), and for an assignment after the app has started.
 *
 * @example
 * ```ts
 * import { kore } from "kore-fx/legacy"
 *
 * kore.config.workers = 1
 * kore.config.http_header_timeout = 60 // seconds
 * kore.config.http_body_max = "64 KiB"
 * kore.config.deployment = "dev"
 * ```
 */
export const config: Config = new Proxy({}, {
  get: (_, key) => typeof key !== "string" || asked.has(key) ? undefined : read(key),
  set: (_, key, value) => {
    write(String(key), value)
    return true
  },
  has: (_, key) => typeof key === "string" && known.includes(key),
  ownKeys: () => [...known],
  getOwnPropertyDescriptor: (_, key) =>
    typeof key === "string" && known.includes(key)
      ? { configurable: true, enumerable: true, writable: true, value: read(key) }
      : undefined,
  deleteProperty: (_, key) => {
    throw new RuntimeError(`kore.config.${String(key)} cannot be deleted`)
  },
  defineProperty: (_, key) => {
    throw new RuntimeError(`kore.config.${String(key)} cannot be defined: assign to it`)
  }
}) as Config
