/**
 * The url of a route as a regular expression.
 *
 * When to reach for it: `Domain` compiles the url of every route with it.
 * What it is not: a translation of POSIX expressions. Those parts of them that JavaScript would read as something else
 * are refused, with what to write instead; the rest is JavaScript's own. `docs/from-kore.md` lists both.
 */

/** A url that cannot be used, and why. */
export class PatternError extends Error {}

// What compiles in JavaScript and means something else there: where it stands, what it is, what to write.
const differences: ReadonlyArray<readonly [found: RegExp, what: string, instead: string]> = [
  [/\[:\w+:\]/, "a class of POSIX", "\\d, \\w, \\s, [a-z] or [0-9A-Fa-f]"],
  [/\[[.=].+?[.=]\]/, "a collating element of POSIX", "the characters themselves"],
  [/\{,\d+\}/, "an interval without a beginning", "{0,n}"],
  [/\\[<>]/, "a word boundary of GNU", "\\b"],
  [/\\[`']/, "an anchor of GNU", "^ or $"]
]

/**
 * Compiles the url of a route: one that begins with `/` stands for itself, byte for byte; any other is an expression
 * that is searched in the path. Source: Kore, http §5.2.
 *
 * @throws PatternError with the reason.
 */
export const compile = (url: string): RegExp => {
  return url.startsWith("/") ? literal(url) : expression(url)
}

/**
 * Compiles an expression.
 *
 * @throws PatternError with the reason.
 */
export const expression = (source: string): RegExp => {
  for (const [found, what, instead] of differences) {
    const match = found.exec(source)
    if (match !== null) throw new PatternError(`"${match[0]}" is ${what}, and not JavaScript: write ${instead}`)
  }
  try {
    return new RegExp(source)
  } catch (error) {
    throw new PatternError((error as Error).message.replace(/^Invalid regular expression: /, ""))
  }
}

const literal = (url: string): RegExp => {
  const never = /[^!-~]|[?#]/.exec(url)
  if (never !== null) {
    const character = JSON.stringify(never[0])
    throw new PatternError(`no path has ${character} in it: ${encoded(never[0])}`)
  }
  return new RegExp(`^${escaped(url)}$`)
}

/** A text as an expression that stands for it, byte for byte. */
export const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")

const encoded = (character: string): string =>
  character === "?" ? "the query is no part of it" : `clients send ${encodeURIComponent(character)}, write that`
