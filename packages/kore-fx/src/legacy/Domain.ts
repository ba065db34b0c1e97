/**
 * `kore.domain`: a host on a server, with its routes, files, redirects and access log.
 *
 * When to reach for it: at import or in `configure`, after the server it attaches to.
 * What it is not: where routes are declared in detail, which is `Route`.
 * Source: Kore, http §4, §5.5, §6.2 and §17.1.
 */
import * as Redirect from "@kore-fx/http/Redirect"
import { statSync } from "node:fs"
import { resolve } from "node:path"
import { describe } from "./Coroutine.ts"
import { RuntimeError } from "./errors.ts"
import { addRoute, isSameHost } from "./internal/declare.ts"
import * as keywords from "./internal/keywords.ts"
import { escaped } from "./internal/Pattern.ts"
import { declaring, type Domain as Declared } from "./internal/Registry.ts"
import { type Auth, authOf, type Handler, install, patternOf, type RouteOptions } from "./Route.ts"

/** The keywords of `kore.domain`. */
export interface DomainOptions {
  /** The name of a server that is declared already. Default `default`. */
  readonly attach?: string
}

/** A domain, on which routes are installed. Made by `kore.domain`. */
export interface Domain {
  /**
   * Installs a route. Of several that match, the one that was installed first answers.
   *
   * A url that begins with `/` is literal: the path as it is sent, byte for byte. Any other is a regular expression of
   * JavaScript that is searched in the path. `handler` may be the name of a method of the app.
   *
   * @throws RuntimeError for an expression that does not compile, an unknown method or keyword, and for a url that has
   * a route for one of the methods already.
   */
  readonly route: (url: string, handler: Handler | string, options?: RouteOptions) => void
  /**
   * Serves directories: GET and HEAD below a url with the files below a directory, which begins at that of the process.
   *
   * Of routes and file maps that match, the one that was installed first answers. Directories are answered with the option
   * filemap_index; names that are not found are tried once more with filemap_ext.
   *
   * @throws RuntimeError for a url without slashes around it, and for a directory that is not there.
   */
  readonly filemaps: (maps: Filemaps) => void
  /**
   * Sends requests elsewhere whose path an expression matches, before any route is looked at.
   *
   * In `to`, `$1` to `$9` stand for captures and `$qs` for the query, without the question mark.
   *
   * @throws RuntimeError for an expression that does not compile, and for a status that is not from 300 to 399.
   */
  readonly redirect: (from: string, status: number, to: string) => void
  /** The file that a line for every request is written to; null without one. Set at import or in `configure`. */
  accesslog: string | null
}

/** Directories by the url they are served at, each alone or with what says who may ask. */
export type Filemaps = Readonly<Record<string, string | readonly [directory: string, auth: Auth]>>

const TLS = "TLS"

const domainKnown = ["attach"]
const domainLater = { cert: TLS, key: TLS, acme: "ACME", client_verify: TLS, verify_depth: TLS, crl: TLS }

/**
 * Declares a domain on a server and returns it.
 *
 * `host` is a name, a wildcard (`*.example.com`, which spans any number of labels) or `*`. Which one answers is decided
 * by the most specific name, not by the order.
 *
 * @throws RuntimeError for an unknown server or keyword, and when the server has the same host already.
 *
 * @example
 * ```ts
 * import { kore } from "kore-fx/legacy"
 *
 * const domain = kore.domain("*", { attach: "notls" })
 * domain.route("/", (req) => req.response(200, "hello"), { methods: ["get"] })
 * domain.route("^/([0-9])$", (req, digit: string) => req.response(200, digit), { methods: ["get"] })
 * ```
 */
