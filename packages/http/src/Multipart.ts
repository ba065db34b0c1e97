/**
 * Forms with files, `multipart/form-data` (RFC 7578): as parts while they arrive, or all together.
 *
 * When to reach for it: the `multipart:` of a `Route` is decoded with it; `Multipart.collect` gives a handler everything
 * that is in the form, and `Multipart.parts` what is too large to wait for.
 * What it is not: `application/x-www-form-urlencoded`, which is `Form`.
 *
 * A form is taken whole or refused with the reason: 415 for another media type, 400 for one that is malformed or cut, 413
 * for one beyond a limit. Nothing is dropped (Kore's defects B26 and A21), with one exception: an empty file without a
 * name, which is what browsers send for a file field in which nothing was chosen, is no file when the form is collected.
 */
import type * as Config from "@kore-fx/core/Config"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import type * as Pull from "effect/Pull"
import * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Form from "./Form.ts"
import type { HttpServerError, HttpServerRequest, HttpServerResponse } from "./internal/effectHttp.ts"
import { boundaryOf } from "./multipart/Boundary.ts"
import * as FileName from "./multipart/FileName.ts"
import * as FormLimits from "./multipart/Limits.ts"
import {
  MalformedMultipart,
  MEDIA_TYPE,
  type MultipartError,
  MultipartTooLarge,
  NotMultipart
} from "./multipart/MultipartError.ts"
import * as PartReader from "./multipart/PartReader.ts"
import * as Params from "./Params.ts"
import type { ServerRequest } from "./Request.ts"
import { type Budget, Spool } from "./stored-body/Spool.ts"
import * as Storage from "./stored-body/Storage.ts"
import type { StorageError } from "./stored-body/StorageError.ts"
import { type About, UploadedFile } from "./UploadedFile.ts"

type Request = HttpServerRequest.HttpServerRequest
type ServerError = HttpServerError.HttpServerError

export {
  /** The form is not well formed, or not whole: 400. */
  MalformedMultipart,
  /** The media type of these forms. */
  MEDIA_TYPE,
  /** The form is beyond a limit: 413. */
  MultipartTooLarge,
  /** The body is no such form: 415. */
  NotMultipart
}

export type {
  /** Why a form was not taken. */
  MultipartError
}

/** Limits of a form; what is beyond one of them is 413. */
export type Limits = FormLimits.Limits

/** A text field. */
export interface Field {
  readonly _tag: "Field"
  readonly name: string
  /** Decoded by the charset that the part names, else as UTF-8. */
  readonly value: string
  /** The media type, in lower case without parameters; default `text/plain`. */
  readonly contentType: string
}

/** A file while it arrives. */
export interface FilePart extends About {
  readonly _tag: "File"
  /**
   * The bytes as they come. They can be read once, and before the next part is asked for: then what is left of them is
   * passed over.
   */
  readonly content: Stream.Stream<Uint8Array, MultipartError | ServerError>
}

/** A part of a form. A part is a file when it has a file name, or is of type `application/octet-stream`. */
export type Part = Field | FilePart

/**
 * The name of a file without what is dangerous in it: the last part of a path, without control characters and without
 * dots and blanks at its ends, no device of Windows, at most 200 bytes; `file` when nothing is left.
 *
 * @example
 * ```ts
 * import { Multipart } from "@kore-fx/http"
 *
 * export const name = Multipart.safeFilename("../../etc/passwd") // "passwd"
 * ```
 */
export const safeFilename: (raw: string) => string = FileName.safe

const aboutOf = ({ contentType, filename, name }: PartReader.Head): About => ({
  name,
  filename: FileName.safe(filename ?? ""),
  rawFilename: Option.fromUndefinedOr(filename),
  contentType
})

type Failure = MultipartError | ServerError

// The value of a text field, up to its end.
const valueOf = Effect.fnUntraced(function*(reader: PartReader.PartReader<ServerError>, head: PartReader.Head) {
  const chunks: Array<Uint8Array> = []
  for (;;) {
    const event = yield* reader.next
    if (event?._tag !== "Data") break
    chunks.push(event.bytes)
  }
  return yield* PartReader.textOf(head, Buffer.concat(chunks))
})

