/**
 * Input of a request decoded by Schemas: path, query, headers and JSON body.
 *
 * When to reach for it: `Route` compiles the Schemas of a route with it, once.
 * What it is not: a parser of forms or multipart.
 *
 * Strings are read with `Schema.toCodecStringTree`, so that a route says `Schema.Int` and not a transformation from
 * text; values that appear once where a list is expected are a list of one.
 *
 * HOT PATH: each part is one prepared decoder; only what a route declares is read at all.
 */
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import type { HttpServerError, HttpServerResponse } from "./internal/effectHttp.ts"
import { compileDecoder } from "./internal/schemaCompiler.ts"
import { keep, scan, type Values } from "./internal/urlencoded.ts"
import * as Problem from "./Problem.ts"
import type { ServerRequest } from "./Request.ts"

/** Where an input comes from. */
export type Part = "path" | "query" | "headers" | "cookies" | "body" | "form" | "multipart"

/** The Schema of one text input: a plain one like `Schema.Int`. */
export type Field = Schema.ConstraintCodec<unknown, unknown, never, unknown>

/** Schemas by name. */
export type Fields = { readonly [name: string]: Field }

/** Decodes one part of a request: the value, or the 400 answer that says what is wrong with it. */
export type Decoder<A> = (input: A) => Exit.Exit<unknown, HttpServerResponse.HttpServerResponse>

const formatter = SchemaIssue.makeFormatterStandardSchemaV1()

// `["address", "street"]` → `address.street`, `["items", 2]` → `items[2]`.
const fieldName = (path: ReadonlyArray<PropertyKey | { readonly key: PropertyKey }> | undefined): string => {
  let name = ""
  for (const step of path ?? []) {
    const key = typeof step === "object" ? step.key : step
    name += typeof key === "number" ? `[${key}]` : name === "" ? String(key) : `.${String(key)}`
  }
  return name
}

/** The answer to an invalid part: 400 `application/problem+json` that names every field. */
export const invalid = (part: Part, error: Schema.SchemaError): HttpServerResponse.HttpServerResponse => {
  const errors: ReadonlyArray<Problem.InvalidParam> = formatter(error.issue).issues.map((issue) => ({
    in: part,
    name: fieldName(issue.path),
    reason: issue.message
  }))
  const first = errors[0]
  const where = first === undefined || first.name === "" ? `the ${part}` : `${part} "${first.name}"`
  return Problem.response({
    status: 400,
    detail: `${where} is invalid: ${first?.reason ?? error.message}`,
    extensions: { errors }
  })
}

// A Schema that dies, or would have to wait where nothing waits, is a fault of the program, not of the input.
const refusal = (
  part: Part,
  cause: Cause.Cause<Schema.SchemaError>
): Exit.Exit<never, HttpServerResponse.HttpServerResponse> => {
  const reason = cause.reasons[0]
  return reason?._tag === "Fail" ? Exit.fail(invalid(part, reason.error)) : Exit.failCause(cause as Cause.Cause<never>)
}

const ALL_ERRORS = { errors: "all" } as const

const decoder = (part: Part, schema: Schema.Constraint): Decoder<unknown> => {
  const codec = compileDecoder(schema as Schema.ConstraintDecoder<unknown>)
  const decode = Schema.decodeUnknownExit(codec)
  const explain = Schema.decodeUnknownExit(codec, ALL_ERRORS)
  return (input) => {
    const exit = decode(input)
    if (exit._tag === "Success") return exit as Exit.Success<unknown>
    // Valid input stops at the first look; invalid input is decoded again to name every field that is wrong.
    const again = explain(input)
    return refusal(part, again._tag === "Failure" ? again.cause : exit.cause)
  }
}

const ofText = (schema: Schema.Constraint): Schema.Constraint =>
  Schema.toCodecArrayFromSingle(Schema.toCodecStringTree(schema as any)) as any

/** Path parameters by name. Those without a Schema stay text. */
export const path = (fields: Fields): Decoder<Readonly<Record<string, string>>> =>
  decoder("path", ofText(Schema.Struct(fields)))

/** The captures of a regular expression, in order. */
export const captures = (schemas: ReadonlyArray<Field>): Decoder<ReadonlyArray<string | undefined>> =>
  decoder("path", ofText(Schema.Tuple(schemas as any)))

/** Texts by name; those that are there once where a list is expected are a list of one. */
export const texts = (part: Part, fields: Fields): Decoder<Values> => decoder(part, ofText(Schema.Struct(fields)))

/** The query, read as `application/x-www-form-urlencoded` pairs (WHATWG URL §5). Names not declared are ignored. */
export const query = (fields: Fields): Decoder<ServerRequest> => {
  const names = new Set(Object.keys(fields))
  const decode = texts("query", fields)
  return (request) => {
    const values: Values = Object.create(null)
    // The head of a request is limited, and with it the number of pairs.
    scan(request.query, Number.POSITIVE_INFINITY, keep(names, values))
    return decode(values)
  }
}

/** Header fields by lower-case name. */
export const headers = (fields: Fields): Decoder<ServerRequest> => {
  const names = Object.keys(fields)
  for (const name of names) {
    if (name !== name.toLowerCase()) {
      throw new TypeError(`the header "${name}" of a route must be written in lower case: "${name.toLowerCase()}"`)
    }
  }
  const decode = decoder("headers", ofText(Schema.Struct(fields)))
  return (request) => {
    const input: Record<string, string> = {}
    for (const name of names) {
      const value = request.field(name)
      if (value !== undefined) input[name] = value
    }
    return decode(input)
  }
}

/** Cookies by exact name. Of several with one name, the first counts (RFC 6265 §5.4: it has the longest path). */
export const cookies = (fields: Fields): Decoder<ServerRequest> => {
  const decode = decoder("cookies", ofText(Schema.Struct(fields)))
  return (request) => decode(request.cookies)
}

// The frequent spelling first, without a regular expression.
const isJson = (type: string): boolean => type === "application/json" || JSON_TYPE.test(type)

const JSON_TYPE = /^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i

/**
 * The body as JSON.
 *
 * A body of another media type is 415, one that is not JSON 400, one that does not fit the Schema 400.
 */
export const body = (
  schema: Schema.Constraint
): (
  request: ServerRequest
) => Effect.Effect<unknown, HttpServerResponse.HttpServerResponse | HttpServerError.HttpServerError> => {
  const decode = decoder("body", Schema.toCodecJson(schema as any) as any)
  const decodeText = (text: string): Exit.Exit<unknown, HttpServerResponse.HttpServerResponse> => {
    let json: unknown
    try {
      json = JSON.parse(text)
    } catch (cause) {
      const reason = text === "" ? "it is empty, expected JSON" : (cause as Error).message
      return Exit.fail(Problem.response({
        status: 400,
        detail: `the body is not JSON: ${reason}`,
        extensions: { errors: [{ in: "body", name: "", reason }] }
      }))
    }
    return decode(json)
  }
  return (request) => {
    const type = request.field("content-type")
    if (type !== undefined && !isJson(type)) {
      return Exit.fail(Problem.response({
        status: 415,
        detail: `the body is ${type}, expected application/json`,
        headers: { accept: "application/json" }
      }))
    }
    return Effect.flatMapEager(request.text, decodeText)
  }
}
