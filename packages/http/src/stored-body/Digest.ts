/**
 * Digests of content by the name of their algorithm.
 *
 * When to reach for it: `Content` and `Spool` make their hashes with it.
 * What it is not: an implementation; that is Node's.
 */
import * as crypto from "node:crypto"

/** An algorithm as `crypto.getHashes()` calls it. */
export type Algorithm = "sha256" | "sha384" | "sha512" | (string & {})

const known = new Set<string>()

/**
 * An empty hash.
 *
 * @throws TypeError for an algorithm that this Node does not have, or that has no length of its own.
 */
export const hash = (algorithm: Algorithm): crypto.Hash => {
  if (!known.has(algorithm)) {
    try {
      crypto.createHash(algorithm).digest()
    } catch (cause) {
      throw new TypeError(
        `digest: algorithm is ${JSON.stringify(algorithm)}, expected one of crypto.getHashes(), such as "sha256"`,
        { cause }
      )
    }
    known.add(algorithm)
  }
  return crypto.createHash(algorithm)
}
