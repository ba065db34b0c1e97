/**
 * A typed client, made of the same routes as the server.
 *
 * When to reach for it: tests that go through the whole server, and programs that share the code of the routes.
 * What it is not: for programs that have only the document. They generate a client from `OpenApi`.
 *
 * The routes are needed as values: their Schemas encode what is sent and decode what comes back. Their handlers are
 * never run here, but what they import is loaded; keep them apart where the client is small. Routes of regular
 * expressions, and those whose path is not a literal in the type, cannot be called.
 */
import * as Effect from "effect/Effect"
import type { Call, Client, Failure, Input, Result, Routes } from "./api-client/ClientTypes.ts"
import * as RequestEncoder from "./api-client/RequestEncoder.ts"
import * as ResponseDecoder from "./api-client/ResponseDecoder.ts"
import { ResponseError } from "./api-client/ResponseError.ts"
import { HttpClient, HttpClientRequest } from "./internal/effectHttp.ts"
import type { Route } from "./Route.ts"
import type { Path } from "./RouteSpec.ts"

export {
  /** An answer with a status that the route does not declare. */
  ResponseError
}

export type {
  /** Calls the routes of one method. */
  Call,
  /** Calls routes. */
  Client,
  /** What a call fails with. */
  Failure,
  /** What a call takes. */
  Input,
  /** What a call gives. */
  Result,
  /** Routes of any kind. */
  Routes
}

/** Where the server is, and how it is reached. */
export interface Options {
  /**
   * What paths are appended to: `http` or `https`, host, and a path where a proxy adds one. Default: nothing, for
   * clients that know their server, as that of `Kore.test` does.
   */
  readonly baseUrl?: string | URL | undefined
  /** Changes the client that sends: for tokens, retries, time limits. Default: as it is. */
  readonly transform?: ((client: HttpClient.HttpClient) => HttpClient.HttpClient) | undefined
}

const baseOf = (url: string | URL | undefined): string => {
  if (url === undefined) return ""
  const text = String(url)
  const parsed = URL.canParse(text) ? new URL(text) : undefined
  if (parsed === undefined || !/^https?:$/.test(parsed.protocol) || parsed.search !== "" || parsed.hash !== "") {
    throw new TypeError(
      `ApiClient.make: baseUrl is ${JSON.stringify(text)}, expected http:// or https:// with a host, without ? and #`
    )
  }
  return text.replace(/\/+$/, "")
}

type Send = (input: RequestEncoder.Input) => Effect.Effect<unknown, unknown, any>

/**
 * A client for routes, over the `HttpClient` of the context.
 *
 * `client.get("/users/:id", { path: { id: 1 } })` takes the path as the route has it, and beside it the parts that the
 * route declares: `path`, `query`, `headers`, `cookies`, and `body`, `form` or `multipart`, whose files are `Blob` or
 * `File`. A part is required when something in it is. It gives the decoded `success`, or the response where the route
 * has none, of whatever status below 400.
 *
 * Calls fail with the `errors` that the route declares, as instances of their classes; with `ResponseError` for every
 * other answer; with `HttpClientError` when there is none, or the input cannot be sent; with `SchemaError` when input
 * or answer does not fit the Schema.
 *
 * @throws TypeError for a `baseUrl` that is none, and when two routes answer the same requests.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Schema from "effect/Schema"
 * import { ApiClient, Route } from "@kore-fx/http"
 *
 * const User = Schema.Struct({ id: Schema.Int, name: Schema.String })
 *
 * const routes = [
 *   Route.get("/users/:id", { path: { id: Schema.Int }, success: User }, ({ path }) =>
 *     Effect.succeed({ id: path.id, name: "ada" }))
 * ]
 *
 * export const program = Effect.gen(function*() {
 *   const client = yield* ApiClient.make(routes, { baseUrl: "http://127.0.0.1:8888" })
 *   const { name } = yield* client.get("/users/:id", { path: { id: 1 } })
 *   return name
 * })
 * ```
 */
export const make = <const Rs extends Routes>(
  routes: Rs,
  options: Options = {}
): Effect.Effect<Client<Rs>, never, HttpClient.HttpClient> => {
  const base = baseOf(options.baseUrl)
  const byName = new Map<string, Route<any, any>>()
  for (const route of routes) {
    if (typeof route.pattern !== "string") continue
    for (const method of route.methods) {
      const name = `${method} ${route.pattern}`
      if (byName.has(name)) {
        throw new TypeError(`ApiClient.make: ${name} is declared twice; give it the routes of one domain`)
      }
      byName.set(name, route)
    }
  }
  return Effect.map(HttpClient.HttpClient, (given) => {
    const client = options.transform === undefined ? given : options.transform(given)
    const prepare = (method: string, pattern: Path, route: Route<any, any>): Send => {
      const encode = RequestEncoder.make(pattern, route.spec)
      const decode = ResponseDecoder.make(method, pattern, route.spec)
      const empty = HttpClientRequest.make(method as "GET")(base)
      return (input) => Effect.flatMap(Effect.flatMap(encode(empty, input), client.execute), decode)
    }
    // Made by the first call: a client of many routes may call few.
    const prepared = new Map<string, Send>()
    const request = (method: string, path: Path, input: RequestEncoder.Input = {}): Effect.Effect<any, any, any> => {
      const name = `${method} ${path}`
      let send = prepared.get(name)
      if (send === undefined) {
        const route = byName.get(name)
        if (route === undefined) return Effect.die(new TypeError(`ApiClient: there is no route ${name}`))
        prepared.set(name, send = prepare(method, path, route))
      }
      return send(input)
    }
    const call = (method: string) => (path: Path, input?: RequestEncoder.Input) => request(method, path, input)
    return {
      get: call("GET"),
      post: call("POST"),
      put: call("PUT"),
      patch: call("PATCH"),
      del: call("DELETE"),
      request
    } as unknown as Client<Rs>
  })
}
