/**
 * A page that shows an API: Scalar, on the OpenAPI document of routes.
 *
 * When to reach for it: `[...routes, ...ApiDocs.routes("/docs", routes, { title, version })]`.
 * What it is not: dependent on the network. Everything is in the page, and its Content-Security-Policy lets the browser
 * talk to this server only.
 *
 * The script comes with Effect (`http-api/HttpApiScalar`) and is loaded when the page is first asked for. The page has
 * three megabytes; a browser that has them asks with their entity tag and gets 304.
 */
import * as Effect from "effect/Effect"
import type { ScalarConfig } from "effect/http-api/HttpApiScalar"
import * as crypto from "node:crypto"
import type { HttpServerRequest, HttpServerResponse } from "./internal/effectHttp.ts"
import * as StaticAnswer from "./open-api/StaticAnswer.ts"
import * as OpenApi from "./OpenApi.ts"
import * as Route from "./Route.ts"
import type { Path } from "./RouteSpec.ts"

/** How the page looks: theme, layout, sidebar and so on, as Scalar names it. */
export type Look = Omit<ScalarConfig, "customFetch" | "proxyUrl" | "withDefaultFonts">

/** What the page shows. */
export interface Options {
  /** The document, or the URL that the browser gets it from: `"/openapi.json"`. A URL may be relative to the page. */
  readonly spec: OpenApi.Document | string
  /** The title of the page. Default: that of the document, or `API`. */
  readonly title?: string
  /** Default: Scalar's own. */
  readonly scalar?: Look
}

const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll("\"", "&quot;")

// JSON as a part of a script: no text in it can end the script or begin a comment.
const literal = (value: unknown): string => JSON.stringify(value).replaceAll("<", "\\u003c")

/*
 * A library inside of Scalar tries whether it may make code from text. The policy says no, and browsers report every
 * try; so it is told before it asks.
 */
const PREPARE = `Function = new Proxy(Function, { construct() { throw new EvalError("code from text is off") } })`

const hash = (script: string): string => `'sha256-${crypto.hash("sha256", script, "base64")}'`

const originOf = (url: string): ReadonlyArray<string> => URL.canParse(url) ? [new URL(url).origin] : []

// Styles are made by the script as elements, so they cannot be named by hashes.
const policy = (scripts: ReadonlyArray<string>, origins: ReadonlyArray<string>): string =>
  [
    "default-src 'none'",
    `script-src ${scripts.map(hash).join(" ")}`,
    "style-src 'unsafe-inline'",
    "img-src 'self' data:",
    "font-src data:",
    `connect-src ${["'self'", ...new Set(origins)].join(" ")}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'"
  ].join("; ")

const page = ({ scalar, spec, title }: Options, library: string): StaticAnswer.Content => {
  const isUrl = typeof spec === "string"
  const configuration = {
    ...scalar,
    ...isUrl ? { url: spec } : { content: spec },
    _integration: "html",
    // What would leave this server.
    withDefaultFonts: false,
    telemetry: false,
    showDeveloperTools: "never",
    hideClientButton: true,
    agent: { disabled: true },
    mcp: { disabled: true }
  }
  const start = `Scalar.createApiReference(document.getElementById("reference"), ${literal(configuration)})`
  const scripts = [PREPARE, library, start]
  const origins = isUrl ? originOf(spec) : (spec.servers ?? []).flatMap(({ url }) => originOf(url))
  return {
    contentType: "text/html; charset=utf-8",
    headers: { "content-security-policy": policy(scripts, origins), "referrer-policy": "no-referrer" },
    text: `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title ?? (isUrl ? "API" : spec.info.title))}</title>
<link rel="icon" href="data:,">
</head>
<body>
<div id="reference"></div>
${scripts.map((script) => `<script>${script}</script>`).join("\n")}
</body>
</html>
`
  }
}

// Three megabytes and a good part of Effect that no worker needs until somebody reads the documentation.
const library: Effect.Effect<string> = Effect.flatMap(
  // oxlint-disable-next-line no-restricted-properties -- a module that is imported only when it is needed
  Effect.promise(() => import("./internal/scalar.ts")),
  ({ script }) => script
)

/**
 * A route that serves the page for a document.
 *
 * Where the document names servers at other origins, the page may talk to them too: that is what their "Test Request"
 * is for, if they allow it (CORS).
 *
 * @example
 * ```ts
 * import { ApiDocs } from "@kore-fx/http"
 *
 * export const docs = ApiDocs.route("/docs", { spec: "/openapi.json", title: "My API", scalar: { theme: "moon" } })
 * ```
 */
export const route = <const P extends Path>(path: P, options: Options): OpenApi.Served<P> => {
  // Made by the first request and kept; of several that come first together, each makes the same.
  let answer: ((request: HttpServerRequest.HttpServerRequest) => HttpServerResponse.HttpServerResponse) | undefined
  return Route.get(path, ({ request }) =>
    answer === undefined
      ? Effect.map(library, (script) => {
        answer = StaticAnswer.make(page(options, script))
        return answer(request)
      })
      : Effect.succeed(answer(request)))
}

/** The page at a path, and the document below it. */
export type Served<P extends Path> = readonly [
  OpenApi.Served<P>,
  OpenApi.Served<P extends "/" ? "/openapi.json" : `${P}/openapi.json`>
]

/**
 * Two routes: the page at `path`, and the document that it shows at `path` and `/openapi.json`.
 *
 * They may stand below `Route.prefix`. The paths that the document has are those of `routes` as given: give it the
 * routes that stand in the domain, with their prefix.
 *
 * @throws TypeError as `OpenApi.make` does.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { ApiDocs, Domain, Response, Route } from "@kore-fx/http"
 *
 * const api = Route.prefix("/api", [Route.get("/ping", () => Effect.succeed(Response.text("pong")))])
 *
 * export const site = Domain.layer("*", { attach: "main" }, [
 *   ...api,
 *   ...ApiDocs.routes("/docs", api, { title: "Ping", version: "1.0.0" })
 * ])
 * ```
 */
export const routes = <const P extends Path>(
  path: P,
  routes: OpenApi.Routes,
  info: OpenApi.Info & Pick<Options, "scalar">
): Served<P> => {
  const { scalar, ...about } = info
  const document = OpenApi.make(routes, about)
  const base: Path = path
  const below: Path = base === "/" ? "/openapi.json" : `${base}/openapi.json`
  return [
    route(path, { spec: document, ...scalar === undefined ? {} : { scalar } }),
    OpenApi.serve(below, document)
  ] as unknown as Served<P>
}
