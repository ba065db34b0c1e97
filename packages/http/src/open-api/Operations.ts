/**
 * The operation of a route: what it takes, and what it answers.
 *
 * When to reach for it: `OpenApi.make` makes one for each method of a route.
 * What it is not: the handler. Only what the route declares is here, and what follows from it.
 */
import * as Schema from "effect/Schema"
import * as Form from "../Form.ts"
import { MEDIA_TYPE as MULTIPART } from "../multipart/MultipartError.ts"
import type * as Params from "../Params.ts"
import * as Problem from "../Problem.ts"
import type { Spec } from "../RouteSpec.ts"
import type { Content, JsonSchema, Operation, Parameter, Response } from "./Document.ts"
import type { PathTemplate } from "./PathTemplate.ts"
import { type Encoding, isOptional, type SchemaTable } from "./SchemaTable.ts"

// What every error of the platform has (RFC 9457 §3.1).
const problem = Schema.Struct({
  type: Schema.String,
  title: Schema.String,
  status: Schema.Int.check(Schema.isBetween({ minimum: 400, maximum: 599 })),
  detail: Schema.optionalKey(Schema.String)
}).annotate({ identifier: "Problem", description: "Problem details (RFC 9457)." })

// What `Params.invalid` answers. Without `errors` when a body could not be read at all.
const invalidInput = Schema.Struct({
  errors: Schema.optionalKey(Schema.Array(Schema.Struct({
    in: Schema.String.annotate({ description: "The part of the request." }),
    name: Schema.String.annotate({ description: "The field, as a path; empty when the whole part is invalid." }),
    reason: Schema.String
  })))
}).annotate({ identifier: "InvalidInput", description: "Every input that is invalid." })

const PARTS = [["query", "query"], ["headers", "header"], ["cookies", "cookie"]] as const

const REST = "Everything that is left of the path, with its slashes, percent-encoded as it is sent."

/** The Schemas that all operations share, and what makes operations with them. */
export class Operations {
  private readonly table: SchemaTable
  private readonly problem: JsonSchema
  private invalidInput: JsonSchema | undefined

  constructor(table: SchemaTable) {
    this.table = table
    this.problem = table.add(problem, "json")
  }

  /**
   * The operation of a route. `names` are what the document calls the parameters of the path, in their order. JSON
   * Schemas in it are empty until the table is compiled.
   */
  make(operationId: string, spec: Spec<any>, path: PathTemplate, names: ReadonlyArray<string>): Operation {
    const parameters = this.parameters(spec, path, names)
    const body = this.body(spec)
    return {
      operationId,
      ...spec.summary === undefined ? {} : { summary: spec.summary },
      ...spec.description === undefined ? {} : { description: spec.description },
      ...spec.tags === undefined ? {} : { tags: spec.tags },
      ...parameters.length === 0 ? {} : { parameters },
      ...body === undefined ? {} : { requestBody: body },
      responses: this.responses(spec, body !== undefined)
    }
  }

  private parameters(spec: Spec<any>, path: PathTemplate, names: ReadonlyArray<string>): ReadonlyArray<Parameter> {
    const fields = (spec.path ?? {}) as Params.Fields
    const parameters: Array<Parameter> = path.names.map((name, index) => ({
      name: names[index]!,
      in: "path",
      required: true,
      ...name === path.rest ? { description: REST } : {},
      schema: fields[name] === undefined ? { type: "string" } : this.table.add(fields[name], "text")
    }))
    for (const [part, where] of PARTS) {
      for (const [name, field] of Object.entries(spec[part] ?? {})) {
        parameters.push({ name, in: where, required: !isOptional(field), schema: this.table.add(field, "text") })
      }
    }
    return parameters
  }

  private body(spec: Spec<any>): Operation["requestBody"] {
    if (spec.body !== undefined) {
      return { required: true, content: { "application/json": { schema: this.table.add(spec.body, "json") } } }
    }
    if (spec.form !== undefined) return this.form(Form.MEDIA_TYPE, spec.form, "text")
    return spec.multipart === undefined ? undefined : this.form(MULTIPART, spec.multipart, "part")
  }

  private form(mediaType: string, fields: Params.Fields, encoding: Encoding): NonNullable<Operation["requestBody"]> {
    const properties: { [name: string]: JsonSchema } = {}
    for (const [name, field] of Object.entries(fields)) properties[name] = this.table.add(field, encoding)
    const required = Object.keys(fields).filter((name) => !isOptional(fields[name]!))
    return {
      // An absent body is a form without fields, but an absent multipart body has no boundary.
      required: encoding === "part" || required.length > 0,
      content: {
        [mediaType]: { schema: { type: "object", properties, ...required.length === 0 ? {} : { required } } }
      }
    }
  }

  private responses(spec: Spec<any>, hasBody: boolean): Operation["responses"] {
    const responses: { [status: string]: Response } = {}
    if (spec.success !== undefined) {
      const status = spec.status ?? 200
      responses[status] = {
        description: Problem.title(status),
        content: { "application/json": { schema: this.table.add(spec.success, "json") } }
      }
    }
    const problems = new Map<number, Array<JsonSchema>>()
    const add = (status: number, schema: JsonSchema): void => {
      const found = problems.get(status)
      if (found === undefined) problems.set(status, [schema])
      else found.push(schema)
    }
    const hasInput = hasBody ||
      ["path", "query", "headers", "cookies"].some((part) => Object.keys(spec[part as "path"] ?? {}).length > 0)
    if (hasInput) add(400, this.extended(this.invalidInput ??= this.table.add(invalidInput, "json")))
    if (hasBody) {
      add(413, this.problem)
      add(415, this.problem)
    }
    for (const error of spec.errors ?? []) {
      // A fault tells nothing but its status (`HttpError`).
      const schema = error.httpStatus < 500 ? this.extended(this.table.add(error, "json")) : this.problem
      add(error.httpStatus, schema)
    }
    for (const [status, schemas] of [...problems].sort(([one], [other]) => one - other)) {
      const distinct = [...new Set(schemas)]
      responses[status] = {
        description: Problem.title(status),
        content: problemContent(distinct.length === 1 ? distinct[0]! : { anyOf: distinct })
      }
    }
    // Every operation has a response (§4.8.16); what a handler answers by itself is not declared.
    if (spec.success === undefined) responses["default"] = { description: "What the handler answers." }
    return responses
  }

  private extended(schema: JsonSchema): JsonSchema {
    return { allOf: [this.problem, schema] }
  }
}

const problemContent = (schema: JsonSchema): Content => ({ [Problem.MEDIA_TYPE]: { schema } })
