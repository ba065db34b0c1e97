/**
 * The rules of OpenAPI 3.1.0 that a document of `OpenApi.make` could break, checked without the meta-schema: members that
 * are required, names that must be unique, references that must lead somewhere, and the keywords of JSON Schema.
 */

type Json = { readonly [name: string]: any }

const METHODS = ["get", "put", "post", "delete", "options", "head", "patch", "trace"]
const TYPES = ["string", "number", "integer", "boolean", "array", "object", "null"]

const isObject = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value)

/** What is wrong with a document: where, and what. */
export const violations = (document: unknown): ReadonlyArray<string> => {
  const found: Array<string> = []
  const check = (holds: boolean, where: string, what: string): void => {
    if (!holds) found.push(`${where}: ${what}`)
  }
  const root = document as Json
  const schema = (value: unknown, where: string): void => {
    if (typeof value === "boolean") return
    if (!isObject(value)) return check(false, where, "is no schema")
    const { $ref, type } = value
    if ($ref !== undefined) {
      const name = /^#\/components\/schemas\/([\w.-]+)$/.exec($ref)?.[1]
      check(name !== undefined && root["components"]?.schemas?.[name] !== undefined, where, `${$ref} leads nowhere`)
    }
    for (const one of type === undefined ? [] : Array.isArray(type) ? type : [type]) {
      check(TYPES.includes(one), where, `${one} is no type`)
    }
    for (const keyword of ["allOf", "anyOf", "oneOf", "prefixItems"]) {
      if (value[keyword] === undefined) continue
      check(Array.isArray(value[keyword]) && value[keyword].length > 0, `${where}.${keyword}`,
        "is no list with members")
      for (const [i, member] of value[keyword].entries()) schema(member, `${where}.${keyword}[${i}]`)
    }
    for (const keyword of ["items", "additionalProperties", "not", "contains", "propertyNames"]) {
      if (value[keyword] !== undefined) schema(value[keyword], `${where}.${keyword}`)
    }
    for (const keyword of ["properties", "patternProperties", "$defs"]) {
      for (const [name, member] of Object.entries(value[keyword] ?? {})) schema(member, `${where}.${keyword}.${name}`)
    }
    const required = value["required"] ?? []
    check(Array.isArray(required) && new Set(required).size === required.length, `${where}.required`,
      "has a name twice")
  }
  const content = (value: unknown, where: string): void => {
    check(isObject(value), where, "is no content")
    for (const [mediaType, { schema: one }] of Object.entries((value ?? {}) as Json)) {
      check(/^[\w.+-]+\/[\w.+-]+$/.test(mediaType), where, `${mediaType} is no media type`)
      schema(one, `${where}.${mediaType}`)
    }
  }
  const ids = new Set<string>()
  const operation = (value: Json, path: string, where: string): void => {
    check(!ids.has(value["operationId"]), where, `operationId ${value["operationId"]} twice`)
    ids.add(value["operationId"])
    const parameters: ReadonlyArray<Json> = value["parameters"] ?? []
    const names = parameters.map((parameter) => `${parameter["in"]} ${parameter["name"]}`)
    check(new Set(names).size === names.length, where, "a parameter twice")
    for (const parameter of parameters) {
      check(["path", "query", "header", "cookie"].includes(parameter["in"]), where, `a parameter in ${parameter["in"]}`)
      check(parameter["in"] !== "path" || parameter["required"] === true, where,
        "a path parameter that is not required")
      schema(parameter["schema"], `${where}.${parameter["name"]}`)
    }
    const templated = [...path.matchAll(/\{([^}]*)\}/g)].map(([, name]) => name!)
    const inPath = parameters.filter((parameter) => parameter["in"] === "path").map((parameter) => parameter["name"])
    for (const name of templated) check(inPath.includes(name), where, `{${name}} is no parameter`)
    for (const name of inPath) check(templated.includes(name), where, `${name} is not in the path`)
    if (value["requestBody"] !== undefined) content(value["requestBody"].content, `${where}.requestBody`)
    const responses = Object.entries<Json>(value["responses"] ?? {})
    check(responses.length > 0, where, "no response")
    for (const [status, response] of responses) {
      check(/^(?:[1-5]\d\d|[1-5]XX|default)$/.test(status), where, `${status} is no status`)
      check(typeof response["description"] === "string", `${where}.${status}`, "no description")
      if (response["content"] !== undefined) content(response["content"], `${where}.${status}`)
    }
  }
  check(/^3\.1\.\d+$/.test(root["openapi"]), "openapi", "is no version 3.1")
  for (const name of ["title", "version"]) check(typeof root["info"]?.[name] === "string", `info.${name}`, "is missing")
  const shapes = new Set<string>()
  for (const [path, item] of Object.entries<Json>(root["paths"])) {
    check(path.startsWith("/"), `paths.${path}`, "does not begin with /")
    const shape = path.replaceAll(/\{[^}]*\}/g, "{}")
    check(!shapes.has(shape), `paths.${path}`, "differs from another only in names")
    shapes.add(shape)
    for (const [method, value] of Object.entries<Json>(item)) {
      if (METHODS.includes(method)) operation(value, path, `${method} ${path}`)
      else check(method.startsWith("x-"), `paths.${path}`, `${method} is no method`)
    }
  }
  for (const [name, value] of Object.entries(root["components"]?.schemas ?? {})) {
    check(/^[\w.-]+$/.test(name), "components.schemas", `${name} is no name`)
    schema(value, `components.schemas.${name}`)
  }
  const tags = (root["tags"] ?? []).map((tag: Json) => tag["name"])
  check(new Set(tags).size === tags.length, "tags", "a tag twice")
  return found
}
