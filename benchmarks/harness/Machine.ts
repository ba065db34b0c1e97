/**
 * The machine and the versions: what a result means nothing without.
 *
 * When to reach for it: every stored result begins with it.
 * What it is not: complete. Other work on the machine shows only in the load average and in the spread.
 */
import { execFileSync } from "node:child_process"
import { readFileSync } from "node:fs"
import * as Os from "node:os"

/** Where something was measured. */
export const machine = () => ({
  cpu: Os.cpus()[0]?.model.trim() ?? "unknown",
  cores: Os.availableParallelism(),
  memoryGiB: Math.round(Os.totalmem() / 2 ** 30 * 10) / 10,
  kernel: `${Os.type()} ${Os.release()} ${Os.arch()}`,
  node: process.version
})

const versionOf = (name: string): string => {
  const file = new URL(`../node_modules/${name}/package.json`, import.meta.url)
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version
}

/** What is measured: a package of npm, or Node itself. */
interface Versioned {
  readonly name: string
  readonly package?: string
}

/** The version of every peer. */
export const versions = (peers: ReadonlyArray<Versioned>): Readonly<Record<string, string>> =>
  Object.fromEntries(peers.map((peer) => [
    peer.name,
    peer.package === undefined ? process.version : versionOf(peer.package)
  ]))

const git = (...args: ReadonlyArray<string>): string =>
  execFileSync("git", args, { cwd: import.meta.dirname, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim()

/** The commit of the checkout, marked when there are changes on top of it. */
export const commit = (): string => {
  try {
    const hash = git("rev-parse", "--short", "HEAD")
    return git("status", "--porcelain", "--", "../../packages") === "" ? hash : `${hash} and changes`
  } catch {
    return "unknown"
  }
}

/** The load average of the last 1, 5 and 15 minutes. */
export const loadAverage = (): ReadonlyArray<number> => Os.loadavg().map((load) => Math.round(load * 100) / 100)
