/**
 * A child process: its pipes, its group, how it ended, and whether its time is up.
 *
 * When to reach for it: only through `Proc`, which says what is promised.
 * What it is not: public.
 */
import type * as SocketPair from "@kore-fx/core/SocketPair"
import * as Turns from "@kore-fx/core/Turns"
import * as Wait from "@kore-fx/core/Wait"
import * as ByteSize from "effect/ByteSize"
import type * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as ChildProcess from "node:child_process"
import * as diagnostics_channel from "node:diagnostics_channel"
import type * as net from "node:net"
import * as os from "node:os"
import * as path from "node:path"
import { ProcError } from "../ProcError.ts"
import * as Input from "./Input.ts"
import * as Output from "./Output.ts"
import type * as Plan from "./Plan.ts"
import * as ProcessGroup from "./ProcessGroup.ts"

export const TypeId = "~@kore-fx/proc/Proc"

/** It ended by itself. */
interface Exited {
  readonly _tag: "Exited"
  /** 0 to 255. */
  readonly code: number
}

/** A signal ended it. */
interface Signaled {
  readonly _tag: "Signaled"
  readonly signal: NodeJS.Signals
  readonly number: number
}

/** How it ended. */
export type Exit = Exited | Signaled

/** What `start` is told beside the plan. */
export interface Options {
  readonly name: string | undefined
  readonly stdin: "pipe" | "ignore" | "inherit"
  /** The pair for output and errors together; two pipes without it. */
  readonly merged: SocketPair.SocketPair | undefined
  /** In bytes. */
  readonly maxOutput: number
  readonly killSignal: NodeJS.Signals | number
  readonly forceKillAfter: Duration.Duration
}

/** What an operation may be told. */
export interface Limit {
  readonly timeout?: Duration.Input | undefined
}

// What is not gone so long after SIGKILL, in milliseconds, waits in the system for something that does not come.
const patience = 5000

// A group that its first process left is looked at again after 2, 4, 8, … milliseconds, at last after so many.
const longestPause = 64

// From this pause on it is looked at closely: at first it is just ending.
const closely = 16

const sent = "A part may have been sent: kill the process, or give it more time."

const longestTimer = 2 ** 31 - 1

/** Starts it, in one step with all that makes sure of its end. It does not wait. */
export const start = (plan: Plan.Plan, options: Options): Effect.Effect<Process, ProcError> =>
  Effect.suspend(() => {
    try {
      return Effect.succeed(new Process(spawn(plan, options), plan, options))
    } catch (error) {
      const code = ProcessGroup.codeOf(error)
      const detail = error instanceof Error ? error.message : String(error)
      return Effect.fail(new ProcError({ reason: "NotStarted", command: plan.command, code, detail }))
    }
  })

// Node throws some of the system's errors, and tells the others in a later turn. Here, it tells those at once too.
const failures = diagnostics_channel.channel("tracing:child_process.spawn:error")

const spawn = ({ cwd, env, file, words: [program, ...args] }: Plan.Plan, { merged, stdin }: Options) => {
  const out = merged?.theirs ?? "pipe"
  let failure: unknown = new Error("the system started nothing, and did not say why")
  const onFailure = (message: unknown) => {
    failure = (message as { readonly error: Error }).error
  }
  failures.subscribe(onFailure)
  try {
    const child = ChildProcess.spawn(file, args, {
      argv0: program,
      cwd,
      env,
      detached: true,
      stdio: [stdin, out, out]
    })
    if (child.pid !== undefined) return child
    child.on("error", () => {}) // the same one again
    throw failure
  } finally {
    failures.unsubscribe(onFailure)
  }
}

export class Process {
  readonly [TypeId]: typeof TypeId = TypeId
  readonly pid: number
  readonly name: string
  readonly command: ReadonlyArray<string>
  readonly output: Output.Output
  readonly errorOutput: Output.Output | undefined
  readonly input: Input.Input | undefined
  /** Set when it has ended. */
  exit: Exit | undefined
  private readonly text: string
  private readonly options: Options
  private readonly group: ProcessGroup.ProcessGroup
  /** The time it was given, once that is up and until it is killed. */
  private expired: string | undefined
  private isClosed = false
  private timer: Fiber.Fiber<unknown, unknown> | undefined
  private readonly reapers = new Set<() => void>()
  /** Looks whether all has ended, while the scope closes. */
  private look: (() => void) | undefined

