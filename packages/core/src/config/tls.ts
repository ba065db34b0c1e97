/**
 * The options of TLS and of automatic certificates.
 *
 * When to reach for it: to add or change one of these options; `Config.ts` builds everything else from the table.
 * What it is not: the certificate of a domain, which is an argument of `Domain.layer`.
 */
import { define } from "./Definition.ts"
import * as Kind from "./Kind.ts"

/** The options of TLS and of automatic certificates. */
export const tlsOptions = {
  /** Versions of TLS that are spoken. One of "both", "1.2", "1.3"; default: both. */
  tlsVersion: define({
    kind: Kind.choice(["both", "1.2", "1.3"]),
    default: "both",
    doc: "Versions of TLS that are spoken.",
    later: "TLS"
  }),
  /**
   * Cipher suites of TLS 1.2; without a list, those with AEAD and ephemeral keys. A list of cipher suites as OpenSSL
   * writes it; default: none.
   */
  tlsCipher: define({
    kind: Kind.text(/^\S+$/, "a list of cipher suites as OpenSSL writes it"),
    default: undefined,
    doc: "Cipher suites of TLS 1.2; without a list, those with AEAD and ephemeral keys.",
    later: "TLS"
  }),
  /** PEM file with Diffie-Hellman parameters; without one, a standard group of 4096 bits. A path; default: none. */
  tlsDhparam: define({
    kind: Kind.path,
    default: undefined,
    doc: "PEM file with Diffie-Hellman parameters; without one, a standard group of 4096 bits.",
    later: "TLS"
  }),
  /** File with 1024 random bytes that seed the key process, replaced at every start. A path; default: none. */
  randFile: define({
    kind: Kind.path,
    default: undefined,
    doc: "File with 1024 random bytes that seed the key process, replaced at every start.",
    later: "TLS"
  }),
  /** Address that the certificate authority may write to. An email address; default: none. */
  acmeEmail: define({
    kind: Kind.text(/^[^\s@]+@[^\s@]+$/, "an email address"),
    default: undefined,
    doc: "Address that the certificate authority may write to.",
    later: "ACME"
  }),
  /**
   * Directory of the certificate authority (RFC 8555 §7.1.1). A URL that begins with https:// or http://; default:
   * https://acme-v02.api.letsencrypt.org/directory.
   */
  acmeProvider: define({
    kind: Kind.url,
    default: "https://acme-v02.api.letsencrypt.org/directory",
    doc: "Directory of the certificate authority (RFC 8555 §7.1.1).",
    later: "ACME"
  })
}
