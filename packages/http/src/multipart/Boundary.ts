/**
 * The boundary that the `content-type` of a multipart form names, and the finding of its first line.
 *
 * When to reach for it: `PartReader` begins with it.
 * What it is not: the splitting of parts, which is Effect's parser. That one gets the boundary in one spelling, and a body
 * that begins with it: behind a preamble it does not notice a part that has no end of its header.
 *
 * Source: RFC 2046 §5.1.1, RFC 9110 §5.6.6 (parameters); Kore's defect B26 (quoted boundaries and second parameters).
 */
import { MalformedMultipart, MEDIA_TYPE, type MultipartError, NotMultipart } from "./MultipartError.ts"

// One parameter or an empty one. Values that should be quoted and are not are taken up to the next separator.
const PARAMETER = /\s*;\s*(?:([!#$%&'*+.^_`|~\w-]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^\s;"]*))?/y

// 70 characters, none of which needs an escape; the last is no blank.
const BOUNDARY = /^[ !#-[\]-~]{0,69}[!#-[\]-~]$/

const malformed = (reason: string) => new MalformedMultipart({ reason })

/** The boundary, or why there is none. */
export const boundaryOf = (contentType: string | undefined): string | MultipartError => {
  const text = (contentType ?? "").trim()
  const end = text.indexOf(";")
  const type = end < 0 ? text : text.slice(0, end)
  if (type.trim().toLowerCase() !== MEDIA_TYPE) return new NotMultipart({ contentType: text })
  let boundary: string | undefined
  PARAMETER.lastIndex = type.length
  while (PARAMETER.lastIndex < text.length) {
    const match = PARAMETER.exec(text)
    if (match === null) return malformed(`its content-type is ${text}, expected parameters such as boundary=x`)
    const [, name, value = ""] = match
    if (name?.toLowerCase() !== "boundary") continue
    if (boundary !== undefined) return malformed(`its content-type is ${text}, expected one boundary`)
    boundary = value.startsWith("\"") ? value.slice(1, -1).replace(/\\(.)/g, "$1") : value
  }
  if (boundary === undefined) return malformed(`its content-type is ${text}, expected a boundary`)
  return BOUNDARY.test(boundary)
    ? boundary
    : malformed(`its boundary is ${JSON.stringify(boundary)}, expected 1 to 70 visible characters`)
}

/** The `content-type` in the one spelling that Effect's parser is given. */
export const spell = (boundary: string): string => `${MEDIA_TYPE}; boundary="${boundary}"`

const LINE_END = Buffer.from("\r\n")

/** Throws away what comes before the first line of a boundary. */
export class Preamble {
  private readonly needle: Buffer
  // The end of what was thrown away, in which the line may have begun; a body may begin with it.
  private tail: Buffer = LINE_END

  constructor(boundary: string) {
    this.needle = Buffer.from(`\r\n--${boundary}`, "latin1")
  }

  /** The bytes from the first boundary on, or nothing as long as there is none. */
  feed(chunk: Uint8Array): Buffer | undefined {
    const bytes = Buffer.concat([this.tail, chunk])
    const at = bytes.indexOf(this.needle)
    if (at >= 0) return bytes.subarray(at + LINE_END.length)
    this.tail = bytes.subarray(Math.max(0, bytes.length - this.needle.length + 1))
    return undefined
  }
}
