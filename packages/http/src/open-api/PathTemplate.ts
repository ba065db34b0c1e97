/**
 * The path of a route as OpenAPI writes it: `/users/:id` is `/users/{id}`.
 *
 * When to reach for it: `OpenApi` names paths and operations with it.
 * What it is not: a matcher, which is `Router`.
 */
import type { Path } from "../RouteSpec.ts"

/** A path with its parameters. */
export interface PathTemplate {
  /** As OpenAPI writes it; what is left of a path, `*rest`, is one parameter like others: `/files/{rest}`. */
  readonly template: string
  /** The template without names: OpenAPI takes paths with the same for the same (§4.8.8.2). */
  readonly shape: string
  readonly names: ReadonlyArray<string>
  /** The one of `names` that takes everything that is left. */
  readonly rest: string | undefined
}

const braces = (text: string): string => text.replaceAll("{", "%7B").replaceAll("}", "%7D")

/** Reads a pattern. */
export const parse = (pattern: Path): PathTemplate => {
  const segments = pattern.slice(1).split("/")
  const isParameter = (segment: string): boolean => segment.startsWith(":") || segment.startsWith("*")
  const last = segments.at(-1)!
  const write = (parameter: (name: string) => string): string =>
    `/${segments.map((segment) => isParameter(segment) ? parameter(segment.slice(1)) : braces(segment)).join("/")}`
  return {
    template: write((name) => `{${name}}`),
    shape: write(() => "{}"),
    names: segments.filter(isParameter).map((segment) => segment.slice(1)),
    rest: last.startsWith("*") ? last.slice(1) : undefined
  }
}

const capital = (word: string): string => word.slice(0, 1).toUpperCase() + word.slice(1)

/** A name for an operation: `GET /users/:id/posts` is `getUsersByIdPosts`. Different paths may have the same. */
export const operationName = (method: string, pattern: Path): string => {
  const words = pattern.split("/").flatMap((segment) => {
    const found = segment.match(/[A-Za-z0-9]+/g) ?? []
    return segment.startsWith(":") || segment.startsWith("*") ? ["by", ...found] : found
  })
  return [method.toLowerCase().replace(/[^a-z]/g, ""), ...words.length === 0 ? ["root"] : words]
    .map((word, index) => index === 0 ? word : capital(word)).join("")
}
