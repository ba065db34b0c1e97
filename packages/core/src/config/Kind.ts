/**
 * The kinds of value an option takes: how each is read, printed and explained.
 *
 * When to reach for it: to add an option to one of the tables beside this file.
 * What it is not: a parser for users, who meet it through `Config.resolve` only.
 *
 * Every kind reads three sorts of source with one Schema: TypeScript values of an app, JSON of a file, and the text
 * of an environment variable. Encoding gives the form to print and to write into a file, so it always reads back.
 */
import * as ByteSize from "effect/ByteSize"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import * as Transformation from "effect/SchemaTransformation"

/** One kind of value: `A` is what kore-fx works with, `I` is what TypeScript users may write. */
export interface Kind<A, I> {
  /** Reads and prints. At run time it also reads the text forms of `I`, which is all an environment variable has. */
  readonly schema: Schema.Codec<A, I>
  /** Completes the sentence "expected …", with the unit and the bounds. */
  readonly expected: string
  /** The smallest and the largest value, both allowed; absent where a kind has no order. */
  readonly bounds?: Bounds<A>
}

/** The smallest and the largest value, both allowed. */
export interface Bounds<A> {
  readonly minimum: A
  readonly maximum: A
}

/** What TypeScript users may write for a duration; a bare number is in Kore's unit of that option. */
export type DurationInput = Duration.Duration | `${number} ${Duration.Unit}` | number

/** What TypeScript users may write for an option that is on or off. */
export type FlagInput = boolean | "yes" | "no" | 0 | 1

// `any`: the schemas below read more than `I` says (text from the environment), and print no more than `I` says.
const make = <A, I>(schema: Schema.Codec<A, any>, expected: string, bounds?: Bounds<A>): Kind<A, I> =>
  bounds === undefined ? { schema, expected } : { schema, expected, bounds }

// A plain decimal: no sign, exponent, radix or blanks, so that a slip of the pen is reported and never interpreted.
const decimal = /^\d+(\.\d+)?$/

// From text that may not be one, to text that always is.
const textOf = <A>(
  read: (text: string) => Option.Option<A>,
  print: (value: A) => string,
  expected: string
): Transformation.Transformation<A, string> =>
  Transformation.transformEffect<A, string>({
    decode: (text, options) =>
      Effect.fromOption(read(text), () => new SchemaIssue.InvalidValue({ expected }, text, options)),
    encode: (value) => Effect.succeed(print(value))
  })

// --- integers --------------------------------------------------------------------------------------------------------

const numeric = Schema.Union([
  Schema.Finite,
  Schema.String.check(Schema.isPattern(decimal)).pipe(Schema.decodeTo(Schema.Finite, Transformation.numberFromString))
])

/** A whole number between two bounds, both allowed. */
export const integer = (minimum: number, maximum: number): Kind<number, number> =>
  make(
    numeric.check(Schema.isInt(), Schema.isBetween({ minimum, maximum })),
    `an integer between ${minimum} and ${maximum}`,
    { minimum, maximum }
  )

// --- durations -------------------------------------------------------------------------------------------------------

const durationUnits: ReadonlyArray<readonly [name: string, millis: number]> = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
  ["second", 1000],
  ["milli", 1]
]

/** The text of a duration in the largest unit that loses nothing, such as `"90 seconds"`; it reads back as the same. */
export const formatDuration = (duration: Duration.Duration): string => {
  const millis = Duration.toMillis(duration)
  if (millis === 0) return "0 seconds"
  for (const [name, size] of durationUnits) {
    if (millis % size === 0) return `${millis / size} ${name}${millis === size ? "" : "s"}`
  }
  return String(duration)
}

/** A duration between two bounds, both allowed; `unit` is Kore's unit of the option and that of bare numbers. */
export const duration = (
  unit: "milliseconds" | "seconds",
  minimum: Duration.Input,
  maximum: Duration.Input
): Kind<Duration.Duration, DurationInput> => {
  const bounds = { minimum: Duration.fromInputUnsafe(minimum), maximum: Duration.fromInputUnsafe(maximum) }
  const expected = `a duration from ${formatDuration(bounds.minimum)} to ${formatDuration(bounds.maximum)}, ` +
    `such as "10 seconds", or a number of ${unit}`
  const millis = unit === "seconds" ? 1000 : 1
  const fromNumber = (n: number) => Duration.millis(n * millis)
  const fromText = (text: string) =>
    decimal.test(text) ? Option.some(fromNumber(Number(text))) : Duration.fromInput(text as Duration.Input)
  const schema = Schema.Union([
    // Text is first because encoding takes the first member that fits.
    Schema.String.pipe(Schema.decodeTo(Schema.Duration, textOf(fromText, formatDuration, expected))),
    // Finite, because `Duration.millis(NaN)` is zero.
    Schema.Finite.pipe(Schema.decodeTo(
      Schema.Duration,
      Transformation.transform({ decode: fromNumber, encode: (d) => Duration.toMillis(d) / millis })
    )),
    Schema.Duration
  ])
  return make(schema.check(Schema.makeFilter((d) => Duration.between(d, bounds))), expected, bounds)
}

