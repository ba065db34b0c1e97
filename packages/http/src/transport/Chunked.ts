/**
 * The chunked transfer coding, decoded incrementally (RFC 9112 §7.1).
 *
 * When to reach for it: the body of a request with `Transfer-Encoding: chunked`.
 * What it is not: a buffer. Decoded ranges go to the sink as views of the bytes that came in.
 *
 * HOT PATH: one switch on one byte; chunk data is passed on in ranges, never byte by byte.
 */
import * as Refusal from "./Refusal.ts"
import { CR, FIELD_VALUE, HTAB, LF, SP, TOKEN } from "./Syntax.ts"

/** Receives the decoded bytes. */
export interface Sink {
  readonly push: (bytes: Uint8Array) => void
}

const SIZE = 0
const EXTENSION_NAME_START = 1
const EXTENSION_NAME = 2
const EXTENSION_VALUE_START = 3
const EXTENSION_VALUE = 4
const EXTENSION_QUOTED = 5
const EXTENSION_ESCAPE = 6
const EXTENSION_AFTER_QUOTED = 7
const SIZE_LF = 8
const DATA = 9
const DATA_CR = 10
const DATA_LF = 11
const TRAILER_START = 12
const TRAILER_NAME = 13
const TRAILER_VALUE = 14
const TRAILER_LF = 15
const END_LF = 16
const DONE = 17

const SEMICOLON = 59
const EQUALS = 61
const QUOTE = 34
const BACKSLASH = 92
const COLON = 58

// Extensions and trailers of one body together, so that no one keeps a parser busy with them.
const MAXIMUM_OVERHEAD = 16_384
// 12 hexadecimal digits stay an exact number.
const MAXIMUM_DIGITS = 12

// RFC 9110 §6.5.1: fields that decide about routing, authentication or content have no place in trailers; they are
// dropped, so that nobody can take them for fields of the head.
const FORBIDDEN_TRAILERS = new Set([
  "authorization",
  "connection",
  "content-encoding",
  "content-range",
  "content-type",
  "cookie",
  "expect",
  "host",
  "keep-alive",
  "proxy-authorization",
  "set-cookie",
  "te",
  "trailer",
  "upgrade"
])

export class Chunked {
  private state = SIZE
  private remaining = 0
  private digits = 0
  private overhead = 0
  private name = ""
  private value = ""
  /** Trailer fields as name and value, in order; complete when `done`. */
  readonly trailers: Array<readonly [name: string, value: string]> = []

  /** True when the last chunk and the trailers have been read. */
  get done(): boolean {
    return this.state === DONE
  }