  constructor(child: ChildProcess.ChildProcess, plan: Plan.Plan, options: Options) {
    this.pid = child.pid!
    this.group = new ProcessGroup.ProcessGroup(this.pid)
    this.command = plan.words
    this.name = options.name ?? path.basename(plan.words[0])
    this.text = plan.command
    this.options = options
    child.on("error", () => {}) // it has started, and its end is told by "exit"
    child.on("exit", (code, signal) => this.ended(code, signal))

    const limit = options.maxOutput
    const budget = new Output.Budget(limit, () => this.trySignal("SIGKILL"))
    const errors = {
      current: () => this.problem(),
      tooLong: () => this.error("OutputTooLong", { detail: `${limit} bytes` }),
      readFailed: (code: string) => this.error("ReadFailed", { code }),
      broken: (code: string) => this.error("BrokenPipe", { code }),
      closed: () => this.error("StdinClosed", { detail: "its standard input was closed here" })
    }
    this.output = new Output.Output(options.merged?.ours ?? child.stdout as net.Socket, budget, errors)
    this.errorOutput = options.merged ? undefined : new Output.Output(child.stderr as net.Socket, budget, errors)
    this.input = child.stdin === null ? undefined : new Input.Input(child.stdin, errors)
  }

  receive(
    operation: "recv" | "recvError",
    maxBytes: ByteSize.Input,
    { timeout }: Limit
  ): Effect.Effect<Option.Option<Buffer>, ProcError | Cause.TimeoutError> {
    const maximum = bytesOf(maxBytes)
    if (maximum === undefined || maximum === 0) {
      return Effect.fail(this.error("BadArgument", { detail: `maxBytes is ${String(maxBytes)}` }))
    }
    const output = operation === "recv" ? this.output : this.errorOutput
    if (output === undefined) return Effect.fail(this.error("NoStderr"))
    const describe = this.describe(operation === "recv" ? "recv from" : "recv standard error of")
    return output.receive(maximum, describe, deadline(describe, timeout))
  }

  send(data: Uint8Array | string, { timeout }: Limit): Effect.Effect<void, ProcError | Cause.TimeoutError> {
    const { input } = this
    if (input === undefined) {
      return Effect.fail(
        this.error("StdinClosed", { detail: `it was spawned with stdin "${this.options.stdin}"` })
      )
    }
    const bytes = typeof data === "string" ? Buffer.from(data, "utf8") : data
    const describe = this.describe("send to")
    return Wait.on(Turns.until(input.send(bytes), deadline(describe, timeout, sent)), describe)
  }

  reap({ timeout }: Limit): Effect.Effect<Exit, ProcError | Cause.TimeoutError> {
    const told = (): Effect.Effect<Exit, ProcError> | undefined =>
      this.expired !== undefined
        ? Effect.fail(this.problem()!)
        : this.exit && Effect.succeed(this.exit)
    const end = Effect.callback<Exit, ProcError>((resume) => {
      const reaper = () => {
        const effect = told()
        if (effect === undefined) return
        this.reapers.delete(reaper)
        resume(effect)
      }
      this.reapers.add(reaper)
      reaper()
      return Effect.sync(() => this.reapers.delete(reaper))
    })
    const describe = this.describe("reap")
    const limited = Turns.until(end, deadline(describe, timeout))
    return Effect.suspend(() => told() ?? Wait.on(limited, describe))
  }

  readonly closeStdin = (): Effect.Effect<void> => this.input?.close ?? Effect.void

  kill(signal: NodeJS.Signals | number): Effect.Effect<boolean, ProcError> {
    return Effect.suspend(() => {
      const code = isSignal(signal) ? this.trySignal(signal) : "EINVAL"
      if (typeof code === "string") {
        return Effect.fail(this.error("SignalFailed", { detail: String(signal), code }))
      }
      this.expired = undefined
      return Effect.succeed(code)
    })
  }

  /** Ends a fiber with it, which will say that its time is up. */
  endsWith(timer: Fiber.Fiber<unknown, unknown>): void {
    if (this.exit === undefined) this.timer = timer
    else timer.interruptUnsafe()
  }

  /** Its time is up, unless it has ended. */
  expire(limit: Duration.Duration): void {
    if (this.exit !== undefined || this.isClosed) return
    this.expired = Duration.format(limit)
    this.advance()
  }

