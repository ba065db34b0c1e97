/**
 * The data of the tables of parity: what is in `docs/parity/*.json`.
 *
 * When to reach for it: something reads or writes these files.
 * What it is not: what makes them true, which is `parity.ts`, or readable, which is `ParityPages.ts`.
 */
import * as Schema from "effect/Schema"

const Test = Schema.Struct({ file: Schema.NonEmptyString, name: Schema.NonEmptyString })
const Tests = Schema.NonEmptyArray(Test)

const Row = Schema.Struct({
  group: Schema.NonEmptyString,
  name: Schema.NonEmptyString,
  /** Sections by document: `seed` is Kore's own documentation. */
  where: Schema.Record(Schema.String, Schema.NonEmptyString),
  legacy: Schema.NonEmptyString,
  /** Of a constant. */
  value: Schema.optionalKey(Schema.Finite),
  effect: Schema.Array(Schema.NonEmptyString),
  tests: Schema.Struct({ legacy: Tests, effect: Schema.optionalKey(Tests) }),
  note: Schema.optionalKey(Schema.NonEmptyString)
})

const defect = { where: Schema.NonEmptyString, what: Schema.NonEmptyString }
const Defect = Schema.Union([
  Schema.Struct({ ...defect, test: Test }),
  Schema.Struct({ ...defect, reason: Schema.NonEmptyString }),
  Schema.Struct({ ...defect, issue: Schema.NonEmptyString })
])

const Table = Schema.Struct({
  title: Schema.NonEmptyString,
  source: Schema.NonEmptyString,
  rows: Schema.Array(Row),
  defects: Schema.Array(Defect),
  /** Names of Kore that come with another capability. */
  elsewhere: Schema.Array(Schema.Struct({
    issue: Schema.NonEmptyString,
    what: Schema.NonEmptyString,
    names: Schema.Array(Schema.NonEmptyString)
  })),
  /** Names of Kore that there will not be. */
  without: Schema.Array(
    Schema.Struct({ name: Schema.NonEmptyString, where: Schema.NonEmptyString, reason: Schema.NonEmptyString })
  ),
  /** What `kore-fx/legacy` exports, or gives handlers (`req.arguments`), and Kore has not. */
  own: Schema.Array(Schema.Struct({ name: Schema.NonEmptyString, reason: Schema.NonEmptyString }))
})

/** A test by its file and its title. */
export type Test = typeof Test.Type

/** A name of Kore's, and what it is here. */
export type Row = typeof Row.Type

/** What Kore does wrong, and what shows that it is otherwise here. */
export type Defect = typeof Defect.Type

/** One file of `docs/parity`, with its name. */
export interface Table extends Schema.Schema.Type<typeof Table> {
  readonly file: string
}

/** Reads a table; throws for one that has another form. */
export const parse = (file: string, text: string): Table => ({
  file,
  ...Schema.decodeUnknownSync(Table)(JSON.parse(text), { onExcessProperty: "error" })
})

/** All tests that a row links. */
export const testsOf = ({ tests }: Row): ReadonlyArray<Test> => [...tests.legacy, ...tests.effect ?? []]
