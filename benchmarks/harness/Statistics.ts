/**
 * Medians, spreads and ratios.
 *
 * When to reach for it: to say what many samples say together.
 * What it is not: inference. The spread is shown as it is, from the least to the most.
 */

/** The middle of some values, and their ends. */
export interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
}

/** The median; of an even number of values the mean of the middle two. NaN of none. */
export const median = (values: ReadonlyArray<number>): number => {
  const sorted = values.toSorted((a, b) => a - b)
  const half = sorted.length / 2
  return Number.isInteger(half) ? (sorted[half - 1]! + sorted[half]!) / 2 : sorted[Math.floor(half)]!
}

/** Median and ends of values. */
export const spread = (values: ReadonlyArray<number>): Spread => ({
  median: median(values),
  min: Math.min(...values),
  max: Math.max(...values)
})

/** The ratio of the medians, with the least and the most of the ratios within one round: what noise did to it. */
export const ratio = (values: ReadonlyArray<number>, references: ReadonlyArray<number>): Spread => {
  const byRound = values.map((value, round) => value / references[round]!)
  return { median: median(values) / median(references), min: Math.min(...byRound), max: Math.max(...byRound) }
}
