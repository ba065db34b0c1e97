/**
 * The head of an HTTP/1.1 request: request line and header fields, parsed from one contiguous range of bytes.
 *
 * When to reach for it: a connection calls `parse` for every request.
 * What it is not: a model of the request. It holds offsets that are valid until the next `parse`; `Request` reads
 * them on demand and parses again if another head came in between.
 *
 * HOT PATH: no allocation, one pass, no regular expressions; one scratch object serves all connections of a worker.
 * Strict where RFC 9112 lets a recipient choose: bare CR or LF, obs-fold, white space before a colon, two lengths and
 * unknown framing are refused, because every lenience is a chance to disagree with a proxy about where a request ends.
 */
import { METHODS } from "../internal/nodeHttp.ts"
import * as Refusal from "./Refusal.ts"
import { CR, equalsIgnoringCase, FIELD_VALUE, HTAB, isAuthority, LF, SP, TARGET, TOKEN } from "./Syntax.ts"

/** `parse` returns this when the head is not complete yet. */
export const INCOMPLETE = 0

/** How the body of a request is delimited (RFC 9112 §6.3). */
export const NO_BODY = 0
export const LENGTH_BODY = 1
export const CHUNKED_BODY = 2

const COLON = 58
const SLASH = 47
const QUESTION = 63
const ASTERISK = 42
const COMMA = 44

const CLOSE = 1
const KEEP_ALIVE = 2
const UPGRADE = 4

/** Bounds of a request head: its size in bytes and the number of its fields. */
export interface Limits {
  readonly size: number
  readonly fields: number
}

export class RequestHead {
  /** Counts `parse` calls, so that a holder can tell whether the offsets are still its own. */
  generation = 0
  method = ""
  targetStart = 0
  targetEnd = 0
  /** Offset of the `?` of the target, or -1. */
  query = -1
  /** Range of the host that routes the request: of an absolute target, else of the Host field. */
  hostStart = 0
  hostEnd = 0
  /** 0 or 1 of HTTP/1.x. */
  minor = 1
  /** Four offsets for each field: name start, name end, value start, value end. */
  readonly offsets: Int32Array
  count = 0
  body = NO_BODY
  length = 0
  keepAlive = true
  expectsContinue = false
  upgrade = false

  private readonly limits: Limits

  constructor(limits: Limits) {
    this.limits = limits
    this.offsets = new Int32Array(limits.fields * 4)
  }

  /**
   * Parses the head that begins at `start`; the empty lines that may stand before it are the caller's (RFC 9112 §2.2).
   * Returns the position behind it, `INCOMPLETE`, or the negative code of a `Refusal`.
   */
  parse(buffer: Uint8Array, start: number, end: number): number {
    this.generation++
    this.method = ""
    const limit = end - start > this.limits.size ? start + this.limits.size : end
    const cut = limit !== end
    const at = this.parseRequestLine(buffer, start, limit, cut)
    return at <= 0 ? at : this.parseFields(buffer, at, limit, cut)
  }

  private parseRequestLine(buffer: Uint8Array, start: number, limit: number, cut: boolean): number {
    let at = start
    while (at < limit && TOKEN[buffer[at]!] === 1) at++
    if (at - start > METHOD_MAX) return -Refusal.METHOD_UNKNOWN
    if (at >= limit) return cut ? -Refusal.TARGET_LENGTH : INCOMPLETE
    if (at === start && buffer[at] === CR) return at + 1 < limit ? -Refusal.EMPTY_LINE : INCOMPLETE
    if (buffer[at] !== SP || at === start) return -Refusal.METHOD
    this.method = methodOf(buffer, start, at)
    if (this.method === "") return -Refusal.METHOD_UNKNOWN
    // RFC 9110 §9.3.6: what follows a CONNECT is another protocol, so the connection ends here.
    if (this.method === "CONNECT") return -Refusal.TUNNEL
    const target = ++at
    let query = -1
    let byte = 0
    while (at < limit && TARGET[byte = buffer[at]!] === 1) {
      if (byte === QUESTION && query < 0) query = at
      at++
    }
    if (at >= limit) return cut ? -Refusal.TARGET_LENGTH : INCOMPLETE
    if (byte !== SP || at === target) return -Refusal.TARGET
    this.targetStart = target
    this.targetEnd = at
    this.query = query
    this.hostEnd = 0
    if (buffer[target] !== SLASH) {
      const refusal = this.parseOtherTarget(buffer, target, at)
      if (refusal !== 0) return refusal
    }
    return this.parseVersion(buffer, at + 1, limit, cut)
  }

