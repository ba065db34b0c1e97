/**
 * `kore.log`: one line in the server's log.
 *
 * When to reach for it: to tell people something.
 * What it is not: an access log. Source: Kore, runtime §5 and http §17.
 */
import * as CoreLog from "@kore-fx/core/Log"
import * as Worker from "@kore-fx/core/process/Worker"
import * as Effect from "effect/Effect"
import * as Host from "../Host.ts"
import { describe } from "./Coroutine.ts"
import { RuntimeError } from "./errors.ts"
import { registry } from "./internal/Registry.ts"
import * as Run from "./internal/Run.ts"

/**
 * Writes text to the log, with a priority of syslog: 0 to 2 as fatal, `kore.LOG_ERR` as an error, 4 as a warning, the
 * rest as it is. Syslog gets the priority itself.
 *
 * One call is one line: control characters in the text are escaped. The option `log_level` filters, with 7 as 6: by
 * default nothing is lost. A number above 7 has a facility in it, as for syslog(3); only its last three bits count here.
 *
 * @throws RuntimeError when the priority is no whole number of 32 bits or the text is no string.
 *
 * @example
 * ```ts
 * import { kore } from "kore-fx/legacy"
 *
 * kore.log(kore.LOG_INFO, "this is a log string from a worker process")
 * ```
 */
export const log = (priority: number, text: string): void => {
  if (!Number.isInteger(priority) || (priority | 0) !== priority) {
    throw new RuntimeError(`kore.log got the priority ${describe(priority)}, expected one such as kore.LOG_INFO`)
  }
  if (typeof text !== "string") throw new RuntimeError(`kore.log got ${describe(text)}, expected a string`)
  const level = CoreLog.levelOf(priority)
  const line = Effect.logWithLevel(level === "Debug" ? "Info" : level)(text)
  write(Effect.provideService(line, CoreLog.Priority, priority))
}

/** Writes a line of Effect's log from plain code: in a worker through its loggers, else as the options say so far. */
export const write = (line: Effect.Effect<void>): void => {
  if (registry.running !== undefined) return Run.now(line)
  Effect.runSync(Effect.provide(line, Host.current()?.mode === "inspect" ? inspecting : outside()))
}

// At import and in `configure`. A worker does not know its number then.
const outside = () => CoreLog.layerEarly(Worker.isWorker ? "wrk" : "parent", registry.declaration.config)

// A command that only looks at the app has standard output for its answer.
const inspecting = CoreLog.layer("inspect", { to: "stderr" })
