/**
 * Who is measured, as data.
 *
 * When to reach for it: to add a peer, write `peers/<name>.ts` and list it here. A peer listens on 127.0.0.1 at `PORT`,
 * answers all scenarios, and ends on SIGTERM.
 * What it is not: a ranking. The order is that of the tables.
 */

/** A server program to measure. */
export interface Peer {
  /** Also the name of its file. */
  readonly name: string
  readonly title: string
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
  { name: "hono", title: "Hono", hasWorker: false, validates: true, package: "hono" }
]

/** The peers that ratios are made to. */
export const references: ReadonlyArray<string> = ["node-http", "fastify", "raw-net"]