  /** Reads `buffer` from `at` to `end`; returns the new position, or the negative code of a `Refusal`. */
  feed(buffer: Uint8Array, at: number, end: number, sink: Sink): number {
    let state = this.state
    while (at < end) {
      const byte = buffer[at]!
      if (state >= EXTENSION_NAME_START && state <= EXTENSION_AFTER_QUOTED) {
        if (++this.overhead > MAXIMUM_OVERHEAD) return -Refusal.CHUNK_EXTENSION_SIZE
        state = extension(state, byte)
        if (state < 0) return -Refusal.CHUNK_EXTENSION
        at++
        continue
      }
      switch (state) {
        case SIZE: {
          const digit = hexadecimal(byte)
          if (digit >= 0) {
            if (++this.digits > MAXIMUM_DIGITS) return -Refusal.CHUNK_SIZE
            this.remaining = this.remaining * 16 + digit
          } else if (this.digits === 0) return -Refusal.CHUNK_SIZE
          else if (byte === CR) state = SIZE_LF
          else if (byte === SEMICOLON) state = EXTENSION_NAME_START
          else return -Refusal.CHUNK_SIZE
          at++
          break
        }
        case SIZE_LF:
          if (byte !== LF) return -Refusal.CHUNK_SIZE
          state = this.remaining === 0 ? TRAILER_START : DATA
          at++
          break
        case DATA: {
          const size = Math.min(end - at, this.remaining)
          sink.push(buffer.subarray(at, at + size))
          this.remaining -= size
          at += size
          if (this.remaining === 0) state = DATA_CR
          break
        }
        case DATA_CR:
          if (byte !== CR) return -Refusal.CHUNK_END
          state = DATA_LF
          at++
          break
        case DATA_LF:
          if (byte !== LF) return -Refusal.CHUNK_END
          state = SIZE
          this.digits = 0
          at++
          break
        case TRAILER_START:
          if (byte === CR) {
            state = END_LF
            at++
          } else if (TOKEN[byte] === 1) {
            state = TRAILER_NAME
            this.name = ""
            this.value = ""
          } else return -Refusal.TRAILER
          break
        case TRAILER_NAME:
          if (++this.overhead > MAXIMUM_OVERHEAD) return -Refusal.TRAILER_SIZE
          if (byte === COLON) {
            this.name = this.name.toLowerCase()
            if (this.name === "content-length" || this.name === "transfer-encoding") return -Refusal.TRAILER_FRAMING
            state = TRAILER_VALUE
          } else if (TOKEN[byte] !== 1) return -Refusal.TRAILER
          else this.name += String.fromCharCode(byte)
          at++
          break
        case TRAILER_VALUE:
          if (++this.overhead > MAXIMUM_OVERHEAD) return -Refusal.TRAILER_SIZE
          if (byte === CR) {
            if (!FORBIDDEN_TRAILERS.has(this.name)) this.trailers.push([this.name, trimBlanks(this.value)])
            state = TRAILER_LF
          } else if (FIELD_VALUE[byte] !== 1) return -Refusal.TRAILER
          else this.value += String.fromCharCode(byte)
          at++
          break
        case TRAILER_LF:
          if (byte !== LF) return -Refusal.TRAILER
          state = TRAILER_START
          at++
          break
        case END_LF:
          if (byte !== LF) return -Refusal.TRAILER
          this.state = DONE
          return at + 1
        default:
          this.state = state
          return at
      }
    }
    this.state = state
    return at
  }
}

// chunk-ext = *( ";" name [ "=" ( token / quoted-string ) ] ); the blanks that RFC 9112 tolerates as BWS are refused.
const extension = (state: number, byte: number): number => {
  switch (state) {
    case EXTENSION_NAME_START:
      return TOKEN[byte] === 1 ? EXTENSION_NAME : -1
    case EXTENSION_NAME:
      if (TOKEN[byte] === 1) return EXTENSION_NAME
      if (byte === EQUALS) return EXTENSION_VALUE_START
      return afterExtension(byte)
    case EXTENSION_VALUE_START:
      if (byte === QUOTE) return EXTENSION_QUOTED
      return TOKEN[byte] === 1 ? EXTENSION_VALUE : -1
    case EXTENSION_VALUE:
      return TOKEN[byte] === 1 ? EXTENSION_VALUE : afterExtension(byte)
    case EXTENSION_QUOTED:
      if (byte === QUOTE) return EXTENSION_AFTER_QUOTED
      if (byte === BACKSLASH) return EXTENSION_ESCAPE
      return FIELD_VALUE[byte] === 1 ? EXTENSION_QUOTED : -1
    case EXTENSION_ESCAPE:
      return FIELD_VALUE[byte] === 1 ? EXTENSION_QUOTED : -1
    default:
      return afterExtension(byte)
  }
}

const afterExtension = (byte: number): number => byte === CR ? SIZE_LF : byte === SEMICOLON ? EXTENSION_NAME_START : -1

const hexadecimal = (byte: number): number => {
  if (byte >= 48 && byte <= 57) return byte - 48
  const letter = byte | 32
  return letter >= 97 && letter <= 102 ? letter - 87 : -1
}

const trimBlanks = (value: string): string => {
  let start = 0
  let end = value.length
  const isBlank = (at: number) => value.charCodeAt(at) === SP || value.charCodeAt(at) === HTAB
  while (start < end && isBlank(start)) start++
  while (end > start && isBlank(end - 1)) end--
  return value.slice(start, end)
}
