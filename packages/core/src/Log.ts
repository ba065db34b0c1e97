/**
 * The log: what Effect's `Effect.log` writes, in which form, and where.
 *
 * ```text
 * 2026-11-24 12:30:05.123 UTC proc=[wrk 1] log=[hello user=42]
 * ```
 *
 * When to reach for it: parent and workers install it with `layerConfig`; an app that wants another form installs a
 * Logger of its own.
 * What it is not: an access log, which bypasses Effect's logging, or a log file, which is standard output of a process.
 *
 * A log call never fails. To standard output or standard error it writes at once; to syslog it never waits.
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import type * as LogLevel from "effect/LogLevel"
import * as References from "effect/References"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as Config from "./Config.ts"
import * as Definition from "./config/Definition.ts"
import { logOptions } from "./config/log.ts"
import * as Entry from "./log/Entry.ts"
import * as Json from "./log/Json.ts"
import * as Line from "./log/Line.ts"
import * as Priorities from "./log/Priority.ts"
import * as Stream from "./log/Stream.ts"
import * as Syslog from "./log/Syslog.ts"

/** The form of lines: Kore's, or one JSON object each. Kore: http §17. */
export type Format = Config.Config["logFormat"]

/**
 * How a process logs; what is not said is as in the option of that name, but for `level`.
 *
 * @example
 * ```ts
 * const options: Log.Options = { format: "json", to: "syslog", level: "Debug" }
 * ```
 */
export interface Options {
  readonly format?: Format | undefined
  readonly to?: Config.Config["logTo"] | undefined
  /** The lowest level that is written; without one, that of the fiber that logs. */
  readonly level?: LogLevel.LogLevel | undefined
  /** The socket of the syslog daemon. */
  readonly socket?: string | undefined
}

/**
 * Replaces the loggers by one that writes under the name of the process: `parent`, `wrk 1`.
 *
 * To standard output: a reader that goes away costs log lines and never the process. To syslog: one datagram for each
 * line, of 8 KiB at most, with the priority of its level or that of `Priority`; lines the daemon has no room for are
 * dropped and counted, lines that find no daemon go to standard error. The socket is open until the scope closes.
 * Source: Kore, http §17.
 *
 * @example
 * ```ts
 * const program = Effect.provide(Effect.log("hello"), Log.layer("parent"))
 * const elsewhere = Effect.provide(Effect.log("hello"), Log.layer("parent", { to: "syslog", level: "Warn" }))
 * ```
 */
export const layer = (processName: string, options: Options = {}): Layer.Layer<never> => {
  const logger = Logger.layer([Effect.map(destination(processName, options), (write) => loggerOf(processName, write))])
  return options.level === undefined
    ? logger
    : Layer.merge(logger, Layer.succeed(References.MinimumLogLevel, options.level))
}

/**
 * The same as the configuration in force has it: `logFormat`, `logTo`, `logLevel`, `logSocket`.
 *
 * @example
 * ```ts
 * const program = Effect.flatMap(
 *   Config.resolve({ app: { logFormat: "json" } }),
 *   ({ config }) => Effect.provide(Effect.log("hello"), Log.layerConfig("parent", config))
 * )
 * ```
 */
export const layerConfig = (
  processName: string,
  config: Pick<Config.Config, "logFormat" | "logTo" | "logLevel" | "logSocket">
): Layer.Layer<never> =>
  layer(processName, {
    format: config.logFormat,
    to: config.logTo,
    level: config.logLevel,
    socket: config.logSocket
  })

/**
 * The same for lines before there is a configuration, or because there is none that is valid.
 *
 * Of the four options, each that is valid in the environment counts, else in the app, else its default. No file is read.
 *
 * @example
 * ```ts
 * const program = Effect.provide(Effect.logError("the configuration is not valid"), Log.layerEarly("parent", {}))
 * ```
 */
export const layerEarly = (
  processName: string,
  app: Config.Input,
  env: Readonly<Record<string, string | undefined>> = process.env
): Layer.Layer<never> => Layer.unwrap(Effect.sync(() => layerConfig(processName, readable(app, env))))

