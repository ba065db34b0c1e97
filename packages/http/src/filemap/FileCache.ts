/**
 * Small files that were sent lately, kept in memory: one cache for all file maps of a worker.
 *
 * When to reach for it: `FileAnswer` asks it; `Filemap.layerCache` makes one of another size.
 * What it is not: a claim that a file is as it was. Whoever takes an entry has looked at the file and compares.
 *
 * Its bytes are bounded, and what was not used for longest goes first.
 */
import * as Context from "effect/Context"
import type * as Conditional from "../Conditional.ts"
import type { HttpServerResponse } from "../internal/effectHttp.ts"
import type * as Lookup from "./Lookup.ts"

/** A small file in memory. */
export interface Entry {
  readonly _tag: "Entry"
  readonly identity: Lookup.Identity
  readonly isSettled: boolean
  readonly bytes: Buffer
  /** The bytes as text where they are ASCII and few: so the head of an answer and its body are one write. */
  readonly text: string | undefined
  readonly etag: string
  /** The last answer with the whole file: the same one is sent to the next who asks in the same way. */
  answer: Answer | undefined
}

/** An answer with a whole file, by the policy and for the name that it was made for. */
export interface Answer {
  readonly policy: unknown
  readonly name: string
  readonly response: HttpServerResponse.HttpServerResponse
  readonly validators: Conditional.Validators
}

/** What an entry costs besides its bytes: its objects, its key, an answer with its fields. */
export const OVERHEAD = 2_048

const costOf = ({ bytes, text }: Entry): number => OVERHEAD + bytes.length + (text?.length ?? 0)

/** Bytes of a cache that nobody gave another size: 32 MiB. */
export const DEFAULT_SIZE = 33_554_432

/** A bounded cache of files by their real paths. */
export class Cache {
  /** Bytes that its entries cost together; never more than `max`. */
  size = 0
  readonly max: number
  // In the order of use, the last used at the end.
  private readonly entries = new Map<string, Entry>()
  private newest: Entry | undefined = undefined

  constructor(max: number) {
    this.max = max
  }

  /** The paths in it, the least used first. */
  get paths(): ReadonlyArray<string> {
    return [...this.entries.keys()]
  }

  /** The entry of a path, which counts as a use of it. */
  get(path: string): Entry | undefined {
    const entry = this.entries.get(path)
    if (entry === undefined || entry === this.newest) return entry
    this.entries.delete(path)
    this.entries.set(path, entry)
    return this.newest = entry
  }

  /** Puts an entry in place of that of its path, and lets others go to make room. */
  set(path: string, entry: Entry): void {
    this.delete(path)
    const cost = costOf(entry)
    if (cost > this.max) return
    this.entries.set(path, entry)
    this.newest = entry
    this.size += cost
    for (const oldest of this.entries.keys()) {
      if (this.size <= this.max) break
      this.delete(oldest)
    }
  }

  /** Lets an entry go: its file is not there any more, or has become large. */
  delete(path: string): void {
    const entry = this.entries.get(path)
    if (entry === undefined) return
    this.entries.delete(path)
    this.size -= costOf(entry)
    if (this.newest === entry) this.newest = undefined
  }
}

/** The cache of a worker: one for all that have no other. */
export const Files = Context.Reference<Cache>("@kore-fx/http/filemap/FileCache", {
  defaultValue: () => new Cache(DEFAULT_SIZE)
})
