/**
 * `kore.log`: one line in the server's log.
 *
 * When to reach for it: to tell people something.
 * What it is not: an access log. Source: Kore, http §17.
 */
import * as CoreLog from "@kore-fx/core/Log"
import * as Worker from "@kore-fx/core/process/Worker"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as Host from "../Host.ts"
import { LOG_ERR } from "./constants.ts"
import { describe } from "./Coroutine.ts"
import { RuntimeError } from "./errors.ts"
import { registry } from "./internal/Registry.ts"
import * as Run from "./internal/Run.ts"

/**
 * Writes text to the log, with a priority of syslog: up to `kore.LOG_ERR` as an error, 4 as a warning, the rest as it
 * is.
 *
 * One call is one line: control characters in the text are escaped. No priority is filtered.
 *
 * @throws RuntimeError when the priority is no whole number or the text is no string.
 *
 * @example
 * ```ts
 * import { kore } from "kore-fx/legacy"
 *
 * kore.log(kore.LOG_INFO, "this is a log string from a worker process")
 * ```
 */
export const log = (priority: number, text: string): void => {
  if (!Number.isInteger(priority)) {
    throw new RuntimeError(`kore.log got the priority ${describe(priority)}, expected one such as kore.LOG_INFO`)
  }
  if (typeof text !== "string") throw new RuntimeError(`kore.log got ${describe(text)}, expected a string`)
  write(priority <= LOG_ERR ? Effect.logError(text) : priority === 4 ? Effect.logWarning(text) : Effect.logInfo(text))
}

/** Writes a line of Effect's log from plain code: in a worker through its loggers, else as Kore's line. */
export const write = (line: Effect.Effect<void>): void => {
  if (registry.running !== undefined) return Run.now(line)
  Effect.runSync(Effect.provide(line, Host.current()?.mode === "inspect" ? inspecting : outside))
}

// At import and in `configure`. A worker does not know its number then.
const outside = CoreLog.layer(Worker.isWorker ? "wrk" : "parent")

// A command that only looks at the app has standard output for its answer.
const inspecting = Logger.layer([CoreLog.make("inspect", (line) => process.stderr.write(line))])
