/**
 * An app of kore-fx with one worker, run as its users run it, and looked at from outside.
 *
 * When to reach for it: soaks of HTTP start theirs here.
 * What it is not: `Child.ts`, whose processes answer questions.
 */
import { readFileSync, writeFileSync } from "node:fs"
import * as Http from "node:http"
import * as Process from "../harness/Process.ts"
import { freePort } from "../harness/Server.ts"
import { settles } from "./Child.ts"

/** A running app. */
export interface App {
  readonly port: number
  /** The process that serves. */
  readonly worker: number
  readonly stop: () => Promise<void>
}

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const request = Http.get({ port, host: "127.0.0.1", path: "/", agent: false }, (response) => {
      response.resume()
      resolve(true)
    })
    request.on("error", () => resolve(false))
  })

/** Starts an app whose file listens at `PORT`. Throws when it does not answer. */
export const start = async (file: string, args: ReadonlyArray<string>): Promise<App> => {
  const port = await freePort()
  const child = Process.start(process.execPath, [file, ...args], { NODE_ENV: "production", PORT: String(port) })
  if (!await settles(() => child.hasEnded() || answers(port)) || child.hasEnded()) {
    await child.stop()
    throw new Error(`${file} does not answer:\n${child.output()}`)
  }
  const worker = Process.childrenOf(child.pid)[0]
  if (worker === undefined) throw new Error(`${file} has no worker`)
  return { port, worker, stop: child.stop }
}

/** Forgets the peak of a process' memory, so that the next one counts from now. */
export const resetPeak = (pid: number): void => writeFileSync(`/proc/${pid}/clear_refs`, "5")

const field = (pid: number, name: string): number =>
  Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(readFileSync(`/proc/${pid}/status`, "latin1"))![1]) * 1024

/** Bytes of resident memory, now and at the peak since the last `resetPeak`. */
export const memory = (pid: number): { readonly resident: number; readonly peak: number } => ({
  resident: field(pid, "VmRSS"),
  peak: field(pid, "VmHWM")
})
