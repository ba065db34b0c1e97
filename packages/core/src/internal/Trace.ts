/**
 * Where the steps of tasks and waits are told to while somebody follows them.
 *
 * When to reach for it: inside core, at a step that Kore's `corotrace` names; `Fibers.trace` sets the sink.
 * What it is not: public, or on by default: without a sink a step costs one comparison.
 */
import type { Root } from "./Roots.ts"
import type { Wait } from "./WaitList.ts"

/** Is told about every step. Never throws. */
export interface Sink {
  readonly created: (root: Root) => void
  readonly running: (root: Root) => void
  readonly suspended: (wait: Wait) => void
  readonly woken: (wait: Wait) => void
  readonly finished: (root: Root) => void
  readonly killed: (root: Root) => void
}

/** The sink, while there is one. */
export let sink: Sink | undefined

/** Sets the sink and returns the one before. */
export const setSink = (next: Sink | undefined): Sink | undefined => {
  const before = sink
  sink = next
  return before
}