/**
 * A Logger that gives every line, with its line feed, to `write`.
 *
 * @example
 * ```ts
 * const lines: Array<string> = []
 * const collecting = Logger.layer([Log.make("test", (line) => lines.push(line))])
 * ```
 */
export const make = (
  processName: string,
  write: (line: string) => void,
  format: Format = "kore"
): Logger.Logger<unknown, void> => loggerOf(processName, (entry) => write(`${formats[format].format(entry)}\n`))

/**
 * Makes a text fit for one line: control characters and line separators are written as escapes, such as `\n`, `\x1b`.
 *
 * Everything else stays as it is, backslashes too. The formats do so by themselves.
 *
 * @example
 * ```ts
 * const title = `kore [${Log.escape("two\nlines")}]`
 * ```
 */
export const escape: (text: string) => string = Line.escape

/**
 * The priority of log lines where it says more than their level, as LOG_NOTICE (5) does, which Effect has no level for.
 *
 * Syslog gets this number, JSON has it as `priority`. It filters nothing: that is done by level. A facility may be
 * added to it, as for syslog(3); without one it is `daemon`. Source: Kore, runtime §5 (`kore.log`).
 *
 * @example
 * ```ts
 * const notice = Effect.provideService(Effect.logInfo("certificate renewed"), Log.Priority, 5)
 * ```
 */
export const Priority: Context.Reference<number | undefined> = Priorities.Priority

/**
 * The priority of a level: LOG_CRIT (2) for Fatal, LOG_ERR (3), LOG_WARNING (4), LOG_INFO (6), LOG_DEBUG (7).
 *
 * @example
 * ```ts
 * Log.priorityOf("Error") // 3
 * ```
 */
export const priorityOf: (level: LogLevel.LogLevel) => number = Priorities.priorityOf

/**
 * The level nearest to a priority: LOG_EMERG, LOG_ALERT and LOG_CRIT are Fatal, LOG_NOTICE is Info.
 *
 * A facility that is part of the priority plays no part.
 *
 * @example
 * ```ts
 * Log.levelOf(4) // "Warn"
 * ```
 */
export const levelOf: (priority: number) => LogLevel.Severity = Priorities.levelOf

// --- private ---------------------------------------------------------------------------------------------------------

const formats = { kore: Line, json: Json }

const destination = (
  processName: string,
  { format = logOptions.logFormat.default, socket = logOptions.logSocket.default, to = logOptions.logTo.default }:
    Options
): Effect.Effect<(entry: Entry.Entry) => void, never, Scope.Scope> =>
  Effect.suspend(() => {
    const chosen = formats[format]
    const lines = (stream: NodeJS.WriteStream) => {
      const write = Stream.writer(stream)
      return (entry: Entry.Entry): void => write(chosen.format(entry))
    }
    if (to !== "syslog") return Effect.succeed(lines(to === "stdout" ? process.stdout : process.stderr))
    const instead = lines(process.stderr)
    return Syslog.connect({ path: socket, process: processName, record: chosen.record, instead })
  })

// A log call is part of the program that makes it, which must not fail for it.
const loggerOf = (processName: string, write: (entry: Entry.Entry) => void): Logger.Logger<unknown, void> =>
  Logger.make((options) => {
    try {
      write(Entry.make(processName, options))
    } catch (error) {
      const text = `a log line could not be written: ${Entry.render(error)}`
      Stream.writer(process.stderr)(Line.format(Entry.note(processName, new Date(), "Error", text)))
    }
  })

// A value that is not valid is passed over here; `Config.resolve` reports it.
const readable = (app: Config.Input, env: Readonly<Record<string, string | undefined>>) => {
  const read = <N extends keyof typeof logOptions>(name: N): Config.Config[N] => {
    for (const value of [env[Definition.variableName(name, logOptions[name])], app[name]]) {
      const result = Config.decode(name, value)
      if (value !== undefined && Result.isSuccess(result)) return result.success
    }
    return Config.defaults[name]
  }
  return {
    logFormat: read("logFormat"),
    logTo: read("logTo"),
    logLevel: read("logLevel"),
    logSocket: read("logSocket")
  }
}
