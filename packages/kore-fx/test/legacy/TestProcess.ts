/** Programs of the old API in processes of their own. */
import * as Effect from "effect/Effect"
import * as ChildProcess from "node:child_process"
import { fileURLToPath } from "node:url"

interface Ended {
  readonly code: number | null
  readonly signal: string | null
}

interface TestProcess {
  readonly pid: number
  readonly output: () => string
  /** Waits until the output matches. */
  readonly expect: (pattern: RegExp) => Effect.Effect<RegExpExecArray>
  readonly ended: Effect.Effect<Ended>
  /** What `GET` of a path answers. */
  readonly get: (path: string) => Effect.Effect<string>
}

/** Starts a program of `fixtures`; nothing of it is left when the scope closes. */
export const start = Effect.fnUntraced(function*(program: string, ...args: ReadonlyArray<string>) {
  const file = fileURLToPath(new URL(`./fixtures/${program}.ts`, import.meta.url))
  const child = yield* Effect.acquireRelease(
    Effect.sync(() =>
      ChildProcess.spawn(process.execPath, [file, ...args], {
        env: { ...process.env, NODE_OPTIONS: "" },
        stdio: ["ignore", "pipe", "pipe"],
        detached: true
      })
    ),
    (child) => Effect.sync(() => killGroup(child.pid!))
  )
  let output = ""
  const listeners = new Set<() => void>()
  const changed = () => {
    for (const listener of listeners) listener()
  }
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (data: Buffer) => {
      output += data
      changed()
    })
  }
  const when = <A>(look: () => A | undefined | null, what: string): Effect.Effect<A> =>
    Effect.callback<A>((resume) => {
      const check = () => {
        const found = look()
        if (found !== undefined && found !== null) resume(Effect.succeed(found))
      }
      listeners.add(check)
      check()
      return Effect.sync(() => listeners.delete(check))
    }).pipe(Effect.timeoutOrElse({
      duration: "25 seconds",
      orElse: () => Effect.die(new Error(`${what} did not come; what came:\n${output}`))
    }))
  child.once("close", changed)
  const expect = (pattern: RegExp) => when(() => pattern.exec(output), String(pattern))
  const app: TestProcess = {
    pid: child.pid!,
    output: () => output,
    expect,
    ended: when(
      () =>
        child.exitCode === null && child.signalCode === null ? undefined
          : { code: child.exitCode, signal: child.signalCode },
      "the end"
    ),
    get: (path) =>
      Effect.flatMap(expect(/listens on (http:\/\/\S+)\][^]*workers? ready/), ([, url]) =>
        Effect.promise((signal) =>
          fetch(url + path, { signal }).then(async (response) =>
            `${response.status} ${await response.text()}`, String)
        ))
  }
  return app
})

const killGroup = (pid: number): void => {
  try {
    process.kill(-pid, "SIGKILL")
  } catch {
    // Nothing of it is left.
  }
}
