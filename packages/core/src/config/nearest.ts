/**
 * The name somebody probably meant.
 *
 * When to reach for it: to answer a misspelt name with a suggestion.
 * What it is not: a search. It answers with one name that is very near, or with none.
 */

// What people vary without meaning anything by it.
const normalize = (name: string): string => name.toLowerCase().replace(/[_-]/g, "")

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

/**
 * The candidate nearest to a name, if few slips of the pen lead to it: two, or a quarter of the name's letters, and never
 * all of them. `essence` is what is compared of a name; by default its letters without case and separators.
 */
export const nearest = (
  name: string,
  candidates: Iterable<string>,
  essence: (name: string) => string = normalize
): string | undefined => {
  const wanted = essence(name)
  let best: string | undefined
  let fewest = Math.min(Math.max(2, Math.floor(wanted.length / 4)), wanted.length - 1) + 1
  for (const candidate of candidates) {
    const slips = distance(wanted, essence(candidate))
    if (slips < fewest) {
      best = candidate
      fewest = slips
    }
  }
  return best
}
