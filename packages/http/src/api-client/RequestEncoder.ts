/**
 * The request of a call: the input, encoded by the Schemas of the route.
 *
 * When to reach for it: `ApiClient` makes one for each route that is called.
 * What it is not: a check of everything. What a Schema says of a list of files, for one, only the server sees.
 *
 * Every field is encoded by itself, the way back of what `Params`, `Form` and `Multipart` read; what is not given is
 * not sent.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import { HttpClientError, HttpClientRequest } from "../internal/effectHttp.ts"
import { isFile } from "../open-api/SchemaTable.ts"
import type * as Params from "../Params.ts"
import type { Path, Spec } from "../RouteSpec.ts"

type Request = HttpClientRequest.HttpClientRequest
type Failure = HttpClientError.HttpClientError | Schema.SchemaError
type Given = { readonly [name: string]: unknown }

/** The input of a call, by the parts of a request. */
export type Input = { readonly [part: string]: unknown }

/** Adds a part of the input to a request. */
type Step = (request: Request, input: Input) => Effect.Effect<Request, Failure, any>

const cannot = (request: Request, description: string): HttpClientError.HttpClientError =>
  new HttpClientError.HttpClientError({ reason: new HttpClientError.EncodeError({ request, description }) })

type Text = string | ReadonlyArray<string>
type Encode = (request: Request, name: string, value: unknown) => Effect.Effect<Text | undefined, Failure, any>

const isText = (value: unknown): value is Text | undefined =>
  value === undefined || typeof value === "string" ||
  (Array.isArray(value) && value.every((one) => typeof one === "string"))

// One field as text; several values of it where its Schema is a list.
const field = (part: string, schema: Schema.Constraint): Encode => {
  const encode = Schema.encodeUnknownEffect(Schema.toCodecStringTree(schema as any) as any)
  return (request, name, value) =>
    Effect.filterOrFail(
      encode(value) as Effect.Effect<unknown, Schema.SchemaError>,
      isText,
      () => cannot(request, `${part} "${name}" is no text and no list of texts, so it cannot be sent`)
    )
}

type Pair = readonly [name: string, value: string]

// All fields of a part that are given, as pairs.
const pairs = (part: string, fields: Params.Fields) => {
  const encoders = Object.entries(fields).map(([name, schema]) => [name, field(part, schema)] as const)
  return (request: Request, input: Input): Effect.Effect<ReadonlyArray<Pair>, Failure, any> => {
    const given = (input[part] ?? {}) as Given
    const present = encoders.filter(([name]) => given[name] !== undefined)
    return Effect.map(
      Effect.forEach(present,
        ([name, encode]) =>
          Effect.map(encode(request, name, given[name]), (text) =>
            (text === undefined ? [] : typeof text === "string" ? [text] : text).map((one): Pair => [name, one]))),
      (found) => found.flat()
    )
  }
}

// --- the path --------------------------------------------------------------------------------------------------------

