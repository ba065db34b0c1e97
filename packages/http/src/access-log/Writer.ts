/**
 * Lines on their way to a file: collected in a bounded buffer, written one batch at a time, never waited for.
 *
 * When to reach for it: `AccessLog.open` makes one.
 * What it is not: lossless against a disk that is slower than the lines come. What has no room is dropped and counted,
 * because neither a request may wait for the log nor the memory grow. Kore: http §17.1, where a full buffer blocks the
 * worker; B32.
 */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import type * as Scope from "effect/Scope"
import type { File } from "./File.ts"

/** What a writer is told. */
export interface Options {
  /** What it is called in warnings. */
  readonly name: string
  /** Milliseconds from one write to the next, unless much has been collected. */
  readonly interval: number
  /** Bytes that may wait. */
  readonly limit: number
}

/** Takes lines. */
export interface Writer {
  /** Takes a line with its line feed. Never waits, never throws. */
  readonly append: (line: string) => void
  /** Goes on in a file that is opened now; what was taken before may be in either. */
  readonly reopen: () => void
}

/** So much is written at once, however short ago the last write was. */
const URGENT = 65_536
/** Milliseconds from a write that failed to the next try. */
const RETRY = 1_000
/** Milliseconds between two warnings about lines that were dropped. */
const WARN_EVERY = 10_000
/** Milliseconds that the end waits for a disk that does not answer. */
const LAST_WRITE = 3_000

/**
 * A writer on what `open` opens, until the scope closes; then all that was taken is written, and the file is closed.
 *
 * A disk that does not answer holds up the end for 3 seconds at most. Fails as `open` does.
 */
export const make = Effect.fnUntraced(function*<E extends NodeJS.ErrnoException>(
  open: Effect.Effect<File, E>,
  options: Options
): Effect.fn.Return<Writer, E, Scope.Scope> {
  const lines = new Lines(options.limit)
  yield* Effect.uninterruptible(Effect.gen(function*() {
    const loop = new Loop(yield* open, open, lines, options)
    // Not of this scope: an interruption would not know how much of a batch is written.
    const fiber = yield* Effect.forkDetach(
      Effect.interruptible(Effect.ensuring(loop.run, loop.close)),
      { startImmediately: true }
    )
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => lines.end()).pipe(
        Effect.andThen(Fiber.await(fiber)),
        Effect.timeoutOrElse({ duration: LAST_WRITE, orElse: () => loop.warnOfLoss }),
        Effect.andThen(warnOfDropped(lines, options.name))
      )
    )
  }))
  yield* Effect.forkScoped(warnOfDrops(lines, options.name), { startImmediately: true })
  return { append: (line) => lines.add(line), reopen: () => lines.askToReopen() }
})

// --- private ---------------------------------------------------------------------------------------------------------

/** What waits to be written, and what is asked of the loop that writes it. */
class Lines {
  private readonly limit: number
  private text = ""
  // Bytes of `text`.
  private size = 0
  /** Bytes that were taken out and are not written yet. */
  underWay = 0
  dropped = 0
  /** Those of them that somebody was told of. */
  told = 0
  isEnding = false
  isReopening = false
  /** Open while there is something to do. */
  readonly work = Latch.makeUnsafe()
  /** Open while it should be done soon. */
  readonly urgent = Latch.makeUnsafe()
  /** Open while something else than writing is asked for. */
  readonly asked = Latch.makeUnsafe()
  /** Open while there are drops that nobody was told of. */
  readonly drops = Latch.makeUnsafe()

  constructor(limit: number) {
    this.limit = limit
  }

  // HOT PATH: runs for every request, and only collects.
  add(line: string): void {
    const bytes = Buffer.byteLength(line)
    if (this.isEnding || this.waiting + bytes > this.limit) {
      if (this.dropped++ === this.told) this.drops.openUnsafe()
      return
    }
    const isFirst = this.size === 0
    this.text += line
    this.size += bytes
    // Last, because who waits for it may go on before this returns.
    if (isFirst) this.work.openUnsafe()
    if (this.size >= URGENT) this.urgent.openUnsafe()
  }

  take(): Buffer {
    const bytes = Buffer.from(this.text)
    this.text = ""
    this.size = 0
    this.underWay = bytes.length
    // What was asked for meanwhile is not done yet.
    if (!this.isEnding && !this.isReopening) {
      this.work.closeUnsafe()
      this.urgent.closeUnsafe()
    }
    return bytes
  }

  /** Bytes that are not written. */
  get waiting(): number {
    return this.size + this.underWay
  }

  askToReopen(): void {
    this.isReopening = true
    this.ask()
  }

  end(): void {
    this.isEnding = true
    this.ask()
  }

  private ask(): void {
    this.work.openUnsafe()
    this.urgent.openUnsafe()
    this.asked.openUnsafe()
  }
}

const LINE_FEED = 10

