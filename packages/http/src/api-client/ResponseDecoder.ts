/**
 * The value or the error of a call, decoded from the answer by the Schemas of the route.
 *
 * When to reach for it: `ApiClient` makes one for each route that is called.
 * What it is not: tolerant. An answer that the route does not declare is a failure that shows it whole.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import type { HttpClientError, HttpClientResponse } from "../internal/effectHttp.ts"
import * as Problem from "../Problem.ts"
import type { ErrorSchema, Path, Spec } from "../RouteSpec.ts"
import { ResponseError } from "./ResponseError.ts"

type Response = HttpClientResponse.HttpClientResponse
type Failure = ResponseError | HttpClientError.HttpClientError | Schema.SchemaError

type Members = { readonly [name: string]: unknown }

// The tag that a class of errors writes, of the Schema of what is sent.
const tagOf = (schema: ErrorSchema): unknown => {
  const ast = SchemaAST.toEncoded(Schema.toCodecJson(schema as any).ast)
  if (ast._tag !== "Objects") return undefined
  const tag = ast.propertySignatures.find(({ name }) => name === "_tag")?.type
  return tag?._tag === "Literal" ? tag.literal : undefined
}

interface Declared {
  readonly status: number
  readonly tag: unknown
  readonly decode: (members: Members) => Effect.Effect<unknown, Schema.SchemaError>
}

const declared = (schema: ErrorSchema): Declared => ({
  status: schema.httpStatus,
  tag: tagOf(schema),
  decode: Schema.decodeUnknownEffect(Schema.toCodecJson(schema as any) as any) as any
})

const membersOf = (contentType: string | undefined, body: string): Members | undefined => {
  if (contentType === undefined || contentType.split(";", 1)[0]!.trim().toLowerCase() !== Problem.MEDIA_TYPE) {
    return undefined
  }
  try {
    const value: unknown = JSON.parse(body)
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value as Members : undefined
  } catch {
    return undefined
  }
}

/**
 * Prepares what reads the answers of a route.
 *
 * A fault (500 and above) tells nothing but its status (`HttpError`), so a declared one is known by its status alone,
 * and only if it has no fields.
 */
export const make = (
  method: string,
  pattern: Path,
  spec: Spec<any>
): (response: Response) => Effect.Effect<unknown, unknown, any> => {
  const errors = (spec.errors ?? []).map(declared)
  const hasValue = spec.success !== undefined && method !== "HEAD"
  const status = spec.status ?? 200
  const decode = hasValue ? Schema.decodeUnknownEffect(Schema.toCodecJson(spec.success as any) as any) : undefined
  const fail = Effect.fnUntraced(function*(response: Response): Effect.fn.Return<never, unknown> {
    const body = yield* response.text
    const problem = membersOf(response.headers["content-type"], body)
    const candidates = problem === undefined ? [] : errors.filter((error) =>
      error.status === response.status &&
      (problem["_tag"] === undefined ? response.status >= 500 : error.tag === problem["_tag"])
    )
    for (const error of candidates) {
      const found = yield* Effect.option(error.decode({ ...problem, _tag: error.tag }))
      if (found._tag === "Some") return yield* Effect.fail(found.value)
    }
    return yield* new ResponseError({
      method,
      path: pattern,
      status: response.status,
      headers: { ...response.headers },
      body,
      ...problem === undefined ? {} : { problem }
    })
  })
  return (response): Effect.Effect<unknown, unknown, any> => {
    if (decode === undefined) return response.status < 400 ? Effect.succeed(response) : fail(response)
    if (response.status !== status) return fail(response)
    return Effect.flatMap(response.json, decode) as Effect.Effect<unknown, Failure, any>
  }
}
