/**
 * The answer with one file that a handler chooses: a report, an upload, a download under a name.
 *
 * When to reach for it: the handler knows the file. Whole directories are served by `Filemap`.
 * What it is not: `Response.file`, which is Effect's and sends the bytes without conditions and ranges.
 *
 * Conditions, ranges and the way of sending are those of `Filemap` (RFC 9110 §13, §14).
 */
import * as Config from "@kore-fx/core/Config"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as nodePath from "node:path"
import * as Conditional from "./Conditional.ts"
import type * as ContentCoding from "./filemap/ContentCoding.ts"
import * as FileAnswer from "./filemap/FileAnswer.ts"
import * as FileCache from "./filemap/FileCache.ts"
import * as FilePath from "./filemap/FilePath.ts"
import * as Lookup from "./filemap/Lookup.ts"
import * as Settings from "./filemap/Settings.ts"
import * as HttpError from "./HttpError.ts"
import type { HttpServerRequest, HttpServerResponse } from "./internal/effectHttp.ts"

/** There is no such file, or none that may be sent: 404. The client is not told which file that is. */
export class FileNotFound extends HttpError.TaggedError<FileNotFound>()("FileNotFound", {}, {
  httpStatus: 404,
  detail: "there is no such file"
}) {}

/** The system does not let this process read the file: 403. */
export class FileForbidden extends HttpError.TaggedError<FileForbidden>()("FileForbidden", {}, {
  httpStatus: 403,
  detail: "this file may not be read"
}) {}

/** How a file is sent. */
export interface Options {
  /**
   * A directory that the file must be in. The path is then one below it, with slashes, and may come from a client:
   * `..`, hidden files and links that lead out are 404. Default: none, and the path may be any.
   */
  readonly root?: string | URL | undefined
  /** The name that a browser saves the file under; it may come from a client. Default: none is said. */
  readonly filename?: string | undefined
  /** Whether a browser shows the file or saves it. Default: `attachment` with a filename, else nothing is said. */
  readonly disposition?: "inline" | "attachment" | undefined
  /** The media type. Default: by the extension of the path, as `MediaType` and the option httpMediaType say. */
  readonly mediaType?: string | undefined
  /** The value of `cache-control`. Default: none is sent. */
  readonly cacheControl?: string | undefined
  /** Sends an entity tag. Default: true. */
  readonly etag?: boolean | undefined
  /** Sends `last-modified`. Default: true. */
  readonly lastModified?: boolean | undefined
  /**
   * The codings whose files (`x.css.br`) are looked for beside the file; true for br, zstd and gzip. Default: false.
   */
  readonly precompressed?: boolean | ReadonlyArray<ContentCoding.Coding> | undefined
}

/**
 * The answer to `request` with the file at `path`; a relative one begins at the directory of the process, or at `root`.
 *
 * It is 200 or 206 with the file or its ranges, 304, 412 or 416. The file is read within the scope of the request and
 * closed when it was sent or the client has left. Fails with `FileNotFound` when there is no regular file, and with
 * `FileForbidden` when it may not be read.
 *
 * @throws TypeError for an option that is none; see `Options`.
 *
 * @example
 * ```ts
 * import * as Schema from "effect/Schema"
 * import { FileResponse, Route } from "@kore-fx/http"
 *
 * export const report = Route.get("/reports/:year", { path: { year: Schema.Int } }, ({ path, request }) =>
 *   FileResponse.make(request, `${path.year}.pdf`, { root: "reports", filename: `Bericht für ${path.year}.pdf` }))
 * ```
 */
export const make = (
  request: HttpServerRequest.HttpServerRequest,
  path: string,
  options: Options = {}
): Effect.Effect<
  HttpServerResponse.HttpServerResponse,
  FileNotFound | FileForbidden,
  Config.Current | Scope.Scope
> =>
  Effect.flatMap(Config.Current, (config) =>
    Effect.withFiber((fiber) => {
      const { cacheControl, disposition, etag, filename, lastModified, mediaType, precompressed = false, root } =
        options
      const policy = Settings.policy("FileResponse.make", config, {
        etag,
        lastModified,
        precompressed,
        cacheControl,
        disposition: disposition === undefined && filename === undefined
          ? undefined
          : contentDisposition(disposition ?? "attachment", filename)
      })
      const look = root === undefined
        ? () => anywhere(path)
        : within(Settings.directory("FileResponse.make: root", root), path)
      return FileAnswer.serve(
        {
          request: Conditional.fieldsOf(request),
          policy: mediaType === undefined ? policy : { ...policy, typeOf: () => mediaType },
          cache: fiber.getRef(FileCache.Files),
          look
        },
        ({ _tag }) => Effect.fail(_tag === "Forbidden" ? new FileForbidden() : new FileNotFound())
      )
    }))

// A NUL would end the path for the system, and makes Node throw.
const anywhere = (path: string): Lookup.Found =>
  path.includes("\0") ? Lookup.MISSING : Lookup.at(nodePath.resolve(path), nodePath.basename(path))

const within = (root: string, path: string): () => Lookup.Found => {
  const segments = path.split("/")
  return () => FilePath.areNames(segments, "deny") ? Lookup.find(root, segments) : Lookup.MISSING
}

// RFC 5987 §3.2.1: what `encodeURIComponent` leaves and a parameter may not have.
const percentEncoded = (text: string): string =>
  encodeURIComponent(text).replace(/['()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)

/**
 * The value of `content-disposition` (RFC 6266): whether to show or to save, and under which name.
 *
 * A name of any characters is safe: separators and control characters become `_`, and one beyond ASCII is sent as UTF-8
 * (RFC 8187) besides an ASCII name for old clients. A name that is empty or only dots is left out.
 *
 * @example
 * ```ts
 * import { FileResponse } from "@kore-fx/http"
 *
 * export const value = FileResponse.contentDisposition("attachment", "naïve.txt")
 * // attachment; filename="na_ve.txt"; filename*=UTF-8''na%C3%AFve.txt
 * ```
 */
export const contentDisposition = (disposition: "inline" | "attachment", filename?: string): string => {
  if (disposition !== "inline" && disposition !== "attachment") {
    const given = JSON.stringify(disposition)
    throw new TypeError(`contentDisposition: disposition is ${given}, expected "inline" or "attachment"`)
  }
  if (filename === undefined) return disposition
  const name = filename.toWellFormed().replace(/[/\\\p{Cc}]/gu, "_")
  if (/^[. ]*$/.test(name)) return disposition
  // A percent sign is decoded by some clients, so that a name with one is sent in both ways.
  const plain = name.replace(/[^\x20-\x7e]/gu, "_").replace(/["%]/g, "_")
  const simple = `${disposition}; filename="${plain}"`
  return plain === name ? simple : `${simple}; filename*=UTF-8''${percentEncoded(name)}`
}
