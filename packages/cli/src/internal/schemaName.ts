/**
 * A Schema as a short text: its name if it has one, else its shape.
 *
 * When to reach for it: to tell people what a route takes and gives.
 * What it is not: complete. Checks are left out, and so is what is nested too deeply to read.
 */
import type * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"

const deepest = 3

const checkNames: Readonly<Record<string, string>> = {
  "effect/schema/isInt": "Int",
  "effect/schema/isFinite": "Finite",
  "effect/schema/isMinLength": "NonEmptyString"
}

// `Schema.Int` is a number with a check, and has no other name than that.
const nameOfCheck = (ast: SchemaAST.AST): string | undefined => {
  const first = ast.checks?.[0]?.annotations as { readonly representation?: { readonly id: string } } | undefined
  return checkNames[first?.representation?.id ?? ""]
}

const optional = (ast: SchemaAST.AST): string => ast.context?.isOptional === true ? "?" : ""

const nameOf = (ast: SchemaAST.AST, depth: number): string => {
  const identifier = SchemaAST.resolveIdentifier(ast)
  if (identifier !== undefined) return identifier
  if (depth > deepest) return "…"
  switch (ast._tag) {
    case "Declaration": {
      const representation = ast.annotations?.["representation"] as { readonly id: string } | undefined
      return representation?.id.split("/").at(-1) ?? "declared"
    }
    case "Literal":
      return JSON.stringify(ast.literal)
    case "Union":
      return ast.types.map((type) => nameOf(type, depth + 1)).join(" | ")
    case "Arrays": {
      const items = ast.elements.map((item) => `${nameOf(item, depth + 1)}${optional(item)}`)
      const rest = ast.rest.map((item) => `${items.length === 0 ? "" : "..."}${arrayOf(nameOf(item, depth + 1))}`)
      return items.length === 0 ? rest.join(", ") || "[]" : `[${[...items, ...rest].join(", ")}]`
    }
    case "Objects": {
      const fields = ast.propertySignatures.map(({ name, type }) =>
        `${String(name)}${optional(type)}: ${nameOf(type, depth + 1)}`
      )
      const others = ast.indexSignatures.map(({ parameter, type }) =>
        `[${nameOf(parameter, depth + 1)}]: ${nameOf(type, depth + 1)}`
      )
      return fields.length + others.length === 0 ? "{}" : `{ ${[...fields, ...others].join(", ")} }`
    }
    default:
      return nameOfCheck(ast) ?? ast._tag
  }
}

const arrayOf = (name: string): string => name.includes(" | ") ? `(${name})[]` : `${name}[]`

/** The text: `User`, `{ name: String, page?: Int }`, `User[]`. */
export const schemaName = (schema: Schema.Constraint): string => nameOf(schema.ast, 0)

/** The texts of several, by name; a `?` behind the name of what may be absent. */
export const schemaNames = (
  schemas: Readonly<Record<string, Schema.Constraint | undefined>> | undefined
): Readonly<Record<string, string>> | undefined =>
  schemas && Object.fromEntries(
    Object.entries(schemas).flatMap(([name, schema]) =>
      schema === undefined ? [] : [[`${name}${optional(schema.ast)}`, schemaName(schema)]]
    )
  )
