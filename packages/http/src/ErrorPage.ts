/**
 * A small HTML page in place of the problem details of an error, for people whose browser asks for HTML.
 *
 * When to reach for it: the option `httpPrettyError` turns it on; `Server` calls it for every error.
 * What it is not: a template. An error page of one's own is a response with a body, which is never touched.
 */
import { type HttpBody, HttpServerResponse } from "./internal/effectHttp.ts"
import * as Problem from "./Problem.ts"
import type { ServerRequest } from "./Request.ts"

/**
 * The page of an error, if the client prefers HTML to JSON (RFC 9110 §12.5.1); else the response as it is.
 *
 * Only for answers that have no body of their own: none at all, or problem details. Status and header fields stay.
 * Kore: http §9.5 (there without a type, and behind the body of the app).
 */
export const negotiate = (
  request: ServerRequest,
  response: HttpServerResponse.HttpServerResponse
): HttpServerResponse.HttpServerResponse => {
  const { body, status } = response
  if (status < 400 || !isReplaceable(body)) return response
  const varied = HttpServerResponse.setHeader(response, "vary", vary(response.headers["vary"]))
  if (!prefersHtml(request.field("accept"))) return varied
  return HttpServerResponse.setBody(
    HttpServerResponse.removeHeader(varied, "content-type"),
    HttpServerResponse.html(page(status, detailOf(body))).body
  )
}

const isReplaceable = (body: HttpBody.HttpBody): body is HttpBody.Empty | HttpBody.Uint8Array =>
  body._tag === "Empty" || (body._tag === "Uint8Array" && body.contentType === Problem.MEDIA_TYPE)

const vary = (given: string | undefined): string =>
  given === undefined ? "accept" : /(?:^|,)\s*(?:accept|\*)\s*(?:,|$)/i.test(given) ? given : `${given}, accept`

const detailOf = (body: HttpBody.Empty | HttpBody.Uint8Array): string | undefined => {
  if (body._tag === "Empty") return undefined
  const { detail } = JSON.parse(Buffer.from(body.body).toString()) as { readonly detail?: unknown }
  return typeof detail === "string" ? detail : undefined
}

// Media ranges with their weights. Whoever names neither kind, as most programs do, gets the JSON.
const prefersHtml = (accept: string | undefined): boolean => {
  if (accept === undefined) return false
  let html = 0
  let json = 0
  for (const item of accept.toLowerCase().split(",")) {
    const [range = "", ...parameters] = item.split(";").map((part) => part.trim())
    const weight = weightOf(parameters)
    if (range === "text/html" || range === "application/xhtml+xml" || range === "text/*") html = Math.max(html, weight)
    else if (range === Problem.MEDIA_TYPE || range === "application/json") json = Math.max(json, weight)
  }
  return html > json
}

const weightOf = (parameters: ReadonlyArray<string>): number => {
  const found = parameters.find((parameter) => parameter.startsWith("q="))
  if (found === undefined) return 1
  const weight = Number(found.slice(2))
  return weight >= 0 && weight <= 1 ? weight : 0
}

const escaped: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", "\"": "&quot;" }
const escape = (text: string): string => text.replace(/[&<>"]/g, (character) => escaped[character]!)

const page = (status: number, detail: string | undefined): string => {
  const title = escape(`${status} ${Problem.title(status)}`)
  const sentence = detail === undefined ? "" : `<p>${escape(detail)}</p>\n`
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>body { font: 1rem/1.5 system-ui, sans-serif; margin: 15vh auto; max-width: 36rem; padding: 0 1rem }</style>
</head>
<body>
<h1>${title}</h1>
${sentence}</body>
</html>
`
}
