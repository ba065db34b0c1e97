/**
 * The seam to the `effect/http` modules that the old API needs beyond what `@kore-fx/http` re-exports; upstream marks
 * them unstable.
 */
export { stream as streamBody, uint8Array as bytesBody } from "effect/http/HttpBody"
export type { HttpServerRequest } from "effect/http/HttpServerRequest"
export { isRespondable } from "effect/http/HttpServerRespondable"
export { fromSetCookie, isEmpty as hasNoCookies } from "effect/http/Cookies"
export { mergeCookies, removeHeader, setBody } from "effect/http/HttpServerResponse"
