/**
 * The one seam to the `effect/http` modules, which upstream marks unstable: when one of them is renamed, only this
 * file changes.
 */
import * as Context from "effect/Context"
import type * as HttpEffectModule from "effect/http/HttpEffect"

export * as Cookies from "effect/http/Cookies"
export type * as Etag from "effect/http/Etag"
export * as Headers from "effect/http/Headers"
export * as HttpBody from "effect/http/HttpBody"
export * as HttpClient from "effect/http/HttpClient"
export * as HttpClientError from "effect/http/HttpClientError"
export * as HttpClientRequest from "effect/http/HttpClientRequest"
export * as HttpClientResponse from "effect/http/HttpClientResponse"
export * as HttpEffect from "effect/http/HttpEffect"
export * as HttpIncomingMessage from "effect/http/HttpIncomingMessage"
export * as HttpMiddleware from "effect/http/HttpMiddleware"
export type * as HttpPlatform from "effect/http/HttpPlatform"
export * as HttpRouter from "effect/http/HttpRouter"
export * as HttpServer from "effect/http/HttpServer"
export * as HttpServerError from "effect/http/HttpServerError"
export * as HttpServerRequest from "effect/http/HttpServerRequest"
export * as HttpServerRespondable from "effect/http/HttpServerRespondable"
export * as HttpServerResponse from "effect/http/HttpServerResponse"
export * as Mime from "effect/http/Mime"
export * as Multipart from "effect/http/Multipart"
export * as MultipartParser from "effect/http/MultipartParser"
export * as UrlParams from "effect/http/UrlParams"

/** Where Effect's middleware leaves what is to be done with a response before it is sent. */
export interface RequestState {
  preResponseHandler: HttpEffectModule.PreResponseHandler | undefined
  loggerDisabled: boolean
}

/**
 * The state of the current request under the key that Effect's own server uses. Upstream exports no way to read it; a
 * test with `HttpMiddleware.cors` fails when it moves.
 */
export const CurrentRequestState = Context.Service<RequestState>("effect/http/HttpEffect/CurrentRequestState")
