/**
 * What a soak tells: figures before, at the peak and after, and what went wrong.
 *
 * When to reach for it: `echo.ts` and `processes.ts` return one, `soak.ts` prints it.
 * What it is not: a sample. A soak runs once; what counts is what is left.
 */

interface Report {
  readonly title: string
  readonly header: ReadonlyArray<string>
  readonly rows: ReadonlyArray<ReadonlyArray<string>>
  /** What must be said below the table. */
  readonly notes: ReadonlyArray<string>
  /** None when everything was done and nothing is left. */
  readonly problems: ReadonlyArray<string>
}

/** Does something this many times at once. */
export type Soak = (count: number) => Promise<Report>

/** A problem for each claim that does not hold. */
export const problemsOf = (claims: Readonly<Record<string, boolean>>): ReadonlyArray<string> =>
  Object.entries(claims).filter(([, holds]) => !holds).map(([claim]) => claim)

/** `12.3 MiB` */
export const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`

/** `1.23 s` */
export const seconds = (millis: number): string => `${(millis / 1000).toFixed(2)} s`
