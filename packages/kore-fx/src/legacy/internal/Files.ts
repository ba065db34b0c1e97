/**
 * File maps of the old API as routes.
 *
 * When to reach for it: `WorkerLayer` compiles every file map with it.
 * What it is not: the serving of files, which is core's `Filemap`. Source: Kore, http §6.2.
 */
import * as Filemap from "@kore-fx/http/Filemap"
import * as Problem from "@kore-fx/http/Problem"
import type { ServerRequest } from "@kore-fx/http/Request"
import * as Route from "@kore-fx/http/Route"
import * as Effect from "effect/Effect"
import type { Owner } from "./declare.ts"
import * as Guard from "./Guard.ts"
import type * as Registry from "./Registry.ts"

/**
 * The route of a file map: what its pattern captures is the path below the directory.
 *
 * `others` are the urls of the file maps of its domain. A path whose escapes hide that it belongs to one of them is not
 * found: the pattern of that one, and who may ask there, did not see it.
 */
export const route = (
  { methods, pattern, url }: Registry.Route,
  { auth, directory }: Registry.Files,
  { app, module }: Owner,
  others: ReadonlyArray<string>
): Route.Route<any, any> => {
  const [below] = Filemap.routes("/", directory)
  const deeper = others.filter((other) => other.length > url.length && other.startsWith(url))
  const handler = (request: ServerRequest, found: Route.Found) => {
    const { path } = request
    const decoded = deeper.length > 0 && path.includes("%") ? decode(path) : path
    if (decoded === undefined || deeper.some((other) => decoded.startsWith(other))) {
      return Effect.succeed(Problem.response({ status: 404, detail: `nothing is at ${path}` }))
    }
    return below!.handler(request, { file: (found as ReadonlyArray<string>)[0]! })
  }
  const origin = { name: `the filemap "${url}"`, app, declaration: undefined }
  return Route.make<any, any>({
    methods,
    pattern,
    handler: auth === undefined ? handler : Guard.authenticated(url, auth, origin, module, handler)
  })
}

const decode = (path: string): string | undefined => {
  try {
    return decodeURIComponent(path)
  } catch {
    return undefined
  }
}
