/**
 * What a route declares about its requests and responses, and the types that follow from it.
 *
 * When to reach for it: `Route` takes a `Spec`; `OpenApi` and `ApiClient` read it again.
 * What it is not: code. The only function says which limit holds.
 */
import type * as Config from "@kore-fx/core/Config"
import type * as ByteSize from "effect/ByteSize"
import type * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type { Simplify } from "effect/Types"
import type { HttpServerRequest, HttpServerResponse } from "./internal/effectHttp.ts"
import type * as Params from "./Params.ts"

/** A request method (RFC 9110 §9.3, RFC 5789), or an extension method in upper case. */
export type Method = "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS" | (string & {})

/** A path pattern. */
export type Path = `/${string}`

/** Names of the parameters of a path literal: `"/a/:id/*rest"` gives `"id" | "rest"`. */
export type Names<P extends string> = P extends `${infer Segment}/${infer Rest}` ? NameOf<Segment> | Names<Rest>
  : NameOf<P>
type NameOf<Segment extends string> = Segment extends `:${infer Name}` ? Name
  : Segment extends `*${infer Name}` ? Name
  : never

/** The Schema of an error that has an HTTP answer: a class of `HttpError.TaggedError`. */
export interface ErrorSchema extends Schema.ConstraintCodec<unknown, unknown, never, never> {
  readonly httpStatus: number
}

/** What a route declares about its request and its response. At most one of `body`, `form` and `multipart`. */
export interface Spec<P extends string> {
  /** Schemas of path parameters; those without one are text. */
  readonly path?: { readonly [_ in Names<P>]?: Params.Field }
  /** Schemas of query parameters; others are ignored. */
  readonly query?: Params.Fields
  /** Schemas of header fields, by lower-case name. */
  readonly headers?: Params.Fields
  /** Schemas of cookies, by exact name. */
  readonly cookies?: Params.Fields
  /** Schema of the JSON body. */
  readonly body?: Schema.ConstraintDecoder<unknown>
  /** Schemas of the fields of an urlencoded form; others are ignored. */
  readonly form?: Params.Fields
  /** Schemas of the parts of a multipart form: fields as in `form`, and files by `Multipart.File` and `Multipart.Files`. */
  readonly multipart?: Params.Fields
  /** Bytes of the body above which a request gets 413, in place of the option httpBodyMax, also when it is more. */
  readonly bodyMax?: ByteSize.Input
  /** Schema of the value that the handler returns; it is sent as JSON. */
  readonly success?: Schema.ConstraintCodec<unknown, unknown, unknown, never>
  /** Status of a returned value; without `success` it has no meaning and is refused. Default 200. */
  readonly status?: number
  /** Errors that clients should know: for the OpenAPI document, and what a typed client fails with. */
  readonly errors?: ReadonlyArray<ErrorSchema>
  /** What it does, in a few words, for the OpenAPI document. */
  readonly summary?: string
  /** What it does, at length, as CommonMark, for the OpenAPI document. */
  readonly description?: string
  /** Groups that the OpenAPI document shows it in. */
  readonly tags?: ReadonlyArray<string>
}

/** What a route is, apart from what it does. */
export interface Declaration {
  readonly methods: ReadonlyArray<Method>
  readonly pattern: Path | RegExp
  readonly spec: Spec<any>
}

/** The declaration of a route with exactly these methods, path and `Spec`. */
export interface Declared<M extends ReadonlyArray<Method>, P extends Path | RegExp, S extends Spec<any>>
  extends Declaration
{
  readonly methods: M
  readonly pattern: P
  readonly spec: S
}

type PathInput<P extends string, F> = {
  readonly [K in Names<P>]: F extends { readonly [_ in K]: infer C extends Schema.Constraint } ? C["Type"] : string
}

type PartInput<S, Part extends string> = S extends { readonly [_ in Part]: infer F extends Schema.Struct.Fields }
  ? { readonly [_ in Part]: Schema.Struct.Type<F> }
  : {}

/** The argument of a handler, inferred from the path literal and the Schemas. */
export type Input<P extends string, S> = Simplify<
  & {
    readonly request: HttpServerRequest.HttpServerRequest
    readonly path: PathInput<P, S extends { readonly path: infer F } ? F : {}>
  }
  & PartInput<S, "query">
  & PartInput<S, "headers">
  & PartInput<S, "cookies">
  & PartInput<S, "form">
  & PartInput<S, "multipart">
  & (S extends { readonly body: infer B extends Schema.Constraint } ? { readonly body: B["Type"] } : {})
>

/** What a handler returns: a response, or with a `success` Schema also a value of it. */
export type Output<S> = S extends { readonly success: infer A extends Schema.Constraint }
  ? A["Type"] | HttpServerResponse.HttpServerResponse
  : HttpServerResponse.HttpServerResponse

/** Services that reading a request of this `Spec` needs: files of a multipart form are kept for as long as the request. */
export type Needs<S> = S extends { readonly multipart: Params.Fields } ? Config.Current | Scope.Scope : never

/** A readable complaint about a Schema whose name is not in the path. */
export type OnlyNames<P extends string, S> = S extends { readonly path: infer F }
  ? [Exclude<keyof F, Names<P>>] extends [never] ? unknown
  : { readonly path: { readonly [K in Exclude<keyof F, Names<P>>]: `"${K & string}" is not a parameter of "${P}"` } }
  : unknown

/** A path below a prefix. */
export type Prefixed<Prefix extends Path, P> = P extends Path ? Prefix extends "/" ? P
  : P extends "/" ? Prefix
  : `${Prefix}${P}`
  : P
