/**
 * The `range` field of a request (RFC 9110 §14): which bytes of a representation a client asks for.
 *
 * When to reach for it: `FileAnswer` asks `select` once the conditions of the request hold.
 * What it is not: the answer. What is sent for the ranges is made in `FileAnswer`.
 */

/** Bytes of a representation: from `start` up to and without `end`; never empty. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

/** The most ranges that one request gets; who asks for more gets the whole. */
export const RANGES_MAX = 16

/**
 * The ranges to send; `Whole` when the field is to be ignored, `Unsatisfiable` when nothing of it is there (416).
 *
 * Ignored are other units and what does not follow the grammar, as §14.2 allows; and what would be work without use, or
 * an attack (§17.15): more than 16 ranges, and ranges that overlap, so that together they never are more than the
 * whole. So is any range of an empty representation: some clients ask for `bytes=0-` of everything.
 */
export const select = (field: string, size: number): ReadonlyArray<ByteRange> | "Whole" | "Unsatisfiable" => {
  const unit = /^[\t ]*bytes[\t ]*=/i.exec(field)
  if (unit === null || size === 0) return "Whole"
  const specs = field.slice(unit[0].length).split(",", RANGES_MAX + 1)
  if (specs.length > RANGES_MAX) return "Whole"
  const ranges: Array<ByteRange> = []
  let isEmpty = true
  for (const text of specs) {
    const spec = text.trim()
    // §5.6.1: empty members of a list say nothing.
    if (spec === "") continue
    isEmpty = false
    const range = parse(spec, size)
    if (range === undefined) return "Whole"
    if (range.start < range.end) ranges.push(range)
  }
  if (isEmpty) return "Whole"
  if (ranges.length === 0) return "Unsatisfiable"
  const ascending = ranges.toSorted((a, b) => a.start - b.start)
  for (let i = 1; i < ascending.length; i++) if (ascending[i]!.start < ascending[i - 1]!.end) return "Whole"
  return ranges
}

// One range, empty when nothing of it is there; `undefined` when it is none. Numbers beyond 2^53 only lose precision
// where they are beyond every file.
const parse = (spec: string, size: number): ByteRange | undefined => {
  const match = /^(\d*)-(\d*)$/.exec(spec)
  if (match === null) return undefined
  const [, first = "", last = ""] = match
  if (first === "") {
    return last === "" ? undefined : { start: Math.max(0, size - Number(last)), end: size }
  }
  const start = Number(first)
  if (last === "") return { start, end: size }
  return Number(last) < start ? undefined : { start, end: Math.min(Number(last) + 1, size) }
}

/** The value of `content-range` of a part (§14.4). */
export const contentRange = ({ end, start }: ByteRange, size: number): string => `bytes ${start}-${end - 1}/${size}`
