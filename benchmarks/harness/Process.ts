/**
 * Processes of the measurement: started fresh, watched, and gone at the end.
 *
 * When to reach for it: `Server` and the load generators start theirs here.
 * What it is not: `@kore-fx/core`'s processes. What measures must not be what is measured.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process"
import { readdirSync, readFileSync } from "node:fs"
import { tmpdir } from "node:os"

/** A running process. */
export interface Process {
  readonly pid: number
  /** What it has printed so far, the last of it. */
  readonly output: () => string
  readonly hasEnded: () => boolean
  /** Waits for its end; its exit status, or null after a signal. */
  readonly ended: Promise<number | null>
  /** Asks it to end, and insists after five seconds. */
  readonly stop: () => Promise<void>
}

const KEEP = 1_000_000
const PATIENCE = 5_000

const running = new Set<ChildProcess>()
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL")
})
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(1))

/** Starts a program with these variables in addition to ours. */
export const start = (
  file: string,
  args: ReadonlyArray<string>,
  env: Readonly<Record<string, string>> = {}
): Process => {
  const child = spawn(file, args, { cwd: tmpdir(), env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] })
  let output = ""
  const keep = (chunk: Buffer) => {
    output = (output + chunk.toString()).slice(-KEEP)
  }
  child.stdout.on("data", keep)
  child.stderr.on("data", keep)
  running.add(child)
  let over = false
  const ended = new Promise<number | null>((resolve) => {
    const end = (code: number | null) => {
      over = true
      running.delete(child)
      resolve(code)
    }
    child.on("error", (error) => {
      output += error.message
      end(null)
    })
    child.on("close", end)
  })
  return {
    pid: child.pid ?? 0,
    output: () => output,
    hasEnded: () => over,
    ended,
    stop: async () => {
      child.kill("SIGTERM")
      const insist = setTimeout(() => child.kill("SIGKILL"), PATIENCE)
      await ended
      clearTimeout(insist)
    }
  }
}

/** Runs a program to its end; what it printed. Throws when it fails. */
export const run = async (file: string, args: ReadonlyArray<string>): Promise<string> => {
  const process = start(file, args)
  const code = await process.ended
  if (code !== 0) throw new Error(`${file} ${args.join(" ")} ended with ${code}:\n${process.output()}`)
  return process.output()
}

/** The children of a process. */
export const childrenOf = (pid: number): ReadonlyArray<number> =>
  execFileSync("ps", ["-A", "-o", "pid=,ppid="], { encoding: "utf8" })
    .split("\n")
    .map((line) => line.trim().split(/\s+/).map(Number))
    .filter(([, parent]) => parent === pid)
    .map(([child]) => child!)

/**
 * CPU time that a process has used, user and system, in microseconds.
 *
 * On Linux the scheduler's account of every thread, to the nanosecond; elsewhere what `ps` tells, to a hundredth of a
 * second. Read from outside, so that nothing of it runs in the measured process.
 */
export const cpuOf = (pid: number): number => process.platform === "linux" ? cpuOfThreads(pid) : cpuByPs(pid)

const cpuOfThreads = (pid: number): number => {
  let total = 0
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    total += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ", 1)[0])
  }
  return total / 1000
}

const cpuByPs = (pid: number): number => {
  const text = execFileSync("ps", ["-o", "time=", "-p", String(pid)], { encoding: "utf8" })
  return text.trim().split(":").reduce((sum, part) => sum * 60 + Number(part), 0) * 1e6
}
