/**
 * The types of a client that follow from the types of routes.
 *
 * When to reach for it: `ApiClient.Client` is made of them; to name the input or result of one call.
 * What it is not: code.
 */
import type * as Effect from "effect/Effect"
import type * as Schema from "effect/Schema"
import type { Simplify } from "effect/Types"
import type { HttpClientError, HttpClientResponse } from "../internal/effectHttp.ts"
import type * as Route from "../Route.ts"
import type { Declaration, Names, Path } from "../RouteSpec.ts"
import type { UploadedFile } from "../UploadedFile.ts"
import type { ResponseError } from "./ResponseError.ts"

/** Routes of any kind. */
export type Routes = ReadonlyArray<Route.Route<any, any>>

// What routes declare whose path is known as a literal: not those of regular expressions, and not those of
// `Route.make`.
type DeclarationIn<R> = R extends Route.Route<any, any, infer D>
  ? D["pattern"] extends Path ? Path extends D["pattern"] ? never : D : never
  : never

// `string` is one of the types of a method, so what is asked is whether the method is exactly one of those declared.
type Answering<D, M> = D extends Declaration ? M extends D["methods"][number] ? D : never : never

/** The methods that routes declare. */
export type MethodOf<Rs extends Routes> = DeclarationIn<Rs[number]>["methods"][number]

/** The paths that routes declare for a method. */
export type PathOf<Rs extends Routes, M> = Answering<DeclarationIn<Rs[number]>, M>["pattern"] & Path

/** What the route of a method and a path declares. */
export type DeclarationOf<Rs extends Routes, M, P> = Extract<Answering<DeclarationIn<Rs[number]>, M>, {
  readonly pattern: P
}>

type Optional<A> = { [K in keyof A]-?: {} extends Pick<A, K> ? K : never }[keyof A]

// A field may be left out when the handler may miss it, or when decoding has a default for it.
type OptionalFields<F extends Schema.Struct.Fields> =
  | Optional<Schema.Struct.Type<F>>
  | Optional<Schema.Struct.Encoded<F>>

// Files are uploaded as the platform has them; a handler gets them as `UploadedFile`.
type Sent<T> = T extends UploadedFile ? Blob
  : T extends ReadonlyArray<UploadedFile> ? ReadonlyArray<Blob>
  : T

type FieldsInput<F extends Schema.Struct.Fields, T = Schema.Struct.Type<F>> = Simplify<
  & { readonly [K in keyof T as K extends OptionalFields<F> ? never : K]: Sent<T[K]> }
  & { readonly [K in keyof T as K extends OptionalFields<F> ? K : never]?: Sent<T[K]> | undefined }
>

// A part is required when one of its fields is.
type PartInput<Part extends string, A> = {} extends A ? { readonly [_ in Part]?: A } : { readonly [_ in Part]: A }

type Part<S, Name extends string> = S extends { readonly [_ in Name]: infer F extends Schema.Struct.Fields }
  ? PartInput<Name, FieldsInput<F>>
  : {}

type PathInput<P extends string, S> = [Names<P>] extends [never] ? {} : {
  readonly path: {
    readonly [K in Names<P>]: S extends { readonly path: { readonly [_ in K]: infer C extends Schema.Constraint } }
      ? C["Type"]
      : string
  }
}

/** What a call takes, by the parts of a request; only what a route declares. */
export type Input<D extends Declaration> = D extends Declaration ? Simplify<
    & PathInput<D["pattern"] & string, D["spec"]>
    & Part<D["spec"], "query">
    & Part<D["spec"], "headers">
    & Part<D["spec"], "cookies">
    & Part<D["spec"], "form">
    & Part<D["spec"], "multipart">
    & (D["spec"] extends { readonly body: infer B extends Schema.Constraint } ? { readonly body: B["Type"] } : {})
  > :
  never

/** The arguments behind the path: none, one that may be left out, or one. */
export type Arguments<I> = keyof I extends never ? [input?: { readonly [_ in string]: never }]
  : {} extends I ? [input?: I]
  : [input: I]

/** What a call gives: the decoded value, or the response where the route declares no value. */
export type Result<D extends Declaration, M = "GET"> = M extends "HEAD" ? HttpClientResponse.HttpClientResponse
  : D["spec"] extends { readonly success: infer A extends Schema.Constraint } ? A["Type"]
  : HttpClientResponse.HttpClientResponse

/** The errors that a route declares. */
export type DeclaredError<D extends Declaration> = D["spec"] extends
  { readonly errors: infer L extends ReadonlyArray<Schema.Constraint> } ? L[number]["Type"] : never

/** What a call fails with. */
export type Failure<D extends Declaration> =
  | DeclaredError<D>
  | ResponseError
  | HttpClientError.HttpClientError
  | Schema.SchemaError

type FieldServices<S, Name extends string> = S extends { readonly [_ in Name]: infer F extends Schema.Struct.Fields }
  ? F[keyof F]["EncodingServices"]
  : never

/** Services that the Schemas of a route need to encode the input and to decode the value. */
export type Services<D extends Declaration> =
  | FieldServices<D["spec"], "path" | "query" | "headers" | "cookies" | "form" | "multipart">
  | (D["spec"] extends { readonly body: infer B extends Schema.Constraint } ? B["EncodingServices"] : never)
  | (D["spec"] extends { readonly success: infer A extends Schema.Constraint } ? A["DecodingServices"] : never)

/** Calls the routes of one method. */
export interface Call<Rs extends Routes, M extends string> {
  <const P extends PathOf<Rs, M>>(
    path: P,
    ...input: Arguments<Input<DeclarationOf<Rs, M, P>>>
  ): Effect.Effect<
    Result<DeclarationOf<Rs, M, P>, M>,
    Failure<DeclarationOf<Rs, M, P>>,
    Services<DeclarationOf<Rs, M, P>>
  >
}

/** Calls routes. */
export interface Client<Rs extends Routes> {
  readonly get: Call<Rs, "GET">
  readonly post: Call<Rs, "POST">
  readonly put: Call<Rs, "PUT">
  readonly patch: Call<Rs, "PATCH">
  readonly del: Call<Rs, "DELETE">
  /** Any method that the routes declare: `client.request("HEAD", "/")`. The value of HEAD is the response. */
  readonly request: <const M extends MethodOf<Rs>, const P extends PathOf<Rs, M>>(
    method: M,
    path: P,
    ...input: Arguments<Input<DeclarationOf<Rs, M, P>>>
  ) => Effect.Effect<
    Result<DeclarationOf<Rs, M, P>, M>,
    Failure<DeclarationOf<Rs, M, P>>,
    Services<DeclarationOf<Rs, M, P>>
  >
}
