/**
 * The names somebody probably meant.
 *
 * When to reach for it: to answer a misspelt file or import with a suggestion.
 * What it is not: the suggestions for commands and flags, which are `effect/cli`'s.
 */

// Levenshtein: the fewest letters to insert, delete or replace.
const distance = (a: string, b: string): number => {
  let last = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      row.push(Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)))
    }
    last = row
  }
  return last[b.length]!
}

// `app.ts` and `app.js` differ in what people get wrong most, so that the extension counts for nothing.
const stem = (name: string): string => name.toLowerCase().replace(/\.[mc]?[tj]s$/, "")

/** The candidate nearest to a name, if few slips of the pen lead to it: two, or a quarter of the name's letters. */
export const similar = (name: string, candidates: Iterable<string>): string | undefined => {
  const wanted = stem(name)
  let best: string | undefined
  let fewest = Math.min(Math.max(2, Math.floor(wanted.length / 4)), wanted.length - 1) + 1
  for (const candidate of candidates) {
    const slips = distance(wanted, stem(candidate))
    if (slips < fewest) {
      best = candidate
      fewest = slips
    }
  }
  return best
}