// What may stand in a path as it is (RFC 3986 §3.3), with slashes between segments.
const SENT = /^(?:[\w.~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*$/

// A URL loses them on its way, encoded or not (WHATWG URL §4.4), and the request would be for another path.
const DOTS = /^(?:\.|%2e){1,2}$/i

const segmentOf = (
  request: Request,
  name: string,
  isRest: boolean,
  text: string
): string | HttpClientError.HttpClientError => {
  if (isRest) {
    if (!SENT.test(text)) {
      return cannot(request,
        `path "${name}" is sent as it is, so it must be percent-encoded; it is ${JSON.stringify(text)}`)
    }
    return text.split("/").some((segment) => DOTS.test(segment))
      ? cannot(request, `path "${name}" has a segment of dots, which no client can send; it is ${JSON.stringify(text)}`)
      : text
  }
  if (text === "" || DOTS.test(text)) {
    return cannot(
      request,
      `path "${name}" is ${
        JSON.stringify(text)
      }, which cannot be one segment of a path; expected text that is neither empty nor dots`
    )
  }
  return text.isWellFormed()
    ? encodeURIComponent(text)
    : cannot(request, `path "${name}" is not well-formed Unicode, so it cannot be sent`)
}

const path = (pattern: Path, fields: Params.Fields): Step => {
  const segments = pattern.slice(1).split("/").map((segment) => {
    const isRest = segment.startsWith("*")
    if (!isRest && !segment.startsWith(":")) return segment
    const name = segment.slice(1)
    return { name, isRest, encode: field("path", fields[name] ?? Schema.String) }
  })
  return (request, input) => {
    const given = (input["path"] ?? {}) as Given
    return Effect.map(
      Effect.forEach(segments, (segment): Effect.Effect<string, Failure, any> => {
        if (typeof segment === "string") return Effect.succeed(segment)
        const { encode, isRest, name } = segment
        return Effect.flatMap(encode(request, name, given[name]), (text) => {
          const sent = typeof text === "string"
            ? segmentOf(request, name, isRest, text)
            : cannot(request, `path "${name}" is not one text, so it cannot be sent`)
          return typeof sent === "string" ? Effect.succeed(sent) : Effect.fail(sent)
        })
      }),
      (sent) => HttpClientRequest.appendUrl(request, `/${sent.join("/")}`)
    )
  }
}

// --- query, headers, cookies -----------------------------------------------------------------------------------------

const query = (fields: Params.Fields): Step => {
  const encode = pairs("query", fields)
  return (request, input) =>
    Effect.map(encode(request, input), (found) => HttpClientRequest.setUrlParams(request, found))
}

// A field value (RFC 9110 §5.5).
const VALUE = /^(?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?$/

const headers = (fields: Params.Fields): Step => {
  const encode = pairs("headers", fields)
  return (request, input) =>
    Effect.flatMap(encode(request, input), (found) => {
      const values: { [name: string]: string } = {}
      for (const [name, value] of found) {
        if (values[name] !== undefined) {
          return Effect.fail(cannot(request, `headers "${name}" has several values, and a server reads one`))
        }
        if (!VALUE.test(value)) {
          return Effect.fail(cannot(request, `headers "${name}" has characters that cannot be sent in a header`))
        }
        values[name] = value
      }
      return Effect.succeed(HttpClientRequest.setHeaders(request, values))
    })
}

const cookies = (fields: Params.Fields): Step => {
  const encode = pairs("cookies", fields)
  return (request, input) =>
    Effect.map(encode(request, input), (found) => {
      if (found.length === 0) return request
      const own = found.map(([name, value]) => `${name}=${encodeURIComponent(value.toWellFormed())}`)
      const earlier = request.headers["cookie"]
      return HttpClientRequest.setHeader(request, "cookie",
        [...earlier === undefined ? [] : [earlier], ...own].join("; "))
    })
}

// --- bodies ----------------------------------------------------------------------------------------------------------

const json = (schema: Schema.Constraint): Step => {
  const encode = Schema.encodeUnknownEffect(Schema.toCodecJson(schema as any) as any)
  return (request, input) =>
    Effect.map(
      encode(input["body"]) as Effect.Effect<unknown, Schema.SchemaError>,
      (value) => HttpClientRequest.bodyJsonUnsafe(request, value)
    )
}

const form = (fields: Params.Fields): Step => {
  const encode = pairs("form", fields)
  return (request, input) =>
    Effect.map(encode(request, input), (found) => HttpClientRequest.bodyUrlParams(request, found))
}

const hasFile = (ast: SchemaAST.AST): boolean =>
  isFile(ast) ||
  (ast._tag === "Union" && ast.types.some(hasFile)) ||
  (ast._tag === "Arrays" && [...ast.elements, ...ast.rest].some(hasFile))

const multipart = (fields: Params.Fields): Step => {
  const names = Object.keys(fields)
  const files = names.filter((name) => hasFile(SchemaAST.toEncoded(fields[name]!.ast)))
  const texts = Object.fromEntries(Object.entries(fields).filter(([name]) => !files.includes(name)))
  const encode = pairs("multipart", texts)
  return (request, input) =>
    Effect.flatMap(encode(request, input), (found) => {
      const data = new FormData()
      for (const [name, value] of found) data.append(name, value)
      const given = (input["multipart"] ?? {}) as Given
      for (const name of files) {
        const value = given[name]
        for (const file of value === undefined ? [] : Array.isArray(value) ? value : [value]) {
          if (!(file instanceof Blob)) {
            return Effect.fail(cannot(request, `multipart "${name}" is no file: expected a File or a Blob`))
          }
          data.append(name, file)
        }
      }
      return Effect.succeed(HttpClientRequest.bodyFormData(request, data))
    })
}

/** Prepares what makes requests for a route; `base` has the method and the URL that the path is appended to. */
export const make = (
  pattern: Path,
  spec: Spec<any>
): (base: Request, input: Input) => Effect.Effect<Request, Failure, any> => {
  const steps: Array<Step> = [path(pattern, (spec.path ?? {}) as Params.Fields)]
  if (spec.query !== undefined) steps.push(query(spec.query))
  if (spec.headers !== undefined) steps.push(headers(spec.headers))
  if (spec.cookies !== undefined) steps.push(cookies(spec.cookies))
  if (spec.body !== undefined) steps.push(json(spec.body))
  if (spec.form !== undefined) steps.push(form(spec.form))
  if (spec.multipart !== undefined) steps.push(multipart(spec.multipart))
  return (base, input) =>
    steps.reduce(
      (made, step) => Effect.flatMap(made, (request) => step(request, input)),
      Effect.succeed(base) as Effect.Effect<Request, Failure, any>
    )
}
