/**
 * JSON Schemas of what clients see: many Schemas are collected and written together, so that they share components.
 *
 * When to reach for it: `OpenApi` collects the Schemas of all routes in one.
 * What it is not: a translator. Effect's `SchemaRepresentation` writes the JSON Schema.
 */
import * as JsonSchema from "effect/JsonSchema"
import * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import * as SchemaRepresentation from "effect/SchemaRepresentation"
import type { JsonSchema as Json } from "./Document.ts"

type Mutable = { [keyword: string]: unknown }

/** How a value is sent: as JSON, as text that stands for one, or as the part of a form that may be a file. */
export type Encoding = "json" | "text" | "part"

/** A JSON Schema for the bytes of a file. `format` is what tools of OpenAPI 3.0 know it by. */
const binary = Schema.String.annotate({ format: "binary", contentMediaType: "application/octet-stream" })

/** Whether a Schema is that of an uploaded file; `Multipart.File` under any annotation. */
export const isFile = (ast: SchemaAST.AST): boolean =>
  SchemaAST.isDeclaration(ast) &&
  (ast.annotations?.["representation"] as { readonly id?: string } | undefined)?.id === "@kore-fx/http/UploadedFile"

// Every kind of AST that has parts can make itself anew with others.
const withBinary = (ast: SchemaAST.AST): SchemaAST.AST => {
  if (isFile(ast)) return binary.ast
  const { recur } = ast as { readonly recur?: (f: typeof withBinary) => SchemaAST.AST }
  return recur === undefined ? ast : recur.call(ast, withBinary)
}

/** Whether a field may be left out by the one who sends it. */
export const isOptional = (schema: Schema.Constraint): boolean =>
  SchemaAST.isOptional(SchemaAST.toEncoded(Schema.toCodecJson(schema as any).ast))

// Text has no null: what JSON writes for `undefined` is left out.
const withoutNull = (schema: Mutable): void => {
  if (!Array.isArray(schema["anyOf"])) return
  const left = schema["anyOf"].filter((member: Mutable) => member["type"] !== "null")
  if (left.length !== 1) schema["anyOf"] = left
  else {
    delete schema["anyOf"]
    Object.assign(schema, left[0])
  }
}

// `class User` is named "User" for its values and "UserEncoded" for what is sent; only the latter is in a document.
const shorter = (names: ReadonlyArray<string>): ReadonlyMap<string, string> => {
  const taken = new Set(names)
  return new Map(names.map((name) => {
    const short = /^(.+)Encoded$/.exec(name)?.[1]
    return [name, short === undefined || taken.has(short) ? name : short]
  }))
}

/*
 * What says nothing to a reader: that other properties are allowed is the default, and that integers are those which
 * JavaScript can tell apart (`Schema.Int`) makes tools show the least of them as an example. A schema is plain JSON, in
 * which only keywords have such values.
 */
const isNoise = (keyword: string, value: unknown): boolean =>
  (keyword === "additionalProperties" && value === true) ||
  (keyword === "minimum" && value === Number.MIN_SAFE_INTEGER) ||
  (keyword === "maximum" && value === Number.MAX_SAFE_INTEGER)

const REFERENCE = /^#\/components\/schemas\/([^/]+)/

/** Collects Schemas, and writes them at the end. */
export class SchemaTable {
  private readonly entries: Array<
    { readonly ast: SchemaAST.AST; readonly encoding: Encoding; readonly target: Mutable }
  > = []

  /** The JSON Schema of what is sent for a Schema. It is empty until `compile` has filled it. */
  add(schema: Schema.Constraint, encoding: Encoding): Json {
    const target: Mutable = {}
    const ast = encoding === "part" ? withBinary(schema.ast) : schema.ast
    this.entries.push({ ast: Schema.toCodecJson(Schema.make<Schema.Codec<unknown>>(ast)).ast, encoding, target })
    return target
  }

  /** Fills what `add` gave, and returns the components that it refers to, by name. */
  compile(): { readonly [name: string]: Json } {
    const [first, ...others] = this.entries.map(({ ast }) => ast)
    if (first === undefined) return {}
    const { definitions, schemas } = JsonSchema.toMultiDocumentOpenApi3_1(
      SchemaRepresentation.toJsonSchemaMultiDocument(SchemaRepresentation.toRepresentations([first, ...others]))
    )
    const names = shorter(Object.keys(definitions))
    const renamed = (schema: JsonSchema.JsonSchema): Mutable =>
      JSON.parse(JSON.stringify(schema), (keyword, value) =>
        isNoise(keyword, value) ? undefined
          : keyword === "$ref" && typeof value === "string"
          ? value.replace(REFERENCE, (_, name: string) => `#/components/schemas/${names.get(name) ?? name}`)
          : value)
    for (const [index, { encoding, target }] of this.entries.entries()) {
      Object.assign(target, renamed(schemas[index]!))
      if (encoding !== "json") withoutNull(target)
    }
    return Object.fromEntries(
      Object.entries(definitions).map(([name, schema]) => [names.get(name)!, renamed(schema)] as const)
        .sort(([one], [other]) => one < other ? -1 : 1)
    )
  }
}
