/**
 * Places in source files: where an error is, and how the line looks there.
 *
 * When to reach for it: to point at something in a file of the app.
 * What it is not: a parser. Places come from what Node.js says about an error.
 */
import * as fs from "node:fs"
import { fileURLToPath } from "node:url"
import { display } from "./text.ts"

/** A place in a file; lines and columns count from 1. */
export interface Place {
  readonly file: string
  readonly line: number
  readonly column: number
  /** How many characters are meant, on that line. Default 1. */
  readonly length?: number
}

/** The place as editors and terminals recognise it: `app.ts:3:12`. */
export const formatPlace = ({ column, file, line }: Place): string => `${display(file)}:${line}:${column}`

/** The text of a file; undefined when it cannot be read. */
export const read = (file: string): string | undefined => {
  try {
    return fs.readFileSync(file, "utf8")
  } catch {
    return undefined
  }
}

const widest = 100

/** The line of a place with a caret below it, behind a line feed; empty when the file has no such line. */
export const excerpt = (place: Place): string => {
  const text = read(place.file)?.split(/\r?\n/)[place.line - 1]
  if (text === undefined) return ""
  // Of a long line, what is around the place.
  const start = text.length <= widest ? 0 : Math.max(0, Math.min(place.column - 1 - widest / 2, text.length - widest))
  const shown = text.slice(start, start + widest)
  const before = shown.slice(0, place.column - 1 - start).replace(/[^\t]/g, " ")
  const caret = "^".repeat(Math.max(1, Math.min(place.length ?? 1, shown.length - before.length)))
  const number = String(place.line)
  return `\n  ${number} | ${shown}\n  ${" ".repeat(number.length)} | ${before}${caret}`
}

const toPath = (location: string): string => location.startsWith("file:") ? fileURLToPath(location) : location

/**
 * The place that Node.js writes in front of the stack of an error in source text:
 *
 * ```text
 * /home/me/app.ts:2
 * const b = (;
 *            ^
 * ```
 *
 * Of something that spans lines, which are marked by `>`, it is the beginning.
 */
export const placeInHead = (stack: string, sourceOf = read): Place | undefined => {
  const head = /^((?:file:\/\/|\/|[A-Z]:\\|\[)[^\n]*?):(\d+)\n/i.exec(stack)
  if (head === null) return undefined
  const file = toPath(head[1]!)
  const line = Number(head[2])
  const source = sourceOf(file)?.split(/\r?\n/)[line - 1] ?? ""
  const shown = stack.slice(head[0].length).split("\n\n")[0]!.split("\n")
  const caret = shown.findIndex((text) => /^\s*\^+\s*$/.test(text))
  if (caret > 0) {
    const at = shown[caret]!.indexOf("^")
    const column = shown[caret - 1] === source ? at + 1 : unexpanded(source, at) + 1
    return { file, line, column, length: shown[caret]!.trim().length }
  }
  return shown.some((text) => text.startsWith("  > "))
    ? { file, line, column: source.search(/\S|$/) + 1, length: source.trim().length }
    : undefined
}

// The index of a character in a line whose tabs were shown as blanks up to the next multiple of four.
const unexpanded = (line: string, shownAt: number): number => {
  let width = 0
  for (let index = 0; index < line.length; index++) {
    if (width >= shownAt) return index
    width += line[index] === "\t" ? 4 - width % 4 : 1
  }
  return line.length
}

/** The places of a stack that are not inside Node.js or an installed package: the program's own. */
export const ownFrames = (stack: string): ReadonlyArray<Place> => {
  const frames: Array<Place> = []
  for (const [, location, line, column] of stack.matchAll(/^ {4}at (?:.*?\()?([^()\n]+):(\d+):(\d+)\)?$/gm)) {
    const file = location!.replace(/^async /, "")
    if (/^(?:file:\/\/|\/|[A-Z]:\\)/i.test(file) && !file.startsWith("node:") && !/[\\/]node_modules[\\/]/.test(file)) {
      frames.push({ file: toPath(file), line: Number(line), column: Number(column) })
    }
  }
  return frames.filter(({ file }) => !file.startsWith(here))
}

// The command's own files, which are on every stack of an import.
const here = fileURLToPath(new URL("..", import.meta.url))

/** The place of the first import whose specifier is meant; undefined when there is none. */
export const placeOfImport = (file: string, isMeant: (specifier: string) => boolean): Place | undefined => {
  const text = read(file)
  if (text === undefined) return undefined
  for (const match of text.matchAll(/\b(?:from|import|require)\b\s*\(?\s*(["'])(.+?)\1/g)) {
    if (!isMeant(match[2]!)) continue
    const start = match.index + match[0].lastIndexOf(match[2]! + match[1]!) - 1
    const before = text.slice(0, start).split("\n")
    return { file, line: before.length, column: before.at(-1)!.length + 1, length: match[2]!.length + 2 }
  }
  return undefined
}
