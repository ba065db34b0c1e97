/**
 * Routes that send clients elsewhere, with parts of the path and the query put into the target: Kore's
 * `domain.redirect`.
 *
 * When to reach for it: addresses that have moved, by rule and not one by one.
 * What it is not: for a target that is computed; that is a handler with `Response.redirect`.
 *
 * A redirect is a route like others: middleware stands around it, the access log sees it, its body is read or the
 * connection closed, and routes with a literal path go before one with a regular expression. Kore: http §5.5, where
 * none of this holds (A9, B30).
 */
import * as Effect from "effect/Effect"
import { HttpServerResponse } from "./internal/effectHttp.ts"
import { parse, type Source } from "./redirect/Target.ts"
import type { ServerRequest } from "./Request.ts"
import * as Route from "./Route.ts"

const METHODS: ReadonlyArray<Route.Method> = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]

// As the router searches: without the memory that the flags g and y bring along.
const searchOf = (pattern: RegExp): RegExp => new RegExp(pattern.source, pattern.flags.replaceAll(/[gy]/g, ""))

// What a pattern can give to a target.
const sourceOf = (pattern: Route.Path | RegExp): Source => {
  if (typeof pattern !== "string") {
    const search = searchOf(pattern)
    // The empty alternative matches, and tells of all groups.
    const { groups = {}, length } = new RegExp(`${search.source}|`, search.flags).exec("")!
    return { count: length - 1, names: Object.keys(groups), isDecoded: () => false }
  }
  const parameters = pattern.split("/").filter((segment) => /^[:*]/.test(segment))
  const names = parameters.map((segment) => segment.slice(1))
  // What `*rest` found is as it was sent; see `Route`.
  return {
    count: names.length,
    names,
    isDecoded: (key) => parameters.at(indexOf(names, key))?.startsWith(":") === true
  }
}

const indexOf = (names: ReadonlyArray<string>, key: number | string): number =>
  typeof key === "number" ? key - 1 : names.indexOf(key)

type Values = (key: number | string) => string | undefined

const valuesOf = (pattern: Route.Path | RegExp, names: ReadonlyArray<string>) => {
  if (typeof pattern === "string") {
    return (_: ServerRequest, found: Route.Found): Values => (key) =>
      (found as Readonly<Record<string, string>>)[names[indexOf(names, key)]!]
  }
  const search = searchOf(pattern)
  return ({ path }: ServerRequest, found: Route.Found): Values => {
    let groups: Readonly<Record<string, string | undefined>> | undefined
    return (key) => {
      if (typeof key === "number") return (found as ReadonlyArray<string | undefined>)[key - 1]
      // The router keeps captures by their order only.
      return (groups ??= search.exec(path)?.groups ?? {})[key]
    }
  }
}

/**
 * A route that answers with `status` and a `location` made of `target`.
 *
 * In the target, `$1` to `$9` are the captures of a regular expression or the parameters of a path, in order; `$<name>`
 * is one by its name; `$qs` is the query. A group that took no part is empty. Without a query, `$qs` goes, and with it
 * the `?` or `&` before it (B30). A regular expression is searched in the path as sent; see `Route.match`.
 *
 * What clients send cannot choose the host: a target is a path (`/new/$1`), or names its host as text
 * (`https://example.com/$1`), and whatever is put in comes behind that. It cannot add header fields either: what no URL
 * has is percent-encoded.
 *
 * Default methods: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS; Kore's are all.
 *
 * @throws RangeError for a status that is not 300 to 399 and a capture that the pattern does not have; TypeError for a
 * target that is neither a path nor a URL with a host.
 *
 * @example
 * ```ts
 * import { Redirect } from "@kore-fx/http"
 *
 * export const routes = [
 *   Redirect.route("/users/:id", 308, "/people/$<id>?$qs"),
 *   Redirect.route(/^\/(\d{4})\/(.*)$/, 301, "https://archive.example.com/$1/$2?$qs")
 * ]
 * ```
 */
export const route = (
  pattern: Route.Path | RegExp,
  status: number,
  target: string,
  methods: ReadonlyArray<Route.Method> = METHODS
): Route.Route => {
  const name = `Redirect.route(${String(pattern)}, …)`
  if (!Number.isInteger(status) || status < 300 || status > 399) {
    throw new RangeError(`${name}: the status is ${status}, expected an integer from 300 to 399`)
  }
  const source = sourceOf(pattern)
  const write = parse(name, target, source)
  const values = valuesOf(pattern, source.names)
  return Route.make({
    methods,
    pattern,
    handler: (request, found) =>
      Effect.succeed(
        HttpServerResponse.empty({ status, headers: { location: write(values(request, found), request.query) } })
      )
  })
}
