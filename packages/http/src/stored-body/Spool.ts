/**
 * Takes bytes as they arrive: in memory while they are few, in a file from there on.
 *
 * When to reach for it: `StoredBody` fills one with a body, `Multipart` one with each file.
 * What it is not: a queue. Nothing can be read before `finish`.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Hash } from "node:crypto"
import * as BodyFile from "./BodyFile.ts"
import type { Backing } from "./Content.ts"
import * as Digest from "./Digest.ts"
import type { StorageError } from "./StorageError.ts"

/** Memory that some spools share: what one has taken the others do not have. */
export interface Budget {
  /** Bytes that are left, `Infinity` where nothing is ever kept in a file. */
  left: number
}

export class Spool {
  private readonly directory: string
  private readonly budget: Budget
  private readonly hashes: ReadonlyMap<string, Hash>
  private held: Array<Uint8Array> = []
  private heldSize = 0
  private file: BodyFile.BodyFile | undefined

  constructor(directory: string, budget: Budget, algorithms: ReadonlyArray<Digest.Algorithm> = []) {
    this.directory = directory
    this.budget = budget
    this.hashes = new Map(algorithms.map((algorithm) => [algorithm, Digest.hash(algorithm)]))
  }

  /** Takes the next bytes; returns when the next may come. */
  write(chunks: ReadonlyArray<Uint8Array>): Effect.Effect<void, StorageError, Scope.Scope> {
    return Effect.suspend((): Effect.Effect<void, StorageError, Scope.Scope> => {
      for (const hash of this.hashes.values()) for (const chunk of chunks) hash.update(chunk)
      if (this.file !== undefined) return this.file.append(chunks)
      const size = chunks.reduce((sum, chunk) => sum + chunk.length, 0)
      if (size <= this.budget.left) {
        this.budget.left -= size
        this.heldSize += size
        for (const chunk of chunks) this.held.push(own(chunk))
        return Effect.void
      }
      return Effect.flatMap(BodyFile.open(this.directory), (file) => {
        const all = [...this.held, ...chunks]
        this.file = file
        this.budget.left += this.heldSize
        this.held = []
        this.heldSize = 0
        return file.append(all)
      })
    })
  }

  /** What was taken. Nothing can be written any more. */
  finish(): Backing {
    const digests = new Map<string, string>()
    for (const [algorithm, hash] of this.hashes) digests.set(algorithm, hash.digest("hex"))
    const { held } = this
    return { digests, store: this.file ?? (held.length === 1 ? held[0]! : Buffer.concat(held)) }
  }
}

// A small view of a large buffer keeps all of it in memory.
const own = (chunk: Uint8Array): Uint8Array =>
  chunk.buffer.byteLength > 2 * chunk.length ? Uint8Array.from(chunk) : chunk
