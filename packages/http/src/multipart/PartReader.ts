/**
 * Reads the parts of a multipart form out of the chunks of a body, one event after another, only as fast as it is asked.
 *
 * When to reach for it: `Multipart.parts` is made of one.
 * What it is not: a parser. That is Effect's `MultipartParser`, which splits and reads headers; here is what it leaves
 * open: limits, what must not be taken for a part, and that the end of a part is told only when there is one.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Pull from "effect/Pull"
import { MultipartParser } from "../internal/effectHttp.ts"
import { utf8 } from "../internal/latin1.ts"
import { Preamble, spell } from "./Boundary.ts"
import * as FileName from "./FileName.ts"
import type { Settled } from "./Limits.ts"
import { MalformedMultipart, type MultipartError, MultipartTooLarge } from "./MultipartError.ts"

/** What the header of a part says. */
export interface Head {
  readonly isFile: boolean
  readonly name: string
  /** As sent, or none at all. */
  readonly filename: string | undefined
  /** Lower case, without parameters. */
  readonly contentType: string
  readonly charset: string | undefined
}

/** What happens in a form: each part begins, has data, and ends. */
export type Event =
  | { readonly _tag: "Begin"; readonly head: Head }
  | { readonly _tag: "Data"; readonly bytes: Uint8Array }
  | typeof END

const END = { _tag: "End" } as const

type Chunks<E> = Pull.Pull<ReadonlyArray<Uint8Array>, E>

export class PartReader<E> {
  private readonly upstream: Chunks<E>
  private readonly limits: Settled
  private readonly parser: MultipartParser.Parser
  private preamble: Preamble | undefined
  private events: Array<Event> = []
  private failure: MultipartError | undefined
  // The last boundary was there; what follows is nobody's.
  private isOver = false
  // The body has ended.
  private isEnded = false
  private parts = 0
  private fields = 0
  private fieldsSize = 0
  private files = 0

  constructor(upstream: Chunks<E>, boundary: string, limits: Settled) {
    this.upstream = upstream
    this.limits = limits
    this.preamble = new Preamble(boundary)
    this.parser = MultipartParser.make({
      headers: { "content-type": spell(boundary) },
      // Fields are gathered here too, so that their sizes are counted in one place.
      isFile: () => true,
      onFile: (info) => this.begin(info),
      // It has found a part that ends in its header, and takes it for a field without a header.
      onField: () => this.malformed(NO_BLANK_LINE),
      onError: (error) => this.parserFailed(error),
      onDone: () => {
        this.isOver = true
      }
    })
  }

  private fail(failure: MultipartError): void {
    if (!this.isOver) this.failure ??= failure
  }

  private malformed(reason: string): void {
    this.fail(new MalformedMultipart({ reason }))
  }

  private exceed(limit: string, max: number, name = ""): void {
    this.fail(new MultipartTooLarge({ limit, max, name }))
  }

  private parserFailed(error: MultipartParser.MultipartError): void {
    switch (error._tag) {
      case "BadHeaders":
        if (error.error.reason === "HeaderTooLarge") return this.exceed("maxHeaderSize", this.limits.maxHeaderSize)
        if (error.error.reason === "TooManyHeaders") return this.exceed("maxHeaderCount", 100)
        return this.malformed("a part has an invalid header, expected lines such as \"name: value\"")
      case "InvalidDisposition":
        return this.malformed("a part has no valid content-disposition, expected such as form-data; name=\"field\"")
      case "EndNotReached":
        return this.malformed("it ends before its last boundary")
      case "InvalidBoundary":
      case "ReachedLimit":
        return this.malformed(`the parser says ${error._tag}`)
    }
  }

