/**
 * The file somebody probably meant.
 *
 * When to reach for it: to answer a misspelt file or import with a suggestion.
 * What it is not: the suggestions for commands and flags, which are `effect/cli`'s.
 */
import { nearest } from "@kore-fx/core/config/nearest"

// `app.ts` and `app.js` differ in what people get wrong most, so that the extension counts for nothing.
const stem = (name: string): string => name.toLowerCase().replace(/\.[mc]?[tj]s$/, "")

/** The file name nearest to another one, if few slips of the pen lead to it. */
export const similar = (name: string, candidates: Iterable<string>): string | undefined =>
  nearest(name, candidates, stem)
