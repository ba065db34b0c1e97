/**
 * A file of a multipart form, as `req.file_lookup` gives it.
 *
 * When to reach for it: handlers that take uploads.
 * What it is not: a file on disk, though it may be kept in one while the request lasts. Source: Kore, http §8.5.
 */
import type { UploadedFile } from "@kore-fx/http/UploadedFile"
import * as Option from "effect/Option"
import { Reader } from "./internal/Stored.ts"

/** A file that was uploaded. Valid while its request is. */
export class HttpFile {
  readonly #file: UploadedFile
  readonly #reader = new Reader()

  constructor(file: UploadedFile) {
    this.#file = file
  }

  /** The name of the field of the form. */
  get name(): string {
    return this.#file.name
  }

  /** The name of the file without path and control characters, so that it can be used below a directory. */
  get filename(): string {
    return this.#file.filename
  }

  /** The name of the file as the client sent it, which may be anything; null when it sent none. */
  get raw_filename(): string | null {
    return Option.getOrNull(this.#file.rawFilename)
  }

  /** The media type that the client claims. */
  get content_type(): string {
    return this.#file.contentType
  }

  /** Bytes. */
  get size(): number {
    return this.#file.size
  }

  /**
   * Reads on in the file: the number of bytes, and the bytes; `[0, <empty>]` at its end.
   *
   * @throws RuntimeError for anything but a whole number from 0 to 1024.
   */
  read(length: number): readonly [length: number, chunk: Buffer] {
    return this.#reader.read("file.read", this.#file, length)
  }
}
