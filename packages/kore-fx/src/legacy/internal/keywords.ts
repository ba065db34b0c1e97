/**
 * Keyword arguments: one trailing object whose keys are checked, so that nothing is ignored silently.
 *
 * When to reach for it: every function of the old API that takes keywords.
 * What it is not: a check of the values.
 */
import { nearest } from "@kore-fx/core/config/nearest"
import { describe } from "../Coroutine.ts"
import { RuntimeError } from "../errors.ts"

/**
 * Checks the keywords of a call. `later` has those of Kore that this version does not have, with what they belong to.
 *
 * @throws RuntimeError for a keyword that is not known or not available.
 */
export const check = (
  call: string,
  given: object,
  known: ReadonlyArray<string>,
  later: Readonly<Record<string, string>> = {}
): void => {
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    throw new RuntimeError(`${call} got ${describe(given)}, expected an object with ${known.join(", ")}`)
  }
  for (const key of Object.keys(given)) {
    if (known.includes(key)) continue
    if (Object.hasOwn(later, key)) throw notAvailable(`the keyword "${key}" of ${call}`, later[key]!)
    const meant = nearest(key, [...known, ...Object.keys(later)])
    const suggestion = meant === undefined ? "" : `did you mean "${meant}"? `
    throw new RuntimeError(`${call} has no keyword "${key}": ${suggestion}It has ${known.join(", ")}`)
  }
}

/** What belongs to a capability that comes later. */
export const notAvailable = (what: string, capability: string): RuntimeError =>
  new RuntimeError(`${what} belongs to ${capability}, which is not available in this version of kore-fx`)
