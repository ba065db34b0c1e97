/**
 * The titles of the tests in a file, read from its source.
 *
 * When to reach for it: something names a test and must know that it is there.
 * What it is not: the list of tests that run; a title with a hole stands for as many tests as its loop makes.
 */
import { parseAst } from "vitest/node"

/** The titles of one file. */
export interface TestTitles {
  /** Whole titles. */
  readonly whole: ReadonlySet<string>
  /** Titles with holes: a template's, or those of `it.each`. Each matches the titles that it makes. */
  readonly patterns: ReadonlyArray<RegExp>
  /** Texts of the file that may be a title, because a title is nothing but a name: those of a table of cases. */
  readonly cases: ReadonlySet<string>
  /** The file itself: what fills a hole stands somewhere in it. */
  readonly source: string
}

/** A node of the syntax tree, as far as it matters here. */
interface Node {
  readonly type: string
  readonly [key: string]: unknown
}

/** Text, and holes in it. */
type Pieces = ReadonlyArray<string | typeof hole>
const hole = Symbol("hole")

// A title with less text of its own than this would be found everywhere.
const leastText = 8

const isNode = (u: unknown): u is Node => typeof u === "object" && u !== null && "type" in u

const childrenOf = (node: Node): ReadonlyArray<Node> => Object.values(node).flat().filter(isNode)

/** What a call is made on: `it` of `it.effect.each(cases)(title, …)`, and the names behind it. */
const chainOf = (callee: Node): ReadonlyArray<string> => {
  switch (callee.type) {
    case "Identifier":
      return [callee["name"] as string]
    case "MemberExpression":
      return [...chainOf(callee["object"] as Node), ...chainOf(callee["property"] as Node)]
    case "CallExpression":
      return chainOf(callee["callee"] as Node)
    default:
      return []
  }
}

const piecesOf = (node: Node): Pieces => {
  if (node.type === "Literal" && typeof node["value"] === "string") return [node["value"]]
  if (node.type === "TemplateLiteral") {
    const texts = (node["quasis"] as ReadonlyArray<{ readonly value: { readonly cooked: string } }>)
      .map(({ value }) => value.cooked)
    return texts.flatMap((text, index) => index === 0 ? text : [hole, text])
  }
  if (node.type === "BinaryExpression" && node["operator"] === "+") {
    return [...piecesOf(node["left"] as Node), ...piecesOf(node["right"] as Node)]
  }
  return [hole]
}

/** `%s` and `$name` are holes in the titles of `it.each`. */
const withEachHoles = (pieces: Pieces): Pieces =>
  pieces.flatMap((piece): Pieces =>
    piece === hole ? [piece]
      : piece.split(/%[sdifjoOp#$%]|\$[\w.]+/).flatMap((text, index) => index === 0 ? text : [hole, text])
  )

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")

const patternOf = (pieces: Pieces): RegExp =>
  new RegExp(`^${pieces.map((piece) => piece === hole ? "(.*)" : escaped(piece)).join("")}$`, "s")

/** Reads the titles of a file of tests. */
export const parse = (source: string): TestTitles => {
  const whole = new Set<string>()
  const patterns: Array<RegExp> = []
  const texts = new Set<string>()
  let isAnyNamedByCase = false
  const visit = (node: Node): void => {
    if (node.type === "Literal" && typeof node["value"] === "string") texts.add(node["value"])
    if (node.type === "TemplateLiteral") {
      const [first, ...others] = piecesOf(node)
      if (typeof first === "string" && others.length === 0) texts.add(first)
    }
    const title = titleOf(node)
    if (title !== undefined) {
      const own = title.filter((piece) => piece !== hole).join("")
      if (!title.includes(hole)) whole.add(own)
      else if (own.trim().length >= leastText) patterns.push(patternOf(title))
      else isAnyNamedByCase = true
    }
    for (const child of childrenOf(node)) visit(child)
  }
  for (const statement of parseAst(source, { lang: "ts" }).body) visit(statement as unknown as Node)
  return { whole, patterns, cases: isAnyNamedByCase ? texts : new Set(), source }
}

const titleOf = (node: Node): Pieces | undefined => {
  if (node.type !== "CallExpression") return undefined
  const callee = node["callee"] as Node
  const [subject, ...modifiers] = chainOf(callee)
  if (subject !== "it" && subject !== "test") return undefined
  // `it.each(cases)` only makes the function that is given the title.
  if (modifiers.at(-1) === "each" && callee.type !== "CallExpression") return undefined
  const [title] = node["arguments"] as ReadonlyArray<Node>
  if (title === undefined) return undefined
  return modifiers.includes("each") ? withEachHoles(piecesOf(title)) : piecesOf(title)
}

/** Tells whether a file has a test with this title. */
export const has = (titles: TestTitles, name: string): boolean =>
  titles.whole.has(name) || titles.cases.has(name) ||
  titles.patterns.some((pattern) => pattern.exec(name)?.slice(1).every((filling) => titles.source.includes(filling)))
