/**
 * The access log: one line for every request that a domain was asked, appended to a file.
 *
 * When to reach for it: who asked for what, when, and with what success, for people and for the programs that count it.
 * What it is not: the log of the application, which is Effect's own, nor a queue. A request never waits for it; lines that
 * a slow disk has no room for are dropped and counted.
 *
 * Every worker appends to the file itself, whole lines at a time, so that lines of several workers never mix. SIGUSR1
 * opens the file anew: move it away, then send the signal to the parent, which passes it on.
 * Kore: http §17.1; A9, A14, B32, B39.
 */
import * as Line from "@kore-fx/core/log/Line"
import * as ByteSize from "effect/ByteSize"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Runtime from "effect/Runtime"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as File from "./access-log/File.ts"
import * as Forms from "./access-log/Format.ts"
import { onReopen } from "./access-log/Reopen.ts"
import * as Writer from "./access-log/Writer.ts"
import { Hosts } from "./Hosts.ts"
import type { Ended, Observer } from "./transport/Observation.ts"

/** One request that has ended, as the log gets it. It can be read during the call only. */
export type Entry = Ended

/** An open log. */
export interface AccessLog {
  /** Writes one line. Never waits and never throws. */
  readonly log: (entry: Entry) => void
}

/**
 * The form of a line:
 *
 * - `kore`: Kore's own, without the query;
 * - `combined`: that of NCSA and Apache, with the query;
 * - `json`: one object, with host, duration and how the request ended;
 * - a function: its text, made fit for one line. Where it throws, the line is Kore's, and the first time is reported.
 */
export type Format = "kore" | "combined" | "json" | Forms.Format

/** Where a log goes and what it looks like. */
export interface Options {
  /** The file; a relative one begins at the working directory. Its folder must be there. */
  readonly path: string
  /** Default: `kore`. */
  readonly format?: Format | undefined
  /**
   * The longest time that a line waits before it is written, from 0 to 1 minute; the first one after a pause, and 64 KiB
   * of them, wait for nothing. Default: 1 second.
   */
  readonly flush?: Duration.Input | undefined
  /** How much may wait for a disk that is slow, from 4 KiB to 1 GiB; what is beyond is dropped. Default: 1 MiB. */
  readonly buffer?: ByteSize.Input | undefined
}

/** The file of a log cannot be opened. */
export class AccessLogError extends Schema.TaggedError<AccessLogError>()("AccessLogError", {
  path: Schema.String,
  code: Schema.String,
  cause: Schema.Defect()
}) {
  // A folder that is missing or closed is so the next time too: the parent makes no second try.
  override readonly [Runtime.errorExitCode] = PERMANENT.has(this.code) ? 2 : 1

  override get message(): string {
    return `the access log ${this.path} cannot be opened (${this.code}): expected a file that the workers may append to. ` +
      "Make its folder, and give the user of the workers the right to write there."
  }
}

/**
 * Opens a log until the scope closes; then everything that was logged is written.
 *
 * Fails with `AccessLogError`. Throws a `RangeError` for an option out of its bounds, and a `TypeError` for one of
 * another kind.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { AccessLog } from "@kore-fx/http"
 *
 * export const program = Effect.gen(function*() {
 *   const log = yield* AccessLog.open({ path: "access.log", format: "json", flush: "500 millis" })
 *   return AccessLog.byHost([["example.com", log]])
 * })
 * ```
 */
export const open = (options: Options): Effect.Effect<AccessLog, AccessLogError, Scope.Scope> => {
  const { path } = options
  if (typeof path !== "string" || path === "" || path.includes("\0")) {
    throw new TypeError(`the option path of an access log is ${JSON.stringify(path)}: expected the path of a file`)
  }
  const form = formOf(options.format)
  const interval = intervalOf(options.flush ?? "1 second")
  const limit = options.buffer === undefined ? USUAL_LIMIT : limitOf(options.buffer)
  return Effect.gen(function*() {
    // Before the file is opened: a signal in between would be missed.
    let isMoved = false
    let reopen = (): void => void (isMoved = true)
    yield* onReopen(() => reopen())
    const writer = yield* Effect.mapError(
      Writer.make(File.open(path), { name: path, interval, limit }),
      (cause) => new AccessLogError({ path, code: cause.code ?? "UNKNOWN", cause })
    )
    reopen = writer.reopen
    if (isMoved) reopen()
    if (typeof form === "string") return { log: (entry) => writer.append(`${forms[form](entry)}\n`) }
    const own = yield* guarded(form, path)
    return { log: (entry) => writer.append(`${own(entry)}\n`) }
  })
}

