/**
 * What a multipart form may have, apart from the size of the whole body.
 *
 * When to reach for it: `Multipart` reads its argument with it.
 * What it is not: httpBodyMax, which limits the body of any request before it is looked into.
 */
import type * as ByteSize from "effect/ByteSize"
import { sizeOf } from "../stored-body/Storage.ts"

/** Limits of a multipart form. What is beyond one of them is 413, and nothing of the form is used. */
export interface Limits {
  /** Fields and files together. From 1; default 1000. */
  readonly maxParts?: number | undefined
  /** Text fields. From 0; default 1000. */
  readonly maxFields?: number | undefined
  /** Bytes of the value of one text field. Default 1 MiB. */
  readonly maxFieldSize?: ByteSize.Input | undefined
  /** Bytes of the names and values of all text fields, which are in memory together. Default 4 MiB. */
  readonly maxFieldsSize?: ByteSize.Input | undefined
  /** Files. From 0; default 100. */
  readonly maxFileCount?: number | undefined
  /** Bytes of one file. Default: no limit but httpBodyMax. */
  readonly maxFileSize?: ByteSize.Input | undefined
  /** Bytes of the header of one part. From 1 B to 16 KiB; default 8 KiB. */
  readonly maxHeaderSize?: ByteSize.Input | undefined
}

/** The limits in force, as numbers. */
export type Settled = { readonly [K in keyof Limits]-?: number }

// What Effect's parser takes of one header, whatever is asked for.
const HEADER_MAX = 16_384

const DEFAULTS: Settled = {
  maxParts: 1000,
  maxFields: 1000,
  maxFieldSize: 1_048_576,
  maxFieldsSize: 4_194_304,
  maxFileCount: 100,
  maxFileSize: Number.POSITIVE_INFINITY,
  maxHeaderSize: 8_192
}

const count = (owner: string, option: "maxParts" | "maxFields" | "maxFileCount", least: number, limits: Limits) => {
  const value = limits[option] ?? DEFAULTS[option]
  if (!Number.isSafeInteger(value) || value < least) {
    throw new RangeError(`${owner}: ${option} is ${value}, expected a whole number from ${least}`)
  }
  return value
}

const size = (
  owner: string,
  option: Exclude<keyof Limits, "maxParts" | "maxFields" | "maxFileCount">,
  limits: Limits
) => {
  const value = limits[option]
  return value === undefined ? DEFAULTS[option] : sizeOf(owner, option, value)
}

/**
 * The limits with their defaults.
 *
 * @throws RangeError for one that cannot be, and names it.
 */
export const settle = (owner: string, limits: Limits): Settled => {
  const maxHeaderSize = size(owner, "maxHeaderSize", limits)
  if (maxHeaderSize < 1 || maxHeaderSize > HEADER_MAX) {
    throw new RangeError(`${owner}: maxHeaderSize is ${limits.maxHeaderSize}, expected from 1 B to 16 KiB`)
  }
  return {
    maxParts: count(owner, "maxParts", 1, limits),
    maxFields: count(owner, "maxFields", 0, limits),
    maxFieldSize: size(owner, "maxFieldSize", limits),
    maxFieldsSize: size(owner, "maxFieldsSize", limits),
    maxFileCount: count(owner, "maxFileCount", 0, limits),
    maxFileSize: size(owner, "maxFileSize", limits),
    maxHeaderSize
  }
}
