/**
 * Directories of files as routes: everything below a path is a file below a directory.
 *
 * When to reach for it: `...Filemap.routes("/static", "public")` among the routes of a domain.
 * What it is not: a listing of directories, nor uploads. One file that a handler chooses is `FileResponse`.
 *
 * Which route answers is said in `Router`: routes with a longer or exact path go before a file map, wherever they stand
 * (Kore's defect B18). Authentication and the like are middleware: `Route.use([…], Filemap.routes(…))`.
 *
 * A file that was changed, replaced or linked elsewhere is seen at the very next request. Kore: http §6.2; RFC 9110.
 */
import * as Config from "@kore-fx/core/Config"
import * as ByteSize from "effect/ByteSize"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type * as ContentCoding from "./filemap/ContentCoding.ts"
import * as FileAnswer from "./filemap/FileAnswer.ts"
import * as FileCache from "./filemap/FileCache.ts"
import * as FilePath from "./filemap/FilePath.ts"
import * as Lookup from "./filemap/Lookup.ts"
import * as Settings from "./filemap/Settings.ts"
import { HttpServerResponse } from "./internal/effectHttp.ts"
import * as Problem from "./Problem.ts"
import type { ServerRequest } from "./Request.ts"
import * as Route from "./Route.ts"

type Response = HttpServerResponse.HttpServerResponse

/** How a directory is served. */
export interface Options {
  /** The file that is sent for a directory; false for none. Default: the option filemapIndex, `index.html`. */
  readonly index?: string | false | undefined
  /**
   * Extensions with their dots that are tried, in this order, when there is no file of that name: `.html` makes
   * `/about` of `about.html`; false for none. Default: the option filemapExt, which is none.
   */
  readonly extensions?: string | ReadonlyArray<string> | false | undefined
  /** Media types before those of the option httpMediaType, in the same form: `"text/csv csv"`. Default: none. */
  readonly mediaTypes?: ReadonlyArray<string> | undefined
  /**
   * The value of `cache-control`, or what gives it for a file's path below the directory (`assets/app.js`), always the
   * same for the same path. Default: none is sent.
   */
  readonly cacheControl?: string | ((path: string) => string | undefined) | undefined
  /**
   * Sends `app.css.br`, `.zst` or `.gz` in place of `app.css` to clients that accept it, where that is there; or only
   * those of a list. They are taken as they are: whoever changes a file makes them anew. Default: true.
   */
  readonly precompressed?: boolean | ReadonlyArray<ContentCoding.Coding> | undefined
  /** Whether names that begin with a dot are served; `.well-known` right below the path always is. Default: `deny`. */
  readonly dotfiles?: FilePath.Dotfiles | undefined
  /** Sends entity tags. Default: true. */
  readonly etag?: boolean | undefined
  /** Sends `last-modified`. Default: true. */
  readonly lastModified?: boolean | undefined
}

/** What a route of a file map needs: the configuration, which every worker has, and the scope of the request. */
export type Services = Config.Current | Scope.Scope

/**
 * Routes that answer GET and HEAD below `path` with the files below `directory`.
 *
 * A relative directory begins at that of the process when the app is loaded. A directory is answered with its index;
 * its path without a slash at the end is 308 to the one with it. What is not there, is hidden, is no regular file, or
 * leads out of the directory by `..` or a symbolic link is 404; what the system does not let be read is 403.
 *
 * Small files are kept in memory, up to 32 MiB in a worker (`layerCache`), after one look at each segment of the path;
 * large ones are read while they are sent.
 *
 * @throws TypeError for a directory that is not there, a path that is no plain path, or an option that is none.
 *
 * @example
 * ```ts
 * import { Domain, Filemap } from "@kore-fx/http"
 *
 * export const site = Domain.layer("*", { attach: "main" }, [
 *   ...Filemap.routes("/assets", "public", {
 *     cacheControl: (path) => /-[0-9a-f]{8}\./.test(path) ? "public, max-age=31536000, immutable" : "no-cache"
 *   })
 * ])
 * ```
 */
