/**
 * The types of an OpenAPI 3.1 document, as far as routes fill it.
 *
 * When to reach for it: to read what `OpenApi.make` gives, or to add to it.
 * What it is not: all of OpenAPI. A document may have more members, and is plain JSON in any case.
 *
 * Source: OpenAPI 3.1.0 §4.8.
 */

/** A JSON Schema, draft 2020-12, with references to `#/components/schemas/`. */
export type JsonSchema = { readonly [keyword: string]: unknown }

/** Where the API is: a URL, relative to where the document is, or absolute (§4.8.5). */
export interface Server {
  readonly url: string
  readonly description?: string
}

/** A group of operations (§4.8.22). */
export interface Tag {
  readonly name: string
  readonly description?: string
}

/** What is sent under a media type (§4.8.14). */
export type Content = { readonly [mediaType: string]: { readonly schema: JsonSchema } }

/** An input beside the body (§4.8.12). */
export interface Parameter {
  readonly name: string
  readonly in: "path" | "query" | "header" | "cookie"
  readonly required: boolean
  readonly description?: string
  readonly schema: JsonSchema
}

/** An answer (§4.8.17). */
export interface Response {
  readonly description: string
  readonly content?: Content
}

/** What one method of a path does (§4.8.10). */
export interface Operation {
  readonly operationId: string
  readonly summary?: string
  readonly description?: string
  readonly tags?: ReadonlyArray<string>
  readonly parameters?: ReadonlyArray<Parameter>
  readonly requestBody?: { readonly required: boolean; readonly content: Content }
  /** By status, or `default` where the route declares none. */
  readonly responses: { readonly [status: string]: Response }
}

/** The methods that a path item has members for, in their order (§4.8.9). */
export const METHODS = ["get", "put", "post", "delete", "options", "head", "patch", "trace"] as const

/** A path: an operation for each method. Methods that OpenAPI 3.1 does not know are in `x-oai-additionalOperations`. */
export type PathItem = { readonly [_ in (typeof METHODS)[number]]?: Operation } & {
  readonly "x-oai-additionalOperations"?: { readonly [method: string]: Operation }
}

/** What a document says about the API as a whole. */
export interface Info {
  readonly title: string
  /** The version of the API, not of OpenAPI. */
  readonly version: string
  /** What the API is for, in a few words. */
  readonly summary?: string
  /** At length, as CommonMark. */
  readonly description?: string
  readonly license?: { readonly name: string; readonly identifier?: string; readonly url?: string }
  readonly contact?: { readonly name?: string; readonly url?: string; readonly email?: string }
  /** Default: none, which means the host that the document comes from. */
  readonly servers?: ReadonlyArray<Server>
  /** Descriptions of tags, and their order. Those that routes have and this lacks come behind, by first use. */
  readonly tags?: ReadonlyArray<Tag>
  /** Ways to authenticate, by name, as OpenAPI writes them (§4.8.27). Routes do not say which they need. */
  readonly securitySchemes?: { readonly [name: string]: JsonSchema }
  /** Which of `securitySchemes` every operation needs: alternatives, each with names and scopes (§4.8.30). */
  readonly security?: ReadonlyArray<{ readonly [name: string]: ReadonlyArray<string> }>
}

/** A document. */
export interface Document {
  readonly openapi: "3.1.0"
  readonly info: Omit<Info, "servers" | "tags" | "securitySchemes" | "security">
  readonly servers?: ReadonlyArray<Server>
  readonly paths: { readonly [path: string]: PathItem }
  readonly components: {
    readonly schemas: { readonly [name: string]: JsonSchema }
    readonly securitySchemes?: { readonly [name: string]: JsonSchema }
  }
  readonly security?: ReadonlyArray<{ readonly [name: string]: ReadonlyArray<string> }>
  readonly tags?: ReadonlyArray<Tag>
}
