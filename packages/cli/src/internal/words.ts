/**
 * The words of `kore-fx run`: those of the command end with the file; what follows is the app's, flags too.
 *
 * When to reach for it: before `effect/cli` reads the words, and in workers, which do without it.
 * What it is not: a parser of flags.
 */

const fileAt = (words: ReadonlyArray<string>): number =>
  words[0] === "run" ? words.findIndex((word, i) => i > 0 && !word.startsWith("-")) : -1

/** The words as `effect/cli` understands them: what is the app's stands behind `--`. */
export const forParser = (words: ReadonlyArray<string>): ReadonlyArray<string> => {
  const at = fileAt(words)
  if (at < 0) return words
  return [...words.slice(0, at).filter((word) => word !== "--"), words[at]!, "--", ...words.slice(at + 1)]
}

/** The file and the words of the app; no file when the words are not those of `run`. */
export const runWords = (
  words: ReadonlyArray<string>
): { readonly file: string | undefined; readonly args: ReadonlyArray<string> } => {
  const at = fileAt(words)
  return { file: at < 0 ? undefined : words[at], args: at < 0 ? [] : words.slice(at + 1) }
}
