/**
 * How often a law is tried: 1,000 times, or as often as `KORE_LAWS_RUNS` says for a longer run.
 *
 * The seed of a run that failed is printed by vitest; `pnpm laws` makes the longer run.
 */
export const runs = Number(process.env["KORE_LAWS_RUNS"] ?? 1000)
