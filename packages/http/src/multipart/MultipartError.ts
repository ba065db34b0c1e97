/**
 * Why a multipart form was not taken; each knows its answer.
 *
 * When to reach for it: `Multipart` fails with them; a program catches them by tag.
 * What it is not: an error of what the fields say, which is a 400 of the Schemas.
 */
import * as Schema from "effect/Schema"
import * as HttpError from "../HttpError.ts"

/** The media type of these forms. */
export const MEDIA_TYPE = "multipart/form-data"

/** The body is no multipart form. Answer: 415. */
export class NotMultipart extends HttpError.TaggedError<NotMultipart>()("NotMultipart", {
  /** The `content-type`, empty when there is none. */
  contentType: Schema.String
}, { httpStatus: 415, headers: { accept: MEDIA_TYPE } }) {
  override get message(): string {
    return `the body ${
      this.contentType === "" ? "has no content-type" : `is ${this.contentType}`
    }, expected ${MEDIA_TYPE}`
  }
}

/** The body says that it is a multipart form, and is not well formed, or not whole. Answer: 400. */
export class MalformedMultipart extends HttpError.TaggedError<MalformedMultipart>()("MalformedMultipart", {
  reason: Schema.String
}, { httpStatus: 400 }) {
  override get message(): string {
    return `the multipart form is malformed: ${this.reason}`
  }
}

/** The form is larger than a limit allows; nothing of it is used. Answer: 413. */
export class MultipartTooLarge extends HttpError.TaggedError<MultipartTooLarge>()("MultipartTooLarge", {
  /** The limit, such as `maxFileSize`. */
  limit: Schema.String,
  max: Schema.Int,
  /** The name of the field that it was exceeded at, empty for limits of the whole form. */
  name: Schema.String
}, { httpStatus: 413 }) {
  override get message(): string {
    const where = this.name === "" ? "the multipart form"
      : `the field ${JSON.stringify(this.name)} of the multipart form`
    return `${where} has more ${WHAT[this.limit] ?? this.limit} than the ${this.max} that are allowed (${this.limit})`
  }
}

const WHAT: Readonly<Record<string, string>> = {
  maxParts: "parts",
  maxFields: "text fields",
  maxFieldSize: "bytes",
  maxFieldsSize: "bytes in its text fields",
  maxFileCount: "files",
  maxFileSize: "bytes",
  maxHeaderSize: "bytes in the header of a part",
  maxHeaderCount: "header fields in a part"
}

/** Any of the errors of this module. */
export type MultipartError = NotMultipart | MalformedMultipart | MultipartTooLarge
