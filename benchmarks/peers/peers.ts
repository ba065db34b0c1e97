/**
 * Who is measured, as data.
 *
 * When to reach for it: to add a peer, write `peers/<name>.ts` and list it here. A peer listens on 127.0.0.1 at `PORT`,
 * answers all scenarios, and ends on SIGTERM.
 * What it is not: a ranking. The order is that of the tables.
 */

import { spawnSync } from "node:child_process"

/** A server program to measure. */
export interface Peer {
  /** Also the name of its file. */
  readonly name: string
  readonly title: string
  /** True for one that only answers the scenarios which name it. */
  readonly onlyNamed?: boolean
  /** A program that must be on PATH; where it is not, the peer is left out. */
  readonly program?: string
  /** True when a child process serves: the process that is started is then only its parent. */
  readonly hasWorker: boolean
  /** False for one that takes every request as valid. */
  readonly validates: boolean
  /** The npm package whose version belongs to its results; without one, Node's own. */
  readonly package?: string
}

/** Every peer. */
export const peers: ReadonlyArray<Peer> = [
  { name: "raw-net", title: "raw node:net, canned bytes", hasWorker: false, validates: false },
  { name: "kore-fx", title: "kore-fx", hasWorker: true, validates: true, package: "kore-fx" },
  { name: "node-http", title: "raw node:http", hasWorker: false, validates: true },
  { name: "fastify", title: "Fastify", hasWorker: false, validates: true, package: "fastify" },
  { name: "effect-router", title: "Effect HttpRouter", hasWorker: false, validates: true, package: "effect" },
  { name: "hono", title: "Hono", hasWorker: false, validates: true, package: "hono" },
  {
    name: "serve-static",
    title: "serve-static on node:http",
    onlyNamed: true,
    hasWorker: false,
    validates: false,
    package: "serve-static"
  },
  {
    name: "nginx",
    title: "nginx, one worker, sendfile: the limit",
    onlyNamed: true,
    program: "nginx",
    hasWorker: true,
    validates: false
  }
]

/** Those of some peers that answer a scenario: whom it names, or whoever is there for all. */
export const answering = (all: ReadonlyArray<Peer>, named: ReadonlyArray<string> | undefined): ReadonlyArray<Peer> =>
  all.filter(({ name, onlyNamed = false, program }) =>
    (named === undefined ? !onlyNamed : named.includes(name)) && (program === undefined || isOnPath(program))
  )

const isOnPath = (program: string): boolean => spawnSync(program, ["-v"]).error === undefined

/** The peers that ratios are made to. */
export const references: ReadonlyArray<string> = ["node-http", "fastify", "raw-net"]
