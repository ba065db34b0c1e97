/**
 * The guard of this Node process: a tiny process of its own that kills our children should we be killed.
 *
 * When to reach for it: only through `ProcessGroup`, which lists every group from its first to its last moment.
 * What it is not: needed while we live. Scopes end what they started; this is for `kill -9` of this process, also
 * together with its parent, and for `process.exit`.
 *
 * There is one, started with the first child. It holds the reading end of a pipe whose writing end is ours alone, as
 * Node closes it on exec; the kernel closes it when we are gone, however that came. It has a session of its own, so
 * that what is sent to our group or terminal does not reach it. Lines are short and the pipe is nearly always empty:
 * `write` hands them to the kernel before it returns. Should the guard be killed, the next one is told all groups.
 */
import * as ChildProcess from "node:child_process"
import type * as net from "node:net"
import { guardScript } from "./guardScript.ts"

/** As in the lines of the script: led by its first process, or left by it. */
export type State = "add" | "left"

const shell = "/bin/sh"

// A guard that ends within this time, in milliseconds, so many times on end is not started again.
const young = 1000
const attempts = 5

const groups = new Map<number, State>()

let guard: ChildProcess.ChildProcess | undefined
let earlyDeaths = 0
let problem: string | undefined

/** Starts the guard unless it runs; tells why it does not run, if so. What kept it off once may be over. */
export const start = (): string | undefined => {
  if (guard === undefined && earlyDeaths < attempts) run()
  return problem
}

/** Lists a group, or changes its state. */
export const set = (id: number, state: State): void => {
  groups.set(id, state)
  write(guard, `${state} ${id}\n`)
}

/** Takes a group off the list. */
export const remove = (id: number): void => {
  if (groups.delete(id)) write(guard, `del ${id}\n`)
}

/** The id of the process of the guard, while it runs. For tests. */
export const pid = (): number | undefined => guard?.pid

// --- private ---------------------------------------------------------------------------------------------------------

const write = (child: ChildProcess.ChildProcess | undefined, lines: string): void => {
  child?.stdin?.write(lines)
}

const run = (): void => {
  const started = performance.now()
  const child = spawned()
  if (typeof child === "string") {
    problem = `${shell} could not be started${child}`
    return
  }
  problem = undefined
  const stdin = child.stdin as net.Socket
  stdin.on("error", () => {}) // its end follows, and is what counts
  stdin.unref()
  child.unref()
  child.on("exit", (code, signal) => {
    guard = undefined
    earlyDeaths = performance.now() - started < young ? earlyDeaths + 1 : 0
    if (earlyDeaths < attempts) return run()
    problem = `${shell} ended ${attempts} times on end, at last with ${signal ?? `status ${code}`}`
  })
  guard = child
  for (const [id, state] of groups) write(child, `${state} ${id}\n`)
}

/** Starts a guard, or tells what it says of a failure. */
const spawned = (): ChildProcess.ChildProcess | string => {
  try {
    // The name and our id are for people who look at a list of processes.
    const child = ChildProcess.spawn(shell, ["-c", guardScript, "kore-fx-guard", String(process.pid)], {
      cwd: "/",
      detached: true,
      env: {},
      stdio: ["pipe", "ignore", "ignore"]
    })
    child.on("error", () => {}) // of a start, where it comes too late to be told
    return child.pid === undefined ? "" : child
  } catch (error) {
    // Some errors, such as ENOMEM, Node throws.
    return `: ${String(error)}`
  }
}
