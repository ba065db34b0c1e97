/**
 * The target of a redirect: text with places for captures and the query, written so that no capture becomes a host.
 *
 * When to reach for it: `Redirect` parses one for each route.
 * What it is not: a template language. Kore: http §5.5.
 */

/** What a pattern can give. */
export interface Source {
  /** How many captures there are by number. */
  readonly count: number
  readonly names: ReadonlyArray<string>
  /** Whether what is found under a number or a name was percent-decoded. */
  readonly isDecoded: (key: number | string) => boolean
}

/** Writes a target with the captures and the query of a request. */
export type Write = (value: (key: number | string) => string | undefined, query: string) => string

type Part =
  | { readonly _tag: "Text"; readonly text: string }
  | { readonly _tag: "Query" }
  | {
    readonly _tag: "Capture"
    readonly key: number | string
    readonly isDecoded: boolean
    /** Behind the first question mark, where `&` and `+` mean something. */
    readonly isInQuery: boolean
  }

const MARK = /\$(?:(qs)|([1-9])|<(\w+)>)/g

const percent = (text: string): string =>
  Array.from(Buffer.from(text), (byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`).join("")

// Whatever a URL does not have (RFC 3986 §2): controls, blanks, quotes, `\`, which browsers read as `/`, and so on.
const clean = (text: string): string => text.replaceAll(/[^!#$%&'()*+,\-./0-9:;=?@A-Z[\]_a-z~]+/g, percent)

// A scheme and a host, or a host alone. A place for a capture cannot be in it.
const AUTHORITY = /^(?:[a-z][a-z0-9+.-]*:)?\/\/[^/?#]+/i

const partsOf = (name: string, target: string, source: Source): ReadonlyArray<Part> => {
  const parts: Array<Part> = []
  const text = (from: number, to?: number) => {
    const text = target.slice(from, to)
    if (text !== "") parts.push({ _tag: "Text", text: clean(text) })
  }
  let at = 0
  for (const found of target.matchAll(MARK)) {
    const [mark, query, number, named] = found
    text(at, found.index)
    at = found.index + mark.length
    if (query !== undefined) {
      parts.push({ _tag: "Query" })
      continue
    }
    const key = named ?? Number(number)
    if (typeof key === "number" ? key > source.count : !source.names.includes(key)) {
      const has = source.count === 0 ? "none" : `${source.count}${source.names.map((name) => `, $<${name}>`).join("")}`
      throw new RangeError(`${name}: the target has ${mark}, but the captures of the pattern are ${has}`)
    }
    const isInQuery = target.slice(0, found.index).includes("?")
    parts.push({ _tag: "Capture", key, isDecoded: source.isDecoded(key), isInQuery })
  }
  text(at)
  return parts
}

/**
 * Reads a target; `name` says in errors whose it is.
 *
 * @throws TypeError and RangeError as `Redirect.route` says.
 */
export const parse = (name: string, target: string, source: Source): Write => {
  const parts = partsOf(name, target, source)
  const first = parts[0]
  const head = first?._tag === "Text" ? first.text : ""
  const authority = AUTHORITY.exec(head)?.[0]
  if (authority === undefined && (first === undefined || (head !== "" && !/^\/(?!\/)/.test(head)))) {
    const expected =
      "expected a path such as \"/new/$1\", or a URL whose host is text, such as \"https://example.com/$1\""
    throw new TypeError(`${name}: the target is ${JSON.stringify(target)}, ${expected}`)
  }
  return (value, query) => {
    let out = ""
    for (const [i, part] of parts.entries()) {
      const before = out
      switch (part._tag) {
        case "Text":
          // Behind a query that is none, `&` would join nothing.
          out += dropsJoint(parts[i - 1], out, query) && part.text.startsWith("&") ? part.text.slice(1) : part.text
          break
        case "Query":
          if (query !== "") out += clean(query)
          else if (/[?&]$/.test(out) && !startsWithJoint(parts[i + 1])) out = out.slice(0, -1)
          break
        case "Capture":
          out += captured(part, value(part.key) ?? "")
      }
      // What is put directly behind a host begins the path, and does not go on with the name.
      if (before === authority && out !== before && i > 0 && !/^[/?#]/.test(out.slice(before.length))) {
        out = `${before}/${out.slice(before.length)}`
      }
    }
    // Several slashes at the beginning would be a host.
    return authority === undefined ? `/${out.replace(/^\/+/, "")}` : out
  }
}

const captured = ({ isDecoded, isInQuery }: Part & { readonly _tag: "Capture" }, value: string): string => {
  const text = isDecoded ? encodeURIComponent(value) : clean(value).replaceAll("#", "%23")
  return isInQuery ? text.replaceAll(/[&+;]/g, percent) : text
}

const startsWithJoint = (part: Part | undefined): boolean => part?._tag === "Text" && part.text.startsWith("&")

const dropsJoint = (previous: Part | undefined, out: string, query: string): boolean =>
  previous?._tag === "Query" && query === "" && /[?&]$/.test(out)