  // RFC 9112 §3.2: absolute-form and asterisk-form.
  private parseOtherTarget(buffer: Uint8Array, start: number, end: number): number {
    if (end - start === 1 && buffer[start] === ASTERISK && this.method === "OPTIONS") return 0
    let at = equalsIgnoringCase(buffer, start, "http://") ? start + 7
      : equalsIgnoringCase(buffer, start, "https://") ? start + 8
      : -1
    if (at < 0 || at >= end) return -Refusal.TARGET_FORM
    const host = at
    while (at < end && buffer[at] !== SLASH && buffer[at] !== QUESTION) at++
    if (!isAuthority(buffer, host, at)) return -Refusal.TARGET_FORM
    // §3.2.2: the authority of the target replaces the Host field.
    this.hostStart = host
    this.hostEnd = at
    this.targetStart = at
    return 0
  }

  private parseVersion(buffer: Uint8Array, start: number, limit: number, cut: boolean): number {
    if (start + 10 <= limit && isVersion11(buffer, start)) {
      this.minor = 1
      return start + 10
    }
    for (let i = 0; i < 10; i++) {
      if (start + i >= limit) return cut ? -Refusal.HEAD_SIZE : INCOMPLETE
      const byte = buffer[start + i]!
      const isDigit = byte >= 48 && byte <= 57
      if (i === 5 || i === 7 ? !isDigit : byte !== VERSION.charCodeAt(i)) return -Refusal.VERSION_FORM
      // As soon as it is known: a client that speaks another version may never send CR LF.
      if (i === 7 && (buffer[start + 5] !== 49 || byte > 49)) return -Refusal.VERSION
    }
    this.minor = buffer[start + 7]! - 48
    return start + 10
  }

  private parseFields(buffer: Uint8Array, start: number, limit: number, cut: boolean): number {
    const offsets = this.offsets
    const over = cut ? -Refusal.HEAD_SIZE : INCOMPLETE
    let at = start
    let byte = 0
    let count = 0
    let hosts = 0
    let options = 0
    let hasUpgrade = false
    let length = -1
    let codings = 0
    this.expectsContinue = false
    for (;;) {
      if (at >= limit) return over
      byte = buffer[at]!
      if (byte === CR) {
        if (at + 1 >= limit) return over
        if (buffer[at + 1] !== LF) return -Refusal.LINE_END
        at += 2
        break
      }
      const nameStart = at
      while (at < limit && TOKEN[byte = buffer[at]!] === 1) at++
      if (at >= limit) return over
      if (byte !== COLON || at === nameStart) {
        return at === nameStart && (byte === SP || byte === HTAB) ? -Refusal.FIELD_FOLDED : -Refusal.FIELD_NAME
      }
      const nameEnd = at++
      while (at < limit && ((byte = buffer[at]!) === SP || byte === HTAB)) at++
      const valueStart = at
      while (at < limit && FIELD_VALUE[byte = buffer[at]!] === 1) at++
      if (at >= limit) return over
      if (byte !== CR) return byte === LF ? -Refusal.LINE_END : -Refusal.FIELD_VALUE
      if (at + 1 >= limit) return over
      if (buffer[at + 1] !== LF) return -Refusal.LINE_END
      let valueEnd = at
      while (valueEnd > valueStart && ((byte = buffer[valueEnd - 1]!) === SP || byte === HTAB)) valueEnd--
      at += 2
      const slot = count * 4
      if (slot === offsets.length) return -Refusal.FIELD_COUNT
      offsets[slot] = nameStart
      offsets[slot + 1] = nameEnd
      offsets[slot + 2] = valueStart
      offsets[slot + 3] = valueEnd
      count++
      // Only names of these lengths can be fields that decide about framing.
      switch (nameEnd - nameStart) {
        case 4:
          if (equalsIgnoringCase(buffer, nameStart, "host")) {
            hosts++
            if (!isAuthority(buffer, valueStart, valueEnd)) return -Refusal.HOST
            if (this.hostEnd === 0) {
              this.hostStart = valueStart
              this.hostEnd = valueEnd
            }
          }
          break
        case 6:
          if (equalsIgnoringCase(buffer, nameStart, "expect")) {
            if (valueEnd - valueStart !== 12 || !equalsIgnoringCase(buffer, valueStart, "100-continue")) {
              return -Refusal.EXPECTATION
            }
            this.expectsContinue = true
          }
          break
        case 7:
          if (equalsIgnoringCase(buffer, nameStart, "upgrade")) hasUpgrade = true
          break
        case 10:
          if (equalsIgnoringCase(buffer, nameStart, "connection")) {
            options |= connectionOptions(buffer, valueStart, valueEnd)
          }
          break
        case 14:
          if (equalsIgnoringCase(buffer, nameStart, "content-length")) {
            if (length >= 0) return -Refusal.LENGTH
            length = decimal(buffer, valueStart, valueEnd)
            if (length < 0) return -Refusal.LENGTH
          }
          break
        case 17:
          if (equalsIgnoringCase(buffer, nameStart, "transfer-encoding")) {
            // A tab around the value is allowed and never sent, except to find who does not know that.
            if (hasTab(buffer, nameEnd, valueStart) || hasTab(buffer, valueEnd, at)) return -Refusal.CODING
            if (codings++ > 0) return -Refusal.CODING
            const refusal = transferCoding(buffer, valueStart, valueEnd)
            if (refusal !== 0) return -refusal
          }
          break
      }
    }
    this.count = count
    // RFC 9112 §3.2: exactly one Host, except that HTTP/1.0 did not have it.
    if (hosts !== 1 && (this.minor === 1 || hosts > 1)) return -Refusal.HOST_COUNT
    if (codings > 0) {
      // RFC 9112 §6.1: both headers together are the classic request smuggling.
      if (length >= 0) return -Refusal.LENGTH_AND_CODING
      if (this.minor === 0) return -Refusal.CODING_VERSION
      this.body = CHUNKED_BODY
      this.length = 0
    } else {
      this.body = length > 0 ? LENGTH_BODY : NO_BODY
      this.length = length > 0 ? length : 0
    }
    // RFC 9110 §10.1.1: the expectation of an HTTP/1.0 client is ignored.
    if (this.minor === 0) this.expectsContinue = false
    this.keepAlive = (options & CLOSE) === 0 && (this.minor === 1 || (options & KEEP_ALIVE) !== 0)
    this.upgrade = hasUpgrade && (options & UPGRADE) !== 0
    return at
  }
}

