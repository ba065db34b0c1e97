/**
 * A file of a multipart form that has arrived: what it is called, what it claims to be, and its bytes.
 *
 * When to reach for it: `Multipart.collect` and the `multipart:` of a `Route` give them.
 * What it is not: checked. `contentType` is what the client says, and the bytes may be anything.
 *
 * Source: Kore, http §8.5 (`file_lookup`), where names are not safe, and neither type nor size are told (A21).
 */
import type * as Option from "effect/Option"
import { type Backing, Content } from "./stored-body/Content.ts"

/** What the form says about a file. */
export interface About {
  readonly name: string
  readonly filename: string
  readonly rawFilename: Option.Option<string>
  readonly contentType: string
}

/**
 * A file that has arrived. Valid until the scope that it was stored in ends, which for a handler is when its response has
 * been sent.
 *
 * `size`; `path` of the file on disk, if it is large; `bytes`; `stream`; `read(maxlen)`; `digest(algorithm)`.
 */
export class UploadedFile extends Content implements About {
  /** The name of the field of the form. */
  readonly name: string
  /**
   * The name of the file, safe to use below a directory of one's own: without path, control characters or dots at its
   * ends, at most 200 bytes; `file` when nothing is left of it. Not unique. See `Multipart.safeFilename`.
   */
  readonly filename: string
  /** The name of the file as the client sent it, which may be anything, `../../etc/passwd` too; none when there is none. */
  readonly rawFilename: Option.Option<string>
  /** The media type that the client claims, in lower case without parameters; default `application/octet-stream`. */
  readonly contentType: string

  constructor(about: About, backing: Backing) {
    super(backing)
    this.name = about.name
    this.filename = about.filename
    this.rawFilename = about.rawFilename
    this.contentType = about.contentType
  }

  /** What may be told of it: neither the bytes nor the place where they are. */
  override toJSON(): unknown {
    const { contentType, filename, name, size } = this
    return { _id: "UploadedFile", name, filename, contentType, size }
  }

  override toString(): string {
    return `UploadedFile(${JSON.stringify(this.filename)}, ${this.size} bytes)`
  }
}
