/**
 * The compiled routes of one host: method and path to route.
 *
 * Of several routes that match, the most specific answers, whatever the order of declaration:
 *
 * 1. a path without parameters;
 * 2. a path with parameters, compared segment by segment from the left: text before `:name` before `*name`;
 * 3. a regular expression, the first one declared (Kore: http §5.2).
 *
 * A route that matches the path but not the method does not end the search. When nothing else matches, the answer is
 * 405 with `allow`, or 204 with `allow` to OPTIONS. GET answers HEAD where no HEAD route does. Two routes for the same
 * method and the same shape of path are an error at start.
 *
 * When to reach for it: `Server` compiles one for every host.
 * What it is not: `effect/http`'s router. That one mounts on a domain; this one knows Kore's rules.
 *
 * HOT PATH: one look-up in a Map for a path without parameters; one walk over the segments for others. Nothing is
 * allocated but the parameters.
 */
import * as Effect from "effect/Effect"
import * as Runtime from "effect/Runtime"
import * as Schema from "effect/Schema"
import type { Found, Route } from "./Route.ts"

/** Two routes answer the same requests, or a pattern cannot be read. */
export class RouteError extends Schema.TaggedError<RouteError>()("RouteError", {
  host: Schema.String,
  route: Schema.String,
  detail: Schema.String
}) {
  // The same next time: the parent makes no second try.
  override readonly [Runtime.errorExitCode] = 2

  override get message(): string {
    return `route ${this.route} of domain "${this.host}": ${this.detail}`
  }
}

/** What a request meets: a route with its parameters, or what to answer instead. */
export type Result<A> =
  | { readonly _tag: "Found"; readonly target: A; readonly found: Found }
  | { readonly _tag: "NotFound" }
  | { readonly _tag: "NotAllowed"; readonly allow: string }
  | { readonly _tag: "Malformed" }

interface Leaf<A> {
  readonly target: A
  readonly names: ReadonlyArray<string>
  readonly label: string
}

class Node<A> {
  readonly texts = new Map<string, Node<A>>()
  parameter: Node<A> | undefined = undefined
  rest: Leaf<A> | undefined = undefined
  leaf: Leaf<A> | undefined = undefined
}

interface Expression<A> {
  readonly pattern: RegExp
  readonly target: A
  readonly label: string
}

const NOTHING: Found = Object.freeze({})

// Filled by a walk, read at once by the one who asked: the router is synchronous, so one array serves all.
const values: Array<string> = []

class Table<A> {
  readonly exact = new Map<string, Leaf<A>>()
  readonly root = new Node<A>()
  readonly expressions: Array<Expression<A>> = []

  find(path: string): Result<A> | undefined {
    const exact = this.exact.get(path)
    if (exact !== undefined) return { _tag: "Found", target: exact.target, found: NOTHING }
    let leaf: Leaf<A> | undefined
    let isMalformed = false
    try {
      leaf = walk(this.root, path, 1, 0)
    } catch {
      // decodeURIComponent. Expressions are searched in the path as sent, so they may still match.
      isMalformed = true
    }
    if (leaf !== undefined) {
      const found: Record<string, string> = {}
      for (let i = 0; i < leaf.names.length; i++) found[leaf.names[i]!] = values[i]!
      return { _tag: "Found", target: leaf.target, found }
    }
    for (const expression of this.expressions) {
      const match = expression.pattern.exec(path)
      if (match !== null) return { _tag: "Found", target: expression.target, found: match.slice(1) }
    }
    return isMalformed ? MALFORMED : undefined
  }
}

const NOT_FOUND: Result<never> = { _tag: "NotFound" }
const MALFORMED: Result<never> = { _tag: "Malformed" }

const decode = (text: string): string => text.includes("%") ? decodeURIComponent(text) : text

const decodeOr = (text: string, error: () => RouteError): string => {
  try {
    return decode(text)
  } catch {
    throw error()
  }
}

// Segments are decoded one by one, so that an encoded slash stays inside its segment.
const walk = <A>(node: Node<A>, path: string, start: number, depth: number): Leaf<A> | undefined => {
  const slash = path.indexOf("/", start)
  const segment = decode(slash < 0 ? path.slice(start) : path.slice(start, slash))
  const text = node.texts.get(segment)
  if (text !== undefined) {
    const leaf = slash < 0 ? text.leaf : walk(text, path, slash + 1, depth)
    if (leaf !== undefined) return leaf
  }
  const { parameter } = node
  if (parameter !== undefined && segment !== "") {
    const leaf = slash < 0 ? parameter.leaf : walk(parameter, path, slash + 1, depth + 1)
    if (leaf !== undefined) {
      values[depth] = segment
      return leaf
    }
  }
  if (node.rest === undefined) return undefined
  // As sent: decoding would make separators of encoded slashes, and dots of encoded dots.
  values[depth] = path.slice(start)
  return node.rest
}

