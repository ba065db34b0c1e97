/**
 * The path of a request below a file map, taken apart: which names it may have, and what it never reaches.
 *
 * When to reach for it: `Filemap` and `FileResponse` ask `parse` before anything looks at the file system.
 * What it is not: a look at files. Links are followed, or not, in `Lookup`.
 *
 * Segments are decoded once and one by one, so that no encoding makes a separator or a way up (Kore's defect A1), and a
 * plus is a plus (B26). Compared is by whole segments, never by the beginning of a text.
 */

/** Whether names that begin with a dot are served. */
export type Dotfiles = "deny" | "allow"

/** A path below a root. */
export interface FilePath {
  /** Names, none of them empty; none at all for the root itself. */
  readonly segments: ReadonlyArray<string>
  /** It ends in a slash, or is the root: it means a directory. */
  readonly isDirectory: boolean
}

// Separators here or on some system, and the end of a C string.
const NO_NAME = /[/\\\0]/

const isName = (name: string, isFirst: boolean, dotfiles: Dotfiles): boolean => {
  if (name === "" || NO_NAME.test(name)) return false
  if (name.charCodeAt(0) !== 46) return true // "."
  if (name === "." || name === "..") return false
  // RFC 8615: made for being served.
  return dotfiles === "allow" || (isFirst && name === ".well-known")
}

const decoded = (text: string): string | undefined => {
  if (!text.includes("%")) return text
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

/**
 * Takes the rest of a path apart, percent-encoded as it was sent and without a slash at its beginning.
 *
 * `Malformed` when it is not percent-encoded UTF-8, `NotFound` when a segment cannot be the name of a file here: empty,
 * `.`, `..`, with a slash, a backslash or a NUL in it, or hidden where that is denied.
 */
export const parse = (rest: string, dotfiles: Dotfiles): FilePath | "Malformed" | "NotFound" => {
  const segments: Array<string> = []
  let isRefused = false
  for (const text of rest.split("/")) {
    const segment = decoded(text)
    if (segment === undefined) return "Malformed"
    segments.push(segment)
  }
  const isDirectory = segments.at(-1) === ""
  if (isDirectory) segments.pop()
  for (const [i, segment] of segments.entries()) isRefused ||= !isName(segment, i === 0, dotfiles)
  return isRefused ? "NotFound" : { segments, isDirectory }
}

/** Tells whether names may stand below a root, as `parse` does; nothing is decoded. */
export const areNames = (segments: ReadonlyArray<string>, dotfiles: Dotfiles): boolean =>
  segments.every((segment, i) => isName(segment, i === 0, dotfiles))

/**
 * Tells whether a real path is a real directory or below it, by whole segments: `/srv/www-old` is not in `/srv/www`.
 */
export const isWithin = (path: string, directory: string): boolean =>
  path === directory || path.startsWith(directory.endsWith("/") ? directory : `${directory}/`)

/** The path of names below a directory. */
export const below = (directory: string, segments: ReadonlyArray<string>): string =>
  segments.length === 0 ? directory : `${directory === "/" ? "" : directory}/${segments.join("/")}`
