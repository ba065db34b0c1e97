/**
 * An app in processes of its own, started as its users start it, for tests of examples and of whole servers.
 *
 * When to reach for it: a test must see real processes, signals and sockets.
 * What it is not: for tests of routes. `Kore.test` does that without processes.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as ChildProcess from "node:child_process"

/** How a process ended. */
export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** A server that is up. */
export interface RunningApp {
  /** `http://127.0.0.1:PORT`. */
  readonly url: string
  readonly port: number
  /** The parent's process id. */
  readonly pid: number
  /** Everything written to standard output and standard error so far. */
  readonly log: Effect.Effect<string>
  /** Waits until the log has a line that matches, and returns what matched. */
  readonly logged: (pattern: RegExp) => Effect.Effect<RegExpExecArray>
  /** Process ids of the workers that are ready now, by their number. */
  readonly workers: Effect.Effect<ReadonlyMap<number, number>>
  readonly signal: (signal: NodeJS.Signals) => Effect.Effect<void>
  readonly ended: Effect.Effect<Ended>
}

/**
 * Starts a Node script with arguments and waits until its workers are ready. Listens on a free port through `PORT`.
 *
 * When the scope closes, whatever is left of it is killed.
 */
export const start = Effect.fnUntraced(function*(
  args: ReadonlyArray<string>,
  options: { readonly env?: Readonly<Record<string, string>>; readonly cwd?: string } = {}
): Effect.fn.Return<RunningApp, never, Scope.Scope> {
  const child = yield* Effect.acquireRelease(
    Effect.sync(() =>
      ChildProcess.spawn(process.execPath, args, {
        cwd: options.cwd,
        env: { ...process.env, PORT: "0", ...options.env },
        stdio: ["ignore", "pipe", "pipe"],
        detached: true
      })
    ),
    (child) => Effect.sync(() => killGroup(child.pid!))
  )
  const ended = yield* Deferred.make<Ended>()
  let log = ""
  const waiting = new Set<() => void>()
  const changed = () => {
    for (const wake of waiting) wake()
  }
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8")
    stream.on("data", (text: string) => {
      log += text
      changed()
    })
  }
  child.on("exit", (code, signal) => {
    Deferred.doneUnsafe(ended, Effect.succeed({ code, signal }))
    changed()
  })
  const logged = (pattern: RegExp): Effect.Effect<RegExpExecArray> =>
    Effect.callback((resume) => {
      const look = () => {
        const match = pattern.exec(log)
        if (match !== null) {
          waiting.delete(look)
          resume(Effect.succeed(match))
        } else if (child.exitCode !== null || child.signalCode !== null) {
          resume(
            Effect.die(new Error(`ended without logging ${pattern}:\n${log}`))
          )
        }
      }
      waiting.add(look)
      look()
      return Effect.sync(() => void waiting.delete(look))
    })
  yield* logged(/workers? ready: /)
  const port = Number((yield* logged(/listens on (?:http:\/\/)?127\.0\.0\.1:(\d+)/))[1])
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    pid: child.pid!,
    log: Effect.sync(() => log),
    logged,
    workers: Effect.sync(() => {
      const ready = new Map<number, number>()
      for (const line of log.matchAll(/workers? ready: .*|worker \d+ ready again .*/g)) {
        for (const [, worker, pid] of line[0].matchAll(/(\d+)(?: ready again)? \(pid (\d+)\)/g)) {
          ready.set(Number(worker), Number(pid))
        }
      }
      return ready
    }),
    signal: (signal) => Effect.sync(() => void process.kill(child.pid!, signal)),
    ended: Deferred.await(ended)
  }
})

const killGroup = (pid: number): void => {
  try {
    process.kill(-pid, "SIGKILL")
  } catch {
    // Nothing of it is left.
  }
}

/** Tells whether a process runs; a zombie does not. */
export const isRunning = (pid: number): boolean => {
  const { status, stdout } = ChildProcess.spawnSync("ps", ["-o", "stat=", "-p", String(pid)], { encoding: "utf8" })
  return status === 0 && !stdout.trim().startsWith("Z")
}
