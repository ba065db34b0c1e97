/**
 * What is asked of every peer: one request, and the one answer that counts.
 *
 * When to reach for it: to add a scenario, make its data beside this file and list it in `scenarios.ts`.
 * What it is not: the peers' code. They answer all scenarios from one small file each in `peers/`.
 */

/** A request that is sent over and over, and its answer. All text is ASCII. */
export interface Scenario {
  readonly name: string
  readonly title: string
  /** Keep-alive connections that send at the same time. */
  readonly connections: number
  /** Requests that a connection sends before it waits for their answers. */
  readonly pipeline: number
  /** False for one that only runs when it is asked for by name. */
  readonly standard: boolean
  /** The bytes of the request. */
  readonly request: string
  readonly contentType: string
  readonly body: string
  /** What the body must be encoded with; none where it must not be. */
  readonly coding?: "gzip"
  /** Who can answer it, by name. Default: every peer that is there for all scenarios. */
  readonly peers?: ReadonlyArray<string>
  /** A request that peers which validate must answer with a status of 4xx: proof that they do. */
  readonly invalid?: string
}

/** The bytes of a request. */
export const request = (
  line: string,
  fields: ReadonlyArray<readonly [name: string, value: string]>,
  body = ""
): string => {
  const all = [["Host", "localhost"], ...fields, ...(body === "" ? [] : [["Content-Length", String(body.length)]])]
  return `${line} HTTP/1.1\r\n${all.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n${body}`
}
