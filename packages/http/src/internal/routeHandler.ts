/**
 * The handler of a route, compiled from its Schemas and its function.
 *
 * When to reach for it: `Route` makes every route of a path with it.
 * What it is not: the decoders, which are `Params`, `Form` and `Multipart`.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import * as Form from "../Form.ts"
import * as Multipart from "../Multipart.ts"
import * as Params from "../Params.ts"
import type { ServerRequest } from "../Request.ts"
import type { Route } from "../Route.ts"
import type { Spec } from "../RouteSpec.ts"
import { type HttpServerError, HttpServerResponse } from "./effectHttp.ts"
import { compileEncoder } from "./schemaCompiler.ts"

type AnyHandler = (input: any) => Effect.Effect<any, any, any>
type Answer = Effect.Effect<HttpServerResponse.HttpServerResponse, any, any>

const isGeneratorFunction = (handler: Function): boolean => handler.constructor.name === "GeneratorFunction"

// The handler's result as a response. Values of `success` are encoded; what does not fit is a defect of the program.
const responder = (spec: Spec<any>): ((result: unknown) => Answer) | undefined => {
  if (spec.success === undefined) {
    if (spec.status === undefined) return undefined
    throw new TypeError(`a route declares status ${spec.status} without success: give the Response that status instead`)
  }
  const encode = Schema.encodeUnknownEffect(compileEncoder(Schema.toCodecJson(spec.success as any) as any))
  const options = { status: spec.status ?? 200 }
  const answer = (json: unknown) => HttpServerResponse.jsonUnsafe(json, options)
  return (result) => {
    if (HttpServerResponse.isHttpServerResponse(result)) return Effect.succeed(result)
    const encoded = encode(result) as Effect.Effect<unknown, Schema.SchemaError>
    // A Schema that needs no service has encoded already; `orDie` would make an Effect of it again.
    return Exit.isExit(encoded) && encoded._tag === "Success"
      ? Effect.succeed(answer(encoded.value))
      : Effect.map(Effect.orDie(encoded), answer)
  }
}

interface MutableInput {
  readonly request: ServerRequest
  path: unknown
  query?: unknown
  headers?: unknown
  cookies?: unknown
  body?: unknown
  form?: unknown
  multipart?: unknown
}

type Content = (request: ServerRequest) => Effect.Effect<unknown, any, any>

// The part of the input that the body becomes, and what reads it.
const contentOf = (spec: Spec<any>): readonly ["body" | "form" | "multipart", Content] | undefined => {
  const declared = (["body", "form", "multipart"] as const).filter((part) => spec[part] !== undefined)
  const [part, second] = declared
  if (part === undefined) return undefined
  if (second !== undefined) {
    throw new TypeError(`a route declares ${declared.join(" and ")}: a request has one body, so declare one of them`)
  }
  switch (part) {
    case "body":
      return [part, Params.body(spec.body!)]
    case "form":
      return [part, Form.decoder(spec.form!)]
    case "multipart":
      return [part, Multipart.decoder(spec.multipart!)]
  }
}

/*
 * HOT PATH: one closure for every route. All that can be synchronous is, so that a handler that does not wait is
 * answered within the turn in which its request was read.
 */
export const compile = (spec: Spec<any>, handler: AnyHandler): Route<any, any>["handler"] => {
  const run: AnyHandler = isGeneratorFunction(handler) ? Effect.fnUntraced(handler as any) as AnyHandler : handler
  const respond = responder(spec)
  const answer: (input: MutableInput) => Answer = respond === undefined
    ? run
    : (input) => Effect.flatMapEager(run(input), respond)
  const path = spec.path === undefined ? undefined : Params.path(spec.path as Params.Fields)
  // Parameters without a Schema stay text beside the decoded ones.
  const pathFields = Object.keys(spec.path ?? {}).length
  const query = spec.query === undefined ? undefined : Params.query(spec.query)
  const headers = spec.headers === undefined ? undefined : Params.headers(spec.headers)
  const cookies = spec.cookies === undefined ? undefined : Params.cookies(spec.cookies)
  const content = contentOf(spec)
  if (
    path === undefined && query === undefined && headers === undefined && cookies === undefined && content === undefined
  ) {
    return (request, found) => answer({ request, path: found })
  }
  return (request, found) => {
    const input: MutableInput = { request, path: found }
    if (path !== undefined) {
      const exit = path(found as Readonly<Record<string, string>>)
      if (exit._tag === "Failure") return refused(exit)
      input.path = pathFields === Object.keys(found).length ? exit.value : { ...found, ...exit.value as object }
    }
    if (query !== undefined) {
      const exit = query(request)
      if (exit._tag === "Failure") return refused(exit)
      input.query = exit.value
    }
    if (headers !== undefined) {
      const exit = headers(request)
      if (exit._tag === "Failure") return refused(exit)
      input.headers = exit.value
    }
    if (cookies !== undefined) {
      const exit = cookies(request)
      if (exit._tag === "Failure") return refused(exit)
      input.cookies = exit.value
    }
    if (content === undefined) return answer(input)
    const [part, read] = content
    return Effect.matchCauseEffectEager(read(request), {
      onSuccess: (value) => {
        input[part] = value
        return answer(input)
      },
      onFailure: refusedCause
    })
  }
}

// An input that is refused carries its answer as the failure; everything else stays a failure.
const refusedCause = (
  cause: Exit.Failure<unknown, HttpServerResponse.HttpServerResponse | HttpServerError.HttpServerError>["cause"]
): Answer => {
  const reason = cause.reasons[0]
  return reason?._tag === "Fail" && HttpServerResponse.isHttpServerResponse(reason.error)
    ? Effect.succeed(reason.error)
    : Effect.failCause(cause)
}

/** The answer of an input that does not fit. */
export const refused = (exit: Exit.Failure<unknown, HttpServerResponse.HttpServerResponse>): Answer =>
  refusedCause(exit.cause)
