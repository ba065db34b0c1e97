/** Finds a scenario by its name. */
import type { Scenario } from "./Scenario.ts"
import { scenarios } from "./scenarios.ts"

/** @throws Error when there is no such scenario. */
export const byName = (name: string): Scenario => {
  const found = scenarios.find((scenario) => scenario.name === name)
  if (found === undefined) {
    throw new Error(`there is no scenario "${name}": expected ${scenarios.map((scenario) => scenario.name).join(", ")}`)
  }
  return found
}
