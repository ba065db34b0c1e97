/**
 * The options of the log: form, place, threshold.
 *
 * When to reach for it: to add or change one of these options; `Config.ts` builds everything else from the table.
 * What it is not: access logs, which belong to a domain.
 */
import * as LogLevel from "effect/LogLevel"
import { define } from "./Definition.ts"
import * as Kind from "./Kind.ts"

/** The options of the log. */
export const logOptions = {
  /** Form of log lines: Kore's, for people, or JSON, for programs. One of "kore", "json"; default: kore. */
  logFormat: define({
    kind: Kind.choice(["kore", "json"]),
    default: "kore",
    doc: "Form of log lines: Kore's, for people, or JSON, for programs."
  }),
  /**
   * Where log lines go; Kore's daemons log to syslog. One of "stdout", "stderr", "syslog"; default: stdout.
   */
  logTo: define({
    kind: Kind.choice(["stdout", "stderr", "syslog"]),
    default: "stdout",
    doc: "Where log lines go; Kore's daemons log to syslog."
  }),
  /**
   * Lowest level of lines that are written. One of "All", "Fatal", "Error", "Warn", "Info", "Debug", "Trace", "None";
   * default: Info.
   */
  logLevel: define({
    kind: Kind.choice(LogLevel.values),
    default: "Info",
    doc: "Lowest level of lines that are written."
  }),
  /** Socket of the syslog daemon. A path; default: /dev/log, on macOS /var/run/syslog. */
  logSocket: define({
    kind: Kind.path,
    default: process.platform === "darwin" ? "/var/run/syslog" : "/dev/log",
    defaultText: "/dev/log, on macOS /var/run/syslog",
    doc: "Socket of the syslog daemon."
  })
}