const isVersion11 = (buffer: Uint8Array, at: number): boolean =>
  buffer[at] === 72 && buffer[at + 1] === 84 && buffer[at + 2] === 84 && buffer[at + 3] === 80 &&
  buffer[at + 4] === 47 &&
  buffer[at + 5] === 49 && buffer[at + 6] === 46 && buffer[at + 7] === 49 && buffer[at + 8] === 13 &&
  buffer[at + 9] === 10

// The digits at 5 and 7 are looked at on their own.
const VERSION = "HTTP/0.0\r\n"

// RFC 9110 §9.1: what is not known gets 501. The same methods that Node knows, but CONNECT is refused on its own.
const methods = new Map(METHODS.map((method) => [method, method]))
const METHOD_MAX = Math.max(...METHODS.map((method) => method.length))

// The frequent methods without making a string; empty for a method that is not known.
const methodOf = (buffer: Uint8Array, start: number, end: number): string => {
  switch (end - start) {
    case 3:
      if (buffer[start] === 71 && buffer[start + 1] === 69 && buffer[start + 2] === 84) return "GET"
      break
    case 4:
      if (buffer[start] === 80 && buffer[start + 1] === 79 && buffer[start + 2] === 83 && buffer[start + 3] === 84) {
        return "POST"
      }
      break
  }
  return methods.get(String.fromCharCode(...buffer.subarray(start, end))) ?? ""
}

const connectionOptions = (buffer: Uint8Array, start: number, end: number): number => {
  let options = 0
  let at = start
  while (at < end) {
    while (at < end && (buffer[at] === SP || buffer[at] === HTAB || buffer[at] === COMMA)) at++
    const token = at
    while (at < end && TOKEN[buffer[at]!] === 1) at++
    const size = at - token
    if (size === 5 && equalsIgnoringCase(buffer, token, "close")) options |= CLOSE
    else if (size === 10 && equalsIgnoringCase(buffer, token, "keep-alive")) options |= KEEP_ALIVE
    else if (size === 7 && equalsIgnoringCase(buffer, token, "upgrade")) options |= UPGRADE
    while (at < end && (buffer[at] === SP || buffer[at] === HTAB)) at++
    // A list that cannot be read: answer, but do not reuse the connection.
    if (at < end && buffer[at] !== COMMA) return options | CLOSE
  }
  return options
}

// Digits only, at most 15 of them so that the number is exact.
const decimal = (buffer: Uint8Array, start: number, end: number): number => {
  if (start === end || end - start > 15) return -1
  let value = 0
  for (let at = start; at < end; at++) {
    const digit = buffer[at]! - 48
    if (digit < 0 || digit > 9) return -1
    value = value * 10 + digit
  }
  return value
}

const hasTab = (buffer: Uint8Array, start: number, end: number): boolean => {
  for (let at = start; at < end; at++) if (buffer[at] === HTAB) return true
  return false
}

// RFC 9112 §6.3: a request whose last coding is not chunked has no reliable length.
const transferCoding = (buffer: Uint8Array, start: number, end: number): number => {
  if (end - start === 7 && equalsIgnoringCase(buffer, start, "chunked")) return 0
  let last = end
  while (last > start && TOKEN[buffer[last - 1]!] === 1) last--
  const separated = last > start && (buffer[last - 1] === COMMA || buffer[last - 1] === SP || buffer[last - 1] === HTAB)
  return separated && end - last === 7 && equalsIgnoringCase(buffer, last, "chunked")
    ? Refusal.CODING_UNKNOWN
    : Refusal.CODING
}