  /** Ends all of the group and waits for that. */
  readonly close: Effect.Effect<void> = Effect.suspend(() => {
    this.isClosed = true
    this.expired = undefined
    this.timer?.interruptUnsafe()
    this.advance()
    // It shall not wait for us while it ends.
    this.output.discard()
    this.errorOutput?.discard()
    this.input?.end()
    return Effect.ensuring(
      this.end,
      Effect.sync(() => {
        this.output.destroy()
        this.errorOutput?.destroy()
        this.input?.destroy()
      })
    )
  })

  private get end(): Effect.Effect<void> {
    if (this.hasEnded()) return Effect.void
    const { forceKillAfter, killSignal } = this.options
    this.trySignal(killSignal)
    return Effect.flatMap(this.endsWithin(Duration.toMillis(forceKillAfter)), (isEnded) => {
      if (isEnded) return Effect.void
      this.trySignal("SIGKILL")
      return Effect.flatMap(this.endsWithin(patience), (isEnded) =>
        isEnded ? Effect.void : Effect.logWarning(
          `${this.text} (pid ${this.pid}) or a process of its group did not end when it was killed, and was left alone`
        ))
    })
  }

  // In real time: the system knows no other, and a test that turns a clock of its own shall not wait for ever.
  private endsWithin(millis: number): Effect.Effect<boolean> {
    return Effect.callback((resume) => {
      const until = performance.now() + millis
      let pause = 1
      let timer: NodeJS.Timeout | undefined
      const done = (isEnded: boolean) => {
        clearTimeout(timer)
        this.look = undefined
        resume(Effect.succeed(isEnded))
      }
      const look = () => {
        if (this.hasEnded() || (this.exit && pause >= closely && this.group.isOnlyZombies())) return done(true)
        const left = until - performance.now()
        if (left <= 0) return done(false)
        if (this.exit !== undefined) pause = Math.min(pause * 2, longestPause)
        clearTimeout(timer)
        timer = setTimeout(look, Math.min(left, this.exit === undefined ? longestTimer : pause))
      }
      this.look = look
      look()
    })
  }

  private hasEnded(): boolean {
    return this.exit !== undefined && !this.group.isAlive()
  }

  private ended(code: number | null, signal: NodeJS.Signals | null): void {
    this.exit = signal === null
      ? { _tag: "Exited", code: code ?? 0 }
      : { _tag: "Signaled", signal, number: os.constants.signals[signal] }
    this.group.leaderEnded()
    this.timer?.interruptUnsafe()
    this.advance()
    this.look?.()
  }

  /** Sends a signal to the group and tells whether somebody got it, or the system's code of why it could not. */
  private trySignal(signal: NodeJS.Signals | number): boolean | string {
    try {
      return this.group.signal(signal)
    } catch (error) {
      return ProcessGroup.codeOf(error)
    }
  }

  /** What everybody who uses it is told now, if anything. */
  private problem(): ProcError | undefined {
    if (this.isClosed) return this.error("Closed")
    if (this.expired === undefined) return undefined
    return this.error("TimedOut", { detail: this.expired })
  }

  private advance(): void {
    this.output.advance()
    this.errorOutput?.advance()
    this.input?.advance()
    for (const reaper of [...this.reapers]) reaper()
  }

  private describe(what: string): () => Wait.Description {
    return () => ({ kind: "process", what: `${what} ${this.name} (pid ${this.pid})` })
  }

  private error(
    reason: ProcError["reason"],
    more?: { readonly code?: string; readonly detail?: string }
  ): ProcError {
    return new ProcError({ reason, command: this.text, pid: this.pid, ...more })
  }
}

/** A size in bytes; undefined when it is none. */
export const bytesOf = (size: ByteSize.Input): number | undefined =>
  Option.getOrUndefined(Option.map(ByteSize.fromInput(size), Number))

/** Whether the system has a signal of this name or number. */
export const isSignal = (signal: NodeJS.Signals | number): boolean =>
  typeof signal === "string"
    ? Object.hasOwn(os.constants.signals, signal)
    : Number.isInteger(signal) && signal >= 1 && signal <= highestSignal

const highestSignal = process.platform === "linux" ? 64 : 31

/** When an operation is given up, if at all; `advice` says what to do then. */
const deadline = (
  describe: () => Wait.Description,
  timeout: Duration.Input | undefined,
  advice = "Nothing is lost: ask again, give it more time, or kill the process."
): Turns.Deadline | undefined => Turns.deadline(() => describe().what, timeout, advice)
