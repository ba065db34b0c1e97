/**
 * Stored bytes, read without waiting, as Kore's functions do: from memory, or by the file system's blocking calls.
 *
 * When to reach for it: `Request` and `HttpFile` read bodies and files with it.
 * What it is not: for programs of one's own; `StoredBody` and `UploadedFile` read without blocking the worker.
 */
import type { Content } from "@kore-fx/http/stored-body/Content"
import * as Option from "effect/Option"
import { closeSync, openSync, readSync } from "node:fs"
import { describe } from "../Coroutine.ts"
import { RuntimeError } from "../errors.ts"
import * as Run from "./Run.ts"

/** Bytes that one read returns at most: 1024. */
const READ_MAX = 1024

/** Bytes in the place of a body or a file. */
export type Stored = Content | Uint8Array

const sizeOf = (stored: Stored): number => stored instanceof Uint8Array ? stored.length : stored.size

/** The bytes from `start`, at most `length`. */
const slice = (stored: Stored, start: number, length: number): Buffer => {
  const wanted = Math.max(0, Math.min(length, sizeOf(stored) - start))
  if (!(stored instanceof Uint8Array) && Option.isSome(stored.path)) return fromFile(stored.path.value, start, wanted)
  const bytes = stored instanceof Uint8Array ? stored : Run.now(stored.bytes)
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, wanted)
}

const fromFile = (path: string, start: number, length: number): Buffer => {
  const buffer = Buffer.allocUnsafe(length)
  const descriptor = openSync(path, "r")
  try {
    let size = 0
    while (size < length) {
      const read = readSync(descriptor, buffer, size, length - size, start + size)
      if (read === 0) throw new RuntimeError(`${path} has become shorter while it was read`)
      size += read
    }
    return buffer
  } finally {
    closeSync(descriptor)
  }
}

/** All bytes. */
export const whole = (stored: Stored): Buffer => slice(stored, 0, sizeOf(stored))

/** Reads on, from one call to the next. */
export class Reader {
  private position = 0

  /**
   * The number of bytes, and the bytes; `[0, <empty>]` at the end. `call` is what the program called.
   *
   * @throws RuntimeError for anything but a whole number from 0 to 1024.
   */
  read(call: string, stored: Stored, length: number): readonly [length: number, chunk: Buffer] {
    if (!Number.isInteger(length) || length < 0 || length > READ_MAX) {
      throw new RuntimeError(`${call} got ${describe(length)}, expected a number of bytes from 0 to ${READ_MAX}`)
    }
    const chunk = slice(stored, this.position, length)
    this.position += chunk.length
    return [chunk.length, chunk]
  }
}
