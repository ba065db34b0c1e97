/**
 * The options of processes: workers, their life and death, privileges.
 *
 * When to reach for it: to add or change one of these options; `Config.ts` builds everything else from the table.
 * What it is not: the processes themselves, which are in `process/`.
 */
import * as Duration from "effect/Duration"
import * as os from "node:os"
import { define } from "./Definition.ts"
import * as Kind from "./Kind.ts"

const uint32 = 4_294_967_295
const mostWorkers = 1024

// Half a minute is what orchestrators give a process between SIGTERM and SIGKILL.
const grace = Duration.seconds(30)
const minute = Duration.minutes(1)

/** The options of processes. */
export const processOptions = {
  /** Number of worker processes. An integer between 1 and 1024; default: one for each CPU. */
  workers: define({
    kind: Kind.integer(1, mostWorkers),
    default: Math.min(os.availableParallelism(), mostWorkers),
    defaultText: "one for each CPU",
    doc: "Number of worker processes."
  }),
  /**
   * Connections of a worker at which it stops accepting more; others wait in the backlog. An integer between 1 and
   * 4294967295; default: 512.
   */
  workerMaxConnections: define({
    kind: Kind.integer(1, uint32),
    default: 512,
    doc: "Connections of a worker at which it stops accepting more; others wait in the backlog.",
    later: "accept control"
  }),
  /**
   * What to do when a worker dies: start another one, or stop the server. One of "restart", "terminate"; default:
   * restart.
   */
  workerDeathPolicy: define({
    kind: Kind.choice(["restart", "terminate"]),
    default: "restart",
    doc: "What to do when a worker dies: start another one, or stop the server."
  }),
  /**
   * Time a new worker has to become ready before it is killed. A duration from 1 milli to 65535 seconds, such as "10
   * seconds", or a number of seconds; default: 1 minute.
   */
  workerStartTimeout: define({
    kind: Kind.duration("seconds", "1 millis", "65535 seconds"),
    default: minute,
    doc: "Time a new worker has to become ready before it is killed."
  }),
  /**
   * Deaths of a worker within workerRestartPeriod that are answered by a restart; one more stops the server. An integer
   * between 0 and 1000; default: 5.
   */
  workerRestartLimit: define({
    kind: Kind.integer(0, 1000),
    default: 5,
    doc: "Deaths of a worker within workerRestartPeriod that are answered by a restart; one more stops the server."
  }),
  /**
   * Period over which workerRestartLimit counts. A duration from 1 milli to 65535 seconds, such as "10 seconds", or a
   * number of seconds; default: 1 minute.
   */
  workerRestartPeriod: define({
    kind: Kind.duration("seconds", "1 millis", "65535 seconds"),
    default: minute,
    doc: "Period over which workerRestartLimit counts."
  }),
  /**
   * Time that running requests have to finish when a worker stops, before they are interrupted. A duration from 0
   * seconds to 65535 seconds, such as "10 seconds", or a number of seconds; default: 30 seconds.
   */
  shutdownTimeout: define({
    kind: Kind.duration("seconds", "0 seconds", "65535 seconds"),
    default: grace,
    doc: "Time that running requests have to finish when a worker stops, before they are interrupted."
  }),
  /** File that holds the process id of the parent while it runs; without one, none is written. A path; default: none. */
  pidfile: define({
    kind: Kind.path,
    default: undefined,
    doc: "File that holds the process id of the parent while it runs; without one, none is written."
  }),
  /**
   * Socket of the parent for `kore-fx ps`, for this user only. "auto" (one in XDG_RUNTIME_DIR, or in a directory for
   * temporary files), "off", or a path; default: auto.
   */
  controlSocket: define({
    kind: Kind.text(
      /^[^\0]+$/,
      "\"auto\" (one in XDG_RUNTIME_DIR, or in a directory for temporary files), \"off\", or a path"
    ),
    default: "auto",
    doc: "Socket of the parent for `kore-fx ps`, for this user only."
  }),
  /**
   * Connections that may wait to be accepted, per server; the system may allow fewer. An integer between 0 and
   * 2147483647; default: 5000.
   */
  socketBacklog: define({
    kind: Kind.integer(0, 2_147_483_647),
    default: 5000,
    doc: "Connections that may wait to be accepted, per server; the system may allow fewer."
  }),
  /** JSON file with more options, which override those of the app. A path; default: none. */
  file: define({
    kind: Kind.path,
    default: undefined,
    doc: "JSON file with more options, which override those of the app.",
    variable: "KORE_CONFIG"
  }),
  /**
   * Where the app runs; production and docker are to confine the workers, and all of them run in the foreground. One of
   * "production", "docker", "development", "dev"; default: none.
   */
  deployment: define({
    kind: Kind.choice(["production", "docker", "development"], { dev: "development" }),
    default: undefined,
    doc: "Where the app runs; production and docker are to confine the workers, and all of them run in the foreground.",
    later: "privileges"
  }),
  /**
   * Directory that workers are confined to; without one, the directory the server was started in. A path; default:
   * none.
   */
  root: define({
    kind: Kind.path,
    default: undefined,
    doc: "Directory that workers are confined to; without one, the directory the server was started in.",
    later: "privileges"
  }),
  /** User that workers run as; without one, the user who started the server. The name of a user; default: none. */
  runas: define({
    kind: Kind.text(/^[^\s:]+$/, "the name of a user"),
    default: undefined,
    doc: "User that workers run as; without one, the user who started the server.",
    later: "privileges"
  }),
  /** Directory that the key process is confined to; without one, that of root. A path; default: none. */
  keymgrRoot: define({
    kind: Kind.path,
    default: undefined,
    doc: "Directory that the key process is confined to; without one, that of root.",
    later: "privileges"
  }),
  /**
   * User that the key process runs as; without one, the user who started the server. The name of a user; default: none.
   */
  keymgrRunas: define({
    kind: Kind.text(/^[^\s:]+$/, "the name of a user"),
    default: undefined,
    doc: "User that the key process runs as; without one, the user who started the server.",
    later: "privileges"
  }),
  /** Directory that the ACME process is confined to; without one, that of root. A path; default: none. */
  acmeRoot: define({
    kind: Kind.path,
    default: undefined,
    doc: "Directory that the ACME process is confined to; without one, that of root.",
    later: "privileges"
  }),
  /**
   * User that the ACME process runs as; without one, the user who started the server. The name of a user; default:
   * none.
   */
  acmeRunas: define({
    kind: Kind.text(/^[^\s:]+$/, "the name of a user"),
    default: undefined,
    doc: "User that the ACME process runs as; without one, the user who started the server.",
    later: "privileges"
  }),
  /**
   * Files and sockets a worker may open, on top of those it starts with. An integer between 1 and 4294967295; default:
   * 768.
   */
  workerRlimitNofiles: define({
    kind: Kind.integer(1, uint32),
    default: 768,
    doc: "Files and sockets a worker may open, on top of those it starts with.",
    later: "process limits"
  }),
  /** Keeps every worker on a CPU of its own. Yes or no (also true or false, 1 or 0); default: yes. */
  workerSetAffinity: define({
    kind: Kind.flag,
    default: true,
    doc: "Keeps every worker on a CPU of its own.",
    later: "CPU affinity"
  }),
  /** Connections a worker accepts in one turn of its event loop. An integer between 1 and 4294967295; default: 16. */
  workerAcceptThreshold: define({
    kind: Kind.integer(1, uint32),
    default: 16,
    doc: "Connections a worker accepts in one turn of its event loop.",
    later: "accept control"
  }),
  /**
   * Ids of workers that accept no connections, for background work. Any number of values (a list, or text with commas),
   * each an integer between 1 and 1024; default: none.
   */
  workerNoAccept: define({
    kind: Kind.list(Kind.integer(1, mostWorkers)),
    default: [],
    doc: "Ids of workers that accept no connections, for background work.",
    later: "accept control"
  }),
  /**
   * Reports system calls outside the sandbox instead of killing the worker; Linux. Yes or no (also true or false, 1 or
   * 0); default: no.
   */
  seccompTracing: define({
    kind: Kind.flag,
    default: false,
    doc: "Reports system calls outside the sandbox instead of killing the worker; Linux.",
    later: "sandbox"
  }),
  /** What workers may still do; OpenBSD. Names of pledge categories, separated by blanks; default: none. */
  pledge: define({
    kind: Kind.text(/^[a-z_ ]+$/, "names of pledge categories, separated by blanks"),
    default: undefined,
    doc: "What workers may still do; OpenBSD.",
    later: "sandbox"
  }),
  /** Threads of a worker for work that would block it. An integer between 0 and 255; default: 2. */
  taskThreads: define({
    kind: Kind.integer(0, 255),
    default: 2,
    doc: "Threads of a worker for work that would block it.",
    later: "threads"
  }),
  /** File that log lines are appended to; without one, standard output. A path; default: none. */
  logfile: define({
    kind: Kind.path,
    default: undefined,
    doc: "File that log lines are appended to; without one, standard output.",
    later: "log files"
  })
}
