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

/** What is told about every step, while somebody follows them. */
export let sink: Sink | undefined

const sinks = new Set<Sink>()

/** Adds a sink. */
export const add = (added: Sink): void => {
  sinks.add(added)
  sink = combined()
}

/** Takes a sink out. */
export const remove = (removed: Sink): void => {
  sinks.delete(removed)
  sink = combined()
}

const combined = (): Sink | undefined => {
  if (sinks.size <= 1) return sinks.values().next().value
  const toAll = <A>(step: (sink: Sink) => (of: A) => void) => (of: A): void => {
    for (const each of sinks) step(each)(of)
  }
  return {
    created: toAll((each) => each.created),
    running: toAll((each) => each.running),
    suspended: toAll((each) => each.suspended),
    woken: toAll((each) => each.woken),
    finished: toAll((each) => each.finished),
    killed: toAll((each) => each.killed)
  }
}