export const domain = (host: string, options: DomainOptions = {}): Domain => {
  const declaration = declaring("kore.domain")
  keywords.check("kore.domain", options, domainKnown, domainLater)
  const { attach = "default" } = options
  checkHost(host)
  if (!declaration.servers.has(attach)) {
    const names = [...declaration.servers.keys()].map((name) => `"${name}"`).join(", ")
    const known = names === "" ? "no server is declared yet" : `declared are ${names}`
    throw new RuntimeError(`the domain "${host}" attaches to the server ${describe(attach)}, but ${known}`)
  }
  if (declaration.domains.some((other) => other.attach === attach && isSameHost(other.host, host))) {
    throw new RuntimeError(`the server "${attach}" has the domain "${host}" already`)
  }
  const declared: Declared = { host, attach, redirects: [], accesslog: undefined }
  declaration.domains.push(declared)
  // Frozen: assigning what there is not is an error.
  return Object.freeze({
    route: (url: string, handler: Handler | string, options: RouteOptions = {}) => {
      install(declared, url, handler, options)
    },
    filemaps: (maps: Filemaps) => mapFiles(declared, maps),
    redirect: (from: string, status: number, to: string) => addRedirect(declared, from, status, to),
    get accesslog() {
      return declared.accesslog ?? null
    },
    set accesslog(path: string | null) {
      setAccessLog(declared, path as string)
    }
  })
}

const checkHost = (host: string): void => {
  if (typeof host !== "string" || host === "") {
    throw new RuntimeError(`kore.domain got the host ${describe(host)}, expected a name, "*.name" or "*"`)
  }
  if (/[*?[\]]/.test(host.replace(/^\*(?=\.|$)/, ""))) {
    throw new RuntimeError(`the domain "${host}" is a pattern of a shell: only "*.name" and "*" are available`)
  }
}

// --- file maps, redirects and the access log -------------------------------------------------------------------------

const mapFiles = (domain: Declared, maps: Filemaps): void => {
  const declaration = declaring("domain.filemaps")
  if (typeof maps !== "object" || maps === null || Array.isArray(maps)) {
    throw new RuntimeError(`domain.filemaps got ${describe(maps)}, expected an object such as {"/static/": "assets/"}`)
  }
  for (const [url, map] of Object.entries(maps)) {
    const where = `the filemap "${url}"`
    if (!/^\/([^?#]*\/)?$/.test(url)) throw new RuntimeError(`${where} needs a url that begins and ends with a slash`)
    const [directory, auth] = Array.isArray(map) ? map : [map, undefined]
    if (typeof directory !== "string" || (Array.isArray(map) && map.length !== 2)) {
      throw new RuntimeError(`${where} is ${describe(map)}, expected a directory, or a directory and its auth`)
    }
    if (!isDirectory(directory)) {
      throw new RuntimeError(`${where} has the directory ${describe(directory)}, but ${resolve(directory)} is none`)
    }
    const above = declaration.routes.find((other) =>
      other.target._tag === "Files" && other.domain === domain && url.startsWith(other.url) && url !== other.url
    )
    if (above !== undefined) {
      throw new RuntimeError(`${where} stands behind "${above.url}", which has its paths: declare it before that`)
    }
    // What the path of a file map is followed by is the path of the file.
    const pattern = new RegExp(`^${escaped(url)}(.*)$`, "s")
    const target = { _tag: "Files", directory, auth: auth === undefined ? undefined : authOf(where, auth) } as const
    addRoute(declaration, { url, pattern, methods: ["GET", "HEAD"], target, domain })
  }
}

const isDirectory = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true

const addRedirect = (domain: Declared, from: string, status: number, to: string): void => {
  declaring("domain.redirect")
  const pattern = patternOf(from, `the redirect ${describe(from)}`)
  if (!Number.isInteger(status) || status < 300 || status > 399) {
    throw new RuntimeError(
      `the redirect "${from}" has the status ${describe(status)}, expected a number from 300 to 399`
    )
  }
  if (typeof to !== "string" || to === "") {
    throw new RuntimeError(`the redirect "${from}" goes to ${describe(to)}, expected a path or a URL`)
  }
  try {
    Redirect.route(pattern, status, to)
  } catch (error) {
    throw new RuntimeError(`the redirect "${from}" cannot be used: ${(error as Error).message}`, { cause: error })
  }
  domain.redirects.push({ pattern, status, target: to })
}

const setAccessLog = (domain: Declared, path: string): void => {
  declaring("domain.accesslog")
  if (typeof path !== "string" || path === "") {
    throw new RuntimeError(`the accesslog of "${domain.host}" is ${describe(path)}, expected the path of a file`)
  }
  domain.accesslog = path
}
