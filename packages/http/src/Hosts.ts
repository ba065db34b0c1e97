/**
 * Which of several hosts a request means: the one of exactly that name, else the longest wildcard, else `*`.
 *
 * When to reach for it: domains and their access logs are found by it.
 * What it is not: a table of names that anybody resolves.
 */

/** A host as it is compared: lower case, without port and final dot. */
export const normalize = (host: string): string => {
  let end = host.length
  if (host.charCodeAt(0) === 91) end = host.indexOf("]") + 1 // [::1]:80
  else {
    const colon = host.indexOf(":")
    if (colon >= 0) end = colon
  }
  if (host.charCodeAt(end - 1) === 46) end--
  return host.slice(0, end).toLowerCase()
}

/** Tells whether a domain can be declared for this host: a name, `*.name`, an address or `*`. */
export const isHost = (host: string): boolean =>
  host === "*" || /^(?:\*\.)?[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.?$/.test(host) || /^\[[0-9A-Fa-f:.]+\]$/.test(host)

const CACHE_MAX = 1024

/** Finds the value of a host: exact name, then longest wildcard, then `*`. */
export class Hosts<A> {
  private readonly exact = new Map<string, A>()
  private readonly wildcards: Array<readonly [suffix: string, value: A]> = []
  private readonly fallback: A | undefined
  // Hosts repeat; a client can send new ones without end, so the memory of them is bounded.
  private readonly cache = new Map<string, A | undefined>()
  /** Set when every host has the same answer, so that the host of a request need not be read. */
  readonly only: A | undefined

  constructor(entries: Iterable<readonly [host: string, value: A]>) {
    let fallback: A | undefined
    for (const [host, value] of entries) {
      if (host === "*") fallback = value
      else if (host.startsWith("*.")) this.wildcards.push([normalize(host.slice(1)), value])
      else this.exact.set(normalize(host), value)
    }
    this.wildcards.sort(([a], [b]) => b.length - a.length)
    this.fallback = fallback
    this.only = this.exact.size === 0 && this.wildcards.length === 0 ? fallback : undefined
  }

  /** The value for a `Host` as sent. */
  find(host: string): A | undefined {
    if (this.cache.has(host)) return this.cache.get(host)
    const name = normalize(host)
    const value = this.exact.get(name) ??
      this.wildcards.find(([suffix]) => name.length > suffix.length && name.endsWith(suffix))?.[1] ??
      this.fallback
    if (this.cache.size >= CACHE_MAX) this.cache.clear()
    this.cache.set(host, value)
    return value
  }
}
