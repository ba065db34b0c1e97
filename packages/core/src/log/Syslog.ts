/**
 * Log lines for the syslog daemon of this machine, as the C library's syslog(3) would write them, but without waiting.
 *
 * ```text
 * <30>Nov 24 12:30:05 kore[812]: proc=[wrk 1] log=[hello user=42]
 * ```
 *
 * When to reach for it: through the option `logTo`.
 * What it is not: syslog over the network. Nothing is lost without a word: a line that the daemon has no room for is
 * dropped and counted, one that finds no daemon goes to standard error.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as os from "node:os"
import * as Libc from "../native/Libc.ts"
import * as Native from "../native/Syslog.ts"
import { type Entry, note, priorityIn } from "./Entry.ts"
import { valueOf } from "./Priority.ts"

/** The most bytes of a record, its beginning included; a longer one is cut. Daemons cut at 8 KiB, or later. */
export const mostBytes = 8192

/** What a connection needs to know. */
export interface Options {
  /** The socket of the daemon. */
  readonly path: string
  /** The name of this process, for the lines that the log makes about itself. */
  readonly process: string
  /** The text of a record, in at most `limit` bytes. */
  readonly record: (entry: Entry, limit: number) => string
  /** Where an entry goes while there is no daemon. */
  readonly instead: (entry: Entry) => void
}

/**
 * Connects to the daemon until the scope closes, and gives the function that writes entries. It never waits, and never
 * throws because of the daemon.
 *
 * The socket is opened at once, so it survives a chroot. When the daemon was restarted, the next line connects anew.
 * While there is none, lines try again after one second, two, four, up to 30.
 */
export const connect = (options: Options): Effect.Effect<(entry: Entry) => void, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.gen(function*() {
        const connection = new Connection(options, yield* Effect.result(Libc.load))
        connection.isOpen(new Date(yield* Clock.currentTimeMillis))
        return connection
      }),
      (connection) => Effect.map(Clock.currentTimeMillis, (now) => connection.close(new Date(now)))
    ),
    (connection) => (entry) => connection.write(entry)
  )

// --- private ---------------------------------------------------------------------------------------------------------

// The daemon is there and has no room. Waiting would help, and nobody waits.
const { EAGAIN, EINTR, ENOBUFS, ENOMEM } = os.constants.errno
const busy: ReadonlySet<number> = new Set([EAGAIN, EINTR, ENOBUFS, ENOMEM])

const firstPause = 1000
const longestPause = 30_000

type Outcome = "sent" | "busy" | "absent"

class Connection {
  private readonly options: Options
  private readonly libc: Result.Result<Libc.Libc, Libc.FfiUnavailable>
  private descriptor: number | undefined
  private closed = false
  /** Lines that the daemon had no room for, and has not been told of. */
  private dropped = 0
  /** Lines that went elsewhere, and that the daemon has not been told of. */
  private diverted = 0
  /** When the daemon could not be reached, and for how many milliseconds it is left alone since; 0: it is there. */
  private failedAt = 0
  private pause = 0

  constructor(options: Options, libc: Result.Result<Libc.Libc, Libc.FfiUnavailable>) {
    this.options = options
    this.libc = libc
    // Node looks up the time zone when it is first asked for, and behind a chroot there is none.
    new Date().getTimezoneOffset()
  }

  write(entry: Entry): void {
    const outcome = this.deliver(entry)
    if (outcome === "sent") return
    if (outcome === "busy") return void this.dropped++
    this.diverted++
    this.options.instead(entry)
  }

  close(date: Date): void {
    if (this.dropped > 0 && this.catchUp(date) !== "sent") this.say(date, this.missed())
    this.closed = true
    this.hangUp()
  }

  /** Whether there is a socket, opening one if it is time for that. */
  isOpen(date: Date): boolean {
    if (this.descriptor !== undefined) return true
    const waited = date.getTime() - this.failedAt
    // The clock may have been set back.
    return !this.closed && (waited >= this.pause || waited < 0) && this.open(date)
  }

  private open(date: Date): boolean {
    const result = Result.flatMap(
      this.libc,
      (libc): Result.Result<number, Libc.CallError> => Native.connect(libc, this.options.path)
    )
    if (Result.isFailure(result)) return this.unreachable(date, result.failure)
    this.descriptor = result.success
    return true
  }

  private deliver(entry: Entry): Outcome {
    const outcome = this.catchUp(entry.date)
    return outcome === "sent" ? this.send(entry) : outcome
  }

  /** Tells the daemon what it has missed, if anything. */
  private catchUp(date: Date): Outcome {
    if (!this.isOpen(date)) return "absent"
    if (this.dropped + this.diverted === 0) return "sent"
    const outcome = this.send(note(this.options.process, date, "Warn", this.missed()))
    if (outcome === "sent") this.dropped = this.diverted = 0
    return outcome
  }

  private missed(): string {
    const lines = (count: number) => count === 1 ? "1 line was" : `${count} lines were`
    return [
      ...(this.dropped > 0 ? [`${lines(this.dropped)} dropped, because syslog had no room`] : []),
      ...(this.diverted > 0 ? [`${lines(this.diverted)} written to standard error, because there was no syslog`] : [])
    ].join("; ")
  }

  private send(entry: Entry): Outcome {
    const bytes = packet(entry, this.options.record)
    let errno = this.sendOnce(bytes)
    if (errno !== 0 && !busy.has(errno)) {
      // A daemon that was restarted has a new socket at the old path.
      this.hangUp()
      if (!this.open(entry.date)) return "absent"
      errno = this.sendOnce(bytes)
    }
    if (errno === 0) {
      this.pause = 0
      return "sent"
    }
    if (busy.has(errno)) return "busy"
    this.hangUp()
    this.unreachable(entry.date, Libc.systemError("send", errno))
    return "absent"
  }

  private sendOnce(bytes: Uint8Array): number {
    return Native.send(Result.getOrThrow(this.libc), this.descriptor!, bytes)
  }

  private hangUp(): void {
    if (this.descriptor !== undefined) Result.getOrThrow(this.libc).close(this.descriptor)
    this.descriptor = undefined
  }

  /** Leaves the daemon alone for a while; says so when it is the first time. */
  private unreachable(date: Date, { message }: Libc.CallError): false {
    if (this.pause === 0) {
      this.say(
        date,
        `no syslog daemon at ${this.options.path} (${message}): lines go to standard error until there is one`
      )
    }
    this.failedAt = date.getTime()
    this.pause = this.pause === 0 ? firstPause : Math.min(longestPause, 2 * this.pause)
    return false
  }

  private say(date: Date, text: string): void {
    this.options.instead(note(this.options.process, date, "Warn", text))
  }
}

const packet = (entry: Entry, record: Options["record"]): Buffer => {
  const head = `<${valueOf(priorityIn(entry))}>${timestamp(entry.date)} kore[${process.pid}]: `
  return Buffer.from(head + record(entry, mostBytes - head.length))
}

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

// RFC 3164 §4.1.2: local time, the day without a leading zero.
const timestamp = (date: Date): string => {
  const two = (n: number) => String(n).padStart(2, "0")
  const day = String(date.getDate()).padStart(2)
  return `${months[date.getMonth()]} ${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
}