// --- sizes -----------------------------------------------------------------------------------------------------------

const sizeUnits: ReadonlyArray<ByteSize.BinaryUnit> = ["PiB", "TiB", "GiB", "MiB", "KiB"]

/** The text of a size in the largest binary unit that loses nothing, such as `"64 KiB"`; it reads back as the same. */
export const formatSize = (size: ByteSize.ByteSize): string => {
  for (const [index, unit] of sizeUnits.entries()) {
    const factor = 1024n ** BigInt(sizeUnits.length - index)
    if (size > 0n && size % factor === 0n) return `${size / factor} ${unit}`
  }
  return `${size} B`
}

/** A number of bytes between two bounds, both allowed. */
export const size = (minimum: ByteSize.Input, maximum: ByteSize.Input): Kind<ByteSize.ByteSize, ByteSize.Input> => {
  const bounds = { minimum: ByteSize.fromInputUnsafe(minimum), maximum: ByteSize.fromInputUnsafe(maximum) }
  const expected = `a size from ${formatSize(bounds.minimum)} to ${formatSize(bounds.maximum)}, ` +
    `such as "64 KiB", or a number of bytes`
  const fromText = (text: string) => ByteSize.fromString(decimal.test(text) ? `${text} B` : text)
  const schema = Schema.Union([
    Schema.String.pipe(Schema.decodeTo(Schema.ByteSize, textOf(fromText, formatSize, expected))),
    Schema.ByteSizeFromNumber,
    Schema.ByteSize
  ])
  return make(schema.check(Schema.makeFilter((s) => ByteSize.between(s, bounds))), expected, bounds)
}

// --- on or off -------------------------------------------------------------------------------------------------------

const flagWords = new Map<unknown, boolean>([
  ...["yes", "true", "1", 1].map((word) => [word, true] as const),
  ...["no", "false", "0", 0].map((word) => [word, false] as const)
])

/** On or off. */
export const flag: Kind<boolean, FlagInput> = make(
  Schema.Union([
    Schema.Boolean,
    Schema.Literals(["yes", "no", "true", "false", "1", "0", 1, 0]).pipe(Schema.decodeTo(
      Schema.Boolean,
      Transformation.transform({ decode: (word) => flagWords.get(word) === true, encode: (on) => on ? "yes" : "no" })
    ))
  ]),
  "yes or no (also true or false, 1 or 0)"
)

// --- words and text --------------------------------------------------------------------------------------------------

/** One of several words; `aliases` gives other spellings of them. */
export const choice = <const A extends string, const Alias extends string = never>(
  words: ReadonlyArray<A>,
  aliases?: Readonly<Record<Alias, NoInfer<A>>>
): Kind<A, A | Alias> => {
  const meaning = new Map<unknown, A>([
    ...words.map((word) => [word, word] as const),
    ...Object.entries<A>(aliases ?? {})
  ])
  const expected = `one of ${[...meaning.keys()].map((word) => JSON.stringify(word)).join(", ")}`
  const read = (text: string) => Option.fromUndefinedOr(meaning.get(text))
  return make(
    Schema.String.pipe(Schema.decodeTo(Schema.Literals(words), textOf(read, (word) => word, expected))),
    expected
  )
}

/** Text of a form; `expected` describes that form. */
export const text = (pattern: RegExp, expected: string): Kind<string, string> =>
  make(Schema.String.check(Schema.isPattern(pattern)), expected)

/** A path in the file system, absolute or relative to the directory the server was started in. */
export const path: Kind<string, string> = text(/^[^\0]+$/, "a path")

/** The address of a resource on the web. */
export const url: Kind<string, string> = make(
  Schema.String.check(Schema.makeFilter((address) => /^https?:\/\//.test(address) && URL.canParse(address))),
  "a URL that begins with https:// or http://"
)

/** Any number of values of one kind: a list, one value, or text with commas between the values. */
export const list = <A, I>(item: Kind<A, I>): Kind<ReadonlyArray<A>, ReadonlyArray<I> | I> => {
  const split = (input: unknown): ReadonlyArray<any> => {
    if (Array.isArray(input)) return input
    if (typeof input !== "string") return [input]
    return input.split(",").map((part) => part.trim()).filter((part) => part !== "")
  }
  return make(
    Schema.Unknown.pipe(Schema.decodeTo(
      Schema.Array(item.schema),
      Transformation.transform<ReadonlyArray<I>, unknown>({ decode: split, encode: (items) => items })
    )),
    `any number of values (a list, or text with commas), each ${item.expected}`
  )
}
