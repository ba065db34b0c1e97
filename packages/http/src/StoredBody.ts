/**
 * The body of a request in memory, or in a file when it is large.
 *
 * When to reach for it: a handler takes bodies that are too large for memory, wants their digest, or reads them more than
 * once. What it is not: a parser. Forms with files are `Multipart`, which keeps each of them in the same way.
 *
 * Source: Kore, http §8.2. The whole body is there when the handler goes on; it is written as it arrives, and the socket
 * waits for the disk.
 */
import * as Config from "@kore-fx/core/Config"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Path from "node:path"
import type { HttpServerError, HttpServerRequest } from "./internal/effectHttp.ts"
import { ServerRequest } from "./Request.ts"
import { Content } from "./stored-body/Content.ts"
import * as Digest from "./stored-body/Digest.ts"
import { Spool } from "./stored-body/Spool.ts"
import * as Storage from "./stored-body/Storage.ts"
import { type StorageError, StorageFailed, StorageFull } from "./stored-body/StorageError.ts"
import * as Sweep from "./stored-body/Sweep.ts"

export {
  /** The file of a body could not be made, written or read: 500. */
  StorageFailed,
  /** The disk is full: 507. */
  StorageFull
}

export type {
  /** What the disk may do wrong. */
  StorageError
}

/** The name of a digest: `sha256`, or another of `crypto.getHashes()`. */
export type Algorithm = Digest.Algorithm

/** How a body is stored. */
export interface Options extends Storage.Options {
  /** Digests to compute while the body arrives, which saves reading a file again. Others are computed when asked for. */
  readonly digest?: Algorithm | ReadonlyArray<Algorithm> | undefined
}

/**
 * A body that has arrived. Valid until the scope that it was stored in ends, which for a handler is when its response
 * has been sent.
 *
 * `size`; `path` of the file, if it is in one; `bytes`; `stream`; `read(maxlen)`; `digest(algorithm)`.
 */
export class StoredBody extends Content {}

const NOTHING = { store: new Uint8Array(0), digests: new Map<string, string>() }

const listOf = (digest: Options["digest"]): ReadonlyArray<Algorithm> =>
  digest === undefined ? [] : typeof digest === "string" ? [digest] : digest

/**
 * Waits for the body of a request and keeps it: in memory up to the option httpBodyDiskOffload, above it in a file of the
 * directory httpBodyDiskPath.
 *
 * The file `http_body.<pid>.<unique>` is for this user alone (0600) and is removed with the scope: after success, failure
 * and interruption, also when the client leaves half-way. Besides what may be in memory, about 128 KiB are on their way to
 * the disk. A body in a file has been consumed: `request.bytes` and a second `store` fail. One in memory stays readable.
 *
 * Fails as `request.bytes` does (400, 408, 413), and with `StorageFull` (507) or `StorageFailed` (500), which are reported.
 *
 * @throws RangeError when `offload` is no size; TypeError when `digest` names no algorithm of this Node.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Option from "effect/Option"
 * import { Response, Route, StoredBody } from "@kore-fx/http"
 *
 * export const upload = Route.put("/upload", function*({ request }) {
 *   const body = yield* StoredBody.store(request, { offload: "1 MiB", digest: "sha256" })
 *   const digest = yield* body.digest()
 *   return Response.text(`${body.size} bytes, sha256 ${Option.getOrElse(digest, () => "none")}\n`)
 * })
 * ```
 */
export const store = (
  request: HttpServerRequest.HttpServerRequest,
  options: Options = {}
): Effect.Effect<StoredBody, HttpServerError.HttpServerError | StorageError, Scope.Scope | Config.Current> => {
  const settled = Storage.settle("StoredBody.store", options)
  const algorithms = listOf(options.digest)
  for (const algorithm of algorithms) Digest.hash(algorithm)
  return Effect.flatMap(settled, ({ directory, memory }) => {
    if (request instanceof ServerRequest) {
      const { body } = request
      if (body === undefined) return Effect.succeed(new StoredBody(NOTHING))
      // What may be in memory whole is taken as it is; the digest of that costs no reading.
      if (memory === Number.POSITIVE_INFINITY || (body.declared !== undefined && body.declared <= memory)) {
        return Effect.map(request.bytes, (bytes) => new StoredBody({ ...NOTHING, store: bytes }))
      }
    }
    const spool = new Spool(directory, { left: memory }, algorithms)
    return Effect.map(
      Stream.runForEachArray(request.stream, (chunks) => spool.write(chunks)),
      () => new StoredBody(spool.finish())
    )
  })
}

/**
 * Removes the files that a crash has left in the directory of the option httpBodyDiskPath, and nothing that belongs to a
 * process that lives. Every worker does so when it starts. Directories that a program names itself are not looked into.
 *
 * Never fails: what cannot be done is a line in the log.
 *
 * @example
 * ```ts
 * import * as Layer from "effect/Layer"
 * import { StoredBody } from "@kore-fx/http"
 *
 * export const swept = Layer.effectDiscard(StoredBody.sweep)
 * ```
 */
export const sweep: Effect.Effect<void, never, Config.Current> = Effect.flatMap(
  Config.Current,
  ({ httpBodyDiskPath }) => Sweep.sweepDirectory(Path.resolve(httpBodyDiskPath))
)
