/**
 * An answer that is made once: text in memory with an entity tag, which clients ask about before they use it again.
 *
 * When to reach for it: the OpenAPI document and the page that shows it.
 * What it is not: for files, which `Filemap` serves, or for answers that differ between requests.
 */
import * as Conditional from "../Conditional.ts"
import { type HttpServerRequest, HttpServerResponse } from "../internal/effectHttp.ts"

/** Text with what it is sent with. */
export interface Content {
  readonly text: string
  readonly contentType: string
  readonly headers?: Readonly<Record<string, string>>
}

/** Answers requests with content: 200, or 304 to a client that has it, or 412. */
export const make = (
  { contentType, headers, text }: Content
): (request: HttpServerRequest.HttpServerRequest) => HttpServerResponse.HttpServerResponse => {
  const bytes = new TextEncoder().encode(text)
  const etag = Conditional.etagOf(bytes)
  const whole = HttpServerResponse.uint8Array(bytes, {
    contentType,
    headers: { ...headers, etag, "cache-control": "no-cache", "x-content-type-options": "nosniff" }
  })
  const unchanged = Conditional.notModified(whole)
  const refused = Conditional.preconditionFailed()
  return (request) => {
    switch (Conditional.evaluate(Conditional.fieldsOf(request), { etag })) {
      case "Proceed":
        return whole
      case "NotModified":
        return unchanged
      case "PreconditionFailed":
        return refused
    }
  }
}