/**
 * Gives every request to the log of its domain: by the exact host, else the longest wildcard, else `*`.
 *
 * A host without a log is not logged. What is for no host, because none was sent or no domain answers it, goes to the
 * log of `*`, and where `*` is none of the hosts, to the first log. Returns `undefined` when no host has a log, so that
 * the transport has nobody to tell.
 *
 * @example
 * ```ts
 * import { AccessLog } from "@kore-fx/http"
 *
 * declare const log: AccessLog.AccessLog
 *
 * export const observer = AccessLog.byHost([["example.com", log], ["*.example.com", undefined]])
 * ```
 */
export const byHost = (
  logs: ReadonlyArray<readonly [host: string, log: AccessLog | undefined]>
): Observer | undefined => {
  if (logs.every(([, log]) => log === undefined)) return undefined
  const hosts = new Hosts(logs.map(([host, log]) => [host, { log }] as const))
  const others = logs.find(([host]) => host === "*") ?? logs.find(([, log]) => log !== undefined)
  const rest = { log: others?.[1] }
  return (ended) => {
    const only = hosts.only
    if (only !== undefined) return only.log?.log(ended)
    const { host } = ended
    const found = host === undefined ? rest : hosts.find(host) ?? rest
    found.log?.log(ended)
  }
}

// --- private ---------------------------------------------------------------------------------------------------------

const PERMANENT = new Set(["ENOENT", "ENOTDIR", "EISDIR", "EACCES", "EPERM", "EROFS", "ENAMETOOLONG", "ELOOP"])

const forms = { kore: Forms.kore, combined: Forms.combined, json: Forms.json }

const formOf = (format: Format = "kore"): keyof typeof forms | Forms.Format => {
  if (typeof format === "function" || Object.hasOwn(forms, format)) return format
  throw new TypeError(
    `the option format of an access log is ${JSON.stringify(format)}: expected "kore", "combined", "json" or a function`
  )
}

const intervalOf = (flush: Duration.Input): number => {
  const duration = Option.getOrUndefined(Duration.fromInput(flush))
  const interval = duration === undefined ? Number.NaN : Duration.toMillis(duration)
  if (interval >= 0 && interval <= LONGEST) return interval
  throw new RangeError(`the option flush of an access log is ${JSON.stringify(flush)}: expected 0 seconds to 1 minute`)
}

const limitOf = (buffer: ByteSize.Input): number => {
  const size = Option.getOrUndefined(ByteSize.fromInput(buffer))
  const limit = size === undefined ? Number.NaN : ByteSize.toNumberUnsafe(size)
  if (limit >= 4096 && limit <= 2 ** 30) return limit
  throw new RangeError(`the option buffer of an access log is ${String(buffer)}: expected 4 KiB to 1 GiB`)
}

const LONGEST = 60_000
const USUAL_LIMIT = 2 ** 20

// A function of the application must not break a line, nor a connection.
const guarded = Effect.fnUntraced(function*(form: Forms.Format, path: string) {
  const thrown = yield* Deferred.make<unknown>()
  yield* Effect.forkScoped(
    Effect.flatMap(Deferred.await(thrown),
      (error) =>
        Effect.logError(`the format of the access log ${path} has thrown, so lines are Kore's where it does`, error))
  )
  return (entry: Entry): string => {
    try {
      return Line.escape(String(form(entry)))
    } catch (error) {
      Deferred.doneUnsafe(thrown, Effect.succeed(error))
      return Forms.kore(entry)
    }
  }
})
