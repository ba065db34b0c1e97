/**
 * Small texts: templates, lists, tables, paths as people write them.
 *
 * When to reach for it: to say something on a terminal.
 * What it is not: `effect/cli`'s help, which formats itself.
 */
import * as path from "node:path"

/** Replaces `{name}` by the field of that name; the items of a list are joined by commas. */
export const fill = (template: string, fields: object): string =>
  template.replace(/\{(\w+)\}/g, (whole, name: string) => {
    if (!(name in fields)) return whole
    const value = fields[name as keyof typeof fields] as unknown
    return Array.isArray(value) ? value.join(", ") || "nothing" : String(value)
  })

/** A path as people would write it here: relative when it is below the working directory. */
export const display = (file: string): string => {
  const relative = path.relative(process.cwd(), file)
  return relative === "" ? "." : relative.startsWith("..") || path.isAbsolute(relative) ? file : relative
}

/** Every line of a text behind so many spaces. */
export const indent = (text: string, by: number): string => text.replace(/^(?=.)/gm, " ".repeat(by))

/** Rows of cells as text in columns, two spaces apart; lines have no spaces at their end. */
export const columns = (rows: ReadonlyArray<ReadonlyArray<string>>): string => {
  const widths: Array<number> = []
  for (const row of rows) for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length)
  return rows.map((row) => row.map((cell, i) => cell.padEnd(widths[i]!)).join("  ").trimEnd()).join("\n")
}

// The help writes a description as it is, with its first line two spaces in.
const helpWidth = 98

const wrap = (text: string): string => text.replace(new RegExp(`(.{1,${helpWidth}})(?: +|$)`, "g"), "$1\n").trimEnd()

/** Paragraphs as the description of a command. */
export const paragraphs = (...texts: ReadonlyArray<string>): string =>
  indent(texts.map(wrap).join("\n\n"), 2).trimStart()
