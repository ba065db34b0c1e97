/**
 * A Node process of a soak, which answers questions, and may have as many descriptors as it needs.
 *
 * When to reach for it: `echo.ts` and `processes.ts` start theirs here.
 * What it is not: `harness/Process.ts`, whose processes only print.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import { readdirSync, readFileSync, readlinkSync } from "node:fs"

/** A running process. */
export interface Child {
  readonly pid: number
  /** What it says next. Rejects when it ends before. */
  readonly next: <A>() => Promise<A>
  readonly ask: <A>(question: string) => Promise<A>
  /** Tells it to end, and waits for that; its exit status. */
  readonly end: () => Promise<number | null>
}

/** What a process has beside what it was started for: Node's own, standard input and output, modules that it loads. */
const spare = 100

/** Sets the limit of descriptors and becomes the program; 97 when the system does not allow as many. */
const script = "ulimit -n \"$0\" 2>/dev/null || exit 97; exec \"$@\""

const running = new Set<ChildProcess>()
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL")
})
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(1))

/** Starts a program that needs so many descriptors. Throws where the system does not allow them, and says what to do. */
export const start = (file: string, args: ReadonlyArray<string>, descriptors: number): Child => {
  const limit = String(limitFor(descriptors + spare))
  const child = spawn("sh", ["-c", script, limit, process.execPath, "--expose-gc", file, ...args], {
    env: { ...process.env, NODE_ENV: "production" },
    stdio: ["ignore", "inherit", "inherit", "ipc"]
  })
  running.add(child)
  const said: Array<unknown> = []
  const waiting: Array<{ readonly resolve: (message: any) => void; readonly reject: (error: Error) => void }> = []
  child.on("message", (message) => {
    const first = waiting.shift()
    if (first === undefined) said.push(message)
    else first.resolve(message)
  })
  const ended = once(child, "exit").then(([code]) => {
    running.delete(child)
    for (const { reject } of waiting.splice(0)) reject(new Error(`${file} ended with ${String(code)}`))
    return code as number | null
  })
  const next = <A>(): Promise<A> =>
    said.length > 0
      ? Promise.resolve(said.shift() as A)
      : new Promise<A>((resolve, reject) => {
        if (child.exitCode !== null || child.signalCode !== null) reject(new Error(`${file} has ended`))
        else waiting.push({ resolve, reject })
      })
  return {
    pid: child.pid!,
    next,
    ask: (question) => {
      child.send(question)
      return next()
    },
    end: () => {
      if (child.connected) child.disconnect()
      return ended
    }
  }
}

const limitFor = (descriptors: number): number => {
  const { status, stdout } = spawnSync("sh", ["-c", script, String(descriptors), "true"], { encoding: "utf8" })
  if (status === 0) return descriptors
  const hard = spawnSync("sh", ["-c", "ulimit -Hn"], { encoding: "utf8" }).stdout.trim()
  throw new Error(
    `a process needs ${descriptors} descriptors for this, and the system allows ${hard}${stdout}. Ask for fewer ` +
      `(--connections, --processes), or raise the limit first: \`ulimit -n ${descriptors}\` as root, or LimitNOFILE= ` +
      "in a unit of systemd."
  )
}

/** How many descriptors a process has. */
export const descriptorsOf = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length

/** The sockets that a process has, by the system's name of each. */
export const socketsOf = (pid: number): ReadonlySet<string> => {
  const sockets = new Set<string>()
  for (const entry of readdirSync(`/proc/${pid}/fd`)) {
    try {
      const target = readlinkSync(`/proc/${pid}/fd/${entry}`)
      if (target.startsWith("socket:")) sockets.add(target)
    } catch {
      // It was closed meanwhile.
    }
  }
  return sockets
}

/** The children of a process that are alive, and those that have ended and were not collected. */
export const childrenOf = (pid: number): { readonly alive: number; readonly zombies: number } => {
  let alive = 0
  let zombies = 0
  for (const entry of readdirSync("/proc")) {
    if (!/^\d+$/.test(entry)) continue
    const [state, parent] = statOf(entry)
    if (parent !== String(pid)) continue
    if (state === "Z") zombies++
    else alive++
  }
  return { alive, zombies }
}

/** State and parent: what follows the name, which may contain anything. */
const statOf = (pid: string): ReadonlyArray<string> => {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "latin1")
    return text.slice(text.lastIndexOf(")") + 2).split(" ")
  } catch {
    return [] // it has ended meanwhile
  }
}

/** Waits until something holds, ten seconds at most; tells whether it does. */
export const settles = async (condition: () => boolean | Promise<boolean>): Promise<boolean> => {
  const end = performance.now() + 10_000
  while (performance.now() < end) {
    if (await condition()) return true
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return condition()
}
