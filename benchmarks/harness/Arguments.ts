/**
 * What the command lines of the benchmarks have in common.
 *
 * When to reach for it: to read a count, or names of a list, and to say what was expected when there is no such thing.
 * What it is not: a framework for command lines; `node:util` has what it takes.
 */

interface Named {
  readonly name: string
}

/** The one of this name. Throws when there is none, and says which there are. */
export const named = <A extends Named>(kind: string, all: ReadonlyArray<A>, name: string): A => {
  const found = all.find((one) => one.name === name)
  if (found === undefined) {
    throw new Error(`there is no ${kind} "${name}": expected ${namesOf(all)}`)
  }
  return found
}

/** Names, as people list them. */
export const namesOf = (all: ReadonlyArray<Named>): string => all.map(({ name }) => name).join(", ")

/** A whole number, 1 or more. Throws when it is anything else. */
export const count = (name: string, text: string): number => {
  const number = Number(text)
  if (!Number.isInteger(number) || number < 1) {
    throw new Error(`--${name} is ${text}: expected a whole number, 1 or more`)
  }
  return number
}
