/**
 * A thousand processes at once by `Proc.spawn`.
 *
 * When to reach for it: `soak.ts processes`.
 * What it is not: a benchmark of fork. Most of the time is the system's.
 */
import { fileURLToPath } from "node:url"
import * as Child from "./Child.ts"
import { problemsOf, seconds, type Soak } from "./Soak.ts"

const spawner = fileURLToPath(new URL("spawner.ts", import.meta.url))

/** What the spawner has seen of its processes. */
export interface Answers {
  readonly right: number
  /** In milliseconds: until all have been started and have answered, and until all have ended. */
  readonly answering: number
}

export interface Ends {
  /** Those that exited with 0. */
  readonly right: number
  readonly ending: number
}

export const soak: Soak = async (count) => {
  // Two pipes for each, and a third while it is started.
  const child = Child.start(spawner, [String(count)], count * 3)
  await child.next<string>()
  const measure = () => ({ descriptors: Child.descriptorsOf(child.pid), ...Child.childrenOf(child.pid) })
  const before = measure()
  const answers = await child.ask<Answers>("spawn")
  const peak = measure()
  const ends = await child.ask<Ends>("end")
  // At once: whoever has been reaped is no zombie.
  const after = measure()
  const code = await child.end()
  const row = (name: string, { alive, descriptors, zombies }: typeof before) => [
    name,
    String(alive),
    String(zombies),
    String(descriptors)
  ]
  return {
    title: `processes: ${count} at once`,
    header: ["", "children", "zombies", "descriptors"],
    rows: [row("before", before), row("peak", peak), row("after", after)],
    notes: [
      `Started and answered in ${seconds(answers.answering)}, ended and reaped in ${seconds(ends.ending)}. ` +
      "The child that is always there is the guard that kills the others should their parent be killed."
    ],
    problems: problemsOf({
      [`${answers.right} of ${count} processes answered`]: answers.right === count,
      [`${peak.alive - before.alive} of ${count} processes were there at once`]: peak.alive - before.alive === count,
      [`${ends.right} of ${count} processes exited with 0`]: ends.right === count,
      [`${after.zombies} zombies are left`]: after.zombies === 0,
      [`${after.alive - before.alive} processes are left`]: after.alive === before.alive,
      [`${after.descriptors} descriptors are left of ${before.descriptors}`]: after.descriptors === before.descriptors,
      [`the spawner ended with ${code}`]: code === 0
    })
  }
}
