/**
 * What a process writes into one pipe, until somebody receives it.
 *
 * When to reach for it: only through `Process`.
 * What it is not: a stream of Node: those give what they have to whoever listens. Here it stays until it is asked for,
 * and 64 KiB of it stop the reading, so that a process that writes faster than we receive waits.
 */
import * as Turns from "@kore-fx/core/Turns"
import type * as Wait from "@kore-fx/core/Wait"
import type * as Cause from "effect/Cause"
import type * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as net from "node:net"
import { ProcError } from "../ProcError.ts"
import { codeOf } from "./ProcessGroup.ts"

// So many bytes wait to be received before the pipe is not read any more.
const window = 64 * 1024

const isError = (thrown: unknown): thrown is ProcError => thrown instanceof ProcError

/** How much a process may write, into all its pipes. */
export class Budget {
  readonly limit: number
  arrived = 0
  received = 0
  private readonly exceeded: () => void

  /** `exceeded` is called once, when more arrives than the limit allows. */
  constructor(limit: number, exceeded: () => void) {
    this.limit = limit
    this.exceeded = exceeded
  }

  get isExceeded(): boolean {
    return this.arrived > this.limit
  }

  arrive(bytes: number): void {
    const was = this.isExceeded
    this.arrived += bytes
    if (!was && this.isExceeded) this.exceeded()
  }
}

/** The errors of an output, made by whoever knows the process. */
export interface Errors {
  /** What everybody who uses the process is told now, if anything. */
  readonly current: () => ProcError | undefined
  readonly tooLong: () => ProcError
  readonly readFailed: (code: string) => ProcError
}

/** One pipe. */
export class Output {
  private readonly chunks: Array<Buffer> = []
  private size = 0
  private ended = false
  private failure: ProcError | undefined
  private discards = false
  private readonly socket: net.Socket
  private readonly budget: Budget
  private readonly errors: Errors
  private readonly turns = Turns.makeUnsafe({ isReady: () => this.state() !== undefined, isError })

  constructor(socket: net.Socket, budget: Budget, errors: Errors) {
    this.socket = socket
    this.budget = budget
    this.errors = errors
    socket.on("data", (chunk: Buffer) => this.arrive(chunk))
    socket.on("error", (error) => {
      this.failure ??= errors.readFailed(codeOf(error))
      this.advance()
    })
    const end = () => {
      this.ended = true
      this.advance()
    }
    socket.on("end", end)
    socket.on("close", end)
    socket.resume()
  }

  /** The next bytes, up to `maximum`; none at the end. */
  receive(
    maximum: number,
    describe: () => Wait.Description,
    deadline: Turns.Deadline | undefined
  ): Effect.Effect<Option.Option<Buffer>, ProcError | Cause.TimeoutError> {
    return Turns.take(this.turns, () => this.take(maximum), { describe, deadline })
  }

  /** Tells whoever waits that `errors.current` has changed. */
  advance(): void {
    Turns.signal(this.turns)
  }

  /** From now on, what arrives is dropped, so that the process does not wait for us when it ends. */
  discard(): void {
    this.discards = true
    this.socket.resume()
  }

  destroy(): void {
    this.socket.destroy()
  }

  /** Whether something can be taken: true, an error for whoever wants to, or undefined for "wait". */
  private state(): true | ProcError | undefined {
    const current = this.errors.current()
    if (current !== undefined) return current
    if (this.size > 0 && this.budget.received < this.budget.limit) return true
    // The limit is also the error of a pipe that ended because the process was killed for it.
    if (this.budget.isExceeded && (this.size > 0 || this.ended)) return this.errors.tooLong()
    if (this.failure !== undefined) return this.failure
    return this.ended ? true : undefined
  }

  private arrive(chunk: Buffer): void {
    if (this.discards) return
    this.chunks.push(chunk)
    this.size += chunk.length
    if (this.size >= window) this.socket.pause()
    this.budget.arrive(chunk.length)
    this.advance()
  }

  private take(maximum: number): Option.Option<Buffer> {
    const state = this.state()
    if (state === undefined) return Turns.miss()
    if (state !== true) throw state
    const [first] = this.chunks
    if (first === undefined) return Option.none()
    const length = Math.min(first.length, maximum, this.budget.limit - this.budget.received)
    if (length === first.length) this.chunks.shift()
    else this.chunks[0] = first.subarray(length)
    this.size -= length
    this.budget.received += length
    if (this.size < window && this.socket.isPaused()) this.socket.resume()
    return Option.some(length === first.length ? first : first.subarray(0, length))
  }
}
