/**
 * The standard input of a process.
 *
 * When to reach for it: only through `Process`.
 * What it is not: a buffer. One piece is on its way at a time, and `send` ends when the last one has been written.
 */
import * as Lock from "@kore-fx/core/Lock"
import * as Effect from "effect/Effect"
import type { Writable } from "node:stream"
import type { ProcError } from "../ProcError.ts"
import { codeOf } from "./ProcessGroup.ts"

// As much as is written at a time, in bytes: who is interrupted has sent at most so much more.
const piece = 64 * 1024

/** The errors of an input, made by whoever knows the process. */
export interface Errors {
  /** What everybody who uses the process is told now, if anything. */
  readonly current: () => ProcError | undefined
  readonly broken: (code: string) => ProcError
  readonly closed: () => ProcError
}

/** The writing end of a pipe. */
export class Input {
  private isClosed = false
  private readonly stream: Writable
  private readonly errors: Errors
  private readonly lock = Lock.makeUnsafe()
  /** Ends the piece that is on its way with an error. */
  private failPiece: ((error: ProcError) => void) | undefined

  constructor(stream: Writable, errors: Errors) {
    this.stream = stream
    this.errors = errors
    // Every write is told of its error.
    stream.on("error", () => {})
  }

  /** Writes all bytes, after those of whoever came before. */
  send(bytes: Uint8Array): Effect.Effect<void, ProcError> {
    return Lock.withLock(this.lock, this.pieces(bytes, 0))
  }

  /** Ends the input after what is on its way; does nothing when it has ended. */
  readonly close: Effect.Effect<void> = Lock.withLock(this.lock, Effect.sync(() => this.end()))

  /** As `close`, without waiting for anybody. */
  end(): void {
    this.isClosed = true
    this.stream.end()
  }

  /** Tells whoever sends that `errors.current` has changed. */
  advance(): void {
    const error = this.errors.current()
    if (error !== undefined) this.failPiece?.(error)
  }

  destroy(): void {
    this.stream.destroy()
  }

  private pieces(bytes: Uint8Array, from: number): Effect.Effect<void, ProcError> {
    return Effect.flatMap(this.write(bytes.subarray(from, from + piece)),
      () => from + piece < bytes.length ? this.pieces(bytes, from + piece) : Effect.void)
  }

  private write(bytes: Uint8Array): Effect.Effect<void, ProcError> {
    return Effect.callback((resume) => {
      const error = this.errors.current() ?? (this.isClosed ? this.errors.closed() : undefined)
      if (error !== undefined) return resume(Effect.fail(error))
      const fail = (error: ProcError) => resume(Effect.fail(error))
      this.failPiece = fail
      this.stream.write(bytes,
        (error) =>
          resume(error ? Effect.fail(this.errors.current() ?? this.errors.broken(brokenCode(error))) : Effect.void))
      return Effect.sync(() => {
        if (this.failPiece === fail) this.failPiece = undefined
      })
    })
  }
}

// Node closes our end when it learns that the process has ended.
const brokenCode = (error: Error): string =>
  codeOf(error).startsWith("E") && !codeOf(error).startsWith("ERR_")
    ? codeOf(error)
    : "EPIPE"
