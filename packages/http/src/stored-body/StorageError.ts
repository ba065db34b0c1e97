/**
 * What can go wrong between this server and the disk that it keeps bodies on, and what to do about it.
 *
 * When to reach for it: `BodyFile` makes every such error with `storageError`; a program catches them by tag.
 * What it is not: anything that a client did. All are faults: reported with option, path and code, while the client is
 * told only that it was not its fault.
 */
import * as Schema from "effect/Schema"
import * as HttpError from "../HttpError.ts"

const fields = {
  /** What was being done, such as `write`. */
  operation: Schema.String,
  path: Schema.String,
  /** The code of the system, such as `EACCES`. */
  code: Schema.String
}

const sentence = ({ code, operation, path }: StorageFull | StorageFailed): string =>
  `cannot ${operation} ${path}, where a request body is kept: ${code}, expected to be able to (options ` +
  "httpBodyDiskPath and httpBodyDiskOffload)"

/** The disk or the quota of the user is full (ENOSPC, EDQUOT, EFBIG). Answer: 507, reported as a fault. */
export class StorageFull extends HttpError.TaggedError<StorageFull>()("StorageFull", fields, {
  httpStatus: 507,
  detail: "the server has no room for the body of this request"
}) {
  override get message(): string {
    return `${sentence(this)}. Free space there, let httpBodyDiskPath name a larger disk, or lower httpBodyMax.`
  }
}

/** The file of a body could not be made, written or read. Answer: 500, reported as a fault. */
export class StorageFailed extends HttpError.TaggedError<StorageFailed>()("StorageFailed", fields, {
  httpStatus: 500,
  detail: "the server could not keep the body of this request"
}) {
  override get message(): string {
    return `${sentence(this)}. ${ADVICE[this.code] ?? OTHER}`
  }
}

/** Any of the errors of this module. */
export type StorageError = StorageFull | StorageFailed

const FULL: ReadonlyArray<string> = ["ENOSPC", "EDQUOT", "EFBIG"]

const NOT_ALLOWED =
  "Let httpBodyDiskPath name a directory that the user of the workers may write to, or give that user the right."
const NO_DESCRIPTORS = "Raise the limit of open files (ulimit -n), or lower httpRequestLimit."
const OTHER = "See whether the disk is well, or let httpBodyDiskPath name a directory on another one."

const ADVICE: Readonly<Record<string, string>> = {
  EACCES: NOT_ALLOWED,
  EPERM: NOT_ALLOWED,
  EROFS: NOT_ALLOWED,
  EMFILE: NO_DESCRIPTORS,
  ENFILE: NO_DESCRIPTORS,
  ENOTDIR: "Let httpBodyDiskPath name a directory: something else has that name.",
  EEXIST: "Let httpBodyDiskPath name a directory: something else has that name."
}

/** The error for what Node says about an operation on a path. */
export const storageError = (operation: string, path: string, cause: NodeJS.ErrnoException): StorageError => {
  const input = { operation, path, code: cause.code ?? cause.message }
  return FULL.includes(input.code) ? new StorageFull(input) : new StorageFailed(input)
}
