/**
 * Pairs of names and values as forms and queries write them (`application/x-www-form-urlencoded`, WHATWG URL §5.1).
 *
 * When to reach for it: `Form` reads bodies with it, `Params` and `Arguments` queries.
 * What it is not: a judgement about names. Whoever visits the pairs says which of them count.
 */
import { isUtf8 } from "node:buffer"
import { latin1 } from "./latin1.ts"

/**
 * Takes one pair of a form. `isExact` is false where name or value did not say clearly which text is meant: an incomplete
 * escape, or bytes that are not UTF-8.
 */
export type Visit = (name: string, value: string, isExact: boolean) => void

const AMPERSAND = 0x26
const EQUALS = 0x3D
const PLUS = 0x2B
const PERCENT = 0x25

/**
 * Calls `visit` for each pair of a form in the order sent, and says whether there were at most `maxPairs`.
 *
 * The form is given as bytes, one character a byte (Latin-1). Takes any of them, and never throws.
 *
 * HOT PATH: one look at each character; only names and values that hold an escape, a plus or a byte above 127 are copied.
 */
export const scan = (bytes: string, maxPairs: number, visit: Visit): boolean => {
  const end = bytes.length
  let count = 0
  let start = 0
  let equals = -1
  let isNamePlain = true
  let isValuePlain = true
  for (let at = 0; at <= end; at++) {
    const byte = at === end ? AMPERSAND : bytes.charCodeAt(at)
    if (byte === AMPERSAND) {
      if (at > start) {
        if (++count > maxPairs) return false
        const nameEnd = equals < 0 ? at : equals
        isExact = true
        const name = isNamePlain ? bytes.slice(start, nameEnd) : unescape(bytes, start, nameEnd)
        const value = equals < 0 ? "" : isValuePlain ? bytes.slice(equals + 1, at) : unescape(bytes, equals + 1, at)
        visit(name, value, isExact)
      }
      start = at + 1
      equals = -1
      isNamePlain = isValuePlain = true
    } else if (byte === EQUALS) {
      if (equals < 0) equals = at
    } else if (byte === PLUS || byte === PERCENT || byte > 127) {
      if (equals < 0) isNamePlain = false
      else isValuePlain = false
    }
  }
  return true
}

// What `unescape` found out about the pair at hand. A result object for each would cost more than the rest.
let isExact = true

// Nearly all names and values fit; what does not gets a buffer of its own, which is not kept.
const SCRATCH = Buffer.allocUnsafeSlow(4096)

const unescape = (text: string, start: number, end: number): string => {
  const buffer = end - start > SCRATCH.length ? Buffer.allocUnsafe(end - start) : SCRATCH
  let size = 0
  let all = 0
  for (let at = start; at < end; at++) {
    let byte = text.charCodeAt(at)
    if (byte === PLUS) byte = 0x20
    else if (byte === PERCENT) {
      const high = at + 2 < end ? hexadecimal(text.charCodeAt(at + 1)) : -1
      const low = high < 0 ? -1 : hexadecimal(text.charCodeAt(at + 2))
      if (low < 0) isExact = false
      else {
        byte = high << 4 | low
        at += 2
      }
    }
    all |= byte
    buffer[size++] = byte
  }
  if (all < 128) return latin1(buffer, 0, size)
  if (!isUtf8(buffer.subarray(0, size))) isExact = false
  return buffer.toString("utf8", 0, size)
}

const hexadecimal = (code: number): number => {
  if (code >= 0x30 && code <= 0x39) return code - 0x30
  const lower = code | 0x20
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1
}

/** Values by name, as a Schema is given them: one alone as text, several as a list. */
export type Values = Record<string, string | Array<string>>

/** A visit that keeps the values of some names. */
export const keep = (names: ReadonlySet<string>, into: Values): Visit => (name, value) => {
  if (!names.has(name)) return
  const earlier = into[name]
  if (earlier === undefined) into[name] = value
  else if (typeof earlier === "string") into[name] = [earlier, value]
  else earlier.push(value)
}
