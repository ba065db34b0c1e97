/**
 * The one seam to the `effect/http` modules, which upstream marks unstable: when one of them is renamed, only this
 * file changes.
 */
export * as Cookies from "effect/http/Cookies"
export * as Headers from "effect/http/Headers"
export * as HttpBody from "effect/http/HttpBody"
export * as HttpEffect from "effect/http/HttpEffect"
export * as HttpIncomingMessage from "effect/http/HttpIncomingMessage"
export * as HttpServer from "effect/http/HttpServer"
export * as HttpServerError from "effect/http/HttpServerError"
export * as HttpServerRequest from "effect/http/HttpServerRequest"
export * as HttpServerRespondable from "effect/http/HttpServerRespondable"
export * as HttpServerResponse from "effect/http/HttpServerResponse"
export * as Multipart from "effect/http/Multipart"
export * as UrlParams from "effect/http/UrlParams"
