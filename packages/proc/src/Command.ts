/**
 * Commands as text: words are read as a POSIX shell reads them, and written so that they read back.
 *
 * When to reach for it: a command comes as one string, from a configuration say; or one is shown to people.
 * What it is not: a shell. Variables, globs, pipes, redirections, comments and `~` are ordinary characters here. Spawn
 * `["sh", "-c", script]` where a shell is wanted, and do not put text of users into the script.
 *
 * Spaces, tabs and line feeds separate words. `'…'` keeps everything. `"…"` keeps everything but a backslash before
 * `"`, `\`, `$`, a back-quote or a line feed. Elsewhere a backslash takes the next character as it is. A backslash
 * before a line feed continues the line; a line feed alone ends no command. Parts that touch are one word: `a"b c"'d'` is `ab cd`; `""` is an empty word.
 * Source: POSIX.1-2024, Shell Command Language §2.2.
 */
import * as CommandLine from "effect/process/CommandLine"
import * as Result from "effect/Result"
import { ProcError } from "./ProcError.ts"

/**
 * Reads the words of a command.
 *
 * Text without a word gives none. Fails with the reason `InvalidCommand`, which tells the position, for a quote that
 * is not closed and for a backslash at the end. Source: Kore, runtime §12.1, without its defects.
 *
 * @example
 * ```ts
 * import * as Command from "@kore-fx/proc/Command"
 *
 * const words = Command.parse(`grep -F "it's" 'my file'`) // Result.succeed(["grep", "-F", "it's", "my file"])
 * ```
 */
export const parse = (text: string): Result.Result<ReadonlyArray<string>, ProcError> => {
  const words: Array<string> = []
  // Undefined between words; an empty word has begun.
  let word: string | undefined
  for (let at = 0; at < text.length; at++) {
    const char = text[at]!
    if (char === " " || char === "\t" || char === "\n") {
      if (word !== undefined) words.push(word)
      word = undefined
    } else if (char === "'") {
      const end = text.indexOf("'", at + 1)
      if (end < 0) return invalid(text, "the single quote is not closed", at)
      word = (word ?? "") + text.slice(at + 1, end)
      at = end
    } else if (char === "\"") {
      const quoted = readDouble(text, at)
      if (quoted === undefined) return invalid(text, "the double quote is not closed", at)
      word = (word ?? "") + quoted.part
      at = quoted.end
    } else if (char === "\\") {
      if (at + 1 === text.length) return invalid(text, "the backslash takes the next character, and there is none", at)
      at++
      if (text[at] !== "\n") word = (word ?? "") + text[at]
    } else {
      word = (word ?? "") + char
    }
  }
  if (word !== undefined) words.push(word)
  return Result.succeed(words)
}

/**
 * Writes words as one command that `parse`, and any POSIX shell, reads back as the same words.
 *
 * Fails with the reason `InvalidCommand` for a word with a NUL character, which no command can hold.
 *
 * @example
 * ```ts
 * import * as Command from "@kore-fx/proc/Command"
 *
 * const text = Command.format(["grep", "-F", "it's", "my file"]) // Result.succeed(`grep -F 'it'\\''s' 'my file'`)
 * ```
 */
export const format = (words: ReadonlyArray<string>): Result.Result<string, ProcError> =>
  Result.mapError(CommandLine.join(words), () => nul(words))

/**
 * Writes words for people: quoted, without control characters, and cut off after some 200 characters.
 *
 * @example
 * ```ts
 * import * as Command from "@kore-fx/proc/Command"
 *
 * const line = Command.display(["printf", "a\nb"]) // `printf 'a\\nb'`
 * ```
 */
export const display = (words: ReadonlyArray<string>): string => {
  const text = CommandLine.display(words)
  return text.length <= shown ? text : `${text.slice(0, shown)}…`
}

// --- private ---------------------------------------------------------------------------------------------------------

const shown = 200

const escapable: ReadonlySet<string> = new Set(["\"", "\\", "$", "`"])

/** The part between two double quotes, and where the second is; undefined without one. */
const readDouble = (text: string, start: number): { readonly part: string; readonly end: number } | undefined => {
  let part = ""
  for (let at = start + 1; at < text.length; at++) {
    const char = text[at]!
    if (char === "\"") return { part, end: at }
    const next = char === "\\" ? text[at + 1] : undefined
    if (next === undefined || !(next === "\n" || escapable.has(next))) part += char
    else {
      at++
      if (next !== "\n") part += next
    }
  }
  return undefined
}

const invalid = (text: string, problem: string, position: number): Result.Result<never, ProcError> =>
  Result.fail(
    new ProcError({
      reason: "InvalidCommand",
      command: text.length <= shown ? text : `${text.slice(0, shown)}…`,
      detail: `${problem}; it is at character ${position}`,
      position
    })
  )

const nul = (words: ReadonlyArray<string>): ProcError =>
  new ProcError({
    reason: "InvalidCommand",
    command: display(words),
    detail: `word ${words.findIndex((word) => word.includes("\0"))}, from 0, holds a NUL character`
  })