/** Writes what there is, again and again. */
class Loop {
  private file: File
  private readonly open: Effect.Effect<File, NodeJS.ErrnoException>
  private readonly lines: Lines
  private readonly options: Options
  private batch: Buffer = Buffer.alloc(0)
  private written = 0
  private isFailing = false

  constructor(file: File, open: Effect.Effect<File, NodeJS.ErrnoException>, lines: Lines, options: Options) {
    this.file = file
    this.open = open
    this.lines = lines
    this.options = options
  }

  readonly run: Effect.Effect<void> = Effect.suspend(() => {
    const { lines } = this
    // Not in the call that logs: a request does not wait for the disk, and what else this turn logs goes along.
    const turn = lines.work.await.pipe(Effect.andThen(Effect.yieldNow), Effect.andThen(this.turn))
    return Effect.andThen(
      Effect.whileLoop({ while: () => !lines.isEnding, body: () => turn, step: () => {} }),
      this.lastTurn
    )
  })

  readonly close: Effect.Effect<void> = Effect.suspend(() => this.file.close)

  /** To be said when the end does not wait any longer. */
  get warnOfLoss(): Effect.Effect<void> {
    return Effect.logWarning(
      `the access log ${this.options.name} ends without its last ${this.lines.waiting} bytes: its disk did not take ` +
        "them; look at its state"
    )
  }

  private get turn(): Effect.Effect<void> {
    return Effect.gen({ self: this }, function*() {
      const { lines, options } = this
      if (lines.isReopening) yield* this.reopen
      yield* this.write
      // Lines that come one by one are written together; a disk that refuses them is not asked all the time.
      yield* this.isFailing
        ? Effect.timeoutOption(lines.asked.await, RETRY)
        : Effect.timeoutOption(lines.urgent.await, options.interval)
    })
  }

  private get lastTurn(): Effect.Effect<void> {
    return Effect.gen({ self: this }, function*() {
      if (this.lines.isReopening) yield* this.reopen
      yield* this.write
      if (!this.isFailing) yield* this.write
      if (this.isFailing) yield* this.warnOfLoss
    })
  }

  // The rest of what is under way, or else what has been collected.
  private get write(): Effect.Effect<void> {
    return Effect.gen({ self: this }, function*() {
      const { lines } = this
      if (this.written === this.batch.length) {
        this.batch = lines.take()
        this.written = 0
      }
      while (this.written < this.batch.length) {
        const taken = yield* Effect.result(this.file.write(this.batch, this.written))
        if (taken._tag === "Failure") return yield* this.failed(taken.failure)
        this.written += taken.success
        lines.underWay = this.batch.length - this.written
      }
      if (!this.isFailing) return
      this.isFailing = false
      yield* Effect.logInfo(`the access log ${this.options.name} is written again`)
      if (lines.waiting > 0) lines.work.openUnsafe()
    })
  }

  private failed(error: NodeJS.ErrnoException): Effect.Effect<void> {
    const wasFailing = this.isFailing
    this.isFailing = true
    this.lines.work.openUnsafe()
    return wasFailing
      ? Effect.void
      : Effect.logWarning(`the access log ${this.options.name} cannot be written (${error.code ?? error.message}): ` +
        `lines wait, up to ${this.options.limit} bytes, and are dropped beyond; make room or mend the disk`)
  }

  private get reopen(): Effect.Effect<void> {
    return Effect.gen({ self: this }, function*() {
      const { lines, options } = this
      lines.isReopening = false
      if (!lines.isEnding) lines.asked.closeUnsafe()
      const next = yield* Effect.result(this.open)
      if (next._tag === "Failure") {
        return yield* Effect.logWarning(
          `the access log ${options.name} could not be opened anew (${next.failure.code ?? next.failure.message}): ` +
            "it goes on in the old file; give the user of the workers the right to make it, and send SIGUSR1 again"
        )
      }
      const old = this.file
      this.file = next.success
      // A line that is half in the old file is written whole to the new one.
      if (this.written < this.batch.length) {
        this.written = this.written === 0 ? 0 : this.batch.lastIndexOf(LINE_FEED, this.written - 1) + 1
        lines.underWay = this.batch.length - this.written
      }
      yield* old.close
    })
  }
}

// On its own, because the loop may be stuck in a write.
const warnOfDrops = (lines: Lines, name: string): Effect.Effect<never> =>
  Effect.forever(Effect.gen(function*() {
    yield* lines.drops.await
    // One that is dropped is seldom alone.
    yield* Effect.yieldNow
    yield* warnOfDropped(lines, name)
    yield* Effect.sleep(WARN_EVERY)
  }))

const warnOfDropped = (lines: Lines, name: string): Effect.Effect<void> =>
  Effect.suspend(() => {
    lines.drops.closeUnsafe()
    const count = lines.dropped - lines.told
    lines.told = lines.dropped
    return count === 0 ? Effect.void : Effect.logWarning(
      `the access log ${name} has dropped ${count === 1 ? "a line" : `${count} lines`}: its disk is slower than the ` +
        "requests; give the log more buffer or a faster disk"
    )
  })