// An expression with the g or y flag would remember where its last search ended.
const withoutMemory = (pattern: RegExp): RegExp =>
  pattern.global || pattern.sticky ? new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, "")) : pattern

/** A route with whatever the server needs to answer it. */
export interface Entry<A> {
  readonly route: Route<any, any>
  readonly target: A
}

/** The table of one host; see `make`. */
export class Router<A> {
  private readonly tables = new Map<string, Table<A>>()
  private readonly methods: ReadonlyArray<string>

  constructor(host: string, entries: ReadonlyArray<Entry<A>>) {
    for (const { route, target } of entries) {
      if (route.methods.length === 0) {
        throw new RouteError({ host, route: String(route.pattern), detail: "it answers no method" })
      }
      for (const method of route.methods) this.add(host, method, route, target, false)
    }
    for (const { route, target } of entries) {
      if (route.methods.includes("GET")) this.add(host, "HEAD", route, target, true)
    }
    this.methods = [...this.tables.keys()].sort()
  }

  private add(host: string, method: string, route: Route<any, any>, target: A, implied: boolean): void {
    let table = this.tables.get(method)
    if (table === undefined) this.tables.set(method, table = new Table())
    const { pattern } = route
    const label = `${method} ${pattern}`
    const fail = (detail: string) => new RouteError({ host, route: label, detail })
    if (!/^[A-Z][A-Z-]*$/.test(method)) throw fail(`a method is a word in upper case such as ${method.toUpperCase()}`)
    if (typeof pattern !== "string") {
      const same = table.expressions.find((other) => String(other.pattern) === String(pattern))
      if (same === undefined) table.expressions.push({ pattern: withoutMemory(pattern), target, label })
      else if (!implied) throw fail("it is declared twice")
      return
    }
    if (!pattern.startsWith("/")) throw fail("a path begins with /")
    if (/[?#]/.test(pattern)) throw fail("a path has neither ? nor #: the query is declared with Schemas")
    const names: Array<string> = []
    const segments = pattern.slice(1).split("/")
    const leaf: Leaf<A> = { target, names, label }
    let node = table.root
    for (const [i, segment] of segments.entries()) {
      const name = segment.slice(1)
      if (segment.startsWith(":") || segment.startsWith("*")) {
        if (!/^[A-Za-z_]\w*$/.test(name) || name === "__proto__") {
          throw fail(`"${segment}" is not a parameter: expected a name like ":id"`)
        }
        if (names.includes(name)) throw fail(`the parameter "${name}" appears twice`)
        names.push(name)
      }
      if (segment.startsWith("*")) {
        if (i !== segments.length - 1) throw fail(`"${segment}" takes all that is left and must be the last segment`)
        if (node.rest !== undefined) {
          if (implied) return
          throw fail(`${node.rest.label} answers the same requests`)
        }
        node.rest = leaf
        return
      }
      if (segment.startsWith(":")) node = node.parameter ??= new Node()
      else {
        const text = decodeOr(segment, () => fail(`"${segment}" is not percent-encoded UTF-8: write % as %25`))
        let next = node.texts.get(text)
        if (next === undefined) node.texts.set(text, next = new Node())
        node = next
      }
    }
    if (node.leaf !== undefined) {
      if (implied) return
      throw fail(`${node.leaf.label} answers the same requests`)
    }
    node.leaf = leaf
    if (names.length === 0) table.exact.set(pattern, leaf)
  }

  /** Looks a request up. The path is as sent: percent-encoded, without query. */
  find(method: string, path: string): Result<A> {
    return this.tables.get(method)?.find(path) ?? this.miss(path)
  }

  // Slow on purpose: only a request that no route answers comes here.
  private miss(path: string): Result<A> {
    const allow: Array<string> = []
    for (const method of this.methods) {
      const result = path === "*" ? undefined : this.tables.get(method)!.find(path)
      if (result?._tag === "Malformed") return result
      if (result !== undefined || path === "*") allow.push(method)
    }
    if (allow.length === 0) return NOT_FOUND
    if (!allow.includes("OPTIONS")) allow.push("OPTIONS")
    return { _tag: "NotAllowed", allow: allow.sort().join(", ") }
  }
}

/**
 * Compiles the routes of a host.
 *
 * Fails with `RouteError` when two routes answer the same requests or a pattern cannot be read.
 */
export const make = <A>(host: string, entries: ReadonlyArray<Entry<A>>): Effect.Effect<Router<A>, RouteError> =>
  Effect.suspend(() => {
    try {
      return Effect.succeed(new Router(host, entries))
    } catch (error) {
      return error instanceof RouteError ? Effect.fail(error) : Effect.die(error)
    }
  })
