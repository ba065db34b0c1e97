/** Finds a scenario by its name. */
import * as Arguments from "../harness/Arguments.ts"
import type { Scenario } from "./Scenario.ts"
import { scenarios } from "./scenarios.ts"

/** @throws Error when there is no such scenario. */
export const byName = (name: string): Scenario => Arguments.named("scenario", scenarios, name)