// The parts of a reader. `current` is the file whose content is still to come.
const pullParts = (reader: PartReader.PartReader<ServerError>): Pull.Pull<readonly [Part], Failure> => {
  let current: object | undefined
  const contentOf = (key: object): Pull.Pull<readonly [Uint8Array], Failure> =>
    Effect.suspend((): Pull.Pull<readonly [Uint8Array], Failure> => {
      if (current !== key) return Effect.die(new Error(PASSED_OVER))
      return Effect.flatMap(reader.next, (event): Pull.Pull<readonly [Uint8Array], Failure> => {
        if (event?._tag === "Data") return Exit.succeed([event.bytes])
        current = undefined
        return Cause.done()
      })
    })
  return Effect.suspend((): Pull.Pull<readonly [Part], Failure> => {
    current = undefined
    return Effect.gen(function*() {
      for (;;) {
        const event = yield* reader.next
        if (event === undefined) return yield* Cause.done()
        if (event._tag !== "Begin") continue
        const { head } = event
        if (!head.isFile) {
          const { contentType, name } = head
          return [{ _tag: "Field", name, value: yield* valueOf(reader, head), contentType }] as const
        }
        const key = {}
        current = key
        return [{ _tag: "File", ...aboutOf(head), content: Stream.fromPull(Effect.succeed(contentOf(key))) }] as const
      }
    })
  })
}

const PASSED_OVER = "the content of a multipart file was asked for after the next part, or twice: " +
  "it can be read once, before the next part is taken from the stream"

const read = (request: Request, limits: FormLimits.Settled): Stream.Stream<Part, Failure> =>
  Stream.suspend((): Stream.Stream<Part, Failure> => {
    const boundary = boundaryOf(Form.contentTypeOf(request))
    if (typeof boundary !== "string") return Stream.fail(boundary)
    return Stream.transformPull(
      request.stream,
      (pull) => Effect.sync(() => pullParts(new PartReader.PartReader(pull, boundary, limits)))
    )
  })

/**
 * The parts of a form as they arrive, in their order. The socket waits while nobody pulls, so a file of any size passes
 * in little memory; text fields are whole.
 *
 * The stream and the content of each file can be read once. Take the content of a file, or leave it, before the next part
 * is pulled: operators that pull ahead (`Stream.buffer`) lose it. The form is known to be whole only when the stream ends.
 *
 * Fails with `NotMultipart` (415), `MalformedMultipart` (400), `MultipartTooLarge` (413), and as `request.stream` does.
 *
 * @throws RangeError for a limit that cannot be, and names it.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Stream from "effect/Stream"
 * import { Multipart, Response, Route } from "@kore-fx/http"
 *
 * const sizeOf = (part: Multipart.Part) =>
 *   part._tag === "Field"
 *     ? Effect.succeed(part.value.length)
 *     : Stream.runFold(part.content, () => 0, (size, chunk) => size + chunk.length)
 *
 * export const sizes = Route.post("/sizes", function*({ request }) {
 *   const parts = yield* Stream.runCollect(Stream.mapEffect(Multipart.parts(request, { maxParts: 10 }), sizeOf))
 *   return Response.jsonUnsafe(parts)
 * })
 * ```
 */
export const parts = (request: Request, limits: Limits = {}): Stream.Stream<Part, MultipartError | ServerError> =>
  read(request, FormLimits.settle("Multipart.parts", limits))

/** How a form is collected: its limits, and where its files are kept. */
export interface Options extends Limits, Storage.Options {}

/** A form that has arrived whole. */
export interface Collected {
  /** The text fields in the order sent, with repeated names. */
  readonly fields: ReadonlyArray<Form.Entry>
  /** The files in the order sent, with repeated names. */
  readonly files: ReadonlyArray<UploadedFile>
  /** The values of one name, in the order sent. */
  readonly values: (name: string) => ReadonlyArray<string>
  /** The first file of a field. Source: Kore, http §8.5 (`file_lookup`). */
  readonly file: (name: string) => Option.Option<UploadedFile>
  /** The files of one field, in the order sent. */
  readonly filesOf: (name: string) => ReadonlyArray<UploadedFile>
}

const upload = Effect.fnUntraced(function*(part: FilePart, storage: Storage.Storage, budget: Budget) {
  const spool = new Spool(storage.directory, budget)
  yield* Stream.runForEachArray(part.content, (chunks) => spool.write(chunks))
  const file = new UploadedFile(part, spool.finish())
  // A file field in which nothing was chosen. Browsers send an empty name, Node's `fetch` none.
  return file.size === 0 && Option.getOrElse(part.rawFilename, () => "") === "" ? undefined : file
})

interface Settled {
  readonly limits: FormLimits.Settled
  readonly storage: Effect.Effect<Storage.Storage, never, Config.Current>
}

const settle = (owner: string, options: Options): Settled => ({
  limits: FormLimits.settle(owner, options),
  storage: Storage.settle(owner, options)
})

// Takes the form part by part; what `isWanted` says no to is read over.
const gather = (
  request: Request,
  { limits, storage }: Settled,
  isWanted: (name: string) => boolean,
  take: (name: string, value: string | UploadedFile) => void
): Effect.Effect<void, Failure | StorageError, Scope.Scope | Config.Current> =>
  Effect.flatMap(storage, (storage) => {
    // The files that are in memory share what may be there, however many they are.
    const budget: Budget = { left: storage.memory }
    return Stream.runForEach(read(request, limits), (part) => {
      if (!isWanted(part.name)) return Effect.void
      if (part._tag === "Field") return Effect.sync(() => take(part.name, part.value))
      return Effect.map(upload(part, storage, budget), (file) => {
        if (file !== undefined) take(part.name, file)
      })
    })
  })