  private begin(info: MultipartParser.PartInfo): (chunk: Uint8Array | null) => void {
    const { limits } = this
    // Behind the last boundary it goes on looking for parts.
    if (this.isOver || this.failure !== undefined) return IGNORE
    if (info.contentDisposition !== "form-data") {
      this.malformed(
        `a part has the content-disposition ${JSON.stringify(info.contentDisposition)}, expected form-data`
      )
      return IGNORE
    }
    const name = FileName.unescape(info.name)
    const isFile = info.filename !== undefined || info.contentType === "application/octet-stream"
    if (headerSize(info) > limits.maxHeaderSize) this.exceed("maxHeaderSize", limits.maxHeaderSize, name)
    if (++this.parts > limits.maxParts) this.exceed("maxParts", limits.maxParts)
    if (isFile && ++this.files > limits.maxFileCount) this.exceed("maxFileCount", limits.maxFileCount)
    if (!isFile && ++this.fields > limits.maxFields) this.exceed("maxFields", limits.maxFields)
    if (!isFile) this.count(Buffer.byteLength(name))
    if (this.failure !== undefined) return IGNORE
    const charset = info.contentTypeParameters["charset"]
    const filename = info.filename === undefined ? undefined : FileName.unescape(info.filename)
    this.events.push({ _tag: "Begin", head: { isFile, name, filename, contentType: info.contentType, charset } })
    return this.content(name, isFile)
  }

  private content(name: string, isFile: boolean): (chunk: Uint8Array | null) => void {
    const limit = isFile ? "maxFileSize" : "maxFieldSize"
    const max = this.limits[limit]
    let size = 0
    let hasEnded = false
    return (bytes) => {
      // When the body is cut, the part that was cut is told to be whole before the error comes.
      if (this.isOver || this.isEnded || this.failure !== undefined) return
      if (bytes === null) {
        if (hasEnded) return this.malformed(NO_BLANK_LINE)
        hasEnded = true
        this.events.push(END)
        return
      }
      size += bytes.length
      if (size > max) return this.exceed(limit, max, name)
      if (!isFile) this.count(bytes.length)
      this.events.push({ _tag: "Data", bytes })
    }
  }

  private count(bytes: number): void {
    this.fieldsSize += bytes
    if (this.fieldsSize > this.limits.maxFieldsSize) this.exceed("maxFieldsSize", this.limits.maxFieldsSize)
  }

  private feed(chunk: Uint8Array): void {
    if (this.isOver || this.failure !== undefined) return
    let bytes: Uint8Array | undefined = chunk
    if (this.preamble !== undefined) {
      bytes = this.preamble.feed(chunk)
      if (bytes === undefined) return
      this.preamble = undefined
    }
    this.parser.write(bytes)
  }

  private end(): void {
    this.isEnded = true
    if (this.isOver || this.failure !== undefined) return
    if (this.preamble === undefined) this.parser.end()
    else this.malformed("it ends before its first boundary")
  }

  /** The next event, or nothing behind the last. The body is read to its end before that is told. */
  readonly next: Effect.Effect<Event | undefined, E | MultipartError> = Effect.suspend(() => {
    const event = this.events.shift()
    if (event !== undefined) return Exit.succeed(event)
    if (this.failure !== undefined) return Exit.fail(this.failure)
    if (this.isEnded) return Exit.succeed(undefined)
    return Effect.flatMap(this.more, () => this.next)
  })

  private readonly more: Effect.Effect<void, E | MultipartError> = Effect.suspend(() =>
    Pull.matchEffect(this.upstream, {
      onSuccess: (chunks) => {
        for (const chunk of chunks) this.feed(chunk)
        return Effect.void
      },
      onFailure: (cause) => Effect.failCause(cause),
      onDone: () => {
        this.end()
        return Effect.void
      }
    })
  )
}

const NO_BLANK_LINE = "a part has no empty line behind its header"

const IGNORE = (): void => {}

// As the lines were: name, colon, blank, value, line end.
const headerSize = ({ headers }: MultipartParser.PartInfo): number => {
  let size = 0
  for (const [name, values] of Object.entries(headers)) {
    for (const value of typeof values === "string" ? [values] : values) {
      size += name.length + Buffer.byteLength(value) + 4
    }
  }
  return size
}

/** The text of a field; without a charset it is UTF-8, in which what is none becomes U+FFFD. */
export const textOf = (head: Head, bytes: Buffer): Exit.Exit<string, MultipartError> => {
  const charset = head.charset?.toLowerCase()
  if (charset === undefined || charset === "utf-8" || charset === "utf8") return Exit.succeed(utf8(bytes))
  try {
    return Exit.succeed(new TextDecoder(charset, { ignoreBOM: true }).decode(bytes))
  } catch {
    const reason = `the field ${JSON.stringify(head.name)} has the charset ${charset}, expected one that is known`
    return Exit.fail(new MalformedMultipart({ reason }))
  }
}
