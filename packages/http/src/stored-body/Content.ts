/**
 * Bytes that have arrived, in memory or in a file, with every way to read them.
 *
 * When to reach for it: `StoredBody` and `UploadedFile` are such.
 * What it is not: something that is used up. `bytes`, `stream` and `digest` give the same as often as they are asked, and
 * `read` has a position of its own that none of them moves (Kore's defect B38).
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { BodyFile } from "./BodyFile.ts"
import * as Digest from "./Digest.ts"
import type { StorageError } from "./StorageError.ts"

/** Where the bytes are. */
export interface Backing {
  readonly store: Uint8Array | BodyFile
  /** Digests that were computed while the bytes arrived, as lower-case hexadecimal digits by algorithm. */
  readonly digests: ReadonlyMap<string, string>
}

const isMemory = (store: Uint8Array | BodyFile): store is Uint8Array => store instanceof Uint8Array

// Bytes of one read of a file; each block is a buffer of its own, because who has it may hold the one before.
const BLOCK = 262_144

/** Content that has arrived whole. Valid until the scope that it was stored in ends. */
export class Content {
  /** Bytes. */
  readonly size: number
  private readonly store: Uint8Array | BodyFile
  private readonly digests: Map<string, string>
  private position = 0

  constructor({ digests, store }: Backing) {
    this.store = store
    this.size = isMemory(store) ? store.length : store.size
    this.digests = new Map(digests)
  }

  /** What may be told of it: neither the bytes nor the place where they are. */
  toJSON(): unknown {
    return { _id: "StoredBody", size: this.size }
  }

  /**
   * The absolute path of the file, or none when the bytes are in memory.
   *
   * It is removed with the scope. A handler that wants to keep it moves it away (`rename`), after which everything here
   * still works.
   */
  get path(): Option.Option<string> {
    return isMemory(this.store) ? Option.none() : Option.some(this.store.path)
  }

  /** All bytes, in memory. */
  get bytes(): Effect.Effect<Uint8Array, StorageError> {
    return isMemory(this.store) ? Effect.succeed(this.store) : this.store.read(0, this.size)
  }

  /** The bytes in blocks of up to 256 KiB, from the beginning; any number of times, also at once. */
  get stream(): Stream.Stream<Uint8Array, StorageError> {
    const { size, store } = this
    if (size === 0) return Stream.empty
    if (isMemory(store)) return Stream.succeed(store)
    return Stream.unfold(0, (position) =>
      position === size
        ? Effect.undefined
        : Effect.map(store.read(position, BLOCK), (block) => [block, position + block.length] as const))
  }

  /**
   * The next bytes, at most `maxlen`, and none at the end. What comes next is this object's own: reading in another way
   * does not change it.
   *
   * Source: Kore, http §8.2 (`body_read`), without its limit of 1024 bytes.
   *
   * @throws RangeError when `maxlen` is no whole number from 1.
   */
  read(maxlen: number): Effect.Effect<Uint8Array, StorageError> {
    if (!Number.isSafeInteger(maxlen) || maxlen < 1) {
      throw new RangeError(`read: maxlen is ${maxlen}, expected a whole number of bytes from 1`)
    }
    return Effect.suspend((): Effect.Effect<Uint8Array, StorageError> => {
      // Taken before anything waits, so that two who read at once get different bytes.
      const start = this.position
      const length = Math.min(maxlen, this.size - start)
      this.position += length
      return isMemory(this.store)
        ? Effect.succeed(this.store.subarray(start, start + length))
        : this.store.read(start, length)
    })
  }

  /**
   * The digest of the bytes as lower-case hexadecimal digits, or none when there are no bytes. Computed once for each
   * algorithm; default: `sha256`.
   *
   * Source: Kore, http §8.2 (`body_digest`), where a request without a body has that of another request (A13).
   *
   * @throws TypeError for an algorithm that this Node does not have.
   */
  digest(algorithm: Digest.Algorithm = "sha256"): Effect.Effect<Option.Option<string>, StorageError> {
    const hash = Digest.hash(algorithm)
    return Effect.suspend((): Effect.Effect<Option.Option<string>, StorageError> => {
      if (this.size === 0) return Effect.succeedNone
      const known = this.digests.get(algorithm)
      if (known !== undefined) return Effect.succeedSome(known)
      // Each run has a hash of its own, because the Effect may be run again after it was interrupted.
      const running = hash.copy()
      return Effect.map(
        Stream.runForEach(this.stream, (block) => Effect.sync(() => running.update(block))),
        () => {
          const digest = running.digest("hex")
          this.digests.set(algorithm, digest)
          return Option.some(digest)
        }
      )
    })
  }
}
