/**
 * What one address may take of a server: connections, and requests that are answered at the same time.
 *
 * When to reach for it: the options `httpAddressLimit` and `httpAddressRequestLimit`, for a server that clients reach
 * directly. Both are 0, no limit, unless set.
 * What it is not: a limit of the rate, or for all workers together. Each worker counts what it serves itself, for each
 * server on its own; the kernel hands connections to workers as it likes, so an address may have up to as many times the
 * limit as there are workers. Behind a proxy every request comes from the proxy's address: limit there instead.
 * Kore has none (http §10; A15).
 */
import * as Net from "node:net"

/** What one address may have in one worker; 0 is no limit. */
export interface Limits {
  /**
   * Connections at a time. One more is answered 429 and closed; when as many again wait for their end, the next ones
   * are cut without a word.
   */
  readonly connections: number
  /** Requests at a time. One more is answered 429, and its connection stays. */
  readonly requests: number
}

/** What one address has. */
export class Share {
  /** @internal Under which it is found. */
  readonly key: string
  private readonly limits: Limits
  /** Connections that are open. */
  connections = 0
  /** Requests that are being answered. */
  requests = 0

  /** @internal */
  constructor(key: string, limits: Limits) {
    this.key = key
    this.limits = limits
  }

  /** True when the last connection was one too many. */
  get hasTooManyConnections(): boolean {
    return this.limits.connections > 0 && this.connections > this.limits.connections
  }

  /** True when the last connection is not even worth an answer. */
  get isFlooding(): boolean {
    return this.limits.connections > 0 && this.connections > 2 * this.limits.connections
  }

  /** True when the last request was one too many. */
  get hasTooManyRequests(): boolean {
    return this.limits.requests > 0 && this.requests > this.limits.requests
  }
}

/** Counts by address. It holds what is open and forgets an address with its last connection. */
export class Addresses {
  private readonly limits: Limits
  private readonly shares = new Map<string, Share>()

  constructor(limits: Limits) {
    this.limits = limits
  }

  /** Addresses that have a connection. */
  get size(): number {
    return this.shares.size
  }

  /** Counts a connection. Returns `undefined` for a peer without an address, on a UNIX socket: it has no limit. */
  enter(address: string | undefined): Share | undefined {
    if (address === undefined) return undefined
    const key = keyOf(address)
    let share = this.shares.get(key)
    if (share === undefined) this.shares.set(key, share = new Share(key, this.limits))
    share.connections++
    return share
  }

  /** A connection has gone. */
  leave(share: Share): void {
    if (--share.connections === 0) this.shares.delete(share.key)
  }
}

/** The counts of limits, or `undefined` where there is no limit. */
export const make = (limits: Limits): Addresses | undefined =>
  limits.connections === 0 && limits.requests === 0 ? undefined : new Addresses(limits)

/**
 * What counts as one address: an IPv4 address, or the first 64 bits of an IPv6 address, which is what one customer is
 * given at least (RFC 6177 §2). IPv4 inside IPv6 (`::ffff:192.0.2.1`) is IPv4.
 */
export const keyOf = (address: string): string => {
  if (!Net.isIPv6(address)) return address
  const zone = address.indexOf("%")
  const plain = (zone < 0 ? address : address.slice(0, zone)).toLowerCase()
  const mapped = /^(?:0{0,4}:){0,5}:?ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(plain)
  if (mapped !== null) return mapped[1]!
  const [before = "", after] = plain.split("::")
  const head = before === "" ? [] : before.split(":")
  const tail = after === undefined || after === "" ? [] : after.split(":")
  // Four hexadecimal digits at the end may be written as IPv4, which takes the room of two groups.
  const length = head.length + tail.length + (plain.includes(".") ? 1 : 0)
  const groups = [...head, ...new Array<string>(Math.max(0, 8 - length)).fill("0"), ...tail]
  return `${groups.slice(0, 4).map((group) => group.replace(/^0+(?=.)/, "")).join(":")}::/64`
}