/**
 * Waits for a form and gives all its fields and files.
 *
 * Files are in memory as long as those of the request are together not larger than the option httpBodyDiskOffload, and
 * else each in a file of the directory httpBodyDiskPath, which is removed with the scope, as `StoredBody` says.
 *
 * Fails as `parts` does, and with `StorageFull` (507) or `StorageFailed` (500).
 *
 * @throws RangeError for a limit or an `offload` that cannot be, and names it.
 *
 * @example
 * ```ts
 * import { Multipart, Response, Route } from "@kore-fx/http"
 *
 * export const upload = Route.post("/upload", function*({ request }) {
 *   const form = yield* Multipart.collect(request, { maxFileSize: "10 MiB", maxFileCount: 3 })
 *   const title = form.values("title")[0] ?? "untitled"
 *   return Response.jsonUnsafe({ title, files: form.files.map(({ filename, size }) => ({ filename, size })) })
 * })
 * ```
 */
export const collect = (
  request: Request,
  options: Options = {}
): Effect.Effect<Collected, MultipartError | StorageError | ServerError, Scope.Scope | Config.Current> => {
  const settled = settle("Multipart.collect", options)
  return Effect.suspend(() => {
    const fields: Array<Form.Entry> = []
    const files: Array<UploadedFile> = []
    const form: Collected = {
      fields,
      files,
      values: (name) => fields.filter((field) => field[0] === name).map((field) => field[1]),
      file: (name) => Option.fromUndefinedOr(files.find((file) => file.name === name)),
      filesOf: (name) => files.filter((file) => file.name === name)
    }
    const take = (name: string, value: string | UploadedFile): void => {
      if (typeof value === "string") fields.push([name, value])
      else files.push(value)
    }
    return Effect.as(gather(request, settled, () => true, take), form)
  })
}

/** The Schema of one file, for the `multipart:` of a `Route`; `Schema.optionalKey(Multipart.File)` where none is fine. */
export const File: Schema.declare<UploadedFile> = Schema.declare(
  (input): input is UploadedFile => input instanceof UploadedFile,
  {
    representation: { id: "@kore-fx/http/UploadedFile", payload: null },
    expected: "a file",
    // It comes as it is, beside texts.
    toCodecStringTree: () => undefined
  }
)

/** The Schema of the files of a field that takes several; `Schema.isMinLength` and its kin say how many. */
export const Files: Schema.$Array<typeof File> = Schema.Array(File)

// Whether a Schema takes a list. A text that is there once becomes one by itself, a file does not.
const takesList = (ast: SchemaAST.AST): boolean =>
  ast._tag === "Arrays" || (ast._tag === "Union" && ast.types.some(takesList))

/**
 * What decodes multipart forms by Schemas, made once for a route. Text fields are read as in `Form.decoder`, files with
 * `File` and `Files`. Fields that are not declared are read over and not stored; a name that is there once where a list is
 * expected is a list of one.
 *
 * Fails with the answer that names every field that does not fit (400), and as `collect` does.
 *
 * @throws RangeError for a limit or an `offload` that cannot be, and names it.
 *
 * @example
 * ```ts
 * import * as Schema from "effect/Schema"
 * import { Multipart } from "@kore-fx/http"
 *
 * export const album = Multipart.decoder(
 *   { title: Schema.NonEmptyString, year: Schema.Int, photos: Multipart.Files },
 *   { maxFileCount: 20, maxFileSize: "10 MiB" }
 * )
 * ```
 */
export const decoder = (
  fields: Params.Fields,
  options: Options = {}
): (
  request: ServerRequest
) => Effect.Effect<
  unknown,
  HttpServerResponse.HttpServerResponse | MultipartError | StorageError | ServerError,
  Scope.Scope | Config.Current
> => {
  const settled = settle("Multipart.decoder", options)
  const names = new Set(Object.keys(fields))
  const lists = new Set([...names].filter((name) => takesList(SchemaAST.toEncoded(fields[name]!.ast))))
  const decode = Params.texts("multipart", fields) as Params.Decoder<object>
  return (request) =>
    Effect.suspend(() => {
      const values: { [name: string]: string | UploadedFile | Array<string | UploadedFile> } = Object.create(null)
      const take = (name: string, value: string | UploadedFile): void => {
        const earlier = values[name]
        if (earlier === undefined) values[name] = typeof value !== "string" && lists.has(name) ? [value] : value
        else if (Array.isArray(earlier)) earlier.push(value)
        else values[name] = [earlier, value]
      }
      return Effect.flatMap(gather(request, settled, (name) => names.has(name), take), () => decode(values))
    })
}
