/**
 * Samples as a Markdown table.
 *
 * When to reach for it: to print what was measured.
 * What it is not: the record. That is the samples themselves, in `results/`.
 */
import { type Peer, references } from "../peers/peers.ts"
import type { Sample } from "./Sample.ts"
import * as Statistics from "./Statistics.ts"

/** A Markdown table; all columns but the first are numbers. */
export const markdown = (header: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): string => {
  const line = (cells: ReadonlyArray<string>) => `| ${cells.join(" | ")} |`
  return [line(header), line(header.map((_, i) => i === 0 ? "---" : "---:")), ...rows.map(line)].join("\n")
}

/** `7.12 (6.98–7.40)` */
export const withSpread = ({ max, median, min }: Statistics.Spread, digits: number): string =>
  `${median.toFixed(digits)} (${min.toFixed(digits)}–${max.toFixed(digits)})`

/** What the samples of one peer say. */
export interface Summary {
  readonly peer: string
  readonly cpu: Statistics.Spread
  readonly parentCpu: Statistics.Spread | undefined
  readonly throughput: Statistics.Spread
  readonly p99: Statistics.Spread | undefined
  readonly bytes: number
  readonly errors: number
  /** CPU beside that of the references that were measured too. */
  readonly ratios: Readonly<Record<string, Statistics.Spread>>
}

/** What the samples of every peer say, in the order of the peers. */
export const summarize = (peers: ReadonlyArray<Peer>, samples: ReadonlyArray<Sample>): ReadonlyArray<Summary> => {
  const of = (peer: string) => samples.filter((sample) => sample.peer === peer)
  const defined = (values: ReadonlyArray<number | undefined>) =>
    values[0] === undefined ? undefined : Statistics.spread(values as ReadonlyArray<number>)
  return peers.map(({ name }) => {
    const own = of(name)
    const cpus = own.map((sample) => sample.cpu)
    const others = references.filter((reference) => reference !== name && of(reference).length === own.length)
    return {
      peer: name,
      cpu: Statistics.spread(cpus),
      parentCpu: defined(own.map((sample) => sample.parentCpu)),
      throughput: Statistics.spread(own.map((sample) => sample.throughput)),
      p99: defined(own.map((sample) => sample.latency?.p99)),
      bytes: own[0]!.bytes,
      errors: own.reduce((sum, sample) => sum + sample.errors, 0),
      ratios: Object.fromEntries(others.map((reference) => [
        reference,
        Statistics.ratio(cpus, of(reference).map((sample) => sample.cpu))
      ]))
    }
  })
}

/** The table of one scenario, with what must be said below it. */
export const ofSummaries = (peers: ReadonlyArray<Peer>, summaries: ReadonlyArray<Summary>): string => {
  const titleOf = (name: string) => peers.find((peer) => peer.name === name)?.title ?? name
  const measured = references.filter((name) => summaries.some(({ peer }) => peer === name))
  const header = ["peer", "CPU µs/request", ...measured.map((name) => `× ${name}`), "requests/s", "p99 ms", "bytes"]
  const rows = summaries.map(({ bytes, cpu, p99, peer, ratios, throughput }) => [
    titleOf(peer),
    withSpread(cpu, 2),
    ...measured.map((name) => ratios[name] === undefined ? "1" : withSpread(ratios[name], 2)),
    `${Math.round(throughput.median)} (${Math.round(throughput.min)}–${Math.round(throughput.max)})`,
    p99 === undefined ? "" : (p99.median / 1000).toFixed(2),
    String(bytes)
  ])
  const notes = summaries.flatMap(({ errors, parentCpu, peer }) => [
    ...(parentCpu === undefined ? []
      : [`The parent of ${titleOf(peer)} used ${withSpread(parentCpu, 4)} µs a request.`]),
    ...(errors === 0 ? [] : [`${titleOf(peer)} had ${errors} ERRORS.`])
  ])
  return [markdown(header, rows), ...notes].join("\n\n")
}
