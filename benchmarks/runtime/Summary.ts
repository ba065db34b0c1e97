/**
 * What the samples of a scenario say together, and as text.
 *
 * When to reach for it: `runtime.ts` stores it and prints it.
 * What it is not: a judgement that fails a run. A missed goal is told, and that is all.
 */
import * as Statistics from "../harness/Statistics.ts"
import { markdown, withSpread } from "../harness/Table.ts"
import type { Sample } from "./Sample.ts"
import type { Goal, Quantity, Scenario } from "./Scenario.ts"

/** What the samples of one case of one peer say. */
export interface Summary {
  readonly case: string
  readonly peer: string
  /** In nanoseconds or bytes of one operation. */
  readonly cpu?: Statistics.Spread
  readonly wall?: Statistics.Spread
  readonly bytes?: Statistics.Spread
  /** CPU or bytes beside those of the references that were measured too. */
  readonly ratios: Readonly<Record<string, Statistics.Spread>>
}

/** Whether a goal was met. */
export interface Verdict extends Goal {
  readonly measured: Statistics.Spread
  readonly isMet: boolean
}

const quantities: ReadonlyArray<Quantity> = ["cpu", "wall", "bytes"]

/** The first peer of a scenario, and Effect's defaults. */
const referencesOf = (scenario: Scenario): ReadonlyArray<string> =>
  [...new Set([scenario.peers[0]!.name, "effect"])].filter((name) => scenario.peers.some((peer) => peer.name === name))

const valuesOf = (
  samples: ReadonlyArray<Sample>,
  name: string,
  peer: string,
  quantity: Quantity
): ReadonlyArray<number> =>
  samples.filter((sample) => sample.case === name && sample.peer === peer && sample[quantity] !== undefined)
    .toSorted((a, b) => a.round - b.round)
    .map((sample) => sample[quantity]!)

/** What the samples say, case by case, in the order of the peers. */
export const summarize = (scenario: Scenario, samples: ReadonlyArray<Sample>): ReadonlyArray<Summary> =>
  scenario.cases.flatMap(({ name }) =>
    scenario.peers.map((peer): Summary => {
      const of = (peer: string, quantity: Quantity) => valuesOf(samples, name, peer, quantity)
      const main = of(peer.name, "cpu").length > 0 ? "cpu" : "bytes"
      return {
        case: name,
        peer: peer.name,
        ...Object.fromEntries(
          quantities.filter((quantity) => of(peer.name, quantity).length > 0)
            .map((quantity) => [quantity, Statistics.spread(of(peer.name, quantity))])
        ),
        ratios: Object.fromEntries(
          referencesOf(scenario).filter((reference) => reference !== peer.name)
            .map((reference) => [reference, Statistics.ratio(of(peer.name, main), of(reference, main))])
        )
      }
    })
  )

/** What became of the goals whose peers were measured. */
export const judge = (scenario: Scenario, samples: ReadonlyArray<Sample>): ReadonlyArray<Verdict> =>
  scenario.goals.flatMap((goal) => {
    const own = valuesOf(samples, goal.case, "kore-fx", goal.quantity)
    const others = goal.beside === undefined ? own : valuesOf(samples, goal.case, goal.beside, goal.quantity)
    if (own.length === 0 || others.length === 0) return []
    const measured = goal.beside === undefined ? Statistics.spread(own) : Statistics.ratio(own, others)
    return [{ ...goal, measured, isMet: measured.median <= goal.atMost }]
  })

const digitsOf = (value: number): number => value < 10 ? 1 : 0

const titleOf = (scenario: Scenario, verdict: Verdict): string =>
  scenario.cases.find(({ name }) => name === verdict.case)!.title

const figure = ({ beside, measured, quantity }: Verdict): string => {
  if (beside !== undefined) return withSpread(measured, 2)
  return quantity === "bytes" ? `${withSpread(measured, 0)} bytes` : `${withSpread(measured, 0)} ns`
}

/** The table of one scenario, its goals, and what Kore's figures are of. */
export const asText = (
  scenario: Scenario,
  summaries: ReadonlyArray<Summary>,
  verdicts: ReadonlyArray<Verdict>
): string => {
  const references = referencesOf(scenario)
  const ratio = (summary: Summary, reference: string): string => {
    const spread = summary.ratios[reference]
    return spread === undefined ? "1" : withSpread(spread, 2)
  }
  const rows = scenario.cases.flatMap(({ name, recorded, title }) =>
    summaries.filter((summary) => summary.case === name).map((summary, i) => {
      const main = summary.cpu ?? summary.bytes!
      const cost = withSpread(main, digitsOf(main.median))
      return [
        i === 0 ? title : "",
        scenario.peers.find((peer) => peer.name === summary.peer)!.title,
        summary.cpu === undefined ? `${cost} bytes` : cost,
        ...references.map((reference) => ratio(summary, reference)),
        summary.wall === undefined ? "" : summary.wall.median.toFixed(digitsOf(summary.wall.median)),
        i === 0 && recorded !== undefined ? String(recorded) : ""
      ]
    })
  )
  const header = ["operation", "", "CPU ns", ...references.map((name) => `× ${name}`), "wall ns", "Kore, recorded"]
  const alike = scenario.cases.filter(({ recordedAs }) => recordedAs !== undefined)
    .map(({ recordedAs, title }) => `"${title}": ${recordedAs}`)
  return [
    markdown(header, rows),
    ...(alike.length === 0 ? []
      : [
        `Kore's figures are wall time or bytes, recorded elsewhere (runtime §18, §8), of work that is alike. ${
          alike.join("; ")
        }.`
      ]),
    verdicts.map((verdict) =>
      `- ${verdict.isMet ? "met" : "MISSED"}: ${titleOf(scenario, verdict)}, ${verdict.text}: ${figure(verdict)}`
    ).join("\n")
  ].filter((part) => part !== "").join("\n\n")
}
