/**
 * File maps of the old API as routes.
 *
 * When to reach for it: `WorkerLayer` compiles every file map with it.
 * What it is not: the serving of files, which is core's `Filemap`. Source: Kore, http §6.2.
 */
import * as Filemap from "@kore-fx/http/Filemap"
import type { ServerRequest } from "@kore-fx/http/Request"
import * as Route from "@kore-fx/http/Route"
import type { Owner } from "./declare.ts"
import * as Guard from "./Guard.ts"
import type * as Registry from "./Registry.ts"

/** The route of a file map: what its pattern captures is the path below the directory. */
export const route = (
  { methods, pattern, url }: Registry.Route,
  { auth, directory }: Registry.Files,
  { app, module }: Owner
): Route.Route<any, any> => {
  const [below] = Filemap.routes("/", directory)
  const handler = (request: ServerRequest, found: Route.Found) =>
    below!.handler(request, { file: (found as ReadonlyArray<string>)[0]! })
  const origin = { name: `the filemap "${url}"`, app, declaration: undefined }
  return Route.make<any, any>({
    methods,
    pattern,
    handler: auth === undefined ? handler : Guard.authenticated(url, auth, origin, module, handler)
  })
}
