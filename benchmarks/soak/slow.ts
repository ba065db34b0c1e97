/**
 * Clients that are slow on purpose, by `slowhttptest`: in sending heads, in sending bodies, in reading.
 *
 * When to reach for it: `soak.ts slow`, where `slowhttptest` is installed.
 * What it is not: a flood. What counts is that others do not notice, and that every slow connection is ended.
 */
import { spawnSync } from "node:child_process"
import * as Http from "node:http"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import * as Process from "../harness/Process.ts"
import * as App from "./App.ts"
import { settles, socketsOf } from "./Child.ts"
import { problemsOf, type Soak } from "./Soak.ts"

/** Seconds that the app gives a client. */
export const DEADLINE = 12

/** Seconds that slow clients stay, if they are let: longer than any deadline. */
const STAY = 60

/** Connections that they open in a second. */
const RATE = 250

/** Seconds during which others are timed, and by which a connection may outlive its deadline: clocks here are coarse. */
const WINDOW = 2
const GRACE = 3

const server = fileURLToPath(new URL("slowServer.ts", import.meta.url))

const modes = (url: string): ReadonlyArray<readonly [name: string, args: ReadonlyArray<string>]> => [
  ["header", ["-H", "-u", `${url}/`]],
  ["body", ["-B", "-s", "100000", "-t", "POST", "-u", `${url}/form`]],
  // A window of a few bytes, of which few are read at a time.
  ["read", ["-X", "-w", "10", "-y", "20", "-n", "5", "-z", "10", "-k", "3", "-u", `${url}/large`]]
]

const ask = (port: number, agent: Http.Agent): Promise<number> =>
  new Promise((resolve, reject) => {
    const start = performance.now()
    const request = Http.get({ port, host: "127.0.0.1", path: "/", agent }, (response) => {
      response.on("end", () => resolve(performance.now() - start))
      response.on("error", reject)
      response.resume()
    })
    request.on("error", reject)
  })

/** Asks every five milliseconds for some seconds; the time within which 99 % were answered. */
const p99 = async (port: number, duration: number): Promise<number> => {
  const agent = new Http.Agent({ keepAlive: true, maxSockets: 8 })
  const times: Array<number> = []
  const end = performance.now() + duration * 1000
  const pending: Array<Promise<unknown>> = []
  while (performance.now() < end) {
    pending.push(ask(port, agent).then((time) => times.push(time)))
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  await Promise.all(pending)
  agent.destroy()
  times.sort((a, b) => a - b)
  return times[Math.floor(times.length * 0.99)]!
}

const median = (values: ReadonlyArray<number>): number => [...values].sort((a, b) => a - b)[values.length >> 1]!

export const soak: Soak = async (count) => {
  if (spawnSync("slowhttptest", ["-h"]).error !== undefined) {
    throw new Error("slowhttptest is not on PATH: install it (Debian: slowhttptest), or leave this soak out")
  }
  const rows: Array<ReadonlyArray<string>> = []
  const claims: Record<string, boolean> = {}
  for (const [name] of modes("")) {
    const app = await App.start(server, [])
    try {
      const [, args] = modes(`http://127.0.0.1:${app.port}`).find(([mode]) => mode === name)!
      // The connection that saw the app answer goes first.
      await new Promise((resolve) => setTimeout(resolve, 500))
      const before = socketsOf(app.worker)
      // By name, because slowhttptest looks at the service with connections of its own meanwhile.
      const open = () => [...socketsOf(app.worker)].filter((socket) => !before.has(socket))
      const others = async () =>
        median([await p99(app.port, WINDOW), await p99(app.port, WINDOW), await p99(app.port, WINDOW)])
      await p99(app.port, 3)
      const quiet = await others()
      await settles(() => open().length === 0)
      const common = ["-c", String(count), "-r", String(RATE), "-i", "10", "-l", String(STAY), "-p", "2"]
      const slow = Process.start("slowhttptest", [...common, "-o", join(tmpdir(), "slowhttptest"), ...args])
      await settles(() => open().length >= count)
      const slowOnes = new Set(open())
      const most = slowOnes.size
      const stay = () => open().filter((socket) => slowOnes.has(socket)).length
      const complete = performance.now()
      const attacked = await others()
      const still = stay()
      const end = complete + (DEADLINE + GRACE) * 1000
      while (stay() > 0 && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 50))
      const left = stay()
      const gone = (performance.now() - complete) / 1000
      const hadEnded = slow.hasEnded()
      await slow.stop()
      const ratio = attacked / quiet
      rows.push([
        name,
        `${most}, ${still}`,
        quiet.toFixed(2),
        attacked.toFixed(2),
        ratio.toFixed(2),
        left === 0 ? gone.toFixed(1) : `${left} left`
      ])
      claims[`${name}: only ${most} of ${count} slow connections were there at once`] = most >= count
      claims[`${name}: the p99 of others rose from ${quiet.toFixed(2)} to ${attacked.toFixed(2)} ms`] = ratio < 2
      claims[`${name}: ${left} slow connections are left after their deadline`] = left === 0
      claims[`${name}: slowhttptest ended by itself, so nothing is shown`] = !hadEnded || gone < DEADLINE + GRACE
    } finally {
      await app.stop()
    }
  }
  return {
    title: `slow: ${count} slow connections, deadlines of ${DEADLINE} s`,
    header: ["mode", "slow connections, first and last", "quiet p99, ms", "p99, ms", "ratio", "all gone after, s"],
    rows,
    notes: [
      `p99 of a request every 5 ms on 8 connections, medians of three times ${WINDOW} s. Slow connections are counted when ` +
      "the last of them is there, and at the end of these times; all gone after: from when the last is there."
    ],
    problems: problemsOf(claims)
  }
}
