/**
 * The counts of `RateLimit.layerMemory`: as Effect's store in memory counts, but for a bounded number of keys.
 *
 * When to reach for it: `RateLimit` does. Effect's own store keeps every key for ever, and a client with an IPv6
 * network has more of them than a worker has memory.
 * What it is not: shared. Each worker has its own.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { RateLimiterStore } from "effect/persistence/RateLimiter"

/** What is counted for one key. */
interface Count {
  /** Requests of the window, or tokens that are left in the bucket. */
  tokens: number
  /** Milliseconds: when the window ends, or when the bucket was last filled. */
  at: number
}

/** Values by key; the one that was asked for longest ago makes room for a new one. */
class Recent {
  private readonly max: number
  private readonly counts = new Map<string, Count>()

  constructor(max: number) {
    this.max = max
  }

  get(key: string, initial: () => Count): Count {
    const count = this.counts.get(key) ?? initial()
    // A Map keeps the order of insertion, so the first is the one to forget.
    this.counts.delete(key)
    if (this.counts.size >= this.max) this.counts.delete(this.counts.keys().next().value!)
    this.counts.set(key, count)
    return count
  }
}

type Store = Pick<RateLimiterStore["Service"], "fixedWindow" | "tokenBucket">

/** The counts of at most `maxKeys` keys of each algorithm. */
export const make = (maxKeys: number): Store => {
  const windows = new Recent(maxKeys)
  const buckets = new Recent(maxKeys)
  return {
    // The window is as long as the requests in it take at the limit's rate: a full one lasts its whole time.
    fixedWindow: ({ key, limit, refillRate, tokens }) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        const window = windows.get(key, () => ({ tokens: 0, at: now }))
        if (window.at <= now) Object.assign(window, { tokens: 0, at: now })
        const wanted = window.tokens + tokens
        if (limit === undefined || wanted <= limit) {
          window.tokens = wanted
          window.at += tokens * Duration.toMillis(refillRate)
        }
        return [wanted, window.at - now] as const
      }),
    tokenBucket: ({ allowOverflow, key, limit, refillRate, tokens }) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        const rate = Duration.toMillis(refillRate)
        const bucket = buckets.get(key, () => ({ tokens: limit, at: now }))
        const drops = Math.floor((now - bucket.at) / rate)
        if (drops > 0) {
          bucket.tokens = Math.min(limit, bucket.tokens + drops)
          bucket.at += drops * rate
        }
        if (bucket.tokens >= limit) bucket.at = now
        const left = bucket.tokens - tokens
        if (allowOverflow || left >= 0) bucket.tokens = left
        return [left, Math.max(0, now - bucket.at)] as const
      })
  }
}
