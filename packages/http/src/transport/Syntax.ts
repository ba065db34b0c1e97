/**
 * Byte classes of HTTP/1.1: which bytes may stand in a token, a field value, a request target, an authority.
 *
 * When to reach for it: a parser or writer asks one table look-up per byte.
 * What it is not: a grammar. Structure (`host [ ":" port ]`) is checked where it is parsed.
 */

const table = (accepts: (byte: number) => boolean): Uint8Array => {
  const out = new Uint8Array(256)
  for (let byte = 0; byte < 256; byte++) if (accepts(byte)) out[byte] = 1
  return out
}

const among = (characters: string) => (byte: number): boolean => characters.includes(String.fromCharCode(byte))
const isAlphaNumeric = (byte: number): boolean =>
  (byte >= 48 && byte <= 57) || (byte >= 65 && byte <= 90) || (byte >= 97 && byte <= 122)

/** Bytes of a `token`: methods, field names, connection options (RFC 9110 §5.6.2). */
export const TOKEN: Uint8Array = table((byte) => isAlphaNumeric(byte) || among("!#$%&'*+-.^_`|~")(byte))

/** Bytes of a field value: visible ASCII, blank, tab and `obs-text` (RFC 9110 §5.5). */
export const FIELD_VALUE: Uint8Array = table((byte) => byte === 9 || (byte >= 32 && byte !== 127))

/** Bytes of a request target: visible ASCII without `#`, which never travels (RFC 9112 §3.2, RFC 3986 §3.5). */
export const TARGET: Uint8Array = table((byte) => byte > 32 && byte < 127 && byte !== 35)

const REG_NAME: Uint8Array = table((byte) => isAlphaNumeric(byte) || among("-._~!$&'()*+,;=%")(byte))
const IP_LITERAL: Uint8Array = table((byte) => isAlphaNumeric(byte) || among(":.-_~")(byte))

export const HTAB = 9
export const LF = 10
export const CR = 13
export const SP = 32

/** Tells whether the bytes of `buffer` from `start` equal `literal`, ignoring ASCII case. `literal` is lower case. */
export const equalsIgnoringCase = (buffer: Uint8Array, start: number, literal: string): boolean => {
  for (let i = 0; i < literal.length; i++) if ((buffer[start + i]! | 32) !== literal.charCodeAt(i)) return false
  return true
}

/**
 * Tells whether bytes are `uri-host [ ":" port ]` with a host that is not empty (RFC 9110 §7.2, RFC 3986 §3.2.2).
 * User information is refused: it does not belong into `Host`, and hides the host from a careless reader.
 */
export const isAuthority = (buffer: Uint8Array, start: number, end: number): boolean => {
  let at = start
  if (buffer[at] === 91) { // "["
    at++
    const literal = at
    while (at < end && IP_LITERAL[buffer[at]!] === 1) at++
    if (at === literal || at >= end || buffer[at] !== 93) return false
    at++
  } else {
    while (at < end && REG_NAME[buffer[at]!] === 1) at++
    if (at === start) return false
  }
  if (at === end) return true
  if (buffer[at] !== 58) return false // ":"
  for (at++; at < end; at++) if (buffer[at]! < 48 || buffer[at]! > 57) return false
  return true
}

const INVALID_VALUE = /[^\t\x20-\x7e\x80-\xff]/
const INVALID_NAME = /[^!#$%&'*+\-.^_`|~0-9A-Za-z]/

/** Tells whether text may be sent as a field value: no CR, LF, NUL or other control, nothing beyond Latin-1. */
export const isFieldValue = (text: string): boolean => !INVALID_VALUE.test(text)

/** Tells whether text may be sent as a field name. */
export const isFieldName = (text: string): boolean => text !== "" && !INVALID_NAME.test(text)
