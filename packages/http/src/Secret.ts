/**
 * What only the server may know: comparing it in constant time, and signing with it.
 *
 * When to reach for it: a token or password that a client sends is compared with the right one; text goes to a client and
 * must come back unchanged.
 * What it is not: a store of passwords. Those of users are kept as hashes (scrypt, Argon2), not as text. Nor does it hide
 * anything: what is signed can be read.
 *
 * Signatures are HMAC-SHA-256 (RFC 2104, RFC 6234) in base64url (RFC 4648 §5).
 */
import * as Redacted from "effect/Redacted"
import * as crypto from "node:crypto"

/** A value to compare: text is its UTF-8. */
export type Comparable = string | Uint8Array | Redacted.Redacted<string>

/**
 * Secrets to sign with, each of 32 bytes or more. Of several the first signs, and what any of them has signed is accepted:
 * a new one goes in front, and the old one is taken away when nothing signed by it is in use any more.
 */
export type Secrets = Redacted.Redacted<string> | ReadonlyArray<Redacted.Redacted<string>>

const digest = (value: Comparable): Buffer =>
  crypto.hash("sha256", Redacted.isRedacted(value) ? Redacted.value(value) : value, "buffer")

/**
 * Tells whether two values are the same, in a time that does not depend on where they differ, nor on whether they are
 * equally long.
 *
 * @example
 * ```ts
 * import * as Redacted from "effect/Redacted"
 * import { Secret } from "@kore-fx/http"
 *
 * const expected = Redacted.make("correct horse battery staple")
 * export const isAllowed = (token: string): boolean => Secret.equals(token, expected)
 * ```
 */
export const equals = (a: Comparable, b: Comparable): boolean => crypto.timingSafeEqual(digest(a), digest(b))

const BYTES_MIN = 32

/**
 * Secrets as a list, the one that signs first. `where` says in errors which option they are.
 *
 * @throws TypeError when there is none, or something else than `Redacted` text; RangeError when one has less than 32
 * bytes. Neither says the secret.
 */
export const list = (where: string, secrets: Secrets): ReadonlyArray<Redacted.Redacted<string>> => {
  const all = Redacted.isRedacted(secrets) ? [secrets] : secrets
  if (!Array.isArray(all) || all.length === 0) {
    throw new TypeError(`${where}: there is no secret, expected a Redacted text or a list of them, the newest first`)
  }
  for (const secret of all) {
    if (!Redacted.isRedacted(secret) || typeof Redacted.value(secret) !== "string") {
      throw new TypeError(`${where}: a secret is no Redacted text, expected Redacted.make("…") or Config.Redacted("…")`)
    }
    const bytes = Buffer.byteLength(Redacted.value(secret as Redacted.Redacted<string>))
    if (bytes < BYTES_MIN) {
      throw new RangeError(
        `${where}: a secret has ${bytes} bytes, expected ${BYTES_MIN} or more: take the output of \`openssl rand -hex 32\``
      )
    }
  }
  return all as ReadonlyArray<Redacted.Redacted<string>>
}

const hmac = (text: string, secret: Redacted.Redacted<string>): string =>
  crypto.createHmac("sha256", Redacted.value(secret)).update(text).digest("base64url")

/**
 * The signature of a text by the first of the secrets: 43 characters of base64url.
 *
 * @throws as `list` does for unusable secrets.
 *
 * @example
 * ```ts
 * import * as Redacted from "effect/Redacted"
 * import { Secret } from "@kore-fx/http"
 *
 * export const signature = (text: string, secret: Redacted.Redacted<string>): string => Secret.sign(text, secret)
 * ```
 */
export const sign = (text: string, secrets: Secrets): string => hmac(text, list("Secret.sign", secrets)[0]!)

/**
 * Tells whether a signature is that of a text by any of the secrets, in a time that does not depend on where it differs.
 *
 * @throws as `list` does for unusable secrets; never for what a client sends.
 */
export const isSignature = (signature: string, text: string, secrets: Secrets): boolean => {
  let isGood = false
  // As text, not as bytes: bytes have several spellings in base64. And all secrets, whichever it was.
  for (const secret of list("Secret.isSignature", secrets)) isGood = equals(signature, hmac(text, secret)) || isGood
  return isGood
}