export const routes = (
  path: Route.Path,
  directory: string | URL,
  options: Options = {}
): ReadonlyArray<Route.Route<never, Services>> => {
  const where = `Filemap.routes(${JSON.stringify(path)}, ${JSON.stringify(String(directory))})`
  const base = path.endsWith("/") ? path.slice(0, -1) : path
  const isPlain = path.startsWith("/") && !/[?#]/.test(path) &&
    (base === "" || base.slice(1).split("/").every((segment) => /^(?!\.\.?$)[^:*]/.test(segment)))
  if (!isPlain) throw Settings.invalid(where, "the path", path, "a path without parameters, such as \"/static\"")
  const map = new Directory(where, Settings.existingDirectory(where, directory), options)
  const below = Route.make<never, Services>({
    methods: ["GET"],
    pattern: `${base}/*file` as Route.Path,
    handler: (request, found) => map.answer(request, (found as { readonly file: string }).file)
  })
  if (base === "") return [below]
  const itself = Route.make<never, Services>({
    methods: ["GET"],
    pattern: base as Route.Path,
    handler: (request) => Effect.succeed(withSlash(request))
  })
  return [itself, below]
}

/**
 * Gives the file maps of a domain a cache of another size: bytes of files in memory, together, in one worker.
 *
 * Default without it: 32 MiB. With `"0 B"` nothing is kept. Files above 1 MiB never are.
 *
 * @example
 * ```ts
 * import * as Layer from "effect/Layer"
 * import { Domain, Filemap } from "@kore-fx/http"
 *
 * export const site = Domain.layer("*", { attach: "main" }, Filemap.routes("/", "public")).pipe(
 *   Layer.provide(Filemap.layerCache("128 MiB"))
 * )
 * ```
 */
export const layerCache = (size: ByteSize.Input): Layer.Layer<never> => {
  const max = ByteSize.toNumberUnsafe(ByteSize.fromInputUnsafe(size))
  return Layer.sync(FileCache.Files, () => new FileCache.Cache(max))
}

/** What the configuration adds to the options. */
interface Effective {
  readonly policy: FileAnswer.Policy
  readonly index: string | undefined
  readonly extensions: ReadonlyArray<string>
}

/** One directory and its options. */
class Directory {
  private readonly where: string
  private readonly root: string
  private readonly options: Options
  private readonly dotfiles: FilePath.Dotfiles
  // A worker has one configuration; tests have several.
  private readonly effective = new WeakMap<Config.Config, Effective>()

  constructor(where: string, root: string, options: Options) {
    const { dotfiles = "deny" } = options
    if (dotfiles !== "deny" && dotfiles !== "allow") {
      throw Settings.invalid(where, "dotfiles", dotfiles, "\"deny\" or \"allow\"")
    }
    this.where = where
    this.root = root
    this.options = options
    this.dotfiles = dotfiles
    // What is wrong with an option is said now, not to the first client.
    this.effectiveFor(Config.defaults)
  }

  private effectiveFor(config: Config.Config): Effective {
    const known = this.effective.get(config)
    if (known !== undefined) return known
    const { options, where } = this
    const { extensions = config.filemapExt ?? false, index = config.filemapIndex } = options
    if (index !== false && (!/^(?!\.\.?$)[^/\0]+$/.test(index))) {
      throw Settings.invalid(where, "index", index, "the name of a file, or false")
    }
    const tried = extensions === false ? [] : typeof extensions === "string" ? [extensions] : extensions
    for (const extension of tried) {
      if (/^\.[^/\0]+$/.test(extension)) continue
      throw Settings.invalid(where, "extensions", extensions, "file extensions with their dots, such as \".html\"")
    }
    const policy = Settings.policy(where, config, options)
    const effective = { policy, index: index === false ? undefined : index, extensions: tried }
    this.effective.set(config, effective)
    return effective
  }

  /** Answers a request; `rest` is what stands behind the path of the map, as it was sent. */
  answer(request: ServerRequest, rest: string): Effect.Effect<Response, never, Services> {
    return Effect.withFiber((fiber) => {
      const context = fiber.context as Context.Context<any>
      const effective = this.effectiveFor(Context.get(context as Context.Context<Config.Current>, Config.Current))
      const path = FilePath.parse(rest, this.dotfiles)
      if (path === "Malformed") {
        return Effect.succeed(Problem.response({ status: 400, detail: "the path is not percent-encoded UTF-8" }))
      }
      if (path === "NotFound") return Effect.succeed(missing(request))
      const look = () => this.find(path, effective)
      return FileAnswer.serve(
        { request, policy: effective.policy, cache: fiber.getRef(FileCache.Files), look },
        ({ _tag }) => Effect.succeed(absent(request, _tag, path))
      )
    })
  }

  private find({ isDirectory, segments }: FilePath.FilePath, { extensions, index }: Effective): Lookup.Found {
    if (isDirectory) return index === undefined ? Lookup.MISSING : Lookup.find(this.root, [...segments, index])
    const found = Lookup.find(this.root, segments)
    if (found._tag !== "Missing") return found
    for (const extension of extensions) {
      const other = Lookup.find(this.root, [...segments.slice(0, -1), segments.at(-1)! + extension])
      if (other._tag === "File") return other
    }
    return found
  }
}

const missing = (request: ServerRequest): Response =>
  Problem.response({ status: 404, detail: `nothing is at ${request.path}` })

const absent = (
  request: ServerRequest,
  tag: Lookup.NoFile["_tag"],
  { isDirectory }: FilePath.FilePath
): Response =>
  tag === "Forbidden" ? Problem.response({ status: 403, detail: `${request.path} may not be read` })
    : tag === "Directory" && !isDirectory ? withSlash(request)
    : missing(request)

// To the path as it was sent. Two slashes at its beginning would name another host; but it has passed `FilePath`, for
// which no segment is empty.
const withSlash = (request: ServerRequest): Response =>
  HttpServerResponse.redirect(`${request.path}/${request.queryStart < 0 ? "" : `?${request.query}`}`, { status: 308 })
