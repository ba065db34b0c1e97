/**
 * The OpenAPI 3.1 document of routes: made of what they declare, so that it cannot say anything else than they do.
 *
 * When to reach for it: people or tools that do not read your code should know the API. `ApiDocs` shows the document in
 * a browser.
 * What it is not: a contract that routes are made of. The routes come first.
 *
 * Schemas are written as clients see them: a `Schema.Int` in a query is an integer, a `Schema.Date` a string. Those
 * with an identifier, and classes, are components. Beside what a route declares stands what follows from it: 400 where
 * there is input, 413 and 415 where there is a body, the members of problem details in every error.
 *
 * Source: OpenAPI 3.1.0; JSON Schema 2020-12; RFC 9457.
 */
import * as Effect from "effect/Effect"
import type {
  Document,
  Info,
  JsonSchema,
  Operation,
  Parameter,
  PathItem,
  Response,
  Server,
  Tag
} from "./open-api/Document.ts"
import { METHODS } from "./open-api/Document.ts"
import { Operations } from "./open-api/Operations.ts"
import * as PathTemplate from "./open-api/PathTemplate.ts"
import { SchemaTable } from "./open-api/SchemaTable.ts"
import * as StaticAnswer from "./open-api/StaticAnswer.ts"
import * as Route from "./Route.ts"
import type { Declared, Path } from "./RouteSpec.ts"

export type {
  /** A document, as plain JSON. */
  Document,
  /** What a document says about the API as a whole. */
  Info,
  /** A JSON Schema, draft 2020-12. */
  JsonSchema,
  /** What one method of a path does. */
  Operation,
  /** An input beside the body. */
  Parameter,
  /** A path: an operation for each method. */
  PathItem,
  /** An answer. */
  Response,
  /** Where the API is. */
  Server,
  /** A group of operations. */
  Tag
}

/** Routes of any kind. */
export type Routes = ReadonlyArray<Route.Route<any, any>>

type Mutable<A> = { -readonly [K in keyof A]: A[K] }

const isKnown = (method: string): method is (typeof METHODS)[number] =>
  (METHODS as ReadonlyArray<string>).includes(method)

interface Entry {
  readonly template: PathTemplate.PathTemplate
  readonly operations: Map<string, { readonly operation: Operation; readonly isRest: boolean }>
}

const tagsOf = (info: Info, routes: Routes): ReadonlyArray<Tag> => {
  const tags = [...info.tags ?? []]
  const names = new Set(tags.map(({ name }) => name))
  for (const name of routes.flatMap((route) => route.spec.tags ?? [])) {
    if (names.has(name)) continue
    names.add(name)
    tags.push({ name })
  }
  return tags
}

/**
 * The OpenAPI 3.1 document of routes.
 *
 * Paths and operations are in the order of the routes, components in that of their names, so that the same routes give
 * the same document. The name of an operation is made of method and path (`getUsersById`); of several that would be
 * called the same, the later ones get a number. HEAD that GET answers is left out, and so are routes of regular
 * expressions. Where `/files/:name` and `/files/*rest` answer the same method, OpenAPI cannot tell them apart, and the
 * latter is left out.
 *
 * @throws TypeError when two of the routes answer the same requests.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Schema from "effect/Schema"
 * import { OpenApi, Response, Route } from "@kore-fx/http"
 *
 * const routes = [
 *   Route.get("/square/:n", { path: { n: Schema.Int }, summary: "A number times itself" }, ({ path }) =>
 *     Effect.succeed(Response.text(String(path.n * path.n))))
 * ]
 *
 * export const document = OpenApi.make(routes, { title: "Squares", version: "1.0.0" })
 * ```
 */
export const make = (routes: Routes, info: Info): Document => {
  const { security, securitySchemes, servers, tags: _, ...about } = info
  const table = new SchemaTable()
  const operations = new Operations(table)
  const entries = new Map<string, Entry>()
  const ids = new Set<string>()
  const unique = (id: string): string => {
    let name = id
    for (let number = 2; ids.has(name); number++) name = `${id}${number}`
    ids.add(name)
    return name
  }
  const add = (route: Route.Route<any, any>, pattern: Path): void => {
    const template = PathTemplate.parse(pattern)
    const isRest = template.rest !== undefined
    let entry = entries.get(template.shape)
    if (entry === undefined) entries.set(template.shape, entry = { template, operations: new Map() })
    for (const method of route.methods) {
      if (method === "HEAD" && route.methods.includes("GET")) continue
      const other = entry.operations.get(method)
      if (other !== undefined && other.isRest === isRest) {
        const earlier = entry.template.template
        throw new TypeError(
          `OpenApi.make: ${method} ${pattern} answers the same requests as an earlier route, ${earlier}; ` +
            "give OpenApi.make the routes of one domain, each once"
        )
      }
      if (other !== undefined && isRest) continue
      const id = unique(PathTemplate.operationName(method, pattern))
      entry.operations.set(method, {
        operation: operations.make(id, route.spec, template, entry.template.names),
        isRest
      })
    }
  }
  for (const route of routes) if (typeof route.pattern === "string") add(route, route.pattern)
  const schemas = table.compile()
  const tags = tagsOf(info, routes)
  return {
    openapi: "3.1.0",
    info: about,
    ...servers === undefined ? {} : { servers },
    paths: Object.fromEntries(
      [...entries.values()].map(({ operations, template }) => [template.template, pathItem(operations)])
    ),
    components: { schemas, ...securitySchemes === undefined ? {} : { securitySchemes } },
    ...security === undefined ? {} : { security },
    ...tags.length === 0 ? {} : { tags }
  }
}

const pathItem = (operations: Entry["operations"]): PathItem => {
  const item: Mutable<PathItem> = {}
  const additional: { [method: string]: Operation } = {}
  for (const [method, { operation }] of operations) {
    const name = method.toLowerCase()
    if (isKnown(name)) item[name] = operation
    else additional[method] = operation
  }
  return Object.keys(additional).length === 0 ? item : { ...item, "x-oai-additionalOperations": additional }
}

/** A GET route without inputs. */
export type Served<P extends Path> = Route.Route<never, never, Declared<readonly ["GET"], P, {}>>

/**
 * A route that serves the document of routes as JSON, with an entity tag; clients ask each time whether it has changed.
 *
 * The document is made once, here. Its paths are those of `routes` as they are given, so give it the routes that stand
 * in the domain: below a prefix, `Route.prefix("/api", routes)`.
 *
 * @throws TypeError as `make` does.
 *
 * @example
 * ```ts
 * import { OpenApi, Response, Route } from "@kore-fx/http"
 * import * as Effect from "effect/Effect"
 *
 * const api = Route.prefix("/api", [Route.get("/ping", () => Effect.succeed(Response.text("pong")))])
 *
 * export const routes = [...api, OpenApi.route("/openapi.json", api, { title: "Ping", version: "1.0.0" })]
 * ```
 */
export const route = <const P extends Path>(path: P, routes: Routes, info: Info): Served<P> =>
  serve(path, make(routes, info))

/** A route that serves a document as JSON; see `route`. */
export const serve = <const P extends Path>(path: P, document: Document): Served<P> => {
  const answer = StaticAnswer.make({ text: JSON.stringify(document), contentType: "application/json" })
  return Route.get(path, ({ request }) => Effect.succeed(answer(request)))
}
